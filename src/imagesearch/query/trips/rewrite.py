"""Replaces the trips in a sentence by one word each, which the phrases of times can contain.

"The first day of the trip to goa" becomes "the first day of the T", where T is a mark. A trip is named by a
place ("the goa trip", "our holiday in japan"), by its order ("our last trip"), by the user ("ana's wedding",
"the wedding"), or not at all ("trips in 2023"). A trip that the album does not have is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from datetime import date

from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.lexicon import ARTICLES, JOINERS, LEADING, NEGATIONS, PHOTOS, PLACE_LEADS, split_set
from imagesearch.query.tokenizer import Sentence, Token, find_name_words, join_texts
from imagesearch.store import VocabularyTrip

TRIPS = split_set(
    "trip trips holiday holidays vacation vacations journey journeys visit visits getaway getaways travel "
    "travels traveling travelling tour stay"
)
"""Words for a trip to a place."""
BEFORE_TRIP = ARTICLES | split_set(
    "my our your his her their its first second third last latest recent big great long short whole entire "
    "little weekend day wonderful amazing lovely once annual yearly"
)
"""Words before a trip that do not say what kind of trip it is."""
TRIP_LEADS = split_set("on during from of in at for while when throughout about")
_ORDERED = split_set("trip trips holiday holidays vacation vacations journey journeys getaway getaways")
_SINGULAR = split_set("trip vacation journey getaway")
_PLURAL = split_set("trips vacations journeys getaways")
_TO_PLACE = split_set("to in of around through across via into")
_OWNERS = split_set("the our my that this")
_ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "fifth": 4,
             "last": -1, "latest": -1, "recent": -1, "newest": -1}  # fmt: skip
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5}
_BEFORE_ANY = TRIP_LEADS | ARTICLES | PHOTOS | NEGATIONS | JOINERS | split_set("all my our any show me")
_AFTER = JOINERS | LEADING | PLACE_LEADS | NEGATIONS | PHOTOS | split_set(
    "when where before after since until during the last taken was is that this between every"
)  # fmt: skip
_NUMBER, _YEAR = re.compile(r"\d+"), re.compile(r"(?:19|20)\d\d")

Found = tuple[int, Sequence[VocabularyTrip] | None]
"""The position after a phrase, and its trips; None means all trips."""


def rewrite_trips(sentence: Sentence, names: KnownNames, today: date) -> Sentence:
    """Return a sentence in which one word stands for each trip that the album has."""
    tokens, known = sentence.tokens, names.trips
    if not known.trips:
        return sentence
    rewritten: list[Token] = []
    i = 0
    while i < len(tokens):
        found = _find_trips(tokens, i, names, today) if tokens[i].kind == "word" else None
        if found is None:
            rewritten.append(tokens[i])
            i += 1
        else:
            end, trips = found
            text = join_texts(tokens[i:end])
            rewritten.append(Token(text, known.mark(trips), space_before=tokens[i].space_before))
            i = end
    return Sentence.from_tokens(rewritten) if len(rewritten) < len(tokens) or i else sentence


def _find_trips(tokens: Sequence[Token], i: int, names: KnownNames, today: date) -> Found | None:
    return (
        _find_named(tokens, i, names)
        or _find_ordered(tokens, i, names, today)
        or _find_placed(tokens, i, names)
        or _find_dated(tokens, i, names)
        or _find_any(tokens, i, names)
    )


def _find_named(tokens: Sequence[Token], i: int, names: KnownNames) -> Found | None:
    """Find the user's name of a trip, or with *the* before it a part of the name: "the wedding"."""
    known = names.trips
    positions = find_name_words(tokens, i, known.max_words) if known.max_words else []
    follows_owner = i > 0 and tokens[i - 1].norm in _OWNERS
    for count in range(len(positions), 0, -1):
        words, end = tuple(tokens[p].norm for p in positions[:count]), positions[count - 1] + 1
        if end < len(tokens) and tokens[end].norm in TRIPS:
            after, is_trip = end + 1, True
        else:
            after, is_trip = end, False
        if not (is_trip or _ends_phrase(tokens, end, names)):
            continue
        trip = known.find_by_name(words)
        if trip and (
            is_trip or follows_owner or not (known.is_common(words) or _is_name(tokens, i, end, names))
        ):
            return after, [trip]
        found = known.find_by_part(words) if is_trip or follows_owner else []
        if found and not _is_name(tokens, i, end, names):
            return after, found
    return None


def _find_ordered(tokens: Sequence[Token], i: int, names: KnownNames, today: date) -> Found | None:
    """Find "last trip", "second goa trip", "most recent trip to japan", "last two trips"."""
    if tokens[i].norm == "most" and i + 1 < len(tokens) and tokens[i + 1].norm == "recent":
        start = i + 1
    elif tokens[i].norm in _ORDINALS and not (i and tokens[i - 1].norm == "most"):
        start = i
    else:
        return None
    index, start = _ORDINALS[tokens[start].norm], start + 1
    count = 1
    if start < len(tokens) and index in (0, -1):
        word = tokens[start].norm
        count = _COUNTS.get(word, int(word) if word.isdecimal() and len(word) < 3 else 0)
        start, count = (start + 1, count) if count else (start, 1)
    placed = _find_placed(tokens, start, names)
    if placed is not None:
        end, trips = placed
    elif start < len(tokens) and tokens[start].norm in _ORDERED and _ends_phrase(tokens, start + 1, names):
        end, trips = start + 1, names.trips.trips
    else:
        return None
    begun = [trip for trip in names.trips.list_begun(today) if trip in (trips or ())]
    chosen = begun[-count:] if index < 0 else begun[index : index + count]
    return (end, chosen) if chosen else None


def _find_placed(tokens: Sequence[Token], i: int, names: KnownNames) -> Found | None:
    """Find "goa trip" and "trip to goa"."""
    if i >= len(tokens) or tokens[i].kind != "word":
        return None
    if tokens[i].norm in TRIPS:
        start = i + 1
        if _follows_noun(tokens, i) or start >= len(tokens) or tokens[start].norm not in _TO_PLACE:
            return None
        start += 1 + (start + 1 < len(tokens) and tokens[start + 1].norm == "the")
        place = names.places.match_exact(tokens, start) if start < len(tokens) else None
        end = place.end if place else 0
        if place and end + 1 < len(tokens) and tokens[end].norm == ",":
            larger = names.places.match_exact(tokens, end + 1)
            if larger and names.places.contains(larger.keys[0], place.keys[0]):
                end = larger.end  # "the trip to anjuna, goa"
    else:
        place = names.places.match_exact(tokens, i)
        if place is None or place.end >= len(tokens) or tokens[place.end].norm not in TRIPS:
            return None
        end = place.end + 1
    trips = names.trips.find_by_places(place.keys) if place else []
    trips = names.trips.select_year(trips, _find_year(tokens, i, end))
    return (end, trips) if trips else None


def _find_year(tokens: Sequence[Token], start: int, end: int) -> int | None:
    """Return the year next to a trip: "the 2020 goa trip", "the goa trip in 2020"."""
    after = end + (end < len(tokens) and tokens[end].norm in ("in", "of", "from"))
    for i in (start - 1, after):
        if 0 <= i < len(tokens) and _YEAR.fullmatch(tokens[i].norm):
            return int(tokens[i].norm)
    return None


def _find_dated(tokens: Sequence[Token], i: int, names: KnownNames) -> Found | None:
    """Find "2020 goa trip", if there was one in this year."""
    found = _find_placed(tokens, i + 1, names) if _YEAR.fullmatch(tokens[i].norm) else None
    is_in_year = found and names.trips.select_year(found[1] or (), int(tokens[i].norm), strict=True)
    return (found[0], is_in_year) if found and is_in_year else None


def _find_any(tokens: Sequence[Token], i: int, names: KnownNames) -> Found | None:
    """Find "trips" and "on a trip"."""
    word, end = tokens[i].norm, i + 1
    if word in ("a", "any") and i and tokens[i - 1].norm in TRIP_LEADS and end < len(tokens):
        word, end = (tokens[end].norm, end + 1) if tokens[end].norm in _SINGULAR else ("", end)
        is_any = bool(word)
    else:
        is_any = word in _PLURAL and (
            i == 0 or tokens[i - 1].norm in _BEFORE_ANY or bool(tokens[i - 1].possessor)
        )
    to_place = end + 1 < len(tokens) and tokens[end].norm in _TO_PLACE
    if to_place and (tokens[end].norm == "to" or names.places.match_exact(tokens, end + 1)):
        return None
    return (end, None) if is_any and _ends_phrase(tokens, end, names) else None


def _follows_noun(tokens: Sequence[Token], i: int) -> bool:
    """Whether a word before says what kind of trip it is, as in "a road trip to goa"."""
    before = tokens[i - 1] if i else None
    allowed: Set[str] = BEFORE_TRIP | TRIP_LEADS | PHOTOS | NEGATIONS | JOINERS | _BEFORE_ANY
    return (
        before is not None and before.kind == "word" and not before.possessor and before.norm not in allowed
    )


def _ends_phrase(tokens: Sequence[Token], end: int, names: KnownNames) -> bool:
    """Whether the words do not describe the next word: "the wedding", but not "the wedding cake"."""
    if end >= len(tokens) or tokens[end].kind != "word":
        return True
    word = tokens[end].norm
    if word in _AFTER or _NUMBER.fullmatch(word):
        return True
    return any(found.match_exact(tokens, end) is not None for found in (names.people, names.places))


def _is_name(tokens: Sequence[Token], i: int, end: int, names: KnownNames) -> bool:
    """Whether a person or a place has this name."""
    matches = (found.match_exact(tokens, i) for found in (names.people, names.places))
    return any(match is not None and match.end >= end for match in matches)
