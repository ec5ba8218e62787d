"""The table of the phrases that state a time, and what they mean. To add a phrase, add a line.

A line has a phrase and its meaning: a function of today and the values of the slots, another phrase, or None
if it is not understood. In a phrase, ``[of]`` is optional, ``a|b`` are alternatives, ``{month}`` is a slot.

- `slots` defines the slots that are words and numbers. The slots ``{name}``, ``{yearly}`` and ``{time}``
  are phrases of the list `NAMES`, `YEARLY` or `TIMES`, ``{feast}`` is in `feasts`, and ``{trip}`` is a trip
  of the album, in place of which `query.trips.rewrite` puts a mark. Their value is called
  *time*. ``{day*}`` is a list of days; the phrase that is its meaning is repeated for each.
- ``{this_year}``, ``{last_year}``, ``{years_ago}`` and ``{last_day}`` (of the month) are computed.
- The longest phrase that fits is read; of two as long, the first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from imagesearch.query.times import meanings as means
from imagesearch.query.times.meanings import (
    at_hours,
    count_days,
    find_each,
    find_period,
    step,
    unless_long,
)
from imagesearch.query.times.values import (
    DAY,
    Both,
    Cycle,
    Either,
    Yearly,
    add_units,
    find_latest,
    join_times,
    make_days,
    make_months,
)

Meaning = str | Callable[..., Any] | None
_part = functools.partial(count_days, is_part=True)
_find_weekend = count_days(means.find_weekend_at)
_DAYS = "from {day} {month} {year} to {day2} {month} {year}"
# Words that may also mean something else: `AMBIGUOUS` and `EVERYDAY` say which.
NAMES: list[tuple[str, Meaning]] = [
    ("{month}", lambda today, month: Yearly(lambda year: make_months(year, month), "month")),
    ("{season}", means.make_season),
    ("{feast}", "{feast}"),
    ("{feast} time|season|period|holiday|holidays|vacation|break", "{feast}"),
    ("{weekday}", means.make_weekday),
    ("{weekdays}", lambda today, weekdays: Cycle("weekday", *weekdays)),
    ("a|an|any|some {weekday}", lambda today, weekday: Cycle("weekday", weekday, weekday)),
    ("a|an|any|some {weekdays}", lambda today, weekdays: Cycle("weekday", *weekdays)),
    ("{daypart}", means.make_hours),
    ("{dayparts}", lambda today, dayparts: means.make_hours(today, dayparts)),
    ("{quarter}", lambda today, quarter: Yearly(lambda year: make_months(year, *quarter), "part")),
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
    ("{trip}", "{trip}"),
    ("{ordinal} {daypart} of|on|in [the] {trip}", means.find_part_of_trip),
    ("day {count} of|on|in [the] {trip}",
     _part(lambda start, end, count: step(start, "day", count))),
    # days, months and years
    ("{date}", lambda today, date: make_days(date)),
    ("{year4} -|/|:|. {month2}", lambda today, year4, month2: make_months(year4, month2)),
    ("{month1} -|/|. {year4}", lambda today, year4, month1: make_months(year4, month1)),
    ("[year] {year}", lambda today, year: make_months(year, 1, 12, "year")),
    ("{yearly} [,|.] [of|in] {year}", means.find_in_year),
    ("{season} [of|in] {year4} -|/ {yy}", means.find_season_from),
    ("{name} [of] {yy}", "{name} ' {yy}"),
    ("{name_yy}", "{letters} ' {digits}"),
    ("{early} {year4}", "from january {year4} to april {year4}"),
    ("{mid} {year4}", "from may {year4} to august {year4}"),
    ("{late} {year4}", "from september {year4} to december {year4}"),
    ("{early} {month} [{year4}]", "from 1 {month} {year4} to 10 {month} {year4}"),
    ("{mid} {month} [{year4}]", "from 11 {month} {year4} to 20 {month} {year4}"),
    ("{late} {month} [{year4}]", "from 21 {month} {year4} to {last_day} {month} {year4}"),
    ("{early} {decade}", lambda today, decade: make_months(decade, 1, 48, "year")),
    ("{mid} {decade}", lambda today, decade: make_months(decade + 3, 1, 48, "year")),
    ("{late} {decade}", lambda today, decade: make_months(decade + 6, 1, 48, "year")),
    ("{early} [the] {time}", lambda today, time: means.find_third(today, time, 0)),
    ("{mid} [the] {time}", lambda today, time: means.find_third(today, time, 1)),
    ("{late} [the] {time}", lambda today, time: means.find_third(today, time, 2)),
    ("{early} the {unit}", "{early} this {unit}"),
    ("{mid} the {unit}", "{mid} this {unit}"),
    ("{late} the {unit}", "{late} this {unit}"),
    # from today
    ("today|todays", lambda today: make_days(today)),
    ("yesterday|yesterdays", lambda today: find_period(today, "day")),
    ("tomorrow", lambda today: find_period(today, "day", -1)),
    ("this {daypart}", lambda today, daypart: at_hours(today, make_days(today), daypart)),
    ("last {daypart}", lambda today, daypart: at_hours(today, make_days(today - DAY), daypart)),
    ("last|past|previous {name}", lambda today, time: find_latest(time, today)),
    ("last|past|previous {count} {seasons}",
     lambda today, count, seasons: means.find_latest_few(today, means.make_season(today, seasons), count)),
    ("last|past|previous {count} {weekdays}",
     lambda today, count, weekdays: means.find_latest_few(today, Cycle("weekday", *weekdays), count)),
    ("last|past|previous {mon}", lambda today, mon: find_latest(means.make_weekday(today, mon), today)),
    ("next {mon}", lambda today, mon: means.find_next(today, means.make_weekday(today, mon))),
    ("{count} {name} ago", lambda today, time, count: find_latest(time, today, count)),
    ("this {name}", means.find_current),
    ("next {name}", means.find_next),
    ("last|previous {unit}", find_period),
    ("past {unit}", means.find_last_few),
    ("this {unit}", lambda today, unit: find_period(today, unit, 0)),
    ("next {unit}", lambda today, unit: find_period(today, unit, -1)),
    ("last|past|previous {count} {unit}", means.find_last_few),
    ("{count} {unit} ago", find_period),
    ("{count} {unit} ago today", lambda today, count, unit: make_days(add_units(today, unit, -count))),
    ("{unit} before last", lambda today, unit: find_period(today, unit, 2)),
    ("{name} before last", lambda today, time: find_latest(time, today, 2)),
    ("this|same day last year", "a year ago today"),
    ("half a year ago", lambda today: find_period(today, "month", 6)),
    ("{yearly} [of|in] last|previous year", "{yearly} {last_year}"),
    ("{yearly} [of|in] this year", "{yearly} {this_year}"),
    ("{name} {count} years|year ago", "{name} {years_ago}"),
    ("last|previous years {yearly}", "{yearly} {last_year}"),
    ("this years {yearly}", "{yearly} {this_year}"),
    ("{weekday} [of] last|previous week", means.name_day),
    ("{weekday} [of] this week", lambda today, weekday: means.name_day(today, weekday, 0)),
    # parts of a time
    ("{year} [,|/|-] {quarter}", "{quarter} {year}"),
    ("{ordinal} quarter {year}", "{ordinal} quarter of {year}"),
    ("{half} half {year}", "{half} half of {year}"),
    ("{half} half of|in [the] {time}", count_days(means.halve)),
    ("{ordinal} {part} of|in [the] {time}",
     _part(lambda start, end, ordinal, part: step(end if ordinal < 0 else start, part, ordinal))),
    ("{ordinal} {part} of|in the {unit}", "{ordinal} {part} of this {unit}"),
    ("first {count} {unit} of|in [the] {time}",
     _part(lambda start, end, count, unit: (start, add_units(start, unit, count)))),
    ("last {count} {unit} of|in [the] {time}",
     _part(lambda start, end, count, unit: (add_units(end, unit, -count), end))),
    ("[calendar] week {number} [of|in|,] {year}", means.make_week),
    ("{year} week {number}", means.make_week),
    # counted from a time
    ("{part} before|preceding [the] {time}",
     unless_long(count_days(lambda start, end, part: step(start, part, -1)))),
    ("{part} after|following [the] {time}",
     unless_long(count_days(lambda start, end, part: step(end, part, 1)))),
    ("the {count} {unit} before [the] {time}",
     count_days(lambda start, end, count, unit: (add_units(start, unit, -count), start))),
    ("the {count} {unit} after|following [the] {time}",
     count_days(lambda start, end, count, unit: (end, add_units(end, unit, count)))),
    ("{count} {unit} before [the] {time}",
     count_days(lambda start, end, count, unit: means.move(start, end, unit, -count))),
    ("{count} {unit} after [the] {time}", count_days(means.move)),
    ("within {count} {unit} of [the] {time}", count_days(means.widen)),
    ("{count} {unit} [on] either side of [the] {time}", count_days(means.widen)),
    ("{part} of|containing [the] {time}", count_days(means.find_around)),
    ("week starting|beginning|from [the] {time}", count_days(lambda start, end: (start, start + 7 * DAY))),
    ("{yearly} week [of|in] {year}", "week of {yearly} {year}"),
    ("{feast} week", "week of {feast}"),
    ("{yearly} weekend [of|in] {year}",
     lambda today, time, year: _find_weekend(today, means.find_in_year(today, time, year))),
    ("{feast} weekend", _find_weekend),
    ("[days] around|about|circa [the] {time}", means.find_near),
    ("days before [the] {time}", count_days(lambda start, end: (start - 3 * DAY, start))),
    ("days after [the] {time}", count_days(lambda start, end: (end, end + 3 * DAY))),
    # weekdays and hours
    ("every|each {name}", find_each),
    ("{season} {weekdays}", "{weekdays} in {season}"),
    ("{name} {daypart}", at_hours),
    ("{yearly} {daypart} [of|in] {year}", "{yearly} {year} in the {daypart}"),
    ("{name} {dayparts}", lambda today, time, dayparts: at_hours(today, find_each(today, time), dayparts)),
    ("{clock}", means.make_hour),
    ("{hour} oclock",
     lambda today, hour: Either(tuple(Cycle("hour", h, h) for h in (hour % 12, hour % 12 + 12)))),
    ("past {clock}", "after {clock}"),
    ("tonight", lambda today: Both((make_days(today), Cycle("hour", 17, 23)))),
    ("early in the {daypart}", "early {daypart}"),
    ("late in the {daypart}", "late {daypart}"),
    ("late at night", "night"),
    ("middle of the night", "night"),
    ("{hour} oclock in the morning", "{hour} am"),
    ("{hour} oclock in the afternoon|evening", "{hour} pm"),
    ("at {hour} in the morning", "{hour} am"),
    ("at {hour} in the afternoon|evening", "{hour} pm"),
    ("[between|from] {hour} {and_to} {hour} in the morning", "between {hour} and {hour2} am"),
    ("[between|from] {hour} {and_to} {hour} in the afternoon|evening", "between {hour} and {hour2} pm"),
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
    # lists, and a weekday before its date
    ("{weekday} [,|.] [the] {time}", means.find_weekday_in),
    ("{mon} [,|.] [the] {time}", means.find_dated_weekday),
    ("{weekday} the {day}",
     lambda today, weekday, day: Both((Cycle("weekday", weekday, weekday), Cycle("day", day, day)))),
    ("{yearly*}", "{yearly}"),
    ("{yearly*} [,] [of|in] {year}", "{yearly} {year}"),
    ("{yearly} [of] {year*}", "{yearly} {year}"),
    ("{day*} [of] {month} [[,] {year}]", "{day} {month} {year}"),
    ("{month} {day*} [,] {year}", "{day} {month} {year}"),
    # before and after
    ("before|until|till|by [the] end of {time}", "until {time}"),
    ("{compared} [the] {time}", means.compare),
    ("[since] {time} {onwards}", "since {time}"),
    ("pre [-] {year}", "before {year}"),
    ("post [-] {year}", "after {year}"),
    ("{older} than {count} {unit}",
     lambda today, count, unit: means.compare(today, "before", means.find_last_few(today, unit, count))),
    ("newer than {count} {unit}",
     lambda today, count, unit: means.compare(today, "since", means.find_last_few(today, unit, count))),
    ("{time} {or_before}", "until {time}"),
    # weekdays and hours of a time
    ("{time} [,] [in|at|on|during] [the] {last_daypart}",
     lambda today, time, last_daypart: at_hours(today, time, last_daypart)),
    ("{daypart} of|on [the] {time}", at_hours),
    ("{daypart} before [the] {time}", "{daypart} of day before {time}"),
    ("{daypart} after [the] {time}", "{daypart} of day after {time}"),
    ("{weekday} in|of|during {time}", means.find_weekday_in),
    ("{weekdays} in|of|during {time}",
     lambda today, weekdays, time: Both((Cycle("weekday", *weekdays), time))),
    # not understood
    ("{several} {unit} [before|after|later]", None),
    ("last|past|previous {count} hours|minutes", None),
    ("beginning|start|middle|end of the|this|last|next week", None),
    ("last|past|previous {count} christmases|easters|birthdays", None),
]  # fmt: skip
