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

_SIZE = 8  # points, of the letters
_PADDING = 2.0  # pixels around a label
_GAP = 3.0  # pixels between a point and a label beside it
_DISTANCES = (_GAP, 14.0, 28.0, 44.0, 62.0, 84.0)  # pixels
_MIN_LEADER = 10.0  # pixels; a label that is nearer to its point has no line to it
_DIRECTIONS = 16
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
    text
        The label.
    """

    x: float
    y: float
    radius: float
    text: str


def draw_point_labels(axis: Axes, points: Sequence[LabelledPoint], dots: np.ndarray) -> None:
    """Draw labels beside their points, each where it meets nothing, or not at all.

    Each label takes the first free one of several positions around its point. A label that is not beside its
    point has a line to it. Call this last: the layout of the figure and the limits of the axes must be final.

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
    for number, point in enumerate(points):
        text = axis.annotate(
            point.text,
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
        extent = text.get_window_extent()
        position = free.place(number, extent.width, extent.height)
        if position is None:
            text.remove()
            continue
        text.set_position(tuple((position.centre - centres[number]).tolist()))
        if position.leader is not None:
            line = axis.transData.inverted().transform(position.leader)
            axis.plot(*line.T, color=QUIET, linewidth=0.6, zorder=5, scalex=False, scaley=False)


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
        self._boxes: list[np.ndarray] = []
        self._leaders: list[np.ndarray] = []

    def place(self, number: int, width: float, height: float) -> _Position | None:
        """Return the first free position of the label of a circle, and mark it as taken; None without one."""
        half = np.array([width, height]) / 2 + _PADDING
        for position in self._list_positions(number, half):
            box = np.concatenate([position.centre - half, position.centre + half])
            if self._is_free(box) and self._is_leader_free(position.leader, number):
                self._boxes.append(box)
                if position.leader is not None:
                    self._leaders.append(position.leader)
                return position
        return None

    def _list_positions(self, number: int, half: np.ndarray) -> list[_Position]:
        """Return the possible positions of a label, the best first: near the point, and to its right."""
        centre, radius = self._centres[number], self._radii[number]
        positions = []
        for distance in _DISTANCES:
            for turn in sorted(range(_DIRECTIONS), key=lambda turn: min(turn, _DIRECTIONS - turn) % 8):
                angle = 2 * math.pi * turn / _DIRECTIONS
                way = np.array([math.cos(angle), math.sin(angle)])
                edge = centre + way * (radius + distance)
                leader = np.stack([centre + way * radius, edge]) if distance >= _MIN_LEADER else None
                # the label's side that faces the point touches the edge
                positions.append(_Position(edge + half * np.clip(way * 1.5, -1, 1), leader))
        return positions

    def _is_free(self, box: np.ndarray) -> bool:
        """Whether a box is in the frame and meets nothing."""
        low, high = box[:2], box[2:]
        if (low < self._frame[:2]).any() or (high > self._frame[2:]).any():
            return False
        if self._boxes and bool(
            ((low < np.array(self._boxes)[:, 2:]) & (high > np.array(self._boxes)[:, :2])).all(1).any()
        ):
            return False
        nearest = np.clip(self._centres, low, high)
        if (np.hypot(*(nearest - self._centres).T) < self._radii).any():
            return False
        if ((self._dots > low - _DOT_PIXELS) & (self._dots < high + _DOT_PIXELS)).all(axis=1).any():
            return False
        return not any(_crosses(leader, box) for leader in self._leaders)

    def _is_leader_free(self, leader: np.ndarray | None, number: int) -> bool:
        """Whether a line to a circle crosses no label, no other line and no other circle."""
        if leader is None:
            return True
        if any(_crosses(leader, box) for box in self._boxes):
            return False
        points = leader[0] + np.linspace(0, 1, 24)[:, None] * (leader[1] - leader[0])
        distances = np.hypot(*(points[:, None] - self._centres[None]).transpose(2, 0, 1))
        distances[:, number] = np.inf
        return not (distances < self._radii).any() and not any(
            _meet(leader, other) for other in self._leaders
        )


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
