"""The rule that tags numbers of people and *alone*, and the words that begin a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from imagesearch.query.clauses import NUMBER_WORDS
from imagesearch.query.lexicon import PHOTOS, split_set
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import Sentence

_N = rf"(?:\d{{1,3}}|{'|'.join(NUMBER_WORDS[1:])})"
_PEOPLE = r"(?:(?:other )?(?:people|persons|person|faces|face|humans)|others)"
_PHOTO = "|".join(sorted(PHOTOS))
_NOBODY = r"(?:nobody|no one|noone)"
_PHRASES: list[tuple[str, re.Pattern[str]]] = [
    (kind, re.compile(rf"(?:{text})(?= |$)"))
    for kind, text in (
        ("only", rf"{_NOBODY} (?:else )?(?:but|except|besides|other than)"),
        ("only", rf"(?:only|just) (?:{_PHOTO}) (?:of|with)"),
        ("alone", rf"(?:(?:and|with|but) )?(?:{_NOBODY} else|no other people|no others)|(?:all )?alone|solo"),
        ("alone", r"(?:all )?by (?:(?:her|him|my|it)self|themsel(?:f|ves))|on (?:her|his|their|my) own"),
        ("alone", r"only(?= [^a-z]|$)"),
        ("group", rf"(?:(?:an?|the|our|my) )?(?:big |large )?group(?: (?:{_PHOTO})|(?= selfies?(?: |$)))"),
        ("no group", r"(?:no|not|without|except|excluding)(?: (?:an?|any|the|in|my|our)){0,2} "
                     rf"group (?:{_PHOTO})"),
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
    "maximum fewer less under between exactly just a an the group big large our my except excluding"
) | frozenset(NUMBER_WORDS[1:])
_REQUEST = re.compile(
    r"(?:(?:please|can you|could you|i want to see|i want|i would like to see|show me|show us|show|find me|"
    r"find|search for|search|look for|looking for|give me|get me|display|list|where are|where is|"
    rf"how many(?= (?:{_PHOTO})(?: |$))|count(?= (?:the |my |our |all ){{0,2}}(?:{_PHOTO}) )) )+"
    rf"(?:(?<=how many )(?:{_PHOTO})(?: (?:are there|there are|(?:do|did|have) (?:i|we|you)"
    r"(?: have| take| taken| got)?|were taken|are))?(?= |$) ?)?"
)


@dataclass(frozen=True)
class _PhraseMatch:
    """A phrase in a sentence.

    Attributes
    ----------
    kind
        ``only``: nobody but the people after it. ``alone``: nobody but the people before it. ``count``: a
        number of people.
    end
        The position after its last token.
    count
        Minimum and maximum number of people. None means no limit.
    excludes_others
        Whether an *alone* names the people it excludes: nobody *else*, no *others*.
    counts_others
        Whether a number counts *other* people than those that are named.
    """

    kind: Literal["only", "alone", "count"]
    end: int
    count: tuple[int, int | None] = (0, None)
    excludes_others: bool = False
    counts_others: bool = False


def tag_phrase(at: Position) -> Tag | None:
    """Tag a number of people, *only* or *alone*, unless a name is as long."""
    if (
        at.i > 1
        and not at.token.space_before
        and at.tokens[at.i - 1].norm == ","
        and at.tokens[at.i - 2].norm.isdigit()
    ):
        return None  # "10,000 people"
    match = _match_phrase(at.sentence, at.i)
    if match is None or any(name and name.end >= match.end for name in (at.person, at.place)):
        return None
    if match.kind == "alone":
        return _tag_alone(at, match)
    span = TaggedSpan(match.kind, at.i, match.end, count=match.count, counts_others=match.counts_others)
    return Tag(span)


def _tag_alone(at: Position, match: _PhraseMatch) -> Tag | None:
    """Tag *alone* directly after a person, and *nobody else* anywhere after one.

    After a number of people, *nobody else* adds nothing.
    """
    kinds = {span.kind for span in at.spans} if match.excludes_others else {at.last_kind}
    if match.excludes_others and "count" in kinds:
        return Tag(TaggedSpan("ignored", at.i, match.end))
    return Tag(TaggedSpan("alone", at.i, match.end)) if "person" in kinds else None


def _match_phrase(sentence: Sentence, start: int) -> _PhraseMatch | None:
    """Return the phrase that starts at a token."""
    word = sentence.tokens[start].norm
    if word not in _FIRST_WORDS and not word.isdigit():
        return None
    for kind, pattern in _PHRASES:
        if match := pattern.match(sentence.text, sentence.starts[start]):
            end = sentence.find_token(match.end() + 1)
            if kind == "only":
                return _PhraseMatch("only", end)
            if kind == "alone":
                return _PhraseMatch("alone", end, excludes_others=match[0].endswith((" else", " others")))
            count = _parse_people_count(kind, match)
            return _PhraseMatch("count", end, count, counts_others="other" in match[0])
    return None


def match_request(sentence: Sentence) -> int:
    """Return the position after the words that begin a request ("please show me"); 0 if there are none."""
    match = _REQUEST.match(sentence.text)
    return sentence.find_token(match.end()) if match else 0


def _parse_people_count(kind: str, match: re.Match[str]) -> tuple[int, int | None]:
    """Return the minimum and maximum number. "At most three people" means at least one person.

    A group photo shows at least three people.
    """
    groups = match.groupdict()
    numbers = [_parse_number(groups[name]) for name in ("n", "m") if groups.get(name)]
    n = numbers[0] if numbers else 0
    if kind == "between":
        return min(numbers), max(numbers)
    return {
        "none": (0, 0),
        "group": (3, None),
        "no group": (0, 2),
        "least": (n, None),
        "more": (n + 1, None),
        "most": (min(1, n), n),
        "fewer": (min(1, max(n - 1, 0)), max(n - 1, 0)),
    }.get(kind, (n, n))


def _parse_number(text: str) -> int:
    return NUMBER_WORDS.index(text) if text in NUMBER_WORDS else int(text)
