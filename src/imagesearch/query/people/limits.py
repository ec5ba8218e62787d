"""Tags how many of the people of a list may be in a photo: "exactly one of maya and kim", "but not both"."""

from __future__ import annotations

import re

from imagesearch.query.clauses import NUMBER_WORDS
from imagesearch.query.lexicon import PHOTOS, split_set
from imagesearch.query.mentions import LEADS
from imagesearch.query.tags import Position, Tag, TaggedSpan

ALL_BUT_ONE = -1
"""The maximum of a limit that excludes only photos with all people of the list."""

_PHOTO = "|".join(sorted(PHOTOS))
_N = rf"(?:\d|{'|'.join(NUMBER_WORDS[1:])})"
# After a list of people.
_APART = re.compile(
    r"(?:(?:but|and) )?(?:(?:not|never) both(?: of them)?(?: (?:together|at once))?|"
    r"(?:not|never) (?:together|at the same time|at once)|"
    rf"(?:not|never) (?:both )?(?:together )?in (?:the same|one) (?:{_PHOTO})|separately|"
    r"(?:only )?one of (?:them|the two)|one or the other|not with each other)(?= |$)"
)
_NOT_ALL = re.compile(rf"(?:(?:but|and) )?not all(?: of)?(?: the)?(?: (?:them|{_N}))*(?: together)?(?= |$)")
# Before a list of people.
_SOME_OF = re.compile(
    r"(?:(?P<how>exactly|precisely|only|just|at most|up to|(?:no|not) more than|at least|no fewer than) )?"
    rf"(?P<n>{_N}|any|either) of(?: the)? |(?P<both>(?:not|never) both) (?:of )?"
)
_FIRST_WORDS = split_set(
    "but and not never separately exactly precisely only just at up no any either"
) | frozenset(NUMBER_WORDS[1:])


def tag_limit(at: Position) -> Tag | None:
    """Tag a limit directly before a list of people, or anywhere after one."""
    word = at.token.norm
    if word not in _FIRST_WORDS and not word.isdigit():
        return None
    text, start = at.sentence.text, at.sentence.starts[at.i]
    if (match := _SOME_OF.match(text, start)) and (tag := _tag_some_of(at, match)):
        return tag
    if all(span.kind != "person" for span in at.spans):
        return None
    if match := _APART.match(text, start):
        return Tag(TaggedSpan("limit", at.i, at.sentence.find_token(match.end() + 1), count=(1, 1)))
    match = _NOT_ALL.match(text, start)
    end = 0 if match is None else at.sentence.find_token(match.end() + 1)
    if match is None or (end < len(at.tokens) and at.tokens[end].kind == "word" and not _is_lead(at, end)):
        return None
    return Tag(TaggedSpan("limit", at.i, end, count=(1, ALL_BUT_ONE)))


def _is_lead(at: Position, i: int) -> bool:
    return at.tokens[i].norm in LEADS


def _tag_some_of(at: Position, match: re.Match[str]) -> Tag | None:
    end = at.sentence.find_token(match.end())
    person = at.names.people.match_exact(at.tokens, end) if end < len(at.tokens) else None
    if person is None or person.is_possessive:
        return None
    return Tag(TaggedSpan("limit", at.i, end, count=_parse_limits(match)))


def _parse_limits(match: re.Match[str]) -> tuple[int, int | None]:
    if match["both"]:
        return 0, 1
    word, how = match["n"], match["how"] or ""
    n = int(word) if word.isdigit() else NUMBER_WORDS.index(word) if word in NUMBER_WORDS else 1
    if how in ("exactly", "precisely", "only", "just"):
        return n, n
    return (n, None) if how in ("", "at least", "no fewer than") else (0, n)
