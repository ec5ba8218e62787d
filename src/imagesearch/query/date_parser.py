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
from imagesearch.query.date_ranges import MONTH_NAMES, MONTHS, WEEKDAYS, Moment
from imagesearch.query.lexicon import listed
from imagesearch.query.tokenizer import Token, joined

_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "few": 3,
           "couple of": 2}  # fmt: skip
_DECADES = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
            "eighties": 80, "nineties": 90}  # fmt: skip


def _any(words: Sequence[str] | dict) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_M, _W, _S, _H = _any(MONTHS), _any(WEEKDAYS), _any(date_ranges.SEASONS), _any(date_ranges.HOLIDAYS)
_Y, _D = r"(?:19|20)\d\d", r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_N, _U = rf"(?:\d{{1,3}}|{_any(_COUNTS)})", "(?:day|week|month|year)s?"

Reader = Callable[[re.Match[str], date], Moment | None]


def _number(text: str) -> int:
    return int(re.match(r"\d+", text)[0])  # type: ignore[index]  # 3rd, 21st


def _full(match: re.Match[str], today: date) -> Moment:
    text = match[0].replace(" ", "")
    return date_ranges.on(
        date_ranges.read_date(text, day_first="/" not in text and not re.match(r"\d{4}", text))
    )


def _day(match: re.Match[str], today: date) -> Moment:
    day, month = _number(match["d"]), MONTHS[match["m"]]
    if match["y"]:
        return date_ranges.on(date_ranges.read_date(f"{day} {MONTH_NAMES[month - 1]} {match['y']}", True))
    date(2024, month, day)  # there is such a day
    recurring = date_ranges.And((date_ranges.Eq("month", month), date_ranges.Eq("day", day)))
    return Moment(recurring=recurring, family="day", days=((month, day), (month, day)))


def _month(match: re.Match[str], today: date) -> Moment:
    month = MONTHS[match["m"]]
    if match["y"]:
        return date_ranges.month_of(int(match["y"]), month)
    days = ((month, 1), (month, 31))
    weak = match["m"] in ("may", "march") or (len(match["m"]) < 5 and match["m"] not in ("june", "july"))
    return Moment(
        recurring=date_ranges.months(month, month), month=month, weak=weak, family="month", days=days
    )


def _numbered(match: re.Match[str], today: date) -> Moment:
    return date_ranges.month_of(int(match["y"] or match["z"]), int(match["m"] or match["n"]))


def _season(match: re.Match[str], today: date) -> Moment:
    if match["y"]:
        return date_ranges.season(match["s"], int(match["y"]) + bool(match["z"]))
    return date_ranges.season(match["s"])


def _holiday(match: re.Match[str], today: date) -> Moment:
    return date_ranges.holiday(match["h"], int(match["y"]) if match["y"] else None)


def _relative(match: re.Match[str], today: date) -> Moment | None:
    """Last or this month, season, weekday, holiday, week, weekend or year."""
    name, is_last = match["what"], match["which"] != "this"
    if name in date_ranges.UNITS and match["which"] == "past":
        return date_ranges.last_few(1, name, today)
    if name in date_ranges.UNITS:
        return date_ranges.this(name, today, ago=int(is_last))
    options = date_ranges.occurrences(name, today)
    if is_last:
        return date_ranges.latest(options, today)
    return options[-1] if options else None


def _ago(match: re.Match[str], today: date) -> Moment:
    if match["n"] is None:
        return date_ranges.this("month", today, ago=6)
    unit, count = match["u"].rstrip("s"), _count(match["n"])
    return (
        date_ranges.days_ago(count, unit, today) if match["t"] else date_ranges.this(unit, today, ago=count)
    )


def _last_few(match: re.Match[str], today: date) -> Moment:
    return date_ranges.last_few(_count(match["n"]), match["u"].rstrip("s"), today)


def _count(text: str) -> int:
    return _COUNTS.get(text) or int(text)


def _near(match: re.Match[str], today: date) -> Moment:
    ago = {"today": 0, "yesterday": 1}.get(match[0].removesuffix("s"), 2)
    return date_ranges.this("day", today, ago=ago)


def _decade(match: re.Match[str], today: date) -> Moment:
    text = match[0]
    short = _DECADES.get(text)
    if short is None:
        short = int(text[:-1])
    year = short if short > 100 else (1900 if short > 20 else 2000) + short
    return Moment(date_ranges.years(year, 10).north, family="year", weak=short < 100)


def _year(match: re.Match[str], today: date) -> Moment:
    return date_ranges.years(int(match[0][-4:]))


def _recurring_days(match: re.Match[str], today: date) -> Moment:
    name = match[0].removeprefix("every ").removesuffix("s")
    days = {"weekend": (5, 6), "weekday": range(5)}.get(name)
    return date_ranges.weekdays(days or (WEEKDAYS.index(name),))


def _weekday(match: re.Match[str], today: date) -> Moment:
    back = (today.weekday() - WEEKDAYS.index(match[0])) % 7
    day = today - timedelta(days=back)
    return Moment(date_ranges.on(day).north, family="day", weak=True)


def _weekend(match: re.Match[str], today: date) -> Moment:
    return replace(date_ranges.weekdays((5, 6)), weak=True)


_WHAT = _any([*MONTHS, *WEEKDAYS, *date_ranges.SEASONS, *date_ranges.HOLIDAYS, *date_ranges.UNITS, "weekend"])
_READERS: list[tuple[re.Pattern[str], Reader]] = [
    (re.compile(rf"(?:{text})(?= |$)"), reader)
    for text, reader in (
        (rf"{_Y} ([-/.]) \d\d? \1 \d\d?|\d\d? ([-/.]) \d\d? \2 {_Y}", _full),
        (rf"(?P<d>{_D}) (?:of )?(?P<m>{_M})(?: [,.])?(?: (?:of )?(?P<y>{_Y}))?", _day),
        (rf"(?P<m>{_M})(?: \.)? (?:the )?(?P<d>{_D})(?:(?: ,)? (?P<y>{_Y}))?", _day),
        (rf"(?P<m>{_M})(?: [,.])?(?: (?:of )?(?P<y>{_Y}))", _month),
        (rf"(?P<m>{_M})(?P<y>(?!))?", _month),
        (rf"(?P<y>{_Y}) - (?P<m>0[1-9]|1[0-2])|(?P<n>0?[1-9]|1[0-2]) / (?P<z>{_Y})", _numbered),
        (rf"(?P<s>{_S})(?: (?:of |in |, )?(?P<y>{_Y})(?P<z> [-/] \d\d(?:\d\d)?)?)?", _season),
        (rf"(?P<h>{_H})(?: (?:of |in |, )?(?P<y>{_Y}))?", _holiday),
        (rf"(?P<which>last|this|past|previous) (?P<what>{_WHAT})s?", _relative),
        (rf"(?:the )?(?:last|past|previous) (?P<n>{_N}) (?P<u>{_U})", _last_few),
        (rf"(?P<n>{_N}) (?P<u>{_U}) ago(?P<t> today)?|half a year ago", _ago),
        ("todays?|yesterdays?|(?:the )?day before yesterday", _near),
        (rf"{_any(_DECADES)}|{_Y[:-2]}0s|[0-9]0s".replace(r"(?:19|20)0s", r"(?:19|20)\d0s"), _decade),
        (f"(?:year )?{_Y}", _year),
        (rf"every (?:weekend|weekday|{_W})|(?:{_W}|weekend|weekday)s", _recurring_days),
        (_W, _weekday),
        ("weekend", _weekend),
    )
]
_COMPARED = r"before|after|since|until|till|up to|prior to|from before|from after|starting|as of"
_LEAD = re.compile(
    rf"(?P<compare>{_COMPARED}) (?P<the>the )?|(?P<open>between|from|starting) |"
    r"(?P<in>in|on|at|during|of|from|over|for|around|throughout|every|each|by) (?P<every>every |each )?"
    r"(?P<article>the )?|(?P<bare>the )"
)
_TO = {"between": r"(?:and|to|-|\u2013)", "from": r"(?:to|until|till|through|-|\u2013)"}
_ARTICLE_FITS = re.compile(rf"{_S}|{_any(_DECADES)}|\d|last|past|previous|weekend|year|day before")
_TRIES = 40  # of more dates in one sentence, the rest is text


@dataclass(frozen=True)
class Dated:
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

    moment: Moment
    end: int
    core: int
    certain: bool
    loose: bool
    note: str = ""


class DateReader:
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
        self._text, self._starts = joined(tokens)
        self._words, self._tries = [token.folded for token in tokens], _TRIES

    def at(self, i: int) -> Dated | None:
        """Return the date expression that starts at a token, with its leading word if it has one."""
        word = self._words[i]
        if word not in _STARTS and not word[0].isdigit():
            return None
        if self._tries <= 0:
            return None
        try:
            found = self._led(self._starts[i])
        except (ValueError, OverflowError):  # no such day, or before the first year there is
            return None
        self._tries -= found is not None
        return found

    def _led(self, start: int) -> Dated | None:
        lead = _LEAD.match(self._text, start)
        if lead and (spread := self._span(lead)):
            return spread
        if lead and lead["compare"] and (found := self._point(lead.end())):
            return self._compared(lead["compare"], *found)
        if lead and (lead["in"] or lead["bare"]) and (found := self._point(lead.end())):
            return self._within(lead, *found)
        if (pair := self._point(start)) is None:
            return None
        moment, end = pair
        spread = self._to(moment, start, end, _TO["from"])  # may to july, 2019-2021
        if spread or moment.weak:
            return spread
        is_year = re.fullmatch(_Y, self._text[start : end - 1]) is not None
        return self._dated(
            moment, end, start, moment.recurring is None or not moment.month, is_year or _is_common(moment)
        )

    def _within(self, lead: re.Match[str], moment: Moment, end: int) -> Dated | None:
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
                moment = _each(self._text[start:end].strip()) or moment
        elif lead["in"] == "by" and moment.weak:
            return None
        certain = says_when or (not moment.weak and moment.month == 0)
        return self._dated(moment, end, core, certain, _is_common(moment))

    def _compared(self, how: str, moment: Moment, end: int) -> Dated | None:
        moment = self._latest(moment, self._text[: end - 1])
        how = how.removeprefix("from ")
        if how in ("before", "prior to"):
            moment = date_ranges.before(moment)
        elif how == "after":
            moment = date_ranges.after(moment)
        elif how in ("since", "starting", "as of"):
            moment = date_ranges.span(moment, None)
        else:
            moment = date_ranges.span(None, moment)
        return self._dated(moment, end, None, True, False)

    def _latest(self, moment: Moment, text: str) -> Moment:
        """Of what recurs, the latest that has begun."""
        if moment.recurring is None:
            return moment
        for year in (self._today.year, self._today.year - 1):
            found = self._read(f"{_core(text)} {year}")
            if found is not None and found.north is not None and found.north.start <= self._today:  # type: ignore[operator]
                return found
        raise ValueError("no such day")

    # --- from one to another -------------------------------------------------------------------------------

    def _span(self, lead: re.Match[str]) -> Dated | None:
        opening = lead["open"] or ("from" if lead["in"] == "from" else "")
        if not opening or opening == "starting":
            return None
        start = lead.start() + len(opening) + 1
        first = self._point(start)
        if first:
            return self._to(first[0], start, first[1], _TO[opening])
        day = re.compile(rf"{_D} ").match(self._text, start)
        return self._to(None, start, day.end(), _TO[opening]) if day else None

    def _to(self, first: Moment | None, start: int, end: int, word: str) -> Dated | None:
        joined = re.compile(rf"{word} ").match(self._text, end)
        last = self._point(joined.end()) if joined else None
        if last is None:
            return None
        moment, stop = last
        words = self._text[start : end - 1]
        if first is None or (first.recurring is not None and moment.recurring is None):
            first = self._completed(words, moment, self._text[joined.end() : stop - 1])  # type: ignore[union-attr]
            if first is None:
                return None
        elif first.recurring is None and moment.recurring is not None:
            return None
        if first.recurring is not None:
            if first.days is None or moment.days is None:
                return None
            recurring = date_ranges.days_of_year(first.days[0], moment.days[1])
            return self._dated(Moment(recurring=recurring, family="month"), stop, None, True, False)
        return self._dated(date_ranges.span(first, moment), stop, None, True, False)

    def _completed(self, words: str, last: Moment, last_words: str) -> Moment | None:
        """Read the start of a span with the year, and month, of its end; "november to february" turns one."""
        month = next((word for word in last_words.split() if word in MONTHS), "")
        if last.recurring is not None:
            return self._read(f"{words} {month}")
        year = (last.bounds("north").end - timedelta(days=1)).year  # type: ignore[operator]
        if words.rstrip("stndrh").isdigit():
            return self._read(f"{words} {month} {year}")
        first = self._read(f"{words} {year}")
        if first is not None and first.bounds("north").start > last.bounds("north").start:  # type: ignore[operator]
            return self._read(f"{words} {year - 1}")
        return first

    # --- one point -----------------------------------------------------------------------------------------

    def _point(self, start: int) -> tuple[Moment, int] | None:
        """Return the longest moment that is named at an offset, and the offset of the word after it."""
        best: tuple[re.Match[str], Reader] | None = None
        for pattern, reader in _READERS:
            match = pattern.match(self._text, start)
            if match and (best is None or match.end() > best[0].end()):
                best = match, reader
        if best is None:
            return None
        moment = best[1](best[0], self._today)
        return None if moment is None else (moment, best[0].end() + 1)

    def _read(self, text: str) -> Moment | None:
        found = DateReader([Token(word, word) for word in text.split()], self._today)._point(0)
        return found[0] if found and found[1] >= len(text) else None

    def _dated(self, moment: Moment, end: int, core: int | None, certain: bool, loose: bool) -> Dated:
        last = bisect_left(self._starts, end)
        first = -1 if core is None else bisect_left(self._starts, core)
        said = " ".join(self._words[max(0, last - 5) : last])
        both = re.search(r"(\d\d?) / (\d\d?) / (\d{4})$", said)
        note = ""
        if both and both[1] != both[2] and max(int(both[1]), int(both[2])) <= 12:
            text = both[0].replace(" ", "")
            note = f"read {text} as {date_ranges.read_date(text, False)} (month/day/year)"
        return Dated(moment, last, first, certain, loose, note)


def _is_common(moment: Moment) -> bool:
    return moment.recurring is not None and moment.family in ("season", "holiday")


def _each(text: str) -> Moment | None:
    return date_ranges.weekdays((WEEKDAYS.index(text),)) if text in WEEKDAYS else None


def _core(text: str) -> str:
    """The last words of a text that name a month, day, season or holiday."""
    pattern = rf"(?:{_D} (?:of )?)?(?:{_M}|{_S}|{_H})(?: {_D})?$"
    found = re.search(rf"(?:^| )({pattern})", text)
    return found[1] if found else ""


_NAMES = (*MONTHS, *WEEKDAYS, *date_ranges.SEASONS, *date_ranges.HOLIDAYS, *_DECADES, *_COUNTS)
_STARTS = (
    listed(_COMPARED.replace("|", " "))
    | listed(
        "between from starting in on at during of over for around throughout every each by the last this"
    )
    | listed("past previous today todays yesterday yesterdays day year weekend a an couple few half")
    | {word.split()[0] for word in _NAMES}
    | {f"{day}s" for day in (*WEEKDAYS, "weekend", "weekday")}
)
