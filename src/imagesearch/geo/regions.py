"""Regions of the world: continents, regions of the UN, other groups of countries, mountain ranges and zones.

A region is a set of countries, or boxes of latitudes and longitudes. To add a region, add a line to one of
the tables below. Names are in the form of `make_region_key`: "south east asia" and "south-eastern asia" are
``southeast asia``.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

# South, north, west, east in degrees.
Box = tuple[float, float, float, float]


def _split(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Geographic regions of the UN (M49, https://unstats.un.org/unsd/methodology/m49/) by country (ISO 3166-1).
# Not in M49: XK (Kosovo) and TW (Taiwan), and AQ (Antarctica) is a region of its own.
SUBREGIONS = {
    "north africa": "DZ EG EH LY MA SD TN",
    "east africa": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW",
    "middle africa": "AO CD CF CG CM GA GQ ST TD",
    "southern africa": "BW LS NA SZ ZA",
    "west africa": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG",
    "caribbean": "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",
    "central america": "BZ CR GT HN MX NI PA SV",
    "south america": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
    "northern america": "BM CA GL PM US",
    "antarctica": "AQ",
    "central asia": "KG KZ TJ TM UZ",
    "east asia": "CN HK JP KP KR MN MO TW",
    "southeast asia": "BN ID KH LA MM MY PH SG TH TL VN",
    "south asia": "AF BD BT IN IR LK MV NP PK",
    "west asia": "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE",
    "eastern europe": "BG BY CZ HU MD PL RO RU SK UA",
    "northern europe": "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ",
    "southern europe": "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK",
    "western europe": "AT BE CH DE FR LI LU MC NL",
    "australia_new_zealand": "AU CC CX HM NF NZ",
    "melanesia": "FJ NC PG SB VU",
    "micronesia": "FM GU KI MH MP NR PW UM",
    "polynesia": "AS CK NU PF PN TK TO TV WF WS",
}
# Names of groups, as subregions, other groups and countries. Cyprus is a country of Europe too, by custom.
_GROUPS = {
    "africa": "north africa + sub saharan africa",
    "sub saharan africa": "east africa + middle africa + southern africa + west africa",
    "subsaharan africa": "sub saharan africa",
    "central africa": "middle africa",
    "maghreb": "DZ LY MA MR TN EH",
    "horn of africa": "DJ ER ET SO",
    "asia": "central asia + east asia + southeast asia + south asia + west asia",
    "far east": "east asia + southeast asia",
    "indochina": "KH LA MM TH VN",
    "indian subcontinent": "BD BT IN LK MV NP PK",
    "subcontinent": "indian subcontinent",
    "middle east": "west asia + EG IR - AM AZ GE",
    "near east": "middle east",
    "mideast": "middle east",
    "levant": "CY IL JO LB PS SY",
    "gulf states": "AE BH KW OM QA SA",
    "arabian peninsula": "AE BH KW OM QA SA YE",
    "caucasus": "AM AZ GE",
    "europe": "east europe + north europe + south europe + west europe + CY",
    "east europe": "eastern europe",
    "north europe": "northern europe",
    "south europe": "southern europe",
    "west europe": "western europe",
    "central europe": "AT CH CZ DE HU LI PL SI SK",
    "middle europe": "central europe",
    "mainland europe": "europe - GB IE IS MT CY",
    "continental europe": "mainland europe",
    "scandinavia": "DK NO SE",
    "nordic countries": "AX DK FI FO IS NO SE SJ",
    "nordics": "nordic countries",
    "baltics": "EE LT LV",
    "baltic states": "baltics",
    "baltic countries": "baltics",
    "benelux": "BE LU NL",
    "low countries": "BE LU NL",
    "british isles": "GB IE IM JE GG",
    "iberia": "ES PT AD GI",
    "iberian peninsula": "iberia",
    "balkans": "AL BA BG GR HR ME MK RO RS SI XK",
    "balkan peninsula": "balkans",
    "former yugoslavia": "BA HR ME MK RS SI XK",
    "yugoslavia": "former yugoslavia",
    "soviet union": "AM AZ BY EE GE KG KZ LT LV MD RU TJ TM UA UZ",
    "former soviet union": "soviet union",
    "eu": "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE",
    "european union": "eu",
    "americas": "north america + south america",
    "the americas": "americas",
    "north america": "northern america + central america + caribbean",
    "latin america": "central america + south america + caribbean",
    "west indies": "caribbean",
    "caribbean islands": "caribbean",
    "antilles": "caribbean - BS TC",
    "oceania": "australia_new_zealand + melanesia + micronesia + polynesia",
    "australasia": "AU NZ PG",
    "pacific islands": "melanesia + micronesia + polynesia",
    "south pacific": "pacific islands",
    "south seas": "pacific islands",
}
# In these groups, some names of subregions differ from the key.
_DISPLAY = {
    "eu": "the EU", "sub saharan africa": "Sub-Saharan Africa", "subsaharan africa": "Sub-Saharan Africa",
    "southeast asia": "South-East Asia", "horn of africa": "the Horn of Africa",
    "mideast": "the Middle East", "the americas": "the Americas", "northern america": "Northern America",
    "former yugoslavia": "former Yugoslavia", "former soviet union": "the former Soviet Union",
}  # fmt: skip
_WITH_ARTICLE = _split(
    """caribbean maghreb subcontinent levant caucasus baltics balkans nordics americas antilles alps himalayas
    himalaya andes rockies pyrenees carpathians dolomites apennines urals appalachians sahara mediterranean
    arctic antarctic tropics"""
) | {
    "far east", "middle east", "near east", "indian subcontinent", "gulf states", "arabian peninsula",
    "nordic countries", "baltic states", "baltic countries", "low countries", "british isles",
    "iberian peninsula",
    "balkan peninsula",
    "soviet union", "european union", "west indies", "caribbean islands", "pacific islands", "south pacific",
    "south seas", "rocky mountains", "black forest", "french riviera", "mediterranean sea", "sahara desert",
    "northern hemisphere", "southern hemisphere", "western hemisphere", "eastern hemisphere",
    "atlas mountains",
    "scottish highlands", "lake district", "great lakes",
}  # fmt: skip
# Ranges, coasts and zones as boxes. The boxes of a range follow it roughly; nearby cities can lie inside.
_BOXES: dict[str, tuple[Box, ...]] = {
    "alps": ((43.9, 45.9, 5.6, 7.9), (45.6, 47.6, 6.5, 10.5), (45.9, 47.9, 10.5, 13.5),
             (46.2, 47.9, 13.5, 15.6)),
    "dolomites": ((45.9, 46.9, 11.2, 12.6),),
    "himalayas": ((31.0, 36.0, 73.0, 79.5), (28.5, 31.5, 78.0, 82.0), (26.9, 30.0, 81.0, 97.0)),
    "karakoram": ((34.5, 37.0, 73.5, 78.0),),
    "andes": ((-5.0, 11.0, -80.0, -72.0), (-18.0, -5.0, -79.5, -67.0), (-40.0, -18.0, -71.8, -65.0),
              (-55.0, -40.0, -74.5, -71.0)),
    "rockies": ((49.0, 52.0, -120.0, -114.6), (52.0, 60.0, -130.0, -116.0), (43.0, 49.0, -117.0, -108.5),
                (35.0, 43.0, -112.5, -104.7)),
    "pyrenees": ((42.0, 43.3, -2.0, 3.2),),
    "carpathians": ((48.4, 49.9, 18.0, 25.0), (45.0, 48.4, 22.5, 26.7)),
    "apennines": ((37.9, 44.5, 8.5, 16.5),),
    "urals": ((51.0, 69.0, 55.0, 65.0),),
    "appalachians": ((33.5, 40.0, -85.5, -77.0), (40.0, 47.5, -79.0, -68.0)),
    "sierra nevada": ((35.5, 40.5, -121.5, -117.8), (36.9, 37.3, -3.7, -2.6)),
    "scottish highlands": ((56.0, 58.8, -7.5, -3.0),),
    "lake district": ((54.2, 54.8, -3.6, -2.7),),
    "black forest": ((47.6, 48.95, 7.6, 8.75),),
    "atlas mountains": ((29.5, 36.5, -10.0, 9.0),),
    "sahara": ((16.0, 31.5, -15.0, 34.0),),
    "mediterranean": ((30.2, 41.5, -5.8, 36.3), (41.5, 44.6, 2.5, 20.0), (43.5, 45.9, 12.0, 15.5)),
    "french riviera": ((43.0, 43.9, 6.0, 7.6),),
    "cote d azur": ((43.0, 43.9, 6.0, 7.6),),
    "riviera": ((43.0, 44.5, 6.0, 9.9),),
    "provence": ((43.0, 44.6, 4.2, 7.0),),
    "patagonia": ((-56.0, -38.0, -76.0, -62.0),),
    "great lakes": ((41.2, 49.1, -92.3, -76.0),),
    "siberia": ((49.0, 78.0, 60.0, 180.0), (60.0, 72.0, -180.0, -169.0)),
    "lapland": ((65.5, 71.3, 12.0, 42.0),),
    "arctic": ((66.5636, 90.0, -180.0, 180.0),),
    "antarctic": ((-90.0, -60.0, -180.0, 180.0),),
    "tropics": ((-23.4364, 23.4364, -180.0, 180.0),),
    "northern hemisphere": ((0.0, 90.0, -180.0, 180.0),),
    "southern hemisphere": ((-90.0, 0.0, -180.0, 180.0),),
    "western hemisphere": ((-90.0, 90.0, -180.0, 0.0),),
    "eastern hemisphere": ((-90.0, 90.0, 0.0, 180.0),),
}  # fmt: skip
_SAME_BOXES = {
    "himalaya": "himalayas", "rocky mountains": "rockies", "canadian rockies": "rockies",
    "swiss alps": "alps",
    "french alps": "alps", "italian alps": "alps", "austrian alps": "alps",
    "mediterranean sea": "mediterranean",
    "sahara desert": "sahara", "carpathian mountains": "carpathians", "ural mountains": "urals",
    "appalachian mountains": "appalachians", "highlands of scotland": "scottish highlands",
}  # fmt: skip
# Parallels, for "north of the equator".
PARALLELS = {
    "equator": 0.0,
    "arctic circle": 66.5636,
    "polar circle": 66.5636,
    "antarctic circle": -66.5636,
    "tropic of cancer": 23.4364,
    "tropic of capricorn": -23.4364,
}
# Names that are also everyday words or parts of other names: a region only after *in* and the like.
_NEEDS_LEAD = _split(
    """alps andes rockies tropics eu riviera levant subcontinent americas urals balkans baltics antilles
    iberia provence"""
) | {"black forest", "great lakes", "lake district", "sierra nevada", "low countries", "near east",
     "far east", "soviet union", "gulf states"}  # fmt: skip
# Names that are adjectives too: a region only after "in the" and the like.
_NEEDS_ARTICLE = frozenset(("caribbean", "mediterranean", "arctic", "antarctic", "eu", "near east"))
_COMPASS = {
    "northern": "north",
    "southern": "south",
    "eastern": "east",
    "western": "west",
    "central": "central",
}
_DIAGONALS = {("south", "east"): "southeast", ("south", "west"): "southwest", ("north", "east"): "northeast",
              ("north", "west"): "northwest"}  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A region of the world.

    Attributes
    ----------
    name
        The name to display, with its article: ``the Alps``.
    countries
        The countries that it consists of (ISO 3166-1); empty for a region of boxes.
    boxes
        Its boxes: south, north, west and east in degrees.
    needs_lead, needs_article
        Whether its name is a region only after *in* and the like, and only with *the*.
    """

    name: str
    countries: frozenset[str] = frozenset()
    boxes: tuple[Box, ...] = ()
    needs_lead: bool = False
    needs_article: bool = False


def make_region_key(words: Sequence[str]) -> str:
    """Return a name in the form of the tables: ``southeast asia`` for "south-eastern asia"."""
    merged: list[str] = []
    for word in words:
        word = {"se": "southeast", "sw": "southwest", "ne": "northeast", "nw": "northwest"}.get(word, word)
        word = word.removesuffix("ern") if word.startswith(("south", "north")) and len(word) > 8 else word
        if (
            merged
            and (pair := (_COMPASS.get(merged[-1], merged[-1]), _COMPASS.get(word, word))) in _DIAGONALS
        ):
            merged[-1] = _DIAGONALS[pair]
        else:
            merged.append(word)
    return " ".join(merged)


def find_region(words: Sequence[str]) -> Region | None:
    """Return the region with a name, given as normalized words."""
    key = make_region_key(words)
    first, _, rest = key.partition(" ")
    plain = f"{_COMPASS.get(first, first)} {rest}"
    return _find_by_key(key) or _find_by_key(plain)


MAX_REGION_WORDS = 4
REGION_WORDS = frozenset(
    key.split()[0] for table in (SUBREGIONS, _GROUPS, _BOXES, _SAME_BOXES) for key in table
) | {*_COMPASS, *_COMPASS.values(), "se", "sw", "ne", "nw", "southeastern", "southwestern", "northeastern"}
"""The words that a region can start with. One lookup excludes most words of a sentence."""


@functools.cache
def _find_by_key(key: str) -> Region | None:
    countries = _list_countries(key) if key in _GROUPS or key in SUBREGIONS else frozenset[str]()
    boxes = _BOXES.get(_SAME_BOXES.get(key, key), ())
    if not countries and not boxes:
        return None
    needs_article = key in _NEEDS_ARTICLE
    return Region(
        _make_display_name(key), countries, boxes, needs_article or key in _NEEDS_LEAD, needs_article
    )


def _list_countries(key: str) -> frozenset[str]:
    if key in SUBREGIONS:
        return frozenset(SUBREGIONS[key].split())
    added, _, removed = _GROUPS[key].partition(" - ")
    countries: set[str] = set()
    for part in added.split(" + "):
        if part in SUBREGIONS or part in _GROUPS:
            countries |= _list_countries(part)
        else:  # the last part can be a subregion and codes: "west asia + EG IR"
            countries.update(part.split())
    return frozenset(countries - set(removed.split()))


def _make_display_name(key: str) -> str:
    if key in _DISPLAY:
        return _DISPLAY[key]
    small = {"of", "and", "the", "d"}
    name = " ".join(word if word in small else word.capitalize() for word in key.split())
    return f"the {name}" if key in _WITH_ARTICLE else name
