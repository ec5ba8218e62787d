"""What phrases mean: functions from today, and the values of their slots, to a time.

"last" refers to the latest that is over: in December 2024, "last december" is December 2023. "two years ago"
refers to a calendar year, "two weeks ago" to a week from Monday, "the last two weeks" to the days up to
today. A function returns None if a phrase does not have this meaning, and raises ValueError, OverflowError or
LookupError if there is no such time, such as the 30th of February.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from imagesearch.query.times.slots import MONTH_NAMES
from imagesearch.query.times.trip_days import TripDays
from imagesearch.query.times.values import (
    DAY,
    Both,
    Cycle,
    DateRange,
    Either,
    Once,
    Time,
    Yearly,
    add_units,
    apply_to,
    find_latest,
    list_occurrences,
    make_days,
    make_months,
)

Span = tuple[date, date]  # the first day, and the day after the last


def make_season(today: date, season: int) -> Yearly:
    """Return a season, given its first month in the north. It belongs to the year in which it ends."""

    def in_year(year: int) -> Once:
        firsts = season, (season + 5) % 12 + 1
        north, south = (make_months(year - (first > 10), first, 3).sides[0] for first in firsts)
        return Once((north, south), "season")

    return Yearly(in_year, "season")


def make_weekday(today: date, weekday: int) -> Once:
    """Return the latest of a weekday, including today."""
    latest = make_days(today - (today.weekday() - weekday) % 7 * DAY)
    return replace(latest, weekly=Cycle("weekday", weekday, weekday))


def make_day_of_month(today: date, day: int, month: int) -> Yearly:
    date(2024, month, day)  # raises ValueError for the 30th of February
    return Yearly(lambda year: make_days(date(year, month, day)), "day")


def make_hours(today: date, daypart: tuple[int, int]) -> Cycle:
    return Cycle("hour", daypart[0], daypart[1] - 1)


def make_hour(today: date, clock: tuple[int, int]) -> Cycle:
    """Return the hour of a clock time."""
    return Cycle("hour", clock[0], clock[0], limit=clock[0] + (clock[1] > 0))


def make_hours_between(today: date, hour: int, clock: tuple[int, int]) -> Cycle:
    """Return the hours from a number to a clock time: "between 8 and 10 am", "11 to 2 pm"."""
    end = clock[0] + (clock[1] > 0)
    first = hour % 12 + 12 * (clock[0] >= 12)
    return Cycle("hour", first if first < end else (first + 12) % 24, (end - 1) % 24)


def make_week(today: date, year: int, number: int) -> Once:
    monday = date.fromisocalendar(year, number, 1)
    return make_days(monday, monday + 7 * DAY, "week")


def name_day(today: date, weekday: int, weeks: int = 1) -> str:
    """Return the date of a weekday some weeks ago."""
    day = today - (today.weekday() - weekday + 7 * weeks) * DAY
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def find_period(today: date, unit: str, count: int = 1) -> Once:
    """Return the day, week from Monday, month, quarter or year that was some units ago."""
    day = add_units(today, unit, -count)
    start = {
        "day": day,
        "week": day - day.weekday() * DAY,
        "month": day.replace(day=1),
        "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        "year": date(day.year, 1, 1),
    }[unit]
    return make_days(start, add_units(start, unit, 1), unit)


def find_last_few(today: date, unit: str, count: int = 1) -> Once:
    """Return the last days, weeks, months or years, including today."""
    return make_days(add_units(today + DAY, unit, -count), today + DAY, "period")


def find_in_year(today: date, time: Time, year: int) -> Time | None:
    return time.in_year(year) if isinstance(time, Yearly) else None


def find_season_from(today: date, season: int, year4: int, yy: int) -> Time | None:
    """Return the season of two years: winter 2022/23."""
    return make_season(today, season).in_year(year4 + 1) if (yy - year4 - 1) % 100 == 0 else None


def find_latest_few(today: date, time: Time, count: int) -> Time:
    """Return the last occurrences that are over: "the last two summers"."""
    return Either(tuple(find_latest(time, today, n) for n in range(count, 0, -1)))


def find_next(today: date, time: Time) -> Time:
    coming = [once for once in list_occurrences(time, today, 0) if once.start > today]
    return min(coming, key=lambda once: once.start)


def find_current(today: date, time: Time) -> Time:
    """Return the occurrence of this year or week."""
    return time.in_year(today.year) if isinstance(time, Yearly) else list_occurrences(time, today, 0)[-2]


# --- days counted from a time ------------------------------------------------------------------------------


def count_days(function: Callable[..., Span], is_part: bool = False) -> Callable[..., Time]:
    """Return a meaning: the days that a function computes from the first day of a time and the day after it.

    They are a part of the time, or counted from it.
    """

    def find_days(today: date, time: Time, **values: Any) -> Time:
        def compute(start: date | None, end: date | None) -> Span:
            if start is None or end is None:
                raise ValueError("no first or no last day")
            span = function(start, end, **values)
            if is_part and not start <= span[0] < span[1] <= end:
                raise ValueError("no such part")
            return span

        def convert(once: Once) -> Once:
            return (once if is_part or once.anchor is None else make_days(once.anchor)).convert(
                compute, "period"
            )

        return apply_to(time, convert)

    return find_days


def unless_long(meaning: Callable[..., Time]) -> Callable[..., Time | None]:
    """Return a meaning that does not apply to a day that is counted from a month, a season or a year.

    "in the afternoon before 2025" and "during the day after 2018" do not mean the day before or after.
    """

    def find_days(today: date, time: Time, part: str | int) -> Time | None:
        is_long = isinstance(time, Once) and time.anchor is None and time.end - time.start > 27 * DAY
        is_long = is_long and not isinstance(time, TripDays)
        return None if part == "day" and is_long else meaning(today, time, part=part)

    return find_days


def step(day: date, part: str | int, count: int) -> Span:
    """Return the first, second, ... day, week, weekday or weekend from a day on; -1 is the last before."""
    if part == "weekend" or isinstance(part, int):
        weekday, length = (5, 2) if part == "weekend" else (int(part), 1)
        if count < 0:
            first = day - ((day.weekday() - weekday - length) % 7 + length) * DAY
        else:
            first = day + ((weekday - day.weekday()) % 7 + 7 * (count - 1)) * DAY
        return first, first + length * DAY
    count -= count > 0
    return add_units(day, part, count), add_units(day, part, count + 1)


def find_middle(start: date, end: date) -> date:
    months = 12 * (end.year - start.year) + end.month - start.month
    has_halves = start.day == end.day == 1 and months % 2 == 0
    return add_units(start, "month", months // 2) if has_halves else start + (end - start).days // 2 * DAY


def find_third(today: date, time: Time, number: int) -> Time | None:
    """Return the first, second or last third of a month, of some months or of a trip: "the end of 2023"."""
    if isinstance(time, TripDays) or (isinstance(time, Either) and isinstance(time.parts[0], TripDays)):
        return count_days(lambda start, end: divide_days(start, end, number), is_part=True)(today, time)
    if not isinstance(time, Once) or time.end - time.start < 28 * DAY:
        return None

    def divide(start: date, end: date) -> Span:
        months = 12 * (end.year - start.year) + end.month - start.month
        unit, count = ("month", months // 3) if months > 2 else ("day", 10)
        last = add_units(start, unit, (number + 1) * count) if number < 2 else end
        return add_units(start, unit, number * count), last

    return count_days(divide)(today, time)


def divide_days(start: date, end: date, number: int) -> Span:
    """Return the first, second or last third of some days: at least one day."""
    days = (end - start).days
    first = (number * days) // 3
    return start + first * DAY, start + max(first + 1, ((number + 1) * days) // 3) * DAY


def find_part_of_trip(today: date, ordinal: int, daypart: tuple[int, int], time: Time) -> Time:
    """Return the first or the last evening between the first and the last photo of a trip.

    A trip that ends at noon has its last evening on the day before.
    """
    if isinstance(time, Either):
        return Either(tuple(find_part_of_trip(today, ordinal, daypart, part) for part in time.parts))
    if not isinstance(time, TripDays):
        raise ValueError("no trip")
    days = [time.start + n * DAY for n in range((time.end - time.start).days)]
    starts_late = days[0] == time.first.date() and 0 < daypart[0] < daypart[1] <= time.first.hour
    days = days[1:] if starts_late else days
    days = days[:-1] if days and days[-1] == time.last.date() and time.last.hour < daypart[0] else days
    day = days[ordinal if ordinal < 0 else ordinal - 1]
    return at_hours(today, time.select(DateRange(day, day + DAY)), daypart)


def halve(start: date, end: date, half: int) -> Span:
    """Return the first or the second half of a time."""
    middle = find_middle(start, end)
    return (start, middle) if half == 1 else (middle, end)


def find_around(start: date, end: date, part: str | int) -> Span:
    """Return the week from Monday, its weekend, a day of it, the month or the year that contains a time."""
    unit = "week" if isinstance(part, int) or part == "weekend" else part
    period = find_period(start, unit, 0)
    if period.end < end and end - start > 7 * DAY:
        raise ValueError("longer than the part")
    return (period.start, period.end) if unit == part else step(period.start, part, 1)


def find_weekend_at(start: date, end: date) -> Span:
    """Return the weekend nearest to a time, and the days between: Labor Day weekend has three days."""
    saturday = start + (5 - start.weekday() - 7 * (start.weekday() < 2)) * DAY
    return min(start, saturday), max(end, saturday + 2 * DAY)


def move(start: date, end: date, unit: str, count: int) -> Span:
    """Return the day that is some days or weeks before or after a time; months and years move all of it."""
    if unit in ("day", "week"):
        start, end = (start, start + DAY) if count < 0 else (end - DAY, end)
    return add_units(start, unit, count), add_units(end, unit, count)


def widen(start: date, end: date, unit: str, count: int) -> Span:
    """Return a time with some days or weeks more on each side: "within a week of 10 june 2023"."""
    return add_units(start, unit, -count), add_units(end, unit, count)


def find_near(today: date, time: Time) -> Time:
    """Return three days each way of some days, an hour each way of a clock time; other times as they are."""
    if isinstance(time, Cycle):
        return time if time.limit is None else Cycle("hour", (time.first - 1) % 24, time.last)

    def widen(start: date, end: date) -> Span:
        return (start, end) if end - start > 10 * DAY else (start - 3 * DAY, end + 3 * DAY)

    return count_days(widen)(today, time)


def compare(today: date, compared: str, time: Time) -> Time:
    """Return the time before, after, since or until a time; the latest that has begun, if it recurs."""
    if isinstance(time, Cycle) and time.family == "hour":
        begin = time.last + 1 if compared == "after" and time.limit is None else time.first
        end = time.limit or (time.first if compared == "before" else time.last + 1)
        # after midnight is the end of the night
        return (
            Cycle("hour", 0, end - 1)
            if compared in ("before", "until")
            else Cycle("hour", begin, 23 if begin else 4)
        )
    if not isinstance(time, Once):
        time = [once for once in list_occurrences(time, today, 1) if once.start <= today][-1]
    limits = {
        "before": lambda side: DateRange(None, side.start),
        "until": lambda side: DateRange(None, side.end),
        "since": lambda side: DateRange(side.start, None),
        "after": lambda side: DateRange(side.end, None),
    }
    north, south = map(limits[compared], time.sides)
    return Once((north, south), "open")


# --- weekdays and hours of a time --------------------------------------------------------------------------


def find_each(today: date, time: Time) -> Time:
    """Return all weekdays of a name; the name alone refers to the latest."""
    return time.weekly if isinstance(time, Once) and time.weekly else time


def find_weekday_in(today: date, weekday: int, time: Time) -> Time | None:
    """Return a weekday in a time. "saturday 15 june 2024" is that day."""
    if isinstance(time, Once) and time.is_day:
        return None if time.weekly else time
    return Both((Cycle("weekday", weekday, weekday), time))


def find_dated_weekday(today: date, mon: int, time: Time) -> Time | None:
    """Return a day with its weekday in front: "sat 15 june"; None for a longer time."""
    day = time.in_year(2024) if isinstance(time, Yearly) else time
    return find_weekday_in(today, mon, time) if isinstance(day, Once) and day.is_day else None


def at_hours(today: date, time: Time, daypart: tuple[int, int] | Cycle) -> Time:
    """Return some hours of a time. The night of a day lasts to the next morning."""
    hours = daypart if isinstance(daypart, Cycle) else make_hours(today, daypart)
    next_day: Time | None = None
    once = time.in_year(2024) if isinstance(time, Yearly) else time
    if isinstance(time, Cycle) and time.first == time.last:
        next_day = Cycle("weekday", (time.first + 1) % 7, (time.first + 1) % 7)
    elif isinstance(once, Once) and once.is_day:
        next_day = count_days(lambda start, end: step(end, "day", 1))(today, time)
    if next_day is None or hours.first <= hours.last:
        return Both((time, hours))
    return Either((Both((time, replace(hours, last=23))), Both((next_day, replace(hours, first=0)))))
