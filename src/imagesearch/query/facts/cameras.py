"""Finds the names of cameras in a sentence: "iphone", "canon eos r6", "the pixel 7"."""

from __future__ import annotations

import functools
import itertools
from collections.abc import KeysView, Mapping, Sequence
from typing import NamedTuple

from imagesearch.query.lexicon import COMMON, split_set
from imagesearch.query.tokenizer import Token, find_name_words
from imagesearch.store import VocabularyEntry
from imagesearch.text import normalize

MAKES = split_set(
    "agfa canon casio contax dji fuji fujifilm galaxy garmin gopro hasselblad huawei insta360 ipad iphone "
    "kodak konica leica lumia lumix mamiya minolta motorola nikon nokia olympus oneplus oppo panasonic "
    "pentax pixel polaroid powershot praktica redmi ricoh rollei rolleiflex samsung sigma sony vivo "
    "voigtlander xiaomi xperia yashica zeiss zenit"
)
"""Makes and series of cameras. One that is not in the album is an unknown camera, and not a word."""
# Words in the names of cameras that alone do not name one.
_GENERIC = COMMON | split_set(
    "pro max mini plus ultra lite note corporation corp company inc ltd imaging optical digital electronics "
    "mark mk iii hero alpha rebel kiss edge fold flip prime active"
)
_MAX_WORDS = 5


class CameraMatch(NamedTuple):
    """The cameras whose names have the words of a sentence up to ``end``."""

    names: tuple[str, ...]
    end: int


class Cameras:
    """The known cameras. The index is built at the first lookup.

    Parameters
    ----------
    entries
        The cameras of the vocabulary by make and model, as photos have them.
    """

    def __init__(self, entries: Mapping[str, VocabularyEntry] | None = None) -> None:
        self.entries = entries or {}

    @property
    def words(self) -> KeysView[str]:
        """The words of all cameras."""
        return self._names_by_word.keys()

    @functools.cached_property
    def _names_by_word(self) -> dict[str, frozenset[str]]:
        """Maps each word, and two words written as one ("z6"), to the cameras that have it."""
        holders: dict[str, set[str]] = {}
        for name in self.entries:
            words = normalize(name).split()
            pairs = (first + second for first, second in itertools.pairwise(words))
            for word in (*words, *pairs):
                holders.setdefault(word, set()).add(name)
        return {word: frozenset(names) for word, names in holders.items()}

    def match(self, tokens: Sequence[Token], start: int) -> CameraMatch | None:
        """Return the cameras that have all words from a token on, as many words as possible.

        At least one word must name a camera on its own: "pixel" does, "7" and "pro" do not.
        """
        names: frozenset[str] = frozenset()
        end, is_name = start, False
        for i in find_name_words(tokens, start, _MAX_WORDS) if start < len(tokens) else ():
            word = self._find_word(tokens[i])
            found = self._names_by_word.get(word, frozenset())
            found = names & found if end > start else found
            if not found:
                break
            names, end = found, i + 1
            is_name = is_name or not (len(word) < 3 or word.isdigit() or word in _GENERIC)
        return CameraMatch(tuple(sorted(names)), end) if is_name else None

    def _find_word(self, token: Token) -> str:
        """Return the word of a camera that a token stands for: "iphones" and "iphone's" are "iphone"."""
        words = (token.norm, token.possessor, token.norm.removesuffix("s"))
        return next((word for word in words if word in self._names_by_word), token.norm)
