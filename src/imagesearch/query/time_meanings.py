"""What the phrases of `time_phrases` mean: functions from today, and the values of the slots, to a time.

"last" refers to the latest that is over: in December 2024, "last december" is December 2023. "two years ago"
refers to a calendar year, "two weeks ago" to a week from Monday, "the last two weeks" to the days up to
today. A function returns None if a phrase does not have this meaning, and raises ValueError or OverflowError
if there is no such time, such as the 30th of February.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from imagesearch.query.time_slots import MONTH_NAMES
from imagesearch.query.time_values import (
    DAY,
    Both,
    Cycle,
    Either,
    Once,
    Time,
    Yearly,
    add_units,
    apply_to,
    find_latest,
    join_times,
    list_occurrences,
    make_days,
    make_months,
)

# --- names -------------------------------------------------------------------------------------------------


def month(today: date, month: int) -> Yearly:
    return Yearly(lambda year: make_months(year, month), "month")


def season(today: date, season: int) -> Yearly:
    """Return a season, given its first month in the north. It belongs to the year in which it ends."""
    firsts = season, (season + 5) % 12 + 1

    def in_year(year: int) -> Once:
        north, south = (make_months(year - (first > 10), first, 3).north for first in firsts)
        return Once(north, south, "season")

    return Yearly(in_year, "season")


def weekday(today: date, weekday: int) -> Once:
    """Return the latest of a weekday, including today."""
    latest = make_days(today - (today.weekday() - weekday) % 7 * DAY)
    return replace(latest, weekly=every_weekday(today, weekday))


def every_weekday(today: date, weekday: int) -> Cycle:
    return Cycle("weekday", weekday, weekday)


def weekdays(today: date, weekdays: tuple[int, int]) -> Cycle:
    return Cycle("weekday", *weekdays)


def hours(today: date, daypart: tuple[int, int] = (0, 0), dayparts: tuple[int, int] = (0, 0)) -> Cycle:
    first, end = daypart if daypart[1] else dayparts
    return Cycle("hour", first, end - 1)


def hour(today: date, clock: tuple[int, int] = (0, 0), noon: tuple[int, int] = (0, 0)) -> Cycle:
    """Return the hour of a clock time."""
    first, minute = max(clock, noon)
    return Cycle("hour", first, first, limit=first + (minute > 0))


def oclock(today: date, number: int) -> Time:
    """Return an hour of a clock that has 12: in the morning or in the afternoon."""
    if number > 23:
        raise ValueError("no such hour")
    times = tuple(Cycle("hour", first, first) for first in sorted((number % 12, number % 12 + 12)))
    return Either(times, "hour") if number <= 12 else hour(today, (number, 0))


def hours_between(today: date, hour: int, clock: tuple[int, int]) -> Cycle:
    """Return the hours from a number to a clock time: "between 8 and 10 am", "11 to 2 pm"."""
    end = clock[0] + (clock[1] > 0)
    half_day = 12 * (clock[0] >= 12)
    first = hour % 12 + half_day
    return Cycle("hour", first if first < end else (first + 12) % 24, (end - 1) % 24)


# --- days, months and years --------------------------------------------------------------------------------


def day(today: date, date: date) -> Once:
    return make_days(date)


def day_of_month(today: date, day: int, month: int) -> Yearly:
    date(2024, month, day)  # raises ValueError for the 30th of February
    return Yearly(lambda year: make_days(date(year, month, day)), "day")


def month_of_year(today: date, year4: int, month1: int = 0, month2: int = 0) -> Once:
    return make_months(year4, month1 or month2)


def year(today: date, year: int) -> Once:
    return make_months(year, 1, 12, "year")


def decade(today: date, decade: int, first: int = 0, end: int = 10) -> Once:
    return make_months(decade + first, 1, 12 * (end - first), "year")


def of_year(today: date, time: Time, year: int) -> Time | None:
    return time.in_year(year) if isinstance(time, Yearly) else None


def season_from(today: date, season: int, year4: int, yy: int) -> Time | None:
    """Return the season of two years: winter 2022/23."""
    return globals()["season"](today, season).in_year(year4 + 1) if (yy - year4 - 1) % 100 == 0 else None


def part_of_year(today: date, quarter: tuple[str, int], year: int | None = None) -> Time:
    """Return a quarter (q1 to q4) or a half (h1, h2) of a year, or of every year."""
    months = 3 if quarter[0] == "q" else 6

    def in_year(year: int) -> Once:
        return make_months(year, months * (quarter[1] - 1) + 1, months, "part")

    return Yearly(in_year, "part") if year is None else in_year(year)


def iso_week(today: date, year: int, number: int) -> Once:
    monday = date.fromisocalendar(year, number, 1)
    return make_days(monday, monday + 7 * DAY, "week")


# --- from today --------------------------------------------------------------------------------------------


def near_day(today: date, near_day: int) -> Once:
    return make_days(today - near_day * DAY)


def ago(today: date, unit: str, count: int = 1) -> Once:
    """Return the day, week from Monday, month, quarter or year that was some units ago."""
    return _find_period(add_units(today, unit, -count), unit)


def ago_today(today: date, count: int, unit: str) -> Once:
    return make_days(add_units(today, unit, -count))


def last_few(today: date, unit: str, count: int = 1) -> Once:
    """Return the last days, weeks, months or years, including today."""
    tomorrow = today + DAY
    return make_days(add_units(tomorrow, unit, -count), tomorrow, "period")


def latest(today: date, time: Time, count: int = 1) -> Time:
    """Return the last occurrence that is over, or an earlier one."""
    return (
        at_hours(today, near_day(today, count), time) if _is_hours(time) else find_latest(time, today, count)
    )


def current(today: date, time: Time) -> Time:
    """Return the occurrence of this year, week or day."""
    if _is_hours(time):
        return at_hours(today, make_days(today), time)
    return time.in_year(today.year) if isinstance(time, Yearly) else list_occurrences(time, today, 0)[-2]


def coming(today: date, time: Time) -> Time:
    """Return the next occurrence."""
    return next(once for once in list_occurrences(time, today, 0) if once.start > today)


def weekday_last_week(today: date, weekday: int, weeks: int = 1) -> str:
    day = today - (today.weekday() - weekday + 7 * weeks) * DAY
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def weekday_this_week(today: date, weekday: int) -> str:
    return weekday_last_week(today, weekday, 0)


# --- parts of a time ---------------------------------------------------------------------------------------

_Span = tuple[date, date]  # the first day, and the day after the last


def nth(today: date, ordinal: int, part: str | int, time: Time) -> Time:
    """Return the first, second or last part of a time. Its weeks are seven days from its start or its end."""

    def select(start: date, end: date) -> _Span:
        if part == "half":
            return _find_half(start, end, is_second=ordinal != 1)
        if isinstance(part, int) or part == "weekend":
            return _find_weekday(part, end, -1) if ordinal < 0 else _find_weekday(part, start, ordinal)
        if ordinal < 0:
            return add_units(end, part, -1), end
        return add_units(start, part, ordinal - 1), add_units(start, part, ordinal)

    return _change(time, select, is_part=True)


def first_few(today: date, count: int, unit: str, time: Time) -> Time:
    return _change(time, lambda start, end: (start, add_units(start, unit, count)), is_part=True)


def final_few(today: date, count: int, unit: str, time: Time) -> Time:
    return _change(time, lambda start, end: (add_units(end, unit, -count), end), is_part=True)


def _change(time: Time, function: Callable[[date, date], _Span], is_part: bool = False) -> Time:
    """Return days that are computed from the start and end of a time; as its part, or counted from it.

    Raises
    ------
    ValueError
        If the time has no start or no end, or the part is not in it.
    """

    def convert(once: Once) -> Once:
        def check(start: date | None, end: date | None) -> _Span:
            if start is None or end is None:
                raise ValueError("no start or no end")
            first, last = function(start, end)
            if is_part and not start <= first < last <= end:
                raise ValueError("no such part")
            return first, last

        return (once if is_part else once.counted).convert(check)

    return apply_to(time, convert)


def _find_half(start: date, end: date, is_second: bool) -> _Span:
    months = 12 * (end.year - start.year) + end.month - start.month
    has_halves = start.day == end.day == 1 and months % 2 == 0
    middle = add_units(start, "month", months // 2) if has_halves else start + (end - start).days // 2 * DAY
    return (middle, end) if is_second else (start, middle)


def _find_weekday(part: str | int, day: date, count: int) -> _Span:
    """Return a weekday or weekend from a day on, such as the second, or the last one before it."""
    weekday, length = (5, 2) if part == "weekend" else (int(part), 1)
    if count < 0:
        day -= length * DAY
        first = day - (day.weekday() - weekday) % 7 * DAY
    else:
        first = day + ((weekday - day.weekday()) % 7 + 7 * (count - 1)) * DAY
    return first, first + length * DAY


def _find_period(day: date, unit: str) -> Once:
    """Return the day, week, month, quarter or year that contains a day."""
    start = {
        "day": day,
        "week": day - day.weekday() * DAY,
        "month": day.replace(day=1),
        "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        "year": date(day.year, 1, 1),
    }[unit]
    return make_days(start, add_units(start, unit, 1), unit)


# --- counted from a time -----------------------------------------------------------------------------------


def part_around(today: date, part: str | int, time: Time) -> Time:
    """Return the week from Monday, or its weekend or a weekday, or the month or year, that contains a day."""

    def find(start: date, end: date) -> _Span:
        unit = "week" if isinstance(part, int) or part == "weekend" else part
        period = _find_period(start, unit)
        if period.end < end and end - start > 7 * DAY:
            raise ValueError("longer than the part")
        return (period.start, period.end) if unit == part else _find_weekday(part, period.start, 1)

    return _change(time, find)


def week_from(today: date, time: Time) -> Time:
    return _change(time, lambda start, end: (start, start + 7 * DAY))


def next_to(today: date, part: str | int, side: str, time: Time, count: int = 1, unit: str = "") -> Time:
    """Return the days, weeks, ..., or the weekday, directly before or after a time."""

    def find(start: date, end: date) -> _Span:
        if isinstance(part, int) or part == "weekend":
            return _find_weekday(part, start, -1) if side == "before" else _find_weekday(part, end, 1)
        return (
            (add_units(start, part, -count), start)
            if side == "before"
            else (end, add_units(end, part, count))
        )

    return _change(time, find)


def stretch(today: date, count: int, unit: str, side: str, time: Time) -> Time:
    """Return all the days of some units before or after a time: "the two weeks before christmas"."""
    return next_to(today, unit, side, time, count)


def counted(today: date, count: int, unit: str, side: str, time: Time) -> Time:
    """Return the day that is some units before or after a time; months and years move all of a time."""

    def find(start: date, end: date) -> _Span:
        if unit in ("day", "week"):
            start, end = (start, start + DAY) if side == "before" else (end - DAY, end)
        step = -count if side == "before" else count
        return add_units(start, unit, step), add_units(end, unit, step)

    return _change(time, find)


def around(today: date, time: Time) -> Time:
    """Return three days each way of some days, or an hour each way of a clock time. Other times are the same."""
    if isinstance(time, Cycle):
        return time if time.limit is None else Cycle("hour", (time.first - 1) % 24, time.last)

    def widen(start: date, end: date) -> _Span:
        return (start, end) if end - start > 10 * DAY else (start - 3 * DAY, end + 3 * DAY)

    return time if isinstance(time, Both) and not isinstance(time, Either) else _change(time, widen)


# --- from one time to another ------------------------------------------------------------------------------


def join(today: date, time: Time, time2: Time) -> Time | None:
    return join_times(time, time2)


def compare(today: date, compared: str, time: Time) -> Time:
    """Return the time before, after, since or until a time; the latest that has begun, if it recurs."""
    if _is_hours(time):
        return _compare_hours(compared, time)
    if not isinstance(time, Once):
        time = [once for once in list_occurrences(time, today, 1) if once.start <= today][-1]
    functions = {
        "before": lambda start, end: (None, start),
        "until": lambda start, end: (None, end),
        "since": lambda start, end: (start, None),
        "after": lambda start, end: (end, None),
    }
    return replace(time.convert(functions[compared]), family="open")


def _compare_hours(compared: str, time: Cycle) -> Cycle:
    """Return the hours before or after others. After midnight is the end of the night."""
    if compared in ("before", "until"):
        end = time.limit or (time.first if compared == "before" else time.last + 1)
        return Cycle("hour", 0, (end - 1) % 24)
    first = time.last + 1 if compared == "after" and time.limit is None else time.first
    return Cycle("hour", first % 24, 23 if first % 24 else 4)


# --- weekdays and hours of a time --------------------------------------------------------------------------


def each(today: date, time: Time) -> Time:
    """Return all weekdays of a name; the name alone refers to the latest."""
    return time.weekly if isinstance(time, Once) and time.weekly else time


def weekday_in(today: date, weekday: int, time: Time) -> Time:
    """Return a weekday in a time. "saturday 15 june 2024" is that day."""
    is_day = isinstance(time, Once) and time.days == 1
    return time if is_day else Both((every_weekday(today, weekday), time))


def in_season(today: date, season: int, weekdays: tuple[int, int]) -> Time:
    return Both((globals()["season"](today, season), Cycle("weekday", *weekdays)))


def at_hours(today: date, time: Time, daypart: tuple[int, int] | Cycle) -> Time:
    """Return some hours of a time. The night of a day lasts to the next morning."""
    cycle = daypart if isinstance(daypart, Cycle) else hours(today, daypart)
    next_day = _find_next_day(today, time) if cycle.first > cycle.last else None
    if next_day is None:
        return Both((time, cycle))
    return Either((Both((time, replace(cycle, last=23))), Both((next_day, replace(cycle, first=0)))))


def at_hours_of_each(today: date, time: Time, dayparts: tuple[int, int]) -> Time:
    return at_hours(today, each(today, time), dayparts)


def _find_next_day(today: date, time: Time) -> Time | None:
    """Return the day after a time that is one day; else None."""
    if isinstance(time, Cycle):
        following = (time.first + 1) % 7
        return Cycle("weekday", following, following) if time.first == time.last else None
    once = time.in_year(2024) if isinstance(time, Yearly) else time
    return next_to(today, "day", "after", time) if isinstance(once, Once) and once.days == 1 else None


def _is_hours(time: Time) -> bool:
    return isinstance(time, Cycle) and time.field == "hour"
