"""Addresses: their components, and where these stand in a geocoder's answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagesearch.geo.place_aliases import list_aliases
from imagesearch.text import normalize

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


NO_ADDRESS = Address()


def make_address(
    city: str, county: str, state: str, country: str, line: str, other_cities: Iterable[str]
) -> Address:
    """Return an address; ``other_cities`` are further ones that the position belongs to."""
    named = [(name, "city") for name in (city, *other_cities)]
    named += [(county, "county"), (state, "state"), (country, "country")]
    places: dict[str, tuple[str, str]] = {}
    for name, kind in named:
        for spelling in list_aliases(name, kind, country):
            if normalized := normalize(spelling):
                places.setdefault(normalized, (spelling, kind))
    return Address(city, county, state, country, line, tuple(places.values()))


def join_names(*names: str) -> str:
    """Write names as one line, each once."""
    return ", ".join(dict.fromkeys(name for name in names if name))


def strip_controls(text: str, longest: int) -> str:
    """Return what a table and a terminal can hold of a stranger's text: no controls, no half letters."""
    kept = (" " if unicodedata.category(c) == "Cc" else c for c in text if not "\ud800" <= c <= "\udfff")
    return " ".join("".join(kept).split())[:longest]


def parse_stored_address(found: Mapping[str, Any], places: Iterable[Sequence[Any]]) -> Address:
    """Return an address of strings that may be anything, as a file may hold them.

    Raises
    ------
    TypeError, ValueError, KeyError
        If there are others than an address has, or none.
    """
    fields = {name: strip_controls(str(found[name]), _LONGEST_LINE) for name in _FIELDS}
    pairs = ((strip_controls(str(name), _LONGEST_NAME), str(kind)) for name, kind in places)
    return Address(**fields, places=tuple(pair for pair in pairs if pair[0] and pair[1] in _KINDS))


_KINDS = ("city", "county", "state", "country")
_FIELDS = (*_KINDS, "address")
# What OpenStreetMap's geocoders (Nominatim, Photon and others) and Google call components; the first that is
# there counts.
_COMPONENTS = {
    "city": ("city", "town", "village", "municipality", "hamlet", "locality", "postal_town"),
    "county": ("county", "state_district", "administrative_area_level_2"),
    "state": ("state", "province", "region", "administrative_area_level_1"),
    "country": ("country",),
}
# Further places that a position lies in, all of them; the last two where a city is named as well.
_DISTRICTS = (
    *("city_district", "borough", "suburb", "quarter", "neighbourhood", "sublocality"),
    *("town", "village"),
)
# Photon has these instead of most of the others; to Nominatim and Google they are something else.
_PHOTON_DISTRICTS = ("district", "locality")


def parse_response(raw: Any, line: str | None) -> Address:
    """Return the address in a geocoder's answer; components that it names otherwise are left empty.

    Parameters
    ----------
    raw
        Decoded JSON.
    line
        The whole address, as geopy has it of every geocoder.
    """
    parts = _list_components(raw if isinstance(raw, Mapping) else {})
    city, county, state, country = (
        next((parts[key] for key in keys if key in parts), "") for keys in _COMPONENTS.values()
    )
    text = strip_controls(line, _LONGEST_LINE) if isinstance(line, str) else ""
    text = text or join_names(city, county, state, country)
    is_photon = isinstance(raw, Mapping) and isinstance(raw.get("properties"), Mapping)
    keys = (*_PHOTON_DISTRICTS, *_DISTRICTS) if is_photon else _DISTRICTS
    districts = [parts[key] for key in keys if key in parts]
    return make_address(city, county, state, country, text, districts)


def _list_components(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the names in an answer by their kinds."""
    if isinstance(listed := raw.get("address_components"), Sequence):  # Google
        typed = [part for part in listed if isinstance(part, Mapping)]
        pairs = [(kind, part.get("long_name")) for part in typed for kind in part.get("types", ())]
    else:
        nested = (raw.get(key) for key in ("address", "components", "properties"))
        pairs = list(next((part for part in nested if isinstance(part, Mapping)), raw).items())
    named = ((kind, strip_controls(name, _LONGEST_NAME)) for kind, name in pairs if isinstance(name, str))
    found = {kind: name for kind, name in named if name}
    if "type" in found and "name" in found:  # how Photon gives a city itself, which has no key "city" then
        found.setdefault(found["type"], found["name"])
    return found
