"""Geocoders over the network: whichever geopy has, asked slowly, and never twice about one place.

With `imagesearch.geo.http` the only module that knows geopy.
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imagesearch.config import GeoConfig
from imagesearch.errors import GeocoderError, UserError
from imagesearch.geo.address import NO_ADDRESS, Address, parse_response, parse_stored_address
from imagesearch.text import find_similar

# Names of geo.geocoder for which nothing is asked over the network; all others are geopy's.
NOT_ONLINE = ("offline", "none")


def round_position(latitude: float, longitude: float) -> tuple[float, float]:
    """Return the place that stands for a position: to 0.001 degrees, some 100 m."""
    return round(latitude, 3) + 0.0, round(longitude, 3) + 0.0  # + 0.0: there is no place at -0.0


class OnlineGeocoder:
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
        If geopy has no geocoder of this name, or cannot make one of the options.
    """

    def __init__(
        self,
        settings: GeoConfig,
        cache: Path,
        *,
        seconds_apart: float = 1.05,
        retry_seconds: float = 5.0,
        timeout: float = 10.0,
    ) -> None:
        from geopy.extra.rate_limiter import RateLimiter

        logging.getLogger("geopy").setLevel(logging.CRITICAL)  # it logs each error that it then raises
        self._settings = settings
        self._geocoder = _make_geocoder(settings, timeout)
        reverse = self._geocoder.reverse
        takes_language = "language" in inspect.signature(reverse).parameters
        self._options = {"language": settings.language} if takes_language else {}
        self._reverse = RateLimiter(
            reverse,
            min_delay_seconds=seconds_apart,
            error_wait_seconds=retry_seconds,
            swallow_exceptions=False,
        )
        self._cache = _ResponseCache(cache)

    def reload_cache(self) -> None:
        """Read the cache again: another run may have written to it."""
        self._cache.load()

    def has_failed(self, place: tuple[float, float]) -> bool:
        """Whether the geocoder stumbled over a place before: it is asked about last."""
        return self._cache.has_failed(self._make_key(place))

    def get_cached(self, place: tuple[float, float]) -> Address | None:
        """Return what the cache has on a place, as `round_position` returns it, or None."""
        return self._cache.get(self._make_key(place))

    def ask(self, place: tuple[float, float]) -> None:
        """Ask about a place, and keep the answer.

        Raises
        ------
        GeocoderError
            If there was none, whatever the reason.
        """
        try:
            address = self._request(*place)
        except GeocoderError as error:
            if not error.final:
                self._cache.put(self._make_key(place), None)
            raise
        self._cache.put(self._make_key(place), address)

    def _make_key(self, place: tuple[float, float]) -> tuple[str, str, str, str]:
        latitude, longitude = place
        return self._settings.geocoder, self._settings.language, f"{latitude:.3f}", f"{longitude:.3f}"

    def _request(self, latitude: float, longitude: float) -> Address:
        from geopy import exc

        refusals = (
            exc.GeocoderAuthenticationFailure,
            exc.GeocoderInsufficientPrivileges,
            exc.GeocoderQuotaExceeded,
        )
        try:
            location = self._reverse((latitude, longitude), **self._options)
            return self._parse_location(location)
        except GeocoderError:
            raise
        except Exception as error:  # geopy's own, and what odd answers make it stumble over
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            busy = isinstance(error, (exc.GeocoderTimedOut, exc.GeocoderUnavailable, exc.GeocoderRateLimited))
            raise GeocoderError(reason, final=isinstance(error, refusals), busy=busy) from None

    def _parse_location(self, location: Any) -> Address:
        """Return the address in an answer; of one that says nothing, whether nothing is there."""
        is_nominatim = self._settings.geocoder == "nominatim"
        if location is None:
            response = self._geocoder.adapter.response
            # an empty list of results says so too, where it comes with the rest of a true answer
            if response == _NOTHING_THERE if is_nominatim else response and isinstance(response, Mapping):
                return NO_ADDRESS
            raise GeocoderError("an empty answer")
        found = parse_response(location.raw, location.address)
        if found == NO_ADDRESS or (is_nominatim and not found.places):
            raise GeocoderError("an answer without an address")
        return found


_NOTHING_THERE = {"error": "Unable to geocode"}


def _make_geocoder(settings: GeoConfig, timeout: float) -> Any:
    from imagesearch.geo.http import LimitedAdapter

    geocoder_class = _get_geocoder_class(settings.geocoder)
    common = {"user_agent": settings.user_agent, "timeout": timeout, "adapter_factory": LimitedAdapter}
    options: dict[str, Any] = {**common, **settings.options}
    if settings.geocoder == "nominatim":
        server = urlsplit(settings.nominatim_url)
        options |= {"scheme": server.scheme, "domain": f"{server.netloc}{server.path}"}
    try:
        return geocoder_class(**options)
    except (TypeError, ValueError) as error:  # a key is missing, or one that is not known
        reason = " ".join(str(error).split()).rpartition("__init__() ")[2][:200]
        raise UserError(f"geo.options: {settings.geocoder} cannot be used with these: {reason}") from None


def _get_geocoder_class(name: str) -> Any:
    """Return geopy's class of a geocoder that goes from positions to addresses."""
    from geopy.geocoders import SERVICE_TO_GEOCODER

    classes = {service: c for service, c in SERVICE_TO_GEOCODER.items() if hasattr(c, "reverse")}
    if name in classes:
        return classes[name]
    near = find_similar(name.lower(), [*NOT_ONLINE, *classes])
    hint = f"did you mean {near[0]}?" if near else "offline, nominatim, none or another that geopy names"
    raise UserError(f"geo.geocoder: no such geocoder; {hint} (got {name!r})")


class _ResponseCache:
    """Answers in a file, one line each: a kill can cost the last line, which is then skipped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.load()

    def load(self) -> None:
        self._known: dict[tuple[str, ...], Address | None] = {}
        try:
            lines = self._file.read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                entry = json.loads(line)
                key, found = tuple(entry["key"]), entry["found"]
                self._known[key] = found if found is None else parse_stored_address(found, found["places"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def get(self, key: tuple[str, ...]) -> Address | None:
        return self._known.get(key)

    def has_failed(self, key: tuple[str, ...]) -> bool:
        return key in self._known and self._known[key] is None

    def put(self, key: tuple[str, ...], address: Address | None) -> None:
        """Keep an answer, or that there was none."""
        if key in self._known and self._known[key] == address:
            return
        self._known[key] = address
        line = json.dumps({"key": key, "found": address and asdict(address)}, ensure_ascii=False)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as stream:
            # the line break first, so that a line cut short by a kill does not spoil this one
            stream.write(f"\n{line}".encode("utf-8", "backslashreplace"))
