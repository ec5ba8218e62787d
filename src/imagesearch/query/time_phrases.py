"""The table of the phrases that state a time, and what they mean. To add a phrase, add a line.

A line has a phrase and its meaning: a function of `time_meanings`, another phrase, or None if it is not
understood. In a phrase, ``[of]`` is optional, ``a|b`` are alternatives, and ``{month}`` is a slot.

- `time_slots` defines the slots that are words and numbers. The slots ``{name}``, ``{yearly}`` and ``{time}``
  are phrases of the list `NAMES`, `YEARLY` or `TIMES`; ``{feast}`` is in `feasts`.
- ``{day*}`` is a list of days. The phrase that is its meaning is repeated for each.
- ``{last_year}``, ``{this_year}``, ``{years_ago}`` and ``{last_day}`` (of the month) are computed.
- The longest phrase that fits is read; of two as long, the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imagesearch.query import time_meanings as means

_DAYS = "from {day} {month} {year} to {day2} {month} {year}"
Meaning = str | Callable[..., Any] | None
# Words that may also mean something else: `AMBIGUOUS` and `EVERYDAY` say which.
NAMES: list[tuple[str, Meaning]] = [
    ("{month}", means.month),
    ("{season}", means.season),
    ("{feast}", "{feast}"),
    ("{weekday}", means.weekday),
    ("{weekdays}", means.weekdays),
    ("a|an|any|some {weekday}", means.every_weekday),
    ("a|an|any|some {weekdays}", means.weekdays),
    ("{daypart}", means.hours),
    ("{dayparts}", means.hours),
    ("{noon}", means.hour),
    ("{decade}", means.decade),
]
YEARLY: list[tuple[str, Meaning]] = [
    ("{name}", "{name}"),
    ("{day} [of] {month}", means.day_of_month),
    ("{month} [.] [the] {day}", means.day_of_month),
]
TIMES: list[tuple[str, Meaning]] = [
    ("{yearly}", "{yearly}"),
    # days, months and years
    ("{date}", means.day),
    ("{year4} -|/|:|. {month2}", means.month_of_year),
    ("{month1} -|/|. {year4}", means.month_of_year),
    ("[year] {year}", means.year),
    ("{yearly} [,|.] [of|in] {year}", means.of_year),
    ("{season} [of|in] {year4} -|/ {yy}", means.season_from),
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
    ("{early} {decade}", lambda today, decade: means.decade(today, decade, 0, 4)),
    ("{mid} {decade}", lambda today, decade: means.decade(today, decade, 3, 7)),
    ("{late} {decade}", lambda today, decade: means.decade(today, decade, 6, 10)),
    # from today
    ("{near_day}", means.near_day),
    ("last|past|previous {name}", means.latest),
    ("this {name}", means.current),
    ("next {name}", means.coming),
    ("{count} {name} ago", means.latest),
    ("last|previous {unit}", means.ago),
    ("past {unit}", means.last_few),
    ("this {unit}", lambda today, unit: means.ago(today, unit, 0)),
    ("next {unit}", lambda today, unit: means.ago(today, unit, -1)),
    ("last|past|previous {count} {unit}", means.last_few),
    ("{count} {unit} ago", means.ago),
    ("{count} {unit} ago today", means.ago_today),
    ("half a year ago", lambda today: means.ago(today, "month", 6)),
    ("{yearly} [of|in] last|previous year", "{yearly} {last_year}"),
    ("{yearly} [of|in] this year", "{yearly} {this_year}"),
    ("{name} {count} years|year ago", "{name} {years_ago}"),
    ("last|previous years {yearly}", "{yearly} {last_year}"),
    ("this years {yearly}", "{yearly} {this_year}"),
    ("{weekday} [of] last|previous week", means.weekday_last_week),
    ("{weekday} [of] this week", means.weekday_this_week),
    # parts of a time
    ("{quarter} [of|in|,|/|-] {year}", means.part_of_year),
    ("{year} [,|/|-] {quarter}", means.part_of_year),
    ("{quarter}", means.part_of_year),
    ("{ordinal} quarter {year}", "{ordinal} quarter of {year}"),
    ("{ordinal} half {year}", "{ordinal} half of {year}"),
    ("{ordinal} {part} of|in [the] {time}", means.nth),
    ("first {count} {unit} of|in [the] {time}", means.first_few),
    ("last {count} {unit} of|in [the] {time}", means.final_few),
    ("[calendar] week {number} [of|in|,] {year}", means.iso_week),
    ("{year} week {number}", means.iso_week),
    # counted from a time
    ("{part} {side} [the] {time}", means.next_to),
    ("the {count} {unit} {side} [the] {time}", means.stretch),
    ("{count} {unit} {side} [the] {time}", means.counted),
    ("{part} of|containing [the] {time}", means.part_around),
    ("week starting|beginning|from [the] {time}", means.week_from),
    ("{feast} {part} [of|in] {year}", "{part} of {feast} {year}"),
    ("{feast} {part}", "{part} of {feast}"),
    ("around|about|circa [the] {time}", means.around),
    # weekdays and hours
    ("every|each {name}", means.each),
    ("{name} {daypart}", means.at_hours),
    ("{name} {dayparts}", means.at_hours_of_each),
    ("{season} {weekdays}", means.in_season),
    ("{clock}", means.hour),
    ("{number} oclock", means.oclock),
    ("tonight", "today from 5 pm to midnight"),
    ("early in the {daypart}", "early {daypart}"),
    ("late in the {daypart}", "late {daypart}"),
    ("late at night", "night"),
]
SPANS: list[tuple[str, Meaning]] = [
    ("{time}", "{time}"),
    ("between {time} {and_to} {time}", means.join),
    ("[from] {time} {to} {time}", means.join),
    ("between|from {hour} {and_to} {clock}", means.hours_between),
    ("{hour} {to} {clock}", means.hours_between),
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
    (
        "{time} [,] [in|at|on|during] [the] {last_daypart}",
        lambda today, time, last_daypart: means.at_hours(today, time, last_daypart),
    ),
    ("{daypart} of|on [the] {time}", means.at_hours),
    ("{weekday} [,] [the] {time}", means.weekday_in),
    ("{weekday} in|of|during {time}", means.weekday_in),
    # not understood
    ("{several} {unit} [before|after|later]", None),
]
