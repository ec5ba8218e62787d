"""The known names, found in a sentence: exactly, with one typing error, or by some of their words."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.query.lexicon import COMMON
from imagesearch.query.tokenizer import Token, find_name_words, split_words
from imagesearch.store import VocabularyEntry

# A place of a later kind may contain one of an earlier kind.
_KINDS = ("", "city", "county", "state", "country")
_SHORTEST = 5  # letters of a word that may be a name with one typing error
# Names by some of their words: those that rank within this part of the best, at most so many.
_AS_GOOD, _MOST = 0.8, 3


@dataclass(frozen=True)
class NameMatch:
    """Names found at one place of a sentence; several where it is not clear which is meant.

    Attributes
    ----------
    keys
        As the vocabulary has them.
    end
        The token after the last.
    owns
        Whether the words were possessive.
    note
        How they were read, where not as they stand.
    more
        How many more names have the same words.
    """

    keys: tuple[str, ...]
    end: int
    is_possessive: bool = False
    note: str = ""
    more: int = 0


class Gazetteer:
    """The names of one kind, indexed.

    Parameters
    ----------
    words
        Spellings by folded names.
    within
        Of places: the larger ones around each, if that is known.
    """

    def __init__(
        self, words: Mapping[str, VocabularyEntry], within: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.words = words
        self._within = within or {}
        self._keys: dict[str, str] = {}
        self._longest: dict[str, int] = {}
        for key in words:
            if parts := split_words(key):
                self._keys.setdefault(" ".join(parts), key)
                self._longest[parts[0]] = max(self._longest.get(parts[0], 0), len(parts))

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def match_exact(self, tokens: Sequence[Token], start: int) -> NameMatch | None:
        """Return the longest name that starts at a token."""
        first = tokens[start]
        longest = max(self._longest.get(first.norm, 0), self._longest.get(first.possessor, 0))
        if not longest:
            return None
        return next(self._iterate_matches(tokens, find_name_words(tokens, start, longest), {}), None)

    def match_quoted(self, text: str) -> str | None:
        """Return the name that a text is."""
        return self._keys.get(" ".join(split_words(text)))

    def _iterate_matches(
        self, tokens: Sequence[Token], places: list[int], instead: dict[int, str]
    ) -> Iterator[NameMatch]:
        """Yield the names that stand in the given tokens, the longest first."""
        words = [instead.get(i, tokens[i].norm) for i in places]
        for count in range(len(places), 0, -1):
            end = places[count - 1] + 1
            last = tokens[end - 1]
            if (key := self._keys.get(" ".join(words[:count]))) is not None:
                yield NameMatch(
                    (key,),
                    end,
                    is_possessive=bool(last.possessor)
                    and (end - 1 in instead or last.possessor == last.norm),
                )
            if (
                last.possessor
                and (key := self._keys.get(" ".join([*words[: count - 1], last.possessor]))) is not None
            ):
                yield NameMatch((key,), end, is_possessive=True)

    def contains(self, larger: str, smaller: str) -> bool:
        """Whether one place is in the other; where no place is known to be in any, by their kinds."""
        if self._within:
            return larger in self._within.get(smaller, ())
        kinds = [self.words[key].kind if key in self.words else "" for key in (larger, smaller)]
        ranks = [_KINDS.index(kind) if kind in _KINDS else 0 for kind in kinds]
        return ranks[0] > ranks[1]

    # --- one typing error ----------------------------------------------------------------------------------

    def match_mistyped(self, tokens: Sequence[Token], start: int) -> list[NameMatch]:
        """Return the names at a token that are one typing error away, in one of their words."""
        places = find_name_words(tokens, start, 4)
        found: dict[str, NameMatch] = {}
        for n, i in enumerate(places):
            if n and not self._longest.get(tokens[start].norm, 0) > n:
                break
            for near in self._find_similar(tokens[i].possessor or tokens[i].norm):
                first = near if n == 0 else tokens[start].norm
                reach = places[: self._longest.get(first, 0)]
                for match in self._iterate_matches(tokens, reach, {i: near}):
                    if match.end > i:
                        found.setdefault(match.keys[0], match)
        longest = max((match.end for match in found.values()), default=0)
        return [match for match in found.values() if match.end == longest]

    @functools.lru_cache(maxsize=512)  # noqa: B019  # as long-lived as the index
    def _find_similar(self, typed: str) -> tuple[str, ...]:
        if len(typed) < _SHORTEST or typed in COMMON or not typed.isalpha() or typed in self._all_words:
            return ()
        half = len(typed) // 2
        rest = typed[half + 1 :][::-1]
        same_start = _find_prefixed(self._sorted, typed[:half])
        same_end = (word[::-1] for word in _find_prefixed(self._reversed, rest))
        return tuple(sorted({word for word in (*same_start, *same_end) if _is_one_edit(typed, word)}))

    @functools.cached_property
    def _all_words(self) -> frozenset[str]:
        return frozenset(word for name in self._keys for word in name.split())

    @functools.cached_property
    def _sorted(self) -> list[str]:
        return sorted(word for word in self._all_words if len(word) >= _SHORTEST - 1)

    @functools.cached_property
    def _reversed(self) -> list[str]:
        return sorted(word[::-1] for word in self._sorted)

    # --- some of their words -------------------------------------------------------------------------------

    def match_partly(self, tokens: Sequence[Token], start: int, alone: bool = True) -> NameMatch | None:
        """Return the names of which some words stand at a token, best first.

        Parameters
        ----------
        alone
            Whether one word is enough.
        """
        places = find_name_words(tokens, start, 4)
        chosen: list[int] = []
        fitting: set[int] = set()
        for count, i in enumerate(places):
            word = tokens[i].norm if tokens[i].norm in self._names_by_word else tokens[i].possessor
            here = self._names_by_word.get(word, frozenset())
            both = fitting & here if count else set(here)
            if not both:
                break
            chosen.append(i)
            fitting = both
        words = [
            tokens[i].norm if tokens[i].norm in self._names_by_word else tokens[i].possessor for i in chosen
        ]
        if all(word in COMMON or word.isdigit() for word in words) or (len(words) == 1 and not alone):
            return None
        keys, more = self._rank(words, sorted(fitting))
        spelled = " or ".join(self.words[key].name for key in keys)
        typed = " ".join(tokens[i].text for i in chosen)
        note = f'read "{typed}" as {spelled}' + (f" ({more} more names have it)" if more else "")
        return NameMatch(
            keys, chosen[-1] + 1, is_possessive=bool(tokens[chosen[-1]].possessor), note=note, more=more
        )

    def _rank(self, words: list[str], fitting: list[int]) -> tuple[tuple[str, ...], int]:
        """Rank names by BM25, of those that rank as good the ones with most photos first."""
        names = [self._multiword_names[i] for i in fitting]
        if len(names) > 1:
            scores = self._bm25.get_batch_scores(words, fitting)
            least = _AS_GOOD * max(scores)
            names = [name for name, score in zip(names, scores, strict=True) if score >= least]
        keys = sorted((self._keys[name] for name in names), key=lambda key: (-self.words[key].photos, key))
        return tuple(keys[:_MOST]), len(fitting) - len(keys[:_MOST])

    @functools.cached_property
    def _multiword_names(self) -> list[str]:
        """Names of several words."""
        return [name for name in self._keys if " " in name]

    @functools.cached_property
    def _names_by_word(self) -> dict[str, set[int]]:
        """Which names of several words have a word."""
        holders: dict[str, set[int]] = {}
        for i, name in enumerate(self._multiword_names):
            for word in name.split():
                holders.setdefault(word, set()).add(i)
        return holders

    @functools.cached_property
    def _bm25(self):  # a class that is loaded when first needed
        from rank_bm25 import BM25Plus  # the one whose weights are above zero in any vocabulary

        ranking = BM25Plus([name.split() for name in self._multiword_names])
        ranking.doc_len = np.array(ranking.doc_len)  # or it is made anew for each query
        return ranking

    def build_indexes(self) -> None:
        """Make what is otherwise made when first needed."""
        _ = self._reversed, self._names_by_word, self._multiword_names and self._bm25


def _find_prefixed(words: list[str], prefix: str) -> list[str]:
    return words[bisect_left(words, prefix) : bisect_left(words, prefix + "\U0010ffff")]


def _is_one_edit(a: str, b: str) -> bool:
    """Whether one letter more, less or other, or two swapped, make one word of the other."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    left, right = a[same:], b[same:]
    if len(left) != len(right):
        return left[1:] == right or left == right[1:]
    return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
