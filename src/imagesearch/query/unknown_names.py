"""Finds words that are probably names of people whom nobody has named yet: "photos of maya"."""

from __future__ import annotations

from imagesearch.geo import find_region
from imagesearch.query.english import find_word_level, is_everyday
from imagesearch.query.first_names import NameKind, find_name_kind, is_first_name, is_like_first_name
from imagesearch.query.lexicon import (
    ARTICLES,
    COMMON,
    EMPTY,
    JOINERS,
    LEADING,
    NOUNS,
    NOUNS_IN_ING,
    PHOTOS,
    PLACE_LEADS,
    split_set,
)
from imagesearch.query.places.world import is_place_name
from imagesearch.query.tags import Position
from imagesearch.query.times.engine import match_date
from imagesearch.query.tokenizer import Token

_MIN_TYPO_LETTERS = 5  # minimum length of a word that can be a mistyped everyday word
# Words before a capitalized name, besides those before any name: "where Maya swims", "photos showing Maya".
_CAPITAL_LEADS = (EMPTY - ARTICLES - PLACE_LEADS) | {"showing", "when", "while"}
_VOWELS = frozenset("aeiouy")
# Words before a name: "uncle Bob", "my friend Tom".
_RELATIVES = split_set("uncle aunt auntie aunty grandma grandpa granny granddad grandad cousin mr mrs ms dr")
_KIN = _RELATIVES | split_set(
    "grandmother grandfather brother sister friend mum mom dad papa mama mother father son daughter nephew "
    "niece husband wife"
)
# Names that are beside a person more often things: "maya and summer".
_SCENERY = split_set(
    "art autumn beach candy forest ice marble maple moon river sky snow star storm summer winter "
    "sunshine sunny misty reed"
)
_LEADS = frozenset((",", "&", "+", "/")) | split_set(
    "of with and or without not no only just but for both either except minus excluding plus showing"
)


def find_unknown_name(at: Position) -> str:
    """Return the word at a token, as typed, if it is probably the name of a person; else an empty text.

    It is in a name's place. It is neither English nor a known place, or it is a common first name.
    """
    token = at.token
    word = token.possessor or token.norm
    if token.kind != "word" or len(word) < 3 or not word.isalpha():
        return ""
    is_capital, kind = _is_capitalized(token, at), find_name_kind(word)
    if kind:
        is_name = _is_english_name(at, kind, is_capital)
    else:
        is_name = word not in COMMON and _is_foreign_name(at, word, is_capital)
    if not is_name:
        return ""
    return token.text[: len(token.text) - 2] if token.possessor else token.text


def _is_english_name(at: Position, kind: NameKind, is_capital: bool) -> bool:
    """Whether an English word that is a first name too stands for a person."""
    before = at.find_word_before()
    if before in _KIN:
        return (is_capital or kind != "thing" or before in _RELATIVES) and _precedes_other(at)
    if not _follows_lead(at, is_capital) or not _precedes_other(at):
        return False
    if kind == "name" or (is_capital and (kind == "often" or before or at.token.possessor)):
        return True
    if kind == "often" or is_capital:
        return bool(at.token.possessor) or _is_beside_person(at) or _precedes_place(at)
    return at.token.norm not in _SCENERY and _is_joined_to_person(at)


def _is_foreign_name(at: Position, word: str, is_capital: bool) -> bool:
    """Whether a word that is not English stands for a person."""
    follows_kin = at.find_word_before() in _KIN
    if not (follows_kin or _follows_lead(at, is_capital)) or not _ends_name(at, is_capital):
        return False
    if find_word_level(word) or is_place_name(word) or find_region([word]) is not None:
        return False
    if is_first_name(word):
        return True
    is_start = not at.find_word_before()
    if (is_start or not is_capital) and len(word) >= _MIN_TYPO_LETTERS and _is_mistyped_word(word):
        return False
    # A foreign word at the start can be any word: "rückblick", "Indien 2023".
    if is_start and not at.token.possessor and at.get_norm(at.i + 1) not in EMPTY | LEADING:
        return is_like_first_name(word)
    return not word.isascii() or not _VOWELS.isdisjoint(word)


def _precedes_other(at: Position) -> bool:
    """Whether the next word cannot belong to a name that is a word too: "frank talk"."""
    if at.token.possessor or at.i + 1 >= len(at.tokens) or at.tokens[at.i + 1].kind != "word":
        return True
    following = at.tokens[at.i + 1].norm
    if following in ARTICLES or following == "of":
        return False
    if following in EMPTY | LEADING | PHOTOS or following.isdigit() or _precedes_date(at):
        return True
    return following.endswith("ing") and following not in NOUNS_IN_ING


def _precedes_date(at: Position) -> bool:
    return match_date(at.sentence, at.i + 1, at.today, at.names.feasts, at.names.trips) is not None


def _precedes_place(at: Position) -> bool:
    """Whether *in* and a known place follow."""
    after = at.i + 2
    if at.get_norm(at.i + 1) not in PLACE_LEADS or after >= len(at.tokens):
        return False
    return at.names.places.match_exact(at.tokens, after) is not None or is_place_name(at.get_norm(after))


def _is_beside_person(at: Position) -> bool:
    """Whether a person, or a common first name, is joined to the word: "anna and mark"."""
    if at.find_word_before() in JOINERS and len(at.spans) > 1:
        other = at.spans[-2]
        if other.kind == "person" or _is_common_name(at.tokens[other.start].norm):
            return True
    if at.get_norm(at.i + 1) not in JOINERS or at.i + 2 >= len(at.tokens):
        return False
    return at.names.people.match_exact(at.tokens, at.i + 2) is not None or _is_common_name(
        at.get_norm(at.i + 2)
    )


def _is_joined_to_person(at: Position) -> bool:
    """Whether *and* or *or* joins a word of a list of people: "rose and kofi", "tom, anna and rose"."""
    joiners = ("and", "or", "&", "+", ",")
    before, after = at.find_word_before(), at.get_norm(at.i + 1)
    follows = before in joiners and len(at.spans) > 1 and at.spans[-2].kind == "person"
    ends = after in ("", *joiners)
    precedes = after in joiners and at.names.people.match_exact(at.tokens, at.i + 2) is not None
    return (follows and ends) or (precedes and (not before or before in ("of", "with", *joiners)))


def _is_common_name(word: str) -> bool:
    return find_name_kind(word) == "name" or (not find_word_level(word) and is_first_name(word))


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
    if following.norm in EMPTY | LEADING | PHOTOS or following.norm.isdigit() or _precedes_date(at):
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
