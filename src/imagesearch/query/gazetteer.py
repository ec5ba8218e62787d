"""Finds known names in a sentence: exactly, with one typing error, or by some of their words."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from imagesearch.bm25 import make_name_ranking
from imagesearch.query.english import find_word_level, is_everyday
from imagesearch.query.facts.cameras import Cameras
from imagesearch.query.lexicon import COMMON, split_set
from imagesearch.query.places.album_places import find_aliases
from imagesearch.query.spelling import NearWords, is_sure
from imagesearch.query.times.feasts import FeastDays
from imagesearch.query.tokenizer import Token, find_name_words, split_words
from imagesearch.query.trips.known_trips import KnownTrips
from imagesearch.store import Vocabulary, VocabularyEntry
from imagesearch.text_table import format_count

# Kinds of places, the smallest first. A place may contain places of the kinds before its own.
_KINDS = ("", "city", "county", "state", "country")
_MIN_LETTERS = 5  # minimum length of a name of several words that is also found as one word
# Names that match by some of their words: minimum ratio to the best score, and maximum number.
_MIN_SCORE_RATIO, _MAX_NAMES = 0.8, 3
_HYPHENS = frozenset("-\u2010\u2011")
_MAX_WORDS = 4  # maximum number of words that are compared with a mistyped or partial name
# Words at the end of a place's name that people leave out: Ho Chi Minh City.
_KIND_WORDS = split_set(
    "city town district county province state region municipality prefecture island islands"
)


@dataclass(frozen=True)
class NameMatch:
    """A known name in a sentence, or several names if the words are ambiguous.

    Attributes
    ----------
    keys
        The normalized names, which are the keys of the vocabulary.
    end
        The position after the last token.
    is_possessive
        Whether the words have a possessive ending.
    note
        A note for the user if the words differ from the name; else empty.
    more
        The number of other names that have the same words.
    is_sure
        Whether a corrected word can only be meant as this name.
    """

    keys: tuple[str, ...]
    end: int
    is_possessive: bool = False
    note: str = ""
    more: int = 0
    is_sure: bool = True


class Gazetteer:
    """The known people, or the known places. Indices are built at the first lookup that uses them.

    Parameters
    ----------
    entries
        Maps normalized names to names as the user writes them.
    within
        Maps each place to the larger places that contain it, if this is known.
    ignores_spaces
        Whether names match with and without spaces and hyphens: "annemarie", "anne marie", "anne-marie".
    aliases
        Maps other names, as words separated by single spaces, to the keys that they stand for.
    """

    def __init__(
        self,
        entries: Mapping[str, VocabularyEntry],
        within: Mapping[str, tuple[str, ...]] | None = None,
        aliases: Mapping[str, tuple[str, ...]] | None = None,
        ignores_spaces: bool = False,
    ) -> None:
        self.entries = entries
        self._within = within or {}
        self._aliases = aliases or {}
        self._ignores_spaces = ignores_spaces

    def __contains__(self, name: str) -> bool:
        return name in self._keys or name in self._aliases

    @functools.cached_property
    def _keys(self) -> dict[str, str]:
        """Maps the words of each name, separated by single spaces, to the vocabulary's key."""
        keys: dict[str, str] = {}
        for key in self.entries:
            if words := split_words(key):
                keys.setdefault(" ".join(words), key)
        return keys

    @functools.cached_property
    def _joined(self) -> dict[str, str]:
        """Maps names of several words, written as one word, to the vocabulary's key."""
        joined: dict[str, str] = {}
        for name, key in self._keys.items():
            first, _, last = name.rpartition(" ")
            for written in (name, first) if last in _KIND_WORDS else (name,):
                if " " in written:
                    joined.setdefault(written.replace(" ", ""), key)
        return {
            word: key
            for word, key in joined.items()
            if len(word) >= _MIN_LETTERS and word.isalpha() and word not in COMMON and word not in self._keys
        }

    @functools.cached_property
    def _longest(self) -> dict[str, int]:
        """Maps the first word of names to the number of words of the longest of these names."""
        longest: dict[str, int] = {}
        for name in (*self._keys, *self._aliases):
            first, *others = name.split()
            longest[first] = max(longest.get(first, 0), 1 + len(others))
        return longest

    # --- exact names ---------------------------------------------------------------------------------------

    def match_exact(self, tokens: Sequence[Token], start: int) -> NameMatch | None:
        """Return the longest name that starts at a token."""
        first = tokens[start]
        longest = max(self._longest.get(first.norm, 0), self._longest.get(first.possessor, 0))
        reach = find_name_words(tokens, start, longest) if longest else []
        match = next(self._iterate_matches(tokens, reach, {}), None)
        return self._match_spacing(tokens, start) if match is None and self._ignores_spaces else match

    def _match_spacing(self, tokens: Sequence[Token], start: int) -> NameMatch | None:
        """Return the name whose words are written as one word, or whose one word is written as two."""
        first = tokens[start]
        for word in (first.norm, first.possessor):
            if (key := self._joined.get(word)) is not None and not is_everyday(word):
                return NameMatch((key,), start + 1, is_possessive=word != first.norm)
        end = start + 2
        if end <= len(tokens) and tokens[end - 1].norm in _HYPHENS:
            end += 1
        if end > len(tokens) or tokens[end - 1].kind != "word":
            return None
        second = tokens[end - 1]
        for word in (second.norm, second.possessor):
            key = self._keys.get(first.norm + word) if word else None
            if key is not None and not _is_phrase(first.norm, word):
                return NameMatch((key,), end, is_possessive=word != second.norm)
        return None

    def match_quoted(self, text: str) -> str | None:
        """Return the key of the name that equals a text."""
        keys = self._find_keys(" ".join(split_words(text)))
        return keys[0] if keys else None

    def _find_keys(self, words: str) -> tuple[str, ...]:
        """Return the keys of a name or of an alias."""
        if words in self._aliases:
            return self._aliases[words]
        return (self._keys[words],) if words in self._keys else ()

    def _iterate_matches(
        self, tokens: Sequence[Token], positions: list[int], replacements: dict[int, str]
    ) -> Iterator[NameMatch]:
        """Yield the names that the tokens at these positions start with, the longest first.

        ``replacements`` maps positions to corrected words.
        """
        words = [replacements.get(i, tokens[i].norm) for i in positions]
        for count in range(len(positions), 0, -1):
            end = positions[count - 1] + 1
            last = tokens[end - 1]
            if keys := self._find_keys(" ".join(words[:count])):
                is_possessive = end - 1 in replacements or last.possessor == last.norm
                yield NameMatch(keys, end, is_possessive=bool(last.possessor) and is_possessive)
            if last.possessor and (keys := self._find_keys(" ".join([*words[: count - 1], last.possessor]))):
                yield NameMatch(keys, end, is_possessive=True)

    def list_larger(self, place: str) -> tuple[str, ...]:
        """Return the larger places that contain a place, as far as they are known."""
        return self._within.get(place, ())

    def contains(self, larger: str, smaller: str) -> bool:
        """Whether one place contains another. Compares their kinds if the vocabulary has no containment."""
        if self._within:
            return larger in self._within.get(smaller, ())
        kinds = [self.entries[key].kind if key in self.entries else "" for key in (larger, smaller)]
        ranks = [_KINDS.index(kind) if kind in _KINDS else 0 for kind in kinds]
        return ranks[0] > ranks[1]

    @functools.cached_property
    def positions(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """The keys of places whose position is known, except countries, with latitudes and longitudes."""
        located = [key for key, entry in self.entries.items() if entry.latitude is not None]
        keys = [key for key in located if self.entries[key].kind != "country"] or located
        columns = [[getattr(self.entries[key], name) for key in keys] for name in ("latitude", "longitude")]
        return keys, np.array(columns[0], np.float64), np.array(columns[1], np.float64)

    # --- names with one typing error -----------------------------------------------------------------------

    def match_mistyped(self, tokens: Sequence[Token], start: int) -> list[NameMatch]:
        """Return the longest names that match at a token if one typing error is corrected.

        The error is in one word of the name; or anywhere in a name of several words, whatever its spaces.
        """
        positions = find_name_words(tokens, start, _MAX_WORDS)
        matches: dict[str, NameMatch] = {
            match.keys[0]: match for match in self._match_joined(tokens, positions)
        }
        for n, i in enumerate(positions):
            if n and not self._longest.get(tokens[start].norm, 0) > n:
                break
            typed = tokens[i].possessor or tokens[i].norm
            for word in self._find_corrections(typed):
                first = word if n == 0 else tokens[start].norm
                reach = positions[: self._longest.get(first, 0)]
                for match in self._iterate_matches(tokens, reach, {i: word}):
                    if match.end > i:
                        is_name = match.end > start + 1 or _is_sure_name(typed, word)
                        matches.setdefault(match.keys[0], replace(match, is_sure=is_name))
        end = max((match.end for match in matches.values()), default=0)
        return [match for match in matches.values() if match.end == end]

    def _find_corrections(self, typed: str) -> list[str]:
        """Return the words of names at edit distance 1 from a word that is not everyday English."""
        if not typed.isalpha() or typed in COMMON or typed in self._all_words:
            return []
        words = self._near_words.find(typed)
        return [] if words and is_everyday(typed) else words

    def _match_joined(self, tokens: Sequence[Token], positions: Sequence[int]) -> Iterator[NameMatch]:
        """Yield names of several words that differ by one typing error: "da nag", "danag", "hochimin"."""
        norms = [tokens[i].norm for i in positions]
        for count in range(len(positions), 0, -1):
            last = tokens[positions[count - 1]]
            typed = "".join([*norms[: count - 1], last.possessor or last.norm])
            if len(typed) < _MIN_LETTERS - 1 or all(map(self._is_everyday, norms[:count])):
                continue
            found = self._near_joined.find(typed) if typed.isalpha() else []
            if found and not is_everyday(typed):
                end = positions[count - 1] + 1
                keys = dict.fromkeys(self._joined[word] for word in found)
                yield from (NameMatch((key,), end, is_possessive=bool(last.possessor)) for key in keys)
                return

    def _is_everyday(self, word: str) -> bool:
        """Whether a word is everyday English, and not a short word of a name such as "da"."""
        return is_everyday(word) and (word in COMMON or len(word) > 2 or word not in self._all_words)

    @functools.cached_property
    def _all_words(self) -> frozenset[str]:
        return frozenset(word for name in self._keys for word in name.split())

    @functools.cached_property
    def _near_words(self) -> NearWords:
        return NearWords(self._all_words)

    @functools.cached_property
    def _near_joined(self) -> NearWords:
        return NearWords(self._joined)

    # --- partial names -------------------------------------------------------------------------------------

    def match_partly(self, tokens: Sequence[Token], start: int) -> NameMatch | None:
        """Return the names that contain the words at a token, the best match first."""
        matched: list[Token] = []
        words: list[str] = []
        candidates: set[int] = set()
        end = start
        for i in find_name_words(tokens, start, _MAX_WORDS):
            word = tokens[i].norm if tokens[i].norm in self._names_by_word else tokens[i].possessor
            names = self._names_by_word.get(word, set())
            names = candidates & names if words else names
            if not names:
                break
            matched.append(tokens[i])
            words.append(word)
            candidates, end = names, i + 1
        if all(word in COMMON or word.isdigit() for word in words):
            return None
        keys, more = self._rank(words, sorted(candidates))
        typed = " ".join(token.text for token in matched)
        note = f'read "{typed}" as {" or ".join(self.entries[key].name for key in keys)}'
        note += f" ({format_count(more, 'more name has', 'more names have')} it)" if more else ""
        return NameMatch(keys, end, is_possessive=bool(matched[-1].possessor), note=note, more=more)

    def _rank(self, words: list[str], candidates: list[int]) -> tuple[tuple[str, ...], int]:
        """Keep the names with the best BM25 scores, sort them by photos, and count the other candidates."""
        names = [self._multiword_names[i] for i in candidates]
        if len(names) > 1:
            scores = self._bm25.get_batch_scores(words, candidates)
            least = _MIN_SCORE_RATIO * max(scores)
            names = [name for name, score in zip(names, scores, strict=True) if score >= least]
        keys = sorted((self._keys[name] for name in names), key=lambda key: (-self.entries[key].photos, key))
        return tuple(keys[:_MAX_NAMES]), len(candidates) - len(keys[:_MAX_NAMES])

    @functools.cached_property
    def _multiword_names(self) -> list[str]:
        return [name for name in self._keys if " " in name]

    @functools.cached_property
    def _names_by_word(self) -> dict[str, set[int]]:
        """Maps each word to the names that contain it, as indices of `_multiword_names`."""
        holders: dict[str, set[int]] = {}
        for i, name in enumerate(self._multiword_names):
            for word in name.split():
                holders.setdefault(word, set()).add(i)
        return holders

    @functools.cached_property
    def _bm25(self) -> Any:
        return make_name_ranking([name.split() for name in self._multiword_names])


@dataclass(frozen=True)
class KnownNames:
    """The names that sentences are searched for."""

    people: Gazetteer
    places: Gazetteer
    feasts: FeastDays = field(default_factory=FeastDays)
    cameras: Cameras = field(default_factory=Cameras)
    trips: KnownTrips = field(default_factory=KnownTrips)

    @classmethod
    def from_vocabulary(cls, vocabulary: Vocabulary, feasts: FeastDays) -> KnownNames:
        """Make the gazetteers of a dataset."""
        people = Gazetteer(vocabulary.people, ignores_spaces=True)
        aliases = find_aliases(vocabulary.places, vocabulary.within)
        places = Gazetteer(vocabulary.places, vocabulary.within, aliases, ignores_spaces=True)
        return cls(people, places, feasts, Cameras(vocabulary.cameras), KnownTrips(vocabulary.trips))


def _is_sure_name(typed: str, word: str) -> bool:
    """Whether a typed word can only be meant as a name. A rare English word can be meant as it is typed."""
    return is_sure(typed, word) and (typed == f"{word}s" or not find_word_level(typed))


def _is_phrase(first: str, second: str) -> bool:
    """Whether two words are no name that is divided: "for rest" does not name Forrest."""
    return (
        min(len(first), len(second)) < 2
        or is_everyday(first + second)
        or (not COMMON.isdisjoint((first, second)) or (is_everyday(first) and is_everyday(second)))
    )
