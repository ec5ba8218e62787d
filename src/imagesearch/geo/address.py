"""Addresses: their components, and how they are read from a geocoder's response."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagesearch.geo.place_aliases import list_aliases
from imagesearch.text import normalize

_MAX_NAME, _MAX_LINE = 100, 500  # characters; a response from the network can contain anything


@dataclass(frozen=True)
class Address:
    """The address of a position; unknown components are empty.

    ``places`` has all names that apply, each with its kind, in the order city, county, state, country. It can
    have more names than the four fields, such as a suburb and the city around it, or a territory's state.
    """

    city: str = ""
    county: str = ""
    state: str = ""
    country: str = ""
    address: str = ""
    places: tuple[tuple[str, str], ...] = ()


NO_ADDRESS = Address()


def make_address(
    city: str,
    county: str,
    state: str,
    country: str,
    line: str,
    other_cities: Iterable[str],
    parent_country: str = "",
) -> Address:
    """Return an address.

    Parameters
    ----------
    city, county, state, country, line
        The fields of the address.
    other_cities
        Further cities and suburbs of the position.
    parent_country
        The state that a territory belongs to: France for Réunion. It is a place of the address, but no field.
    """
    named = [(name, "city") for name in (city, *other_cities)]
    named += [(county, "county"), (state, "state"), (country, "country"), (parent_country, "country")]
    places: dict[str, tuple[str, str]] = {}
    for name, kind in named:
        for spelling in list_aliases(name, kind, country):
            if normalized := normalize(spelling):
                places.setdefault(normalized, (spelling, kind))
    return Address(city, county, state, country, line, tuple(places.values()))


def join_names(*names: str) -> str:
    """Return names as one line, without duplicates."""
    return ", ".join(dict.fromkeys(name for name in names if name))


def strip_controls(text: str, max_length: int) -> str:
    """Return a text without control characters and lone surrogates, safe for a table and a terminal."""
    characters = (
        " " if unicodedata.category(c) == "Cc" else c for c in text if not "\ud800" <= c <= "\udfff"
    )
    return " ".join("".join(characters).split())[:max_length]


def parse_stored_address(stored: Mapping[str, Any], places: Iterable[Sequence[Any]]) -> Address:
    """Return an address from fields that were read from a file and can contain anything.

    Raises
    ------
    TypeError, ValueError, KeyError
        If a field is missing, or ``places`` has another form.
    """
    fields = {name: strip_controls(str(stored[name]), _MAX_LINE) for name in _FIELDS}
    pairs = ((strip_controls(str(name), _MAX_NAME), str(kind)) for name, kind in places)
    return Address(**fields, places=tuple(pair for pair in pairs if pair[0] and pair[1] in _KINDS))


_KINDS = ("city", "county", "state", "country")
_FIELDS = (*_KINDS, "address")
# Names of the components in OpenStreetMap's geocoders (Nominatim, Photon and others) and in Google's. The
# first name that a response contains is used.
_COMPONENTS = {
    "city": ("city", "town", "village", "municipality", "hamlet", "locality", "postal_town"),
    "county": ("county", "state_district", "administrative_area_level_2"),
    "state": ("state", "province", "region", "administrative_area_level_1"),
    "country": ("country",),
}
# Further places that contain a position; all of them are used. "town" and "village" can appear beside "city".
_DISTRICTS = (
    *("city_district", "borough", "suburb", "quarter", "neighbourhood", "sublocality"),
    *("town", "village"),
)
# Photon uses these instead of most of the others. In Nominatim and Google they have another meaning.
_PHOTON_DISTRICTS = ("district", "locality")


def parse_response(raw: Any, line: str | None) -> Address:
    """Return the address in a geocoder's response; components with other names are left empty.

    Parameters
    ----------
    raw
        The response, decoded from JSON.
    line
        The whole address as one line, which geopy has for every geocoder.
    """
    parts = _list_components(raw if isinstance(raw, Mapping) else {})
    city, county, state, country = (
        next((parts[key] for key in keys if key in parts), "") for keys in _COMPONENTS.values()
    )
    text = strip_controls(line, _MAX_LINE) if isinstance(line, str) else ""
    text = text or join_names(city, county, state, country)
    is_photon = isinstance(raw, Mapping) and isinstance(raw.get("properties"), Mapping)
    keys = (*_PHOTON_DISTRICTS, *_DISTRICTS) if is_photon else _DISTRICTS
    districts = [parts[key] for key in keys if key in parts]
    return make_address(city, county, state, country, text, districts)


def _list_components(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return a dict from the kind of each component in a response to its name."""
    if isinstance(components := raw.get("address_components"), Sequence):  # Google
        typed = [part for part in components if isinstance(part, Mapping)]
        pairs = [(kind, part.get("long_name")) for part in typed for kind in part.get("types", ())]
    else:
        nested = (raw.get(key) for key in ("address", "components", "properties"))
        pairs = list(next((part for part in nested if isinstance(part, Mapping)), raw).items())
    named = ((kind, strip_controls(name, _MAX_NAME)) for kind, name in pairs if isinstance(name, str))
    names = {kind: name for kind, name in named if name}
    if "type" in names and "name" in names:  # Photon's form for a city itself, without the key "city"
        names.setdefault(names["type"], names["name"])
    return names
