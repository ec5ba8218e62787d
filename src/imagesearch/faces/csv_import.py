"""Names of people from a CSV file, such as other programs export."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imagesearch.csv_files import check_fields, read_csv
from imagesearch.errors import UserError
from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.references import box_iou

_BOX = ("x1", "y1", "x2", "y2")
_LEAST_OVERLAP = 0.3


def import_names(editor: PeopleEditor, file: Path) -> tuple[int, dict[str, str]]:
    """Name people by the lines of a file.

    Parameters
    ----------
    editor
        Keeps the decisions.
    file
        With a header line, in any case, and commas, semicolons or tabs. Wanted are ``name`` and either
        ``person`` (a number or a name), or ``path`` of a photo in which there is one face, or ``path`` and
        ``x1, y1, x2, y2``, a box in pixels of the upright photo.

    Returns
    -------
    used : int
        Lines.
    missed : dict
        Reason by line, for the others.

    Raises
    ------
    UserError
        If the file cannot be read, or has other columns.
    """
    lines, columns = read_csv(file)
    if "name" not in columns or not columns & {"person", "path"}:
        raise UserError(f"{file}: columns name and person, or name and path, are wanted in the first line")
    by_path = _index_by_path(editor)
    missed: dict[str, str] = {}
    for number, line in lines.items():
        try:
            check_fields(line)
            _import_line(editor, line, by_path)
        except (UserError, ValueError) as error:
            missed[f"line {number}"] = str(error)
    return len(lines) - len(missed), missed


def _import_line(editor: PeopleEditor, line: dict[str, str], by_path: Callable[[str], np.ndarray]) -> None:
    if line.get("person"):
        editor.name_person(line["person"], line["name"] or "")
        return
    rows = by_path(line.get("path") or "")
    if line.get("x1"):
        box = [float(line[side] or "nan") for side in _BOX]
        overlaps = [box_iou(box, editor.people.faces.boxes[row].tolist()) for row in rows]
        rows = rows[np.asarray(overlaps) >= _LEAST_OVERLAP]
        if len(rows) > 1:
            rows = rows[[int(np.argmax([o for o in overlaps if o >= _LEAST_OVERLAP]))]]
    if len(rows) != 1:
        raise UserError(f"{line.get('path')}: {len(rows) or 'no'} faces there, where one is wanted")
    editor.name_faces(rows.tolist(), line["name"] or "")


def _index_by_path(editor: PeopleEditor) -> Callable[[str], np.ndarray]:
    faces = editor.people.faces
    photos = {entry.path: photo for photo, entry in faces.processed.items()}
    # Macs write names of files in another form of Unicode than tables do
    return lambda path: np.flatnonzero(faces.photo_ids == photos.get(unicodedata.normalize("NFC", path), -1))
