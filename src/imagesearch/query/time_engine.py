"""Finds times in a sentence by the table in `time_phrases`, with the words that lead to them: "in may".

`_Reader` matches the phrases at an offset of a text, and calls the function that is the meaning of the longest.
"""

from __future__ import annotations

import calendar
import functools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from imagesearch.query import time_phrases
from imagesearch.query.feasts import EVERYDAY, FEASTS_BY_WORD, FeastDays, match_feast
from imagesearch.query.lexicon import split_set
from imagesearch.query.time_phrases import Meaning
from imagesearch.query.time_slots import (
    AMBIGUOUS,
    APOSTROPHES,
    DATE_PATTERN,
    MONTHS,
    SLOTS,
    WEEKDAYS,
    read_date,
)
from imagesearch.query.time_values import Either, Time
from imagesearch.query.tokenizer import Sentence

_MAX_LIST = 12  # items of a list
# After these words, a name is a time. After the others, it may be a person or a thing: "photos of may".
_TEMPORAL = split_set("in on at during over throughout within towards")
_LEADS = _TEMPORAL | split_set("of from for by the")
_LEAD = re.compile(rf"(?P<word>{'|'.join(sorted(_LEADS - {'the'}))}) (?P<the>the )?|(?P<bare>the )")
_AFTER_ARTICLE = tuple({*SLOTS["season"].first, *SLOTS["daypart"].first, *SLOTS["decade"].first, "weekend"} - {"#"})
_JOINER = re.compile(r" (?:, and|, or|,|and|or|&|/) (?:the )?")
_SEASONS = r"\b(spring|summer|autumn|fall|winter)s\b"
_ALIASES = ("{feast}", "{name}", "{yearly}", "{time}")
_BEFORE_START = split_set("since before starting")
_ITEMS = r"(?:{0}(?: (?:, and|, or|,|and|or|&|/)(?: the)? {0})+)"


@dataclass(frozen=True)
class DateMatch:
    """A time in a sentence.

    Attributes
    ----------
    reference
        The time; None if it is not understood.
    end
        The position after its last token.
    core
        The position of its first token without a leading word such as *in*.
    is_certain
        Whether it is a time even if a person has the same name: a leading word or a year shows it.
    must_end_phrase
        Whether it is a time only at the end of a phrase: "in summer", but not "in summer dresses".
    must_start
        Whether it is a time only at the start of a sentence and after a name: "christmas", "maya sunday".
    words
        What it means in other words: "from january 2023 to april 2023"; else empty.
    keeps_words
        Whether its words also describe the photo: "at night".
    notes
        Notes for the user on how it was read.
    """

    reference: Time | None
    end: int
    core: int
    is_certain: bool = True
    must_end_phrase: bool = False
    must_start: bool = False
    words: str = ""
    keeps_words: bool = False
    notes: tuple[str, ...] = ()


def match_date(sentence: Sentence, i: int, today: date, feasts: FeastDays = FeastDays()) -> DateMatch | None:  # noqa: B008 - frozen
    """Return the time that starts at a token, including its leading word.

    Parameters
    ----------
    today
        The day that relative times refer to.
    feasts
        The days of feasts in the countries of the user.
    """
    token = sentence.tokens[i]
    is_in_name = i > 0 and not token.space_before and sentence.tokens[i - 1].norm == "_"  # IMG_20230612
    if is_in_name or not (token.norm in _LEADS or _find_lines("SPANS", token.norm)):
        return None
    reader = _get_reader(sentence.text, today, feasts)
    start = sentence.starts[i]
    best: tuple[_Found, re.Match[str] | None, int] | None = None
    for lead, core in _list_starts(sentence.text, start):
        found = reader.find("SPANS", core)
        if (
            found
            and _fits(lead, found, sentence.text[core : found.end])
            and (best is None or found.end > best[0].end)
        ):
            best = found, lead, core
    return best and _make_match(sentence, *best, today)


class _Found(NamedTuple):
    """A phrase in a text: its time, where it starts and ends, its meaning in words, and its names.

    The time is None if it is not understood. Names may have other meanings; a phrase with a year has none.
    """

    time: Time | None
    start: int
    end: int
    words: str = ""
    names: tuple[str, ...] = ()


# --- leading words -----------------------------------------------------------------------------------------


def _list_starts(text: str, start: int) -> Iterator[tuple[re.Match[str] | None, int]]:
    """Yield the leading words at an offset and the offsets after them: none, *in*, *in the*."""
    yield None, start
    lead = _LEAD.match(text, start)
    if lead:
        if lead["the"]:
            yield lead, lead.start("the")
        yield lead, lead.end()


def _fits(lead: re.Match[str] | None, found: _Found, words: str) -> bool:
    """Whether a time may have this lead: "in summer", "the 90s", but not "summer", "the may", "of morning"."""
    is_year = re.fullmatch(SLOTS["year"].pattern, words) is not None
    is_ambiguous = any(name in AMBIGUOUS for name in found.names)
    if lead is None:
        return not is_ambiguous
    if lead["bare"] or lead["the"]:
        is_decade = re.fullmatch(SLOTS["decade"].pattern, words) is not None
        if found.names and not is_decade and not words.startswith(_AFTER_ARTICLE):
            return False
        if lead["bare"]:
            return not is_year and (is_decade or not is_ambiguous)
    is_weak = lead["word"] not in _TEMPORAL
    if is_weak and any(name in SLOTS["daypart"].first or name in SLOTS["noon"].first for name in found.names):
        return (lead["word"], words) == ("by", "night")
    return not (lead["word"] == "by" and is_ambiguous)


def _make_match(
    sentence: Sentence, found: _Found, lead: re.Match[str] | None, core: int, today: date
) -> DateMatch:
    words, word = sentence.text[core : found.end], (lead["word"] or "") if lead else ""
    time = found.time
    try:
        _ = time and time.condition
    except (ValueError, OverflowError):  # days that no year has: "the week of summer"
        time = None
    is_year = re.fullmatch(SLOTS["year"].pattern, words) is not None
    return DateMatch(
        time,
        end=sentence.find_token(found.end + 1),
        core=sentence.find_token(core),
        is_certain=not found.names or word in _TEMPORAL,
        must_end_phrase=is_year or any(name not in MONTHS for name in found.names),
        must_start=lead is None and any(name in EVERYDAY or name in WEEKDAYS for name in found.names),
        words=found.words,
        keeps_words=words == "night" and word in ("at", "by"),
        notes=tuple(_list_notes(words, today)) if time else (),
    )


def _list_notes(words: str, today: date) -> Iterator[str]:
    """Yield a note on each date of digits whose day and month could be exchanged."""
    for match in re.finditer(rf"(?<![^ ]){DATE_PATTERN}(?![^ ])", words):
        numbers = [int(number) for number in re.findall(r"\d+", match[0])]
        if len(numbers) == 3 and numbers[0] != numbers[1] and max(numbers[:2]) <= 12:
            order = "month/day/year" if "/" in match[0] else "day.month.year"
            typed = match[0].replace(" ", "") if re.search(r"\D", match[0].replace(" ", "")) else match[0]
            yield f"read {typed} as {read_date(match[0], today)} ({order})"


# --- the table, compiled -----------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A part of a phrase: a slot, one of some words, or parts that may be missing together."""

    words: frozenset[str] = frozenset()
    slot: str = ""
    name: str = ""
    is_list: bool = False
    optional: tuple[_Part, ...] = ()


class _Line(NamedTuple):
    """A compiled line of the table.

    ``repeated`` is the slot that has a list, if there is one. ``is_name`` is whether a phrase has only names.
    """

    parts: tuple[_Part, ...]
    meaning: Meaning
    repeated: str
    is_name: bool


_SOURCES = {"name": "NAMES", "yearly": "YEARLY", "time": "TIMES", "feast": "feast"}
_NAMES = "month season feast weekday weekdays daypart dayparts noon decade name yearly*"
_NAME_SLOTS = frozenset(f"{{{name}}}" for name in _NAMES.split()) | {"a|an|any|some"}


@functools.cache
def _index_list(name: str) -> dict[str, list[_Line]]:
    """Return the lines of a list of the table by their first words."""
    lines: dict[str, list[_Line]] = {}
    for phrase, meaning in getattr(time_phrases, name):
        slots: list[str] = []
        parts = _parse_phrase(re.findall(r"[\[\]]|[^\[\] ]+", phrase), slots)
        repeated = next((part.name for part in parts if part.is_list), "")
        line = _Line(parts, meaning, repeated, _NAME_SLOTS.issuperset(phrase.split()))
        for word in _list_first_words(parts):
            lines.setdefault(word, []).append(line)
    return lines


def _parse_phrase(elements: list[str], slots: list[str]) -> tuple[_Part, ...]:
    """Return the parts of a phrase, up to the end of an optional part. Consumes the elements."""
    parts: list[_Part] = []
    while elements and (element := elements.pop(0)) != "]":
        if element == "[":
            parts.append(_Part(optional=_parse_phrase(elements, slots)))
        elif element[0] == "{":
            slot = element.strip("{}*")
            parts.append(_Part(slot=slot, name=f"{slot}2" if slot in slots else slot, is_list="*" in element))
            slots.append(slot)
        else:
            parts.append(_Part(frozenset(element.split("|"))))
    return tuple(parts)


def _list_first_words(parts: tuple[_Part, ...]) -> set[str]:
    """Return the words that a phrase can start with; see `Slot`."""
    words: set[str] = set()
    for part in parts:
        if part.optional:
            words |= _list_first_words(part.optional)
            continue
        if part.slot == "feast":
            return words.union(FEASTS_BY_WORD)
        if part.slot:
            return words.union(_index_list(_SOURCES[part.slot]) if part.slot in _SOURCES else SLOTS[part.slot].first)
        return words | part.words
    return words


def _find_lines(name: str, word: str) -> list[_Line]:
    """Return the lines of a list that may start with a word, or with its singular."""
    lines = _index_list(name)
    if word[:1].isdigit():
        return lines.get("#", [])
    letters = word.rstrip("0123456789")
    keys = (word, word.removesuffix("s"), word.removesuffix("es")) if letters == word else (f"{letters}#",)
    return next((lines[key] for key in keys if key in lines), [])


@functools.cache  # at the first use of a slot
def _compile_slot(slot: str, is_list: bool) -> re.Pattern[str]:
    pattern = SLOTS[slot].pattern
    return re.compile((_ITEMS.format(pattern) if is_list else pattern) + "(?= |$)")


# --- reading -----------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _get_reader(text: str, today: date, feasts: FeastDays) -> _Reader:
    return _Reader(text, today, feasts)


class _Reader:
    """Finds the phrases of the table in a text. What was found at an offset is cached."""

    def __init__(self, text: str, today: date, feasts: FeastDays) -> None:
        self.text, self.today, self.feasts = text, today, feasts
        self._cache: dict[tuple[str, int], _Found | None] = {}

    def find(self, source: str, start: int) -> _Found | None:
        """Return the longest phrase of a list at an offset, or the feast."""
        key = source, start
        if key not in self._cache:
            self._cache[key] = (
                self._find_feast(start) if source == "feast" else self._find_phrase(source, start)
            )
        return self._cache[key]

    def _find_feast(self, start: int) -> _Found | None:
        match = match_feast(self.text, start)
        if match is None:
            return None
        feast, end = match
        return _Found(self.feasts.make_yearly(feast, self.today), start, end, names=(self.text[start:end],))

    def _find_phrase(self, source: str, start: int) -> _Found | None:
        matches = []
        for line in _find_lines(source, self._get_word(start)):
            slots: dict[str, Any] = {}
            end = self._match(line.parts, start, slots) - 1
            if end > start:
                matches.append((line, end, slots))
        matches.sort(key=lambda match: -match[1])
        return next((found for match in matches if (found := self._evaluate(start, *match))), None)

    def _match(self, parts: tuple[_Part, ...], start: int, slots: dict[str, Any]) -> int:
        """Match parts of a phrase at an offset, and fill the slots with texts or phrases.

        Returns the offset of the next word; -1 if they do not match.
        """
        for part in parts:
            if part.optional:
                filled: dict[str, Any] = {option.name: None for option in part.optional if option.slot}
                after = self._match(part.optional, start, filled)
                slots |= filled if after >= 0 else dict.fromkeys(filled)
                start = max(start, after)
            elif part.slot in _SOURCES:
                slots[part.name] = self._find_list(part, start)
                if not slots[part.name]:
                    return -1
                start = slots[part.name][-1].end + 1
            elif part.slot:
                match = _compile_slot(part.slot, part.is_list).match(self.text, start)
                if match is None:
                    return -1
                slots |= {part.name: match[0], **match.groupdict()}
                start = match.end() + 1
            else:
                word = self._get_word(start)
                if word not in part.words:
                    return -1
                start += len(word) + 1
        return start

    def _get_word(self, start: int) -> str:
        space = self.text.find(" ", start)
        return self.text[start : space if space >= 0 else None]

    def _find_list(self, part: _Part, start: int) -> list[_Found]:
        """Return a phrase, or several that are joined by commas, *and* or *or*; empty if there are none."""
        items: list[_Found] = []
        while (item := self.find(_SOURCES[part.slot], start)) and len(items) < _MAX_LIST:
            items.append(item)
            joiner = _JOINER.match(self.text, item.end) if part.is_list else None
            if joiner is None:
                break
            start = joiner.end()
        return items if not part.is_list or len(items) > 1 else []

    def _evaluate(self, start: int, line: _Line, end: int, slots: dict[str, Any]) -> _Found | None:
        """Return what a line means; None if it does not apply. A time that does not exist is not understood."""
        phrases = [found for value in slots.values() if isinstance(value, list) for found in value]
        if line.meaning is None or any(found.time is None for found in phrases):
            return _Found(None, start, end)
        names: tuple[str, ...] = ()
        if line.is_name:
            names = tuple(name for found in phrases for name in found.names) or (self.text[start:end],)
        try:
            if line.meaning in _ALIASES and not line.repeated:
                return phrases[0]
            meaning = line.meaning if isinstance(line.meaning, str) else line.meaning(self.today, **self._read_values(slots))
            if isinstance(meaning, str):
                found = self._read_meaning(meaning, line.repeated, slots)
                return found and found._replace(start=start, end=end, names=names)
            return meaning and _Found(meaning, start, end, self._describe(start, end, slots), names)
        except (ValueError, OverflowError):
            return _Found(None, start, end)

    def _read_values(self, slots: dict[str, Any]) -> dict[str, Any]:
        """Return the values of the slots that are filled. Phrases of all lists are called *time*."""
        values: dict[str, Any] = {}
        for name, value in slots.items():
            if isinstance(value, list):
                values["time2" if "time" in values else "time"] = value[0].time
            elif value is not None and (read := SLOTS[name].read):
                values[name] = read(value, self.today)
        return values

    def _read_meaning(self, meaning: str, repeated: str, slots: dict[str, Any]) -> _Found | None:
        """Read the phrase that a line means; once for each item of the slot that has a list."""
        texts = {name: self._list_texts(name, value, name == repeated) for name, value in slots.items()}
        year = self.today.year
        values = {name: items[0] for name, items in texts.items()} | {
            "this_year": year,
            "last_year": year - 1,
        }
        if "years_ago" in meaning:
            values["years_ago"] = year - self._read_values({"count": slots["count"]})["count"]
        if "last_day" in meaning:
            days = calendar.monthrange(int(slots["year4"] or 2024), MONTHS[slots["month"]])
            values["last_day"] = days[1]
        found: list[_Found] = []
        for item in texts.get(repeated, [""]):
            text = " ".join(meaning.format_map(values | {repeated: item}).split())
            text = re.sub(_SEASONS, r"\1", text)  # "the summers of 2022 and 2023"
            phrase = _Reader(text, self.today, self.feasts).find("SPANS", 0)
            if phrase is None or phrase.end < len(text):
                return None
            found.append(phrase._replace(words=phrase.words or re.sub(rf"([{APOSTROPHES}]) ", r"\1", text)))
        if len(found) == 1 or any(phrase.time is None for phrase in found):
            return next((phrase for phrase in found if phrase.time is None), found[0])
        times = tuple(phrase.time for phrase in found if phrase.time is not None)
        return _Found(Either(times, times[0].family), 0, 0, " or ".join(phrase.words for phrase in found))

    def _list_texts(self, name: str, value: list[_Found] | str | None, is_list: bool) -> list[str]:
        """Return the text in a slot, or the texts of its items."""
        if isinstance(value, list):
            return [self.text[found.start : found.end] for found in value]
        return re.findall(rf"(?<![^ ]){SLOTS[name].pattern}(?![^ ])", value) if value and is_list else [value or ""]

    def _describe(self, start: int, end: int, slots: dict[str, Any]) -> str:
        """Return a phrase in words, if a phrase in it has others. Before a span means before its start."""
        words = self.text[start:end]
        for found in (found for value in slots.values() if isinstance(value, list) for found in value):
            limits = found.words.removeprefix("from ").split(" to ")
            side = slots.get("compared", "")
            new = (limits[0] if side in _BEFORE_START else limits[-1]) if side else found.words
            words = words.replace(self.text[found.start : found.end], new) if found.words else words
        return words if words != self.text[start:end] else ""
