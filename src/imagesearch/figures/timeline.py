"""A timeline: how many photos were taken in each month, and who is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.errors import UserError
from imagesearch.figures.display import new_figure, report_saved, show_figure
from imagesearch.figures.style import ACCENT, INK, QUIET, choose_person_colour
from imagesearch.figures.vector_map import (
    GREYS,
    MAX_GROUPS,
    NOBODY,
    OTHERS,
    find_photo_collection,
    write_legend,
)
from imagesearch.pipeline import Dataset
from imagesearch.store import Store, Vocabulary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TIME_INCHES = (12.0, 4.6)
_MOST_MONTHS = 120


def show_timeline(dataset: Dataset, store: Store, save: Path, window: bool) -> None:
    """Save a timeline of a dataset's photos, show it where there is a window, and say where it is.

    Raises
    ------
    UserError
        If the dataset has no collection of photos, or none of them has a time.
    """
    name = dataset.config.dataset.name
    fields = ("has_time", "taken_at", "face_labels")
    rows = [hit.fields for hit in store.read_all_rows(find_photo_collection(store, name), fields)]
    dated = [row for row in rows if row["has_time"]]
    if not dated:
        raise UserError("no photo says when it was taken: there is no timeline; run 04_extract_geo.py and 05")
    days = [datetime(1970, 1, 1) + timedelta(seconds=row["taken_at"]) for row in dated]
    left = f"; {len(rows) - len(dated):,} have no date" if len(dated) < len(rows) else ""
    title = f"{name}: {len(dated):,} photos{left}"
    cast = Vocabulary.read(dataset.folder).cast
    figure = draw_timeline(days, [row["face_labels"] for row in dated], title, cast)
    report_saved(show_figure(figure, f"timeline {name}", save=save, window=window))


def draw_timeline(
    days: Sequence[datetime], people: Sequence[Sequence[str]], title: str, cast: Sequence[str] = ()
) -> Figure:
    """Draw how many photos were taken in each month, stacked by who is in them.

    A bar is as high as the month's photos are many: one with several people is shared out among them, so
    that no photo counts twice. Beyond ten years, a bar is a year.

    Parameters
    ----------
    days
        When each photo was taken; at least one.
    people
        Who is in each; the most frequent have their colours, all others are one.
    title
        Above it.
    cast
        All named people, for their colours.
    """
    months = np.asarray([day.year * 12 + day.month - 1 for day in days])
    by_year = months.max() - months.min() + 1 > _MOST_MONTHS
    bins = months // 12 if by_year else months
    first, count = int(bins.min()), int(bins.max() - bins.min() + 1)
    frequent = [name for name, _ in Counter(n for names in people for n in names).most_common(MAX_GROUPS)]
    heights = {name: np.zeros(count) for name in (*frequent, OTHERS, NOBODY)}
    for place, names in zip((bins - first).tolist(), people, strict=True):
        for name in names or (NOBODY,):
            known = name in frequent or not names
            heights[name if known else OTHERS][place] += 1 / max(1, len(names))
    figure = new_figure(_TIME_INCHES)
    axis = figure.subplots()
    bottom, seen, drawn = np.zeros(count), set(), {}
    for name, values in heights.items():
        if values.any():
            colour = (
                choose_person_colour(name, cast) if name in frequent else GREYS[name] if frequent else ACCENT
            )
            # more people than colours: the second of one colour is hatched
            hatch = "////" if colour in seen else None
            seen.add(colour)
            style = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
            drawn[name] = axis.bar(range(count), values, 0.86, bottom, **style)
            bottom += values
    _draw_time_axis(axis, first, count, by_year)
    axis.set_title(title, color=INK, size=11, parse_math=False)
    axis.set_ylabel(f"photos a {'year' if by_year else 'month'}", color=INK)
    if frequent:
        axis.set_xlabel("a photo with several people is shared out among them", color=QUIET, size=8)
        write_legend(figure, list(drawn.values())[::-1], list(drawn)[::-1])
    return figure


def _draw_time_axis(axis: Axes, first: int, count: int, by_year: bool) -> None:
    """Write years, and months as far as there is room."""
    if by_year:
        step = 1 if count <= 20 else 5 if count <= 100 else 10
        ticks = [i for i in range(count) if (first + i) % step == 0]
        labels = [str(first + i) for i in ticks]
    else:
        step = 1 if count <= 18 else 3 if count <= 36 else 6
        ticks = [i for i in range(count) if (first + i) % step == 0 or count <= 3]
        labels = [_format_month(first + i, with_year=n == 0) for n, i in enumerate(ticks)]
    axis.set_xticks(ticks, labels)
    axis.set_xlim(-0.7, max(count, 4) - 0.3)  # one month alone is no wall
    axis.tick_params(length=0, colors=INK)
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.grid(axis="y", color=QUIET, alpha=0.3, linewidth=0.6)
    axis.set_axisbelow(True)


def _format_month(month: int, with_year: bool) -> str:
    name = datetime(month // 12, month % 12 + 1, 1).strftime("%b")
    return f"{name}\n{month // 12}" if with_year or month % 12 == 0 else name
