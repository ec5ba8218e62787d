"""Grids of photos and of faces, photos with bars of their classes, and photos with boxes around faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from imagesearch.figures.display import create_figure, fit_text
from imagesearch.figures.style import (
    ACCENT,
    INK,
    QUIET,
    choose_person_colour,
    make_drawable,
    shorten_text,
    wrap_text,
)
from imagesearch.text_table import fit_names

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ClassifiedPicture = tuple[Image.Image | None, str, Sequence[tuple[str, float]]]
"""A photo (None if it is missing), its name, and labels with probabilities, the most probable first."""
LabelledBox = tuple[Sequence[float], str]
"""A face's box (left, top, right, bottom in pixels of the image) and its label, which may be empty."""
_CELL_INCHES, _LARGE_CELL_INCHES = 2.3, 3.2
_MAX_WIDTH_INCHES = 18.0
_TITLE_INCHES, _LINE_INCHES = 0.45, 0.16
_LETTERS_PER_INCH = 11  # maximum in a title, so that it is not wider than its picture
_FACE_INCHES, _HEADING_INCHES, _NUMBER_INCHES = 1.05, 0.3, 0.2


@dataclass(frozen=True)
class Tile:
    """One cell of a grid: a picture (None if it is missing), and the texts above it."""

    image: Image.Image | None
    title: str
    subtitle: str = ""
    people: Sequence[str] = ()
    """Names, the most important first. As many as fit are shown."""
    remark: str = ""


def draw_result_grid(
    query: str, tiles: Sequence[Tile], query_image: Image.Image | None = None, remark: str = ""
) -> Figure:
    """Draw the answer to a query: first the query (text or photo), then the results in reading order.

    Parameters
    ----------
    query
        The query as a text.
    tiles
        The results, best first; may be empty.
    query_image
        The photo of the query, if it has one.
    remark
        How the query was interpreted, or how the results differ from it; one or several lines.
    """
    images = [query_image, *(tile.image for tile in tiles)]
    columns = max(2, min(10, math.ceil(math.sqrt(len(images) * 1.5))))
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    cell = min(_CELL_INCHES if len(images) > 3 else _LARGE_CELL_INCHES, _MAX_WIDTH_INCHES / columns)
    more_lines = any(tile.people for tile in tiles) + any(tile.remark for tile in tiles)
    title_height = _TITLE_INCHES + _LINE_INCHES * more_lines
    heights = [cell * max(map(_clamp_aspect, row)) + title_height for row in rows]
    heights[0] += 0.35 if query_image else 0  # space for the remark below the photo
    figure = create_figure((columns * cell, sum(heights)))
    fill_grid(figure, columns, heights, query, tiles, query_image, remark)
    return figure


def fill_grid(
    figure: Figure,
    columns: int,
    heights: Sequence[float],
    query: str,
    tiles: Sequence[Tile],
    query_image: Image.Image | None = None,
    remark: str = "",
) -> list[Axes]:
    """Draw a result grid on an empty figure, given the number of columns and the relative heights of rows.

    Returns
    -------
    axes : list of Axes
        The axes of each tile.
    """
    axes = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    for axis in axes.flat:
        axis.axis("off")
        axis.set_anchor("N")  # aligns the titles of a row, whatever the shape of the photos
    max_letters = int(figure.get_figwidth() / columns * _LETTERS_PER_INCH)
    _draw_query(axes.flat[0], query, query_image, remark if tiles else "nothing found", max_letters)
    for axis, tile in zip(axes.flat[1:], tiles, strict=False):
        _draw_tile(axis, tile, max_letters)
    return list(axes.flat[1 : 1 + len(tiles)])


def draw_classifications(pictures: Sequence[ClassifiedPicture]) -> Figure:
    """Draw photos, each with a bar chart of its most probable labels.

    Parameters
    ----------
    pictures
        The photos in reading order.
    """
    columns = 1 if len(pictures) == 1 else 2
    rows = math.ceil(len(pictures) / columns)
    figure = create_figure((7.5 * columns, 2.9 * rows))
    fill_classes(figure, pictures, rows, columns)
    return figure


def fill_classes(
    figure: Figure, pictures: Sequence[ClassifiedPicture], rows: int, columns: int
) -> list[Axes]:
    """Draw photos and their bars on an empty figure, and return the axes of each photo."""
    grid = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1, 1.2] * columns)
    for axis in grid.flat:
        axis.axis("off")
    cells = (row[2 * column : 2 * column + 2] for row in grid for column in range(columns))
    for (left, right), (image, name, classes) in zip(cells, pictures, strict=False):
        _draw_picture(left, image)
        left.set_title(shorten_text(name, 34), color=INK, parse_math=False)
        _draw_bars(right, classes)
    return [axis for row in grid for axis in row[::2]][: len(pictures)]


def draw_contact_sheet(rows: Sequence[tuple[str, Sequence[Tile]]], cast: Sequence[str] = ()) -> Figure:
    """Draw rows of small pictures, each row under its own heading.

    Parameters
    ----------
    rows
        The heading of each row, and its pictures with a title below each. A row with an empty heading
        continues the row above.
    cast
        The names of all named people, for their colours.
    """
    columns = max([4, *(len(tiles) for _, tiles in rows)])
    figure = create_figure(
        (columns * _FACE_INCHES, max(_FACE_INCHES, sum(map(_compute_row_inches, rows)) + 0.1))
    )
    if rows:
        fill_sheet(figure, rows, columns, cast)
    else:
        figure.text(0.5, 0.5, "no people yet", ha="center", va="center", color=QUIET)
    return figure


def fill_sheet(
    figure: Figure,
    rows: Sequence[tuple[str, Sequence[Tile]]],
    columns: int,
    cast: Sequence[str] = (),
    bottom: float = 0.0,
) -> list[Artist]:
    """Draw rows of small pictures on an empty figure, above a margin; return the picture of each tile.

    All are in one pair of axes: 200 axes and their layout take seconds.
    """
    figure.get_figure(root=True).set_layout_engine("none")  # also for a part of a figure
    height = sum(map(_compute_row_inches, rows))
    axis = figure.add_axes((0, bottom, 1, 1 - bottom))
    axis.axis("off")
    axis.set(xlim=(0, columns * _FACE_INCHES), ylim=(height, 0), aspect="equal", autoscale_on=False)
    drawn: list[Artist] = []
    low = 0.0
    for heading, tiles in rows:
        low += _compute_row_inches((heading, tiles))
        base, side = low - _NUMBER_INCHES, 0.94 * _FACE_INCHES
        if heading:
            _draw_heading(axis, (0.03 * _FACE_INCHES, base - side - 0.03), heading, cast)
        for column, tile in enumerate(tiles):
            left, middle = (column + 0.03) * _FACE_INCHES, (column + 0.5) * _FACE_INCHES
            if tile.image is None:
                style = {"ha": "center", "va": "center", "color": QUIET}
                drawn.append(axis.text(middle, base - side / 2, "missing", **style))
            else:
                extent = (left, left + side, base, base - side)
                drawn.append(axis.imshow(tile.image, extent=extent, aspect="equal"))
            axis.text(middle, base + 0.03, tile.title, size=7.5, color=QUIET, ha="center", va="top")
    return drawn


def _compute_row_inches(row: tuple[str, Sequence[Tile]]) -> float:
    return _FACE_INCHES + _NUMBER_INCHES + (_HEADING_INCHES if row[0] else 0.05)


def draw_photo_with_faces(
    image: Image.Image,
    faces: Sequence[LabelledBox],
    title: str = "",
    cast: Sequence[str] = (),
) -> Figure:
    """Draw a photo with a box and a name on each face.

    Parameters
    ----------
    image
        The upright photo.
    faces
        Box and label of each face.
    title
        Title of the figure.
    cast
        The names of all named people, for their colours.
    """
    width = 9.0 if image.width >= image.height else 6.5
    figure = create_figure((width, width * image.height / image.width + 0.22))
    axis = figure.subplots()
    axis.imshow(image)
    axis.axis("off")
    axis.set_title(shorten_text(title, 90), color=INK, parse_math=False)
    draw_faces(axis, faces, cast)
    return figure


def draw_faces(axis: Axes, faces: Sequence[LabelledBox], cast: Sequence[str] = ()) -> None:
    """Draw boxes with names on axes that show a photo; see `draw_photo_with_faces`."""
    from matplotlib.patches import Rectangle

    for (x1, y1, x2, y2), label in faces:
        colour = choose_person_colour(label, cast) if label else QUIET
        axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=colour, linewidth=2.2))
        box = {"facecolor": colour, "edgecolor": "none", "pad": 2}
        text = {"size": 9, "color": "white", "va": "bottom", "clip_on": True, "parse_math": False}
        axis.text(max(x1, 0), max(y1 - 3, 14), make_drawable(fit_names([label or "?"], 24)), bbox=box, **text)


# --- details -----------------------------------------------------------------------------------------------


def _draw_query(axis: Axes, query: str, image: Image.Image | None, remark: str, max_letters: int) -> None:
    """Draw the first cell of a grid: the photo or the text of the query, and the remark below."""
    centred = {"ha": "center", "parse_math": False}
    if image is not None:
        _draw_query_image(axis, query, image, max_letters)
        below = {"va": "top", "transform": axis.transAxes, **centred}
        text = _wrap_remark(remark, max_letters * 3 // 2, max_lines=3)
        axis.text(0.5, -0.04, text, size=7, color=QUIET, **below)
        return
    is_long = len(query) > 70
    size, max_lines = (10, 6) if is_long else (12, 5)
    text = wrap_text(query, max_letters * 9 // size, max_lines)
    axis.text(0.5, 0.42, text, va="bottom", size=size, color=ACCENT, weight="bold", **centred)
    text = _wrap_remark(remark, max_letters * 3 // 2, max_lines=6)
    axis.text(0.5, 0.36, text, va="top", size=7.5, color=QUIET, **centred)
    axis.set(xlim=(0, 1), ylim=(0, 1))


def _wrap_remark(remark: str, width: int, max_lines: int) -> str:
    """Wrap the first line of a remark, and put the others below it."""
    first, *others = remark.split("\n")
    wrapped = wrap_text(first, width, max_lines - len(others))
    return "\n".join([wrapped, *(wrap_text(line, width, max_lines=1) for line in others)])


def _draw_query_image(axis: Axes, query: str, image: Image.Image, max_letters: int) -> None:
    """Draw the photo of the query in a frame."""
    from matplotlib.patches import Rectangle

    axis.imshow(image)
    title = wrap_text(query, max_letters - 3, max_lines=2)
    axis.set_title(title, color=ACCENT, fontweight="bold", parse_math=False)
    frame = {"color": ACCENT, "linewidth": 3, "fill": False, "transform": axis.transAxes}
    axis.add_patch(Rectangle((0, 0), 1, 1, clip_on=False, **frame))


def _draw_tile(axis: Axes, tile: Tile, max_letters: int) -> None:
    _draw_picture(axis, tile.image)
    names = make_drawable(fit_names(tile.people, max_letters))
    lines = [tile.title, *(shorten_text(line, max_letters) for line in (tile.remark, tile.subtitle)), names]
    axis.set_title("\n".join(filter(None, lines)), color=INK, parse_math=False)


def _draw_picture(axis: Axes, image: Image.Image | None) -> None:
    if image is None:
        axis.text(0.5, 0.5, "photo not found", ha="center", va="center", color=QUIET)
        axis.set(xlim=(0, 1), ylim=(0, 1))
    else:
        axis.imshow(image)


def _draw_bars(axis: Axes, classes: Sequence[tuple[str, float]]) -> None:
    axis.axis("on")
    labels = [shorten_text(label, 24) for label, _ in classes]
    values = [score for _, score in classes]
    places = range(len(classes))
    axis.barh(places, values, color=ACCENT, height=0.62)
    axis.set(xlim=(0, 1.18), xticks=[0, 0.5, 1], xticklabels=["0", "50%", "100%"])
    axis.set_yticks(places, labels, parse_math=False)
    axis.invert_yaxis()
    axis.tick_params(length=0, colors=INK)
    for place, value in zip(places, values, strict=True):
        axis.text(value + 0.015, place, f"{value:.1%}", va="center", size=8, color=INK)


def _draw_heading(axis: Axes, place: tuple[float, float], heading: str, cast: Sequence[str]) -> None:
    """Draw a heading above a row, from its first picture to the edge of the figure at most."""
    style = {"color": choose_person_colour(heading, cast), "weight": "bold", "size": 11, "parse_math": False}
    text = axis.text(*place, "", va="bottom", **style)
    fit_text(text, heading, axis.figure.bbox.width - 0.3 * axis.figure.dpi, 60)


def _clamp_aspect(image: Image.Image | None) -> float:
    """Return the height of a cell divided by its width, limited for very flat and very tall photos."""
    return 0.6 if image is None else min(1.35, max(0.5, image.height / image.width))
