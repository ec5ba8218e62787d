"""Finds words for a trip to a place: "our trip to banff", "the goa trip". They describe no photo."""

from __future__ import annotations

from collections.abc import Set

from imagesearch.query.lexicon import ARTICLES, NEGATIONS, PHOTOS, PLACE_LEADS, split_set
from imagesearch.query.tags import TaggedSentence, TaggedSpan

_TRIPS = split_set(
    "trip trips holiday holidays vacation vacations journey journeys visit visits getaway getaways travel "
    "travels traveling travelling tour stay"
)
_TO_PLACE = PLACE_LEADS - NEGATIONS | split_set("to of the via into from through")
_BEFORE_TRIP = ARTICLES | split_set(
    "my our your his her their its first second third last latest recent big great long short whole entire "
    "little weekend day wonderful amazing lovely once annual yearly"
)
_LEADS = split_set("on during from of in at for while when throughout about")


def find_trip_words(tagged: TaggedSentence, leads: Set[int]) -> set[int]:
    """Return the positions of the words for trips, and of the words that only lead to them.

    "A road trip to goa" is content: another noun says what kind of trip it is.

    Parameters
    ----------
    leads
        Positions of tokens that lead to people, places and dates.
    """
    tokens, found = tagged.tokens, set[int]()
    spans = {span.start: n for n, span in enumerate(tagged.spans)}
    for i, n in spans.items():
        if tagged.spans[n].kind != "word" or tokens[i].norm not in _TRIPS:
            continue
        first = i
        while first and first - 1 not in leads and _is_word(tagged, spans, first - 1, _BEFORE_TRIP):
            first -= 1
        before = _find_span_before(tagged, first)
        is_content = before is not None and before.kind == "word" and first == i and first - 1 not in leads
        if is_content and tokens[before.start].norm not in _LEADS | PHOTOS | NEGATIONS | {
            "with",
            "and",
            "or",
        }:
            continue
        follows_place = before is not None and before.kind in ("place", "area")
        if follows_place or _precedes_place(tagged, n + 1):
            while first and _is_word(tagged, spans, first - 1, _LEADS | ARTICLES) and not follows_place:
                first -= 1
            found.update(range(first, i + 1))
    return found


def _is_word(tagged: TaggedSentence, spans: dict[int, int], i: int, words: Set[str]) -> bool:
    is_span = i in spans and tagged.spans[spans[i]].kind == "word"
    return is_span and tagged.tokens[i].norm in words


def _find_span_before(tagged: TaggedSentence, i: int) -> TaggedSpan | None:
    return next((span for span in reversed(tagged.spans) if span.end <= i), None)


def _precedes_place(tagged: TaggedSentence, n: int) -> bool:
    """Whether only words such as "to the" stand between a span and the name of a place."""
    for span in tagged.spans[n : n + 5]:
        if span.kind in ("place", "area"):
            return True
        word = tagged.tokens[span.start].norm
        if span.kind == "date" or (span.kind == "word" and word in _TO_PLACE | PHOTOS):
            continue
        return False
    return False
