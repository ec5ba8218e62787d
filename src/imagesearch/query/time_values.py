"""What a time in a sentence means: days once, days of every year, weekdays or hours, and operations on them.

Every condition requires that the time of a photo is known. A time is the local time of the camera, in seconds
since 1970, as if it were UTC; collections store it in this form. A season belongs to the year in which it
ends: winter 2023 in the north and summer 2023 in the south both last from December 2022 to February 2023.
Photos from south of the equator have southern seasons. Photos without a position (latitude 0) have northern
ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from imagesearch.filters import And, Between, Condition, Eq, In, Not, Or

_HAS_TIME = Eq("has_time", True)
_NORTH, _SOUTH = Between("latitude", low=0.0), Between("latitude", high=0.0)
_SIZES = {"weekday": 7, "hour": 24}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class DateRange:
    """The days from ``start`` to the day before ``end``. None means no limit."""

    start: date | None
    end: date | None

    @property
    def condition(self) -> Condition:
        """The condition that a photo with a known time was taken in the range."""
        return Between("taken_at", *(day and _to_seconds(day) for day in (self.start, self.end)))

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return f"before {self.end}" if self.start is None else f"since {self.start}"
        last = self.end - DAY
        return str(self.start) if last == self.start else f"{self.start} to {last}"


@dataclass(frozen=True)
class Once:
    """Days that do not recur.

    Attributes
    ----------
    north, south
        The days in each hemisphere. ``south`` is None if they are the same.
    family
        Times of one family are alternatives when *and* or a comma stands between them.
    anchor
        The day from which others are counted, if it is not all days: 25 December for Christmas.
    weekly
        The weekday, if the day is the latest of it: *on sunday*.
    """

    north: DateRange
    south: DateRange | None = None
    family: str = "period"
    anchor: date | None = None
    weekly: Cycle | None = None

    @property
    def condition(self) -> Condition:
        if self.south in (None, self.north):
            return And((_HAS_TIME, self.north.condition))
        return And((_HAS_TIME, _divide(self.north.condition, self.south.condition)))  # type: ignore[union-attr]

    @property
    def dates(self) -> str:
        """The days in words."""
        return str(self.north) + (f"; south of the equator {self.south}" if self.south else "")

    @property
    def counted(self) -> Once:
        """The days from which others are counted."""
        return self if self.anchor is None else make_days(self.anchor, family=self.family)

    @property
    def days(self) -> int:
        """The number of days in the north."""
        return (self.end - self.start).days

    @property
    def start(self) -> date:
        """The first day in the north."""
        return self.north.start or date.min

    @property
    def end(self) -> date:
        """The day after the last in the north."""
        return self.north.end or date.max

    def convert(self, function: Callable[[Any, Any], tuple[date | None, date | None]]) -> Once:
        """Return the days whose start and end a function computes from the start and end of these."""
        south = self.south and DateRange(*function(self.south.start, self.south.end))
        return Once(DateRange(*function(self.north.start, self.north.end)), south)


@dataclass(frozen=True)
class Yearly:
    """Days of every year. ``in_year`` raises ValueError for a year that does not have them."""

    in_year: Callable[[int], Time]
    family: str = "period"
    years: range = range(1990, 2041)
    dates = ""

    @functools.cached_property
    def condition(self) -> Condition:
        recent = self.list_occurrences(self.years[-5:])
        # 5 years show whether days move; if they do, each year has its own
        all_years = recent if len(_list_bounds(recent)) < 2 else self.list_occurrences(self.years)
        if not all_years:
            raise ValueError("no year has these days")
        north = _make_yearly_condition([time.north for time in all_years])
        if all(time.south is None for time in all_years):
            return And((_HAS_TIME, north))
        south = _make_yearly_condition([time.south or time.north for time in all_years])
        return And((_HAS_TIME, _divide(north, south)))

    def list_occurrences(self, years: Sequence[int]) -> list[Once]:
        """Return the days of these years, without the years that do not have them."""
        occurrences: list[Once] = []
        for year in years:
            try:
                occurrences += _flatten(self.in_year(year))
            except (ValueError, OverflowError):
                continue
        return occurrences


@dataclass(frozen=True)
class Cycle:
    """Weekdays (0 means Monday) or hours, from ``first`` to ``last``, possibly over the end of the cycle.

    ``limit`` is where the hours of a clock time end if it is the end of a range: 8 for *until 8*.
    """

    field: str
    first: int
    last: int
    limit: int | None = None

    @property
    def family(self) -> str:
        return self.field

    @property
    def values(self) -> tuple[int, ...]:
        size = _SIZES[self.field]
        return tuple((self.first + i) % size for i in range((self.last - self.first) % size + 1))

    @property
    def condition(self) -> Condition:
        if len(self.values) == 1:
            return And((_HAS_TIME, Eq(self.field, self.first)))
        if self.field == "weekday":
            return And((_HAS_TIME, In("weekday", self.values)))
        if self.first <= self.last:
            return And((_HAS_TIME, Between("hour", self.first, self.last + 1)))
        return And((_HAS_TIME, Or((Between("hour", self.first), Between("hour", 0, self.last + 1)))))

    @property
    def dates(self) -> str:
        """The hours in words."""
        return f"{self.first}:00 to {self.last + 1}:00" if self.field == "hour" else ""


@dataclass(frozen=True)
class Both:
    """Times that must both hold: *sunday mornings*."""

    parts: tuple[Time, ...]
    family: str = "both"

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
    return Once(DateRange(start, start + DAY if end is None else end), family=family, anchor=anchor)


def make_months(year: int, month: int, count: int = 1, family: str = "month") -> Once:
    """Return a number of months from a given one. Month 0 is the December of the year before."""
    start = add_units(date(year, 1, 1), "month", month - 1)
    return make_days(start, add_units(start, "month", count), family)


def add_units(day: date, unit: str, count: int) -> date:
    """Return the day a number of days, weeks, months, quarters or years after a day."""
    if unit in ("day", "week"):
        return day + count * (7 if unit == "week" else 1) * DAY
    from dateutil.relativedelta import relativedelta

    return day + relativedelta(months=count * {"month": 1, "quarter": 3, "year": 12}[unit])


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
    ValueError
        If no time lies between them.
    """
    if isinstance(first, Once) and first.weekly and isinstance(last, Once) and last.weekly:
        first, last = first.weekly, last.weekly
    if isinstance(first, Cycle) and isinstance(last, Cycle) and first.field == last.field:
        return Cycle(first.field, first.first, last.last if last.limit is None else last.limit - 1)
    if isinstance(first, Yearly) and isinstance(last, Yearly):
        return Yearly(lambda year: _join_later(_get_once(first, year), last, year), "month", first.years)
    if isinstance(first, Yearly) and isinstance(last, Once) and last.north.end:
        year = (last.north.end - DAY).year
        begins_later = _get_once(first, year).start > last.start
        return _join_days(_get_once(first, year - begins_later), last)
    if isinstance(first, Once) and isinstance(last, Yearly):
        return _join_later(first, last, first.start.year)
    if isinstance(first, Once) and isinstance(last, Once):
        return _join_days(first, last)
    raise ValueError("no time from one to the other")


def _join_later(first: Once, last: Yearly, year: int) -> Once:
    """Join days to those of a year, or of the next year if they begin earlier."""
    end = _get_once(last, year)
    return _join_days(first, _get_once(last, year + 1) if end.start < first.start else end)


def _join_days(first: Once, last: Once) -> Once:
    """Return the days from the start of one to the end of another, in their order."""
    sides = []
    for low, high in ((first.north, last.north), (first.south or first.north, last.south or last.north)):
        if low.start and high.end and low.start >= high.end:
            low, high = high, low
        sides.append(DateRange(low.start, high.end))
    return Once(sides[0], None if sides[0] == sides[1] else sides[1])


def _get_once(time: Yearly, year: int) -> Once:
    days = time.in_year(year)
    if not isinstance(days, Once):
        raise ValueError("several times a year")
    return days


def _flatten(time: Time) -> Iterator[Once]:
    for part in time.parts if isinstance(time, Both) else (time,):
        if isinstance(part, Once):
            yield part


def list_occurrences(time: Time, today: date, back: int) -> list[Once]:
    """Return the days of a time that recurs, from some years or weeks ago to the next year or week."""
    if isinstance(time, Once) and time.weekly:
        time = time.weekly
    if isinstance(time, Yearly):
        return time.list_occurrences(range(today.year - back, today.year + 2))
    if isinstance(time, Either):
        parts = (once for part in time.parts for once in list_occurrences(part, today, back))
        return sorted(parts, key=lambda once: once.start)
    if not isinstance(time, Cycle) or time.field != "weekday":
        raise ValueError("no days that recur")
    first = today + (time.first - today.weekday()) * DAY
    length = len(time.values) * DAY
    return [make_days(first + 7 * i * DAY, first + 7 * i * DAY + length) for i in range(-back - 1, 2)]


def find_latest(time: Time, today: date, count: int = 1) -> Once:
    """Return the last occurrence that ended before today, or an earlier one, in each hemisphere."""
    occurrences = list_occurrences(time, today, count + 1)
    sides = ([once.north for once in occurrences], [once.south or once.north for once in occurrences])
    north, south = ([side for side in ranges if side.end and side.end <= today][-count] for ranges in sides)
    return Once(north, None if south == north else south, family=occurrences[0].family)


# --- conditions on the months and days of every year -------------------------------------------------------


def _divide(north: Condition, south: Condition) -> Condition:
    return Or((And((_NORTH, north)), And((_SOUTH, south))))


def _list_bounds(times: Sequence[Once]) -> set[tuple[int, int, int, int]]:
    limits = ((time.north.start, time.north.end) for time in times)
    return {(a.month, a.day, b.month, b.day) for a, b in limits if a and b}


def _make_yearly_condition(ranges: Sequence[DateRange]) -> Condition:
    """Return a condition on the month and day, if the ranges are the same in all years.

    A weekday of a month, such as the fourth Thursday of November, is recognized. Other days that move are
    listed.
    """
    limits = [(days.start, days.end - DAY) for days in ranges if days.start and days.end]
    if len({(a.month, a.day, (b + DAY).month, (b + DAY).day) for a, b in limits}) == 1:
        return _make_days_condition(*limits[-1])
    firsts = [first for first, last in limits if first == last]
    numbers = [first.day for first in firsts]
    if len(firsts) == len(limits) and len({(first.month, first.weekday()) for first in firsts}) == 1:
        if max(numbers) - min(numbers) == 6:
            month, weekday = firsts[0].month, firsts[0].weekday()
            days = Between("day", min(numbers), max(numbers) + 1)
            return And((Eq("month", month), Eq("weekday", weekday), days))
    return Or(tuple(days.condition for days in ranges))


def _make_days_condition(first: date, last: date) -> Condition:
    """Return the condition on the months and days of one year for the days of every year."""
    if first.day == 1 and (last + DAY).day == 1:
        return _make_months_condition(first.month, last.month)
    if first.month == last.month and first <= last:
        is_day = first.day == last.day
        day = Eq("day", first.day) if is_day else Between("day", first.day, last.day + 1)
        return And((Eq("month", first.month), day))
    parts = [
        And((Eq("month", first.month), Between("day", first.day))),
        And((Eq("month", last.month), Between("day", high=last.day + 1))),
    ]
    between = (last.month - first.month - 1) % 12
    if between:
        parts.append(_make_months_condition(first.month % 12 + 1, (first.month + between - 1) % 12 + 1))
    return Or(tuple(parts))


def _make_months_condition(first: int, last: int) -> Condition:
    """Return a condition on the months from one to another; from November to February spans the new year."""
    months = tuple((first - 1 + i) % 12 + 1 for i in range((last - first) % 12 + 1))
    return Eq("month", first) if len(months) == 1 else In("month", months)


def _to_seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400
