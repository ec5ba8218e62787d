"""Corrects typing errors in the small words of a sentence, such as *without*, *between* and *yesterday*."""

from __future__ import annotations

import calendar
import functools
import re
from collections.abc import Sequence
from dataclasses import replace

from imagesearch.query.english import find_word_level
from imagesearch.query.first_names import is_first_name
from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.lexicon import COMMON, PHOTOS, split_set
from imagesearch.query.phrase_rewrites import find_person_ending_at
from imagesearch.query.places.world import is_place_name
from imagesearch.query.spelling import NearWords
from imagesearch.query.times.slots import MONTH_NAMES
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
# Corrected also in shorter words, if a name or a time follows.
_BETWEEN_PEOPLE = ("and", "with", "without")
_BEFORE_PLACE = ("in", "from", "near", "not")
_BEFORE_DATE = ("from", "after", "before", "since", "until")
_BEFORE_PERIOD = ("every", "last", "this", "next")
_PERIODS = _DAYS | split_set("spring summer autumn winter christmas easter weekend week month year")
_YEAR = re.compile(r"(?:19|20)\d\d")
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
        word = _find_correction(token, i, names) or _find_beside_name(tokens, i, names)
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


def _find_beside_name(tokens: Sequence[Token], i: int, names: KnownNames) -> str:
    """Return the small word that is meant, if the words beside a mistyped one make it certain.

    *an* is corrected between two people, *form* between *photos* and a place or a date. Other English words
    are never changed.
    """
    token, typed, after = tokens[i], tokens[i].norm, i + 1
    if token.kind != "word" or len(typed) < 2 or not typed.isalpha() or after >= len(tokens):
        return ""
    follows_person = find_person_ending_at(tokens, i, names.people) is not None
    follows_photos = i > 0 and tokens[i - 1].norm in PHOTOS
    words: tuple[str, ...] = ()
    if names.people.match_exact(tokens, after) is not None:
        words = _BETWEEN_PEOPLE if follows_person else ()
    elif names.places.match_exact(tokens, after) is not None:
        words = _BEFORE_PLACE if follows_person or follows_photos else ()
    elif len(typed) > 2 and (_YEAR.fullmatch(tokens[after].norm) or tokens[after].norm in MONTH_NAMES):
        words = _BEFORE_DATE
    elif len(typed) > 2 and tokens[after].norm in _PERIODS:
        words = _BEFORE_PERIOD
    if not words:
        return ""
    if typed == "an" and words is _BETWEEN_PEOPLE:
        return "and"
    if typed == "form" and follows_photos and "from" in words:
        return "from"
    if typed in COMMON or typed in _WORDS or find_word_level(typed):
        return ""
    from rapidfuzz.distance import OSA

    near = [word for word in words if OSA.distance(typed, word) == 1]
    if len(near) != 1 or is_first_name(typed) or is_place_name(typed) or _is_known(token, names):
        return ""
    return near[0]


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
