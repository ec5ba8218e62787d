"""Lists the newest or the oldest photos that pass a filter. Milvus Lite cannot sort its results."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagesearch.filters import And, Between, Condition, Eq, get_bounds
from imagesearch.store.schema import MAX_HITS

_MAX_SORTED = 300  # maximum number of photos that are sorted at once; more are queried period by period

PhotoTime = tuple[int, int | None]
"""The key of a photo, and its time; None if it is unknown."""


@dataclass(frozen=True)
class DateListing:
    """What to list.

    Attributes
    ----------
    periods
        Times that divide the photos into periods of about 500 photos, newest first.
    newest_first
        Whether the newest photos are listed; else the oldest.
    """

    where: Condition
    limit: int
    periods: Sequence[int]
    newest_first: bool

    def collect_keys(self, read_times: Callable[[Condition, int], list[PhotoTime]]) -> tuple[list[int], int]:
        """Return the keys of the first photos, undated photos last, and how many pass the filter.

        If few photos pass, all of them are sorted. Otherwise one period after another is queried.

        Parameters
        ----------
        read_times
            Returns the keys and times of up to a number of photos that pass a filter; Milvus chooses which.

        Returns
        -------
        keys : list of int
        passing_count : int
            It is exact up to 300.
        """
        # If many photos are requested, one query is faster: 75 ms for 50,000 photos, and 1.4 s with periods.
        most = min(max(self.limit, _MAX_SORTED), MAX_HITS - 1)
        times = read_times(self.where, most + 1)
        keys = self._select(times, self.limit) if len(times) <= most else self._collect_by_period(read_times)
        return keys, len(times)

    def _collect_by_period(self, read_times: Callable[[Condition, int], list[PhotoTime]]) -> list[int]:
        edges, where = self._list_edges(), self.where
        keys: list[int] = []
        start, width = 0, 1
        while start < len(edges) - 1 and len(keys) < self.limit:
            end = min(start + width, len(edges) - 1)
            bounds = (None if math.isinf(edge) else edge for edge in sorted((edges[start], edges[end])))
            within = And((where, Eq("has_time", True), Between("taken_at", *bounds)))
            times = read_times(within, MAX_HITS if width == 1 else _MAX_SORTED + 1)
            if len(times) > _MAX_SORTED and width > 1:
                width = 1
                continue
            keys += self._select(times, self.limit - len(keys))
            # If a period has no passing photos, the next query covers twice as many periods.
            start, width = end, 1 if times else 2 * width
        if len(keys) < self.limit:
            undated = read_times(And((where, Eq("has_time", False))), MAX_HITS)
            keys += self._select(undated, self.limit - len(keys))
        return keys

    def _list_edges(self) -> list[float]:
        """Return the times between which periods lie, in the order in which they are queried."""
        low, high = get_bounds(self.where, "taken_at")
        edges = [high, *(time for time in self.periods if low < time < high), low]
        return edges if self.newest_first else edges[::-1]

    def _select(self, times: Sequence[PhotoTime], limit: int) -> list[int]:
        """Return the keys of the first photos, from pairs of key and time."""
        sign = -1 if self.newest_first else 1

        def get_rank(pair: PhotoTime) -> tuple[float, int]:
            key, time = pair
            return math.inf if time is None else sign * time, key

        return [key for key, _ in heapq.nsmallest(limit, times, get_rank)]
