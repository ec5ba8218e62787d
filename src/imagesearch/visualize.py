"""Figures: each function takes data and returns a figure; windows and files are handled in one place."""

from __future__ import annotations

import contextlib
import math
import re
import sys
import textwrap
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from imagesearch.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE = {
    "figure.facecolor": "white",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # the second and later ones are used for letters that the first does not have
    "font.family": ["DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "sans-serif"],
}
INK, QUIET, ACCENT = "#1f2933", "#7b8794", "#2f6f9f"
_CELL_INCHES = 2.3
_WIDEST_INCHES = 18.0
_TITLE_INCHES, _LINE_INCHES = 0.45, 0.16
_FACE_INCHES, _HEADING_INCHES = 1.05, 0.3
# Dark enough for white letters on them
_PERSON_COLOURS = ("#2f6f9f", "#b2452f", "#2e7d4f", "#7a4fa3", "#a86a12", "#0f7c80", "#a13a6c", "#56632b")


@dataclass(frozen=True)
class Tile:
    """One cell of a grid: a picture, or None where it is gone, and what stands above it."""

    image: Image.Image | None
    title: str
    subtitle: str = ""
    people: str = ""


def result_grid(
    query: str, tiles: Sequence[Tile], query_image: Image.Image | None = None, remark: str = ""
) -> Figure:
    """Draw the answer to a query: first the query, text or photo, then the results in reading order.

    Parameters
    ----------
    query
        In words.
    tiles
        The results, best first; may be empty.
    query_image
        The query's photo, if it has one.
    remark
        How the query was read, or why these are not what was asked for.
    """
    images = [query_image, *(tile.image for tile in tiles)]
    columns = max(2, min(10, math.ceil(math.sqrt(len(images) * 1.5))))
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    cell = min(_CELL_INCHES, _WIDEST_INCHES / columns)
    title = _TITLE_INCHES + (_LINE_INCHES if any(tile.people for tile in tiles) else 0)
    heights = [cell * max(map(_aspect, row)) + title for row in rows]
    figure = new_figure((columns * cell, sum(heights)))
    axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for axis in axes.flat:
        axis.axis("off")
        axis.set_anchor("N")  # titles of a row in one line, whatever the shape of the photos
    _draw_query(axes.flat[0], query, query_image, remark if tiles else "nothing found")
    for axis, tile in zip(axes.flat[1:], tiles, strict=False):
        _draw_tile(axis, tile)
    return figure


def classification_figure(items: Sequence[tuple[Image.Image, str, Sequence[tuple[str, float]]]]) -> Figure:
    """Draw photos, each with a bar chart of its most probable labels.

    Parameters
    ----------
    items
        Picture, name, and labels with probabilities, the most probable first.
    """
    columns = 1 if len(items) == 1 else 2
    rows = math.ceil(len(items) / columns)
    figure = new_figure((7.5 * columns, 2.9 * rows))
    grid = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1, 1.2] * columns)
    for axis in grid.flat:
        axis.axis("off")
    cells = (row[2 * column : 2 * column + 2] for row in grid for column in range(columns))
    for (left, right), (image, name, classes) in zip(cells, items, strict=False):
        left.imshow(image)
        left.set_title(shorten(name, 34), color=INK, parse_math=False)
        _draw_bars(right, classes)
    return figure


def contact_sheet(rows: Sequence[tuple[str, Sequence[Tile]]]) -> Figure:
    """Draw rows of small pictures, each row under its own heading.

    Parameters
    ----------
    rows
        Heading, and pictures with what stands below each; a row without a heading carries on the one above.
    """
    columns = max([4, *(len(tiles) for _, tiles in rows)])
    headings = [_HEADING_INCHES if heading else 0.05 for heading, _ in rows]
    figure = new_figure((columns * _FACE_INCHES, sum(headings) + len(rows) * (_FACE_INCHES + 0.2) + 0.1))
    if not rows:
        figure.text(0.5, 0.5, "nobody yet", ha="center", color=QUIET)
        return figure
    heights = [heading + _FACE_INCHES + 0.2 for heading in headings]
    grid = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for axes, (heading, tiles) in zip(grid, rows, strict=True):
        for axis in axes:
            axis.axis("off")
            axis.set_anchor("S")
        if heading:
            _write_heading(axes[0], heading)
        for axis, tile in zip(axes, tiles, strict=False):
            if tile.image is None:
                axis.text(0.5, 0.5, "gone", ha="center", va="center", color=QUIET)
                axis.set(xlim=(0, 1), ylim=(0, 1))
            else:
                axis.imshow(tile.image)
            under = {"ha": "center", "va": "top", "transform": axis.transAxes}
            axis.text(0.5, -0.03, tile.title, size=7.5, color=QUIET, **under)
    return figure


def photo_with_faces(
    image: Image.Image, faces: Sequence[tuple[Sequence[float], str]], title: str = ""
) -> Figure:
    """Draw a photo with a box around each face and its name.

    Parameters
    ----------
    image
        Upright.
    faces
        Box (left, top, right, bottom in pixels of the image) and label of each; the label may be empty.
    title
        Of the figure.
    """
    from matplotlib.patches import Rectangle

    width = 9.0 if image.width >= image.height else 6.5
    figure = new_figure((width, width * image.height / image.width + 0.4))
    axis = figure.subplots()
    axis.imshow(image)
    axis.axis("off")
    axis.set_title(shorten(title, 90), color=INK, parse_math=False)
    for (x1, y1, x2, y2), label in faces:
        colour = person_colour(label) if label else QUIET
        axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=colour, linewidth=2.2))
        box = {"facecolor": colour, "edgecolor": "none", "pad": 2}
        text = {"size": 9, "color": "white", "va": "bottom", "clip_on": True, "parse_math": False}
        axis.text(max(x1, 0), max(y1 - 3, 14), shorten(label or "?", 24), bbox=box, **text)
    return figure


def person_colour(label: str) -> str:
    """Return the colour somebody has in every figure."""
    name = label.partition(" · ")[2] or label
    return _PERSON_COLOURS[zlib.crc32(name.encode()) % len(_PERSON_COLOURS)]


def show(figure: Figure, name: str, *, save: Path | None = None, window: bool = True) -> Path | None:
    """Show a figure in a window; where there is none, or a file is asked for, save it.

    Parameters
    ----------
    figure
        Closed afterwards.
    name
        What the file below ``outputs/`` is called, made from any text.
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

    window = window and _has_window()
    file = save
    if file is None and not window:
        file = Path("outputs") / f"{_file_name(name)}.png"
    with _missing_letters_ignored():
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                figure.savefig(file, dpi=110)
            except (OSError, ValueError) as error:
                raise UserError(f"{file}: the figure cannot be saved there ({error})") from None
        if window:
            plt.show()
    plt.close(figure)
    return file


def report_saved(file: Path | None) -> None:
    """Say where a figure went, on stderr so that stdout stays for results."""
    if file is not None:
        print(f"figure: {file}", file=sys.stderr)


# --- details -----------------------------------------------------------------------------------------------


def new_figure(inches: tuple[float, float]) -> Figure:
    """Return an empty figure in the house's style."""
    import logging

    import matplotlib.pyplot as plt

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # about fonts that are not there
    plt.rcParams.update(_STYLE)
    return plt.figure(figsize=inches, layout="constrained")


@contextlib.contextmanager
def _missing_letters_ignored() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box in the picture says it all
        yield


def _has_window() -> bool:
    import matplotlib
    from matplotlib.backends import BackendFilter, backend_registry

    interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return matplotlib.get_backend().lower() in {name.lower() for name in interactive}


def _draw_query(axis: Axes, query: str, image: Image.Image | None, remark: str) -> None:
    from matplotlib.patches import Rectangle

    if image is not None:
        axis.imshow(image)
        axis.set_title(_wrap(query, 22, lines=2), color=ACCENT, fontweight="bold", parse_math=False)
        frame = {"color": ACCENT, "linewidth": 3, "fill": False, "transform": axis.transAxes}
        axis.add_patch(Rectangle((0, 0), 1, 1, clip_on=False, **frame))
        inside = {"ha": "center", "va": "bottom", "transform": axis.transAxes, "parse_math": False}
        if remark:
            paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
            axis.text(0.5, 0.03, _wrap(remark, 40, lines=2), size=7, color=INK, bbox=paper, **inside)
        return
    places = {"ha": "center", "parse_math": False}
    axis.text(
        0.5, 0.55, _wrap(query, 22, lines=5), va="center", size=12, color=ACCENT, weight="bold", **places
    )
    axis.text(0.5, 0.0, _wrap(remark, 36, lines=4), va="bottom", size=7.5, color=QUIET, **places)
    axis.set(xlim=(0, 1), ylim=(0, 1))


def _draw_tile(axis: Axes, tile: Tile) -> None:
    if tile.image is None:
        axis.text(0.5, 0.5, "not there any more", ha="center", va="center", color=QUIET)
        axis.set(xlim=(0, 1), ylim=(0, 1))
    else:
        axis.imshow(tile.image)
    lines = [tile.title, *(shorten(line, 26) for line in (tile.subtitle, tile.people) if line)]
    axis.set_title("\n".join(lines), color=INK, parse_math=False)


def _draw_bars(axis: Axes, classes: Sequence[tuple[str, float]]) -> None:
    axis.axis("on")
    labels = [shorten(label, 24) for label, _ in classes]
    values = [score for _, score in classes]
    places = range(len(classes))
    axis.barh(places, values, color=ACCENT, height=0.62)
    axis.set(xlim=(0, 1.18), xticks=[0, 0.5, 1], xticklabels=["0", "50%", "100%"])
    axis.set_yticks(places, labels, parse_math=False)
    axis.invert_yaxis()
    axis.tick_params(length=0, colors=INK)
    for place, value in zip(places, values, strict=True):
        axis.text(value + 0.015, place, f"{value:.1%}", va="center", size=8, color=INK)


def _write_heading(axis: Axes, heading: str) -> None:
    """Write above the first picture of a row, over the next ones, and no further than the figure."""
    style = {"color": person_colour(heading), "weight": "bold", "size": 11, "parse_math": False}
    # no title: the layout would push the pictures apart to make room for it
    text = axis.text(0, 1.07, "", va="bottom", transform=axis.transAxes, in_layout=False, **style)
    room = axis.figure.bbox.width - 0.3 * axis.figure.dpi
    with _missing_letters_ignored():
        for length in range(min(60, len(heading)), 0, -1):
            text.set_text(shorten(heading, length))
            if text.get_window_extent().width <= room:
                break


def _aspect(image: Image.Image | None) -> float:
    """Height over width of a cell, within bounds: a panorama leaves room, a tower does not tower."""
    return 0.6 if image is None else min(1.35, max(0.5, image.height / image.width))


def shorten(text: str, length: int) -> str:
    """Cut the middle out of a long name; both ends tell more."""
    text = printable(text)
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def _wrap(text: str, width: int, lines: int) -> str:
    return "\n".join(textwrap.wrap(printable(text), width, max_lines=lines, placeholder=" …"))


def printable(text: str) -> str:
    """Write the bytes of a file name that are not UTF-8 as ``\\udce9`` and the like, which fonts can draw."""
    return text.encode("utf-8", "backslashreplace").decode()


def _file_name(text: str) -> str:
    words = re.sub(r"[^\w]+", "_", printable(text).lower()).strip("_")
    return words.encode("utf-8")[:80].decode("utf-8", "ignore") or "figure"
