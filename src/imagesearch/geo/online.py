"""Online geocoders: those of geopy, with a rate limit and a cache.

Only this module and `imagesearch.geo.http` use geopy.
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
from imagesearch.errors import GeocoderError, UserError, describe_error
from imagesearch.files import explain_write_errors, make_folder
from imagesearch.geo.address import NO_ADDRESS, Address, parse_response, parse_stored_address
from imagesearch.text import find_similar, shorten_reason

# Values of geo.geocoder that require no network; all others are names of geopy's geocoders.
NOT_ONLINE = ("offline", "none")


def round_position(latitude: float, longitude: float) -> tuple[float, float]:
    """Return a position rounded to 0.001 degrees, about 100 m."""
    return round(latitude, 3) + 0.0, round(longitude, 3) + 0.0  # + 0.0 replaces -0.0 by 0.0


class OnlineGeocoder:
    """A geocoder of geopy with at most one request per second and a cache.

    Responses are cached in a file, one line of JSON each, by geocoder, language and rounded position. Each
    request uses the rounded position, so one response serves all positions around it.

    Parameters
    ----------
    settings
        The section ``geo`` of the config.
    cache
        File for the responses.
    seconds_apart, retry_seconds, timeout
        Minimum time between two requests, time before a retry, and time to wait for a response. Nominatim's
        usage policy allows one request per second; the default is slightly longer, to allow for differences
        between the clocks.

    Raises
    ------
    UserError
        If geopy has no geocoder of this name, or does not accept the options.
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

        logging.getLogger("geopy").setLevel(logging.CRITICAL)  # geopy logs each error before raising it
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
        """Read the cache again, because another run can have written to it."""
        self._cache.load()

    def has_failed(self, place: tuple[float, float]) -> bool:
        """Whether an earlier request for a place failed; such places are queried last."""
        return self._cache.has_failed(self._make_key(place))

    def get_cached(self, place: tuple[float, float]) -> Address | None:
        """Return the cached address of a position rounded by `round_position`, or None."""
        return self._cache.get(self._make_key(place))

    def fetch(self, place: tuple[float, float]) -> None:
        """Query the geocoder for a place, and cache the response.

        Raises
        ------
        GeocoderError
            If there is no valid response.
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
        except Exception as error:  # geopy's own errors, and others that unusual responses cause in geopy
            reason = shorten_reason(f"{type(error).__name__}: {describe_error(error)}")
            busy = isinstance(error, (exc.GeocoderTimedOut, exc.GeocoderUnavailable, exc.GeocoderRateLimited))
            raise GeocoderError(reason, final=isinstance(error, refusals), busy=busy) from None

    def _parse_location(self, location: Any) -> Address:
        """Return the address in a response, or `NO_ADDRESS` if the response contains no address."""
        is_nominatim = self._settings.geocoder == "nominatim"
        if location is None:
            response = self._geocoder.adapter.response
            # Other geocoders return a JSON object with an empty list of results.
            if response == _NO_RESULT if is_nominatim else response and isinstance(response, Mapping):
                return NO_ADDRESS
            raise GeocoderError("empty response")
        address = parse_response(location.raw, location.address)
        if address == NO_ADDRESS or (is_nominatim and not address.places):
            raise GeocoderError("response without an address")
        return address


_NO_RESULT = {"error": "Unable to geocode"}


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
    except (TypeError, ValueError) as error:  # an option is missing or unknown
        reason = shorten_reason(str(error).rpartition("__init__() ")[2])
        raise UserError(f"geo.options: expected the options of {settings.geocoder} ({reason})") from None


def _get_geocoder_class(name: str) -> Any:
    """Return geopy's class of a geocoder that supports reverse geocoding."""
    from geopy.geocoders import SERVICE_TO_GEOCODER

    classes = {service: c for service, c in SERVICE_TO_GEOCODER.items() if hasattr(c, "reverse")}
    if name in classes:
        return classes[name]
    known = [*NOT_ONLINE, *sorted(classes)]
    nearest = find_similar(name.lower(), known, count=3, min_ratio=0.7)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"expected one of {', '.join(known)}"
    raise UserError(f"geo.geocoder: expected a known geocoder, got {name!r}; {hint}")


class _ResponseCache:
    """Responses in a file, one line each. A killed run can leave an incomplete line, which is skipped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.load()

    def load(self) -> None:
        self._addresses: dict[tuple[str, ...], Address | None] = {}  # None: the request failed
        try:
            lines = self._file.read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                entry = json.loads(line)
                key, stored = tuple(entry["key"]), entry["found"]
                address = None if stored is None else parse_stored_address(stored, stored["places"])
                self._addresses[key] = address
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def get(self, key: tuple[str, ...]) -> Address | None:
        return self._addresses.get(key)

    def has_failed(self, key: tuple[str, ...]) -> bool:
        return key in self._addresses and self._addresses[key] is None

    def put(self, key: tuple[str, ...], address: Address | None) -> None:
        """Store an address, or None for a request that failed."""
        if key in self._addresses and self._addresses[key] == address:
            return
        self._addresses[key] = address
        line = json.dumps({"key": key, "found": address and asdict(address)}, ensure_ascii=False)
        make_folder(self._file.parent)
        with explain_write_errors(self._file), self._file.open("ab") as stream:
            # The line break comes first, so that an incomplete line from a killed run stays separate.
            stream.write(f"\n{line}".encode("utf-8", "backslashreplace"))
