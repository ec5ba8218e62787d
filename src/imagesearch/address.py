"""Addresses: their components, the names that people type for them, and how geocoders write them down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagesearch.words import fold

# What people type where GeoNames writes another name, and what they call countries that it names by ISO's
# list; keys are folded. Only the best known: more would want a gazetteer of its own.
_ALSO = {
    "new york city": ("New York", "NYC"),
    "koln": ("Cologne",),
    "sevilla": ("Seville",),
    "goteborg": ("Gothenburg",),
    "antwerpen": ("Antwerp",),
    "brugge": ("Bruges",),
    "bengaluru": ("Bangalore",),
    "ho chi minh city": ("Saigon",),
    "united states": ("USA", "America"),
    "united kingdom": ("UK", "Great Britain"),
    "united arab emirates": ("UAE", "Emirates"),
    "netherlands": ("Holland",),
    "czech republic": ("Czechia",),
    "russian federation": ("Russia",),
    "korea, republic of": ("South Korea", "Korea"),
    "korea, democratic peoples republic of": ("North Korea",),
    "iran, islamic republic of": ("Iran",),
    "tanzania, united republic of": ("Tanzania",),
    "moldova, republic of": ("Moldova",),
    "congo, the democratic republic of the": ("DR Congo", "Congo"),
    "lao peoples democratic republic": ("Laos",),
    "syrian arab republic": ("Syria",),
    "libyan arab jamahiriya": ("Libya",),
    "brunei darussalam": ("Brunei",),
    "holy see (vatican city state)": ("Vatican",),
    "cote divoire": ("Ivory Coast",),
    "macedonia": ("North Macedonia",),
    "swaziland": ("Eswatini",),
    "turkey": ("Türkiye",),
}
_LONGEST_NAME, _LONGEST_LINE = 100, 500  # characters; answers over the network are not to be trusted


@dataclass(frozen=True)
class Address:
    """Where a position is, as people write it; what is not known is empty.

    ``places`` are all names that apply, each with its kind (city, county, state, country), the nearest
    first; more than the four fields, for one may be in a suburb and in the city around it.
    """

    city: str = ""
    county: str = ""
    state: str = ""
    country: str = ""
    address: str = ""
    places: tuple[tuple[str, str], ...] = ()


NOWHERE = Address()


def make_address(city: str, county: str, state: str, country: str, line: str, more: Iterable[str]) -> Address:
    """Fill an address; ``more`` are further cities that the position belongs to."""
    named = [(name, "city") for name in (city, *more)]
    named += [(county, "county"), (state, "state"), (country, "country")]
    places: dict[str, tuple[str, str]] = {}
    for name, kind in named:
        for spelling in (name, *_ALSO.get(fold(name), ())):
            if folded := fold(spelling):
                places.setdefault(folded, (spelling, kind))
    return Address(city, county, state, country, line, tuple(places.values()))


def join_names(*names: str) -> str:
    """Write names as one line, each once."""
    return ", ".join(dict.fromkeys(name for name in names if name))


# Names of components in answers of Nominatim and its kin (OpenCage, Photon, PickPoint, Geolake, Pelias), and
# types in Google's.
_KEYS = {
    "city": ("city", "town", "village", "municipality", "hamlet", "locality", "postal_town"),
    "county": ("county", "state_district", "administrative_area_level_2"),
    "state": ("state", "province", "region", "administrative_area_level_1"),
    "country": ("country",),
    "more": (
        "city_district",
        "borough",
        "suburb",
        "quarter",
        "neighbourhood",
        "sublocality",
        "town",
        "village",
    ),
}


def parse_answer(raw: Any, line: str | None) -> Address:
    """Return the address in a geocoder's answer; components in a form not known are left empty.

    Parameters
    ----------
    raw
        Decoded JSON.
    line
        The whole address.
    """
    parts = _components(raw if isinstance(raw, Mapping) else {})
    found = {kind: [parts[key] for key in keys if key in parts] for kind, keys in _KEYS.items()}
    city, county, state, country = (
        (found[kind] or [""])[0] for kind in ("city", "county", "state", "country")
    )
    text = line[:_LONGEST_LINE] if isinstance(line, str) else join_names(city, county, state, country)
    return make_address(city, county, state, country, text, found["more"])


def _components(raw: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(listed := raw.get("address_components"), Sequence):  # Google
        typed = [part for part in listed if isinstance(part, Mapping)]
        pairs = [(kind, part.get("long_name")) for part in typed for kind in part.get("types", ())]
    else:
        nested = (raw.get(key) for key in ("address", "components", "properties"))
        pairs = list(next((part for part in nested if isinstance(part, Mapping)), raw).items())
    return {kind: name[:_LONGEST_NAME] for kind, name in pairs if isinstance(name, str) and name}
