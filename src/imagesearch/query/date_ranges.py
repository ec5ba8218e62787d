"""Makes conditions from dates: single days, ranges, seasons of both hemispheres, holidays, recurring days.

Every condition requires that the time of a photo is known. A time is the local time of the camera, in seconds
since 1970, as if it were UTC; collections store it in this form. A season belongs to the year in which it
ends: winter 2023 in the north and summer 2023 in the south both last from December 2022 to February 2023.
Photos from south of the equator have southern seasons. Photos without a position (latitude 0) have northern
ones.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from imagesearch.filters import And, Between, Condition, Eq, In, Not, Or

_HAS_TIME = Eq("has_time", True)
_HEMISPHERES = ("north", "south")
_NORTH, _SOUTH = Between("latitude", low=0.0), Between("latitude", high=0.0)
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_SHORT_MONTHS = {name[:3]: i for i, name in enumerate(MONTH_NAMES, 1)} | {"sept": 9}
MONTHS = {name: i for i, name in enumerate(MONTH_NAMES, 1)} | _SHORT_MONTHS
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The first month of each season in the north. Southern seasons start six months later.
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


@dataclass(frozen=True)
class DateRange:
    """The days from ``start`` to the day before ``end``. None means no limit."""

    start: date | None
    end: date | None

    @property
    def condition(self) -> Condition:
        """The condition that a photo was taken in the range."""
        return And((_HAS_TIME, self.time_condition))

    @property
    def time_condition(self) -> Condition:
        """The same condition, without the requirement that the time is known."""
        low, high = (None if day is None else _to_seconds(day) for day in (self.start, self.end))
        return Between("taken_at", low, high)

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return f"before {self.end}" if self.start is None else f"since {self.start}"
        last = self.end - timedelta(days=1)
        return str(self.start) if last == self.start else f"{self.start} to {last}"


@dataclass(frozen=True)
class TimeReference:
    """The days that a date expression refers to: once, or every year or week.

    Attributes
    ----------
    north, south
        The days in each hemisphere, if they do not recur.
    recurring
        The condition on the days, if they recur.
    month
        The month, if the reference is a recurring month; else 0.
    is_ambiguous
        Whether its words often have another meaning (may, march, summer, sunday, christmas). It then
        requires a word such as *in* or *last*, or a year.
    family
        References of one family are alternatives when *and* or a comma stands between them.
    recurring_days
        The first and last day, each as (month, day), for spans of recurring days such as "may to july".
    """

    north: DateRange | None = None
    south: DateRange | None = None
    recurring: Condition | None = None
    month: int = 0
    is_ambiguous: bool = False
    family: str = "period"
    recurring_days: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def condition(self) -> Condition:
        """The condition that a photo was taken on these days."""
        if self.recurring is not None:
            return And((_HAS_TIME, self.recurring))
        assert self.north is not None
        if self.south is None or self.south == self.north:
            return self.north.condition
        sides = (And((_NORTH, self.north.time_condition)), And((_SOUTH, self.south.time_condition)))
        return And((_HAS_TIME, Or(sides)))

    @property
    def dates(self) -> str:
        """The days in words; empty if they recur."""
        if self.north is None:
            return ""
        if self.south is None or self.south == self.north:
            return str(self.north)
        return f"{self.north}; south of the equator {self.south}"

    def get_range(self, hemisphere: str) -> DateRange:
        """Return the days in one hemisphere.

        Raises
        ------
        ValueError
            If the days recur.
        """
        days = self.south if hemisphere == "south" and self.south is not None else self.north
        if days is None:
            raise ValueError("no single date range")
        return days


def make_range(start: date, end: date, family: str = "period") -> TimeReference:
    """Return the days from ``start`` to the day before ``end``."""
    return TimeReference(DateRange(start, end), family=family)


def make_day(day: date) -> TimeReference:
    """Return one day."""
    return make_range(day, day + timedelta(days=1), "day")


def join_ranges(first: TimeReference | None, last: TimeReference | None) -> TimeReference:
    """Return the days from the start of one reference to the end of another. None means no limit."""

    def join_in(hemisphere: str) -> DateRange:
        start = None if first is None else first.get_range(hemisphere).start
        end = None if last is None else last.get_range(hemisphere).end
        if start is not None and end is not None and start >= end:
            assert first is not None and last is not None
            start, end = last.get_range(hemisphere).start, first.get_range(hemisphere).end
        return DateRange(start, end)

    family = "open" if None in (first, last) else "period"
    return TimeReference(*map(join_in, _HEMISPHERES), family=family)


def make_before(reference: TimeReference) -> TimeReference:
    """Return all days before a reference."""
    starts = (reference.get_range(hemisphere).start for hemisphere in _HEMISPHERES)
    return TimeReference(*(DateRange(None, start) for start in starts), family="open")


def make_after(reference: TimeReference) -> TimeReference:
    """Return all days after a reference."""
    ends = (reference.get_range(hemisphere).end for hemisphere in _HEMISPHERES)
    return TimeReference(*(DateRange(end, None) for end in ends), family="open")


def make_years(first: int, count: int = 1) -> TimeReference:
    """Return one or several years."""
    return make_range(date(first, 1, 1), date(first + count, 1, 1), "year")


def make_month(year: int, month: int) -> TimeReference:
    """Return a month of a year. Month 0 is the December of the year before."""
    start = date(year, 1, 1) + _make_delta(months=month - 1)
    return make_range(start, start + _make_delta(months=1), "month")


def make_months_condition(first: int, last: int) -> Condition:
    """Return a condition on the months from one to another; from November to February spans the new year."""
    months = [(first - 1 + i) % 12 + 1 for i in range((last - first) % 12 + 1)]
    return Eq("month", first) if first == last else In("month", tuple(months))


def make_days_condition(first: tuple[int, int], last: tuple[int, int]) -> Condition:
    """Return a condition on the days from one (month, day) to another, which may be in the next year."""
    (month, day), (last_month, last_day) = first, last
    if day == 1 and last_day == 31:
        return make_months_condition(month, last_month)
    if month == last_month and day <= last_day:
        return And((Eq("month", month), Between("day", day, last_day + 1)))
    parts = [
        And((Eq("month", month), Between("day", day))),
        And((Eq("month", last_month), Between("day", high=last_day + 1))),
    ]
    between = (last_month - month - 1) % 12
    parts += [make_months_condition(month % 12 + 1, (month + between - 1) % 12 + 1)] if between else []
    return Or(tuple(parts))


def make_season(name: str, year: int | None = None) -> TimeReference:
    """Return a season of every year, or the one that ends in a given year."""
    first = {"north": SEASONS[name], "south": (SEASONS[name] + 5) % 12 + 1}
    if year is None:
        north, south = (make_months_condition(month, (month + 1) % 12 + 1) for month in first.values())
        either = Or((And((_NORTH, north)), And((_SOUTH, south))))
        return TimeReference(recurring=either, is_ambiguous=True, family="season")
    return TimeReference(*(_make_quarter(month, year) for month in first.values()), family="season")


def _make_quarter(month: int, year: int) -> DateRange:
    """Return three months from a given one, the last of which is in a given year."""
    start = date(year - (month + 2 > 12), month, 1)
    return DateRange(start, start + _make_delta(months=3))


# Month, first day and last day. Movable holidays are computed.
_HOLIDAYS = {
    "christmas eve": (12, 24, 24), "christmas day": (12, 25, 25), "christmas": (12, 24, 26),
    "xmas": (12, 24, 26), "boxing day": (12, 26, 26), "new years eve": (12, 31, 31),
    "new years day": (1, 1, 1), "halloween": (10, 31, 31), "valentines day": (2, 14, 14),
}  # fmt: skip
HOLIDAYS = (*_HOLIDAYS, "new years", "new year", "thanksgiving", "easter")


def make_holiday(name: str, year: int | None = None) -> TimeReference:
    """Return a holiday of every year, or of one. Easter of every year means 1990 to 2040: its days vary."""
    if year is not None:
        first, last = _find_holiday(name, year)
        return make_range(first, last + timedelta(days=1), "holiday")
    if name in ("new years", "new year"):
        days = (And((Eq("month", 12), Eq("day", 31))), And((Eq("month", 1), Eq("day", 1))))
        return _make_recurring_holiday(Or(days), True, ((12, 31), (1, 1)))
    if name == "thanksgiving":
        parts = (Eq("month", 11), Eq("weekday", calendar.THURSDAY), Between("day", 22, 29))
        return _make_recurring_holiday(And(parts), False)
    if name == "easter":
        years = range(1990, 2041)
        times = tuple(make_holiday(name, year).get_range("north").time_condition for year in years)
        return _make_recurring_holiday(Or(times), True)
    month, first_day, last_day = _HOLIDAYS[name]
    day = Eq("day", first_day) if first_day == last_day else Between("day", first_day, last_day + 1)
    is_ambiguous = name in ("christmas", "xmas")
    return _make_recurring_holiday(
        And((Eq("month", month), day)), is_ambiguous, ((month, first_day), (month, last_day))
    )


def _make_recurring_holiday(
    condition: Condition,
    is_ambiguous: bool,
    days: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> TimeReference:
    return TimeReference(
        recurring=condition, is_ambiguous=is_ambiguous, family="holiday", recurring_days=days
    )


def _find_holiday(name: str, year: int) -> tuple[date, date]:
    if name == "easter":
        sunday = _compute_easter(year)
        return sunday - timedelta(days=2), sunday + timedelta(days=1)
    if name == "thanksgiving":
        first = date(year, 11, 1)
        day = first + timedelta(days=(calendar.THURSDAY - first.weekday()) % 7 + 21)
        return day, day
    if name in ("new years", "new year"):
        return date(year - 1, 12, 31), date(year, 1, 1)
    month, first_day, last_day = _HOLIDAYS[name]
    return date(year, month, first_day), date(year, month, last_day)


def make_weekdays(days: Iterable[int]) -> TimeReference:
    """Return weekdays of every week. 0 means Monday."""
    days = tuple(days)
    condition = Eq("weekday", days[0]) if len(days) == 1 else In("weekday", days)
    return TimeReference(recurring=condition, family="weekday")


def find_latest(references: Sequence[TimeReference], today: date) -> TimeReference:
    """Return the last reference that ended before today, for each hemisphere. They must be in order."""
    latest = []
    for hemisphere in _HEMISPHERES:
        ranges = [reference.get_range(hemisphere) for reference in reversed(references)]
        latest.append(next(days for days in ranges if days.end is not None and days.end <= today))
    return TimeReference(*latest, family=references[0].family)


def list_occurrences(name: str, today: date) -> list[TimeReference]:
    """Return the last two occurrences of recurring days, and the one of this year or week."""
    year = today.year
    if name in WEEKDAYS or name == "weekend":
        monday = today - timedelta(days=today.weekday())
        first = monday + timedelta(days=5 if name == "weekend" else WEEKDAYS.index(name))
        starts = [first + timedelta(days=7 * i) for i in (-2, -1, 0)]
        length = timedelta(days=2 if name == "weekend" else 1)
        return [make_range(start, start + length, "day") for start in starts]
    if name in MONTHS:
        return [make_month(y, MONTHS[name]) for y in range(year - 2, year + 1)]
    if name in SEASONS:
        return [make_season(name, y) for y in range(year - 2, year + 1)]
    return [make_holiday(name, y) for y in range(year - 2, year + 1)]


def make_current(unit: str, today: date, ago: int = 0) -> TimeReference:
    """Return this day, week (from Monday), month or year, or the one that was ``ago`` units before."""
    day = today - _make_delta(**{UNITS[unit]: ago})
    if unit == "day":
        return make_day(day)
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return make_range(monday, monday + timedelta(days=7))
    return make_years(day.year) if unit == "year" else make_month(day.year, day.month)


def make_day_ago(count: int, unit: str, today: date) -> TimeReference:
    """Return the day that is a number of days, weeks, months or years before today."""
    return make_day(today - _make_delta(**{UNITS[unit]: count}))


def make_last_few(count: int, unit: str, today: date) -> TimeReference:
    """Return the last few days, weeks, months or years, including today."""
    tomorrow = today + timedelta(days=1)
    return make_range(tomorrow - _make_delta(**{UNITS[unit]: count}), tomorrow)


@functools.lru_cache(maxsize=256)
def parse_date(text: str, day_first: bool) -> date:
    """Parse a date that has a day, a month and a year.

    Raises
    ------
    ValueError
        If the day does not exist, such as the 30th of February.
    """
    from dateutil import parser

    try:
        return parser.parse(text, dayfirst=day_first).date()
    except (parser.ParserError, OverflowError) as error:
        raise ValueError(str(error)) from None


def _compute_easter(year: int) -> date:
    from dateutil.easter import easter

    return easter(year)


def _make_delta(**units: int):  # untyped, because relativedelta is imported at the first use
    from dateutil.relativedelta import relativedelta

    return relativedelta(**units)


def _to_seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400


def negate(condition: Condition) -> Condition:
    """Return the condition that the time of a photo is known and does not fulfil a condition."""
    return And((_HAS_TIME, Not(condition)))
