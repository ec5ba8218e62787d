"""The rules that tag regions of the world: "in south-east asia", "north of the equator", "northern italy"."""

from __future__ import annotations

import re

from imagesearch.filters import And, Between, Condition, Eq, In, make_box_condition
from imagesearch.geo import (
    MAX_REGION_WORDS,
    PARALLELS,
    REGION_WORDS,
    Region,
    find_country_code,
    find_region,
    list_aliases,
)
from imagesearch.query.clauses import Area
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import PLACE_LEADS
from imagesearch.query.name_rules import ends_phrase
from imagesearch.query.places.world import match_world_place
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import find_name_words, join_texts

_PARALLEL = re.compile(
    r"(?P<side>(?:to the )?(?:north|south) of|above|below|beyond|under|within|inside|in) (?:the )?"
    rf"(?P<name>{'|'.join(PARALLELS)})(?= |$)"
)
_SIDE = r"(?:north|south|east|west|central|middle|(?:south|north)[ -]*(?:east|west))(?:ern)?"
_PART = re.compile(rf"{_SIDE} (?!of )|(?<=the ){_SIDE} of (?:the )?")
# Words after which a region's name that is also an adjective or an everyday word is that region.
_REGION_LEADS = PLACE_LEADS | {"to", "of", "over", "through", "not", "at"}


def tag_region(at: Position) -> Tag | None:
    """Tag a region, a zone, or a part of a country."""
    return _tag_name(at) or _tag_parallel(at) or _tag_part(at)


def _tag_name(at: Position) -> Tag | None:
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
    names: set[str] = set()
    for key, entry in known.entries.items():
        if find_country_code(key) in region.countries:
            # The vocabulary has one of several spellings: Mexico, México.
            names |= {entry.name, *list_aliases(entry.name, "country", "")}
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


def _tag_part(at: Position) -> Tag | None:
    """Tag "northern italy" and "the south of france" as the whole country, with a note."""
    match = _PART.match(at.sentence.text, at.sentence.starts[at.i])
    if match is None or at.place is not None or at.person is not None:
        return None
    place = at.names.places.match_exact(at.tokens, at.sentence.find_token(match.end()))
    if place is None or at.names.places.entries[place.keys[0]].kind not in ("country", "state"):
        return None
    world = match_world_place(at.tokens, at.i)
    if world is not None and world.end >= place.end:
        return None  # West Virginia, South Sudan
    typed = join_texts(at.tokens[at.i : place.end])
    name = " or ".join(at.names.places.entries[key].name for key in place.keys)
    return Tag(TaggedSpan("place", at.i, place.end, place.keys), (f'read "{typed}" as {name}',))
