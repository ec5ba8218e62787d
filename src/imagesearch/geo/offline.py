"""Offline reverse geocoding: the nearest place in GeoNames, and the city that contains a position."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.geo.address import NO_ADDRESS, Address, join_names, make_address
from imagesearch.geo.geonames import GeoNamesPlaces, load_places
from imagesearch.great_circle import chord_to_km, to_unit_vectors

# Distances from a position to a place.
_MAX_PLACE_KM = (
    100.0  # farther from the nearest place beyond this distance there is no address, without an address
)
_MAX_SETTLEMENT_KM = 50.0  # farther away, the address has a state and a country, but no city
_MAX_CITY_KM = 15.0  # people use a large city's name for positions up to this distance
_MAX_METROPOLIS_KM = 30.0  # the same for a city whose radius is larger than that, in its own state
_LARGE, _METROPOLIS = 100_000, 1_000_000  # people
# The radius of a city is that of the circle with its population at the density of a suburb.
_PEOPLE_PER_KM2 = 2_000
_CANDIDATES = 16  # large cities near a position; around Tokyo and New York there are a dozen within 15 km
_BATCH_SIZE = 50_000  # positions


@dataclass(frozen=True)
class OfflineGeocoder:
    """Reverse geocoding with the places of GeoNames; see `get_offline_geocoder`.

    The nearest place is often a suburb: the place nearest to the Eiffel Tower is Vanves. So larger cities are
    looked up too. The city of an address is the largest city in the same state whose built-up area contains
    the position. The places of an address also include the largest city within 15 km (up to 30 km inside its
    built-up area) and the city whose centre is closest relative to its radius. Distances are measured on the
    sphere, so the date line and the poles need no special treatment.

    Attributes
    ----------
    places : GeoNamesPlaces
        n places.
    radius_km : (n,) float64
        Radius of the built-up area of each place.
    countries, states : (n,) int64
        Number of the country of each place, and of its state.
    lacks_city : (n,) bool
        Whether the country of each place has no large city.
    trees : list of (rows, KDTree)
        Trees of unit vectors: of all places, of large cities, and of cities with a million people.
    """

    places: GeoNamesPlaces
    radius_km: np.ndarray
    countries: np.ndarray
    states: np.ndarray
    lacks_city: np.ndarray
    trees: list[tuple[np.ndarray, Any]]

    def find_addresses(self, latitudes: np.ndarray, longitudes: np.ndarray) -> list[Address]:
        """Return the address of each position, or `NO_ADDRESS` if no place is within 100 km.

        Parameters
        ----------
        latitudes, longitudes : (n,) float64
            Degrees.
        """
        addresses: list[Address] = []
        for start in range(0, len(latitudes), _BATCH_SIZE):
            part = slice(start, start + _BATCH_SIZE)
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
        people, radius = self.places.populations[candidates], self.radius_km[candidates]
        is_near = city_km <= _MAX_CITY_KM
        valid = same_country & (is_near | (same_state & (city_km <= np.minimum(radius, _MAX_METROPOLIS_KM))))
        covering = valid & (city_km <= radius)
        replaces_nearest = self._replaces_nearest(home, km[:, None], candidates, is_near)
        columns = [
            nearest,
            _choose_best(candidates, np.where(covering & same_state & replaces_nearest, people, -1)),
            _choose_best(candidates, np.where(valid, people, -1)),
            _choose_best(candidates, np.where(covering, radius / np.maximum(city_km, 0.01), -1)),
            np.digitize(km, [_MAX_SETTLEMENT_KM, _MAX_PLACE_KM]),
        ]
        # Most photos share their places with others, so each combination is formatted once.
        combinations, inverse = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        addresses = [self._make_address(*row) for row in combinations.tolist()]
        return [addresses[i] for i in inverse.reshape(-1).tolist()]

    def _replaces_nearest(
        self, home: np.ndarray, home_km: np.ndarray, city: np.ndarray, is_near: np.ndarray
    ) -> np.ndarray:
        """Whether a candidate, rather than the nearest place, is the city of a position."""
        own = self.places.populations[home]
        # A large place beside a larger one keeps its name (Berkeley, Oakland), unless that is a metropolis.
        larger = (own < _LARGE) | ((self.places.populations[city] >= _METROPOLIS) & (own < _METROPOLIS))
        # So does a small place far from the centre (Versailles), within its own radius.
        return (larger & (is_near | (home_km > self.radius_km[home]))) | (city == home)

    def _find_nearest(self, vectors: np.ndarray, tree: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the nearest k places and the distances in kilometres, (n, k) each."""
        rows, index = self.trees[tree]
        chords, nearest = index.query(vectors, k)
        return rows[nearest], chord_to_km(chords)

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
    """Return the candidate with the highest merit in each row, or -1 if that is negative."""
    best = merit.argmax(axis=1)[:, None]
    chosen = np.take_along_axis(candidates, best, axis=1)
    return np.where(np.take_along_axis(merit, best, axis=1) < 0, -1, chosen)[:, 0]


@functools.cache
def get_offline_geocoder() -> OfflineGeocoder:
    """Return the offline geocoder. The first call loads it in 0.6 s.

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
        radius_km=np.sqrt(np.maximum(places.populations, 1) / _PEOPLE_PER_KM2 / np.pi),
        countries=countries,
        states=states,
        # A country without a large city, such as the Vatican, uses cities of its neighbours.
        lacks_city=~np.isin(countries, countries[is_large]),
        trees=[
            (rows := np.flatnonzero(places.populations >= least), KDTree(vectors[rows]))
            for least in (0, _LARGE, _METROPOLIS)
        ],
    )
