"""Words that differ from a typed word by one typing error, and how sure such a correction is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

_MIN_LENGTH = 3  # minimum length of words that are compared
_LONG = 5  # from this length on, one error of any kind leaves no doubt
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SOUNDS = ("aeiou", "iy", "ckq", "sz", "vw", "fv", "bp", "dt", "gj", "mn", "xs")


def _list_confused() -> frozenset[str]:
    """Return pairs of letters that are neighbours on a keyboard or sound alike."""
    pairs = {a + b for sound in _SOUNDS for a in sound for b in sound}
    for row in _ROWS:
        pairs.update(a + b for a, b in pairwise(row))
    for upper, lower in pairwise(_ROWS):
        for n, letter in enumerate(lower):
            pairs.update(letter + other for other in upper[n : n + 2])
    return frozenset(pairs | {pair[::-1] for pair in pairs})


_CONFUSED = _list_confused()


class NearWords:
    """Words in an index by their first letter and length, and by the letters after the first.

    An error behind the first letter leaves the first letter as it is, so few words are compared.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._by_start: dict[tuple[str, int], list[str]] = {}
        self._by_rest: dict[str, list[str]] = {}
        self._words = frozenset(word for word in words if len(word) >= _MIN_LENGTH)
        for word in self._words:
            self._by_start.setdefault((word[0], len(word)), []).append(word)
            self._by_rest.setdefault(word[1:], []).append(word)

    def find(self, typed: str) -> list[str]:
        """Return the words at edit distance 1: one letter added, omitted or replaced, or two swapped."""
        if len(typed) < _MIN_LENGTH:
            return []
        from rapidfuzz import process
        from rapidfuzz.distance import OSA  # counts two swapped neighbours as one edit

        near = {*self._by_rest.get(typed[1:], ()), *self._by_rest.get(typed, ())}
        near |= self._words & {typed[1:], typed[1] + typed[0] + typed[2:]}
        for length in range(len(typed) - 1, len(typed) + 2):
            words = self._by_start.get((typed[0], length), ())
            if words:
                found = process.extract(typed, words, scorer=OSA.distance, score_cutoff=1, limit=None)
                near.update(word for word, _, _ in found)
        return sorted(near - {typed})


def is_sure(typed: str, word: str) -> bool:
    """Whether a typed word can only be meant as a word at edit distance 1.

    In words of five letters any error can be corrected. In shorter words, one letter more or less can be
    another name: only errors that keep the first letter and are frequent count, such as a letter that is
    missing inside, typed twice, swapped, or replaced by its neighbour on the keyboard.
    """
    if min(len(typed), len(word)) >= _LONG:
        return True
    if len(typed) == len(word):
        wrong = [n for n, (a, b) in enumerate(zip(typed, word, strict=True)) if a != b]
        if len(wrong) == 2:
            return True  # swapped
        return len(word) > 3 and wrong[0] > 0 and typed[wrong[0]] + word[wrong[0]] in _CONFUSED
    if len(typed) > len(word):
        is_doubled = any(a == b and typed[:n] + typed[n + 1 :] == word for n, (a, b) in _pair(typed))
        return is_doubled or typed == f"{word}s" or (len(word) > 3 and typed[0] == word[0])
    return typed[0] == word[0] and (len(typed) > 3 or typed[-1] == word[-1])


def _pair(word: str) -> enumerate[tuple[str, str]]:
    return enumerate(pairwise(word))
