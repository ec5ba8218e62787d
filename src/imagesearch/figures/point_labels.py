"""Labels beside points, such as towns on a map: none meets another label, a point or the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.figures.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

_SIZE = 8  # points, of the letters
_PADDING = np.array([4.0, 1.5])  # pixels around a label: beside it, above and below it
_GAP = 1.0  # pixels between a point and a label beside it
_DISTANCES = (_GAP, 12.0, 28.0, 44.0, 62.0, 84.0)  # pixels
_MIN_LEADER = 10.0  # pixels; a label that is nearer to its point has no line to it
_DIRECTIONS = 16
_ANGLES = [2 * math.pi * turn / _DIRECTIONS for turn in range(_DIRECTIONS)]
# to the right and to the left first, above and below last
_WAYS = [
    np.array([math.cos(angle), math.sin(angle)])
    for angle in sorted(_ANGLES, key=lambda angle: (round(abs(math.sin(angle)), 3), -math.cos(angle)))
]
_DOTS_PER_BLOCK = 5_000
_DOT_PIXELS = 3.0  # radius of the dot of a photo


@dataclass(frozen=True)
class LabelledPoint:
    """A point, or the circle around it, with its label.

    Attributes
    ----------
    x, y
        In the units of the axes.
    radius
        Of the circle, in points (1/72 inch).
    labels
        The label, and then shorter ones for a point without enough space. At least one.
    """

    x: float
    y: float
    radius: float
    labels: Sequence[str]


def draw_point_labels(axis: Axes, points: Sequence[LabelledPoint], dots: np.ndarray) -> None:
    """Draw labels beside their points, each where it meets nothing, or not at all.

    Each label takes the first free one of several positions around its point. A label that is not beside its
    point has a line to it. The shortest labels of all points are placed first; then each point gets the
    longest of its labels for which there is space left. Call this last: the layout of the figure and the
    limits of the axes must be final.

    Parameters
    ----------
    axis
        The axes that the points are on.
    points
        The points, the most important first: a label without space is left out.
    dots : (n, 2) float64
        More points that no label may cover, in the units of the axes.
    """
    scale = axis.figure.dpi / 72
    centres = axis.transData.transform([(point.x, point.y) for point in points])
    radii = np.array([point.radius * scale for point in points])
    pixels = np.unique(np.rint(axis.transData.transform(dots)), axis=0)
    free = _FreeSpace(axis.get_window_extent().padded(-1).extents, centres, radii, pixels)
    placed: dict[int, tuple[str, _Position]] = {}
    for place in range(-1, -1 - max(len(point.labels) for point in points), -1):
        for number, point in enumerate(points):
            if len(point.labels) >= -place:
                extent = _annotate(axis, point, point.labels[place]).get_window_extent()
                axis.texts[-1].remove()
                if (position := free.place(number, extent.width, extent.height)) is not None:
                    placed[number] = (point.labels[place], position)
    for number, (label, position) in placed.items():
        text, offset = _annotate(axis, points[number], label), position.centre - centres[number]
        text.set_position(tuple(offset.tolist()))
        text.set_multialignment("left" if offset[0] >= 0 else "right")  # towards the point
        if position.leader is not None:
            line = axis.transData.inverted().transform(position.leader)
            axis.plot(*line.T, color=QUIET, linewidth=0.6, zorder=5, scalex=False, scaley=False)


def _annotate(axis: Axes, point: LabelledPoint, label: str) -> Annotation:
    """Draw a label centred on its point."""
    text = axis.annotate(
        label,
        (point.x, point.y),
        (0, 0),
        textcoords="offset pixels",
        ha="center",
        va="center",
        size=_SIZE,
        color=INK,
        parse_math=False,
        zorder=6,
    )
    text.set_in_layout(False)  # otherwise the layout would shrink the map
    return text


@dataclass(frozen=True)
class _Position:
    """The centre of a label, and the ends of the line to its point, (2, 2), in pixels."""

    centre: np.ndarray
    leader: np.ndarray | None


class _FreeSpace:
    """The space of the axes that no circle, dot, label or line covers, in pixels.

    Parameters
    ----------
    frame : (4,) float64
        Left, bottom, right, top.
    centres, radii : (n, 2) and (n,) float64
        The circles.
    dots : (m, 2) float64
    """

    def __init__(self, frame: np.ndarray, centres: np.ndarray, radii: np.ndarray, dots: np.ndarray) -> None:
        self._frame, self._centres, self._radii = frame, centres, radii
        self._dots = dots
        self._boxes: dict[int, np.ndarray] = {}
        self._leaders: dict[int, np.ndarray] = {}

    def place(self, number: int, width: float, height: float) -> _Position | None:
        """Return the first free position of the label of a circle, and mark it as taken; None without one.

        A label that was placed before is replaced, if there is a position.
        """
        half = np.array([width, height]) / 2 + _PADDING
        positions = self._list_positions(number, half)
        centres = np.array([position.centre for position in positions])
        boxes = np.concatenate([centres - half, centres + half], axis=1)
        leaders = [leader for other, leader in self._leaders.items() if other != number]
        for candidate in np.flatnonzero(self._find_free(boxes, number)):
            position, box = positions[candidate], boxes[candidate]
            is_crossed = any(_crosses(leader, box) for leader in leaders)
            if not is_crossed and self._is_leader_free(position.leader, number):
                self._boxes[number] = box
                self._leaders.pop(number, None)
                if position.leader is not None:
                    self._leaders[number] = position.leader
                return position
        return None

    def _list_positions(self, number: int, half: np.ndarray) -> list[_Position]:
        """Return the possible positions of a label, the best first: near the point, and to its right."""
        centre, radius = self._centres[number], self._radii[number]
        positions = []
        for distance in _DISTANCES:
            for way in _WAYS:
                edge = centre + way * (radius + distance)
                leader = np.stack([centre + way * radius, edge]) if distance >= _MIN_LEADER else None
                # the label's side that faces the point touches the edge
                positions.append(_Position(edge + half * np.clip(way * 1.5, -1, 1), leader))
        return positions

    def _find_free(self, boxes: np.ndarray, number: int) -> np.ndarray:
        """Return which boxes, (n, 4), of a circle's label are in the frame and meet nothing: (n,) bool."""
        low, high = boxes[:, None, :2], boxes[:, None, 2:]
        is_free = ((low >= self._frame[:2]) & (high <= self._frame[2:])).all(axis=(1, 2))
        nearest = np.clip(self._centres, low, high)
        is_free &= (np.hypot(*np.moveaxis(nearest - self._centres, 2, 0)) >= self._radii).all(axis=1)
        for taken in (box for other, box in self._boxes.items() if other != number):
            is_free &= ((low >= taken[2:]) | (high <= taken[:2])).any(axis=(1, 2))
        near = np.flatnonzero(is_free)
        for start in range(0, len(self._dots), _DOTS_PER_BLOCK):
            dots = self._dots[start : start + _DOTS_PER_BLOCK]
            is_covered = (dots > low[near] - _DOT_PIXELS) & (dots < high[near] + _DOT_PIXELS)
            is_free[near] &= ~is_covered.all(axis=2).any(axis=1)
        return is_free

    def _is_leader_free(self, leader: np.ndarray | None, number: int) -> bool:
        """Whether a line to a circle crosses no label, no other line and no other circle."""
        if leader is None:
            return True
        if any(_crosses(leader, box) for other, box in self._boxes.items() if other != number):
            return False
        points = leader[0] + np.linspace(0, 1, 24)[:, None] * (leader[1] - leader[0])
        distances = np.hypot(*(points[:, None] - self._centres[None]).transpose(2, 0, 1))
        distances[:, number] = np.inf
        others = [line for other, line in self._leaders.items() if other != number]
        return not (distances < self._radii).any() and not any(_meet(leader, line) for line in others)


def _crosses(line: np.ndarray, box: np.ndarray) -> bool:
    """Whether a line goes through a box."""
    points = line[0] + np.linspace(0, 1, 48)[:, None] * (line[1] - line[0])
    return bool(((points > box[:2]) & (points < box[2:])).all(axis=1).any())


def _meet(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two lines cross each other."""

    def is_left(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> bool:
        return bool((b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0]))

    return is_left(*one, other[0]) != is_left(*one, other[1]) and is_left(*other, one[0]) != is_left(
        *other, one[1]
    )
