"""Where and when the photos of a collection were taken, as arrays, for maps and timelines."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from imagesearch.local_times import SECONDS_A_DAY
from imagesearch.store.schema import Hit


@dataclass(frozen=True)
class PhotoFacts:
    """Facts about all photos of a collection, the newest first; those without a time are last.

    Attributes
    ----------
    ids : (n,) int64
        Photo ids.
    has_time, has_position : (n,) bool
        Whether the time and the position of a photo are known.
    times : (n,) int64
        ``taken_at``: seconds since 1970, local time; 0 if unknown.
    latitudes, longitudes : (n,) float64
        Degrees; 0 if unknown.
    faces : (n,) int64
        Number of faces; -1 if the photo was not searched for faces.
    cities : (n,) object
        City; empty if unknown.
    """

    ids: np.ndarray = field(default_factory=partial(np.empty, 0, np.int64))
    has_time: np.ndarray = field(default_factory=partial(np.empty, 0, bool))
    times: np.ndarray = field(default_factory=partial(np.empty, 0, np.int64))
    has_position: np.ndarray = field(default_factory=partial(np.empty, 0, bool))
    latitudes: np.ndarray = field(default_factory=partial(np.empty, 0, np.float64))
    longitudes: np.ndarray = field(default_factory=partial(np.empty, 0, np.float64))
    faces: np.ndarray = field(default_factory=partial(np.empty, 0, np.int64))
    cities: np.ndarray = field(default_factory=partial(np.empty, 0, object))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def days(self) -> np.ndarray:
        """Days since 1970 of the photos with a time, the newest first, (m,) int64."""
        return np.floor_divide(self.times[self.has_time], SECONDS_A_DAY)

    def find_range(self, first: int, end: int) -> np.ndarray:
        """Return the ids of the photos from one time until before another, the newest first."""
        return self.ids[self.has_time & (self.times >= first) & (self.times < end)]


class PhotoFactsBuilder:
    """Collects the facts about photos, one row of a collection after the other.

    Attributes
    ----------
    fields : tuple of str
        The fields that a row must have.
    """

    fields = ("has_time", "taken_at", "has_gps", "latitude", "longitude", "city", "face_count")

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in self.fields}
        self._cities: dict[str, str] = {}

    def add(self, row: Hit) -> None:
        """Add a photo."""
        self._ids.append(row.id)
        for name, column in self._columns.items():
            column.append(row.fields[name])
        city = self._columns["city"]
        city[-1] = self._cities.setdefault(city[-1], city[-1])  # one text for all photos of a city

    def build(self) -> PhotoFacts:
        """Return the facts about all photos that were added."""
        columns = self._columns
        has_time = np.array(columns["has_time"], bool)
        times = np.where(has_time, np.array(columns["taken_at"], np.int64), 0)
        ids = np.array(self._ids, np.int64)
        order = np.lexsort((ids, -times, ~has_time))
        facts = (
            *(ids, has_time, times, np.array(columns["has_gps"], bool)),
            *(np.array(columns[name], np.float64) for name in ("latitude", "longitude")),
            *(np.array(columns["face_count"], np.int64), np.array(columns["city"], object)),
        )
        return PhotoFacts(*(column[order] for column in facts))
