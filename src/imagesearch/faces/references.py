"""References to faces: a photo (path and content hash) and a box in it, from which a face is found again."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable

import numpy as np

from imagesearch.faces.extract import FaceTable
from imagesearch.photos import compute_iou, compute_photo_id

# Minimum overlap of two detections of one face, by different models or after the photo was cropped.
_MIN_IOU = 0.4
# Boxes that differ by less were detected in identical pixels; references are rounded to five digits.
_SAME_PIXELS = 1e-4

FaceReference = tuple[str, str, tuple[float, float, float, float]]
"""Path and content hash of a face's photo, and its box as fractions of the photo's width and height."""


class ReferenceResolver:
    """Makes references to the faces of a table, and finds the faces of existing references.

    Parameters
    ----------
    faces
        The table of faces.
    distance
        Maximum cosine distance of a face in a changed photo from the mean of its person's faces.
    """

    def __init__(self, faces: FaceTable, distance: float = 0.5) -> None:
        self.faces, self._min_similarity = faces, 1 - distance
        starts = np.flatnonzero(np.diff(faces.photo_ids, prepend=-1))
        self._rows_by_photo = {
            int(faces.photo_ids[start]): range(start, end)
            for start, end in itertools.pairwise([*starts.tolist(), len(faces)])
        }
        sizes = [
            (faces.processed[photo_id].width, faces.processed[photo_id].height)
            for photo_id in faces.photo_ids.tolist()
        ]
        self._boxes = faces.boxes / np.tile(np.asarray(sizes, np.float64).reshape(-1, 2), 2)

    @functools.cached_property
    def _photo_by_content(self) -> dict[str, int]:
        photos: dict[str, int] = {}
        for photo_id in self._rows_by_photo:
            photos.setdefault(_shorten_hash(self.faces.processed[photo_id].content), photo_id)
        return photos

    @functools.cached_property
    def _rows_by_reference(self) -> dict[FaceReference, int]:
        """The row of each face by its reference, as a file with clusters has it: with a box in float32."""
        rows: dict[FaceReference, int] = {}
        boxes = np.round(self._boxes, 5).astype(np.float32).tolist()
        for row, (photo, box) in enumerate(zip(self.faces.photo_ids.tolist(), boxes, strict=True)):
            if box[0] < box[2] and box[1] < box[3]:  # nothing overlaps an empty box
                entry = self.faces.processed[photo]
                rows.setdefault((entry.path, _shorten_hash(entry.content), tuple(box)), row)
        return rows

    def make_references(self, rows: Iterable[int]) -> tuple[FaceReference, ...]:
        """Return references to some faces."""
        entries = ((row, self.faces.get_photo(row)) for row in rows)
        return tuple(
            (entry.path, _shorten_hash(entry.content), tuple(np.round(self._boxes[row], 5).tolist()))
            for row, entry in entries
        )

    def resolve(self, references: Iterable[FaceReference]) -> tuple[list[int | None], set[int]]:
        """Find the faces of references that belong to one person.

        A changed photo may show another person at the same place. A face in a changed photo is therefore
        accepted only if it is similar to the person's faces in unchanged photos or, if there are none, to all
        of the person's faces.

        Returns
        -------
        rows : list of int or None
            The row of each reference's face. None if the photo is missing, or if no face or another person is
            at this place.
        released : set of int
            Rows of faces in changed photos that look like another person.
        """
        found = [self._resolve_one(reference) for reference in references]
        released = self._find_replaced(
            certain={row for row, is_certain in found if is_certain and row is not None},
            resolved={row for row, _ in found if row is not None},
        )
        return [None if row in released else row for row, _ in found], released

    def _resolve_one(self, reference: FaceReference) -> tuple[int | None, bool]:
        """Return the row of a face, and whether it is certain: its file or its pixels did not change."""
        exact = self._rows_by_reference.get(reference)
        if exact is not None:
            return exact, True
        path, content, box = reference
        photo_id = compute_photo_id(path)
        entry = self.faces.processed[photo_id] if photo_id in self._rows_by_photo else None
        unchanged = entry is not None and _shorten_hash(entry.content) == content
        if not unchanged and content in self._photo_by_content:
            photo_id, unchanged = self._photo_by_content[content], True  # the photo was moved
        rows = self._rows_by_photo.get(photo_id)
        if rows is None:
            return None, False
        overlaps = [compute_iou(box, self._boxes[row].tolist()) for row in rows]
        best = rows[int(np.argmax(overlaps))]
        if max(overlaps) < _MIN_IOU:
            return None, False
        # a keyword written into the file changes neither its pixels nor the box
        return best, unchanged or bool(np.abs(self._boxes[best] - box).max() < _SAME_PIXELS)

    def _find_replaced(self, certain: set[int], resolved: set[int]) -> set[int]:
        """Find the faces in changed photos that are not similar to their person's faces."""
        uncertain = resolved - certain
        compared = certain or uncertain
        if not uncertain or (len(compared) == 1 and not certain):
            return set()
        mean = self.faces.vectors[sorted(compared)].mean(axis=0)
        mean /= max(float(np.linalg.norm(mean)), 1e-12)
        return {row for row in uncertain if self.faces.vectors[row] @ mean < self._min_similarity}


class KnownResolver:
    """The resolver of the last table of faces."""

    def __init__(self) -> None:
        self._known: tuple[float, ReferenceResolver] | None = None

    def get(self, faces: FaceTable, distance: float) -> ReferenceResolver:
        """Return a resolver; the same one for the same table."""
        if self._known is None or self._known[0] != distance or self._known[1].faces is not faces:
            self._known = distance, ReferenceResolver(faces, distance)
        return self._known[1]


def _shorten_hash(content: bytes) -> str:
    return content.hex()[:16]
