"""Dates in a sentence, with the words before them: "in may", "between may and july 2024", "before 2020".

What each date itself refers to: `date_expressions`. "since may", "before christmas" mean the latest that has
begun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

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
_FIRST_WORDS = (
    FIRST_WORDS
    | split_set(_COMPARED.replace("|", " "))
    | split_set("between from in on at during of over for around throughout each by")
)
_LAST_NAME = re.compile(
    rf"(?:^| )((?:{DAY_PATTERN} (?:of )?)?(?:{MONTH_PATTERN}|{SEASON_PATTERN}|{HOLIDAY_PATTERN})"
    rf"(?: {DAY_PATTERN})?$)"
)
_MAX_DATES = 40  # of more dates in one sentence, the rest is text


@dataclass(frozen=True)
class DateMatch:
    """A date in a sentence: where it stands, what it refers to.

    Attributes
    ----------
    end
        The token after its last.
    core
        Its first token but for a leading word such as *in*; -1 where it starts with *before* or *between*.
    is_certain
        Whether it is no name, whatever names there are: a leading word says when, or a year stands by.
    must_end_phrase
        Whether what follows must end its phrase ("summer 2023" never; "summer" of "in summer dresses").
    """

    reference: TimeReference
    end: int
    core: int
    is_certain: bool
    must_end_phrase: bool
    note: str = ""


class DateParser:
    """Finds dates in one sentence.

    Parameters
    ----------
    today
        What relative dates count from.
    """

    def __init__(self, sentence: Sentence, today: date) -> None:
        self._sentence = sentence
        self._text = sentence.text
        self._today = today
        self._left = _MAX_DATES

    def match_at(self, i: int) -> DateMatch | None:
        """Return the date that starts at a token, with its leading word if it has one."""
        word = self._sentence.tokens[i].norm
        if (word not in _FIRST_WORDS and not word[0].isdigit()) or self._left <= 0:
            return None
        try:
            match = self._match_led(self._sentence.starts[i])
        except (ValueError, OverflowError):  # no such day, or before the first year there is
            return None
        self._left -= match is not None
        return match

    def _match_led(self, start: int) -> DateMatch | None:
        lead = _LEAD.match(self._text, start)
        if lead is None:
            return self._match_bare(start)
        if span := self._match_span(lead):
            return span
        if (lead["compare"] or lead["in"] or lead["bare"]) and (point := self._match_point(lead.end())):
            if lead["compare"]:
                return self._make_comparison(lead["compare"], *point)
            return self._match_within(lead, *point)
        return self._match_bare(start)

    def _match_bare(self, start: int) -> DateMatch | None:
        """A date without a leading word, or from one to another: "2019", "may to july", "2019-2021"."""
        point = self._match_point(start)
        if point is None:
            return None
        reference, end = point
        span = self._match_span_end(reference, start, end, _JOINERS["from"])
        if span or reference.is_ambiguous:
            return span
        is_certain = reference.recurring is None or not reference.month
        must_end_phrase = self._is_year(start, end) or _recurs_by_name(reference)
        return self._make_match(reference, end, start, is_certain, must_end_phrase)

    def _match_within(self, lead: re.Match[str], reference: TimeReference, end: int) -> DateMatch | None:
        """A date after *in*, *on*, *during the*, ...: certain, but *of may* could be somebody."""
        start = lead.end()
        if not self._fits_article(lead, reference, end):
            return None
        is_each = lead["in"] in ("every", "each")
        if is_each or lead["every"]:
            weekday = self._text[start:end].strip()
            if reference.recurring is None and weekday in WEEKDAYS:
                reference = date_ranges.make_weekdays((WEEKDAYS.index(weekday),))
        elif lead["in"] == "by" and reference.is_ambiguous:
            return None
        says_when = lead["in"] not in ("of", "from", "for", "by", None) or reference.family != "month"
        is_certain = says_when or (not reference.is_ambiguous and reference.month == 0)
        core = lead.start() if is_each else start
        return self._make_match(reference, end, core, is_certain, _recurs_by_name(reference))

    def _fits_article(self, lead: re.Match[str], reference: TimeReference, end: int) -> bool:
        """Whether a date may follow *the*: in the summer, the 90s, but not: in the may, the 2019 party."""
        start = lead.end()
        if (lead["article"] or lead["bare"]) and not _AFTER_ARTICLE.match(self._text, start):
            return False
        is_ambiguous = reference.is_ambiguous and reference.family != "year"
        return not (lead["bare"] and (is_ambiguous or self._is_year(start, end)))

    def _is_year(self, start: int, end: int) -> bool:
        return re.fullmatch(YEAR_PATTERN, self._text[start : end - 1]) is not None

    # --- before, after, since ------------------------------------------------------------------------------

    def _make_comparison(self, how: str, reference: TimeReference, end: int) -> DateMatch | None:
        reference = self._find_latest(reference, self._text[: end - 1])
        how = how.removeprefix("from ")
        if how in ("before", "prior to"):
            reference = date_ranges.make_before(reference)
        elif how == "after":
            reference = date_ranges.make_after(reference)
        elif how in ("since", "starting", "as of"):
            reference = date_ranges.join_ranges(reference, None)
        else:
            reference = date_ranges.join_ranges(None, reference)
        return self._make_match(reference, end)

    def _find_latest(self, reference: TimeReference, text: str) -> TimeReference:
        """Of what recurs, the latest that has begun."""
        if reference.recurring is None:
            return reference
        for year in (self._today.year, self._today.year - 1):
            latest = parse_expression(f"{_find_last_name(text)} {year}", self._today)
            if latest is not None and latest.north is not None and latest.north.start <= self._today:  # type: ignore[operator]
                return latest
        raise ValueError("no such day")

    # --- from one to another -------------------------------------------------------------------------------

    def _match_span(self, lead: re.Match[str]) -> DateMatch | None:
        opening = lead["open"] or ("from" if lead["in"] == "from" else "")
        if opening not in _JOINERS:
            return None
        start = lead.start() + len(opening) + 1
        if point := self._match_point(start):
            return self._match_span_end(point[0], start, point[1], _JOINERS[opening])
        day = re.compile(rf"{DAY_PATTERN} ").match(self._text, start)
        return self._match_span_end(None, start, day.end(), _JOINERS[opening]) if day else None

    def _match_span_end(
        self, first: TimeReference | None, start: int, end: int, joiner: str
    ) -> DateMatch | None:
        """The other end of a span, whose start is a date, or a day whose month follows ("3 to 10 june")."""
        joined = re.compile(rf"{joiner} ").match(self._text, end)
        point = self._match_point(joined.end()) if joined else None
        if joined is None or point is None:
            return None
        last, end_of_last = point
        if first is None or (first.recurring is not None and last.recurring is None):
            words, last_words = self._text[start : end - 1], self._text[joined.end() : end_of_last - 1]
            first = self._complete_start(words, last, last_words)
            if first is None:
                return None
        elif first.recurring is None and last.recurring is not None:
            return None
        if first.recurring is None:
            return self._make_match(date_ranges.join_ranges(first, last), end_of_last)
        if first.recurring_days is None or last.recurring_days is None:
            return None
        days = date_ranges.make_days_condition(first.recurring_days[0], last.recurring_days[1])
        return self._make_match(TimeReference(recurring=days, family="month"), end_of_last)

    def _complete_start(self, words: str, last: TimeReference, last_words: str) -> TimeReference | None:
        """Read the start of a span with the year, and month, of its end; "november to february" turns one."""
        month = next((word for word in last_words.split() if word in MONTHS), "")
        if last.recurring is not None:
            return parse_expression(f"{words} {month}", self._today)
        year = (last.get_range("north").end - timedelta(days=1)).year  # type: ignore[operator]
        if words.rstrip("stndrh").isdigit():
            return parse_expression(f"{words} {month} {year}", self._today)
        first = parse_expression(f"{words} {year}", self._today)
        if first is not None and first.get_range("north").start > last.get_range("north").start:  # type: ignore[operator]
            return parse_expression(f"{words} {year - 1}", self._today)
        return first

    # --- one date ------------------------------------------------------------------------------------------

    def _match_point(self, start: int) -> tuple[TimeReference, int] | None:
        """Return the date at an offset, and the offset of the word after it."""
        return match_expression(self._text, start, self._today)

    def _make_match(
        self,
        reference: TimeReference,
        end: int,
        core: int | None = None,
        is_certain: bool = True,
        must_end_phrase: bool = False,
    ) -> DateMatch:
        """Make a match of offsets in the text; without a core it is certain wherever it stands."""
        end_token = self._sentence.find_token(end)
        core_token = -1 if core is None else self._sentence.find_token(core)
        words = " ".join(token.norm for token in self._sentence.tokens[max(0, end_token - 5) : end_token])
        slashed = re.search(r"(\d\d?) / (\d\d?) / (\d{4})$", words)
        note = ""
        if slashed and slashed[1] != slashed[2] and max(int(slashed[1]), int(slashed[2])) <= 12:
            text = slashed[0].replace(" ", "")
            note = f"read {text} as {date_ranges.parse_date(text, day_first=False)} (month/day/year)"
        return DateMatch(reference, end_token, core_token, is_certain, must_end_phrase, note)


def _recurs_by_name(reference: TimeReference) -> bool:
    """Whether it is a season or holiday of every year, whose names are everyday words."""
    return reference.recurring is not None and reference.family in ("season", "holiday")


def _find_last_name(text: str) -> str:
    """The last words of a text that name a month, day, season or holiday."""
    match = _LAST_NAME.search(text)
    return match[1] if match else ""
