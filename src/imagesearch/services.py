"""What the config may say of geocoders: which there are, where they are, and who asks."""

from __future__ import annotations

import difflib
from typing import Any
from urllib.parse import urlsplit

# Those after the first two are geopy's that can go from positions to addresses, by its names for them.
GEOCODERS = (
    *("offline", "none", "nominatim", "arcgis", "azure", "baidu", "baiduv3", "banfrance", "bing"),
    *("geocodeearth", "geocodio", "geokeo", "geonames", "google", "googlev3", "here", "herev7", "ignfrance"),
    *("mapbox", "mapquest", "maptiler", "opencage", "openmapquest", "pelias", "photon", "pickpoint"),
    *("tomtom", "what3words", "what3wordsv3", "woosmap", "yandex"),
)


def geocoder(value: Any) -> Any:
    """Return the name of a geocoder; these raise ValueError of anything else."""
    if value in GEOCODERS:
        return value
    near = difflib.get_close_matches(str(value).lower(), GEOCODERS, n=1)
    hint = f"did you mean {near[0]}?" if near else "offline, nominatim, none or another that geopy names"
    raise ValueError(f"no such geocoder; {hint}")


def server(value: str) -> str:
    """Return the address of a server, to which a path can be added."""
    try:
        parts = urlsplit(value)
        is_server = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        is_server = False
    if not is_server or parts.query or parts.fragment or not value.isascii() or not value.isprintable():
        raise ValueError("the address of a server is wanted: https://nominatim.example.org, without a query")
    return value


def header(value: str) -> str:
    """Return what can be the value of an HTTP header."""
    if not value.strip() or not value.isprintable() or not all(c <= "\xff" for c in value):
        raise ValueError("one line of Latin letters is wanted: it is sent as a header of HTTP")
    return value
