"""Parses one date expression: "3 june 2024", "last december", "two years ago", "sundays", "the 90s".

- python-dateutil parses absolute dates. With dots and dashes the day comes first, unless the year does:
  03.06.2024 is the 3rd of June. With slashes the month comes first, if it is one: 6/3/2024 is the same day.
- A month or a day without a year refers to every year.
- "on sunday" refers to the latest Sunday, including today; "last sunday" to the latest before today;
  "sundays" to every Sunday.
- "last" refers to the latest that is over. In December 2024, "last december" is December 2023.
- "two years ago" refers to a calendar year, "two weeks ago" to a week from Monday. "the last two weeks" end
  today.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta

from imagesearch.filters import And, Eq
from imagesearch.query import date_ranges
from imagesearch.query.date_ranges import MONTH_NAMES, MONTHS, WEEKDAYS, TimeReference
from imagesearch.query.lexicon import split_set

COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
          "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "few": 3,
          "couple of": 2}  # fmt: skip
DECADES = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
           "eighties": 80, "nineties": 90}  # fmt: skip


def make_alternatives(words: Collection[str]) -> str:
    """Return a pattern that matches any of the words, and the longest one that fits."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


MONTH_PATTERN = make_alternatives(MONTHS)
WEEKDAY_PATTERN = make_alternatives(WEEKDAYS)
SEASON_PATTERN = make_alternatives(date_ranges.SEASONS)
HOLIDAY_PATTERN = make_alternatives(date_ranges.HOLIDAYS)
DECADE_PATTERN = make_alternatives(DECADES)
YEAR_PATTERN = r"(?:19|20)\d\d"
DAY_PATTERN = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"

Parser = Callable[[re.Match[str], date], TimeReference]


def parse_count(text: str) -> int:
    """Return a number of days, weeks, months or years: ``2``, ``two``, ``a``."""
    return COUNTS.get(text) or int(text)


def _parse_full_date(match: re.Match[str], today: date) -> TimeReference:
    text = match[0].replace(" ", "")
    day_first = "/" not in text and not re.match(r"\d{4}", text)
    return date_ranges.make_day(date_ranges.parse_date(text, day_first))


def _parse_day(match: re.Match[str], today: date) -> TimeReference:
    day, month = int(match["d"].rstrip("stndrh")), MONTHS[match["m"]]
    if match["y"]:
        text = f"{day} {MONTH_NAMES[month - 1]} {match['y']}"
        return date_ranges.make_day(date_ranges.parse_date(text, day_first=True))
    date(2024, month, day)  # raises ValueError for the 30th of February
    condition = And((Eq("month", month), Eq("day", day)))
    days = ((month, day), (month, day))
    return TimeReference(recurring=condition, family="day", recurring_days=days)


def _parse_month(match: re.Match[str], today: date) -> TimeReference:
    name = match["m"]
    month = MONTHS[name]
    if match["y"]:
        return date_ranges.make_month(int(match["y"]), month)
    return TimeReference(
        recurring=date_ranges.make_months_condition(month, month),
        month=month,
        is_ambiguous=name in ("may", "march") or (len(name) < 5 and name not in ("june", "july")),
        family="month",
        recurring_days=((month, 1), (month, 31)),
    )


def _parse_numbered_month(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_month(int(match["y"] or match["z"]), int(match["m"] or match["n"]))


def _parse_season(match: re.Match[str], today: date) -> TimeReference:
    if match["y"]:
        return date_ranges.make_season(match["s"], int(match["y"]) + bool(match["z"]))
    return date_ranges.make_season(match["s"])


def _parse_holiday(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_holiday(match["h"], int(match["y"]) if match["y"] else None)


def _parse_latest(match: re.Match[str], today: date) -> TimeReference:
    """Parse *last*, *past* or *this* with a month, season, weekday, holiday, week, weekend or year."""
    name, is_last = match["what"], match["which"] != "this"
    if name in date_ranges.UNITS and match["which"] == "past":
        return date_ranges.make_last_few(1, name, today)
    if name in date_ranges.UNITS:
        return date_ranges.make_current(name, today, ago=int(is_last))
    occurrences = date_ranges.list_occurrences(name, today)
    return date_ranges.find_latest(occurrences, today) if is_last else occurrences[-1]


def _parse_last_few(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_last_few(parse_count(match["n"]), match["u"].rstrip("s"), today)


def _parse_ago(match: re.Match[str], today: date) -> TimeReference:
    if match["n"] is None:
        return date_ranges.make_current("month", today, ago=6)
    unit, count = match["u"].rstrip("s"), parse_count(match["n"])
    if match["t"]:
        return date_ranges.make_day_ago(count, unit, today)
    return date_ranges.make_current(unit, today, ago=count)


def _parse_near_day(match: re.Match[str], today: date) -> TimeReference:
    ago = {"today": 0, "yesterday": 1}.get(match[0].removesuffix("s"), 2)
    return date_ranges.make_current("day", today, ago=ago)


def _parse_decade(match: re.Match[str], today: date) -> TimeReference:
    number = DECADES.get(match[0])
    if number is None:
        number = int(match[0][:-1])
    year = number if number > 100 else (1900 if number > 20 else 2000) + number
    return replace(date_ranges.make_years(year, 10), is_ambiguous=number < 100)


def _parse_year(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_years(int(match[0][-4:]))


def _parse_recurring_days(match: re.Match[str], today: date) -> TimeReference:
    name = match[0].removeprefix("every ").removesuffix("s")
    days = {"weekend": (5, 6), "weekday": range(5)}.get(name)
    return date_ranges.make_weekdays(days or (WEEKDAYS.index(name),))


def _parse_weekday(match: re.Match[str], today: date) -> TimeReference:
    days_ago = (today.weekday() - WEEKDAYS.index(match[0])) % 7
    return replace(date_ranges.make_day(today - timedelta(days=days_ago)), is_ambiguous=True)


def _parse_weekend(match: re.Match[str], today: date) -> TimeReference:
    return replace(date_ranges.make_weekdays((5, 6)), is_ambiguous=True)


_M, _W, _S, _H = MONTH_PATTERN, WEEKDAY_PATTERN, SEASON_PATTERN, HOLIDAY_PATTERN
_Y, _D = YEAR_PATTERN, DAY_PATTERN
_COUNT, _UNIT = rf"(?:\d{{1,3}}|{make_alternatives(COUNTS)})", "(?:day|week|month|year)s?"
_REPEATED = make_alternatives(
    [*MONTHS, *WEEKDAYS, *date_ranges.SEASONS, *date_ranges.HOLIDAYS, *date_ranges.UNITS, "weekend"]
)
_PARSERS: list[tuple[re.Pattern[str], Parser]] = [
    (re.compile(rf"(?:{text})(?= |$)"), parser)
    for text, parser in (
        (rf"{_Y} ([-/.]) \d\d? \1 \d\d?|\d\d? ([-/.]) \d\d? \2 {_Y}", _parse_full_date),
        (rf"(?P<d>{_D}) (?:of )?(?P<m>{_M})(?: [,.])?(?: (?:of )?(?P<y>{_Y}))?", _parse_day),
        (rf"(?P<m>{_M})(?: \.)? (?:the )?(?P<d>{_D})(?:(?: ,)? (?P<y>{_Y}))?", _parse_day),
        (rf"(?P<m>{_M})(?: [,.])?(?: (?:of )?(?P<y>{_Y}))", _parse_month),
        (rf"(?P<m>{_M})(?P<y>(?!))?", _parse_month),
        (rf"(?P<y>{_Y}) - (?P<m>0[1-9]|1[0-2])|(?P<n>0?[1-9]|1[0-2]) / (?P<z>{_Y})", _parse_numbered_month),
        (rf"(?P<s>{_S})(?: (?:of |in |, )?(?P<y>{_Y})(?P<z> [-/] \d\d(?:\d\d)?)?)?", _parse_season),
        (rf"(?P<h>{_H})(?: (?:of |in |, )?(?P<y>{_Y}))?", _parse_holiday),
        (rf"(?P<which>last|this|past|previous) (?P<what>{_REPEATED})s?", _parse_latest),
        (rf"(?:the )?(?:last|past|previous) (?P<n>{_COUNT}) (?P<u>{_UNIT})", _parse_last_few),
        (rf"(?P<n>{_COUNT}) (?P<u>{_UNIT}) ago(?P<t> today)?|half a year ago", _parse_ago),
        ("todays?|yesterdays?|(?:the )?day before yesterday", _parse_near_day),
        (rf"{DECADE_PATTERN}|(?:19|20)\d0s|[0-9]0s", _parse_decade),
        (f"(?:year )?{_Y}", _parse_year),
        (rf"every (?:weekend|weekday|{_W})|(?:{_W}|weekend|weekday)s", _parse_recurring_days),
        (_W, _parse_weekday),
        ("weekend", _parse_weekend),
    )
]
_NAMES = (*MONTHS, *WEEKDAYS, *date_ranges.SEASONS, *date_ranges.HOLIDAYS, *DECADES, *COUNTS)
# The first words of all expressions that do not start with a digit.
FIRST_WORDS = (
    {name.split()[0] for name in _NAMES}
    | {f"{day}s" for day in (*WEEKDAYS, "weekend", "weekday")}
    | split_set("every the last this past previous today todays yesterday yesterdays day year weekend half")
)


def match_expression(text: str, start: int, today: date) -> tuple[TimeReference, int] | None:
    """Return the longest date expression at an offset of a text, and the offset of the word after it.

    Raises
    ------
    ValueError, OverflowError
        If the day does not exist, such as the 30th of February.
    """
    best: tuple[re.Match[str], Parser] | None = None
    for pattern, parser in _PARSERS:
        match = pattern.match(text, start)
        if match and (best is None or match.end() > best[0].end()):
            best = match, parser
    if best is None:
        return None
    match, parser = best
    return parser(match, today), match.end() + 1


def parse_expression(text: str, today: date) -> TimeReference | None:
    """Return the reference of a text that is one date expression; None if it is not.

    Raises
    ------
    ValueError, OverflowError
        If the day does not exist, such as the 30th of February.
    """
    text = " ".join(text.split())
    match = match_expression(text, 0, today)
    return match[0] if match and match[1] > len(text) else None
