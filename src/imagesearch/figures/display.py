"""Display of figures: in a window, or in a file on a machine without a display."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from imagesearch.errors import UserError, describe_error
from imagesearch.figures.style import STYLE, make_drawable, shorten_text, wrap_text
from imagesearch.text_table import measure_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text


def create_figure(inches: tuple[float, float]) -> Figure:
    """Return an empty figure in the style of all figures, given its width and height in inches."""
    import logging

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # hides warnings of missing fonts
    with _explain_backend_errors():
        import matplotlib.pyplot as plt

        plt.rcParams.update(STYLE)
        return plt.figure(figsize=inches, layout="constrained")


def show_figure(figure: Figure, name: str, *, save: Path | None = None, window: bool = True) -> Path | None:
    """Show a figure in a window; save it if `save` is given or no window can be opened.

    Parameters
    ----------
    figure
        The figure. It is closed at the end.
    name
        Any text: the title of the window, and the base of the name of a file below ``outputs/``.
    save
        The file to save the figure to, or a folder that exists. By default, a file below ``outputs/`` if
        there is no window.
    window
        Whether to open a window if there is a display.

    Returns
    -------
    file : Path or None
        The saved file, if any.
    """
    import matplotlib.pyplot as plt

    window = window and can_open_window()
    file = save
    if file is None and not window:
        file = Path("outputs") / f"{_make_file_name(name)}.png"
    elif file is not None and os.path.isdir(file):  # noqa: PTH112 - pathlib raises an error for names that are too long
        file /= f"{_make_file_name(name)}.png"
    with _ignore_missing_glyphs():
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                # level 6 takes twice as long for files that are 2% smaller
                is_png = file.suffix.lower() == ".png"
                options = {"pil_kwargs": {"compress_level": 4}} if is_png else {}
                figure.savefig(file, dpi=110, **options)
            except (OSError, ValueError) as error:
                raise UserError(
                    f"{file}: the figure cannot be saved there ({describe_error(error)})"
                ) from None
    if window:
        open_window(figure, name)
    plt.close(figure)
    return file


def report_figure_path(file: Path | None) -> None:
    """Print the path of a saved figure, if there is one, to stderr: stdout is only for results."""
    if file is not None:
        print(f"figure: {file}", file=sys.stderr)


def can_open_window() -> bool:
    """Whether figures can be shown in windows, which requires a display."""
    with _explain_backend_errors():
        import matplotlib.pyplot as plt  # chooses a backend that fits the display
        from matplotlib.backends import BackendFilter, backend_registry

    interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return plt.get_backend().lower() in {name.lower() for name in interactive}


def open_window(figure: Figure, title: str) -> None:
    """Show a figure in a window with a title, and wait until the window is closed."""
    import matplotlib.pyplot as plt

    if figure.canvas.manager is not None:
        figure.canvas.manager.set_window_title(shorten_text(" ".join(title.split()), 120))
        _fit_to_screen(figure)
    with _ignore_missing_glyphs():
        plt.show()


def fit_text(
    text: Text,
    content: str,
    max_width: float,
    max_letters: int,
    max_lines: int = 1,
    wrap: Callable[[str, int, int], str] = wrap_text,
) -> None:
    """Set a text to as much of its content as fits.

    Parameters
    ----------
    text
        The matplotlib text. Its font is used for measuring, because some characters are wider than others.
    content
        The full content.
    max_width
        Maximum width in pixels.
    max_letters
        Maximum number of characters in a line.
    max_lines
        Maximum number of lines. One line is shortened in the middle; several lines are wrapped, and shortened
        at the end.
    wrap
        What wraps several lines: `wrap_text` or `wrap_path`.
    """
    with _ignore_missing_glyphs():
        for length in range(min(max_letters, measure_width(content)), 0, -1):
            text.set_text(
                shorten_text(content, length) if max_lines == 1 else wrap(content, length, max_lines)
            )
            if text.get_window_extent().width <= max_width:
                break


def measure_text(text: Text) -> float:
    """Return the width of a text in pixels."""
    with _ignore_missing_glyphs():
        return text.get_window_extent().width


# --- details -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _explain_backend_errors() -> Iterator[None]:
    """Raise a `UserError` if the backend in MPLBACKEND does not exist, or if its libraries are missing."""
    try:
        yield
    except (ImportError, ValueError) as error:
        chosen = os.environ.get("MPLBACKEND")
        if not chosen:
            raise
        reason = str(error).splitlines()[0]
        raise UserError(f"MPLBACKEND={chosen} cannot be used ({reason}); unset it, or use Agg") from None


def _fit_to_screen(figure: Figure) -> None:
    """Shrink a figure whose window is larger than the screen. Text keeps its size."""
    window = getattr(figure.canvas.manager, "window", None)
    if hasattr(window, "winfo_screenwidth"):  # Tk scales figures by the pixel density of the screen
        dpi = figure.dpi * window.tk.call("tk", "scaling") / (96 / 72)
        width, height = window.winfo_screenwidth(), window.winfo_screenheight()
    elif hasattr(window, "screen"):  # Qt
        size = window.screen().availableSize()
        dpi, width, height = figure.dpi, size.width(), size.height()
    else:
        return
    limits = (width - 20) / dpi, (height - 110) / dpi  # minus the title bar, tool bar and desktop panels
    inches = figure.get_size_inches()
    if any(side > limit for side, limit in zip(inches, limits, strict=True)):
        figure.set_size_inches(*map(min, inches, limits))


@contextlib.contextmanager
def _ignore_missing_glyphs() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the figure has an empty box instead
        yield


def _make_file_name(text: str) -> str:
    name = re.sub(r"[^\w]+", "_", make_drawable(text).lower()).strip("_")
    return name.encode("utf-8")[:80].decode("utf-8", "ignore") or "figure"
