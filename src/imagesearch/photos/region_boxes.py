"""Boxes of faces in fractions of a photo: as the photo is stored, and upright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the photo's width and height."""

_SAME_ASPECT = 0.03  # relative difference of two aspect ratios; a photo of another one was cropped since
_SAME_REGION = 0.5  # minimum overlap of two boxes of one face
_INVERSE_ORIENTATION = {6: 8, 8: 6}  # the other orientations are their own inverse


@dataclass(frozen=True)
class PhotoFrame:
    """How a photo is stored: its EXIF orientation, and the size of the upright photo."""

    orientation: int
    upright_size: tuple[int, int]

    @property
    def stored_size(self) -> tuple[int, int]:
        width, height = self.upright_size
        return (height, width) if self.orientation >= 5 else (width, height)

    def choose_orientation(self, applied: tuple[float, float] | None) -> int | None:
        """Return the orientation of regions that apply to a size; None if the photo had another shape.

        Some programs write the boxes of the upright photo. The size that they write tells which, unless the
        photo is square.
        """
        if applied is None or _has_same_aspect(applied, self.stored_size):
            return self.orientation
        return 1 if _has_same_aspect(applied, self.upright_size) else None


def _has_same_aspect(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(math.log(one[0] * other[1] / (one[1] * other[0]))) < _SAME_ASPECT


def turn_box(box: Box, orientation: int) -> Box:
    """Return a box of the stored photo as a box of the upright photo, in fractions."""
    left, top, right, bottom = box
    corners = [_turn_point(x, y, orientation) for x, y in ((left, top), (right, bottom))]
    (x1, y1), (x2, y2) = corners
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _turn_point(x: float, y: float, orientation: int) -> tuple[float, float]:
    match orientation:
        case 2:
            return 1 - x, y
        case 3:
            return 1 - x, 1 - y
        case 4:
            return x, 1 - y
        case 5:
            return y, x
        case 6:
            return 1 - y, x
        case 7:
            return 1 - y, 1 - x
        case 8:
            return y, 1 - x
        case _:
            return x, y


def is_same_region(one: Box, other: Box) -> bool:
    """Whether two boxes are of one face."""
    return compute_iou(one, other) >= _SAME_REGION


def compute_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Compute the intersection over union of two boxes (left, top, right, bottom), in any unit."""
    shared = _compute_intersection(one, other)
    return shared / (_compute_area(one) + _compute_area(other) - shared) if shared else 0.0


def compute_inside(one: Sequence[float], other: Sequence[float]) -> float:
    """Compute which part of the smaller box is inside the larger one."""
    shared = _compute_intersection(one, other)
    return shared / min(_compute_area(one), _compute_area(other)) if shared else 0.0


def _compute_intersection(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _compute_area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def turn_box_back(box: Box, orientation: int) -> Box:
    """Return a box of the upright photo as a box of the stored photo."""
    return turn_box(box, _INVERSE_ORIENTATION.get(orientation, orientation))
