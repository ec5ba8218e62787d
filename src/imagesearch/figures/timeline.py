"""A timeline: the number of photos in each month, the people in them, and the trips."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.errors import UserError
from imagesearch.figures.display import create_figure, report_figure_path, show_figure
from imagesearch.figures.legend import GREYS, MAX_GROUPS, NOBODY, OTHERS, draw_legend
from imagesearch.figures.style import ACCENT, INK, QUIET, choose_person_colour
from imagesearch.figures.trip_bands import TripBand, draw_trip_bands
from imagesearch.figures.vector_map import find_photo_collection
from imagesearch.local_times import make_time
from imagesearch.pipeline import Dataset
from imagesearch.store import Store, Vocabulary
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

_SIZE_INCHES = (12.0, 4.6)
_MAX_MONTHS = 120  # beyond this, a bar is a year


@dataclass(frozen=True)
class _TimeBins:
    """Consecutive months or years.

    Attributes
    ----------
    first
        The first bin, in months or years since the year 0.
    count
        Number of bins.
    are_years
        Whether the bins are years; otherwise they are months.
    positions : (n,) int64
        The bin of each photo, from 0.
    """

    first: int
    count: int
    are_years: bool
    positions: np.ndarray


def show_timeline(dataset: Dataset, store: Store, save: Path, window: bool) -> None:
    """Save a timeline of a dataset's photos, show it in a window if possible, and print its path.

    Raises
    ------
    UserError
        If the dataset has no collection of photos, or no photo has a date.
    """
    name = dataset.config.dataset.name
    fields = ("has_time", "taken_at", "face_labels")
    rows = [hit.fields for hit in store.read_all_rows(find_photo_collection(store, name), fields)]
    dated = [row for row in rows if row["has_time"]]
    if not dated:
        raise UserError(
            "no photo has a date, so there is no timeline; run 04_extract_geo.py and 05_build_collections.py"
        )
    times = [make_time(row["taken_at"]) for row in dated]
    undated = f"; {len(rows) - len(dated):,} without a date" if len(dated) < len(rows) else ""
    title = f"{name}: {format_count(len(dated), 'photo')}{undated}"
    vocabulary = Vocabulary.read(dataset.folder)
    people = [row["face_labels"] for row in dated]
    bands = [
        TripBand(trip.name, trip.is_named, *map(make_time, (trip.first, trip.last)), trip.photos)
        for trip in vocabulary.trips or ()
    ]
    figure = draw_timeline(times, people, title, vocabulary.cast, bands)
    report_figure_path(show_figure(figure, f"timeline {name}", save=save, window=window))


def draw_timeline(
    times: Sequence[datetime],
    people: Sequence[Sequence[str]],
    title: str,
    cast: Sequence[str] = (),
    trips: Sequence[TripBand] = (),
) -> Figure:
    """Draw the number of photos in each month as a bar, stacked by the people in them.

    A photo with several people is divided equally among them, so that it counts once. Beyond ten years, a bar
    is a year.

    Parameters
    ----------
    times
        The time of each photo; at least one.
    people
        The people in each photo. The most frequent ones have their own colours; all others are one group.
    title
        Title of the figure.
    cast
        The names of all named people, for their colours.
    trips
        The trips, each drawn as a band. Their names are above the bars; those of trips with few photos are
        left out if they would meet others.
    """
    bins = _bin_times(times)
    frequent = [name for name, _ in Counter(n for names in people for n in names).most_common(MAX_GROUPS)]
    heights = _stack_heights(bins, people, frequent)
    colours = {name: choose_person_colour(name, cast) for name in frequent}
    colours |= GREYS if frequent else dict.fromkeys(GREYS, ACCENT)
    figure = create_figure(_SIZE_INCHES)
    axis = figure.subplots()
    bars = _draw_bars(axis, heights, colours)
    _draw_time_axis(axis, bins)
    axis.set_title(title, color=INK, size=11, parse_math=False)
    axis.set_ylabel(f"photos per {'year' if bins.are_years else 'month'}", color=INK)
    if frequent:
        axis.set_xlabel("a photo with several people is divided equally among them", color=QUIET, size=8)
        draw_legend(figure, list(bars.values())[::-1], list(bars)[::-1])
    if trips:
        draw_trip_bands(figure, axis, trips, partial(_find_position, bins))
    return figure


# --- details -----------------------------------------------------------------------------------------------


def _bin_times(times: Sequence[datetime]) -> _TimeBins:
    months = np.asarray([time.year * 12 + time.month - 1 for time in times])
    are_years = bool(months.max() - months.min() + 1 > _MAX_MONTHS)
    numbers = months // 12 if are_years else months
    first, last = int(numbers.min()), int(numbers.max())
    return _TimeBins(first, last - first + 1, are_years, numbers - first)


def _find_position(bins: _TimeBins, time: datetime) -> float:
    """Return the position of a time on the axis, on which each bin is centred at a whole number."""
    days = monthrange(time.year, time.month)[1]
    months = time.year * 12 + time.month - 1 + (time.day - 1 + time.hour / 24) / days
    return (months / 12 if bins.are_years else months) - bins.first - 0.5


def _stack_heights(
    bins: _TimeBins, people: Sequence[Sequence[str]], frequent: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the heights of the bars, (bins,) float64, by person. Groups without a photo are left out."""
    heights = {name: np.zeros(bins.count) for name in (*frequent, OTHERS, NOBODY)}
    for position, names in zip(bins.positions.tolist(), people, strict=True):
        for name in names or (NOBODY,):
            is_shown = name in frequent or not names
            heights[name if is_shown else OTHERS][position] += 1 / max(1, len(names))
    return {name: values for name, values in heights.items() if values.any()}


def _draw_bars(
    axis: Axes, heights: dict[str, np.ndarray], colours: dict[str, str]
) -> dict[str, BarContainer]:
    """Draw the bars of each group on top of the previous ones, and return them."""
    bottom, used, bars = 0, set(), {}
    for name, values in heights.items():
        # if there are more people than colours, further people with the same colour are hatched
        hatch = "////" if colours[name] in used else None
        used.add(colours[name])
        style = {"color": colours[name], "hatch": hatch, "edgecolor": "white", "linewidth": 0}
        bars[name] = axis.bar(range(len(values)), values, 0.86, bottom, **style)
        bottom = bottom + values
    return bars


def _draw_time_axis(axis: Axes, bins: _TimeBins) -> None:
    """Draw the years, and the names of months if there is space."""
    ticks, labels = _label_years(bins) if bins.are_years else _label_months(bins)
    axis.set_xticks(ticks, labels)
    axis.set_xlim(-0.7, max(bins.count, 4) - 0.3)  # a single bar does not fill the whole width
    axis.tick_params(length=0, colors=INK)
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.grid(axis="y", color=QUIET, alpha=0.3, linewidth=0.6)
    axis.set_axisbelow(True)


def _label_years(bins: _TimeBins) -> tuple[list[int], list[str]]:
    """Return the positions of the labelled years, and their labels."""
    step = 1 if bins.count <= 20 else 5 if bins.count <= 100 else 10
    ticks = [i for i in range(bins.count) if (bins.first + i) % step == 0]
    return ticks, [str(bins.first + i) for i in ticks]


def _label_months(bins: _TimeBins) -> tuple[list[int], list[str]]:
    """Return the positions of the labelled months, and their labels; a label has the year if it is new."""
    step = 1 if bins.count <= 18 else 3 if bins.count <= 36 else 6
    ticks = [i for i in range(bins.count) if (bins.first + i) % step == 0 or bins.count <= 3]
    return ticks, [_format_month(bins.first + i, with_year=n == 0) for n, i in enumerate(ticks)]


def _format_month(month: int, with_year: bool) -> str:
    name = datetime(month // 12, month % 12 + 1, 1).strftime("%b")
    return f"{name}\n{month // 12}" if with_year or month % 12 == 0 else name
