"""Figures of people, in a window or saved: rows of their faces, and photos with a box around each face."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.faces import People, Person
from imagesearch.figures.display import report_figure_path, show_figure
from imagesearch.figures.grids import LabelledBox, Tile, draw_contact_sheet, draw_photo_with_faces, fill_sheet
from imagesearch.figures.pictures import load_large_photo
from imagesearch.figures.style import choose_person_colour
from imagesearch.figures.viewer import Detail, DetailSection, PagedPhotos, show_or_save
from imagesearch.photos import PhotoError
from imagesearch.pipeline import Dataset, ProcessedPhoto

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FACE_PIXELS = 112  # side of a cropped face
_FACES_PER_ROW = 8
_ROWS_PER_PAGE = 4  # in a window
_MAX_PEOPLE, _MAX_FACES = 24, 64  # in a figure


@dataclass(frozen=True)
class _FaceRow:
    """A row of a contact sheet: some faces of a person. An empty heading continues the row above."""

    heading: str
    person: Person
    places: range


def show_people(people: People, dataset: Dataset, min_faces: int, save: Path | None, window: bool) -> None:
    """Show or save a row of faces for each person, those with the most faces first, and print the path."""
    persons = [person for person in people.persons if person.name or len(person.rows) >= min_faces]
    shown = persons[:_MAX_PEOPLE]
    if len(shown) < len(persons):
        print(f"the figure shows the first {len(shown)} of {len(persons)} people", file=sys.stderr)
    rows = [
        _FaceRow(_make_heading(person), person, range(min(_FACES_PER_ROW, len(person.rows))))
        for person in shown
    ]
    _show_face_rows(people, dataset, rows, "people", save, window)


def show_person(people: People, person: Person, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show or save the faces of one person, each with its number, and print the path."""
    count = min(_MAX_FACES, len(person.rows))
    if count < len(person.rows):
        print(f"the figure shows the best {count} of {len(person.rows)} faces", file=sys.stderr)
    rows = [
        _FaceRow(
            "" if start else _make_heading(person), person, range(start, min(start + _FACES_PER_ROW, count))
        )
        for start in range(0, count, _FACES_PER_ROW)
    ]
    _show_face_rows(people, dataset, rows, person.label, save, window)


def _show_face_rows(
    people: People, dataset: Dataset, rows: Sequence[_FaceRow], name: str, save: Path | None, window: bool
) -> None:
    """Show rows of faces page by page in a window, or save them all as one figure."""
    if not rows:
        report_figure_path(show_figure(draw_contact_sheet([]), name, save=save, window=window))
        return

    @functools.cache
    def crop_row(number: int) -> tuple[str, list[Tile]]:
        heading, person, places = rows[number].heading, rows[number].person, rows[number].places
        titles = [f"{person.number}.{place + 1}" for place in places]
        return heading, crop_faces(people, person.rows[places].tolist(), titles, dataset)

    def draw_all() -> Figure:
        return draw_contact_sheet([crop_row(number) for number in range(len(rows))], people.cast)

    def make_pages() -> PagedPhotos:
        return _page_face_rows(people, dataset, rows, name, crop_row)

    show_or_save(name, draw_all, make_pages, save, window)


def _page_face_rows(
    people: People,
    dataset: Dataset,
    rows: Sequence[_FaceRow],
    title: str,
    crop_row: Callable[[int], tuple[str, list[Tile]]],
) -> PagedPhotos:
    """Return faces in pages for a window: some rows per page, and the photo of each face shown large."""
    faces = [int(row.person.rows[place]) for row in rows for place in row.places]
    ends = np.cumsum([0, *(len(row.places) for row in rows)]).tolist()
    starts = range(0, len(rows), _ROWS_PER_PAGE)
    stops = [min(start + _ROWS_PER_PAGE, len(rows)) for start in starts]
    pages = [range(ends[start], ends[stop]) for start, stop in zip(starts, stops, strict=True)]

    def draw_page(figure: Figure, page: range) -> list[Axes]:
        number = pages.index(page)
        shown = [crop_row(row) for row in range(starts[number], stops[number])]
        empty = [("", ())] * (_ROWS_PER_PAGE - len(shown))
        return fill_sheet(figure, [*shown, *empty], _FACES_PER_ROW, people.cast)

    def load_detail(number: int, pixels: int) -> Detail:
        return load_face_detail(people, dataset, faces[number], pixels)

    return PagedPhotos(title, pages, draw_page, load_detail)


def load_face_detail(people: People, dataset: Dataset, row: int, pixels: int) -> Detail:
    """Return the photo of a face, with boxes around all faces in it."""
    entry, cast = people.faces.get_photo(row), people.cast
    image, missing_reason = load_large_photo(dataset, entry.path, pixels)
    boxes = _list_boxes(people, entry.photo_id, image.width / entry.width if image else 1.0)
    names = tuple(sorted({label for _, label in boxes if label}))
    sections = (
        DetailSection("people", names, tuple(choose_person_colour(name, cast) for name in names)),
        DetailSection("file", (entry.path,)),
    )
    return Detail(image, Path(entry.path).name, sections, missing_reason, boxes, cast)


def show_photo_faces(people: People, dataset: Dataset, path: str, save: Path | None, window: bool) -> None:
    """Show or save a photo with a box and a name on each face, and print the path.

    Raises
    ------
    UserError
        If the photo is not in the dataset, or step 02 has not processed it.
    """
    entry = _find_processed(people, dataset, path)
    photo = dataset.find_photo(entry.path) if entry else None
    if photo is None:
        raise UserError(
            f"{path}: not a photo of {dataset.config.dataset.name}, or not processed yet; "
            "run 02_cluster_faces.py without --show"
        )
    preview = dataset.previews.load_preview(photo)
    boxes = _list_boxes(people, photo.photo_id, preview.image.width / preview.width)
    figure = draw_photo_with_faces(preview.image, boxes, entry.path, people.cast)
    report_figure_path(show_figure(figure, f"faces {Path(path).stem}", save=save, window=window))


def _find_processed(people: People, dataset: Dataset, path: str) -> ProcessedPhoto | None:
    """Return the entry of a photo by its path in the dataset or on the disk, if step 02 has processed it."""
    files = {path, os.path.abspath(path)}  # noqa: PTH100 - must not resolve links
    for entry in people.faces.processed.values():
        if entry.path == path or str(dataset.locate_file(entry.path)) in files:
            return entry
    return None


def _list_boxes(people: People, photo_id: int, scale: float) -> list[LabelledBox]:
    """Return the boxes of the faces in a photo, in pixels of the scaled photo, and their labels."""
    labels, _ = people.label_faces()
    rows = np.flatnonzero(people.faces.photo_ids == photo_id).tolist()
    return [((people.faces.boxes[row] * scale).tolist(), labels[row]) for row in rows]


def _make_heading(person: Person) -> str:
    return f"{person.number} · {person.label}" if person.name else person.label


def crop_faces(people: People, rows: Sequence[int], titles: Sequence[str], dataset: Dataset) -> list[Tile]:
    """Crop faces, given by their rows in the table of faces."""
    tiles = []
    for row, title in zip(rows, titles, strict=True):
        photo = dataset.find_photo(people.faces.get_photo(row).path)
        image = None
        with contextlib.suppress(PhotoError):
            preview = dataset.previews.load_preview(photo) if photo else None
            if preview is not None:
                box = people.faces.boxes[row] * preview.image.width / preview.width
                image = _crop_face(preview.image, box)
        tiles.append(Tile(image, title))
    return tiles


def _crop_face(image: Image.Image, box: np.ndarray) -> Image.Image:
    """Crop a square around a face, with a margin; outside the photo it is black."""
    half = 0.7 * float(max(box[2:] - box[:2]))
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    square = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    return image.crop(square).resize((_FACE_PIXELS, _FACE_PIXELS), Image.Resampling.LANCZOS)
