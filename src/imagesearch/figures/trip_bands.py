"""The trips of a timeline: a band for each, and names that do not meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from imagesearch.figures.style import ACCENT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_ROWS, _ROW_POINTS, _GAP_POINTS = 5, 11.0, 7.0
_MARK_POINTS = 4.0
_FONT_POINTS = 7.5
_MAX_NAME = 28  # characters


@dataclass(frozen=True)
class TripBand:
    """A trip in a timeline: its name, whether the user chose it, its first and last time, and its photos."""

    name: str
    is_named: bool
    first: datetime
    last: datetime
    photos: int

    @property
    def label(self) -> str:
        """The name without the months, which the axis shows."""
        name = self.name if self.is_named else self.name.rpartition(", ")[0] or self.name
        return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def draw_trip_bands(
    figure: Figure, axis: Axes, trips: Sequence[TripBand], find_position: Callable[[datetime], float]
) -> list[Text]:
    """Draw the bands of trips behind the bars, and their names between the bars and the title.

    Returns the names that are drawn.

    The names are in rows. Trips with many photos, and those that the user named, get their places first. A
    name that would meet another one in each row is left out.
    """
    spans = [(find_position(trip.first), find_position(trip.last)) for trip in trips]
    for first, last in spans:
        axis.axvspan(first, max(last, first + 0.06), color=ACCENT, alpha=0.16, linewidth=0, zorder=0)
    figure.draw_without_rendering()  # fixes the size of the axis, in which the names are measured
    box = axis.get_window_extent()
    low, high = axis.get_xlim()
    scale = 72 / figure.dpi  # points for each pixel
    points_per_unit = box.width * scale / (high - low)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
    order = sorted(range(len(trips)), key=lambda i: (not trips[i].is_named, -trips[i].photos, spans[i]))
    drawn = []
    for i in order:
        start = (spans[i][0] - low) * points_per_unit
        text = axis.annotate(
            trips[i].label,
            (spans[i][0], 1),
            (_MARK_POINTS, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            size=_FONT_POINTS,
            color=INK,
            parse_math=False,
            annotation_clip=False,
        )
        length = _MARK_POINTS + text.get_window_extent().width * scale
        is_left = start + length > box.width * scale  # the name would leave the axis: it ends at its mark
        start, end = (start - length, start) if is_left else (start, start + length)
        row = _find_row(taken, start, end)
        if row is None:
            text.remove()
            continue
        taken[row].append((start, end + _GAP_POINTS))
        height = 4 + row * _ROW_POINTS
        text.set(
            position=(-_MARK_POINTS if is_left else _MARK_POINTS, height), ha="right" if is_left else "left"
        )
        _draw_mark(axis, spans[i], height)
        drawn.append(text)
    rows = max((row for row, intervals in enumerate(taken, 1) if intervals), default=0)
    axis.set_title(axis.get_title(), color=INK, size=11, parse_math=False, pad=rows * _ROW_POINTS + 8)
    return drawn


def _find_row(taken: Sequence[Sequence[tuple[float, float]]], start: float, end: float) -> int | None:
    """Return the lowest row in which an interval, in points, meets no other; None if there is none."""
    free = (
        row
        for row, intervals in enumerate(taken)
        if all(end + _GAP_POINTS <= other_start or start >= other_end for other_start, other_end in intervals)
    )
    return next(free, None)


def _draw_mark(axis: Axes, span: tuple[float, float], height: float) -> None:
    """Draw a mark beside a name, above the start of the band."""
    axis.annotate(
        "|",
        (span[0], 1),
        (0, height - 1),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        size=_FONT_POINTS,
        color=ACCENT,
        weight="bold",
        ha="center",
        annotation_clip=False,
    )
