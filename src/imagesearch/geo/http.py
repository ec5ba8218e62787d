"""An HTTP adapter for geopy that limits the size and time of a response, and follows no redirects."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from geopy.adapters import AdapterHTTPError, BaseSyncAdapter, get_retry_after
from geopy.exc import GeocoderParseError, GeocoderServiceError, GeocoderTimedOut, GeocoderUnavailable

from imagesearch.errors import GeocoderError, describe_error
from imagesearch.text import mask_passwords

_MAX_BYTES = 2**20  # an address has about 2,000
_CHUNK_BYTES = 2**16
_MAX_WAIT_SECONDS = 60.0  # if a server requires a longer wait, the next run continues


class LimitedAdapter(BaseSyncAdapter):
    """An adapter for geopy without redirects and repeats, with at most 1 MB and one timeout for a response.

    geopy's own adapters follow redirects to any server, regardless of the rate limit, and limit neither the
    size nor the total time of a response.
    """

    def __init__(self, *, proxies: Any, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(proxies=proxies, ssl_context=ssl_context)
        proxy = ProxyHandler(
            dict.fromkeys(("http", "https"), proxies) if isinstance(proxies, str) else proxies
        )
        self._open = build_opener(_NoRedirects, HTTPSHandler(context=ssl_context), proxy).open
        self.response: Any = None
        """The last response, decoded from JSON."""

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        self.response = None
        try:
            self.response = json.loads(self.get_text(url, timeout=timeout, headers=headers))
        except (ValueError, RecursionError):
            raise GeocoderParseError("the response is not JSON") from None
        return self.response

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        request = Request(url, headers=dict(headers))
        try:
            body = _run_with_deadline(timeout, lambda: self._fetch(request, timeout))
        except HTTPError as error:
            with error:
                raise _convert_error(error) from None
        except TimeoutError:
            raise GeocoderTimedOut("no response in time") from None
        except (OSError, HTTPException) as error:
            if "timed out" in str(error):
                raise GeocoderTimedOut("no response in time") from None
            raise GeocoderUnavailable(describe_error(error)) from None
        return body.decode("utf-8", "replace")

    def _fetch(self, request: Request, timeout: float) -> bytes:
        deadline = monotonic() + timeout
        with self._open(request, timeout=timeout) as page:
            return _read_body(page, deadline)


def _run_with_deadline(seconds: float, fetch: Callable[[], bytes]) -> bytes:
    """Return the result of ``fetch``, or raise `TimeoutError` after some seconds.

    The timeout of a socket applies to each read, but not to DNS lookups or to the sum of all reads.
    """
    results: SimpleQueue[tuple[bytes, Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((fetch(), None))
        except Exception as error:
            results.put((b"", error))

    Thread(target=run, daemon=True).start()
    try:
        body, error = results.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return body


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None  # urllib then raises HTTPError


def _read_body(page: Any, deadline: float) -> bytes:
    body = bytearray()
    while part := page.read1(_CHUNK_BYTES):
        body += part
        if len(body) > _MAX_BYTES:
            raise GeocoderServiceError("the response is too long")
        if monotonic() > deadline:
            raise GeocoderTimedOut("the response takes too long")
    return bytes(body)


def _convert_error(error: HTTPError) -> Exception:
    """Return the exception for an HTTP error status; wait first if the server requires it (Retry-After)."""
    status, reason = error.code, f"HTTP {error.code} {error.reason}"
    headers = {name.lower(): value for name, value in error.headers.items()}
    if 300 <= status < 400:
        place = urlsplit(headers.get("location", ""))  # the query has the position, and can have a key
        target = mask_passwords(place._replace(query="", fragment="").geturl()) or "another address"
        return GeocoderError(f"{reason}: redirects to {target}; redirects are not followed", final=True)
    if status in (429, 503) and (seconds := get_retry_after(headers)):
        if seconds > _MAX_WAIT_SECONDS:
            return GeocoderError(f"{reason}: rate-limited; retry after {seconds:.0f} s", final=True)
        sleep(seconds)
    if 400 <= status < 500 and status not in (408, 429):
        return GeocoderError(reason, final=status in (401, 402, 403, 407, 410, 451))
    return AdapterHTTPError(reason, status_code=status, headers=headers, text=None)
