"""What a time in a sentence means: days once, days of every year, weekdays or hours, and operations on them.

Every condition requires that the time of a photo is known. A time is the local time of the camera, in seconds
since 1970, as if it were UTC; collections store it in this form. A season belongs to the year in which it
ends: winter 2023 in the north and summer 2023 in the south both last from December 2022 to February 2023.
Photos from south of the equator have southern seasons. Photos without a position (latitude 0) have northern
ones.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from imagesearch.filters import And, Between, Condition, Eq, In, Not, Or
from imagesearch.local_times import count_day_seconds

DAY = timedelta(days=1)
_HAS_TIME = Eq("has_time", True)
_NORTH, _SOUTH = Between("latitude", low=0.0), Between("latitude", high=0.0)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_SIZES = {"weekday": 7, "hour": 24, "day": 31}


@dataclass(frozen=True)
class DateRange:
    """The days from ``start`` to the day before ``end``. None means no limit."""

    start: date | None
    end: date | None

    @property
    def condition(self) -> Condition:
        """The condition that a photo whose time is known was taken in the range.

        Scans often have a year or a month only, and are stored at its beginning, without a month or a day. A
        range that has this beginning, but not the whole year or month, leaves them out.
        """
        between = Between("taken_at", *(day and count_day_seconds(day) for day in (self.start, self.end)))
        left_out: list[Condition] = []
        if self.start is not None and self.end is not None:
            last = self.end - DAY
            first_days = {"month": date(last.year, 1, 1), "day": last.replace(day=1)}
            ends = {"month": (last.year + 1, 1), "day": (last.year + last.month // 12, last.month % 12 + 1)}
            left_out = [
                Not(And((Eq(field, 0), Eq("taken_at", count_day_seconds(first)))))
                for field, first in first_days.items()
                if self.start <= first and (self.end.year, self.end.month, self.end.day) < (*ends[field], 1)
            ]
        return And((between, *left_out)) if left_out else between

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return f"before {self.end}" if self.start is None else f"since {self.start}"
        last = self.end - DAY
        return str(self.start) if last == self.start else f"{self.start} to {last}"


@dataclass(frozen=True)
class Once:
    """Days that do not recur: in the north and in the south.

    Times of one ``family`` are alternatives when *and* or a comma stands between them. ``anchor`` is the day
    from which others are counted: 25 December for Christmas. ``weekly`` is the weekday if these days are the
    latest of it: *on sunday*.
    """

    sides: tuple[DateRange, DateRange]
    family: str = "period"
    anchor: date | None = None
    weekly: Cycle | None = None

    @property
    def condition(self) -> Condition:
        return And((_HAS_TIME, _join_sides(*(side.condition for side in self.sides))))

    @property
    def dates(self) -> str:
        north, south = self.sides
        return str(north) if north == south else f"{north}; south of the equator {south}"

    @property
    def start(self) -> date:
        """The first day in the north."""
        return self.sides[0].start or date.min

    @property
    def end(self) -> date:
        """The day after the last in the north."""
        return self.sides[0].end or date.max

    @property
    def is_day(self) -> bool:
        return self.end - self.start == DAY

    def convert(self, function: Callable[[Any, Any], tuple[date | None, date | None]], family: str) -> Once:
        """Return the days whose start and end a function computes from the start and end of these."""
        north, south = (DateRange(*function(side.start, side.end)) for side in self.sides)
        return Once((north, south), family)


@dataclass(frozen=True)
class Yearly:
    """Days of every year. ``in_year`` raises ValueError for a year that does not have them."""

    in_year: Callable[[int], Time]
    family: str = "period"
    years: range = range(1990, 2041)
    dates = ""

    @functools.cached_property
    def condition(self) -> Condition:
        times = self.list_occurrences(self.years[-5:])
        if len({(time.start.month, time.start.day, time.end.month, time.end.day) for time in times}) > 1:
            times = self.list_occurrences(self.years)  # they move
        if not times:
            raise ValueError("no year has these days")
        sides = (_make_yearly_condition([time.sides[i] for time in times]) for i in (0, 1))
        return And((_HAS_TIME, _join_sides(*sides)))

    def list_occurrences(self, years: Iterable[int]) -> list[Once]:
        """Return the days of these years, without the years that do not have them."""
        occurrences: list[Once] = []
        for year in years:
            try:
                time = self.in_year(year)
            except (ValueError, OverflowError, LookupError):
                continue
            parts = time.parts if isinstance(time, Either) else (time,)
            occurrences += [part for part in parts if isinstance(part, Once)]
        return occurrences


@dataclass(frozen=True)
class Cycle:
    """Weekdays (0 means Monday), hours or days of a month, from ``first`` to ``last``, or over the end.

    ``limit`` is the hour in which a clock time ends a range: 8 for *until 8*, 9 for *until 8:30*.
    """

    family: str
    first: int
    last: int
    limit: int | None = None

    @property
    def condition(self) -> Condition:
        size = _SIZES[self.family]
        values = tuple((self.first + i) % size for i in range((self.last - self.first) % size + 1))
        condition = Eq(self.family, self.first) if len(values) == 1 else In(self.family, values)
        return And((_HAS_TIME, condition))

    @property
    def dates(self) -> str:
        return f"{self.first}:00 to {self.last + 1}:00" if self.family == "hour" else ""


@dataclass(frozen=True)
class Both:
    """Times that must all hold: *sunday mornings*."""

    parts: tuple[Time, ...]

    @property
    def family(self) -> str:
        return self.parts[0].family

    @property
    def condition(self) -> Condition:
        return And(tuple(part.condition for part in self.parts))

    @property
    def dates(self) -> str:
        return " ".join(filter(None, (part.dates for part in self.parts)))


@dataclass(frozen=True)
class Either(Both):
    """Alternatives: *may or june*."""

    @property
    def condition(self) -> Condition:
        return Or(tuple(part.condition for part in self.parts))

    @property
    def dates(self) -> str:
        return ", ".join(filter(None, (part.dates for part in self.parts)))


Time = Once | Yearly | Cycle | Both


def make_days(start: date, end: date | None = None, family: str = "day", anchor: date | None = None) -> Once:
    """Return the days from ``start`` to the day before ``end``, or one day."""
    days = DateRange(start, start + DAY if end is None else end)
    return Once((days, days), family, anchor)


def make_months(year: int, month: int, count: int = 1, family: str = "month") -> Once:
    """Return a number of months from a given one."""
    start = date(year, month, 1)
    return make_days(start, add_units(start, "month", count), family)


def add_units(day: date, unit: str, count: int) -> date:
    """Return the day a number of days, weeks, months, quarters or years after a day."""
    if unit in ("day", "week"):
        return day + count * (7 if unit == "week" else 1) * DAY
    year, month = divmod(12 * day.year + day.month - 1 + count * _MONTHS[unit], 12)
    first = date(year, month + 1, 1)
    return first.replace(day=min(day.day, calendar.monthrange(year, month + 1)[1]))


def negate(condition: Condition) -> Condition:
    """Return the condition that the time of a photo is known and does not fulfil a condition."""
    return And((_HAS_TIME, Not(condition)))


def apply_to(time: Time, function: Callable[[Once], Time]) -> Time:
    """Apply a function to the days of a time, or to those of every year.

    Raises
    ------
    ValueError
        If the time is not days.
    """
    if isinstance(time, Either):
        return Either(tuple(apply_to(part, function) for part in time.parts))
    if isinstance(time, Yearly):
        return Yearly(lambda year: apply_to(time.in_year(year), function), time.family, time.years)
    if isinstance(time, Once):
        return function(time)
    raise ValueError("no days")


def join_times(first: Time, last: Time) -> Time:
    """Return the time from one time to another. One that recurs has the year of the other.

    Raises
    ------
    ValueError, LookupError
        If no time lies between them.
    """
    if isinstance(first, Once) and first.weekly and isinstance(last, Once) and last.weekly:
        first, last = first.weekly, last.weekly
    if isinstance(first, Cycle) and isinstance(last, Cycle) and first.family == last.family:
        return Cycle(first.family, first.first, last.last if last.limit is None else last.limit - 1)
    if isinstance(first, Yearly) and isinstance(last, Yearly):
        return Yearly(lambda year: join_times(first.in_year(year), last), "month", first.years)
    if isinstance(first, Once) and isinstance(last, Yearly):
        year = first.start.year
        last = min(
            (time for time in last.list_occurrences((year, year + 1)) if time.start >= first.start),
            key=lambda time: time.start,
        )
    if isinstance(first, Yearly) and isinstance(last, Once):
        year, start = (last.end - DAY).year, last.start
        first = [time for time in first.list_occurrences((year - 1, year)) if time.start <= start][-1]
    if isinstance(first, Once) and isinstance(last, Once):
        pairs = [(a, b) if a.start < b.end else (b, a) for a, b in zip(first.sides, last.sides, strict=True)]
        north, south = (DateRange(a.start, b.end) for a, b in pairs)
        return Once((north, south))
    raise ValueError("no time from one to the other")


def list_occurrences(time: Time, today: date, back: int) -> list[Once]:
    """Return the days of a time that recurs, from some years or weeks ago to the next year or week."""
    if isinstance(time, Once) and time.weekly:
        time = time.weekly
    if isinstance(time, Once) and time.family == "trip":
        return [time]
    if isinstance(time, Yearly):
        return time.list_occurrences(range(today.year - back, today.year + 2))
    if isinstance(time, Either):
        times = (once for part in time.parts for once in list_occurrences(part, today, back))
        return sorted(times, key=lambda once: once.start)
    if not isinstance(time, Cycle) or time.family != "weekday":
        raise ValueError("no days that recur")
    starts = [today + (time.first - today.weekday() + 7 * week) * DAY for week in range(-back - 1, 2)]
    return [make_days(start, start + ((time.last - time.first) % 7 + 1) * DAY) for start in starts]


def find_latest(time: Time, today: date, count: int = 1) -> Once:
    """Return the last occurrence that ended before today, or an earlier one, on each side of the equator."""
    times = list_occurrences(time, today, count + 1)
    ended = ([once.sides[i] for once in times if (once.sides[i].end or today) <= today] for i in (0, 1))
    north, south = (ranges[-count] for ranges in ended)
    return Once((north, south), times[0].family)


# --- conditions on the months and days of every year -------------------------------------------------------


def _join_sides(north: Condition, south: Condition) -> Condition:
    return north if north == south else Or((And((_NORTH, north)), And((_SOUTH, south))))


def _make_yearly_condition(ranges: Sequence[DateRange]) -> Condition:
    """Return a condition on the month and day, if the ranges are the same in all years.

    A weekday of a month, such as the fourth Thursday of November, is recognized. Other days that move are
    listed.
    """
    limits = [(days.start, days.end - DAY) for days in ranges if days.start and days.end]
    if len({(first.month, first.day, (last + DAY).month, (last + DAY).day) for first, last in limits}) == 1:
        return _make_days_condition(*limits[-1])
    days = {first.day for first, last in limits if first == last}
    if len(days) == 7 and len({(first.month, first.weekday()) for first, _ in limits}) == 1:
        first = limits[0][0]
        parts = (
            Eq("month", first.month),
            Eq("weekday", first.weekday()),
            Between("day", min(days), max(days) + 1),
        )
        return And(parts)
    return Or(tuple(days.condition for days in ranges))


def _make_days_condition(first: date, last: date) -> Condition:
    """Return the condition on the months and days of one year for the days of every year."""
    if first.day == 1 and (last + DAY).day == 1:
        return _make_months_condition(first.month, last.month)
    if first.month == last.month and first <= last:
        day = Eq("day", first.day) if first == last else Between("day", first.day, last.day + 1)
        return And((Eq("month", first.month), day))
    parts = [
        And((Eq("month", first.month), Between("day", first.day))),
        And((Eq("month", last.month), Between("day", 1, last.day + 1))),
    ]
    between = (last.month - first.month - 1) % 12
    if between:
        parts.append(_make_months_condition(first.month % 12 + 1, (first.month + between - 1) % 12 + 1))
    return Or(tuple(parts))


def _make_months_condition(first: int, last: int) -> Condition:
    """Return a condition on the months from one to another; from November to February spans the new year."""
    months = tuple((first - 1 + i) % 12 + 1 for i in range((last - first) % 12 + 1))
    return Eq("month", first) if len(months) == 1 else In("month", months)
