"""The trips that sentences may name: by a place, by the user's name, or by their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from imagesearch.local_times import make_time
from imagesearch.query.lexicon import COMMON, EMPTY
from imagesearch.query.times.trip_days import AnyTrip, TripDays
from imagesearch.query.times.values import DAY, Either, Time, make_days
from imagesearch.query.tokenizer import split_words
from imagesearch.store import VocabularyTrip
from imagesearch.text import normalize

MARK = "\x01trip"
"""How the word starts that stands for a trip in a rewritten sentence."""
_MIN_SHARE = 0.2  # of the photos of a trip; trips with fewer at a place are meant only if there are no others


class KnownTrips:
    """The trips of a vocabulary.

    Parameters
    ----------
    trips
        The trips, the oldest first; None if the vocabulary is of an earlier version.
    """

    def __init__(self, trips: Sequence[VocabularyTrip] | None = None) -> None:
        self.are_known = trips is not None
        self.trips = tuple(trips or ())
        self._names = {split_words(trip.name): trip for trip in self.trips if trip.is_named}
        self.max_words = max(map(len, self._names), default=0)
        self._marks: dict[tuple[str, ...], int] = {}
        self._times: list[Time] = []

    # --- selection -----------------------------------------------------------------------------------------

    def find_by_places(self, keys: Sequence[str]) -> list[VocabularyTrip]:
        """Return the trips to a place, given by its normalized names; the oldest first."""
        counts = [max(trip.places.get(key, 0) for key in keys) for trip in self.trips]
        shares = [count / trip.photos for count, trip in zip(counts, self.trips, strict=True)]
        least = _MIN_SHARE if max(shares, default=0) >= _MIN_SHARE else 0
        return [trip for trip, share in zip(self.trips, shares, strict=True) if share and share >= least]

    @staticmethod
    def select_year(
        trips: Sequence[VocabularyTrip], year: int | None, strict: bool = False
    ) -> list[VocabularyTrip]:
        """Return the trips that have days in a year. If none has, return all, unless `strict` is set."""
        found = []
        for trip in trips:
            first, last = make_time(trip.first).year, make_time(trip.last).year
            found += [trip] if year is not None and first <= year <= last else []
        return found or ([] if strict else list(trips))

    def find_by_name(self, words: tuple[str, ...]) -> VocabularyTrip | None:
        """Return the trip with this name of the user."""
        return self._names.get(words)

    def find_by_part(self, words: tuple[str, ...]) -> list[VocabularyTrip]:
        """Return the trips whose name of the user has these words, next to each other."""
        if all(word in EMPTY for word in words):
            return []
        found = []
        for name, trip in self._names.items():
            starts = range(len(name) - len(words) + 1)
            found += [trip] if any(name[i : i + len(words)] == words for i in starts) else []
        return found

    def is_common(self, words: tuple[str, ...]) -> bool:
        """Whether a name of one word may be an everyday word, which requires *the* before it."""
        return len(words) == 1 and words[0] in COMMON

    def list_begun(self, today: date) -> list[VocabularyTrip]:
        """Return the trips that have begun, the oldest first."""
        return [trip for trip in self.trips if make_time(trip.first).date() <= today]

    # --- marks in a sentence -------------------------------------------------------------------------------

    def mark(self, trips: Sequence[VocabularyTrip] | None) -> str:
        """Return the word that stands for some trips; None means all of them."""
        key = ("",) if trips is None else tuple(trip.name for trip in trips)
        if key not in self._marks:
            times = [AnyTrip()] if trips is None else [make_trip_days(trip) for trip in trips]
            self._marks[key] = len(self._times)
            self._times.append(times[0] if len(times) == 1 else Either(tuple(times)))
        return f"{MARK}{self._marks[key]}"

    def mark_name(self, name: str) -> str:
        """Return the word that stands for the trip with a name; empty if there is none."""
        trips = [trip for trip in self.trips if trip.name == name]
        return self.mark(trips) if trips else ""

    def get_time(self, number: int) -> Time:
        """Return the time of a mark, given its number."""
        return self._times[number]


def make_trip_days(trip: VocabularyTrip) -> TripDays:
    """Return the days of a trip."""
    first, last = make_time(trip.first), make_time(trip.last)
    days = make_days(first.date(), last.date() + DAY).sides
    return TripDays(days, "trip", trip=trip.name, is_named=trip.is_named, first=first, last=last)


def select_trips(name: str, known: KnownTrips) -> list[VocabularyTrip]:
    """Return the trips that ``--trip NAME`` means: by number, name, part of the user's name, or place."""
    norm, words = normalize(name), split_words(name)
    if norm.isdecimal():
        return [known.trips[int(norm) - 1]] if 1 <= int(norm) <= len(known.trips) else []
    exact = [trip for trip in known.trips if normalize(trip.name) == norm]
    return exact or known.find_by_part(words) or known.find_by_places([norm])
