"""Finds words that are probably names of people whom nobody has named yet: "photos of maya"."""

from __future__ import annotations

from imagesearch.geo import find_region
from imagesearch.query.english import find_word_level, is_everyday
from imagesearch.query.lexicon import (
    ARTICLES,
    COMMON,
    EMPTY,
    LEADING,
    NOUNS,
    NOUNS_IN_ING,
    PHOTOS,
    PLACE_LEADS,
    split_set,
)
from imagesearch.query.places.world import is_place_name
from imagesearch.query.tags import Position
from imagesearch.query.tokenizer import Token

_MIN_TYPO_LETTERS = 5  # minimum length of a word that can be a mistyped everyday word
# Words before a capitalized name, besides those before any name: "where Maya swims", "photos showing Maya".
_CAPITAL_LEADS = (EMPTY - ARTICLES - PLACE_LEADS) | {"showing", "when", "while"}
_LEADS = frozenset((",", "&", "+", "/")) | split_set(
    "of with and or without not no only just but for both either except minus excluding plus showing"
)


def find_unknown_name(at: Position) -> str:
    """Return the word at a token, as typed, if it is probably the name of a person; else an empty text.

    It is in a name's place, and it is neither English nor a known place.
    """
    token = at.token
    word = token.possessor or token.norm
    if token.kind != "word" or len(word) < 3 or not word.isalpha() or word in COMMON:
        return ""
    is_capital = _is_capitalized(token, at)
    if not _follows_lead(at, is_capital) or not _ends_name(at, is_capital):
        return ""
    if find_word_level(word) or is_place_name(word) or find_region([word]) is not None:
        return ""
    if not is_capital and len(word) >= _MIN_TYPO_LETTERS and _is_mistyped_word(word):
        return ""
    return token.text[: len(token.text) - 2] if token.possessor else token.text


def _is_capitalized(token: Token, at: Position) -> bool:
    """Whether only the first letter is a capital, in a sentence that is no title and not in capitals."""
    if not token.text[0].isupper() or token.text[1:].isupper():
        return False
    others = [t.text for t in at.tokens if t.kind == "word" and t.norm in COMMON and t.text != "I"]
    return not others or any(text[0].islower() for text in others)


def _follows_lead(at: Position, is_capital: bool) -> bool:
    before = at.find_word_before()
    if not before or before in _LEADS or (at.last_kind in ("person", "ignored") and at.spans[-1].end == at.i):
        return True
    return is_capital and before in _CAPITAL_LEADS


def _ends_name(at: Position, is_capital: bool) -> bool:
    """Whether no noun follows to which the word belongs: "maya at the beach", not "lego bricks"."""
    if at.token.possessor or at.i + 1 >= len(at.tokens) or at.tokens[at.i + 1].kind != "word":
        return True
    following = at.tokens[at.i + 1]
    if following.norm in EMPTY | LEADING | PHOTOS or following.norm.isdigit():
        return True
    if following.norm.endswith("ing") and following.norm not in NOUNS_IN_ING:
        return True
    if is_capital and following.text[0].islower():
        return following.norm not in NOUNS  # "when Zelda swam"
    return not is_everyday(following.norm) and not find_word_level(following.norm)


def _is_mistyped_word(word: str) -> bool:
    """Whether a word differs from an everyday word by one typing error: "suset", "montain"."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    words = [common for common in COMMON if abs(len(common) - len(word)) < 2]
    return process.extractOne(word, words, scorer=OSA.distance, score_cutoff=1) is not None
