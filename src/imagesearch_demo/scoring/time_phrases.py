"""Phrases for the time of a photo, each with a predicate for the days that it includes."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from imagesearch_demo.drawing import Rng

# The months of each season in the north; in the south it is six months later.
_SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "winter": (12, 1, 2)}

CLOCK_HOURS = {
    "in the morning": range(5, 12), "in the afternoon": range(12, 17), "in the evening": range(17, 22),
    "at night": (22, 23, *range(5)), "by night": (22, 23, *range(5)), "at midnight": (0,),
}  # fmt: skip
"""Captions describe the light by these words, but in a search they mean hours of the clock."""


@dataclass(frozen=True)
class TimePhrase:
    """Words for a time, a predicate for the days in it, and the day it is typed on if that matters.

    The predicate takes a day, and whether the photo was taken in the southern hemisphere.
    """

    words: str
    holds: Callable[[date, bool], bool]
    today: date | None = None


def get_season(day: date, south: bool) -> str:
    """Return the season of a day in the southern or northern hemisphere."""
    month = (day.month + 5) % 12 + 1 if south else day.month
    return next(name for name, months in _SEASONS.items() if month in months)


def get_season_year(day: date) -> int:
    """Return the year in which the season of a day ends: for December, the next year."""
    return day.year + (day.month == 12)


def list_time_phrases(rng: Rng, taken: datetime, south: bool) -> Iterator[TimePhrase]:
    """Yield phrases for the time at which a photo was taken."""
    day = taken.date()
    year, month = day.year, day.month
    name, season = calendar.month_name[month].lower(), get_season(day, south)
    lead = ("in ", "")[int(rng.integers(2))]
    yield TimePhrase(f"in {year}", lambda d, _: d.year == year)
    yield TimePhrase(f"in {year}", lambda d, _: d.year == year)
    yield TimePhrase(f"{lead}{name} {year}", lambda d, _: (d.year, d.month) == (year, month))
    yield TimePhrase(f"in {calendar.month_name[month]}", lambda d, _: d.month == month)
    ends = get_season_year(day)
    yield TimePhrase(
        f"{lead}{season} {ends}", lambda d, s: (get_season(d, s), get_season_year(d)) == (season, ends)
    )
    yield TimePhrase(f"in {season}", lambda d, s: get_season(d, s) == season)
    yield TimePhrase(f"on {day.day} {name} {year}", lambda d, _: d == day)
    yield TimePhrase(f"before {year + 1}", lambda d, _: d.year <= year)
    yield TimePhrase(f"after {year - 1}", lambda d, _: d.year >= year)
    yield TimePhrase(f"from {year - 1} to {year}", lambda d, _: year - 1 <= d.year <= year)
    if month > 2:
        early = calendar.month_name[month - 2].lower()
        words = f"between {early} and {name} {year}"
        yield TimePhrase(words, lambda d, _: d.year == year and month - 2 <= d.month <= month)
    weekday = calendar.day_name[day.weekday()].lower()
    yield TimePhrase(f"on {weekday}s", lambda d, _: d.weekday() == day.weekday())
    yield from _list_relative_phrases(rng, day, south, season)


def _list_relative_phrases(rng: Rng, day: date, south: bool, season: str) -> Iterator[TimePhrase]:
    """Yield phrases that depend on the day they are typed on."""
    year, month, name = day.year, day.month, calendar.month_name[day.month].lower()
    days_left = (date(year, 12, 31) - day).days
    same_year = day + timedelta(days=int(rng.integers(0, days_left + 1)))
    next_year = date(year + 1, 1, 1) + timedelta(days=int(rng.integers(0, 360)))
    yield TimePhrase("yesterday", lambda d, _: d == day, day + timedelta(days=1))
    yield TimePhrase("this year", lambda d, _: d.year == year, same_year)
    yield TimePhrase("last year", lambda d, _: d.year == year, next_year)
    later = date(year + (month == 12), month % 12 + 1, 20)
    yield TimePhrase("last month", lambda d, _: (d.year, d.month) == (year, month), later)
    yield TimePhrase(f"last {name}", lambda d, _: (d.year, d.month) == (year, month), later)
    today = _get_season_end(day, south) + timedelta(days=int(rng.integers(0, 80)))

    def is_in_last(d: date, s: bool) -> bool:
        end = _get_season_end(d, s)
        return get_season(d, s) == season and end <= today < end.replace(year=end.year + 1)

    yield TimePhrase(f"last {season}", is_in_last, today)


def _get_season_end(day: date, south: bool) -> date:
    """Return the first day after the season of a day."""
    last = _SEASONS[get_season(day, south)][-1]
    last = (last + 5) % 12 + 1 if south else last
    return date(get_season_year(day), last + 1, 1)
