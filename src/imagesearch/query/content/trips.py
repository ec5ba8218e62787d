"""Finds words for a trip to a place: "our trip to banff", "the goa trip". They describe no photo."""

from __future__ import annotations

from collections.abc import Set

from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.lexicon import ARTICLES, NEGATIONS, PHOTOS, PLACE_LEADS, split_set
from imagesearch.query.tags import TaggedSentence, TaggedSpan
from imagesearch.query.tokenizer import join_texts
from imagesearch.query.trips.rewrite import BEFORE_TRIP, TRIP_LEADS, TRIPS

_NEAR = 4  # the most words between a trip and its place
_TO_PLACE = PLACE_LEADS - NEGATIONS | split_set("to of the via into from through")


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
        if tagged.spans[n].kind != "word" or tokens[i].norm not in TRIPS:
            continue
        first = i
        while first and first - 1 not in leads and _is_word(tagged, spans, first - 1, BEFORE_TRIP):
            first -= 1
        before = _find_span_before(tagged, first)
        is_content = before is not None and before.kind == "word" and first == i and first - 1 not in leads
        if is_content and tokens[before.start].norm not in TRIP_LEADS | PHOTOS | NEGATIONS | {
            "with",
            "and",
            "or",
        }:
            continue
        follows_place = before is not None and before.kind in ("place", "area")
        if follows_place or _precedes_place(tagged, n + 1):
            while first and _is_word(tagged, spans, first - 1, TRIP_LEADS | ARTICLES) and not follows_place:
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


def list_missing_trips(tagged: TaggedSentence, names: KnownNames) -> list[str]:
    """Return a note for each trip to a place that the album does not have; the place is a filter then."""
    found = find_trip_words(tagged, set()) if names.trips.are_known else set()
    notes = []
    for span in tagged.spans:
        near = range(span.start - _NEAR, span.end + _NEAR)
        if span.kind in ("place", "area") and not found.isdisjoint(near):
            missing = [area for area in span.areas if area.substitute]
            has_trip = bool(span.keys) and bool(names.trips.find_by_places(span.keys))
            if (span.keys or missing) and not has_trip:
                notes.append(f'no trip to "{join_texts(tagged.tokens[span.start : span.end])}" was found')
    return notes
