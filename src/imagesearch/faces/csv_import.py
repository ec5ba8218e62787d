"""Import of people's names from a CSV file, such as an export of another program."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imagesearch.csv_files import read_csv, use_lines
from imagesearch.errors import UserError
from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.marking import make_photo_finder
from imagesearch.faces.name_checks import refuse_unlikely_name
from imagesearch.photos import compute_iou
from imagesearch.pipeline import Dataset

_BOX_COLUMNS = ("x1", "y1", "x2", "y2")
_MIN_IOU = 0.3


def import_names(editor: PeopleEditor, dataset: Dataset, file: Path) -> tuple[int, dict[str, str]]:
    """Name one person or face for each line of a file.

    Parameters
    ----------
    editor
        Stores the edits.
    dataset
        The photos.
    file
        CSV with a header line (in any case), separated by commas, semicolons or tabs. Requires the column
        ``name``, and either ``person`` (a number or a name) or ``path`` (a photo of the dataset, or its file
        name if no other photo has it). For a photo with several faces, ``x1, y1, x2, y2`` are required: a
        box in pixels of the upright photo. A word in place of a name, such as ``unknown``, is no name.

    Returns
    -------
    used : int
        Number of lines that gave a name.
    unused : dict
        The reason for each other line, by ``line N``.

    Raises
    ------
    UserError
        If the file cannot be read, or lacks a required column.
    """
    lines, columns = read_csv(file)
    if "name" not in columns or not columns & {"person", "path"}:
        raise UserError(f"{file}: expected the columns name and person, or name and path, in the first line")
    find_rows = _make_path_lookup(editor, dataset)
    unused = use_lines(lines, lambda line: _import_line(editor, line, find_rows))
    return len(lines) - len(unused), unused


def _import_line(editor: PeopleEditor, line: dict[str, str], find_rows: Callable[[str], np.ndarray]) -> None:
    name, path = (line["name"] or "").strip(), (line.get("path") or "").strip()
    if not name:
        raise UserError("no name")
    refuse_unlikely_name(name)
    if line.get("person"):
        editor.name_person(line["person"], name)
        return
    if not path:
        raise UserError("expected a person or a path")
    rows = find_rows(path)
    if not line.get("x1"):
        rows = rows[~editor.people.hidden[rows]]
    else:
        try:
            box = [float(line[side] or "nan") for side in _BOX_COLUMNS]
        except ValueError as error:
            raise UserError(str(error)) from None
        rows = _select_by_box(rows, box, editor.people.faces.boxes)
    if len(rows) != 1:
        raise UserError(f"{path}: expected one face, found {len(rows)}")
    editor.name_faces(rows.tolist(), name)


def _make_path_lookup(editor: PeopleEditor, dataset: Dataset) -> Callable[[str], np.ndarray]:
    """Return a function that maps a photo, however it is written, to the rows of its faces."""
    faces = editor.people.faces
    photo_ids = {entry.path: photo_id for photo_id, entry in faces.processed.items()}
    find_photo = make_photo_finder(editor.people, dataset)

    def find_rows(path: str) -> np.ndarray:
        # macOS and the tables store file names in different Unicode forms
        photo_id = photo_ids.get(unicodedata.normalize("NFC", path))
        return np.flatnonzero(faces.photo_ids == (find_photo(path) if photo_id is None else photo_id))

    return find_rows


def _select_by_box(rows: np.ndarray, box: list[float], boxes: np.ndarray) -> np.ndarray:
    """Return the row of the face that overlaps a box most, or no row if none overlaps it enough."""
    overlaps = np.asarray([compute_iou(box, boxes[row].tolist()) for row in rows])
    if not (overlaps >= _MIN_IOU).any():
        return rows[:0]
    return rows[[int(np.argmax(overlaps))]]
