"""Figures of answers and classifications, in a window with pages or saved; copies of the photos found."""

from __future__ import annotations

import functools
import math
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from imagesearch.errors import UserError
from imagesearch.features import Classification, read_classes
from imagesearch.figures.grids import (
    ClassifiedPicture,
    Tile,
    draw_classifications,
    draw_result_grid,
    fill_classes,
    fill_grid,
)
from imagesearch.figures.pictures import (
    MAX_JOINED,
    THUMBNAIL_PIXELS,
    join_pictures,
    load_large_photo,
    load_thumbnail,
    try_decode,
)
from imagesearch.figures.style import choose_person_colour
from imagesearch.figures.viewer import Detail, DetailSection, PagedPhotos, show_or_save, split_pages
from imagesearch.photos import PhotoError, decode_photo, is_file
from imagesearch.pipeline import Dataset
from imagesearch.search import Answer, SearchResult
from imagesearch.store import Vocabulary
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Cells of a page in a window; the first one shows the query
_PAGE_COLUMNS, _PAGE_ROWS = 7, 3
_CLASSIFIED_PER_PAGE = 4
_MAX_CLASSIFIED = 24  # in a saved figure
_MIN_PROBABILITY = 0.005  # a smaller one would be shown as 0%
_FIT_MEANING = "fit 0.5 or more: probably a match"


# --- answers -----------------------------------------------------------------------------------------------


def show_answer(answer: Answer, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show an answer as a grid of photos in a window, or save it and print its path."""
    # a tile is made when it is first shown, so that pages that are not opened are not drawn
    make_tile = functools.cache(lambda number: _make_tile(dataset, answer.results[number]))
    show_or_save(
        f"search {answer.query.title}",
        lambda: _draw_grid(answer, dataset, make_tile),
        lambda: _page_answer(answer, dataset, make_tile),
        save,
        window,
    )


def draw_answer(answer: Answer, dataset: Dataset) -> Figure:
    """Draw an answer as a grid of photos, with the query's photo first if it has one."""
    return _draw_grid(answer, dataset, lambda number: _make_tile(dataset, answer.results[number]))


def _draw_grid(answer: Answer, dataset: Dataset, make_tile: Callable[[int], Tile]) -> Figure:
    tiles = [make_tile(number) for number in range(len(answer.results))]
    return draw_result_grid(
        answer.query.title, tiles, _load_query_image(answer, dataset), _make_remark(answer)
    )


def _load_query_image(answer: Answer, dataset: Dataset) -> Image.Image | None:
    """Return the query's photo, several of them side by side, or the photo with its face."""
    query, limit = answer.query, dataset.config.extraction.max_megapixels
    files = query.images or ((query.face,) if query.face else ())
    opened = map(dataset.fetch_file, files[:MAX_JOINED])
    return join_pictures([load_thumbnail(file, limit) for file in opened]) if files else None


def _make_remark(answer: Answer) -> str:
    """Return the text below the title, and what the number "fit" of the photos means."""
    if answer.nothing_fits:
        remark = "no photo matches; the most similar photos are shown"
    else:
        remark = answer.notes[0] if answer.relaxed else answer.read_as
    has_fits = any(result.calibrated_score is not None for result in answer.results)
    return f"{remark}\n{_FIT_MEANING}" if has_fits else remark


def _make_tile(dataset: Dataset, result: SearchResult) -> Tile:
    alike = f"  +{result.burst_count} alike" if result.burst_count else ""
    title = f"{result.rank} · {_format_measure(result)}{alike}"
    image = dataset.load_thumbnail(result.path, THUMBNAIL_PIXELS)
    parts = ", ".join(result.fulfils or ())
    return Tile(image, title, Path(result.path).name, result.names, parts)


def _format_measure(result: SearchResult) -> str:
    """Return the calibrated score, else the score, else the date."""
    if result.calibrated_score is not None:
        return f"fit {result.calibrated_score:.2f}"
    if result.score is not None:
        return f"score {result.score:.3f}"
    return result.date or "no date"


def _page_answer(answer: Answer, dataset: Dataset, make_tile: Callable[[int], Tile]) -> PagedPhotos:
    """Return an answer in pages for a window: a grid per page, and each photo shown large."""
    title, results = answer.query.title, answer.results
    query_image, remark = _load_query_image(answer, dataset), _make_remark(answer)
    pages = split_pages(len(results), _PAGE_COLUMNS * _PAGE_ROWS - 1)
    cells = min(1 + len(results), _PAGE_COLUMNS * _PAGE_ROWS)
    rows = 1 if cells <= 3 else 2 if cells <= 12 else _PAGE_ROWS
    columns = max(2, math.ceil(cells / rows))
    cast = Vocabulary.read(dataset.folder).cast
    load_classes = functools.cache(lambda: read_classes(dataset, [result.path for result in results]))

    def draw_page(figure: Figure, page: range) -> list[Axes]:
        tiles = [make_tile(number) for number in page]
        return fill_grid(figure, columns, [1] * rows, title, tiles, query_image, remark)

    def load_detail(number: int, pixels: int) -> Detail:
        result = results[number]
        sections = describe_result(result, load_classes().get(result.path, ()), cast)
        image, missing_reason = load_large_photo(dataset, result.path, pixels)
        return Detail(image, f"{result.rank} · {Path(result.path).name}", sections, missing_reason)

    return PagedPhotos(title, pages, draw_page, load_detail)


def describe_result(
    result: SearchResult, classes: Sequence[tuple[str, float]] = (), cast: Sequence[str] = ()
) -> tuple[DetailSection, ...]:
    """Return the details of a result: people, time, place, classes, score, file.

    Parameters
    ----------
    result
        A result of an answer.
    classes
        Labels with probabilities. By default, the one label of the result.
    cast
        The names of all named people, for their colours.
    """
    if result.class_label and not classes:
        classes = ((result.class_label, result.class_score),)
    place = result.address or ", ".join(filter(None, (result.city, result.country)))
    sections = (
        DetailSection(
            "people", result.names, tuple(choose_person_colour(name, cast) for name in result.names)
        ),
        DetailSection("time", (_format_time(result),) if result.taken_at else ()),
        DetailSection("place", (place,) if place else ()),
        DetailSection("description", (result.description,) if result.description else ()),
        DetailSection("classes", tuple(f"{label}  {p:.0%}" for label, p in classes if p >= _MIN_PROBABILITY)),
        DetailSection("match", _format_match(result)),
        DetailSection("file", (result.path,)),
    )
    return tuple(section for section in sections if section.lines)


def _format_match(result: SearchResult) -> tuple[str, ...]:
    score = f"score {result.score:.4f}" if result.score is not None else ""
    fit = ""
    if result.calibrated_score is not None:
        fit = f"fit {result.calibrated_score:.2f} (0.5 or more: probably a match)"
    parts = f"fulfils {', '.join(result.fulfils)}" if result.fulfils else ""
    return tuple(filter(None, (score, fit, parts)))


def _format_time(result: SearchResult) -> str:
    time = datetime.fromisoformat(result.taken_at)
    if result.time_precision in ("year", "month"):
        return f"{time:%Y}" if result.time_precision == "year" else f"{time:%B %Y}"
    clock = "" if result.time_precision == "day" else f"{time:, %H:%M}"
    source = " (from the file name)" if result.time_source == "name" else ""
    return f"{time:%A}, {time.day} {time:%B %Y}{clock}{source}"


def _fetch(result: SearchResult, dataset: Dataset) -> Path | None:
    """Return the file of a photo, or None if it cannot be read."""
    try:
        file = dataset.fetch_file(result.file)
    except PhotoError as error:
        print(f"{result.path}: {error}", file=sys.stderr)
        return None
    return file if is_file(file) else None


def copy_results(results: Sequence[SearchResult], folder: Path, dataset: Dataset) -> None:
    """Copy the photos found to a folder, named by rank. Existing files are not overwritten.

    Raises
    ------
    UserError
        If the folder cannot be written to.
    """
    copied = gone = 0
    if os.path.isfile(folder):  # noqa: PTH113 - pathlib raises an error for names that are too long
        raise UserError(f"--copy-to {folder}: this is a file; give a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in results:
            target = folder / f"{result.rank:03d}_{result.file.name}"
            file = _fetch(result, dataset)
            gone += file is None
            if file is not None and not target.exists():
                shutil.copy2(file, target)
                copied += 1
    except OSError as error:
        raise UserError(f"--copy-to {folder}: {error.strerror or error}") from None
    present = len(results) - copied - gone
    existing = f", {format_count(present, 'already exists', 'already exist')} there" if present else ""
    missing = f", {format_count(gone, 'is', 'are')} missing on the disk" if gone else ""
    print(f"copied {format_count(copied, 'photo')} to {folder}{existing}{missing}", file=sys.stderr)


# --- classifications ---------------------------------------------------------------------------------------


def show_classifications(
    results: Sequence[Classification], max_megapixels: float, save: Path | None, window: bool
) -> None:
    """Show photos with bars of their classes in a window with pages, or save them and print the path."""
    name = f"classes {results[0].file.stem}" if len(results) == 1 else f"classes of {len(results)} photos"

    @functools.cache
    def load_picture(number: int) -> ClassifiedPicture:
        file, classes = results[number].file, results[number].classes
        image, _ = try_decode(lambda: load_thumbnail(file, max_megapixels), THUMBNAIL_PIXELS)
        return image, file.name, classes

    def draw_all() -> Figure:
        count = min(_MAX_CLASSIFIED, len(results))
        if count < len(results):
            print(f"the figure shows the first {count} of {len(results)} photos", file=sys.stderr)
        return draw_classifications([load_picture(number) for number in range(count)])

    def make_pages() -> PagedPhotos:
        return _page_classifications(results, name, max_megapixels, load_picture)

    show_or_save(name, draw_all, make_pages, save, window)


def _page_classifications(
    results: Sequence[Classification],
    title: str,
    max_megapixels: float,
    load_picture: Callable[[int], ClassifiedPicture],
) -> PagedPhotos:
    """Return classifications in pages for a window: photos with bars, and each photo shown large."""
    columns = 1 if len(results) == 1 else 2
    rows = math.ceil(min(len(results), _CLASSIFIED_PER_PAGE) / columns)

    def draw_page(figure: Figure, page: range) -> list[Axes]:
        return fill_classes(figure, [load_picture(number) for number in page], rows, columns)

    def load_detail(number: int, pixels: int) -> Detail:
        result = results[number]
        labels = tuple(f"{label}  {p:.1%}" for label, p in result.classes)
        sections = DetailSection("classes", labels), DetailSection("file", (str(result.file),))
        limits = {"min_long_side": pixels, "max_megapixels": max_megapixels}
        image, missing_reason = try_decode(lambda: decode_photo(result.file, **limits).image, pixels)
        return Detail(image, result.file.name, sections, missing_reason)

    return PagedPhotos(title, split_pages(len(results), _CLASSIFIED_PER_PAGE), draw_page, load_detail)
