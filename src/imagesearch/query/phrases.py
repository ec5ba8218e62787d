"""Phrases that are no names: numbers of people, that nobody else is there, and how a request begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from imagesearch.query.lexicon import PHOTOS, split_set
from imagesearch.query.parsed_query import NUMBER_WORDS
from imagesearch.query.tokenizer import Sentence

_N = rf"(?:\d{{1,3}}|{'|'.join(NUMBER_WORDS[1:])})"
_PEOPLE = r"(?:(?:other )?(?:people|persons|person|faces|face|humans)|others)"
_NOBODY = r"(?:nobody|no one|noone)"
_PHRASES: list[tuple[str, re.Pattern[str]]] = [
    (kind, re.compile(rf"(?:{text})(?= |$)"))
    for kind, text in (
        ("only", rf"{_NOBODY} (?:else )?(?:but|except|besides|other than)"),
        ("only", rf"(?:only|just) (?:{'|'.join(sorted(PHOTOS))}) (?:of|with)"),
        ("alone", rf"(?:(?:and|with|but) )?(?:{_NOBODY} else|no other people|no others)|(?:all )?alone|solo"),
        ("alone", r"(?:all )?by (?:(?:her|him|my|it)self|themsel(?:f|ves))|on (?:her|his|their|my) own"),
        ("alone", r"only(?= [^a-z]|$)"),
        ("none", rf"(?:{_NOBODY}|(?:no|without|without any|not any) {_PEOPLE}|"
                 r"without (?:anyone|anybody))(?: else)?(?: in the background)?"),
        ("least", rf"(?:at least|no fewer than|minimum) (?P<n>{_N}) {_PEOPLE}|"
                  rf"(?P<m>{_N}) (?:or more|\+) {_PEOPLE}"),
        ("more", rf"(?:more than|over) (?P<n>{_N}) {_PEOPLE}"),
        ("most", rf"(?:at most|up to|no more than|maximum) (?P<n>{_N}) {_PEOPLE}"),
        ("fewer", rf"(?:fewer than|less than|under) (?P<n>{_N}) {_PEOPLE}"),
        ("between", rf"(?:between )?(?P<n>{_N}) (?:and|to|or|-|\u2013) (?P<m>{_N}) {_PEOPLE}"),
        ("exact", rf"(?:exactly |only |just )?(?P<n>{_N}) {_PEOPLE}|"
                  rf"(?:a |the )?group of (?P<m>{_N})(?: {_PEOPLE})?"),
    )
]  # fmt: skip
_FIRST_WORDS = split_set(
    "nobody no noone and with but alone solo all by on only without not at minimum more over up "
    "maximum fewer less under between exactly just a the group"
) | frozenset(NUMBER_WORDS[1:])
_REQUEST = re.compile(
    r"(?:(?:please|can you|could you|i want to see|i want|i would like to see|show me|show us|show|find me|"
    r"find|search for|search|look for|looking for|give me|get me|display|list|where are|where is) )+"
)


@dataclass(frozen=True)
class PhraseMatch:
    """A phrase in a sentence.

    Attributes
    ----------
    kind
        What it says: ``only`` the people that follow, those before it ``alone``, or a ``count`` of people.
    end
        The token after its last.
    count
        Least and most people; None is no limit.
    says_else
        Whether it is about people besides those that are named: nobody *else*, no *others*.
    says_other
        Whether it counts *other* people than those that are named.
    """

    kind: Literal["only", "alone", "count"]
    end: int
    count: tuple[int, int | None] = (0, None)
    says_else: bool = False
    says_other: bool = False


def match_phrase(sentence: Sentence, start: int) -> PhraseMatch | None:
    """Return the phrase that starts at a token."""
    word = sentence.tokens[start].norm
    if word not in _FIRST_WORDS and not word.isdigit():
        return None
    for kind, pattern in _PHRASES:
        if match := pattern.match(sentence.text, sentence.starts[start]):
            end = sentence.find_token(match.end() + 1)
            if kind == "only":
                return PhraseMatch("only", end)
            if kind == "alone":
                return PhraseMatch("alone", end, says_else=match[0].endswith((" else", " others")))
            count = _read_people_count(kind, match)
            return PhraseMatch("count", end, count, says_other="other" in match[0])
    return None


def match_request(sentence: Sentence) -> int:
    """Return the token after the words that begin a request: "please show me"; 0 if there are none."""
    match = _REQUEST.match(sentence.text)
    return sentence.find_token(match.end()) if match else 0


def _read_people_count(kind: str, match: re.Match[str]) -> tuple[int, int | None]:
    """Least and most faces. At most some people are some people."""
    groups = match.groupdict()
    numbers = [_parse_number(groups[name]) for name in ("n", "m") if groups.get(name)]
    n = numbers[0] if numbers else 0
    if kind == "between":
        return min(numbers), max(numbers)
    return {
        "none": (0, 0),
        "least": (n, None),
        "more": (n + 1, None),
        "most": (min(1, n), n),
        "fewer": (min(1, max(n - 1, 0)), max(n - 1, 0)),
    }.get(kind, (n, n))


def _parse_number(text: str) -> int:
    return NUMBER_WORDS.index(text) if text in NUMBER_WORDS else int(text)
