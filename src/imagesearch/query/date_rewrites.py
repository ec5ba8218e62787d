"""Shortened dates, written out for the date parser: "may and june 2024" is "may 2024 and june 2024"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from imagesearch.query.date_expressions import (
    DAY_PATTERN,
    HOLIDAY_PATTERN,
    MONTH_PATTERN,
    SEASON_PATTERN,
    WEEKDAY_PATTERN,
    YEAR_PATTERN,
    parse_count,
)
from imagesearch.query.date_ranges import MONTH_NAMES, MONTHS, WEEKDAYS
from imagesearch.query.parsed_query import NUMBER_WORDS

# From a match, the word before it and today to the words to read instead; empty where the match stands.
Rule = Callable[[re.Match[str], str, date], str]

_M, _S, _H, _W = MONTH_PATTERN, SEASON_PATTERN, HOLIDAY_PATTERN, WEEKDAY_PATTERN
_Y, _D = YEAR_PATTERN, DAY_PATTERN
_WHAT = rf"(?:(?:{_D} (?:of )?)?{_M}|{_S}|{_H})"
_DATE = rf"(?:{_WHAT}(?: {_Y})?|{_Y})"
_OR = "(?:and|or|&|, and|, or|,)"
_LAST = "(?:and|or|&|/|, and|, or)"
_SLASH = rf"(?:{_OR}|/)"
_TO = r"(?:to|until|till|through|-|\u2013)"


def _repeat_year(match: re.Match[str], before: str, today: date) -> str:
    """May and june 2024; in may or june, where each takes the *in*."""
    lead = "" if match["in"] is None else "in " if match["in"] == "from" else f"{match['in']} "
    year = f" {match['y']}" if match["y"] else ""
    if before == "between" or not (lead or year):
        return ""
    return re.sub(rf"(?<![^ ]){_WHAT}(?![^ ])", lambda what: f"{lead}{what[0]}{year}", match["list"])


def _repeat_month(match: re.Match[str], before: str, today: date) -> str:
    """June 2023 and 2024."""
    years = re.sub(_Y, rf"{match['what']} \g<0>", match["years"])
    return "" if before == "between" else years


def _repeat_days(match: re.Match[str], before: str, today: date) -> str:
    """3 and 5 june 2024."""
    rest = _check_days(match)
    return "" if before == "between" else re.sub(rf"(?<![^ ]){_D}", rf"\g<0> {rest}", match["list"])


def _expand_day_span(match: re.Match[str], before: str, today: date) -> str:
    """3-5 june 2024."""
    rest = _check_days(match)
    return "" if before in ("between", "from") else f"from {match['d']} {rest} to {match['e']} {rest}"


def _check_days(match: re.Match[str]) -> str:
    """The month, and the year if there is one, in which there are such days."""
    groups = match.groupdict()
    days = groups.get("list") or f"{groups['d']} {groups['e']}"
    for day in re.findall(r"\d+", days):
        date(int(groups["y"] or 2024), MONTHS[groups["m"]], int(day))
    return f"{groups['m']} {groups['y'] or ''}".strip()


def _expand_open_end(match: re.Match[str], before: str, today: date) -> str:
    """2020 or later."""
    return ("since " if match["later"] else "until ") + match["d"]


def _resolve_years_back(match: re.Match[str], before: str, today: date) -> str:
    """Summer last year, summer 2 years ago."""
    count = match.groupdict().get("n")
    back = int(match["which"] != "this") if count is None else parse_count(count)
    return f"{match['what']} {date(today.year - back, 1, 1).year}"


def _resolve_weekday(match: re.Match[str], before: str, today: date) -> str:
    """Tuesday last week."""
    monday = today - timedelta(days=today.weekday() + 7 * (match["which"] != "this"))
    day = monday + timedelta(days=WEEKDAYS.index(match["w"]))
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _repeat_on(match: re.Match[str], before: str, today: date) -> str:
    """On saturday or sunday."""
    return re.sub(rf"(?<![^ ]){_W}", r"on \g<0>", match["list"])


def _expand_third(match: re.Match[str], before: str, today: date) -> str:
    """End of 2023, mid june: thirds of a year, and some ten days of a month."""
    if before in ("between", "from", "to", "the"):
        return ""
    if match["part"].startswith("end") and match["how"] in ("before", "until", "till"):
        return f"until {match['what']}"
    part = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1}.get(match["part"].split()[0], 2)
    if match["m"] is None:
        first, last = (("january", "april"), ("may", "august"), ("september", "december"))[part]
        return _make_bounds(match["how"], f"{first} {match['y']}", f"{last} {match['y']}")
    month = f"{match['m']} {match['z'] or ''}".strip()
    end = calendar.monthrange(int(match["z"] or 2024), MONTHS[match["m"]])[1]
    first_day, last_day = ((1, 10), (11, 20), (21, end))[part]
    return _make_bounds(match["how"], f"{first_day} {month}", f"{last_day} {month}")


def _make_bounds(how: str | None, first: str, last: str) -> str:
    if how is None:
        return f"from {first} to {last}"
    return f"{how} {first if how in ('since', 'before') else last}"


_COUNT = rf"(?:\d\d?|an?|{'|'.join(NUMBER_WORDS[1:])})"
DATE_RULES: list[tuple[re.Pattern[str], Rule]] = [
    (re.compile(rf"(?:{text})(?= |$)(?! [-/.] \d)"), rule)
    for text, rule in (
        (rf"(?:(?P<in>in|during|at|on|from) (?:the )?)?(?P<list>{_WHAT}(?: , {_WHAT})*(?: {_LAST} {_WHAT})+)"
         rf"(?:(?: ,)? (?:of |in )?(?P<y>{_Y}))?", _repeat_year),
        (rf"(?P<what>{_WHAT})s? (?:of )?(?P<years>{_Y}(?: {_OR} {_Y})+)", _repeat_month),
        (rf"(?:on )?(?P<list>{_D}(?: {_SLASH} (?:the )?{_D})+) (?:of )?(?P<m>{_M})(?:(?: ,)? (?P<y>{_Y}))?",
         _repeat_days),
        (rf"(?:(?:on|over) )?(?:the )?(?P<d>{_D}) {_TO} (?:the )?(?P<e>{_D}) (?:of )?(?P<m>{_M})"
         rf"(?:(?: ,)? (?P<y>{_Y}))?", _expand_day_span),
        (rf"(?:(?:on|over|from) )?(?P<m>{_M}) (?:the )?(?P<d>{_D}) {_TO} (?:the )?(?P<e>{_D})"
         rf"(?! (?:of )?{_M})(?:(?: ,)? (?P<y>{_Y}))?", _expand_day_span),
        (rf"(?:(?:from|since|in) )?(?P<d>{_DATE}) "
         r"(?:(?P<later>(?:or|and) (?:later|newer|after|onwards?|beyond)|onwards?)|"
         rf"(?:or|and) (?:earlier|older|before))(?! (?:the )?{_DATE})", _expand_open_end),
        (rf"(?P<what>{_WHAT}) (?:of |in )?(?:(?P<which>last|this|previous) year|(?P<n>{_COUNT}) years? ago)",
         _resolve_years_back),
        (rf"(?P<which>last|this|previous) years (?P<what>{_S}|{_H})", _resolve_years_back),
        (rf"on (?P<list>{_W}(?: {_LAST} {_W})+)", _repeat_on),
        (rf"(?P<m>{_M}) (?P<list>{_D}(?: {_SLASH} {_D})+)(?: ,)? (?P<y>{_Y})", _repeat_days),
        (rf"(?P<w>{_W}) (?:of )?(?P<which>last|this|previous) week", _resolve_weekday),
        (rf"(?:(?:in|at|on|around|towards|during|"
         r"(?P<how>before|after|since|until|till)) )?(?:the )?"
         rf"(?P<part>(?:early|mid|late)(?: -)?|"
         rf"(?:end|beginning|start|middle) of) (?P<what>(?P<m>{_M})(?: (?P<z>{_Y}))?|(?P<y>{_Y}))",
         _expand_third),
    )
]  # fmt: skip
