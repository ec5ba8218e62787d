"""Trips as times of a sentence, so that "the first day of the goa trip" is computed like other days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from imagesearch.filters import And, Condition, Eq, Not
from imagesearch.query.times.values import Both, DateRange, Once, Time


@dataclass(frozen=True)
class TripDays(Once):
    """The photos of a trip, or of some of its days.

    A photo of these days that was taken at home, or on another trip, does not fulfil the condition. A photo
    of the trip without a position does.

    Attributes
    ----------
    trip
        Its name.
    is_named
        Whether the user named it.
    first, last
        The times of its first and last photo.
    is_whole
        Whether all photos of the trip are meant.
    """

    trip: str = ""
    is_named: bool = False
    first: datetime = datetime.min
    last: datetime = datetime.max
    is_whole: bool = True

    @property
    def condition(self) -> Condition:
        is_on_trip = Eq("trip", self.trip)
        return is_on_trip if self.is_whole else And((is_on_trip, super().condition))

    @property
    def dates(self) -> str:
        return f"{self.trip}: {super().dates}" if self.is_named else super().dates

    def convert(self, function: Callable[[Any, Any], tuple[date | None, date | None]], family: str) -> Once:
        """Return days of the trip, or other days that are counted from it, such as the day before."""
        days = super().convert(function, family)
        if self.start <= days.start and days.end <= self.end:
            return replace(self, sides=days.sides, family=family, is_whole=False)
        return days

    def select(self, days: DateRange) -> TripDays:
        """Return some days of the trip."""
        return replace(self, sides=(days, days), family="period", is_whole=False)


@dataclass(frozen=True)
class AnyTrip:
    """The photos of all trips."""

    family: str = "trips"
    dates: str = ""

    @property
    def condition(self) -> Condition:
        return Not(Eq("trip", ""))


def iterate_trips(time: Time | None) -> Iterator[str]:
    """Yield the names of the trips in a time."""
    if isinstance(time, TripDays):
        yield time.trip
    elif isinstance(time, Both):
        for part in time.parts:
            yield from iterate_trips(part)
