"""From positions to addresses: offline, or by a geocoder over the network as far as it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from imagesearch.errors import GeocoderError
from imagesearch.geo.address import NO_ADDRESS, Address
from imagesearch.geo.offline import get_offline_geocoder
from imagesearch.geo.online import OnlineGeocoder, round_position
from imagesearch.pipeline import Progress

# Places in a row without an answer, after which a run asks no more: of a server that is busy or gone, and of
# one that stumbles over the places themselves.
_MAX_FAILURES_BUSY, _MAX_FAILURES = 3, 10


@dataclass
class LookupResult:
    """Addresses in the order of the positions, and how asking over the network went; counts of places."""

    addresses: list[Address]
    asked: int = 0
    unanswered: int = 0
    reason: str = ""


def find_addresses(
    latitudes: np.ndarray,
    longitudes: np.ndarray,
    online: OnlineGeocoder | None = None,
    progress: Progress | None = None,
    keep: Callable[[Sequence[Address]], object] | None = None,
) -> LookupResult:
    """Return the addresses of positions: offline, or by a network geocoder as far as it answers.

    Parameters
    ----------
    latitudes, longitudes : (n,) float64
        Degrees.
    online
        Asked about each distinct place, until it refuses or fails to answer about several in a row. Then the
        offline address stands in, and nothing is cached, so that the next run asks again.
    progress
        Shows the places that are asked about.
    keep
        Is given the addresses as they are known before anything is asked, and once more afterwards, however
        that ends: asking can take hours.
    """
    keep = keep or (lambda _: None)
    if online is None:
        lookup = LookupResult(get_offline_geocoder().find_addresses(latitudes, longitudes))
        keep(lookup.addresses)
        return lookup
    places = [round_position(*pair) for pair in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    missing = sorted(
        (place for place in dict.fromkeys(places) if online.get_cached(place) is None), key=online.has_failed
    )
    asked, reason = 0, ""
    try:
        if missing:
            keep(_get_known_addresses(online, places, latitudes, longitudes))
            items = progress(missing, len(missing), unit="place", label="asking") if progress else missing
            asked, reason = _ask_all(online, items)
    finally:
        addresses = _get_known_addresses(online, places, latitudes, longitudes)
        keep(addresses)
    unanswered = sum(online.get_cached(place) is None for place in missing)
    return LookupResult(addresses, asked, unanswered, reason)


def _get_known_addresses(
    online: OnlineGeocoder,
    places: Sequence[tuple[float, float]],
    latitudes: np.ndarray,
    longitudes: np.ndarray,
) -> list[Address]:
    """Return what the cache has; the offline address where it has nothing.

    The components of the offline address stand in for those of an answer that names them in a way of its
    own, which is one in which no country is found; its line stays.
    """
    addresses = [online.get_cached(place) for place in places]
    rest = [i for i, found in enumerate(addresses) if found is None or (found.address and not found.country)]
    if rest:
        stand_ins = get_offline_geocoder().find_addresses(latitudes[rest], longitudes[rest])
        for i, stand_in in zip(rest, stand_ins, strict=True):
            answer = addresses[i]
            if answer is None:
                addresses[i] = stand_in
            elif stand_in.country:
                addresses[i] = replace(stand_in, address=answer.address)
    return [address or NO_ADDRESS for address in addresses]


def _ask_all(online: OnlineGeocoder, places: Iterable[tuple[float, float]]) -> tuple[int, str]:
    """Ask about places while there are answers; return how many came, and why the last one did not."""
    answers = failures = 0
    reason = ""
    for place in places:
        try:
            online.ask(place)
            answers, failures = answers + 1, 0
        except GeocoderError as error:
            failures, reason = failures + 1, str(error)
            if error.final or failures >= (_MAX_FAILURES_BUSY if error.busy else _MAX_FAILURES):
                break
    return answers, reason
