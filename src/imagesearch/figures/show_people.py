"""Figures of people, in a window or saved: rows of their faces, and photos with a box around each face."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.faces import People, Person, make_photo_finder
from imagesearch.figures.display import can_open_window, report_figure_path, show_figure
from imagesearch.figures.grids import LabelledBox, Tile, draw_contact_sheet, draw_photo_with_faces, fill_sheet
from imagesearch.figures.pictures import load_large_photo
from imagesearch.figures.style import choose_person_colour
from imagesearch.figures.viewer import (
    FOOTER_HEIGHT,
    Detail,
    DetailSection,
    PagedPhotos,
    show_or_save,
    split_pages,
)
from imagesearch.photos import PhotoError
from imagesearch.pipeline import Dataset

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

_FACE_PIXELS = 112  # side of a cropped face
_MARGIN = 0.7  # half the side of a crop, in the longer sides of the face
_FACES_PER_ROW = 8
_ROWS_PER_PAGE = 4  # in a window
_PEOPLE_PER_FIGURE, _ROWS_PER_FIGURE = 24, 8  # people; rows of one person


@dataclass(frozen=True)
class _FaceRow:
    """A row of a contact sheet: some faces of a person. An empty heading continues the row above."""

    heading: str
    person: Person
    places: range


def show_people(people: People, dataset: Dataset, min_faces: int, save: Path | None, window: bool) -> None:
    """Show or save a row of faces for each person, those with the most faces first, and print the paths.

    With more people than fit in a figure, the window has pages, and `save` is the first of several files.
    """
    persons = [person for person in people.persons if person.name or len(person.rows) >= min_faces]
    rows = [
        _FaceRow(_make_heading(person), person, range(min(_FACES_PER_ROW, len(person.rows))))
        for person in persons
    ]
    _show_face_rows(_FaceSheet(people, dataset, rows, "people", _PEOPLE_PER_FIGURE), save, window)


def show_person(people: People, person: Person, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show or save the faces of one person, each with its number, and print the paths; see `show_people`."""
    count = len(person.rows)
    rows = [
        _FaceRow(
            "" if start else _make_heading(person), person, range(start, min(start + _FACES_PER_ROW, count))
        )
        for start in range(0, count, _FACES_PER_ROW)
    ]
    _show_face_rows(_FaceSheet(people, dataset, rows, person.label, _ROWS_PER_FIGURE), save, window)


@dataclass(frozen=True)
class _FaceSheet:
    """Rows of faces, divided into figures when they are saved."""

    people: People
    dataset: Dataset
    rows: Sequence[_FaceRow]
    name: str
    rows_per_figure: int


def _show_face_rows(sheet: _FaceSheet, save: Path | None, window: bool) -> None:
    """Show rows of faces page by page in a window, or save them in one or more figures."""
    rows, cast = sheet.rows, sheet.people.cast
    if not rows:
        report_figure_path(show_figure(draw_contact_sheet([]), sheet.name, save=save, window=window))
        return
    crop_rows = functools.cache(lambda page: _crop_rows(sheet, page))

    def draw_rows(page: range) -> Figure:
        return draw_contact_sheet(crop_rows(page), cast)

    figures = [functools.partial(draw_rows, page) for page in split_pages(len(rows), sheet.rows_per_figure)]
    if len(figures) > 1 and not save and not (window and can_open_window()):
        print(f"the figure is page 1 of {len(figures)}; --save FILE saves all pages", file=sys.stderr)
    show_or_save(sheet.name, figures[0], lambda: _page_face_rows(sheet, crop_rows), save, window, figures[1:])


def _page_face_rows(
    sheet: _FaceSheet, crop_rows: Callable[[range], list[tuple[str, list[Tile]]]]
) -> PagedPhotos:
    """Return faces in pages for a window: some rows per page, and the photo of each face shown large."""
    rows, people = sheet.rows, sheet.people
    faces = [int(row.person.rows[place]) for row in rows for place in row.places]
    ends = np.cumsum([0, *(len(row.places) for row in rows)]).tolist()
    row_pages = split_pages(len(rows), _ROWS_PER_PAGE)
    pages = [range(ends[page.start], ends[page.stop]) for page in row_pages]

    def draw_page(figure: Figure, page: range) -> list[Artist]:
        shown = crop_rows(row_pages[pages.index(page)])
        empty = [("", ())] * (_ROWS_PER_PAGE - len(shown))
        return fill_sheet(figure, [*shown, *empty], _FACES_PER_ROW, people.cast, FOOTER_HEIGHT)

    def load_detail(number: int, pixels: int) -> Detail:
        return load_face_detail(people, sheet.dataset, faces[number], pixels)

    return PagedPhotos(sheet.name, pages, draw_page, load_detail)


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
    entry = people.faces.processed[make_photo_finder(people, dataset, "--show")(path)]
    photo = dataset.find_photo(entry.path)
    if photo is None:
        raise UserError(f"--show {path}: gone from the disk")
    preview = dataset.previews.load_preview(photo)
    boxes = _list_boxes(people, photo.photo_id, preview.image.width / preview.width)
    figure = draw_photo_with_faces(preview.image, boxes, entry.path, people.cast)
    report_figure_path(show_figure(figure, f"faces {Path(path).stem}", save=save, window=window))


def _list_boxes(people: People, photo_id: int, scale: float) -> list[LabelledBox]:
    """Return the boxes of the faces in a photo, in pixels of the scaled photo, and their labels."""
    labels, _ = people.label_faces()
    rows = np.flatnonzero((people.faces.photo_ids == photo_id) & ~people.hidden).tolist()
    return [((people.faces.boxes[row] * scale).tolist(), labels[row]) for row in rows]


def _make_heading(person: Person) -> str:
    return f"{person.number} · {person.label}" if person.name else person.label


def _crop_rows(sheet: _FaceSheet, page: range) -> list[tuple[str, list[Tile]]]:
    """Return the headings of some rows, and their faces; the titles are their numbers, such as ``3.1``."""
    rows = [sheet.rows[number] for number in page]
    faces = [int(row.person.rows[place]) for row in rows for place in row.places]
    titles = [f"{row.person.number}.{place + 1}" for row in rows for place in row.places]
    tiles = iter(crop_faces(sheet.people, faces, titles, sheet.dataset))
    return [(row.heading, [next(tiles) for _ in row.places]) for row in rows]


def crop_faces(people: People, rows: Sequence[int], titles: Sequence[str], dataset: Dataset) -> list[Tile]:
    """Crop faces, given by their rows in the table of faces. Each photo is decoded once, on all cores."""
    faces_of: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        faces_of[int(people.faces.photo_ids[row])].append(row)
    crops: dict[int, Image.Image] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="faces") as pool:
        for found in pool.map(lambda faces: _crop_photo(people, dataset, faces), faces_of.values()):
            crops.update(found)
    return [Tile(crops.get(row), title) for row, title in zip(rows, titles, strict=True)]


def _crop_photo(people: People, dataset: Dataset, faces: Sequence[int]) -> dict[int, Image.Image]:
    """Crop faces of one photo, which is decoded no larger than they require; empty if it is missing."""
    entry, boxes = people.faces.get_photo(faces[0]), people.faces.boxes[list(faces)]
    photo = dataset.find_photo(entry.path)
    if photo is None:
        return {}
    smallest = max(1.0, 2 * _MARGIN * float((boxes[:, 2:] - boxes[:, :2]).max(axis=1).min()))
    scale = min(1.0, _FACE_PIXELS / smallest)
    long_side = min(dataset.previews.size, math.ceil(scale * max(entry.width, entry.height)))
    try:
        decoded = dataset.previews.load(photo, 0, long_side)
    except PhotoError:
        return {}
    boxes = boxes * (decoded.image.width / decoded.width)
    return {face: _crop_face(decoded.image, box) for face, box in zip(faces, boxes, strict=True)}


def _crop_face(image: Image.Image, box: np.ndarray) -> Image.Image:
    """Crop a square around a face, with a margin; outside the photo it is black."""
    half = _MARGIN * float(max(box[2:] - box[:2]))
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    square = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    return image.crop(square).resize((_FACE_PIXELS, _FACE_PIXELS), Image.Resampling.LANCZOS)
