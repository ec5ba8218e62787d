"""Offline reverse geocoding: the country of a position, the nearest place in it, and the city around it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.geo.address import NO_ADDRESS, Address, join_names, make_address
from imagesearch.geo.borders import Borders, load_borders
from imagesearch.geo.geonames import GeoNamesPlaces, load_places
from imagesearch.great_circle import chord_to_km, to_unit_vectors

# Distances from a position to a place.
_MAX_PLACE_KM = 100.0  # farther away, the address has only a country; on the high seas there is no address
_MAX_SETTLEMENT_KM = 50.0  # farther away, the address has a state and a country, but no city
_MAX_CITY_KM = 15.0  # people use a large city's name for positions up to this distance
_MAX_METROPOLIS_KM = 30.0  # the same for a city whose radius is larger than that, in its own state
_LARGE, _METROPOLIS = 100_000, 1_000_000  # people
# The radius of a city is that of the circle with its population at the density of a suburb.
_PEOPLE_PER_KM2 = 2_000
# Borders and places are inexact: up to this distance, a place can be on the wrong side of its border.
_MAX_BORDER_ERROR_KM = 5.0
# Distance of two countries in the fourth dimension of a tree; places on the unit sphere are at most 2 apart.
_COUNTRY_STEP = 4.0
_CANDIDATES = 16  # large cities near a position; around Tokyo and New York there are a dozen within 15 km
_BATCH_SIZE = 50_000  # positions


@dataclass(frozen=True)
class OfflineGeocoder:
    """Reverse geocoding with borders and the places of GeoNames; see `get_offline_geocoder`.

    The borders decide the country of a position, and only places in that country are considered. On the high
    seas, and in the few areas that the borders assign to no country, the country is that of the nearest place
    within 100 km.

    The nearest place is often a suburb: the place nearest to the Eiffel Tower is Vanves. So larger cities are
    looked up too. The city of an address is the largest city in the same state whose built-up area contains
    the position. The places of an address also include the largest city within 15 km (up to 30 km inside its
    built-up area) and the city whose centre is closest relative to its radius. Distances are measured on the
    sphere, so the date line and the poles need no special treatment.

    Attributes
    ----------
    places : GeoNamesPlaces
        n places.
    borders : Borders
        Borders of countries.
    codes : (c,) str
        Codes of all countries, sorted. A country's number is its position here.
    radius_km : (n,) float64
        Radius of the built-up area of each place.
    countries, states : (n,) int64
        Number of the country of each place, and of its state.
    lacks_city : (c,) bool
        Whether each country has no large city.
    national_tree : KDTree
        Tree of all places, in which countries are apart; see `_add_country`.
    trees : list of (rows, KDTree)
        Trees of unit vectors: of all places, of large cities, and of cities with a million people.
    """

    places: GeoNamesPlaces
    borders: Borders
    codes: np.ndarray
    radius_km: np.ndarray
    countries: np.ndarray
    states: np.ndarray
    lacks_city: np.ndarray
    national_tree: Any
    trees: list[tuple[np.ndarray, Any]]

    def find_addresses(self, latitudes: np.ndarray, longitudes: np.ndarray) -> list[Address]:
        """Return the address of each position, or `NO_ADDRESS` if it is in no country.

        Parameters
        ----------
        latitudes, longitudes : (n,) float64
            Degrees.
        """
        addresses: list[Address] = []
        for start in range(0, len(latitudes), _BATCH_SIZE):
            part = slice(start, start + _BATCH_SIZE)
            addresses += self._find_batch(latitudes[part], longitudes[part])
        return addresses

    def _find_batch(self, latitudes: np.ndarray, longitudes: np.ndarray) -> list[Address]:
        vectors = to_unit_vectors(latitudes, longitudes)
        country, nearest, km = self._find_places(latitudes, longitudes, vectors)
        cities = (self._find_nearest(vectors, i, k) for i, k in ((1, _CANDIDATES), (2, 8)))
        candidates, city_km = (np.hstack(both) for both in zip(*cities, strict=True))
        home = nearest[:, None]
        same_country = (self.countries[candidates] == country[:, None]) | self.lacks_city[country][:, None]
        same_state = self.states[candidates] == self.states[home]
        people, radius = self.places.populations[candidates], self.radius_km[candidates]
        is_near = city_km <= _MAX_CITY_KM
        valid = same_country & (is_near | (same_state & (city_km <= np.minimum(radius, _MAX_METROPOLIS_KM))))
        covering = valid & (city_km <= radius)
        replaces_nearest = self._replaces_nearest(home, km[:, None], candidates, is_near)
        columns = [
            country,
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

    def _find_places(
        self, latitudes: np.ndarray, longitudes: np.ndarray, vectors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the country of each position, or -1, and its nearest place there with its distance in km."""
        nearest, km = (column[:, 0] for column in self._find_nearest(vectors, 0, 1))
        codes = self.borders.find_countries(latitudes, longitudes)
        of_nearest = np.where(km <= _MAX_PLACE_KM, self.countries[nearest], -1)
        country = np.where(codes == "", of_nearest, np.searchsorted(self.codes, codes))
        if len(abroad := np.flatnonzero((country >= 0) & (self.countries[nearest] != country))):
            chords, rows = self.national_tree.query(_add_country(vectors[abroad], country[abroad]), 1)
            nearest[abroad], km[abroad] = rows[:, 0], chord_to_km(chords[:, 0])
        return country, nearest, km

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

    def _make_address(
        self, country: int, nearest: int, around: int, largest: int, beside: int, distance: int
    ) -> Address:
        if country < 0:
            return NO_ADDRESS
        places, code = self.places, str(self.codes[country])
        name = places.country_names.get(code, "")
        parent = places.country_names.get(self.borders.parents.get(code, ""), "")
        state = places.states[nearest] if distance < 2 else ""
        if distance:
            return make_address("", "", state, name, join_names(state, name), (), parent)
        names = [places.cities[row] for row in (around, largest, beside) if row >= 0]
        settlement, county = places.cities[nearest], places.counties[nearest]
        city = names[0] if around >= 0 else settlement
        line = join_names(settlement, city, county, state, name)
        return make_address(city, county, state, name, line, [settlement, *names], parent)


def _choose_best(candidates: np.ndarray, merit: np.ndarray) -> np.ndarray:
    """Return the candidate with the highest merit in each row, or -1 if that is negative."""
    best = merit.argmax(axis=1)[:, None]
    chosen = np.take_along_axis(candidates, best, axis=1)
    return np.where(np.take_along_axis(merit, best, axis=1) < 0, -1, chosen)[:, 0]


def _add_country(vectors: np.ndarray, countries: np.ndarray) -> np.ndarray:
    """Return unit vectors with the number of their country as a fourth dimension, (n, 4).

    The nearest neighbour of a position is then in the same country, if that has a place at all.
    """
    return np.column_stack([vectors, _COUNTRY_STEP * countries])


def _assign_countries(places: GeoNamesPlaces, borders: Borders) -> np.ndarray:
    """Return the code of the country of each place, (n,) str.

    A place has the country that GeoNames names if it is in that country or close to its border. Otherwise it
    has the one of the borders: in a disputed region both can differ.
    """
    codes = np.array(places.country_codes)
    found = borders.find_countries(places.latitudes, places.longitudes)
    for row in np.flatnonzero((found != codes) & (found != "")):
        if not borders.is_within(
            codes[row], _MAX_BORDER_ERROR_KM, places.latitudes[row], places.longitudes[row]
        ):
            codes[row] = found[row]
    return codes


@functools.cache
def get_offline_geocoder() -> OfflineGeocoder:
    """Return the offline geocoder. The first call takes 1 to 2 s, 0.4 s of it because of the borders.

    Raises
    ------
    UserError
        If the borders or the places cannot be read.
    """
    return make_offline_geocoder(load_places(), load_borders())


def make_offline_geocoder(places: GeoNamesPlaces, borders: Borders) -> OfflineGeocoder:
    """Return an offline geocoder for some places and borders."""
    from sklearn.neighbors import KDTree

    place_codes = _assign_countries(places, borders)
    codes = np.unique(np.concatenate([place_codes, borders.codes]))
    countries = np.searchsorted(codes, place_codes)
    in_country = [f"{pair[0]}/{pair[1]}" for pair in zip(place_codes, places.states, strict=True)]
    _, states = np.unique(in_country, return_inverse=True)
    is_large = places.populations >= _LARGE
    vectors = to_unit_vectors(places.latitudes, places.longitudes)
    return OfflineGeocoder(
        places,
        borders,
        codes,
        radius_km=np.sqrt(np.maximum(places.populations, 1) / _PEOPLE_PER_KM2 / np.pi),
        countries=countries,
        states=states,
        # A country without a large city, such as the Vatican, uses cities of its neighbours.
        lacks_city=~np.isin(np.arange(len(codes)), countries[is_large]),
        national_tree=KDTree(_add_country(vectors, countries)),
        trees=[
            (rows := np.flatnonzero(places.populations >= least), KDTree(vectors[rows]))
            for least in (0, _LARGE, _METROPOLIS)
        ],
    )
