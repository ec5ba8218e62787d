"""The world's places in a sentence: those that the album has under another name, and those that it lacks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.filters import Contains, Or
from imagesearch.geo import MAX_NAME_WORDS, NamedPlaces, WorldPlace, find_world_places, list_alias_groups
from imagesearch.great_circle import compute_distances_km
from imagesearch.query.clauses import Area
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import COMMON, PLACE_LEADS, split_set
from imagesearch.query.tokenizer import Token, find_name_words
from imagesearch.text import normalize

# A photo's address can name a city that is 30 km away.
_ADDRESS_KM = 60.0
_SAME_CITY_KM = 60.0
# "in a panama hat", "in oxford shoes": what people wear is not where they are.
_WORN = split_set(
    """hat hats cap caps shirt shirts shorts shoes shoe boots dress dresses sweater jacket jackets coat coats
    costume costumes suit suits scarf blanket pants jeans skirt outfit clothes clothing uniform
    style wool cotton
    silk envelope envelopes cup cups porcelain plate plates tea rug rugs carpet carpets"""
)


@dataclass(frozen=True)
class WorldMatch:
    """A place of the world in a sentence.

    Attributes
    ----------
    places
        The places that the words can mean, the likeliest first.
    end
        The position after the last token, including a country that follows: "new delhi, india".
    is_certain
        Whether the words are a place whatever they could mean otherwise.
    """

    places: tuple[WorldPlace, ...]
    end: int
    is_certain: bool


def match_world_place(tokens: Sequence[Token], start: int) -> WorldMatch | None:
    """Return the longest name of a place of the world that starts at a token.

    A name that is also a word or a person's name, or in another language, is certain only if it is
    capitalized in a sentence of mixed case, in quotation marks, or followed by its country.
    """
    if start >= len(tokens):
        return None
    if tokens[start].kind == "quote":
        found = find_world_places(tokens[start].norm.split())
        return _make_match(found, tokens, start, start + 1, is_explicit=True) if found else None
    positions = find_name_words(tokens, start, MAX_NAME_WORDS)
    for count in range(len(positions), 0, -1):
        words = [tokens[i].norm for i in positions[:count]]
        found = find_world_places(words)
        if found is None and (possessor := tokens[positions[count - 1]].possessor):
            found = find_world_places([*words[:-1], possessor])
        if found is not None:
            end = positions[count - 1] + 1
            return _make_match(found, tokens, start, end, is_explicit=is_capitalized(tokens, start, end))
    return None


def _make_match(
    found: NamedPlaces, tokens: Sequence[Token], start: int, end: int, is_explicit: bool
) -> WorldMatch | None:
    after, places = _match_larger(found, tokens, end)
    if places:
        return WorldMatch(places, after, is_certain=True)
    name, following = tokens[start].norm, tokens[end].norm if end < len(tokens) else ""
    is_explicit = is_explicit and (following not in _WORN or tokens[start].kind == "quote")
    is_word = (
        found.is_word
        or (end - start == 1 and (name in COMMON or (len(name) < 3 and name != "uk")))
        or following in _WORN
    )
    places = found.places if found.places and (is_explicit or not is_word) else (*found.places, *found.others)
    return WorldMatch(places, end, is_explicit or (bool(found.places) and not is_word))


def _match_larger(
    found: NamedPlaces, tokens: Sequence[Token], end: int
) -> tuple[int, tuple[WorldPlace, ...]]:
    """Return the position after a country or state that follows, and the places that lie in it."""
    start = end + (end < len(tokens) and tokens[end].norm == ",")
    positions = find_name_words(tokens, start, 4) if start < len(tokens) else []
    for count in range(len(positions), 0, -1):
        name = " ".join(tokens[i].norm for i in positions[:count])
        places = tuple(place for place in (*found.places, *found.others) if place.is_in(name))
        if places:
            return positions[count - 1] + 1, places
    return end, ()


def is_capitalized(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Whether words are capitalized in a sentence of mixed case: "photos in Nice", "In Nice".

    Not in a title, where the word before them is capitalized too: "Woman In Orange".
    """
    named = [token for token in tokens[start:end] if token.kind == "word"]
    if not all(token.text[0].isupper() for token in (named[0], named[-1])):
        return False
    others = [token.text for token in (*tokens[:start], *tokens[end:]) if token.kind == "word"]
    if others and all(text.isupper() for text in others):
        return False
    leads = [token.text for token in tokens[1:start] if token.norm in PLACE_LEADS]
    return not any(text[0].isupper() for text in leads)


def is_place_name(word: str) -> bool:
    """Whether a word is the name of a place of the world, and neither a word nor a person's name."""
    found = find_world_places([word])
    return found is not None and bool(found.places) and not found.is_word


# --- places of the album ------------------------------------------------------------------------------------


def find_album_place(places: Sequence[WorldPlace], known: Gazetteer) -> str:
    """Return the key under which the album has one of some places of the world; empty if it has none."""
    for place in places:
        for name in place.names:
            if (
                name in known.entries
                and known.entries[name].kind in ("", place.kind)
                and _agrees(name, place, known)
            ):
                return name
    return ""


def _agrees(name: str, place: WorldPlace, known: Gazetteer) -> bool:
    """Whether a place of the album lies in the country of a place of the world, or near it."""
    entry, larger = known.entries[name], known.list_larger(name)
    if place.kind != "country" and larger and not any(map(place.is_in, larger)):
        return False
    is_near = entry.latitude is None or entry.longitude is None or place.kind != "city"
    return is_near or place.compute_km(entry.latitude or 0, entry.longitude or 0) <= _SAME_CITY_KM


def find_centre(key: str, known: Gazetteer) -> tuple[float, float] | None:
    """Return the centre of a city of the album: by GeoNames, else the median of its photos.

    A state is a city too if it has the name of a city, and its photos were taken there: Berlin, Bangkok.
    """
    entry = known.entries[key]
    if entry.kind not in ("", "city") and (entry.kind != "state" or entry.latitude is None):
        return None
    found = find_world_places(key.split())
    cities = [place for place in (found.places if found else ()) if place.kind == "city"]
    for city in cities:
        if _agrees(key, city, known):
            return city.latitude, city.longitude
    if entry.kind == "state" or entry.latitude is None or entry.longitude is None:
        return None
    return entry.latitude, entry.longitude


# --- places that the album lacks ----------------------------------------------------------------------------


def make_missing_area(place: WorldPlace, known: Gazetteer, lead: str = "in") -> tuple[Area, str]:
    """Return a place where no photo was taken as an area, and a note; the nearest place is its substitute.

    Parameters
    ----------
    lead
        The words before the place: ``in``, ``near``, ``within 10 km of``.
    """
    note = f"no photo was taken {lead} {place.full_name}"
    nearest = _find_nearest(place, known)
    if nearest is None:
        return Area(place.full_name, Or(()), lead), note
    distance, key = nearest
    entry = known.entries[key]
    name = f"{entry.name} ({entry.kind})" if entry.kind else entry.name
    substitute = Area(name, Contains("place_words", key))
    note += f"; the nearest are in {entry.name}, some {format_km(distance)} away"
    return Area(place.full_name, Or(()), lead, substitute), note


def is_far_from_all(place: WorldPlace, km: float, known: Gazetteer) -> bool:
    """Whether no photo can lie within a distance of a place, by the positions of the album's places."""
    nearest = _find_nearest(place, known)
    return nearest is not None and nearest[0] > km + _ADDRESS_KM


def _find_nearest(place: WorldPlace, known: Gazetteer) -> tuple[float, str] | None:
    """Return the distance and the key of the nearest place of the album; of several, preferably a city."""
    keys, latitudes, longitudes = known.positions
    if not keys:
        return None
    distances = compute_distances_km(place.latitude, place.longitude, latitudes, longitudes)
    nearest = distances.min()
    # A city and its state, and the names of one city, are about as near.
    same = [keys[i] for i in np.flatnonzero(distances <= nearest * 1.02 + 1)]
    key = min(same, key=lambda key: _rank_name(key, known))
    return float(nearest), key


def _rank_name(key: str, known: Gazetteer) -> tuple[bool, bool, int, str]:
    """Return a rank that is lower for cities, for usual names, and for places with more photos."""
    entry = known.entries[key]
    return entry.kind not in ("", "city"), key in _list_other_names(), -entry.photos, key


@functools.cache
def _list_other_names() -> frozenset[str]:
    return frozenset(normalize(name) for _, _, group in list_alias_groups() for name in group[1:])


def format_km(km: float) -> str:
    """Return a distance with two digits: ``610 km``."""
    return f"{float(f'{km:.2g}'):,.0f} km" if km >= 1 else "1 km"
