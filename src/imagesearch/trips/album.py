"""The trips of an album: found by times and positions, named by places or by the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from imagesearch.local_times import measure_seconds
from imagesearch.text import normalize
from imagesearch.trips.decisions import PhotoReference, TripName
from imagesearch.trips.names import find_smallest, name_days, name_months, name_place
from imagesearch.trips.sessions import NO_TRIP, group_trips

_MAX_NAME_BYTES = 480  # the field in collections has 512


@dataclass(frozen=True)
class TripPhoto:
    """What is known of a photo; ``places`` are the names in its address, each with its kind."""

    photo_id: int
    reference: PhotoReference
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    places: tuple[tuple[str, str], ...] = ()
    camera: str = ""


@dataclass(frozen=True)
class Trip:
    """A trip.

    Attributes
    ----------
    name
        The user's name, or the place and the month. All trips of an album have different names.
    photos
        The photos, in the order of their times.
    is_named
        Whether the user named it.
    """

    name: str
    photos: tuple[TripPhoto, ...]
    is_named: bool = False
    places: Counter[str] = field(default_factory=Counter, compare=False)
    """The number of photos at each place, by normalized name."""
    cities: Sequence[str] = ()
    """The cities, or else the smallest larger places, the most photographed first."""

    @property
    def first(self) -> datetime:
        """The time of the first photo."""
        return min(photo.taken_at for photo in self.photos if photo.taken_at is not None)

    @property
    def last(self) -> datetime:
        """The time of the last photo."""
        return max(photo.taken_at for photo in self.photos if photo.taken_at is not None)


def find_trips(photos: Sequence[TripPhoto], names: Sequence[TripName] = ()) -> list[Trip]:
    """Find the trips of an album, the oldest first.

    Parameters
    ----------
    photos
        The photos of the album. Those without a time belong to no trip.
    names
        The user's names, the oldest first. A name belongs to the trip with most of its photos. If most of
        them are in no trip any more, they are a trip of their own. Trips with the same name are one trip.
    """
    numbers = group_trips(*_make_columns(photos), [photo.camera for photo in photos])
    given: dict[int, str] = {}
    for decision in names:
        _apply_name(decision, photos, numbers, given)
    groups: dict[int | str, list[TripPhoto]] = {}
    for photo, number in zip(photos, numbers.tolist(), strict=True):
        if number != NO_TRIP:
            key = normalize(given[number]) if given.get(number) else number
            groups.setdefault(key, []).append(photo)
    spelling = {normalize(name): name for name in given.values()}
    trips = [
        _make_trip(found, spelling.get(key, "") if isinstance(key, str) else "")
        for key, found in groups.items()
    ]
    return _name_trips(sorted(trips, key=lambda trip: (trip.first, trip.last)))


def _make_columns(photos: Sequence[TripPhoto]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return local times in seconds, latitudes and longitudes, (n,) float64; NaN if unknown."""
    times = [np.nan if p.taken_at is None else measure_seconds(p.taken_at) for p in photos]
    latitudes = [np.nan if photo.latitude is None else photo.latitude for photo in photos]
    longitudes = [np.nan if photo.longitude is None else photo.longitude for photo in photos]
    return np.array(times, np.float64), np.array(latitudes, np.float64), np.array(longitudes, np.float64)


def _apply_name(
    decision: TripName, photos: Sequence[TripPhoto], numbers: np.ndarray, given: dict[int, str]
) -> None:
    """Name the trip with most of the photos of a decision."""
    paths, contents = {path for path, _ in decision.photos}, {content for _, content in decision.photos}
    is_here = [p.taken_at is not None and p.reference[0] in paths for p in photos]
    rows = [i for i, found in enumerate(is_here) if found]
    known = {photos[i].reference[1] for i in rows}
    moved = contents - known - {""}
    rows += [
        i for i, p in enumerate(photos) if p.taken_at and not is_here[i] and moved and p.reference[1] in moved
    ]
    if not rows:
        return
    number, count = Counter(numbers[rows].tolist()).most_common(1)[0]
    if number == NO_TRIP and decision.name and 2 * count > len(rows):
        number = int(numbers.max(initial=NO_TRIP)) + 1
        numbers[[row for row in rows if numbers[row] == NO_TRIP]] = number
    if number != NO_TRIP:
        given[number] = decision.name


def _make_trip(photos: list[TripPhoto], name: str) -> Trip:
    photos = sorted(photos, key=lambda photo: (photo.taken_at or datetime.min, photo.photo_id))
    places: Counter[str] = Counter()
    cities: Counter[str] = Counter()
    for names, count in Counter(photo.places for photo in photos if photo.places).items():
        places.update(dict.fromkeys({normalize(name) for name, _ in names} - {""}, count))
        cities[find_smallest(names)] += count
    ranked = sorted(cities, key=lambda city: (-cities[city], city))
    return Trip(name, tuple(photos), bool(name), places, ranked)


def _name_trips(trips: list[Trip]) -> list[Trip]:
    """Return the trips with names; the days are in a name if two trips would have the same one."""
    places = [name_place([p.places for p in trip.photos if p.places]) or "Trip" for trip in trips]
    names = [
        trip.name or f"{place}, {name_months(trip.first, trip.last)}"
        for trip, place in zip(trips, places, strict=True)
    ]
    counts = Counter(map(normalize, names))
    taken: set[str] = set()
    named = []
    for trip, place, name in zip(trips, places, names, strict=True):
        if counts[normalize(name)] > 1 and not trip.is_named:
            name = f"{place}, {name_days(trip.first, trip.last)}"
        number, base = 2, name
        while normalize(name) in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(normalize(name))
        named.append(replace(trip, name=_shorten(name)))
    return named


def _shorten(name: str) -> str:
    return name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
