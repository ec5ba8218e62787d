"""Expands short forms of dates for the date parser: "may and june 2024" to "may 2024 and june 2024"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from imagesearch.query.clauses import NUMBER_WORDS
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

# Returns the words that replace a match, from the match, the word before it and today. If it returns an empty
# text, the match is not replaced.
Rule = Callable[[re.Match[str], str, date], str]

_M, _S, _H, _W = MONTH_PATTERN, SEASON_PATTERN, HOLIDAY_PATTERN, WEEKDAY_PATTERN
_Y, _D = YEAR_PATTERN, DAY_PATTERN
# A day or month without a year, a season or a holiday.
_YEARLY = rf"(?:(?:{_D} (?:of )?)?{_M}|{_S}|{_H})"
_DATE = rf"(?:{_YEARLY}(?: {_Y})?|{_Y})"
_JOINER = "(?:and|or|&|, and|, or|,)"
_LAST_JOINER = "(?:and|or|&|/|, and|, or)"
_DAY_JOINER = rf"(?:{_JOINER}|/)"
_TO = r"(?:to|until|till|through|-|\u2013)"


def _repeat_year(match: re.Match[str], before: str, today: date) -> str:
    """Expand "may and june 2024"; and "in may or june", where *in* is repeated for each month."""
    lead = "" if match["in"] is None else "in " if match["in"] == "from" else f"{match['in']} "
    year = f" {match['y']}" if match["y"] else ""
    if before == "between" or not (lead or year):
        return ""
    return re.sub(rf"(?<![^ ]){_YEARLY}(?![^ ])", lambda found: f"{lead}{found[0]}{year}", match["list"])


def _repeat_month(match: re.Match[str], before: str, today: date) -> str:
    """Expand "june 2023 and 2024"."""
    years = re.sub(_Y, rf"{match['date']} \g<0>", match["years"])
    return "" if before == "between" else years


def _repeat_days(match: re.Match[str], before: str, today: date) -> str:
    """Expand "3 and 5 june 2024"."""
    rest = _check_days(match)
    return "" if before == "between" else re.sub(rf"(?<![^ ]){_D}", rf"\g<0> {rest}", match["list"])


def _expand_day_span(match: re.Match[str], before: str, today: date) -> str:
    """Expand "3-5 june 2024"."""
    rest = _check_days(match)
    return "" if before in ("between", "from") else f"from {match['d']} {rest} to {match['e']} {rest}"


def _check_days(match: re.Match[str]) -> str:
    """Return the month and the year of a match.

    Raises
    ------
    ValueError
        If the month does not have the days of the match.
    """
    groups = match.groupdict()
    days = groups.get("list") or f"{groups['d']} {groups['e']}"
    for day in re.findall(r"\d+", days):
        date(int(groups["y"] or 2024), MONTHS[groups["m"]], int(day))
    return f"{groups['m']} {groups['y'] or ''}".strip()


def _expand_open_end(match: re.Match[str], before: str, today: date) -> str:
    """Replace "2020 or later" by "since 2020"."""
    return ("since " if match["later"] else "until ") + match["d"]


def _resolve_years_back(match: re.Match[str], before: str, today: date) -> str:
    """Replace "summer last year" and "summer 2 years ago" by the season with its year."""
    count = match.groupdict().get("n")
    back = int(match["which"] != "this") if count is None else parse_count(count)
    return f"{match['date']} {date(today.year - back, 1, 1).year}"


def _resolve_weekday(match: re.Match[str], before: str, today: date) -> str:
    """Replace "tuesday last week" by its date."""
    monday = today - timedelta(days=today.weekday() + 7 * (match["which"] != "this"))
    day = monday + timedelta(days=WEEKDAYS.index(match["w"]))
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _repeat_on(match: re.Match[str], before: str, today: date) -> str:
    """Repeat *on* in "on saturday or sunday"."""
    return re.sub(rf"(?<![^ ]){_W}", r"on \g<0>", match["list"])


def _expand_third(match: re.Match[str], before: str, today: date) -> str:
    """Replace "end of 2023" by four months, and "mid june" by some ten days."""
    if before in ("between", "from", "to", "the"):
        return ""
    if match["part"].startswith("end") and match["comparison"] in ("before", "until", "till"):
        return f"until {match['date']}"
    part = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1}.get(match["part"].split()[0], 2)
    if match["m"] is None:
        first, last = (("january", "april"), ("may", "august"), ("september", "december"))[part]
        return _make_bounds(match["comparison"], f"{first} {match['y']}", f"{last} {match['y']}")
    month = f"{match['m']} {match['z'] or ''}".strip()
    end = calendar.monthrange(int(match["z"] or 2024), MONTHS[match["m"]])[1]
    first_day, last_day = ((1, 10), (11, 20), (21, end))[part]
    return _make_bounds(match["comparison"], f"{first_day} {month}", f"{last_day} {month}")


def _make_bounds(comparison: str | None, first: str, last: str) -> str:
    if comparison is None:
        return f"from {first} to {last}"
    return f"{comparison} {first if comparison in ('since', 'before') else last}"


_COUNT = rf"(?:\d\d?|an?|{'|'.join(NUMBER_WORDS[1:])})"
DATE_RULES: list[tuple[re.Pattern[str], Rule]] = [
    (re.compile(rf"(?:{text})(?= |$)(?! [-/.] \d)"), rule)
    for text, rule in (
        (r"(?:(?P<in>in|during|at|on|from) (?:the )?)?"
         rf"(?P<list>{_YEARLY}(?: , {_YEARLY})*(?: {_LAST_JOINER} {_YEARLY})+)"
         rf"(?:(?: ,)? (?:of |in )?(?P<y>{_Y}))?", _repeat_year),
        (rf"(?P<date>{_YEARLY})s? (?:of )?(?P<years>{_Y}(?: {_JOINER} {_Y})+)", _repeat_month),
        (rf"(?:on )?(?P<list>{_D}(?: {_DAY_JOINER} (?:the )?{_D})+) (?:of )?(?P<m>{_M})"
         rf"(?:(?: ,)? (?P<y>{_Y}))?", _repeat_days),
        (rf"(?:(?:on|over) )?(?:the )?(?P<d>{_D}) {_TO} (?:the )?(?P<e>{_D}) (?:of )?(?P<m>{_M})"
         rf"(?:(?: ,)? (?P<y>{_Y}))?", _expand_day_span),
        (rf"(?:(?:on|over|from) )?(?P<m>{_M}) (?:the )?(?P<d>{_D}) {_TO} (?:the )?(?P<e>{_D})"
         rf"(?! (?:of )?{_M})(?:(?: ,)? (?P<y>{_Y}))?", _expand_day_span),
        (rf"(?:(?:from|since|in) )?(?P<d>{_DATE}) "
         r"(?:(?P<later>(?:or|and) (?:later|newer|after|onwards?|beyond)|onwards?)|"
         rf"(?:or|and) (?:earlier|older|before))(?! (?:the )?{_DATE})", _expand_open_end),
        (rf"(?P<date>{_YEARLY}) (?:of |in )?"
         rf"(?:(?P<which>last|this|previous) year|(?P<n>{_COUNT}) years? ago)", _resolve_years_back),
        (rf"(?P<which>last|this|previous) years (?P<date>{_S}|{_H})", _resolve_years_back),
        (rf"on (?P<list>{_W}(?: {_LAST_JOINER} {_W})+)", _repeat_on),
        (rf"(?P<m>{_M}) (?P<list>{_D}(?: {_DAY_JOINER} {_D})+)(?: ,)? (?P<y>{_Y})", _repeat_days),
        (rf"(?P<w>{_W}) (?:of )?(?P<which>last|this|previous) week", _resolve_weekday),
        (rf"(?:(?:in|at|on|around|towards|during|"
         r"(?P<comparison>before|after|since|until|till)) )?(?:the )?"
         rf"(?P<part>(?:early|mid|late)(?: -)?|"
         rf"(?:end|beginning|start|middle) of) (?P<date>(?P<m>{_M})(?: (?P<z>{_Y}))?|(?P<y>{_Y}))",
         _expand_third),
    )
]  # fmt: skip
