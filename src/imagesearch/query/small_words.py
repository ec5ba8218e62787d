"""Corrects typing errors in the small words of a sentence, such as *without*, *between* and *yesterday*."""

from __future__ import annotations

import calendar
import functools
from dataclasses import replace

from imagesearch.query.english import find_word_level
from imagesearch.query.first_names import is_first_name
from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.lexicon import COMMON, split_set
from imagesearch.query.places.world import is_place_name
from imagesearch.query.spelling import NearWords
from imagesearch.query.tokenizer import Sentence, Token

_MIN_LETTERS = 5  # in shorter words, only two swapped letters are corrected: "wiht"
_DAYS = frozenset(name.lower() for name in (*calendar.month_name[1:], *calendar.day_name))
_CALENDAR = _DAYS | {"christmas", "easter", "halloween"}  # usually capitalized
_WORDS = _CALENDAR | split_set("""
without except excluding only nobody anyone someone between before after since until during near within
outside from with and not both alone together either neither last this next past yesterday today weekend
weekends weekday spring summer summers autumn winter winters morning evening afternoon night week weeks month
months year years days photos pictures oldest newest latest people person group
""")
_MAX_LETTERS = 1 + max(map(len, _WORDS))


@functools.cache
def _get_near_words() -> NearWords:
    return NearWords(_WORDS)


def correct_words(sentence: Sentence, names: KnownNames) -> tuple[Sentence, tuple[str, ...]]:
    """Return the sentence with corrected small words, and a note on each.

    English words, names and places are never changed.
    """
    tokens, notes = list(sentence.tokens), []
    for i, token in enumerate(tokens):
        word = _find_correction(token, i, names)
        if word:
            notes.append(f'read "{token.text}" as {word}')
            tokens[i] = replace(token, text=word, norm=word)
    return (Sentence.from_tokens(tokens), tuple(notes)) if notes else (sentence, ())


def _find_correction(token: Token, i: int, names: KnownNames) -> str:
    typed = token.norm
    if (
        token.kind != "word"
        or token.possessor
        or not typed.isascii()
        or not typed.isalpha()
        or len(typed) < 3
    ):
        return ""
    is_word = typed in _WORDS or typed.removesuffix("s") in _WORDS or typed in COMMON
    if is_word or len(typed) > _MAX_LETTERS or find_word_level(typed):
        return ""
    found = _find_near(typed)
    if len(found) != 1 or (token.text[:1].isupper() and i and found[0] not in _CALENDAR):
        return ""
    if is_first_name(typed) or is_place_name(typed) or _is_known(token, names):
        return ""
    return found[0]


def _find_near(typed: str) -> list[str]:
    found = _get_near_words().find(typed)
    if len(typed) >= _MIN_LETTERS:
        return [word for word in found if len(word) >= _MIN_LETTERS]
    return [word for word in found if sorted(word) == sorted(typed)]


def _is_known(token: Token, names: KnownNames) -> bool:
    """Whether a person or a place has the word as a name, or a name that differs by one typing error."""
    for known in (names.people, names.places):
        if (
            known.match_exact([token], 0)
            or known.match_partly([token], 0)
            or known.match_mistyped([token], 0)
        ):
            return True
    return False
