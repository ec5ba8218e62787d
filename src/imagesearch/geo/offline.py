"""Addresses without a connection: the nearest of GeoNames' places, and the city that a position lies in."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.geo.address import NO_ADDRESS, Address, join_names, make_address
from imagesearch.geo.geonames import GeoNamesPlaces, load_places
from imagesearch.geo.great_circle import chord_to_km, to_unit_vectors

_FARTHEST_KM = 100.0  # from the nearest place: beyond, this is open sea or ice, and has no address
_FARTHEST_CITY_KM = 50.0  # beyond, one is in the state and the country, but not in that place
_CITY_KM = 15.0  # within which a city's name is typed for what lies in or beside it
_METROPOLIS_KM = 30.0  # and that of one which reaches so far, in its own state
_LARGE, _METROPOLIS = 100_000, 1_000_000
# How far a city extends: the circle that holds its people at a suburb's density.
_PEOPLE_A_KM2 = 2_000
_CANDIDATES = 16  # large places near a position; around Tokyo and New York there are a dozen within 15 km
_POSITIONS_AT_ONCE = 50_000


@dataclass(frozen=True)
class OfflineGeocoder:
    """Reverse geocoding by GeoNames' places, which come with a package; see `get_offline_geocoder`.

    The nearest of them is a suburb as often as not: the Eiffel Tower is nearest to Vanves. So larger cities
    are looked up too. The address' city is the largest one whose built-up area the position lies in, in the
    same state; the largest one within 15 km (30 where it reaches so far), and any that the position lies in,
    are among the places. Nearness is that of the sphere, which has no seam at the date line and no stretched
    degrees at the poles.

    Attributes
    ----------
    places : GeoNamesPlaces
        n of them.
    reach_km : (n,) float64
        From the middle of each to the edge of its built-up area.
    countries, states : (n,) int64
        Numbers that stand for the country, and for the state in its country.
    lacks_city : (n,) bool
        The place's country has no large city.
    trees : list of (rows, KDTree)
        Of all places, the large cities, and those of a million people, on the unit sphere.
    """

    places: GeoNamesPlaces
    reach_km: np.ndarray
    countries: np.ndarray
    states: np.ndarray
    lacks_city: np.ndarray
    trees: list[tuple[np.ndarray, Any]]

    def find_addresses(self, latitudes: np.ndarray, longitudes: np.ndarray) -> list[Address]:
        """Return the address of each position, `NO_ADDRESS` where no place is within 100 km.

        Parameters
        ----------
        latitudes, longitudes : (n,) float64
            Degrees.
        """
        addresses: list[Address] = []
        for start in range(0, len(latitudes), _POSITIONS_AT_ONCE):
            part = slice(start, start + _POSITIONS_AT_ONCE)
            addresses += self._find_batch(to_unit_vectors(latitudes[part], longitudes[part]))
        return addresses

    def _find_batch(self, vectors: np.ndarray) -> list[Address]:
        (nearest, km), *cities = (
            self._find_nearest(vectors, i, k) for i, k in enumerate((1, _CANDIDATES, 8))
        )
        nearest, km = nearest[:, 0], km[:, 0]
        candidates, city_km = (np.hstack(both) for both in zip(*cities, strict=True))
        home = nearest[:, None]
        same_country = (self.countries[candidates] == self.countries[home]) | self.lacks_city[home]
        same_state = self.states[candidates] == self.states[home]
        people, reach = self.places.populations[candidates], self.reach_km[candidates]
        is_near = city_km <= _CITY_KM
        valid = same_country & (is_near | (same_state & (city_km <= np.minimum(reach, _METROPOLIS_KM))))
        covering = valid & (city_km <= reach)
        absorbs = self._absorbs(home, km[:, None], candidates, is_near)
        columns = [
            nearest,
            _choose_best(candidates, np.where(covering & same_state & absorbs, people, -1)),
            _choose_best(candidates, np.where(valid, people, -1)),
            _choose_best(candidates, np.where(covering, reach / np.maximum(city_km, 0.01), -1)),
            np.digitize(km, [_FARTHEST_CITY_KM, _FARTHEST_KM]),
        ]
        # most photos share their places with others: each combination is written down once
        combinations, which = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        addresses = [self._make_address(*row) for row in combinations.tolist()]
        return [addresses[i] for i in which.reshape(-1).tolist()]

    def _absorbs(
        self, home: np.ndarray, home_km: np.ndarray, city: np.ndarray, is_near: np.ndarray
    ) -> np.ndarray:
        """Whether a city around a position gives it its name, although another place is nearer."""
        own = self.places.populations[home]
        # a large town beside a larger one keeps its name (Berkeley, Oakland), unless that is a metropolis
        larger = (own < _LARGE) | ((self.places.populations[city] >= _METROPOLIS) & (own < _METROPOLIS))
        # and so does a small one far from the centre (Versailles), within its own bounds
        return (larger & (is_near | (home_km > self.reach_km[home]))) | (city == home)

    def _find_nearest(self, vectors: np.ndarray, tree: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows of the nearest places, and kilometres to them, (n, k) each."""
        rows, index = self.trees[tree]
        chords, found = index.query(vectors, k)
        return rows[found], chord_to_km(chords)

    def _make_address(self, nearest: int, around: int, largest: int, beside: int, distance: int) -> Address:
        places = self.places
        state, country = places.states[nearest], places.country_names.get(places.country_codes[nearest], "")
        if distance == 2:
            return NO_ADDRESS
        if distance == 1:
            return make_address("", "", state, country, join_names(state, country), ())
        names = [places.cities[row] for row in (around, largest, beside) if row >= 0]
        settlement, county = places.cities[nearest], places.counties[nearest]
        city = names[0] if around >= 0 else settlement
        line = join_names(settlement, city, county, state, country)
        return make_address(city, county, state, country, line, [settlement, *names])


def _choose_best(candidates: np.ndarray, merit: np.ndarray) -> np.ndarray:
    """Return of each row the candidate of most merit, or -1 where none has any."""
    best = merit.argmax(axis=1)[:, None]
    chosen = np.take_along_axis(candidates, best, axis=1)
    return np.where(np.take_along_axis(merit, best, axis=1) < 0, -1, chosen)[:, 0]


@functools.cache
def get_offline_geocoder() -> OfflineGeocoder:
    """Return the offline geocoder, loaded once: 0.6 s.

    Raises
    ------
    UserError
        If the places cannot be read.
    """
    from sklearn.neighbors import KDTree

    places = load_places()
    _, countries = np.unique(places.country_codes, return_inverse=True)
    in_country = [f"{pair[0]}/{pair[1]}" for pair in zip(places.country_codes, places.states, strict=True)]
    _, states = np.unique(in_country, return_inverse=True)
    is_large = places.populations >= _LARGE
    vectors = to_unit_vectors(places.latitudes, places.longitudes)
    return OfflineGeocoder(
        places,
        reach_km=np.sqrt(np.maximum(places.populations, 1) / _PEOPLE_A_KM2 / np.pi),
        countries=countries,
        states=states,
        # What has no large city of its own, the Vatican say, belongs to the one next door
        lacks_city=~np.isin(countries, countries[is_large]),
        trees=[
            (rows := np.flatnonzero(places.populations >= least), KDTree(vectors[rows]))
            for least in (0, _LARGE, _METROPOLIS)
        ],
    )
