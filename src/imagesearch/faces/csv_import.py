"""Names of people from a CSV file, such as one that another program exports."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imagesearch.csv_files import check_fields, read_csv
from imagesearch.errors import UserError
from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.references import box_iou

_BOX_COLUMNS = ("x1", "y1", "x2", "y2")
_MIN_IOU = 0.3


def import_names(editor: PeopleEditor, file: Path) -> tuple[int, dict[str, str]]:
    """Name people by the lines of a file.

    Parameters
    ----------
    editor
        Keeps the edits.
    file
        With a header line, in any case, and commas, semicolons or tabs. Required are ``name`` and either
        ``person`` (a number or a name), or ``path`` of a photo in which there is one face, or ``path`` and
        ``x1, y1, x2, y2``, a box in pixels of the upright photo.

    Returns
    -------
    used : int
        Number of lines that named somebody.
    unused : dict
        Reason by line, for the others.

    Raises
    ------
    UserError
        If the file cannot be read, or has other columns.
    """
    lines, columns = read_csv(file)
    if "name" not in columns or not columns & {"person", "path"}:
        raise UserError(f"{file}: columns name and person, or name and path, are wanted in the first line")
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
    if line.get("x1"):
        box = [float(line[side] or "nan") for side in _BOX_COLUMNS]
        rows = _select_by_box(rows, box, editor.people.faces.boxes)
    if len(rows) != 1:
        raise UserError(f"{line.get('path')}: {len(rows) or 'no'} faces there, where one is wanted")
    editor.name_faces(rows.tolist(), line["name"] or "")


def _make_path_lookup(editor: PeopleEditor) -> Callable[[str], np.ndarray]:
    """Return a function from the path of a photo to the rows of its faces."""
    faces = editor.people.faces
    photo_ids = {entry.path: photo_id for photo_id, entry in faces.processed.items()}
    # Macs write names of files in another form of Unicode than tables do
    return lambda path: np.flatnonzero(
        faces.photo_ids == photo_ids.get(unicodedata.normalize("NFC", path), -1)
    )


def _select_by_box(rows: np.ndarray, box: list[float], boxes: np.ndarray) -> np.ndarray:
    """Return the one of some faces that overlaps a box most, or none."""
    overlaps = np.asarray([box_iou(box, boxes[row].tolist()) for row in rows])
    if not (overlaps >= _MIN_IOU).any():
        return rows[:0]
    return rows[[int(np.argmax(overlaps))]]
