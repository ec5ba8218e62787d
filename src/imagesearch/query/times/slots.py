"""The words and numbers of times, and the slots of phrases that they fill."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from imagesearch.query.lexicon import PHOTOS

MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_NUMBERED = {name: i for i, name in enumerate(MONTH_NAMES, 1)}
MONTHS = _NUMBERED | {name[:3]: i for name, i in _NUMBERED.items()} | {"sept": 9}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = {name: i for i, name in enumerate(_WEEKDAYS)}
WEEKDAYS |= {"tue": 1, "tues": 1, "weds": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4}
_PARTS_OF_WEEK = {"weekend": (5, 6), "weekday": (0, 4), "workday": (0, 4)}
_SEVERAL = {name: (i, i) for name, i in WEEKDAYS.items()} | _PARTS_OF_WEEK
# The first month of each season in the north. Southern seasons start six months later.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_HOLIDAYS = (
    "",
    "s",
    "time",
    " time",
    " season",
    " holiday",
    " holidays",
    " hols",
    " vacation",
    " vacations",
    " break",
)
# The first hour, and the one in which it is over.
_DAYPARTS = {
    "morning": (5, 12), "afternoon": (12, 17), "evening": (17, 22), "night": (22, 5), "early morning": (5, 8),
    "late morning": (10, 12), "early afternoon": (12, 15), "late afternoon": (15, 17),
    "early evening": (17, 20), "late evening": (20, 22), "lunchtime": (12, 14),
}  # fmt: skip
_NOONS = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}
_DECADES = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
            "eighties": 80, "nineties": 90}  # fmt: skip
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "few": 3, "a few": 3,
           "several": 3, "couple": 2, "couple of": 2, "a couple of": 2, "a couple": 2}  # fmt: skip
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
             "eighth": 8, "ninth": 9, "tenth": 10}  # fmt: skip
_UNITS = {unit + end: unit for unit in ("day", "week", "month", "quarter", "year") for end in ("", "s")}
_COMPARED = {
    "before": "before", "prior to": "before", "from before": "before", "after": "after", "since": "since",
    "from after": "after", "starting": "since", "starting from": "since", "as of": "since", "until": "until",
    "till": "until", "up to": "until", "up until": "until", "older than": "before", "earlier than": "before",
    "newer than": "after", "later than": "after",
}  # fmt: skip
APOSTROPHES = "'\u2019\u2018`\u2032\u02bc\u02bb\u02b9"
# Names with other meanings. They are times after a word such as *in*, or with a year.
AMBIGUOUS = {"may", "march", *(name for name in MONTHS if len(name) < 5 and name not in ("june", "july"))}
AMBIGUOUS |= {*_SEASONS, *_DAYPARTS, *_NOONS, *_DECADES, *(f"{digit}0s" for digit in range(10))}


class Slot(NamedTuple):
    """A pattern, how its text is read on a day, and the first words that it can match.

    A slot that is not read has no value. The first word ``#`` stands for all that start with a digit, ``q#``
    for ``q`` with digits after it.
    """

    pattern: str
    read: Callable[[str, date], Any] | None
    first: Collection[str]


def _join_words(words: Iterable[str]) -> str:
    """Return a pattern that matches any of the words, and the longest one that fits."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _words(values: Mapping[str, Any], after: str = "") -> Slot:
    first = {"#" if word[0].isdigit() else word.split()[0] for word in values}
    return Slot(_join_words(values) + after, lambda text, today: values[text], first)


def _digits(
    pattern: str, read: Callable[[str, date], Any] = lambda text, today: int(text), first: str = "#"
) -> Slot:
    return Slot(pattern, read, first.split())


def read_year(text: str, today: date) -> int:
    """Return a year of four digits, or the latest year that has begun and ends in two digits."""
    digits = text.strip(f"{APOSTROPHES} ")
    return int(digits) if len(digits) > 2 else today.year - (today.year - int(digits)) % 100


def read_date(text: str, today: date) -> date:
    """Read a date of digits: the year first, or the day, or with slashes the month, if it can be one.

    Raises
    ------
    ValueError
        If there is no such day.
    """
    numbers = re.findall(r"\d+", text) if " " in text else [text[:4], text[4:6], text[6:]]
    if len(numbers[0]) == 4:
        return date(*map(int, numbers))
    day, month = map(int, numbers[:2])
    if ("/" in text and day <= 12) or month > 12 >= day:
        day, month = month, day
    return date(read_year(numbers[2], today), month, day)


def _read_clock(text: str, today: date) -> tuple[int, int]:
    """Return the hour and minute of ``6 pm``, ``6 : 30 p . m`` or ``18 : 30``."""
    hour, minute = (*map(int, re.findall(r"\d+", text)), 0)[:2]
    half = re.search("[ap]", text)
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        raise ValueError("no such time")
    return (hour % 12 + 12 * (half[0] == "p") if half else hour), minute


def _read_decade(text: str, today: date) -> int:
    number = _DECADES.get(text) or int(text.strip(f"{APOSTROPHES} s"))
    return number if number > 100 else (1900 if number > 20 else 2000) + number


def _read_quarter(text: str, today: date) -> tuple[int, int]:
    """Return the first month and the number of months of ``q3`` or ``h2``."""
    months, number = 3 if text[0] == "q" else 6, int(text[-1])
    return months * (number - 1) + 1, months


_Y, _YEAR = r"(?:19|20)\d\d", rf"(?:(?:19|20)\d\d|[{APOSTROPHES}] \d\d)"
_DATES = (rf"{_Y} {m} \d\d? {m} \d\d?|\d\d? {m} \d\d? {m} (?:{_Y}|\d\d)" for m in ("-", "/", r"\."))
_LONG = rf"{_Y} : \d\d : \d\d|\d\d \d\d {_Y}|{_Y} \d\d \d\d|{_Y} _ \d\d _ \d\d|"
_LONG += rf"{_Y}(?:0\d|1[0-2])(?:[0-2]\d|3[01])"
DATE_PATTERN = rf"(?:{'|'.join(_DATES)}|{_LONG})"
_AMPM, _TO = r"(?:am|pm|[ap] \. m(?: \.)?)", r"(?:to|until|till|til|through|thru|-|\u2013|\u2014)"
_COUNT, _DAY = rf"(?:\d{{1,3}}|{_join_words(_COUNTS)})", r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_GLUED = (*MONTHS, *_SEASONS, "xmas", "christmas", "easter")
_PHRASE_END = (
    r"(?= (?:in|on|at|of|with|without|and|or|by|near|from|to|for|not|taken|shot|made|rated|added|[^a-z ])|$)"
)
# "from 2023 on", but not "2023 on a boat"
_AFTER_ON = r"(?= (?:in|at|of|with|without|and|or|by|near|from|for|[^a-z0-9 ])|$)"
_AFTER_PHOTOS = "(?:" + "|".join(f"(?<={word} )" for word in sorted(PHOTOS)) + ")"
# "sun" is a weekday only directly before a date.
_BEFORE_DAY = rf"(?:(?<!sun)|(?= (?:[.,] )?(?:the )?(?:\d|{_join_words(MONTHS)})))"
SLOTS = {
    "month": _words(MONTHS),
    "season": _words({name + end: month for name, month in _SEASONS.items() for end in _HOLIDAYS}),
    "weekday": _words(WEEKDAYS),
    # Other words too: weekdays only after "last" or before a date.
    "mon": _words({"mon": 0, "wed": 2, "sat": 5, "sun": 6}, after=_BEFORE_DAY),
    "seasons": _words({f"{name}s": month for name, month in _SEASONS.items()}),
    "weekdays": _words({f"{name}s": days for name, days in _SEVERAL.items()} | _PARTS_OF_WEEK),
    "daypart": _words(_DAYPARTS),
    "last_daypart": _words(_DAYPARTS, after=_PHRASE_END),
    "dayparts": _words({f"{name}s": hours for name, hours in _DAYPARTS.items()}),
    "noon": _words(_NOONS),
    "ordinal": _words(_ORDINALS | {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1}),
    "unit": _words(_UNITS),
    "part": _words({unit: unit for unit in (*_UNITS.values(), "weekend")} | WEEKDAYS),
    "half": _words({"first": 1, "1st": 1, "second": 2, "2nd": 2, "last": 2}),
    "compared": _words(_COMPARED),
    "count": Slot(_COUNT, lambda text, today: _COUNTS.get(text) or int(text), {"#", *_COUNTS}),
    "several": Slot(rf"(?!(?:an?|one|1) [^fc])(?!\S+ \w+ old){_COUNT}", None, {"#", *_COUNTS}),
    "day": Slot(
        rf"(?:{_DAY}|{_join_words(_ORDINALS)})",
        lambda text, today: _ORDINALS.get(text) or int(text.rstrip("stndrh")),
        {"#", *_ORDINALS},
    ),
    "year": Slot(_YEAR, read_year, {"#", *APOSTROPHES}),
    "year4": _digits(_Y),
    "yy": _digits(r"\d\d(?:\d\d)?"),
    "month1": _digits(r"(?:0?[1-9]|1[0-2])"),
    "month2": _digits(r"(?:0[1-9]|1[0-2])"),
    "number": _digits(r"\d\d?"),
    "date": _digits(DATE_PATTERN, read_date),
    "decade": Slot(
        rf"(?:{_join_words(_DECADES)}|(?:19|20)\d0s|(?:[{APOSTROPHES}] )?\d0s)",
        _read_decade,
        {"#", *APOSTROPHES, *_DECADES},
    ),
    "quarter": _digits(r"(?:q ?[1-4]|h[12])", _read_quarter, "q q# h#"),
    "name_yy": Slot(
        rf"(?P<letters>{_join_words(_GLUED)})(?P<digits>\d\d)", None, {f"{name}#" for name in _GLUED}
    ),
    "hour": _digits(r"(?:1[0-2]|0?[1-9])"),
    "clock": _digits(rf"(?:\d\d? : \d\d(?: : \d\d)?(?: ?{_AMPM})?|\d\d? ?{_AMPM})", _read_clock),
    "early": Slot("(?:early(?: -)?|(?:beginning|start) of)", None, ("early", "beginning", "start")),
    "mid": Slot("(?:mid(?: -)?|middle of)", None, ("mid", "middle")),
    "late": Slot("(?:late(?: -)?|end of)", None, ("late", "end")),
    "to": Slot(_TO, None, ()),
    "and_to": Slot(f"(?:and|{_TO})", None, ()),
    "onwards": Slot(
        "(?:(?:or|and) (?:later|newer|after|onwards?|beyond)|(?:and )?(?:onwards?|on ?wards?)|"
        rf"(?:and )?on{_AFTER_ON})",
        None,
        (),
    ),
    # "a man older than 50 years" is no time
    "older": Slot(rf"(?:(?<![^ ] )|{_AFTER_PHOTOS})older", None, ("older",)),
    "or_before": Slot("(?:or|and) (?:earlier|older|before)", None, ()),
}
