"""The table of the phrases that state a time, and what they mean. To add a phrase, add a line.

A line has a phrase and its meaning: a function of today and the values of the slots, another phrase, or None
if it is not understood. In a phrase, ``[of]`` is optional, ``a|b`` are alternatives, ``{month}`` is a slot.

- `time_slots` defines the slots that are words and numbers. The slots ``{name}``, ``{yearly}`` and ``{time}``
  are phrases of the list `NAMES`, `YEARLY` or `TIMES`, ``{feast}`` is in `feasts`. Their value is called
  *time*. ``{day*}`` is a list of days; the phrase that is its meaning is repeated for each.
- In a meaning, ``{this_year}``, ``{last_year}``, ``{years_ago}`` and ``{last_day}`` (of the month) are computed.
- The longest phrase that fits is read; of two as long, the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imagesearch.query import time_meanings as means
from imagesearch.query.time_meanings import count_days, find_period
from imagesearch.query.time_slots import MONTH_NAMES
from imagesearch.query.time_values import (
    DAY,
    Both,
    Cycle,
    Yearly,
    add_units,
    join_times,
    make_days,
    make_months,
)

Meaning = str | Callable[..., Any] | None


def _last_week(today: Any, weekday: int, weeks: int = 1) -> str:
    day = today - (today.weekday() - weekday + 7 * weeks) * DAY
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _make_week(today: Any, year: int, number: int) -> Any:
    monday = today.fromisocalendar(year, number, 1)
    return make_days(monday, monday + 7 * DAY, "week")


_DAYS = "from {day} {month} {year} to {day2} {month} {year}"
# Words that may also mean something else: `AMBIGUOUS` and `EVERYDAY` say which.
NAMES: list[tuple[str, Meaning]] = [
    ("{month}", lambda today, month: Yearly(lambda year: make_months(year, month), "month")),
    ("{season}", means.make_season),
    ("{feast}", "{feast}"),
    ("{weekday}", means.make_weekday),
    ("{weekdays}", lambda today, weekdays: Cycle("weekday", *weekdays)),
    ("a|an|any|some {weekday}", lambda today, weekday: Cycle("weekday", weekday, weekday)),
    ("a|an|any|some {weekdays}", lambda today, weekdays: Cycle("weekday", *weekdays)),
    ("{daypart}", means.make_hours),
    ("{dayparts}", lambda today, dayparts: means.make_hours(today, dayparts)),
    ("{noon}", lambda today, noon: means.make_hour(today, noon)),
    ("{decade}", lambda today, decade: make_months(decade, 1, 120, "year")),
]
YEARLY: list[tuple[str, Meaning]] = [
    ("{name}", "{name}"),
    ("{day} [of] {month}", means.make_day_of_month),
    ("{month} [.] [the] {day}", means.make_day_of_month),
]
TIMES: list[tuple[str, Meaning]] = [
    ("{yearly}", "{yearly}"),
    # days, months and years
    ("{date}", lambda today, date: make_days(date)),
    ("{year4} -|/|:|. {month2}", lambda today, year4, month2: make_months(year4, month2)),
    ("{month1} -|/|. {year4}", lambda today, year4, month1: make_months(year4, month1)),
    ("[year] {year}", lambda today, year: make_months(year, 1, 12, "year")),
    ("{yearly} [,|.] [of|in] {year}", lambda today, time, year: time.in_year(year) if isinstance(time, Yearly) else None),
    ("{season} [of|in] {year4} -|/ {yy}", lambda today, season, year4, yy: means.make_season(today, season).in_year(year4 + 1)),
    ("{name} {yy}", "{name} ' {yy}"),
    ("{name_yy}", "{letters} ' {digits}"),
    ("{early} {year4}", "from january {year4} to april {year4}"),
    ("{mid} {year4}", "from may {year4} to august {year4}"),
    ("{late} {year4}", "from september {year4} to december {year4}"),
    ("{early} {month} [{year4}]", "from 1 {month} {year4} to 10 {month} {year4}"),
    ("{mid} {month} [{year4}]", "from 11 {month} {year4} to 20 {month} {year4}"),
    ("{late} {month} [{year4}]", "from 21 {month} {year4} to {last_day} {month} {year4}"),
    ("{early} {season} [of|in] {year4}", "first month of {season} {year4}"),
    ("{mid} {season} [of|in] {year4}", "second month of {season} {year4}"),
    ("{late} {season} [of|in] {year4}", "last month of {season} {year4}"),
    ("{early} {decade}", lambda today, decade: make_months(decade, 1, 48, "year")),
    ("{mid} {decade}", lambda today, decade: make_months(decade + 3, 1, 48, "year")),
    ("{late} {decade}", lambda today, decade: make_months(decade + 6, 1, 48, "year")),
    # from today
    ("today|todays", lambda today: make_days(today)),
    ("yesterday|yesterdays", lambda today: find_period(today, "day")),
    ("tomorrow", lambda today: find_period(today, "day", -1)),
    ("last|past|previous {name}", means.find_ended),
    ("this {name}", means.find_current),
    ("next {name}", means.find_next),
    ("{count} {name} ago", means.find_ended),
    ("last|previous {unit}", find_period),
    ("past {unit}", means.find_last_few),
    ("this {unit}", lambda today, unit: find_period(today, unit, 0)),
    ("next {unit}", lambda today, unit: find_period(today, unit, -1)),
    ("last|past|previous {count} {unit}", means.find_last_few),
    ("{count} {unit} ago", find_period),
    ("{count} {unit} ago today", lambda today, count, unit: make_days(add_units(today, unit, -count))),
    ("half a year ago", lambda today: find_period(today, "month", 6)),
    ("{yearly} [of|in] last|previous year", "{yearly} {last_year}"),
    ("{yearly} [of|in] this year", "{yearly} {this_year}"),
    ("{name} {count} years|year ago", "{name} {years_ago}"),
    ("last|previous years {yearly}", "{yearly} {last_year}"),
    ("this years {yearly}", "{yearly} {this_year}"),
    ("{weekday} [of] last|previous week", _last_week),
    ("{weekday} [of] this week", lambda today, weekday: _last_week(today, weekday, 0)),
    # parts of a time
    ("{quarter} [of|in|,|/|-] {year}", means.make_part_of_year),
    ("{year} [,|/|-] {quarter}", means.make_part_of_year),
    ("{quarter}", means.make_part_of_year),
    ("{ordinal} quarter {year}", "{ordinal} quarter of {year}"),
    ("{ordinal} half {year}", "{ordinal} half of {year}"),
    ("{ordinal} {part} of|in [the] {time}", count_days(means.find_nth, is_part=True)),
    ("first {count} {unit} of|in [the] {time}",
     count_days(lambda start, end, count, unit: (start, add_units(start, unit, count)), is_part=True)),
    ("last {count} {unit} of|in [the] {time}",
     count_days(lambda start, end, count, unit: (add_units(end, unit, -count), end), is_part=True)),
    ("[calendar] week {number} [of|in|,] {year}", _make_week),
    ("{year} week {number}", _make_week),
    # counted from a time
    ("{part} {side} [the] {time}", count_days(means.find_beside)),
    ("the {count} {unit} {side} [the] {time}",
     count_days(lambda start, end, count, unit, side: means.find_beside(start, end, unit, side, count))),
    ("{count} {unit} {side} [the] {time}", count_days(means.find_counted)),
    ("{part} of|containing [the] {time}", count_days(means.find_around)),
    ("week starting|beginning|from [the] {time}", count_days(lambda start, end: (start, start + 7 * DAY))),
    ("{feast} {part} [of|in] {year}", "{part} of {feast} {year}"),
    ("{feast} {part}", "{part} of {feast}"),
    ("around|about|circa [the] {time}", means.find_near),
    # weekdays and hours
    ("every|each {name}", means.find_each),
    ("{season} {weekdays}", lambda today, season, weekdays: Both((means.make_season(today, season), Cycle("weekday", *weekdays)))),
    ("{name} {daypart}", means.at_hours),
    ("{name} {dayparts}", lambda today, time, dayparts: means.at_hours(today, means.find_each(today, time), dayparts)),
    ("{clock}", means.make_hour),
    ("{number} oclock", means.make_either_hour),
    ("tonight", "today from 5 pm to midnight"),
    ("early in the {daypart}", "early {daypart}"),
    ("late in the {daypart}", "late {daypart}"),
    ("late at night", "night"),
]  # fmt: skip
SPANS: list[tuple[str, Meaning]] = [
    ("{time}", "{time}"),
    ("between {time} {and_to} {time}", lambda today, time, time2: join_times(time, time2)),
    ("[from] {time} {to} {time}", lambda today, time, time2: join_times(time, time2)),
    ("between|from {hour} {and_to} {clock}", means.make_hours_between),
    ("{hour} {to} {clock}", means.make_hours_between),
    ("between|from [the] {day} {and_to} [the] {day} [of] {month} [[,] {year}]", _DAYS),
    ("[the] {day} {to} [the] {day} [of] {month} [[,] {year}]", _DAYS),
    ("between {month} [the] {day} {and_to} [the] {day} [[,] {year}]", _DAYS),
    ("[from] {month} [the] {day} {to} [the] {day} [[,] {year}]", _DAYS),
    # lists
    ("{yearly*}", "{yearly}"),
    ("{yearly*} [,] [of|in] {year}", "{yearly} {year}"),
    ("{yearly} [of] {year*}", "{yearly} {year}"),
    ("{day*} [of] {month} [[,] {year}]", "{day} {month} {year}"),
    ("{month} {day*} [,] {year}", "{day} {month} {year}"),
    # before and after
    ("before|until|till|by [the] end of {time}", "until {time}"),
    ("{compared} [the] {time}", means.compare),
    ("[since] {time} {onwards}", "since {time}"),
    ("{time} {or_before}", "until {time}"),
    # weekdays and hours of a time
    ("{time} [,] [in|at|on|during] [the] {last_daypart}", lambda today, time, last_daypart: means.at_hours(today, time, last_daypart)),
    ("{daypart} of|on [the] {time}", means.at_hours),
    ("{weekday} [,] [the] {time}", means.find_weekday_in),
    ("{weekday} in|of|during {time}", means.find_weekday_in),
    # not understood
    ("{several} {unit} [before|after|later]", None),
]  # fmt: skip
