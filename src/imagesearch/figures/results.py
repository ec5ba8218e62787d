"""Answers, classes and people as figures: in a window page by page, or saved; and copies of files found."""

from __future__ import annotations

import functools
import math
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.faces import People, Person
from imagesearch.features import Classification, read_classes
from imagesearch.figures.display import can_open_window, report_saved, show_figure
from imagesearch.figures.grids import (
    Tile,
    draw_classifications,
    draw_contact_sheet,
    draw_photo_with_faces,
    draw_result_grid,
    fill_classes,
    fill_grid,
    fill_sheet,
)
from imagesearch.figures.style import choose_person_colour
from imagesearch.figures.viewer import (
    Detail,
    DetailSection,
    PagedPhotos,
    describe_result,
    open_viewer,
    split_pages,
)
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.pipeline import Dataset
from imagesearch.search import Answer, SearchResult
from imagesearch.store import Vocabulary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_THUMBNAIL = 480  # pixels; sharp enough in a cell of a grid, and light in a grid of a hundred
_PHOTOS_IN_A_FIGURE = 24
_COLUMNS, _ROWS = 7, 3  # of a page in a window, the query's cell among them
_ROWS_OF_FACES, _CLASSIFIED_ON_A_PAGE = 4, 4
_FACE = 112  # pixels of a cut-out face
_PEOPLE_IN_A_FIGURE, _FACES_IN_A_ROW, _FACES_IN_A_FIGURE = 24, 8, 64


def show_answer(answer: Answer, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show an answer as a grid of photos in a window, or save it, and say where it went."""
    limit = dataset.config.extraction.max_megapixels
    shown = answer.query.image or answer.query.face
    image = _load_thumbnail(shown, limit) if shown else None
    instead = "nothing looks like that; these are the nearest" if answer.nothing_fits else ""
    remark = instead or (answer.notes[0] if answer.relaxed else answer.read_as)
    title = answer.query.title
    # each is made when it is first looked at: pages that nobody turns to cost nothing
    tile = functools.cache(lambda number: _make_tile(dataset, answer.results[number]))
    window = window and can_open_window()
    if save or not window:
        figure = draw_result_grid(title, [tile(i) for i in range(len(answer.results))], image, remark)
        report_saved(show_figure(figure, f"search {title}", save=save, window=False))
    if window:
        open_viewer(_make_pages(answer, dataset, tile, image, remark))


def _make_tile(dataset: Dataset, result: SearchResult) -> Tile:
    more = f"  +{result.burst_count}" if result.burst_count else ""
    title = f"{result.rank} · {result.format_measure(3)}{more}"
    image = dataset.load_thumbnail(result.path, _THUMBNAIL)
    return Tile(image, title, Path(result.path).name, ", ".join(result.people))


def _make_pages(
    answer: Answer,
    dataset: Dataset,
    tile: Callable[[int], Tile],
    image: Image.Image | None,
    remark: str,
) -> PagedPhotos:
    """Return an answer as a window shows it: a page of the grid, and each photo large."""
    title, results = answer.query.title, answer.results
    pages = split_pages(len(results), _COLUMNS * _ROWS - 1)
    cells = min(1 + len(results), _COLUMNS * _ROWS)
    rows = 1 if cells <= 3 else 2 if cells <= 12 else _ROWS
    columns = max(2, math.ceil(cells / rows))
    cast = Vocabulary.read(dataset.folder).cast
    classes = functools.cache(lambda: read_classes(dataset, [result.path for result in results]))

    def draw(figure: Figure, page: range) -> list[Axes]:
        return fill_grid(figure, columns, [1] * rows, title, [tile(i) for i in page], image, remark)

    def large(number: int, pixels: int) -> Detail:
        result = results[number]
        facts = describe_result(result, classes().get(result.path, ()), cast)
        picture, missing = _load_large(dataset, result.path, pixels)
        return Detail(picture, f"{result.rank} · {Path(result.path).name}", facts, missing)

    return PagedPhotos(title, pages, draw, large)


def _load_large(dataset: Dataset, path: str, pixels: int) -> tuple[Image.Image | None, str]:
    """Return a photo, upright, with so many pixels on its longer side if it has them; or None and why."""
    photo = dataset.find_photo(path)
    if photo is None:
        return None, "not there any more"
    return _try_decode(lambda: dataset.previews.load(photo, 0, pixels).image, pixels)


def _try_decode(decoded: Callable[[], Image.Image], pixels: int) -> tuple[Image.Image | None, str]:
    """Return a photo, or None and why it cannot be decoded now: in an open window photos may go."""
    try:
        image = decoded()
    except PhotoError as error:
        return None, str(error)
    image.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    return image, ""


def copy_results(results: Sequence[SearchResult], folder: Path) -> None:
    """Copy the photos found into a folder, named by rank, without overwriting anything.

    Raises
    ------
    UserError
        If the folder cannot be written to.
    """
    copied = gone = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in results:
            target = folder / f"{result.rank:03d}_{result.file.name}"
            gone += not result.file.is_file()
            if result.file.is_file() and not target.exists():
                shutil.copy2(result.file, target)
                copied += 1
    except OSError as error:
        raise UserError(f"--copy-to {folder}: {error.strerror or error}") from None
    rest = len(results) - copied - gone
    left = f", {rest} were there already" if rest else ""
    lost = f", {gone} are not on the disk any more" if gone else ""
    print(f"copied {copied} photos to {folder}{left}{lost}", file=sys.stderr)


def show_classifications(
    results: Sequence[Classification], max_megapixels: float, save: Path | None, window: bool
) -> None:
    """Show photos beside the bars of their labels, page by page, or save them, and say where it went."""
    name = f"classes {results[0].file.stem}" if len(results) == 1 else f"classes of {len(results)} photos"

    @functools.cache
    def item(i: int) -> tuple[Image.Image | None, str, Sequence[tuple[str, float]]]:
        image, _ = _try_decode(lambda: _load_thumbnail(results[i].file, max_megapixels), _THUMBNAIL)
        return image, results[i].file.name, results[i].classes

    window = window and can_open_window()
    if save or not window:
        count = min(_PHOTOS_IN_A_FIGURE, len(results))
        if count < len(results):
            print(f"the figure shows the first {count} of {len(results)} photos", file=sys.stderr)
        figure = draw_classifications([item(i) for i in range(count)])
        report_saved(show_figure(figure, name, save=save, window=False))
    if not window:
        return
    pages = split_pages(len(results), _CLASSIFIED_ON_A_PAGE)
    columns = 1 if len(results) == 1 else 2
    rows = math.ceil(min(len(results), _CLASSIFIED_ON_A_PAGE) / columns)

    def draw(figure: Figure, page: range) -> list[Axes]:
        return fill_classes(figure, [item(i) for i in page], rows, columns)

    def large(number: int, pixels: int) -> Detail:
        result = results[number]
        labels = tuple(f"{label}  {p:.1%}" for label, p in result.classes)
        facts = DetailSection("shows", labels), DetailSection("file", (str(result.file),))
        limits = {"min_long_side": pixels, "max_megapixels": max_megapixels}
        image, missing = _try_decode(lambda: decode_photo(result.file, **limits).image, pixels)
        return Detail(image, result.file.name, facts, missing)

    open_viewer(PagedPhotos(name, pages, draw, large))


def show_people(people: People, dataset: Dataset, least: int, save: Path | None, window: bool) -> None:
    """Show or save a row of faces for each of the people with most of them, and say where it went."""
    there = [person for person in people.persons if person.name or len(person.rows) >= least]
    shown = there[:_PEOPLE_IN_A_FIGURE]
    if len(shown) < len(there):
        print(f"the figure shows the first {len(shown)} of {len(there)} people", file=sys.stderr)
    rows = [
        (_make_heading(person), person, range(min(_FACES_IN_A_ROW, len(person.rows)))) for person in shown
    ]
    _show_sheet(people, dataset, rows, "people", save, window)


def show_person(people: People, person: Person, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show or save the faces of one person, each with its number, and say where it went."""
    count = min(_FACES_IN_A_FIGURE, len(person.rows))
    if count < len(person.rows):
        print(f"the figure shows the best {count} of {len(person.rows)} faces", file=sys.stderr)
    starts = range(0, count, _FACES_IN_A_ROW)
    rows = [
        ("" if start else _make_heading(person), person, range(start, min(start + _FACES_IN_A_ROW, count)))
        for start in starts
    ]
    _show_sheet(people, dataset, rows, person.label, save, window)


def _show_sheet(
    people: People,
    dataset: Dataset,
    rows: Sequence[tuple[str, Person, range]],
    name: str,
    save: Path | None,
    window: bool,
) -> None:
    """Show rows of faces page by page in a window, or save them all as one figure."""
    if not rows:
        report_saved(show_figure(draw_contact_sheet([]), name, save=save, window=window))
        return
    crops = functools.cache(lambda i: (rows[i][0], _crop_faces(people, rows[i][1], dataset, rows[i][2])))
    window = window and can_open_window()
    if save or not window:
        figure = draw_contact_sheet([crops(i) for i in range(len(rows))], people.cast)
        report_saved(show_figure(figure, name, save=save, window=False))
    if not window:
        return
    faces = [int(person.rows[place]) for _, person, places in rows for place in places]
    ends = np.cumsum([0, *(len(places) for _, _, places in rows)]).tolist()
    firsts = range(0, max(1, len(rows)), _ROWS_OF_FACES)
    pages = [range(ends[first], ends[min(first + _ROWS_OF_FACES, len(rows))]) for first in firsts]

    def draw(figure: Figure, page: range) -> list[Axes]:
        first = firsts[pages.index(page)]
        shown = [crops(i) for i in range(first, min(first + _ROWS_OF_FACES, len(rows)))]
        empty = [("", ())] * (_ROWS_OF_FACES - len(shown))
        return fill_sheet(figure, [*shown, *empty], _FACES_IN_A_ROW, people.cast)

    def large(number: int, pixels: int) -> Detail:
        return _make_face_detail(people, dataset, faces[number], pixels)

    open_viewer(PagedPhotos(name, pages, draw, large))


def _make_face_detail(people: People, dataset: Dataset, row: int, pixels: int) -> Detail:
    """Return the photo that a face is on, with boxes around all its faces."""
    entry, cast = people.faces.get_photo(row), people.cast
    image, missing = _load_large(dataset, entry.path, pixels)
    labels, _ = people.label_faces()
    here = np.flatnonzero(people.faces.photo_ids == entry.photo_id).tolist()
    scale = image.width / entry.width if image else 1.0
    boxes = [((people.faces.boxes[i] * scale).tolist(), labels[i]) for i in here]
    names = tuple(sorted({labels[i] for i in here if labels[i]}))
    facts = (
        DetailSection("people", names, tuple(choose_person_colour(name, cast) for name in names)),
        DetailSection("file", (entry.path,)),
    )
    return Detail(image, Path(entry.path).name, facts, missing, boxes, cast)


def show_photo_faces(people: People, dataset: Dataset, path: str, save: Path | None, window: bool) -> None:
    """Show or save a photo with a box around each face, and say where it went.

    Raises
    ------
    UserError
        If the photo is not one of the dataset's that faces were looked for in.
    """
    names = {path, os.path.abspath(path)}  # noqa: PTH100 - links stay as they are
    entry = next(
        (
            e
            for e in people.faces.processed.values()
            if e.path == path or str(dataset.locate_file(e.path)) in names
        ),
        None,
    )
    photo = dataset.find_photo(entry.path) if entry else None
    if photo is None:
        raise UserError(f"{path}: not a photo of {dataset.config.dataset.name} that 02 has looked at")
    picture = dataset.previews.load_preview(photo)
    scale = picture.image.width / picture.width
    labels, _ = people.label_faces()
    rows = [row for row, owner in enumerate(people.faces.photo_ids.tolist()) if owner == photo.photo_id]
    boxes = [((people.faces.boxes[row] * scale).tolist(), labels[row]) for row in rows]
    figure = draw_photo_with_faces(picture.image, boxes, entry.path, people.cast)
    report_saved(show_figure(figure, f"faces {Path(path).stem}", save=save, window=window))


def _make_heading(person: Person) -> str:
    return f"{person.number} · {person.label}" if person.name else person.label


def _crop_faces(people: People, person: Person, dataset: Dataset, places: range) -> list[Tile]:
    """Cut out some of a person's faces, numbered as ``3.1``."""
    tiles = []
    for place in places:
        row = int(person.rows[place])
        photo = dataset.find_photo(people.faces.get_photo(row).path)
        try:
            picture = dataset.previews.load_preview(photo) if photo else None
        except PhotoError:
            picture = None
        image = None
        if picture is not None:
            image = _crop_face(picture.image, people.faces.boxes[row] * picture.image.width / picture.width)
        tiles.append(Tile(image, f"{person.number}.{place + 1}"))
    return tiles


def _crop_face(image: Image.Image, box: np.ndarray) -> Image.Image:
    """Return the square around a face, with some air, black beyond the photo's edges."""
    half = 0.7 * float(max(box[2:] - box[:2]))
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    around = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    return image.crop(around).resize((_FACE, _FACE), Image.Resampling.LANCZOS)


def _load_thumbnail(file: Path, max_megapixels: float) -> Image.Image:
    image = decode_photo(file, _THUMBNAIL // 2, max_megapixels=max_megapixels).image
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return image
