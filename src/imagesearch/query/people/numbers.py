"""People by their number, and the user: "person 12", "persons 3 and 5", "me in goa"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.lexicon import ARTICLES, EMPTY, LEADING, split_set
from imagesearch.query.tokenizer import Sentence, Token

FindPerson = Callable[[int], str]
"""Returns the name of the person with a number, such as ``Kofi`` or ``person 12``; empty if there is none."""

UNKNOWN_USER = "it is not known who"
"""The beginning of the note on a word that stands for the user."""

_PERSON = frozenset(("person", "persons"))
_JOINERS = frozenset(("and", "or", ",", "&", "/"))
_SIGNS = frozenset(("#", "number", "no", "."))
_ME = split_set("me us myself ourselves i")
_BEFORE_ME = split_set("of with and or without only just both not also but plus except") | {
    ",",
    "&",
    "+",
    "/",
}
_AFTER_ME = split_set("in at on and or with without near from alone only by")
_SHOWN = split_set("am m was were")  # "where i am", "pictures i'm in"


class NumberedPeople(NamedTuple):
    """A sentence with the names of people in place of their numbers, and notes on them."""

    sentence: Sentence
    notes: tuple[str, ...] = ()


def name_numbers(sentence: Sentence, names: KnownNames, find_person: FindPerson | None) -> NumberedPeople:
    """Replace the numbers of people: "person 1" by ``person:"Kofi"``, if that is the name of this person."""
    tokens: list[Token] = []
    notes: list[str] = []
    missing: list[int] = []
    i = 0
    while i < len(sentence.tokens):
        positions = _find_numbers(sentence.tokens, i)
        if not positions:
            tokens.append(sentence.tokens[i])
            i += 1
            continue
        for n, position in enumerate(positions):
            if n:
                tokens += sentence.tokens[positions[n - 1] + 1 : position]
            number = int(sentence.tokens[position].norm)
            tokens += _make_person(number, names, find_person, notes, missing)
        i = positions[-1] + 1
    return (
        NumberedPeople(Sentence.from_tokens(tokens), (*notes, *_note_missing(missing)))
        if notes or missing or len(tokens) != len(sentence.tokens)
        else NumberedPeople(sentence)
    )


def _find_numbers(tokens: Sequence[Token], i: int) -> list[int]:
    """Return the positions of the numbers after *person* or *persons*; empty if it is no person's number."""
    if tokens[i].kind != "word" or tokens[i].norm not in _PERSON:
        return []
    if i and (tokens[i - 1].norm in ARTICLES or tokens[i - 1].norm in ("one", "1")):
        return []  # "a person 2 metres tall"
    at = i + 1
    while at < len(tokens) and tokens[at].norm in _SIGNS:
        at += 1
    positions: list[int] = []
    while at < len(tokens) and _is_number(tokens, at):
        positions.append(at)
        at += 2
        if at < len(tokens) and tokens[at].norm == "and" and tokens[at - 1].norm == ",":
            at += 1
        if at - 1 >= len(tokens) or tokens[at - 1].norm not in _JOINERS:
            break
    return positions


def _is_number(tokens: Sequence[Token], i: int) -> bool:
    """Whether a token is a number that counts nothing: not "2" in "person 1 and 2 dogs", and no year."""
    token = tokens[i]
    if token.kind != "word" or not token.norm.isdecimal() or not token.norm.isascii() or len(token.norm) > 5:
        return False
    if len(token.norm) == 4 and token.norm[:2] in ("19", "20"):
        return False
    following = tokens[i + 1] if i + 1 < len(tokens) else None
    if following is None or following.kind != "word" or following.norm in EMPTY | LEADING:
        return True
    return following.norm.endswith("ing") or not following.norm.endswith(("s", "people", "old", "tall"))


def _make_person(
    number: int, names: KnownNames, find_person: FindPerson | None, notes: list[str], missing: list[int]
) -> tuple[Token, ...]:
    label = f"person {number}"
    if label in names.people.entries:
        return Token("person", "person"), Token(str(number), str(number))
    name = find_person(number) if find_person is not None else ""
    if name and name != label:
        notes.append(f'read "{label}" as {name}')
    elif not name:
        missing.append(number)
    text = name or label
    return Token("person:", "person", kind="prefix"), Token(
        text, text.lower(), kind="quote", space_before=False
    )


def _note_missing(numbers: Sequence[int]) -> list[str]:
    """Return one note on all numbers that no person has."""
    typed = [f"person {number}" for number in dict.fromkeys(numbers)]
    return [f"there is no {' and no '.join(typed)}"] if typed else []


def find_me(tokens: Sequence[Token], names: KnownNames) -> dict[int, str]:
    """Return the positions of the words that stand for the user, if nobody has them as a name.

    The values are the words as typed; empty for a word that follows them.
    """
    found: dict[int, str] = {}
    for i, token in enumerate(tokens):
        if token.kind == "word" and token.norm in _ME and token.norm not in names.people:
            before, after = (tokens[n].norm if 0 <= n < len(tokens) else "" for n in (i - 1, i + 1))
            if _stands_for_user(token, before, after):
                found[i] = token.text
                if token.norm == "i" and after in _SHOWN:
                    found[i + 1] = ""  # "am"
    return found


def _stands_for_user(token: Token, before: str, after: str) -> bool:
    if token.norm == "us" and (token.text == "US" or before == "the"):
        return False
    if token.norm == "i":
        return after in _SHOWN or (before in ("and", "with") and after in ("", *_AFTER_ME))
    return before in _BEFORE_ME or (not before and (not after or after in _AFTER_ME | {","}))


def drop_me(sentence: Sentence, found: dict[int, str]) -> Sentence:
    """Return a sentence without the user, so that no other word is taken for the name."""
    return Sentence.from_tokens([token for i, token in enumerate(sentence.tokens) if i not in found])


def note_me(word: str) -> str:
    """Return the note on a word that stands for the user."""
    advice = "name yourself with 03_name_people.py --name N=..., then type that name"
    return f'{UNKNOWN_USER} "{word}" is; {advice}'
