"""Finds times in a sentence by the table in `phrases`, with the words that lead to them: "in may".

`_Reader` matches the phrases at an offset of a text, and calls the function that the longest one means.
"""

from __future__ import annotations

import calendar
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from imagesearch.query.lexicon import split_set
from imagesearch.query.times import phrases as time_phrases
from imagesearch.query.times.feasts import EVERYDAY, FEASTS_BY_WORD, FeastDays, match_feast
from imagesearch.query.times.slots import (
    AMBIGUOUS,
    APOSTROPHES,
    DATE_PATTERN,
    MONTHS,
    SLOTS,
    WEEKDAYS,
    read_date,
)
from imagesearch.query.times.trip_days import iterate_trips
from imagesearch.query.times.values import Either, Time
from imagesearch.query.tokenizer import Sentence
from imagesearch.query.trips.known_trips import MARK, KnownTrips

_MAX_LIST = 12  # items of a list
# After these words, a name is a time. After the others, it may be a person or a thing: "photos of may".
_TEMPORAL = split_set("in on at during over throughout within towards")
_LEADS = _TEMPORAL | split_set("of from for by the")
_LEAD = re.compile(rf"(?P<word>{'|'.join(_LEADS - {'the'})}) (?P<the>the )?|(?P<bare>the )")
_AFTER_ARTICLE = tuple({*SLOTS["season"].first, *SLOTS["daypart"].first, "weekend"})
_HOURS = ("daypart", "noon")
_SEASONS = r"\b(spring|summer|autumn|fall|winter)s\b"  # in lists: "the summers of 2022 and 2023"
_JOINER = r" (?:, and|, or|,|and|or|&|/) (?:the )?"


@dataclass(frozen=True)
class DateMatch:
    """A time in a sentence.

    Attributes
    ----------
    reference
        The time; None if it is not understood.
    core, end
        The position of its first token without a leading word such as *in*, and the one after its last.
    is_certain
        Whether it is a time even if a person has the same name: a leading word or a year shows it.
    must_end_phrase
        Whether it is a time only at the end of a phrase: "in summer", but not "in summer dresses".
    must_start
        Whether it is a time only at the start of a sentence or after a name: "christmas", "maya sunday".
    words
        What it means in other words: "from january 2023 to april 2023"; else empty.
    keeps_words
        Whether its words also describe the photo: "at night".
    notes
        Notes for the user on how it was read.
    """

    reference: Time | None
    core: int
    end: int
    is_certain: bool
    must_end_phrase: bool
    must_start: bool
    words: str
    keeps_words: bool
    notes: tuple[str, ...]


def match_date(
    sentence: Sentence,
    i: int,
    today: date,
    feasts: FeastDays | None = None,
    trips: KnownTrips | None = None,
) -> DateMatch | None:
    """Return the time that starts at a token, including its leading word.

    Parameters
    ----------
    today
        The day that relative times refer to.
    feasts
        The days of feasts in the countries of the user; by default in many countries.
    trips
        The trips that the marks in the sentence stand for.
    """
    token = sentence.tokens[i]
    is_in_name = i > 0 and not token.space_before and sentence.tokens[i - 1].norm == "_"  # IMG_20230612
    if is_in_name or not (token.norm in _LEADS or _find_lines("SPANS", token.norm)):
        return None
    reader = _get_reader(sentence.text, today, feasts or FeastDays(), trips)
    start = sentence.starts[i]
    lead = _LEAD.match(sentence.text, start)
    starts = [(None, start), (lead, lead.start("the")), (lead, lead.end())] if lead else [(None, start)]
    matches = [(found, lead) for lead, core in starts if core >= 0 and (found := reader.find("SPANS", core))]
    matches = [(found, lead) for found, lead in matches if _fits(lead, found, sentence.text)]
    if not matches:
        return None
    return _make_match(sentence, *max(matches, key=lambda match: match[0].end), today)


class _Found(NamedTuple):
    """A phrase in a text: its time, where it starts and ends, its meaning in words, and its names.

    The time is None if it is not understood. Names may have other meanings; a phrase with a year has none.
    """

    time: Time | None
    start: int
    end: int
    words: str = ""
    names: tuple[str, ...] = ()


def _is(slot: str, text: str) -> bool:
    return re.fullmatch(SLOTS[slot].pattern, text) is not None


def _fits(lead: re.Match[str] | None, found: _Found, text: str) -> bool:
    """Whether a time may have this lead: "in summer", "the 90s", but not "summer", "the may"."""
    words, is_ambiguous = text[found.start : found.end], not AMBIGUOUS.isdisjoint(found.names)
    if lead is None:
        return not is_ambiguous
    follows_article = (lead["bare"] or lead["the"]) and found.names and not _is("decade", words)
    if follows_article and ((lead["bare"] and is_ambiguous) or not words.startswith(_AFTER_ARTICLE)):
        return False
    if lead["bare"]:
        return not _is("year", words)
    if lead["word"] not in _TEMPORAL and any(_is(slot, name) for name in found.names for slot in _HOURS):
        return (lead["word"], words) == ("by", "night")
    return not (lead["word"] == "by" and is_ambiguous)


def _make_match(sentence: Sentence, found: _Found, lead: re.Match[str] | None, today: date) -> DateMatch:
    words, word = sentence.text[found.start : found.end], (lead["word"] or "") if lead else ""
    time = found.time
    try:
        _ = time and time.condition
    except (ValueError, OverflowError, LookupError):  # days that no year has: "the week of summer"
        time = None
    return DateMatch(
        time,
        sentence.find_token(found.start),
        sentence.find_token(found.end + 1),
        is_certain=not found.names or word in _TEMPORAL,
        must_end_phrase=_is("year", words) or any(name not in MONTHS for name in found.names),
        must_start=lead is None and any(name in EVERYDAY or name in WEEKDAYS for name in found.names),
        words="" if MARK in found.words else found.words,
        keeps_words=words == "night" and word in ("at", "by"),
        notes=(*_list_notes(words, today), *_note_trips(sentence, found, time)) if time else (),
    )


def _list_notes(words: str, today: date) -> Iterator[str]:
    """Yield a note on each date of digits whose day and month could be exchanged."""
    for match in re.finditer(rf"(?<![^ ]){DATE_PATTERN}(?![^ ])", words):
        numbers = [int(number) for number in match[0].split() if number.isdigit()]
        if len(numbers) == 3 and numbers[0] != numbers[1] and max(numbers[:2]) <= 12:
            order = "month/day/year" if "/" in match[0] else "day.month.year"
            typed = re.sub(r" ([-/.]) ", r"\1", match[0])
            yield f"read {typed} as {read_date(match[0], today)} ({order})"


def _note_trips(sentence: Sentence, found: _Found, time: Time) -> Iterator[str]:
    """Yield a note if a phrase for one trip stands for several."""
    names = list(iterate_trips(time))
    typed = [token for token in sentence.tokens if token.norm.startswith(MARK)]
    if len(names) > 1 and len(typed) == 1 and not typed[0].text.lower().endswith("s"):
        shown = [*names[:3], f"{len(names) - 3} more"] if len(names) > 4 else names
        yield f'"{typed[0].text}" is {len(names)} trips: {"; ".join(shown)}'


# --- the table ---------------------------------------------------------------------------------------------

_SOURCES = {"name": "NAMES", "yearly": "YEARLY", "time": "TIMES", "feast": "feast", "trip": "trip"}
_ALIASES = {f"{{{slot}}}" for slot in _SOURCES}
_NAMES = "month season feast weekday weekdays daypart dayparts quarter noon decade name yearly*"
_NAME_SLOTS = frozenset(f"{{{name}}}" for name in _NAMES.split()) | {"a|an|any|some"}


class _Line(NamedTuple):
    """A phrase with some of its optional words, and its meaning."""

    parts: tuple[str, ...]
    meaning: time_phrases.Meaning


@functools.cache
def _list_lines(source: str) -> list[_Line]:
    """Return the lines of a list of the table."""
    table: list[tuple[str, time_phrases.Meaning]] = getattr(time_phrases, source)
    variants = ((variant, meaning) for phrase, meaning in table for variant in _list_variants(phrase))
    return [_Line(parts, meaning) for parts, meaning in dict.fromkeys(variants)]


def _list_variants(phrase: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of a phrase with and without each of those that are optional."""
    optional = re.search(r"\[([^\[\]]+)\]", phrase)
    if optional is None:
        yield tuple(phrase.split())
        return
    for words in (optional[1], ""):
        yield from _list_variants(phrase[: optional.start()] + words + phrase[optional.end() :])


@functools.cache
def _list_first_words(part: str) -> frozenset[str]:
    """Return the first words of a part of a phrase, or of a list of the table; see `Slot`."""
    if part[0] != "{" and not part.isupper():
        return frozenset(part.split("|"))
    slot = part.strip("{}*")
    if slot == "trip":
        return frozenset((f"{MARK}#",))
    if slot in SLOTS or slot == "feast":
        return frozenset(SLOTS[slot].first if slot in SLOTS else FEASTS_BY_WORD)
    lines = _list_lines(_SOURCES.get(slot, slot))
    return frozenset().union(*(_list_first_words(line.parts[0]) for line in lines))


@functools.lru_cache(maxsize=4096)
def _find_lines(source: str, word: str) -> list[_Line]:
    """Return the lines of a list that may start with a word, or with its singular."""
    letters = word.rstrip("0123456789")
    keys = [word, word.removesuffix("s"), word.removesuffix("es")] if letters == word else [f"{letters}#"]
    keys = ["#"] if word[:1].isdigit() else keys
    key = next((key for key in keys if key in _list_first_words(source)), None)
    return [line for line in _list_lines(source) if key in _list_first_words(line.parts[0])] if key else []


@functools.cache  # at the first use of a slot
def _compile_slot(slot: str, is_list: bool) -> re.Pattern[str]:
    pattern = SLOTS[slot].pattern
    return re.compile((rf"{pattern}(?:{_JOINER}{pattern})+" if is_list else pattern) + "(?= |$)")


# --- reading -----------------------------------------------------------------------------------------------


class _Reader:
    """Finds the phrases of the table in a text. What was found at an offset is cached."""

    def __init__(self, text: str, today: date, feasts: FeastDays, trips: KnownTrips | None) -> None:
        self.text, self.today, self.feasts, self.trips = text, today, feasts, trips
        self.find = functools.cache(self._find)

    def _find(self, source: str, start: int) -> _Found | None:
        """Return the longest phrase of a list at an offset, or the feast or the trip."""
        if source == "trip":
            return self._find_trip(start)
        if source == "feast":
            match = match_feast(self.text, start)
            if match is None:
                return None
            yearly, name = self.feasts.make_yearly(match[0], self.today), self.text[start : match[1]]
            return _Found(yearly, start, match[1], names=(name,))
        lines = _find_lines(source, self._get_word(start))
        matches = [match for line in lines if (match := self._match(line, start))]
        matches.sort(key=lambda match: -match[0])
        return next((found for match in matches if (found := self._evaluate(start, *match))), None)

    def _find_trip(self, start: int) -> _Found | None:
        word = self._get_word(start)
        if self.trips is None or not word.startswith(MARK):
            return None
        return _Found(self.trips.get_time(int(word.removeprefix(MARK))), start, start + len(word))

    def _match(self, line: _Line, start: int) -> tuple[int, _Line, dict[str, list[Any]]] | None:
        """Return where a line ends at an offset, and the texts or phrases in its slots."""
        slots: dict[str, list[Any]] = {}
        for part in line.parts:
            slot, is_list = part.strip("{}*"), part.endswith("*}")
            name = f"{slot}2" if slot in slots else slot
            if slot == part:
                match: Any = (word := self._get_word(start)) in part.split("|")
                start += len(word) + 1
            elif slot in _SOURCES:
                match = slots[name] = self._find_list(_SOURCES[slot], start, is_list)
                start = match[-1].end + 1 if match else start
            elif match := _compile_slot(slot, is_list).match(self.text, start):
                item = rf"(?<![^ ]){SLOTS[slot].pattern}(?![^ ])"
                slots[name] = re.findall(item, match[0]) if is_list else [match[0]]
                slots |= {group: [text] for group, text in match.groupdict().items()}
                start = match.end() + 1
            if not match:
                return None
        return start - 1, line, slots

    def _get_word(self, start: int) -> str:
        return self.text[start : self.text.find(" ", start) % (len(self.text) + 1)]

    def _find_list(self, source: str, start: int, is_list: bool) -> list[_Found]:
        """Return a phrase, or several that are joined by commas, *and* or *or*; empty if there are none."""
        items: list[_Found] = []
        while (item := self.find(source, start)) and len(items) < _MAX_LIST:
            items.append(item)
            joiner = re.compile(_JOINER).match(self.text, item.end) if is_list else None
            if joiner is None:
                break
            start = joiner.end()
        return items if not is_list or len(items) > 1 else []

    def _evaluate(self, start: int, end: int, line: _Line, slots: dict[str, list[Any]]) -> _Found | None:
        """Return what a line means; None if it does not apply. No such time: it is not understood."""
        phrases = [item for items in slots.values() for item in items if isinstance(item, _Found)]
        meaning = line.meaning
        if meaning is None or any(phrase.time is None for phrase in phrases):
            return _Found(None, start, end)
        if meaning in _ALIASES and [phrase.end for phrase in phrases] == [end]:
            return phrases[0]
        names = [name for phrase in phrases for name in phrase.names] or [self.text[start:end]]
        try:
            if not isinstance(meaning, str):
                meaning = meaning(self.today, **self._read_values(slots))
            if isinstance(meaning, str):
                found = self._read_meaning(meaning, slots)
            else:
                found = meaning and _Found(meaning, start, end, self._describe(start, end, slots, phrases))
        except (ValueError, OverflowError, LookupError):
            found = _Found(None, start, end)
        is_name = _NAME_SLOTS.issuperset(line.parts)
        return found and found._replace(start=start, end=end, names=tuple(names) if is_name else ())

    def _read_values(self, slots: dict[str, list[Any]]) -> dict[str, Any]:
        """Return the values of the slots. Phrases of all lists are called *time*."""
        values: dict[str, Any] = {}
        for name, items in slots.items():
            if isinstance(items[0], _Found):
                values["time2" if "time" in values else "time"] = items[0].time
            elif name in SLOTS and (read := SLOTS[name].read):
                values[name] = read(items[0], self.today)
        return values

    def _read_meaning(self, meaning: str, slots: dict[str, list[Any]]) -> _Found | None:
        """Read the phrase that a line means; once for each item, if a slot has a list."""
        texts = {name: [self._get_text(item) for item in items] for name, items in slots.items()}
        values = defaultdict(str, {name: items[0] for name, items in texts.items()})
        values |= {"this_year": str(self.today.year), "last_year": str(self.today.year - 1)}
        if "years_ago" in meaning:
            values["years_ago"] = str(self.today.year - self._read_values(slots)["count"])
        if "last_day" in meaning:
            days = calendar.monthrange(int(values["year4"] or 2024), MONTHS[values["month"]])
            values["last_day"] = str(days[1])
        repeated = next((name for name, items in texts.items() if len(items) > 1), "")
        found: list[_Found] = []
        for item in texts.get(repeated, [""]):
            text = " ".join(meaning.format_map(values | {repeated: item}).split())
            text = re.sub(_SEASONS, r"\1", text)
            phrase = _Reader(text, self.today, self.feasts, self.trips).find("SPANS", 0)
            if phrase is None or phrase.end < len(text):
                return None
            found.append(phrase._replace(words=phrase.words or re.sub(rf"([{APOSTROPHES}]) ", r"\1", text)))
        times = tuple(phrase.time for phrase in found if phrase.time is not None)
        time = None if len(times) < len(found) else times[0] if len(times) == 1 else Either(times)
        return _Found(time, 0, 0, " or ".join(phrase.words for phrase in found))

    def _get_text(self, item: _Found | str) -> str:
        return item if isinstance(item, str) else self.text[item.start : item.end]

    def _describe(self, start: int, end: int, slots: dict[str, list[Any]], phrases: list[_Found]) -> str:
        """Return a phrase in words, if a phrase in it has others. Before a span means before its start."""
        words, side = self.text[start:end], slots.get("compared", [""])[0]
        for phrase in (phrase for phrase in phrases if phrase.words):
            limits = phrase.words.removeprefix("from ").split(" to ")
            new = limits[-1 if side in ("after", "until", "till", "up to") else 0] if side else phrase.words
            words = words.replace(self._get_text(phrase), new)
        return words if words != self.text[start:end] else ""


@functools.lru_cache(maxsize=8)
def _get_reader(text: str, today: date, feasts: FeastDays, trips: KnownTrips | None) -> _Reader:
    return _Reader(text, today, feasts, trips)
