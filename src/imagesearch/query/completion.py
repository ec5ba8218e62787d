"""Completes the word that a user is typing: people, places, cameras and trips of the collection."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest
from typing import Literal

from imagesearch.query.lexicon import COMMON
from imagesearch.store import Vocabulary, VocabularyEntry, list_named
from imagesearch.text import normalize

NameKind = Literal["person", "place", "camera", "trip"]

_MAX_WORDS = 5  # typed words that are compared with names
_MAX_TYPED = 60  # characters of these words
_MAX_COMPARED = 3_000  # names that start with what was typed, of which the best are selected
_MIN_INSIDE = 3  # letters of a word inside a name, and of an everyday word, that are completed
_WORD = re.compile(r'[^\s,;"()]+')
_RANKS: dict[NameKind, int] = {"person": 3, "place": 2, "trip": 1, "camera": 0}


@dataclass(frozen=True)
class Completion:
    """A name that completes a sentence.

    Attributes
    ----------
    label
        The name.
    kind
        What has this name.
    count
        Its number of photos.
    start, end
        The part of the sentence that is replaced, in characters.
    insert
        The text that replaces it.
    """

    label: str
    kind: NameKind
    count: int
    start: int
    end: int
    insert: str


@dataclass(frozen=True)
class _Name:
    label: str
    kind: NameKind
    count: int
    words: str  # normalized
    insert: str


class NameCompleter:
    """Finds names by the beginnings of their words. The names are sorted once.

    Parameters
    ----------
    vocabulary
        The names of the collection. People without a name are left out.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._names = list(_list_names(vocabulary))
        self._starts = sorted(
            (name.words[offset:], number, offset)
            for number, name in enumerate(self._names)
            for offset in _list_word_starts(name.words)
        )

    def complete(self, text: str, cursor: int | None = None, limit: int = 8) -> list[Completion]:
        """Return the names that complete the words before the cursor, the most likely first.

        Names that start with the longest run of typed words come first: "rio de" completes to Rio de
        Janeiro, and not to Delhi. Then come whole names before parts of names, and those with more photos.

        Parameters
        ----------
        text
            The sentence.
        cursor
            The position of the cursor, in characters. None means the end.
        limit
            Maximum number of names.
        """
        cursor = len(text) if cursor is None else max(0, min(cursor, len(text)))
        words = list(_WORD.finditer(text[max(0, cursor - 4 * _MAX_TYPED) : cursor]))
        offset = max(0, cursor - 4 * _MAX_TYPED)
        found: dict[tuple[str, str], Completion] = {}
        if not words or offset + words[-1].end() != cursor:
            return []  # the cursor follows a space
        if match := _WORD.match(text, cursor):
            cursor = match.end()  # inside a word: all of it is replaced
        for first in words[-_MAX_WORDS:]:
            start = offset + first.start()
            typed = normalize(text[start : offset + words[-1].end()])
            if not typed or len(typed) > _MAX_TYPED or "," in typed:
                continue
            for name in self._find(typed, limit):
                completion = Completion(name.label, name.kind, name.count, start, cursor, name.insert)
                found.setdefault((name.kind, name.label), completion)
        return list(found.values())[:limit]

    def _find(self, typed: str, limit: int) -> list[_Name]:
        first = bisect_left(self._starts, (typed,))
        best: dict[int, tuple[bool, bool, int, int]] = {}
        is_common = typed in COMMON
        for words, number, offset in self._starts[first : first + _MAX_COMPARED]:
            if not words.startswith(typed):
                break
            name = self._names[number]
            is_named_so = offset == 0
            is_short = len(typed) < (_MIN_INSIDE if typed.isascii() else 1) and not is_named_so
            if name.words == typed or is_short or (is_common and len(typed) < _MIN_INSIDE):
                continue
            rank = (is_named_so, name.count > 1, name.count, _RANKS[name.kind])
            if number not in best or rank > best[number]:
                best[number] = rank
        numbers = nlargest(limit, best, key=lambda number: (best[number], -number))
        return [self._names[number] for number in numbers]


def _list_names(vocabulary: Vocabulary) -> Iterator[_Name]:
    yield from _list_entries("person", list_named(vocabulary.people).values())
    yield from _list_entries("place", vocabulary.places.values())
    for trip in vocabulary.trips or ():
        # other names have a place and a month: "Anjuna, August 2020"
        insert = f"{trip.name} trip" if trip.is_named else trip.name
        yield _Name(trip.name, "trip", trip.photos, normalize(trip.name), insert)
    for entry in vocabulary.cameras.values():
        yield _Name(entry.name, "camera", entry.photos, normalize(entry.name), f"taken with {entry.name}")


def _list_entries(kind: NameKind, entries: Iterable[VocabularyEntry]) -> Iterator[_Name]:
    for entry in entries:
        if words := normalize(entry.name):
            yield _Name(entry.name, kind, entry.photos, words, entry.name)


def _list_word_starts(words: str) -> list[int]:
    return [match.start() for match in re.finditer(r"\S+", words)]
