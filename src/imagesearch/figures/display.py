"""How figures are shown: in windows, in files, and on machines without a display."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from imagesearch.errors import UserError
from imagesearch.figures.style import STYLE, escape_undecodable, shorten_text, wrap_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text


def create_figure(inches: tuple[float, float]) -> Figure:
    """Return an empty figure in the style of all figures, of so many inches across and down."""
    import logging

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it warns of fonts that are missing
    with _explain_backend_errors():
        import matplotlib.pyplot as plt

        plt.rcParams.update(STYLE)
        return plt.figure(figsize=inches, layout="constrained")


def show_figure(figure: Figure, name: str, *, save: Path | None = None, window: bool = True) -> Path | None:
    """Show a figure in a window; where there is none, or a file is asked for, save it.

    Parameters
    ----------
    figure
        Closed afterwards.
    name
        The window's title, and what the file below ``outputs/`` is called, made from any text.
    save
        A file to save to in any case.
    window
        False never opens a window.

    Returns
    -------
    file : Path or None
        What was written.
    """
    import matplotlib.pyplot as plt

    window = window and can_open_window()
    file = save
    if file is None and not window:
        file = Path("outputs") / f"{_make_file_name(name)}.png"
    with _ignore_missing_glyphs():
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                figure.savefig(file, dpi=110)
            except (OSError, ValueError) as error:
                raise UserError(f"{file}: the figure cannot be saved there ({error})") from None
    if window:
        open_window(figure, name)
    plt.close(figure)
    return file


def report_figure_path(file: Path | None) -> None:
    """Print where a figure was saved, if it was; on stderr, so that stdout stays for results."""
    if file is not None:
        print(f"figure: {file}", file=sys.stderr)


def can_open_window() -> bool:
    """Whether figures can be shown in windows; on a machine without a display they cannot."""
    with _explain_backend_errors():
        import matplotlib.pyplot as plt  # which looks for a display
        from matplotlib.backends import BackendFilter, backend_registry

    interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return plt.get_backend().lower() in {name.lower() for name in interactive}


def open_window(figure: Figure, title: str) -> None:
    """Show a figure in a window with that title, and wait until it is closed."""
    import matplotlib.pyplot as plt

    if figure.canvas.manager is not None:
        figure.canvas.manager.set_window_title(shorten_text(" ".join(title.split()), 120))
        _fit_to_screen(figure)
    with _ignore_missing_glyphs():
        plt.show()


def fit_text(text: Text, content: str, max_width: float, max_letters: int, max_lines: int = 1) -> None:
    """Set a text to as much of its content as has room.

    Parameters
    ----------
    text
        Of some size and weight.
    content
        Whatever letters it has: a Chinese one is twice as wide as others.
    max_width
        In pixels.
    max_letters
        In a line.
    max_lines
        More than one are wrapped, and cut at the end; one is cut in the middle.
    """
    with _ignore_missing_glyphs():
        for length in range(min(max_letters, len(content)), 0, -1):
            text.set_text(
                shorten_text(content, length) if max_lines == 1 else wrap_text(content, length, max_lines)
            )
            if text.get_window_extent().width <= max_width:
                break


# --- details -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _explain_backend_errors() -> Iterator[None]:
    """Report in one line that the chosen backend does not exist, or that its libraries are missing."""
    try:
        yield
    except (ImportError, ValueError) as error:
        chosen = os.environ.get("MPLBACKEND")
        if not chosen:
            raise
        reason = str(error).splitlines()[0]
        raise UserError(f"MPLBACKEND={chosen} cannot be used ({reason}); unset it, or say Agg") from None


def _fit_to_screen(figure: Figure) -> None:
    """Make a figure smaller whose window would reach beyond the screen; pictures shrink, letters do not."""
    window = getattr(figure.canvas.manager, "window", None)
    if hasattr(window, "winfo_screenwidth"):  # Tk, whose figures grow with the screen's density
        dpi = figure.dpi * window.tk.call("tk", "scaling") / (96 / 72)
        width, height = window.winfo_screenwidth(), window.winfo_screenheight()
    elif hasattr(window, "screen"):  # Qt
        size = window.screen().availableSize()
        dpi, width, height = figure.dpi, size.width(), size.height()
    else:
        return
    limits = (width - 20) / dpi, (height - 110) / dpi  # what title bar, tool bar and desktop leave
    inches = figure.get_size_inches()
    if any(side > limit for side, limit in zip(inches, limits, strict=True)):
        figure.set_size_inches(*map(min, inches, limits))


@contextlib.contextmanager
def _ignore_missing_glyphs() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the figure has a box in its place
        yield


def _make_file_name(text: str) -> str:
    name = re.sub(r"[^\w]+", "_", escape_undecodable(text).lower()).strip("_")
    return name.encode("utf-8")[:80].decode("utf-8", "ignore") or "figure"
