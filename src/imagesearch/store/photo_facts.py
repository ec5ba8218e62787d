"""Where and when the photos of a collection were taken, as arrays, for maps and timelines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from imagesearch.store.schema import CollectionRef, Hit
from imagesearch.store.store import Store

_FIELDS = ("has_time", "taken_at", "has_gps", "latitude", "longitude", "city", "face_count")
_SECONDS_A_DAY = 86_400


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
        return np.floor_divide(self.times[self.has_time], _SECONDS_A_DAY)

    def find_range(self, first: int, end: int) -> np.ndarray:
        """Return the ids of the photos from one time until before another, the newest first."""
        return self.ids[self.has_time & (self.times >= first) & (self.times < end)]


def read_photo_facts(store: Store, ref: CollectionRef, batch: int = 2_000) -> Iterator[PhotoFacts | None]:
    """Yield None for each batch of photos that was read, and at last the facts about all photos.

    Between two batches, a caller can do other work with the connection.

    Parameters
    ----------
    batch
        Number of photos to read at once.
    """
    hits: list[Hit] = []
    for hit in store.read_all_rows(ref, _FIELDS):
        hits.append(hit)
        if len(hits) % batch == 0:
            yield None
    yield _collect_facts(hits)


def _collect_facts(hits: Sequence[Hit]) -> PhotoFacts:
    columns = {name: [hit.fields[name] for hit in hits] for name in _FIELDS}
    has_time = np.array(columns["has_time"], bool)
    times = np.where(has_time, np.array(columns["taken_at"], np.int64), 0)
    ids = np.array([hit.id for hit in hits], np.int64)
    order = np.lexsort((ids, -times, ~has_time))
    names: dict[str, str] = {}
    cities = np.array([names.setdefault(city, city) for city in columns["city"]], object)
    facts = (
        *(ids, has_time, times, np.array(columns["has_gps"], bool)),
        *(np.array(columns[name], np.float64) for name in ("latitude", "longitude")),
        *(np.array(columns["face_count"], np.int64), cities),
    )
    return PhotoFacts(*(column[order] for column in facts))
