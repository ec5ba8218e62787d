"""Names of faces in XMP: import those of other programs, and export them to sidecars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from imagesearch.bucket_paths import is_bucket
from imagesearch.errors import UserError
from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.name_checks import stands_for_no_name
from imagesearch.faces.people import People
from imagesearch.photos import (
    FaceRegion,
    PhotoError,
    compute_inside,
    compute_iou,
    read_face_regions,
    write_face_regions,
)
from imagesearch.pipeline import Dataset, ProcessedPhoto, Progress
from imagesearch.text import normalize

# Other programs draw larger boxes, with hair and neck, or smaller ones. The overlap of two boxes is then
# small, but the smaller box is nearly inside the larger one.
_MIN_IOU, _MIN_INSIDE = 0.3, 0.7


@dataclass
class XmpImport:
    """The result of an import.

    Attributes
    ----------
    faces : dict of str to int
        Number of faces that got a name, by name.
    known : int
        Number of faces that had this name already.
    unused : dict of str to str
        The regions or sidecars that were not used, and why, by path.
    """

    faces: dict[str, int] = field(default_factory=dict)
    known: int = 0
    unused: dict[str, str] = field(default_factory=dict)

    def add_reason(self, path: str, reason: str) -> None:
        """Add a reason why something of a photo was not used."""
        self.unused[path] = f"{self.unused[path]}; {reason}" if path in self.unused else reason


@dataclass
class XmpExport:
    """The result of an export: numbers of sidecars, and the reasons of failures by path of the photo."""

    written: int = 0
    unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> UserError | None:
        """The error if nothing could be written, None otherwise."""
        if not self.failed or self.written or self.unchanged:
            return None
        path, reason = next(iter(self.failed.items()))
        return UserError(f"--to-xmp: no sidecar could be written; {path}: {reason}")

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {"written": self.written, "unchanged": self.unchanged, "failed": self.failed}

    def __str__(self) -> str:
        return f"{self.written} written, {self.unchanged} unchanged, {len(self.failed)} failed"


def import_xmp_names(editor: PeopleEditor, dataset: Dataset, progress: Progress | None = None) -> XmpImport:
    """Name the faces that other programs have named, in photos and in their sidecars.

    Each name is one edit, which can be undone. A face to which the user gave another name keeps it.

    Parameters
    ----------
    editor
        Stores the edits.
    dataset
        The photos.
    progress
        Wraps the photos, for a progress bar.
    """
    people, result = editor.people, XmpImport()
    rows_by_photo = _group_by_photo(people)
    rows_by_name: dict[str, list[int]] = {}
    spellings: dict[str, str] = {}
    entries = people.faces.processed.values()
    for entry in progress(entries, len(entries)) if progress else entries:
        rows = rows_by_photo.get(entry.photo_id, [])
        for row, name in _match_photo(people, dataset, entry, rows, result):
            spelling = spellings.setdefault(normalize(name), name)
            rows_by_name.setdefault(spelling, []).append(row)
    for name, rows in rows_by_name.items():
        try:
            if stands_for_no_name(name):
                raise UserError(f"{name}: not stored as a name")
            editor.name_faces(rows, name)
            result.faces[name] = len(rows)
        except UserError as error:  # a name that cannot be used
            result.add_reason(people.faces.get_photo(rows[0]).path, str(error))
    return result


def export_xmp_names(people: People, dataset: Dataset, progress: Progress | None = None) -> XmpExport:
    """Write the names of all named faces to the sidecars of their photos. Photos are never changed.

    Parameters
    ----------
    people
        The people of the dataset.
    dataset
        The photos.
    progress
        Wraps the photos, for a progress bar.
    """
    result = XmpExport()
    names = {row: person.name for person in people.persons if person.name for row in person.rows.tolist()}
    rows_by_photo = {
        photo_id: named
        for photo_id, rows in _group_by_photo(people).items()
        if (named := [row for row in rows if row in names])
    }
    for photo_id, rows in (
        progress(rows_by_photo.items(), len(rows_by_photo)) if progress else rows_by_photo.items()
    ):
        entry = people.faces.processed[photo_id]
        regions = [FaceRegion(names[row], _get_box(people, row, entry)) for row in rows]
        try:
            file = dataset.locate_file(entry.path)
            if is_bucket(file):
                raise PhotoError("in a bucket, beside which no sidecar is written")
            sidecar = write_face_regions(file, regions, (entry.width, entry.height))
        except (PhotoError, OSError) as error:
            result.failed[entry.path] = str(error)
            continue
        result.written += sidecar is not None
        result.unchanged += sidecar is None
    return result


def _group_by_photo(people: People) -> dict[int, list[int]]:
    """Return the rows of the faces of each photo."""
    rows: dict[int, list[int]] = {}
    for row, photo_id in enumerate(people.faces.photo_ids.tolist()):
        rows.setdefault(photo_id, []).append(row)
    return rows


def _get_box(people: People, row: int, entry: ProcessedPhoto) -> tuple[float, float, float, float]:
    """Return a face's box as fractions of the photo, inside it."""
    size = np.array([entry.width, entry.height] * 2, np.float64)
    left, top, right, bottom = np.clip(people.faces.boxes[row] / size, 0, 1).tolist()
    return left, top, right, bottom


def _match_photo(
    people: People, dataset: Dataset, entry: ProcessedPhoto, rows: Sequence[int], result: XmpImport
) -> list[tuple[int, str]]:
    """Return the faces of a photo to name. Count those that have the name, and note what is not used."""
    try:
        file = dataset.fetch_file(dataset.locate_file(entry.path))
        regions, remarks = read_face_regions(file, (entry.width, entry.height))
    except (PhotoError, OSError) as error:
        result.add_reason(entry.path, str(error))
        return []
    for remark in remarks:
        result.add_reason(entry.path, remark)
    matched = []
    for region, row in _match_regions(regions, {row: _get_box(people, row, entry) for row in rows}):
        if row is None:
            result.add_reason(entry.path, f"no face was found where {region.name} is")
        elif _has_name(people, row, region.name):
            result.known += 1
        elif other := _get_confirmed_name(people, row):
            result.add_reason(entry.path, f"the face of {region.name} was named {other} by you")
        else:
            matched.append((row, region.name))
    return matched


def _match_regions(
    regions: Sequence[FaceRegion], boxes: dict[int, tuple[float, float, float, float]]
) -> list[tuple[FaceRegion, int | None]]:
    """Assign a face to each region, each face once, the best overlaps first; None if there is none."""
    scores = []
    for number, region in enumerate(regions):
        for row, box in boxes.items():
            iou, inside = compute_iou(region.box, box), compute_inside(region.box, box)
            if iou >= _MIN_IOU or inside >= _MIN_INSIDE:
                scores.append((iou, number, row))
    assigned: dict[int, int] = {}
    for _, number, row in sorted(scores, reverse=True):
        if number not in assigned and row not in assigned.values():
            assigned[number] = row
    return [(region, assigned.get(number)) for number, region in enumerate(regions)]


def _get_confirmed_name(people: People, row: int) -> str:
    """Return the name that the user gave to this very face, or an empty string."""
    constraints = people.constraints
    return constraints.names.get(int(constraints.group[row]), "") if constraints.confirmed[row] else ""


def _has_name(people: People, row: int, name: str) -> bool:
    """Whether the user named this face, or its whole person, so."""
    group = int(people.constraints.group[row])
    return normalize(people.constraints.names.get(group, "")) == normalize(name)
