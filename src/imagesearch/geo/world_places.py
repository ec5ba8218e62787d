"""The world's places of 100,000 people and more, its countries and their first-level regions, by name.

The tables ``places.tsv`` and ``place_names.tsv`` are made by ``scripts/data/make_places.py``; PLACES.md names
the sources. They are read when the first name is looked up: in 3 ms on two cores of a Xeon at 2.6 GHz.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.geo.place_aliases import list_aliases
from imagesearch.great_circle import compute_distance_km
from imagesearch.text import find_sorted_line, normalize

_FOLDER = Path(__file__).parent
# The first words of countries that have an article: the United States, the Netherlands.
_WITH_ARTICLE = frozenset(
    ("United", "Netherlands", "Philippines", "Bahamas", "Maldives", "Czech", "Dominican", "Gambia", "Comoros",
     "Seychelles", "British", "Isle", "Cook", "Faroe", "Cayman", "Falkland", "Marshall", "Solomon",
     "Republic",
     "Central", "Turks")
)  # fmt: skip
MAX_NAME_WORDS = 6
"""Maximum number of words of a name that is looked up."""


@dataclass(frozen=True)
class WorldPlace:
    """A place of the world.

    Attributes
    ----------
    kind
        ``city``, ``state`` or ``country``.
    country_code, country, state
        Where it lies. A country's own name is its ``country``; ``state`` is empty if there is none.
    latitude, longitude
        The position in degrees. Of countries and states: the mean of their places, weighted by people.
    """

    name: str
    kind: str
    country_code: str
    country: str
    state: str
    latitude: float
    longitude: float
    population: int

    @property
    def full_name(self) -> str:
        """The name with its country: ``Hanoi, Vietnam``."""
        country = f"the {self.country}" if self.country.split()[0] in _WITH_ARTICLE else self.country
        return country if self.kind == "country" else f"{self.name}, {self.country}"

    @property
    def names(self) -> tuple[str, ...]:
        """Its normalized names, without those in other languages."""
        return tuple(map(normalize, list_aliases(self.name, self.kind, self.country)))

    def is_in(self, name: str) -> bool:
        """Whether a normalized name is that of its country or its state."""
        if self.kind == "city" and normalize(self.state) == name:
            return True
        return self.kind != "country" and find_country_code(name) == self.country_code

    def compute_km(self, latitude: float, longitude: float) -> float:
        """Return the distance to a position in kilometres."""
        return compute_distance_km(self.latitude, self.longitude, latitude, longitude)


@dataclass(frozen=True)
class NamedPlaces:
    """The places with a name.

    Attributes
    ----------
    places
        Those whose name it is, the largest first.
    others
        Those that are also called so, in other languages and times.
    is_word
        Whether the name is an English word or the name of a person too: Nice, Orange, Charlotte.
    """

    places: tuple[WorldPlace, ...]
    others: tuple[WorldPlace, ...]
    is_word: bool


def find_world_places(words: Sequence[str]) -> NamedPlaces | None:
    """Return the places with a name, given as normalized words."""
    row = _find_row(" ".join(words))
    if row is None:
        return None
    mark, main, others = row
    return NamedPlaces(_list_places(main), _list_places(others), mark == "-")


def find_country_code(name: str) -> str:
    """Return the ISO code of the country with a normalized name in any major language; empty if unknown."""
    return _load_country_codes().get(name, "")


def _list_places(numbers: str) -> tuple[WorldPlace, ...]:
    return tuple(_get_place(int(number)) for number in numbers.split(",") if number)


def _get_place(number: int) -> WorldPlace:
    name, kind, code, state, latitude, longitude, population = _load_places()[number].split("\t")
    country = name if kind == "country" else _load_country_names().get(code, "")
    return WorldPlace(name, kind, code, country, state, float(latitude), float(longitude), int(population))


def _find_row(name: str) -> list[str] | None:
    """Find the line of a name."""
    rest = find_sorted_line(_load_names(), name.encode())
    return None if rest is None else rest.decode().split("\t")


@functools.cache
def _load_names() -> bytes:
    return (_FOLDER / "place_names.tsv").read_bytes()


@functools.cache
def _load_places() -> list[str]:
    return (_FOLDER / "places.tsv").read_text("utf-8").splitlines()


@functools.cache
def _load_countries() -> list[list[str]]:
    """Return the code, English name, and other normalized names of each country."""
    return [line.split("\t") for line in (_FOLDER / "countries.tsv").read_text("utf-8").splitlines()]


@functools.cache
def _load_country_names() -> dict[str, str]:
    return {code: name for code, name, _ in _load_countries()}


@functools.cache
def _load_country_codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for code, _, names in _load_countries():
        for name in names.split("|"):
            codes.setdefault(name, code)
    return codes
