"""Finds addresses of positions: offline, or with an online geocoder and offline addresses as a fallback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from imagesearch.errors import GeocoderError
from imagesearch.geo.address import NO_ADDRESS, Address
from imagesearch.geo.offline import get_offline_geocoder
from imagesearch.geo.online import OnlineGeocoder, round_position
from imagesearch.pipeline import Progress

# A run sends no more requests after this number of failures in a row: 3 if the server is busy or unreachable,
# 10 if it fails for the places themselves.
_MAX_FAILURES_BUSY, _MAX_FAILURES = 3, 10


@dataclass
class LookupResult:
    """Addresses in the order of the positions, and the numbers of places with and without a response."""

    addresses: list[Address]
    answered: int = 0
    unanswered: int = 0
    reason: str = ""
    """The reason of the last failure."""


def find_addresses(
    latitudes: np.ndarray,
    longitudes: np.ndarray,
    online: OnlineGeocoder | None = None,
    progress: Progress | None = None,
    save: Callable[[Sequence[Address]], object] | None = None,
) -> LookupResult:
    """Return the addresses of positions.

    Parameters
    ----------
    latitudes, longitudes : (n,) float64
        Degrees.
    online
        An online geocoder, which is queried for each distinct place that is not in its cache. If it refuses,
        or fails several times in a row, the remaining places get their offline addresses. These are not
        cached, so the next run queries the geocoder again.
    progress
        Shows the places that are queried.
    save
        Called with the addresses known before the first request, and again when the requests end or are
        interrupted: they can take hours.
    """
    save = save or (lambda _: None)
    if online is None:
        lookup = LookupResult(get_offline_geocoder().find_addresses(latitudes, longitudes))
        save(lookup.addresses)
        return lookup
    places = [round_position(*pair) for pair in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    missing = sorted(
        (place for place in dict.fromkeys(places) if online.get_cached(place) is None), key=online.has_failed
    )
    answered, reason = 0, ""
    try:
        if missing:
            save(_get_known_addresses(online, places, latitudes, longitudes))
            items = progress(missing, len(missing), unit="place", label="addresses") if progress else missing
            answered, reason = _fetch_all(online, items)
    finally:
        addresses = _get_known_addresses(online, places, latitudes, longitudes)
        save(addresses)
    unanswered = sum(online.get_cached(place) is None for place in missing)
    return LookupResult(addresses, answered, unanswered, reason)


def _get_known_addresses(
    online: OnlineGeocoder,
    places: Sequence[tuple[float, float]],
    latitudes: np.ndarray,
    longitudes: np.ndarray,
) -> list[Address]:
    """Return the cached addresses, and offline addresses for the other places.

    A cached address without a country is from a geocoder with other names for its components. Its components
    are replaced by those of the offline address; its line is kept.
    """
    addresses = [online.get_cached(place) for place in places]
    incomplete = [
        i
        for i, address in enumerate(addresses)
        if address is None or (address.address and not address.country)
    ]
    if incomplete:
        fallbacks = get_offline_geocoder().find_addresses(latitudes[incomplete], longitudes[incomplete])
        for i, fallback in zip(incomplete, fallbacks, strict=True):
            cached = addresses[i]
            if cached is None:
                addresses[i] = fallback
            elif fallback.country:
                addresses[i] = replace(fallback, address=cached.address)
    return [address or NO_ADDRESS for address in addresses]


def _fetch_all(online: OnlineGeocoder, places: Iterable[tuple[float, float]]) -> tuple[int, str]:
    """Fetch addresses until too many requests fail; return their number and the last failure's reason."""
    answered = failures = 0
    reason = ""
    for place in places:
        try:
            online.fetch(place)
            answered, failures = answered + 1, 0
        except GeocoderError as error:
            failures, reason = failures + 1, str(error)
            if error.final or failures >= (_MAX_FAILURES_BUSY if error.busy else _MAX_FAILURES):
                break
    return answered, reason
