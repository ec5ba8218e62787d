"""Divides a caption of several things: "a dog and a cat", "either a boat or a bridge".

Only things that are clearly several are divided: each has its own article or number, or each is a bare
everyday noun. Anything else is one description: "a man and a woman on a beach", "fish and chips".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from imagesearch.query.content.noun_phrases import (
    CONJUNCTIONS,
    DESCRIBING,
    DETERMINERS,
    ORS,
    SCENE_LEADS,
    has_content,
    is_fixed_pair,
    is_noun,
)
from imagesearch.query.lexicon import EMPTY, LEADING, split_set
from imagesearch.query.tokenizer import Token

_MAX_WORDS = 6  # of one thing
_NOT_IN_A_THING = SCENE_LEADS | split_set(
    "with without to from for who that which is are while as than not no"
)
_NO_NOUNS = (DESCRIBING | EMPTY) - {"orange"}
_AFTER_CONJUNCTION = split_set("also maybe perhaps even else either")


class JoinedContent(NamedTuple):
    """Several things, and whether all of them or one of them must be shown."""

    things: tuple[tuple[Token, ...], ...] = ()
    join: Literal["and", "or", ""] = ""


def divide_caption(tokens: Sequence[Token]) -> JoinedContent:
    """Divide the words of the user in a caption into several things; into none if it is one description.

    A lead that ends with *with* belongs to each thing: "a table with a cup and a plate".
    """
    if not any(token.norm in CONJUNCTIONS or token.norm == "as" for token in tokens):
        return JoinedContent()
    tokens = _replace_as_well_as(tokens)
    head: Sequence[Token] = ()
    for n, token in enumerate(tokens):
        if token.norm == "with":
            head, tokens = tokens[: n + 1], tokens[n + 1 :]
            break
    tokens = [token for n, token in enumerate(tokens) if n or token.norm not in ("both", "either")]
    divided = _split(tokens)
    if divided is None:
        return JoinedContent()
    things, join = divided
    head = tuple(head) if has_content([token.norm for token in head]) else ()
    if any(token.norm in CONJUNCTIONS or token.norm == "," for token in head):
        return JoinedContent()
    return JoinedContent(tuple((*head, *thing) for thing in things), join)


def _replace_as_well_as(tokens: Sequence[Token]) -> list[Token]:
    """Replace *as well as*, *along with* and *together with* before a determiner by *and*."""
    replaced: list[Token] = []
    i = 0
    while i < len(tokens):
        words = [token.norm for token in tokens[i : i + 3]]
        length = (
            3
            if words == ["as", "well", "as"]
            else 2
            if words[:2] in (["along", "with"], ["together", "with"])
            else 0
        )
        replaced.append(Token("and", "and") if length else tokens[i])
        i += length or 1
    return replaced


def _split(tokens: Sequence[Token]) -> tuple[tuple[tuple[Token, ...], ...], Literal["and", "or"]] | None:
    """Return the things and how they are joined; None if the tokens are one description."""
    things: list[list[Token]] = [[]]
    joins: list[str] = []
    for n, token in enumerate(tokens):
        if token.kind == "quote" or token.norm not in CONJUNCTIONS | {","}:
            is_filler = bool(joins) and not things[-1] and token.norm in _AFTER_CONJUNCTION
            is_last_mark = token.kind == "mark" and token.norm in LEADING and n == len(tokens) - 1
            if not is_filler and not is_last_mark:
                things[-1].append(token)
            continue
        if things[-1]:
            things.append([])
            joins.append(token.norm)
        elif joins:  # ", and" and "and / or"
            joins[-1] = "or" if "or" in (joins[-1], token.norm) else token.norm
        else:
            return None
    if len(things) < 2 or not things[-1]:
        return None
    join = _get_join(joins)
    if join is None or not _are_things(things, join):
        return None
    return tuple(map(tuple, things)), join


def _get_join(joins: Sequence[str]) -> Literal["and", "or"] | None:
    """Return how a list is joined: all of its conjunctions mean the same, and a comma means the last one."""
    kinds = {"or" if join in ORS else "and" for join in joins if join != ","}
    if len(kinds) != 1 or joins[-1] == ",":
        return None
    return "or" if kinds == {"or"} else "and"


def _are_things(things: Sequence[Sequence[Token]], join: str) -> bool:
    for left, right in pairwise(things):
        if is_fixed_pair(left[-1].norm, right[-1].norm) or is_fixed_pair(left[-1].norm, right[0].norm):
            return False
    if any(len(thing) > _MAX_WORDS or not _is_thing(thing) for thing in things):
        return False
    have_determiner = [thing[0].kind == "quote" or thing[0].norm in DETERMINERS for thing in things]
    if all(have_determiner) or all(map(_is_bare_noun, things)):
        return True
    if all(
        has or (_is_bare_noun(thing) and _is_plural(thing))
        for has, thing in zip(have_determiner, things, strict=True)
    ):
        return True
    # "a dog or cat" is never one thing, "a knife and fork" is
    return join == "or" and all(len(thing) <= 3 for thing in things)


def _is_thing(thing: Sequence[Token]) -> bool:
    """Whether a phrase can be one thing: one determiner at most, no preposition, a noun at the end."""
    words = [token.norm for token in thing if token.kind != "quote"]
    if len(words) < len(thing):
        return not words
    if not has_content(words) or any(len(word) == 1 and word != "a" for word in words):
        return False
    if any(word in _NOT_IN_A_THING for word in words) or words[-1] in _NO_NOUNS:
        return False
    after_of = words.index("of") + 1 if "of" in words else len(words)
    is_number = len(words) == 1 and words[0].isdigit()
    return not is_number and DETERMINERS.isdisjoint(words[1:after_of])


def _is_bare_noun(thing: Sequence[Token]) -> bool:
    """Whether a phrase is an everyday noun, possibly with adjectives: "red boats"."""
    *before, noun = (token.norm for token in thing)
    return is_noun(noun) and all(word in DESCRIBING or is_noun(word) or word.isdigit() for word in before)


def _is_plural(thing: Sequence[Token]) -> bool:
    return thing[-1].norm.endswith("s") and not thing[-1].norm.endswith("ss")
