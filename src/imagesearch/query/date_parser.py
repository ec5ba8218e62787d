"""Dates in a sentence: "last december", "between may and july 2024", "on sundays", "before 2020".

Absolute dates are read by python-dateutil. With dots and dashes the day comes first unless the year does
(03.06.2024 is the 3rd of June); with slashes the month (6/3/2024 is the 3rd of June), unless that cannot be.
A month or a day without a year is of any year; "since may", "before christmas" mean the latest that has
begun. "on sunday" is the latest Sunday, today included; "last sunday" the one before today; "sundays" are
all. "last" means the latest that is over: in December 2024, "last december" is December 2023. Two years ago
is the calendar year, weeks ago a week from Monday; "the last two weeks" end today.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from imagesearch.query import date_ranges
from imagesearch.query.date_ranges import MONTH_NAMES, MONTHS, WEEKDAYS, TimeReference
from imagesearch.query.lexicon import split_set
from imagesearch.query.tokenizer import Token, join_norms

_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "few": 3,
           "couple of": 2}  # fmt: skip
_DECADES = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
            "eighties": 80, "nineties": 90}  # fmt: skip


def _alternatives(words: Sequence[str] | dict) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_M, _W, _S, _H = (
    _alternatives(MONTHS),
    _alternatives(WEEKDAYS),
    _alternatives(date_ranges.SEASONS),
    _alternatives(date_ranges.HOLIDAYS),
)
_Y, _D = r"(?:19|20)\d\d", r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_N, _U = rf"(?:\d{{1,3}}|{_alternatives(_COUNTS)})", "(?:day|week|month|year)s?"

Handler = Callable[[re.Match[str], date], TimeReference | None]


def _leading_number(text: str) -> int:
    return int(re.match(r"\d+", text)[0])  # type: ignore[index]  # 3rd, 21st


def _handle_full_date(match: re.Match[str], today: date) -> TimeReference:
    text = match[0].replace(" ", "")
    return date_ranges.make_day(
        date_ranges.parse_date(text, day_first="/" not in text and not re.match(r"\d{4}", text))
    )


def _handle_day(match: re.Match[str], today: date) -> TimeReference:
    day, month = _leading_number(match["d"]), MONTHS[match["m"]]
    if match["y"]:
        return date_ranges.make_day(
            date_ranges.parse_date(f"{day} {MONTH_NAMES[month - 1]} {match['y']}", True)
        )
    date(2024, month, day)  # there is such a day
    recurring = date_ranges.And((date_ranges.Eq("month", month), date_ranges.Eq("day", day)))
    return TimeReference(recurring=recurring, family="day", days=((month, day), (month, day)))


def _handle_month(match: re.Match[str], today: date) -> TimeReference:
    month = MONTHS[match["m"]]
    if match["y"]:
        return date_ranges.make_month(int(match["y"]), month)
    days = ((month, 1), (month, 31))
    weak = match["m"] in ("may", "march") or (len(match["m"]) < 5 and match["m"] not in ("june", "july"))
    return TimeReference(
        recurring=date_ranges.match_months(month, month), month=month, weak=weak, family="month", days=days
    )


def _handle_numbered_month(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_month(int(match["y"] or match["z"]), int(match["m"] or match["n"]))


def _handle_season(match: re.Match[str], today: date) -> TimeReference:
    if match["y"]:
        return date_ranges.make_season(match["s"], int(match["y"]) + bool(match["z"]))
    return date_ranges.make_season(match["s"])


def _handle_holiday(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_holiday(match["h"], int(match["y"]) if match["y"] else None)


def _handle_relative(match: re.Match[str], today: date) -> TimeReference | None:
    """Last or this month, season, weekday, holiday, week, weekend or year."""
    name, is_last = match["what"], match["which"] != "this"
    if name in date_ranges.UNITS and match["which"] == "past":
        return date_ranges.make_last_few(1, name, today)
    if name in date_ranges.UNITS:
        return date_ranges.make_current(name, today, ago=int(is_last))
    options = date_ranges.list_occurrences(name, today)
    if is_last:
        return date_ranges.find_latest(options, today)
    return options[-1] if options else None


def _handle_ago(match: re.Match[str], today: date) -> TimeReference:
    if match["n"] is None:
        return date_ranges.make_current("month", today, ago=6)
    unit, count = match["u"].rstrip("s"), _parse_count(match["n"])
    return (
        date_ranges.make_day_ago(count, unit, today)
        if match["t"]
        else date_ranges.make_current(unit, today, ago=count)
    )


def _handle_last_few(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_last_few(_parse_count(match["n"]), match["u"].rstrip("s"), today)


def _parse_count(text: str) -> int:
    return _COUNTS.get(text) or int(text)


def _handle_near_day(match: re.Match[str], today: date) -> TimeReference:
    ago = {"today": 0, "yesterday": 1}.get(match[0].removesuffix("s"), 2)
    return date_ranges.make_current("day", today, ago=ago)


def _handle_decade(match: re.Match[str], today: date) -> TimeReference:
    text = match[0]
    short = _DECADES.get(text)
    if short is None:
        short = int(text[:-1])
    year = short if short > 100 else (1900 if short > 20 else 2000) + short
    return TimeReference(date_ranges.make_years(year, 10).north, family="year", weak=short < 100)


def _handle_year(match: re.Match[str], today: date) -> TimeReference:
    return date_ranges.make_years(int(match[0][-4:]))


def _handle_recurring_days(match: re.Match[str], today: date) -> TimeReference:
    name = match[0].removeprefix("every ").removesuffix("s")
    days = {"weekend": (5, 6), "weekday": range(5)}.get(name)
    return date_ranges.make_weekdays(days or (WEEKDAYS.index(name),))


def _handle_weekday(match: re.Match[str], today: date) -> TimeReference:
    back = (today.weekday() - WEEKDAYS.index(match[0])) % 7
    day = today - timedelta(days=back)
    return TimeReference(date_ranges.make_day(day).north, family="day", weak=True)


def _handle_weekend(match: re.Match[str], today: date) -> TimeReference:
    return replace(date_ranges.make_weekdays((5, 6)), weak=True)


_WHAT = _alternatives(
    [*MONTHS, *WEEKDAYS, *date_ranges.SEASONS, *date_ranges.HOLIDAYS, *date_ranges.UNITS, "weekend"]
)
_HANDLERS: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(rf"(?:{text})(?= |$)"), reader)
    for text, reader in (
        (rf"{_Y} ([-/.]) \d\d? \1 \d\d?|\d\d? ([-/.]) \d\d? \2 {_Y}", _handle_full_date),
        (rf"(?P<d>{_D}) (?:of )?(?P<m>{_M})(?: [,.])?(?: (?:of )?(?P<y>{_Y}))?", _handle_day),
        (rf"(?P<m>{_M})(?: \.)? (?:the )?(?P<d>{_D})(?:(?: ,)? (?P<y>{_Y}))?", _handle_day),
        (rf"(?P<m>{_M})(?: [,.])?(?: (?:of )?(?P<y>{_Y}))", _handle_month),
        (rf"(?P<m>{_M})(?P<y>(?!))?", _handle_month),
        (rf"(?P<y>{_Y}) - (?P<m>0[1-9]|1[0-2])|(?P<n>0?[1-9]|1[0-2]) / (?P<z>{_Y})", _handle_numbered_month),
        (rf"(?P<s>{_S})(?: (?:of |in |, )?(?P<y>{_Y})(?P<z> [-/] \d\d(?:\d\d)?)?)?", _handle_season),
        (rf"(?P<h>{_H})(?: (?:of |in |, )?(?P<y>{_Y}))?", _handle_holiday),
        (rf"(?P<which>last|this|past|previous) (?P<what>{_WHAT})s?", _handle_relative),
        (rf"(?:the )?(?:last|past|previous) (?P<n>{_N}) (?P<u>{_U})", _handle_last_few),
        (rf"(?P<n>{_N}) (?P<u>{_U}) ago(?P<t> today)?|half a year ago", _handle_ago),
        ("todays?|yesterdays?|(?:the )?day before yesterday", _handle_near_day),
        (
            rf"{_alternatives(_DECADES)}|{_Y[:-2]}0s|[0-9]0s".replace(r"(?:19|20)0s", r"(?:19|20)\d0s"),
            _handle_decade,
        ),
        (f"(?:year )?{_Y}", _handle_year),
        (rf"every (?:weekend|weekday|{_W})|(?:{_W}|weekend|weekday)s", _handle_recurring_days),
        (_W, _handle_weekday),
        ("weekend", _handle_weekend),
    )
]
_COMPARED = r"before|after|since|until|till|up to|prior to|from before|from after|starting|as of"
_LEAD = re.compile(
    rf"(?P<compare>{_COMPARED}) (?P<the>the )?|(?P<open>between|from|starting) |"
    r"(?P<in>in|on|at|during|of|from|over|for|around|throughout|every|each|by) (?P<every>every |each )?"
    r"(?P<article>the )?|(?P<bare>the )"
)
_TO = {"between": r"(?:and|to|-|\u2013)", "from": r"(?:to|until|till|through|-|\u2013)"}
_ARTICLE_FITS = re.compile(rf"{_S}|{_alternatives(_DECADES)}|\d|last|past|previous|weekend|year|day before")
_TRIES = 40  # of more dates in one sentence, the rest is text


@dataclass(frozen=True)
class DateMatch:
    """A date expression: where it stands, what it says.

    Attributes
    ----------
    end
        The token after its last.
    core
        Its first token but for a leading word such as *in*; -1 where it starts with *before* or *between*.
    certain
        Whether it is no name, whatever names there are: a leading word says when, or a year stands by.
    loose
        Whether what follows must end its phrase ("summer 2023" never; "summer" of "in summer dresses").
    """

    moment: TimeReference
    end: int
    core: int
    certain: bool
    loose: bool
    note: str = ""


class DateParser:
    """Finds dates in one sentence.

    Parameters
    ----------
    tokens
        The sentence.
    today
        What relative dates count from.
    """

    def __init__(self, tokens: Sequence[Token], today: date) -> None:
        self._today = today
        self._text, self._starts = join_norms(tokens)
        self._words, self._tries = [token.norm for token in tokens], _TRIES

    def match_at(self, i: int) -> DateMatch | None:
        """Return the date expression that starts at a token, with its leading word if it has one."""
        word = self._words[i]
        if word not in _STARTS and not word[0].isdigit():
            return None
        if self._tries <= 0:
            return None
        try:
            found = self._match_led(self._starts[i])
        except (ValueError, OverflowError):  # no such day, or before the first year there is
            return None
        self._tries -= found is not None
        return found

    def _match_led(self, start: int) -> DateMatch | None:
        lead = _LEAD.match(self._text, start)
        if lead and (spread := self._match_span(lead)):
            return spread
        if lead and lead["compare"] and (found := self._match_point(lead.end())):
            return self._make_comparison(lead["compare"], *found)
        if lead and (lead["in"] or lead["bare"]) and (found := self._match_point(lead.end())):
            return self._match_within(lead, *found)
        if (pair := self._match_point(start)) is None:
            return None
        moment, end = pair
        spread = self._match_end(moment, start, end, _TO["from"])  # may to july, 2019-2021
        if spread or moment.weak:
            return spread
        is_year = re.fullmatch(_Y, self._text[start : end - 1]) is not None
        return self._make_match(
            moment,
            end,
            start,
            moment.recurring is None or not moment.month,
            is_year or _is_common_word(moment),
        )

    def _match_within(self, lead: re.Match[str], moment: TimeReference, end: int) -> DateMatch | None:
        """A date after *in*, *on*, *during the*, ...: certain, but *of may* could be somebody."""
        core = lead.start() if lead["in"] in ("every", "each") else lead.end()
        start = lead.end()
        if (lead["article"] or lead["bare"]) and not _ARTICLE_FITS.match(self._text, start):
            return None
        is_year = re.fullmatch(_Y, self._text[start : end - 1]) is not None
        if lead["bare"] and (is_year or (moment.weak and moment.family != "year")):
            return None  # the 2019 party
        says_when = lead["in"] not in ("of", "from", "for", "by", None) or moment.family != "month"
        if lead["every"] or lead["in"] in ("every", "each"):
            if moment.recurring is None:
                moment = _match_each(self._text[start:end].strip()) or moment
        elif lead["in"] == "by" and moment.weak:
            return None
        certain = says_when or (not moment.weak and moment.month == 0)
        return self._make_match(moment, end, core, certain, _is_common_word(moment))

    def _make_comparison(self, how: str, moment: TimeReference, end: int) -> DateMatch | None:
        moment = self._find_latest(moment, self._text[: end - 1])
        how = how.removeprefix("from ")
        if how in ("before", "prior to"):
            moment = date_ranges.make_before(moment)
        elif how == "after":
            moment = date_ranges.make_after(moment)
        elif how in ("since", "starting", "as of"):
            moment = date_ranges.join_ranges(moment, None)
        else:
            moment = date_ranges.join_ranges(None, moment)
        return self._make_match(moment, end, None, True, False)

    def _find_latest(self, moment: TimeReference, text: str) -> TimeReference:
        """Of what recurs, the latest that has begun."""
        if moment.recurring is None:
            return moment
        for year in (self._today.year, self._today.year - 1):
            found = self._parse_text(f"{_find_core(text)} {year}")
            if found is not None and found.north is not None and found.north.start <= self._today:  # type: ignore[operator]
                return found
        raise ValueError("no such day")

    # --- from one to another -------------------------------------------------------------------------------

    def _match_span(self, lead: re.Match[str]) -> DateMatch | None:
        opening = lead["open"] or ("from" if lead["in"] == "from" else "")
        if not opening or opening == "starting":
            return None
        start = lead.start() + len(opening) + 1
        first = self._match_point(start)
        if first:
            return self._match_end(first[0], start, first[1], _TO[opening])
        day = re.compile(rf"{_D} ").match(self._text, start)
        return self._match_end(None, start, day.end(), _TO[opening]) if day else None

    def _match_end(self, first: TimeReference | None, start: int, end: int, word: str) -> DateMatch | None:
        joined = re.compile(rf"{word} ").match(self._text, end)
        last = self._match_point(joined.end()) if joined else None
        if last is None:
            return None
        moment, stop = last
        words = self._text[start : end - 1]
        if first is None or (first.recurring is not None and moment.recurring is None):
            first = self._complete_start(words, moment, self._text[joined.end() : stop - 1])  # type: ignore[union-attr]
            if first is None:
                return None
        elif first.recurring is None and moment.recurring is not None:
            return None
        if first.recurring is not None:
            if first.days is None or moment.days is None:
                return None
            recurring = date_ranges.match_days(first.days[0], moment.days[1])
            return self._make_match(
                TimeReference(recurring=recurring, family="month"), stop, None, True, False
            )
        return self._make_match(date_ranges.join_ranges(first, moment), stop, None, True, False)

    def _complete_start(self, words: str, last: TimeReference, last_words: str) -> TimeReference | None:
        """Read the start of a span with the year, and month, of its end; "november to february" turns one."""
        month = next((word for word in last_words.split() if word in MONTHS), "")
        if last.recurring is not None:
            return self._parse_text(f"{words} {month}")
        year = (last.bounds("north").end - timedelta(days=1)).year  # type: ignore[operator]
        if words.rstrip("stndrh").isdigit():
            return self._parse_text(f"{words} {month} {year}")
        first = self._parse_text(f"{words} {year}")
        if first is not None and first.bounds("north").start > last.bounds("north").start:  # type: ignore[operator]
            return self._parse_text(f"{words} {year - 1}")
        return first

    # --- one point -----------------------------------------------------------------------------------------

    def _match_point(self, start: int) -> tuple[TimeReference, int] | None:
        """Return the longest moment that is named at an offset, and the offset of the word after it."""
        best: tuple[re.Match[str], Handler] | None = None
        for pattern, reader in _HANDLERS:
            match = pattern.match(self._text, start)
            if match and (best is None or match.end() > best[0].end()):
                best = match, reader
        if best is None:
            return None
        moment = best[1](best[0], self._today)
        return None if moment is None else (moment, best[0].end() + 1)

    def _parse_text(self, text: str) -> TimeReference | None:
        found = DateParser([Token(word, word) for word in text.split()], self._today)._match_point(0)
        return found[0] if found and found[1] >= len(text) else None

    def _make_match(
        self, moment: TimeReference, end: int, core: int | None, certain: bool, loose: bool
    ) -> DateMatch:
        last = bisect_left(self._starts, end)
        first = -1 if core is None else bisect_left(self._starts, core)
        said = " ".join(self._words[max(0, last - 5) : last])
        both = re.search(r"(\d\d?) / (\d\d?) / (\d{4})$", said)
        note = ""
        if both and both[1] != both[2] and max(int(both[1]), int(both[2])) <= 12:
            text = both[0].replace(" ", "")
            note = f"read {text} as {date_ranges.parse_date(text, False)} (month/day/year)"
        return DateMatch(moment, last, first, certain, loose, note)


def _is_common_word(moment: TimeReference) -> bool:
    return moment.recurring is not None and moment.family in ("season", "holiday")


def _match_each(text: str) -> TimeReference | None:
    return date_ranges.make_weekdays((WEEKDAYS.index(text),)) if text in WEEKDAYS else None


def _find_core(text: str) -> str:
    """The last words of a text that name a month, day, season or holiday."""
    pattern = rf"(?:{_D} (?:of )?)?(?:{_M}|{_S}|{_H})(?: {_D})?$"
    found = re.search(rf"(?:^| )({pattern})", text)
    return found[1] if found else ""


_NAMES = (*MONTHS, *WEEKDAYS, *date_ranges.SEASONS, *date_ranges.HOLIDAYS, *_DECADES, *_COUNTS)
_STARTS = (
    split_set(_COMPARED.replace("|", " "))
    | split_set(
        "between from starting in on at during of over for around throughout every each by the last this"
    )
    | split_set("past previous today todays yesterday yesterdays day year weekend a an couple few half")
    | {word.split()[0] for word in _NAMES}
    | {f"{day}s" for day in (*WEEKDAYS, "weekend", "weekday")}
)
