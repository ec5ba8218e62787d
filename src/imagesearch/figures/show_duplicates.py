"""A figure of duplicates: groups of photos side by side, each with the best photo first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagesearch.duplicates import DuplicateGroup, GroupedPhoto
from imagesearch.figures.display import create_figure
from imagesearch.figures.pictures import THUMBNAIL_PIXELS, load_large_photo
from imagesearch.figures.style import ACCENT, INK, QUIET, wrap_path
from imagesearch.figures.viewer import Detail, DetailSection, PagedPhotos, show_or_save
from imagesearch.pipeline import Dataset
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 5
_ROWS_PER_PAGE = 3  # in a window
_MAX_ROWS = 12  # in a saved figure
_CELL_INCHES, _TITLE_INCHES = 1.9, 0.75
_LETTERS, _MAX_LINES = 34, 2  # of the name of a photo


@dataclass(frozen=True)
class _Cell:
    """A cell of the figure: a photo of a group.

    Attributes
    ----------
    number : int
        The number of the group, as in the printed table.
    name : str
        The file name; the path if another photo of the figure has the same file name.
    hidden : int
        The number of photos of the group that are not shown.
    """

    number: int
    group: DuplicateGroup
    place: int
    name: str
    hidden: int = 0

    @property
    def photo(self) -> GroupedPhoto:
        return self.group.photos[self.place]

    @property
    def title(self) -> str:
        return f"{self.number} · {self.group.title}"


def show_duplicates(
    groups: Sequence[DuplicateGroup], dataset: Dataset, save: Path | None, window: bool
) -> None:
    """Show groups of duplicates page by page in a window, or save the first ones and print the path."""
    rows = _arrange_rows(groups)
    show_or_save(
        "duplicates",
        lambda: draw_rows(dataset, rows[:_MAX_ROWS]),
        lambda: _page_rows(dataset, rows),
        save,
        window,
    )


def _arrange_rows(groups: Sequence[DuplicateGroup]) -> list[list[_Cell | None]]:
    """Return rows of cells; an empty cell separates two groups of a row."""
    paths = {photo.path for group in groups for photo in group.photos}
    counts = Counter(Path(path).name for path in paths)
    rows: list[list[_Cell | None]] = []
    for number, group in enumerate(groups, 1):
        shown = group.photos[:_COLUMNS]
        names = [Path(photo.path).name for photo in shown]
        names = [photo.path if counts[name] > 1 else name for photo, name in zip(shown, names, strict=True)]
        cells = [_Cell(number, group, place, name) for place, name in enumerate(names)]
        cells[-1] = replace(cells[-1], hidden=len(group.photos) - len(shown))
        if rows and len(rows[-1]) + 1 + len(cells) <= _COLUMNS:
            rows[-1] += [None, *cells]
        else:
            rows.append([*cells])
    return rows


def draw_rows(dataset: Dataset, rows: Sequence[Sequence[_Cell | None]]) -> Figure:
    """Draw rows of photos as a figure."""
    height = max(1, len(rows)) * (_CELL_INCHES + _TITLE_INCHES)
    figure = create_figure((_COLUMNS * _CELL_INCHES, height))
    _fill_rows(figure, dataset, rows)
    return figure


def _fill_rows(figure: Figure, dataset: Dataset, rows: Sequence[Sequence[_Cell | None]]) -> list[Axes]:
    """Draw rows of photos on an empty figure, and return the axes of each photo."""
    grid = figure.subplots(max(1, len(rows)), _COLUMNS, squeeze=False)
    drawn = []
    for axis in grid.flat:
        axis.axis("off")
        axis.set_anchor("N")
    for axes, cells in zip(grid, rows, strict=False):
        for axis, cell in zip(axes, cells, strict=False):
            if cell is not None:
                _draw_cell(axis, cell, dataset)
                drawn.append(axis)
    return drawn


def _draw_cell(axis: Axes, cell: _Cell, dataset: Dataset) -> None:
    photo = cell.photo
    image = dataset.load_thumbnail(photo.path, THUMBNAIL_PIXELS // 2)
    if image is None:
        axis.text(0.5, 0.5, "missing", ha="center", va="center", color=QUIET)
    else:
        axis.imshow(image)
    lines = [
        wrap_path(cell.name, _LETTERS, _MAX_LINES),
        f"{photo.width} x {photo.height}, {photo.file_size / 1e6:.2f} MB",
    ]
    lines += [f"and {cell.hidden} more"] if cell.hidden else []
    text = axis.text(0, -0.03, "\n".join(lines), size=7, va="top", transform=axis.transAxes, parse_math=False)
    text.set_color(QUIET if cell.place else INK)
    if cell.place == 0:
        heading = f"{cell.title}\nbest: {cell.group.reason}"
        axis.set_title(heading, loc="left", size=8, color=ACCENT, parse_math=False)


def _page_rows(dataset: Dataset, rows: Sequence[Sequence[_Cell | None]]) -> PagedPhotos:
    """Return rows in pages for a window; a click shows a photo large."""
    by_page = [rows[start : start + _ROWS_PER_PAGE] for start in range(0, max(1, len(rows)), _ROWS_PER_PAGE)]
    cells = [cell for page in by_page for row in page for cell in row if cell is not None]
    pages, start = [], 0
    for page in by_page:
        count = sum(cell is not None for row in page for cell in row)
        pages.append(range(start, start + count))
        start += count

    def draw_page(figure: Figure, page: range) -> list[Axes]:
        return _fill_rows(figure, dataset, by_page[pages.index(page)])

    def load_detail(number: int, pixels: int) -> Detail:
        cell = cells[number]
        group, photo = cell.group, cell.photo
        image, missing_reason = load_large_photo(dataset, photo.path, pixels)
        others = tuple(one.path for one in group.photos if one is not photo)
        sections = (
            DetailSection("file", (photo.path, f"{photo.width} x {photo.height}")),
            DetailSection(f"{cell.title}, {format_count(len(group.photos), 'photo')}", others),
            DetailSection("best", (group.photos[0].path, group.reason)),
        )
        return Detail(image, Path(photo.path).name, sections, missing_reason)

    return PagedPhotos("duplicates", pages, draw_page, load_detail)
