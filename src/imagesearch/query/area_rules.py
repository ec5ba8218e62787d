"""The rules that tag regions ("in south-east asia"), distances ("near banff") and places without photos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from imagesearch.filters import (
    And,
    Between,
    Condition,
    Contains,
    Eq,
    In,
    Not,
    Or,
    WithinCircle,
    make_box_condition,
)
from imagesearch.geo import (
    MAX_REGION_WORDS,
    PARALLELS,
    REGION_WORDS,
    Region,
    WorldPlace,
    find_country_code,
    find_region,
)
from imagesearch.great_circle import compute_distance_km, find_midpoint
from imagesearch.query.clauses import NUMBER_WORDS, Area
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import NEGATIONS, PLACE_LEADS, split_set
from imagesearch.query.name_rules import ends_phrase
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import find_name_words, join_texts
from imagesearch.query.world import (
    find_album_place,
    find_centre,
    is_far_from_all,
    make_missing_area,
    match_world_place,
)

_NEAR_KM = 25.0
_UNITS = {"km": 1.0, "mile": 1.609344, "m": 0.001}
_N = rf"(?P<n>\d+(?: [.,] \d+)?|a few|half an?|an?|{'|'.join(NUMBER_WORDS[1:])})"
_UNIT = r"(?P<unit>k ?ms?|kilomet(?:re|er)s?|kilomet(?:re|er)|mi|miles?|m|met(?:re|er)s?)(?: (?:radius|distance|range))?"
_DISTANCES = [
    (kind, re.compile(text))
    for kind, text in (
        (
            "within",
            r"(?:(?:within|inside|in|less than|under|at most|no more than|not more than|up to|no farther than|"
            r"no further than|max|maximum|about|around|some) )?(?:a (?:radius|distance) of )?(?:a )?"
            rf"{_N} ?{_UNIT}(?: away)? (?:of|from|around|to|off) ",
        ),
        (
            "beyond",
            rf"(?:more than|over|farther than|further than|beyond) {_N} ?{_UNIT}(?: away)? (?:of|from) ",
        ),
        (
            "near",
            r"(?:near(?: to| by)?|nearby(?: to)?|next to|close (?:to|by)|(?:in )?the (?:area|region) (?:around|near|of)|"
            r"not (?:too |very )?far (?:from|away from)|around|"
            r"in the (?:vicinity|neighbou?rhood|surroundings|proximity) of|in (?:and|or) around|"
            r"on the outskirts of) ",
        ),
        ("between", r"(?:somewhere |halfway )?(?:in )?between "),
    )
]
_FIRST_WORDS = split_set(
    "within inside in less under at no not up max maximum about around some a an half more over farther further "
    "beyond near nearby next close on the between somewhere halfway"
) | frozenset(NUMBER_WORDS[1:])
_NUMBER = re.compile(r"\d+(?:k?m|kms|mi)?")
_AND = re.compile(r"(?:and|&|to) ")
_LIST = re.compile(r"(?:(?:, )?(?:or|and)|[,/&]) ")
_PARALLEL = re.compile(
    r"(?P<side>(?:to the )?(?:north|south) of|above|below|beyond|under|within|inside|in) (?:the )?"
    rf"(?P<name>{'|'.join(PARALLELS)})(?= |$)"
)
_SIDE = r"(?:north|south|east|west|central|middle|(?:south|north)[ -]*(?:east|west))(?:ern)?"
_PART = re.compile(rf"{_SIDE} (?=[^o])|(?<=the ){_SIDE} of (?:the )?")
# Words after which a region's name that is also an adjective or an everyday word is that region.
_REGION_LEADS = PLACE_LEADS | {"to", "of", "over", "through", "not", "at"}
_UNKNOWN_LEADS = frozenset(("in", "at", "near", "around", "from"))
_JOINERS = frozenset(("and", "or", ",", "&", "/"))


class _Spot(NamedTuple):
    """A place in a sentence: one of the album, by its keys, or another one; and the position after it."""

    keys: tuple[str, ...]
    place: WorldPlace | None
    end: int


def tag_area(at: Position) -> Tag | None:
    """Tag a region or a distance."""
    return _tag_region(at) or _tag_parallel(at) or _tag_distance(at) or _tag_surroundings(at) or _tag_part(at)


# --- regions ------------------------------------------------------------------------------------------------


def _tag_region(at: Position) -> Tag | None:
    if at.token.norm not in REGION_WORDS:
        return None
    regions, end = _match_region(at, at.i)
    if not regions and at.get_norm(at.i + 1) in ("and", "or", "&"):  # "north and south america"
        regions, end = _match_region(at, at.i + 2, other_side=at.token.norm)
    if not regions:
        return None
    is_name = any(match and match.end >= end for match in (at.person, at.place))
    if is_name or not all(_is_region(at, region, end) for region in regions):
        return None
    areas = tuple(Area(region.name, _make_region_condition(region, at.names.places)) for region in regions)
    return Tag(TaggedSpan("area", at.i, end, areas=areas))


def _match_region(at: Position, start: int, other_side: str = "") -> tuple[list[Region], int]:
    """Return the longest region at a token, and the position after it.

    With ``other_side``, also the region that has this word in place of its first.
    """
    if start >= len(at.tokens):
        return [], start
    positions = find_name_words(at.tokens, start, MAX_REGION_WORDS)
    for count in range(len(positions), 0, -1):
        words = [at.tokens[i].norm for i in positions[:count]]
        names = [[other_side, *words[1:]], words] if other_side else [words]
        regions = [region for name in names if (region := find_region(name)) is not None]
        if len(regions) == len(names):
            return regions, positions[count - 1] + 1
    return [], start


def _is_region(at: Position, region: Region, end: int) -> bool:
    """Whether a name that is also an everyday word, or an adjective such as "arctic", stands for the region.

    It must end the phrase, or follow *in* and the like; an adjective must follow *in the*.
    """
    if not region.needs_lead:
        return True
    before = at.find_word_before()
    if before in ("a", "an"):
        return False
    is_led = at.find_word_before("the") in _REGION_LEADS or at.last_kind in ("place", "area")
    return ends_phrase(at, end) or (is_led and (before == "the" or not region.needs_article))


def _make_region_condition(region: Region, known: Gazetteer) -> Condition:
    """Return a condition on the country, or on the position.

    The field ``country`` has the name as the geocoder writes it, and the vocabulary has these spellings. In
    contrast to ``place_words``, it does not mix up countries with other places: Georgia, Luxembourg.
    """
    if region.boxes:
        return And((Eq("has_gps", True), make_box_condition(region.boxes)))
    names = (entry.name for key, entry in known.entries.items() if find_country_code(key) in region.countries)
    return In("country", tuple(sorted(names)))


def _tag_parallel(at: Position) -> Tag | None:
    """Tag "north of the equator" and "in the arctic circle"."""
    match = _PARALLEL.match(at.sentence.text, at.sentence.starts[at.i])
    if match is None:
        return None
    side, name = match["side"], match["name"]
    latitude = PARALLELS[name]
    if side.endswith("of"):
        is_north = "north" in side
    elif side in ("above", "below", "under"):
        is_north = side == "above"
    elif "circle" not in name:
        return None
    else:
        is_north = latitude > 0
    band = Between("latitude", latitude, None) if is_north else Between("latitude", None, latitude)
    words = f"{'north' if is_north else 'south'} of the {name.title().replace(' Of ', ' of ')}"
    end = at.sentence.find_token(match.end() + 1)
    area = Area(words.replace("Equator", "equator"), And((Eq("has_gps", True), band)), lead="")
    return Tag(TaggedSpan("area", at.i, end, areas=(area,)))


# --- distances ----------------------------------------------------------------------------------------------


def _tag_distance(at: Position) -> Tag | None:
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
        spots = [spot, *_list_more_spots(at, spot.end)]
        if kind == "near":
            return _tag_near(at, spots)
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


def _tag_near(at: Position, spots: list[_Spot]) -> Tag | None:
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
            if len(spots) == 1:
                return None  # read as "in": the lead and the place are tagged each
            areas.append(_make_place_area(at, spot))
        else:
            circle = WithinCircle(*centre, _NEAR_KM)
            condition = Or((*_make_place_conditions(spot), circle))
            areas.append(Area(f"within {_NEAR_KM:g} km of {_get_name(at, spot)}", condition, lead=""))
    return Tag(TaggedSpan("area", at.i, spots[-1].end, areas=tuple(areas)), tuple(notes))


def _make_world_area(at: Position, place: WorldPlace) -> tuple[Area, str]:
    """Return what is near a place where no photo was taken: nothing, or a circle that may have photos."""
    known = at.names.places
    if place.kind != "city" or not known.positions[0] or is_far_from_all(place, _NEAR_KM, known):
        return make_missing_area(place, known, _NEAR_KM)
    circle = WithinCircle(place.latitude, place.longitude, _NEAR_KM)
    return Area(f"within {_NEAR_KM:g} km of {place.full_name}", circle, lead=""), ""


def _tag_measured(at: Position, spots: list[_Spot], match: re.Match[str], is_beyond: bool) -> Tag:
    """Tag "within 10 km of banff"."""
    km, measure = _parse_distance(match)
    side = "more than" if is_beyond else "within"
    areas: list[Area] = []
    notes: list[str] = []
    for spot in spots:
        centre = _find_spot_centre(at, spot)
        if centre is None:
            areas.append(_make_place_area(at, spot))
            words = join_texts(at.tokens[at.i : spots[-1].end])
            notes.append(f'read "{words}" as in {_get_name(at, spot)}, whose centre is not known')
            continue
        circle: Condition = WithinCircle(*centre, km)
        if is_beyond:
            circle = And((Eq("has_gps", True), Not(circle)))
        areas.append(
            Area(f"{side} {measure} {'from' if is_beyond else 'of'} {_get_name(at, spot)}", circle, lead="")
        )
    return Tag(TaggedSpan("area", at.i, spots[-1].end, areas=tuple(areas)), tuple(notes))


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


def _find_spot_centre(at: Position, spot: _Spot) -> tuple[float, float] | None:
    """Return the centre of a city; None for a larger place, or if it is unknown."""
    if spot.place is not None:
        return (spot.place.latitude, spot.place.longitude) if spot.place.kind == "city" else None
    entry = at.names.places.entries[spot.keys[0]]
    return find_centre(spot.keys[0], at.names.places) if entry.kind in ("", "city") else None


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


def _tag_part(at: Position) -> Tag | None:
    """Tag "northern italy" and "the south of france" as Italy and France: parts of countries are not known."""
    match = _PART.match(at.sentence.text, at.sentence.starts[at.i])
    if match is None or at.place is not None or at.person is not None:
        return None
    place = at.names.places.match_exact(at.tokens, at.sentence.find_token(match.end()))
    if place is None or at.names.places.entries[place.keys[0]].kind not in ("country", "state"):
        return None
    typed = join_texts(at.tokens[at.i : place.end])
    name = " or ".join(at.names.places.entries[key].name for key in place.keys)
    return Tag(TaggedSpan("place", at.i, place.end, place.keys), (f'read "{typed}" as {name}',))


# --- places without photos ----------------------------------------------------------------------------------


def tag_world_place(at: Position) -> Tag | None:
    """Tag a place that the album has under another name, or that it lacks, after *in* and the like."""
    known = at.names.places
    is_listed = (
        at.find_word_before() in _JOINERS and len(at.spans) > 1 and at.spans[-2].kind in ("place", "area")
    )
    if not known.entries or at.token.kind not in ("word", "quote"):
        return None
    if at.find_word_before("the") not in _UNKNOWN_LEADS and not is_listed:
        return None
    match = match_world_place(at.tokens, at.i)
    if match is None or at.person or at.place or at.date:
        return None
    partial = known.match_partly(at.tokens, at.i) if at.token.kind == "word" else None
    if partial is not None and partial.end >= match.end:
        return None  # a part of a name of the album, which is guessed next
    key = find_album_place(match.places, known) or (
        known.match_quoted(at.token.text) if at.token.kind == "quote" else ""
    )
    if key:
        typed, name = join_texts(at.tokens[at.i : match.end]), known.entries[key].name
        return Tag(TaggedSpan("place", at.i, match.end, (key,)), (f'read "{typed}" as {name}',))
    if not match.is_certain:
        return None
    area, note = make_missing_area(match.places[0], known)
    is_negated = any(token.norm in NEGATIONS for token in at.tokens[max(at.i - 2, 0) : at.i])
    note = note.partition(";")[0] if is_negated else note
    return Tag(TaggedSpan("area", at.i, match.end, areas=(area,)), (note,))
