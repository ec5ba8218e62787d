"""Import of people's names from a CSV file, such as an export of another program."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imagesearch.csv_files import check_fields, read_csv
from imagesearch.errors import UserError
from imagesearch.faces.editor import PeopleEditor
from imagesearch.photos import compute_iou

_BOX_COLUMNS = ("x1", "y1", "x2", "y2")
_MIN_IOU = 0.3


def import_names(editor: PeopleEditor, file: Path) -> tuple[int, dict[str, str]]:
    """Name one person or face for each line of a file.

    Parameters
    ----------
    editor
        Stores the edits.
    file
        CSV with a header line (in any case), separated by commas, semicolons or tabs. Requires the column
        ``name``, and either ``person`` (a number or a name) or ``path`` (a photo of the dataset). For a photo
        with several faces, ``x1, y1, x2, y2`` are required: a box in pixels of the upright photo.

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
    find_rows = _make_path_lookup(editor)
    unused: dict[str, str] = {}
    for number, line in lines.items():
        try:
            check_fields(line)
            _import_line(editor, line, find_rows)
        except (UserError, ValueError) as error:
            unused[f"line {number}"] = str(error)
    return len(lines) - len(unused), unused


def _import_line(editor: PeopleEditor, line: dict[str, str], find_rows: Callable[[str], np.ndarray]) -> None:
    if line.get("person"):
        editor.name_person(line["person"], line["name"] or "")
        return
    rows = find_rows(line.get("path") or "")
    if not line.get("x1"):
        rows = rows[~editor.people.hidden[rows]]
    else:
        box = [float(line[side] or "nan") for side in _BOX_COLUMNS]
        rows = _select_by_box(rows, box, editor.people.faces.boxes)
    if len(rows) != 1:
        path = line.get("path")
        if not path:
            raise UserError("expected a person or a path")
        processed = {entry.path for entry in editor.people.faces.processed.values()}
        if unicodedata.normalize("NFC", path) not in processed:
            raise UserError(f"{path}: not a photo of this dataset; expected a path as 06 prints it")
        raise UserError(f"{path}: expected one face, found {len(rows)}")
    editor.name_faces(rows.tolist(), line["name"] or "")


def _make_path_lookup(editor: PeopleEditor) -> Callable[[str], np.ndarray]:
    """Return a function that maps the path of a photo to the rows of its faces."""
    faces = editor.people.faces
    photo_ids = {entry.path: photo_id for photo_id, entry in faces.processed.items()}
    # macOS and the tables store file names in different Unicode forms
    return lambda path: np.flatnonzero(
        faces.photo_ids == photo_ids.get(unicodedata.normalize("NFC", path), -1)
    )


def _select_by_box(rows: np.ndarray, box: list[float], boxes: np.ndarray) -> np.ndarray:
    """Return the row of the face that overlaps a box most, or no row if none overlaps it enough."""
    overlaps = np.asarray([compute_iou(box, boxes[row].tolist()) for row in rows])
    if not (overlaps >= _MIN_IOU).any():
        return rows[:0]
    return rows[[int(np.argmax(overlaps))]]
