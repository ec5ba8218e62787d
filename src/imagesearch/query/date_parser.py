"""Finds dates in a sentence, with the words that lead to them: "in may", "between may and july 2024".

`date_expressions` parses the dates themselves. "since may" and "before christmas" refer to the latest May or
Christmas that has begun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from imagesearch.query import date_ranges
from imagesearch.query.date_expressions import (
    DAY_PATTERN,
    DECADE_PATTERN,
    FIRST_WORDS,
    HOLIDAY_PATTERN,
    MONTH_PATTERN,
    SEASON_PATTERN,
    YEAR_PATTERN,
    match_expression,
    parse_expression,
)
from imagesearch.query.date_ranges import MONTHS, WEEKDAYS, TimeReference
from imagesearch.query.lexicon import split_set
from imagesearch.query.tokenizer import Sentence

_COMPARED = r"before|after|since|until|till|up to|prior to|from before|from after|starting|as of"
_LEAD = re.compile(
    rf"(?P<compare>{_COMPARED}) (?P<the>the )?|(?P<open>between|from|starting) |"
    r"(?P<in>in|on|at|during|of|from|over|for|around|throughout|every|each|by) (?P<every>every |each )?"
    r"(?P<article>the )?|(?P<bare>the )"
)
_JOINERS = {"between": r"(?:and|to|-|\u2013)", "from": r"(?:to|until|till|through|-|\u2013)"}
_AFTER_ARTICLE = re.compile(
    rf"{SEASON_PATTERN}|{DECADE_PATTERN}|\d|last|past|previous|weekend|year|day before"
)
_SLASHED_DATE = re.compile(r"(\d\d?) / (\d\d?) / (\d{4})$")
_FIRST_WORDS = (
    FIRST_WORDS
    | split_set(_COMPARED.replace("|", " "))
    | split_set("between from in on at during of over for around throughout each by")
)
_LAST_NAME = re.compile(
    rf"(?:^| )((?:{DAY_PATTERN} (?:of )?)?(?:{MONTH_PATTERN}|{SEASON_PATTERN}|{HOLIDAY_PATTERN})"
    rf"(?: {DAY_PATTERN})?$)"
)


@dataclass(frozen=True)
class DateMatch:
    """A date in a sentence.

    Attributes
    ----------
    end
        The position after its last token.
    core
        The position of its first token without a leading word such as *in*; -1 if it starts with *before* or
        *between*.
    is_certain
        Whether it is a date even if a name has the same words: a leading word or a year shows it.
    must_end_phrase
        Whether it is a date only at the end of a phrase: "in summer", but not "in summer dresses".
    note
        A note for the user on how it was read; else empty.
    """

    reference: TimeReference
    end: int
    core: int
    is_certain: bool
    must_end_phrase: bool
    note: str = ""


class _FoundDate(NamedTuple):
    """A date in the text of a sentence; as a `DateMatch`, with offsets of the text instead of positions."""

    reference: TimeReference
    end: int  # of the word after it
    core: int = -1
    is_certain: bool = True
    must_end_phrase: bool = False


def match_date(sentence: Sentence, i: int, today: date) -> DateMatch | None:
    """Return the date that starts at a token, including its leading word.

    Parameters
    ----------
    today
        The day that relative dates refer to.
    """
    word = sentence.tokens[i].norm
    if word not in _FIRST_WORDS and not word[0].isdigit():
        return None
    try:
        found = _match_led(sentence.text, sentence.starts[i], today)
        return None if found is None else _make_match(sentence, found)
    except (ValueError, OverflowError):  # no such day, or a day before the year 1
        return None


def _make_match(sentence: Sentence, found: _FoundDate) -> DateMatch:
    end = sentence.find_token(found.end)
    core = -1 if found.core < 0 else sentence.find_token(found.core)
    note = _make_note(sentence, end)
    return DateMatch(found.reference, end, core, found.is_certain, found.must_end_phrase, note)


def _make_note(sentence: Sentence, end: int) -> str:
    """Return a note on a date with slashes whose day and month could be swapped; else an empty text."""
    words = " ".join(token.norm for token in sentence.tokens[max(0, end - 5) : end])
    slashed = _SLASHED_DATE.search(words)
    if not slashed or slashed[1] == slashed[2] or max(int(slashed[1]), int(slashed[2])) > 12:
        return ""
    text = slashed[0].replace(" ", "")
    return f"read {text} as {date_ranges.parse_date(text, day_first=False)} (month/day/year)"


def _match_led(text: str, start: int, today: date) -> _FoundDate | None:
    """Return the date at an offset, with or without a leading word."""
    lead = _LEAD.match(text, start)
    if lead is None:
        return _match_bare(text, start, today)
    if span := _match_span(lead, today):
        return span
    if (lead["compare"] or lead["in"] or lead["bare"]) and (
        point := match_expression(text, lead.end(), today)
    ):
        if lead["compare"]:
            return _compare(lead["compare"], text, *point, today)
        return _match_within(lead, *point)
    return _match_bare(text, start, today)


def _match_bare(text: str, start: int, today: date) -> _FoundDate | None:
    """A date or a span without a leading word: "2019", "may to july", "2019-2021"."""
    point = match_expression(text, start, today)
    if point is None:
        return None
    reference, end = point
    span = _match_span_end(text, start, point, _JOINERS["from"], today)
    if span or reference.is_ambiguous:
        return span
    is_certain = reference.recurring is None or not reference.month
    must_end_phrase = _is_year(text, start, end) or _recurs_by_name(reference)
    return _FoundDate(reference, end, start, is_certain, must_end_phrase)


def _match_within(lead: re.Match[str], reference: TimeReference, end: int) -> _FoundDate | None:
    """A date after *in*, *on*, *during the*, ...: certain, except that *of may* could name a person."""
    start = lead.end()
    if not _fits_article(lead, reference, end):
        return None
    is_each = lead["in"] in ("every", "each")
    if is_each or lead["every"]:
        weekday = lead.string[start:end].strip()
        if reference.recurring is None and weekday in WEEKDAYS:
            reference = date_ranges.make_weekdays((WEEKDAYS.index(weekday),))
    elif lead["in"] == "by" and reference.is_ambiguous:
        return None
    core = lead.start() if is_each else start
    return _FoundDate(reference, end, core, _is_certain_after(lead, reference), _recurs_by_name(reference))


def _is_certain_after(lead: re.Match[str], reference: TimeReference) -> bool:
    is_temporal = lead["in"] not in ("of", "from", "for", "by", None)
    if is_temporal or reference.family != "month":
        return True
    return not reference.is_ambiguous and reference.month == 0


def _fits_article(lead: re.Match[str], reference: TimeReference, end: int) -> bool:
    """Whether a date may follow *the*: "the summer", "the 90s", but not "the may", "the 2019 party"."""
    text, start = lead.string, lead.end()
    if (lead["article"] or lead["bare"]) and not _AFTER_ARTICLE.match(text, start):
        return False
    is_ambiguous = reference.is_ambiguous and reference.family != "year"
    return not (lead["bare"] and (is_ambiguous or _is_year(text, start, end)))


def _is_year(text: str, start: int, end: int) -> bool:
    return re.fullmatch(YEAR_PATTERN, text[start : end - 1]) is not None


def _recurs_by_name(reference: TimeReference) -> bool:
    """Whether it is a season or a holiday of every year. Their names are also everyday words."""
    return reference.recurring is not None and reference.family in ("season", "holiday")


# --- before, after, since ----------------------------------------------------------------------------------


def _compare(comparison: str, text: str, reference: TimeReference, end: int, today: date) -> _FoundDate:
    """Return the time before, after, since or until a date that ends at an offset."""
    reference = _find_latest(reference, text[: end - 1], today)
    comparison = comparison.removeprefix("from ")
    if comparison in ("before", "prior to"):
        compared = date_ranges.make_before(reference)
    elif comparison == "after":
        compared = date_ranges.make_after(reference)
    elif comparison in ("since", "starting", "as of"):
        compared = date_ranges.join_ranges(reference, None)
    else:
        compared = date_ranges.join_ranges(None, reference)
    return _FoundDate(compared, end)


def _find_latest(reference: TimeReference, text: str, today: date) -> TimeReference:
    """Return the latest occurrence that has begun, if a date recurs. The text ends with the date."""
    if reference.recurring is None:
        return reference
    name = _LAST_NAME.search(text)
    for year in (today.year, today.year - 1):
        latest = parse_expression(f"{name[1] if name else ''} {year}", today)
        if latest is not None and latest.north is not None and latest.north.start <= today:  # type: ignore[operator]
            return latest
    raise ValueError("no such day")


# --- spans -------------------------------------------------------------------------------------------------


def _match_span(lead: re.Match[str], today: date) -> _FoundDate | None:
    """A span after *between* or *from*: "between may and july", "from 3 to 10 june"."""
    opening = lead["open"] or ("from" if lead["in"] == "from" else "")
    if opening not in _JOINERS:
        return None
    text, start = lead.string, lead.start() + len(opening) + 1
    first: tuple[TimeReference | None, int] | None = match_expression(text, start, today)
    if first is None and (day := re.compile(rf"{DAY_PATTERN} ").match(text, start)):
        first = None, day.end()  # the month follows the other day
    return _match_span_end(text, start, first, _JOINERS[opening], today) if first else None


def _match_span_end(
    text: str, start: int, first: tuple[TimeReference | None, int], joiner: str, today: date
) -> _FoundDate | None:
    """Return the span whose first date, or the day of it, starts at an offset and was already matched."""
    first_date, end = first
    joined = re.compile(rf"{joiner} ").match(text, end)
    last = match_expression(text, joined.end(), today) if joined else None
    if joined is None or last is None:
        return None
    last_date, end_of_last = last
    if first_date is None or (first_date.recurring is not None and last_date.recurring is None):
        words, last_words = text[start : end - 1], text[joined.end() : end_of_last - 1]
        first_date = _complete_start(words, last_date, last_words, today)
    span = _join_dates(first_date, last_date) if first_date else None
    return _FoundDate(span, end_of_last) if span else None


def _join_dates(first: TimeReference, last: TimeReference) -> TimeReference | None:
    """Return the time from one date to another, if both happened once or both recur on certain days."""
    if first.recurring is None:
        return date_ranges.join_ranges(first, last) if last.recurring is None else None
    if first.recurring_days is None or last.recurring_days is None:
        return None
    days = date_ranges.make_days_condition(first.recurring_days[0], last.recurring_days[1])
    return TimeReference(recurring=days, family="month")


def _complete_start(words: str, last: TimeReference, last_words: str, today: date) -> TimeReference | None:
    """Parse the first date of a span with the year, and the month, of the last.

    In "from november to february 2024" the first month is in the year before.
    """
    month = next((word for word in last_words.split() if word in MONTHS), "")
    if last.recurring is not None:
        return parse_expression(f"{words} {month}", today)
    year = (last.get_range("north").end - timedelta(days=1)).year  # type: ignore[operator]
    if words.rstrip("stndrh").isdigit():
        return parse_expression(f"{words} {month} {year}", today)
    first = parse_expression(f"{words} {year}", today)
    if first is not None and first.get_range("north").start > last.get_range("north").start:  # type: ignore[operator]
        return parse_expression(f"{words} {year - 1}", today)
    return first
