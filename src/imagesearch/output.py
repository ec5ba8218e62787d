"""How answers reach people: lines on the terminal, figures, copies of the files found."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.classify import Classified
from imagesearch.dataset import Dataset
from imagesearch.errors import UserError
from imagesearch.people import People, Person
from imagesearch.photos import PhotoError, decode
from imagesearch.query import Answer, Result
from imagesearch.visualize import (
    Tile,
    classification_figure,
    contact_sheet,
    photo_with_faces,
    report_saved,
    result_grid,
    show,
)

_THUMBNAIL = 480  # pixels; sharp enough in a cell of a grid, and light in a grid of a hundred
_PHOTOS_IN_A_FIGURE = 24
_FACE = 112  # pixels of a cut-out face
_PEOPLE_IN_A_FIGURE, _FACES_IN_A_ROW, _FACES_IN_A_FIGURE = 24, 8, 64


def print_answer(answer: Answer) -> None:
    """Print how the query was read, and a line a result: rank, score, calibrated score, what it is."""
    print(answer.read_as)
    for result in answer.results:
        fit = f"  {result.fit:.2f}" if result.fit is not None else ""
        about = ", ".join(filter(None, (*result.people, result.city or result.country)))
        label = f"  ({result.class_label} {result.class_score:.0%})" if result.class_label else ""
        burst = f"  +{result.like_it} alike" if result.like_it else ""
        about = f"  {about}" if about else ""
        print(f"{result.rank:>4}  {_measure(result, 4)}{fit}  {result.path}{label}{about}{burst}")


def answer_figure(answer: Answer, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show or save an answer as a grid of photos, and say where it went."""
    tiles = [
        Tile(
            _thumbnail_of(dataset, result),
            f"{result.rank} · {_measure(result, 3)}" + (f"  +{result.like_it}" if result.like_it else ""),
            Path(result.path).name,
            ", ".join(result.people),
        )
        for result in answer.results
    ]
    limit = dataset.config.extraction.max_megapixels
    shown = answer.query.image or answer.query.face
    image = _thumbnail(shown, limit) if shown else None
    instead = "nothing looks like that; these are the nearest" if answer.nothing_fits else ""
    remark = instead or (answer.notes[0] if answer.relaxed else answer.read_as)
    figure = result_grid(answer.query.title, tiles, image, remark)
    report_saved(show(figure, f"search {answer.query.title}", save=save, window=window))


def _measure(result: Result, digits: int) -> str:
    """Write what a result is ranked by: its score, or the day it was taken."""
    return f"{result.score:.{digits}f}" if result.score is not None else result.taken_at[:10] or "no date"


def copy_results(results: Sequence[Result], folder: Path) -> None:
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


def print_classes(results: Sequence[Classified]) -> None:
    """Print each photo with its labels, or the reason why it has none."""
    for result in results:
        print(result.file)
        if result.error:
            print(f"  failed: {result.error}")
        for label, score in result.classes:
            print(f"  {score:>6.1%}  {label}")


def classes_figure(
    results: Sequence[Classified], max_megapixels: float, save: Path | None, window: bool
) -> None:
    """Show or save photos beside the bar charts of their labels, and say where it went."""
    shown = results[:_PHOTOS_IN_A_FIGURE]
    items = [(_thumbnail(result.file, max_megapixels), result.file.name, result.classes) for result in shown]
    if len(shown) < len(results):
        print(f"the figure shows the first {len(shown)} of {len(results)} photos", file=sys.stderr)
    figure = classification_figure(items)
    report_saved(show(figure, f"classes {results[0].file.stem}", save=save, window=window))


def print_people(people: People, least: int) -> None:
    """Print everybody who has at least so many faces, those with most first."""
    shown = [person for person in people.persons if person.name or len(person.rows) >= least]
    if shown:
        print(f"{'number':>6}  {'faces':>5}  {'photos':>6}  name")
    for person in shown:
        print(f"{person.number:>6}  {len(person.rows):>5}  {people.photos(person):>6}  {person.name or '-'}")
    print(people)


def contact_sheet_figure(
    people: People, dataset: Dataset, least: int, save: Path | None, window: bool
) -> None:
    """Show or save a row of faces for each of the people with most of them, and say where it went."""
    there = [person for person in people.persons if person.name or len(person.rows) >= least]
    shown = there[:_PEOPLE_IN_A_FIGURE]
    if len(shown) < len(there):
        print(f"the figure shows the first {len(shown)} of {len(there)} people", file=sys.stderr)
    rows = [
        (_heading(person), _crops(people, person, dataset, range(min(_FACES_IN_A_ROW, len(person.rows)))))
        for person in shown
    ]
    report_saved(show(contact_sheet(rows), "people", save=save, window=window))


def person_figure(people: People, person: Person, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show or save the faces of one person, each with its number, and say where it went."""
    count = min(_FACES_IN_A_FIGURE, len(person.rows))
    if count < len(person.rows):
        print(f"the figure shows the best {count} of {len(person.rows)} faces", file=sys.stderr)
    rows = [
        (
            _heading(person) if start == 0 else "",
            _crops(people, person, dataset, range(start, min(start + _FACES_IN_A_ROW, count))),
        )
        for start in range(0, count, _FACES_IN_A_ROW)
    ]
    report_saved(show(contact_sheet(rows), person.label, save=save, window=window))


def faces_figure(people: People, dataset: Dataset, path: str, save: Path | None, window: bool) -> None:
    """Show or save a photo with a box around each face, and say where it went.

    Raises
    ------
    UserError
        If the photo is not one of the dataset's that faces were looked for in.
    """
    names = {path, os.path.abspath(path)}  # noqa: PTH100 - links stay as they are
    entry = next(
        (e for e in people.faces.seen.values() if e.path == path or str(dataset.file(e.path)) in names), None
    )
    photo = dataset.photo(entry.path) if entry else None
    if photo is None:
        raise UserError(f"{path}: not a photo of {dataset.config.dataset.name} that 02 has looked at")
    picture = dataset.previews.preview(photo)
    scale = picture.image.width / picture.width
    labels, _ = people.labels()
    rows = [row for row, owner in enumerate(people.faces.photo_ids.tolist()) if owner == photo.photo_id]
    boxes = [((people.faces.boxes[row] * scale).tolist(), labels[row]) for row in rows]
    figure = photo_with_faces(picture.image, boxes, entry.path)
    report_saved(show(figure, f"faces {Path(path).stem}", save=save, window=window))


def _heading(person: Person) -> str:
    return f"{person.number} · {person.label}" if person.name else person.label


def _crops(people: People, person: Person, dataset: Dataset, places: range) -> list[Tile]:
    """Cut out some of a person's faces, numbered as ``3.1``."""
    tiles = []
    for place in places:
        row = int(person.rows[place])
        photo = dataset.photo(people.faces.entry(row).path)
        try:
            picture = dataset.previews.preview(photo) if photo else None
        except PhotoError:
            picture = None
        image = None
        if picture is not None:
            image = _cut_out(picture.image, people.faces.boxes[row] * picture.image.width / picture.width)
        tiles.append(Tile(image, f"{person.number}.{place + 1}"))
    return tiles


def _cut_out(image: Image.Image, box: np.ndarray) -> Image.Image:
    """Return the square around a face, with some air, black beyond the photo's edges."""
    half = 0.7 * float(max(box[2:] - box[:2]))
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    around = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    return image.crop(around).resize((_FACE, _FACE), Image.Resampling.LANCZOS)


def _thumbnail_of(dataset: Dataset, result: Result) -> Image.Image | None:
    photo = dataset.photo(result.path)
    try:
        picture = dataset.previews.open(photo, _THUMBNAIL // 2) if photo else None
    except PhotoError:
        return None
    return _shrink(picture.image) if picture else None


def _thumbnail(file: Path, max_megapixels: float) -> Image.Image:
    return _shrink(decode(file, _THUMBNAIL // 2, max_megapixels=max_megapixels).image)


def _shrink(image: Image.Image) -> Image.Image:
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return image
