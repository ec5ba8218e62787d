"""Addresses: their components, and how geocoders write them down."""

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


def make_address(city: str, county: str, state: str, country: str, line: str, more: Iterable[str]) -> Address:
    """Fill an address; ``more`` are further cities that the position belongs to."""
    named = [(name, "city") for name in (city, *more)]
    named += [(county, "county"), (state, "state"), (country, "country")]
    places: dict[str, tuple[str, str]] = {}
    for name, kind in named:
        for spelling in list_aliases(name, kind, country):
            if folded := normalize(spelling):
                places.setdefault(folded, (spelling, kind))
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
# Names of components in answers of Nominatim and its kin (OpenCage, Photon, PickPoint, Pelias), types in
# Google's, and names in those of ArcGIS, Azure, Bing, GeoNames and HERE.
_KEYS = {
    "city": (
        *("city", "town", "village", "municipality", "hamlet", "locality", "postal_town"),
        *("City", "toponymName"),
    ),
    "county": (
        *("county", "state_district", "administrative_area_level_2"),
        *("Subregion", "countrySecondarySubdivision", "adminDistrict2", "adminName2"),
    ),
    "state": (
        *("state", "province", "region", "administrative_area_level_1"),
        *("Region", "countrySubdivision", "adminDistrict", "adminName1"),
    ),
    "country": ("country", "CntryName", "countryRegion", "countryName"),
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
    parts = _list_components(raw if isinstance(raw, Mapping) else {})
    found = {kind: [parts[key] for key in keys if key in parts] for kind, keys in _KEYS.items()}
    city, county, state, country = (
        (found[kind] or [""])[0] for kind in ("city", "county", "state", "country")
    )
    text = strip_controls(line, _LONGEST_LINE) if isinstance(line, str) else ""
    text = text or join_names(city, county, state, country)
    return make_address(city, county, state, country, text, found["more"])


def _list_components(raw: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(listed := raw.get("address_components"), Sequence):  # Google
        typed = [part for part in listed if isinstance(part, Mapping)]
        pairs = [(kind, part.get("long_name")) for part in typed for kind in part.get("types", ())]
    else:
        nested = (raw.get(key) for key in ("address", "components", "properties"))
        pairs = list(next((part for part in nested if isinstance(part, Mapping)), raw).items())
    named = ((kind, strip_controls(name, _LONGEST_NAME)) for kind, name in pairs if isinstance(name, str))
    return {kind: name for kind, name in named if name}
