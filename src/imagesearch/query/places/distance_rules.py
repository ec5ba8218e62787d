"""The rules that tag distances from places: "near banff", "within 10 km of paris"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from imagesearch.filters import And, Condition, Contains, Eq, Not, Or, WithinCircle
from imagesearch.geo import WorldPlace
from imagesearch.great_circle import compute_distance_km, find_midpoint
from imagesearch.query.clauses import NUMBER_WORDS, Area
from imagesearch.query.lexicon import split_set
from imagesearch.query.name_rules import ends_phrase
from imagesearch.query.places.world import (
    find_album_place,
    find_centre,
    is_far_from_all,
    make_missing_area,
    match_world_place,
)
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import join_texts

_NEAR_KM = 25.0
_UNITS = {"km": 1.0, "mile": 1.609344, "m": 0.001}
_N = rf"(?P<n>\d+(?: [.,] \d+)?|a few|half an?|an?|{'|'.join(NUMBER_WORDS[1:])})"
_UNIT = r"(?P<unit>k ?ms?|kilomet(?:re|er)s?|mi|miles?|m|met(?:re|er)s?)(?: (?:radius|distance|range))?"
_DISTANCES = [
    (kind, re.compile(text))
    for kind, text in (
        (
            "within",
            r"(?:(?:within|inside|in|less than|closer than|under|at most|no more than|not more than|up to|"
            r"no farther than|no further than|max|maximum|about|around|some) )?(?:a (?:radius|"
            r"distance) of )?(?:a )?"
            rf"(?:\d+ (?:-|to) )?{_N} ?{_UNIT}(?: away)? (?:of|from|around|to|off) ",
        ),
        (
            "beyond",
            rf"(?:more than|over|farther than|further than|beyond) {_N} ?{_UNIT}(?: away)? (?:of|from) ",
        ),
        (
            "near",
            r"(?:near(?: to| by)?|nearby(?: to)?|next to|close (?:to|by)|not (?:too |"
            r"very )?far (?:away )?from|"
            r"around|in (?:and|or) around|(?:in )?the (?:area|region) (?:around|near|of)|"
            r"in the (?:vicinity|neighbou?rhood|surroundings|proximity) of|on the outskirts of) ",
        ),
        ("between", r"(?:somewhere |halfway )?(?:in )?between "),
        (
            "side",
            r"(?:far (?:away )?from|"
            r"(?:to the )?(?:north|south|east|west|(?:north|south) ?(?:- )?(?:east|west)) of) ",
        ),
    )
]
_FIRST_WORDS = split_set(
    "within inside in less under at no not up max maximum about around some a an half more over farther "
    "further closer beyond near nearby next close on the between somewhere halfway far to north south east "
    "west northeast northwest southeast southwest"
) | frozenset(NUMBER_WORDS[1:])
_NUMBER = re.compile(r"\d+(?:k?m|kms|mi)?")
_AND = re.compile(r"(?:and|&|to) ")
_LIST = re.compile(r"(?:(?:, )?(?:or|and)|[,/&]) ")


class _Spot(NamedTuple):
    """A place in a sentence: one of the album, by its keys, or another one; and the position after it."""

    keys: tuple[str, ...]
    place: WorldPlace | None
    end: int


def tag_distance(at: Position) -> Tag | None:
    """Tag a distance from places of the album or of the world."""
    return _tag_lead(at) or _tag_surroundings(at)


def _tag_lead(at: Position) -> Tag | None:
    if at.token.norm not in _FIRST_WORDS and not _NUMBER.match(at.token.norm):
        return None
    for kind, pattern in _DISTANCES:
        match = pattern.match(at.sentence.text, at.sentence.starts[at.i])
        if match is None:
            continue
        spot = _find_spot(at, at.sentence.find_token(match.end()))
        if spot is None:
            continue
        if kind == "between":
            return _tag_between(at, spot)
        if kind == "side":
            return _tag_side(at, spot, is_far=match[0].startswith("far"))
        spots = [spot, *_list_more_spots(at, spot.end)]
        if kind == "near":
            return _tag_near(at, spots, is_plain=match[0] in ("near ", "around "))
        return _tag_measured(at, spots, match, is_beyond=kind == "beyond")
    return None


def _find_spot(at: Position, i: int) -> _Spot | None:
    """Return the place at a token: the album's, or a certain one of the world."""
    while i < len(at.tokens) and at.tokens[i].norm in ("the", "city", "town", "of"):
        i += 1
    if i >= len(at.tokens) or at.tokens[i].kind not in ("word", "quote"):
        return None
    known = at.names.places
    match = known.match_exact(at.tokens, i) if at.tokens[i].kind == "word" else None
    if match is not None:
        person = at.names.people.match_exact(at.tokens, i)
        if person is not None and person.end > match.end:
            return None
        return _Spot(match.keys, None, _skip_larger(at, match.end, match.keys[0]))
    if at.names.people.match_exact(at.tokens, i) is not None or not known.entries:
        return None
    world = match_world_place(at.tokens, i)
    if world is None:
        return None
    if key := find_album_place(world.places, known):
        return _Spot((key,), None, world.end)
    return _Spot((), world.places[0], world.end) if world.is_certain else None


def _skip_larger(at: Position, end: int, key: str) -> int:
    """Return the position after a place that contains the one before it: "near paris, france"."""
    start = end + (at.get_norm(end) == ",")
    larger = at.names.places.match_exact(at.tokens, start) if start < len(at.tokens) else None
    is_larger = larger is not None and at.names.places.contains(larger.keys[0], key)
    return larger.end if larger is not None and is_larger else end


def _list_more_spots(at: Position, end: int) -> Iterator[_Spot]:
    """Yield the places that are listed after a place: "near paris or rome"."""
    while end < len(at.tokens):
        match = _LIST.match(at.sentence.text, at.sentence.starts[end])
        spot = _find_spot(at, at.sentence.find_token(match.end())) if match else None
        if spot is None:
            return
        yield spot
        end = spot.end


def _tag_near(at: Position, spots: list[_Spot], is_plain: bool = False) -> Tag | None:
    """Tag "near banff": the place, or within 25 km of it. Near a state or a country means in it."""
    areas: list[Area] = []
    notes: list[str] = []
    for spot in spots:
        centre = _find_spot_centre(at, spot)
        if spot.place is not None:
            area, note = _make_world_area(at, spot.place)
            areas.append(area)
            notes += [note] if note else []
        elif centre is None:
            if len(spots) == 1 and is_plain:
                return None  # the same as "in": the lead and the place are tagged each
            areas.append(_make_place_area(at, spot))
        else:
            circle = WithinCircle(*centre, _NEAR_KM)
            condition = Or((*_make_place_conditions(spot), circle))
            areas.append(Area(f"within {_NEAR_KM:g} km of {_get_name(at, spot)}", condition, lead=""))
    return Tag(TaggedSpan("area", at.i, spots[-1].end, areas=tuple(areas)), tuple(notes))


def _make_world_area(at: Position, place: WorldPlace) -> tuple[Area, str]:
    """Return what is near a place where no photo was taken: nothing, or a circle that may have photos."""
    if _is_missing(at, place, _NEAR_KM):
        return make_missing_area(place, at.names.places, "near")
    circle = WithinCircle(place.latitude, place.longitude, _NEAR_KM)
    return Area(f"within {_NEAR_KM:g} km of {place.full_name}", circle, lead=""), ""


def _tag_measured(at: Position, spots: list[_Spot], match: re.Match[str], is_beyond: bool) -> Tag:
    """Tag "within 10 km of banff"."""
    km, measure = _parse_distance(match)
    lead = f"more than {measure} from" if is_beyond else f"within {measure} of"
    areas: list[Area] = []
    notes: list[str] = []
    for spot in spots:
        centre, note = _find_spot_centre(at, spot), ""
        if spot.place is not None and _is_missing(at, spot.place, 0 if is_beyond else km):
            area, note = make_missing_area(spot.place, at.names.places, lead)
        elif centre is None:
            area = _make_place_area(at, spot)
            typed = join_texts(at.tokens[at.i : spots[-1].end])
            note = f'read "{typed}" as in {_get_name(at, spot)}, whose centre is not known'
        else:
            circle = WithinCircle(*centre, km)
            condition = And((Eq("has_gps", True), Not(circle))) if is_beyond else circle
            area = Area(f"{lead} {_get_name(at, spot)}", condition, lead="")
        areas.append(area)
        notes += [note] if note else []
    return Tag(TaggedSpan("area", at.i, spots[-1].end, areas=tuple(areas)), tuple(notes))


def _is_missing(at: Position, place: WorldPlace, km: float) -> bool:
    """Whether no photo can lie within a distance of a place of the world; 0 means any distance."""
    known = at.names.places
    return place.kind != "city" or not known.positions[0] or (km > 0 and is_far_from_all(place, km, known))


def _parse_distance(match: re.Match[str]) -> tuple[float, str]:
    """Return a distance in kilometres, and as it is displayed: ``5 miles``."""
    text, unit = match["n"], match["unit"].replace(" ", "")
    name = "mile" if unit.startswith("mi") else "km" if unit.startswith("k") else "m"
    if text in NUMBER_WORDS:
        number = float(NUMBER_WORDS.index(text))
    else:
        words = {"a few": 5.0, "a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5}
        number = words.get(text) or float(text.replace(" ", "").replace(",", "."))
    plural = "s" if name == "mile" and number != 1 else ""
    return max(number * _UNITS[name], 0.001), f"{number:g} {name}{plural}"


def _tag_between(at: Position, first: _Spot) -> Tag | None:
    """Tag "between paris and rome": in one of them, or in the circle that has both on its edge."""
    match = (
        _AND.match(at.sentence.text, at.sentence.starts[first.end]) if first.end < len(at.tokens) else None
    )
    second = _find_spot(at, at.sentence.find_token(match.end())) if match else None
    if second is None:
        return None
    centres = [_find_spot_centre(at, spot) for spot in (first, second)]
    names = " and ".join(_get_name(at, spot) for spot in (first, second))
    if centres[0] is None or centres[1] is None:
        return None
    middle = find_midpoint(*centres[0], *centres[1])
    km = compute_distance_km(*centres[0], *centres[1]) / 2 + 0.001
    places = [condition for spot in (first, second) for condition in _make_place_conditions(spot)]
    area = Area(f"between {names}", Or((*places, WithinCircle(*middle, km))), lead="")
    return Tag(TaggedSpan("area", at.i, second.end, areas=(area,)))


def _tag_side(at: Position, spot: _Spot, is_far: bool) -> Tag | None:
    """Tag "west of paris" as not understood. "South of italy" may mean in Italy."""
    if not is_far and _find_spot_centre(at, spot) is None:
        return None
    typed = join_texts(at.tokens[at.i : spot.end])
    return Tag(TaggedSpan("ignored", at.i, spot.end), not_understood=(typed,))


def _find_spot_centre(at: Position, spot: _Spot) -> tuple[float, float] | None:
    """Return the centre of a city; None for a larger place, or if it is unknown."""
    if spot.place is not None:
        return (spot.place.latitude, spot.place.longitude) if spot.place.kind == "city" else None
    return find_centre(spot.keys[0], at.names.places)


def _make_place_conditions(spot: _Spot) -> tuple[Condition, ...]:
    return tuple(Contains("place_words", key) for key in spot.keys)


def _make_place_area(at: Position, spot: _Spot) -> Area:
    entries = [at.names.places.entries[key] for key in spot.keys]
    names = [f"{entry.name} ({entry.kind})" if entry.kind else entry.name for entry in entries]
    return Area(" or ".join(names), Or(_make_place_conditions(spot)))


def _get_name(at: Position, spot: _Spot) -> str:
    if spot.place is not None:
        return spot.place.full_name
    return " or ".join(at.names.places.entries[key].name for key in spot.keys)


def _tag_surroundings(at: Position) -> Tag | None:
    """Tag "banff area": near Banff."""
    if at.place is None or at.get_norm(at.place.end) not in ("area", "region", "surroundings"):
        return None
    spot = _Spot(at.place.keys, None, at.place.end + 1)
    is_city = _find_spot_centre(at, spot) is not None and ends_phrase(at, spot.end)
    return _tag_near(at, [spot]) if is_city else None
