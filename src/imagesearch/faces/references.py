"""What finds a face again: its photo, by path and content, and its place in the photo."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from imagesearch.faces.extract import FaceTable
from imagesearch.photos import compute_photo_id

# Two detections of one face, by another model or in a photo that was cropped, overlap at least so much.
_SAME_FACE = 0.4
# Boxes that agree to a part in ten thousand were found in the same pixels; anchors have five digits.
_SAME_PIXELS = 1e-4

FaceReference = tuple[str, str, tuple[float, float, float, float]]
"""A face's photo, by path and content, and its box as fractions of the photo's width and height."""


class ReferenceResolver:
    """Finds today's faces by yesterday's anchors, and makes anchors of today's.

    Parameters
    ----------
    faces
        Today's.
    distance
        The cosine distance up to which a face in a photo that was changed may be from what it was found with.
    """

    def __init__(self, faces: FaceTable, distance: float = 0.5) -> None:
        self.faces, self._least = faces, 1 - distance
        starts = np.flatnonzero(np.diff(faces.photo_ids, prepend=-1))
        self._rows = {
            int(faces.photo_ids[start]): range(start, end)
            for start, end in itertools.pairwise([*starts.tolist(), len(faces)])
        }
        self._by_content: dict[str, int] = {}
        for photo in self._rows:
            self._by_content.setdefault(_shorten_hash(faces.processed[photo].content), photo)
        sizes = [
            (faces.processed[photo].width, faces.processed[photo].height)
            for photo in faces.photo_ids.tolist()
        ]
        self._boxes = faces.boxes / np.tile(np.asarray(sizes, np.float64).reshape(-1, 2), 2)

    def make_references(self, rows: Iterable[int]) -> tuple[FaceReference, ...]:
        """Return what finds some faces again."""
        entries = ((row, self.faces.get_photo(row)) for row in rows)
        return tuple(
            (entry.path, _shorten_hash(entry.content), tuple(np.round(self._boxes[row], 5).tolist()))
            for row, entry in entries
        )

    def resolve(self, anchors: Iterable[FaceReference]) -> tuple[list[int | None], set[int]]:
        """Find faces that belong together.

        A photo that was changed where it is may show somebody else at the same place: a face found there
        counts only if it looks like the others, those in photos that are as they were if there are any.

        Returns
        -------
        rows : list of int or None
            For each anchor. None: its photo is gone, nothing is found at its place, or somebody else.
        let_go : set of int
            Faces in changed photos that look like somebody else.
        """
        found = [self._resolve_one(anchor) for anchor in anchors]
        sure = {row for row, is_sure in found if row is not None and is_sure}
        doubtful = {row for row, _ in found if row is not None} - sure
        others = sure or doubtful
        if not doubtful or (len(others) == 1 and not sure):
            return [row for row, _ in found], set()
        mean = self.faces.vectors[sorted(others)].mean(axis=0)
        mean /= max(float(np.linalg.norm(mean)), 1e-12)
        let_go = {row for row in doubtful if self.faces.vectors[row] @ mean < self._least}
        return [None if row in let_go else row for row, _ in found], let_go

    def resolve_rows(self, anchors: Iterable[FaceReference]) -> list[int]:
        """Return the faces that are still there, of some that belong together."""
        return [row for row in self.resolve(anchors)[0] if row is not None]

    def _resolve_one(self, anchor: FaceReference) -> tuple[int | None, bool]:
        """Return a face, and whether it is the one for sure: in a file, or in pixels, that did not change."""
        path, content, box = anchor
        photo = compute_photo_id(path)
        unchanged = photo in self._rows and _shorten_hash(self.faces.processed[photo].content) == content
        if not unchanged and content in self._by_content:
            photo, unchanged = self._by_content[content], True  # moved
        rows = self._rows.get(photo)
        if rows is None:
            return None, False
        overlaps = [box_iou(box, self._boxes[row].tolist()) for row in rows]
        best = rows[int(np.argmax(overlaps))]
        if max(overlaps) < _SAME_FACE:
            return None, False
        # a keyword written into the file leaves its pixels, and so the box, as they were
        return best, unchanged or bool(np.abs(self._boxes[best] - box).max() < _SAME_PIXELS)


def box_iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection of two boxes over their union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def _shorten_hash(content: bytes) -> str:
    return content.hex()[:16]
