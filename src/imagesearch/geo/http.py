"""HTTP for geopy: short answers, in time, from the server that was asked and from no other."""

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

from imagesearch.errors import GeocoderError

_MOST_BYTES = 2**20  # an address has two thousand
_BYTES_AT_ONCE = 2**16
_LONGEST_WAIT = 60.0  # seconds; whoever asks for more is asked again by the next run


class LimitedAdapter(BaseSyncAdapter):
    """Fetches for geopy: no redirects, 1 MB at most, one deadline for all of an answer, no repeats.

    geopy's own adapters follow redirects to any server, past the rate limit, and read without end.
    """

    def __init__(self, *, proxies: Any, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(proxies=proxies, ssl_context=ssl_context)
        proxy = ProxyHandler(
            dict.fromkeys(("http", "https"), proxies) if isinstance(proxies, str) else proxies
        )
        self._open = build_opener(_NoRedirects, HTTPSHandler(context=ssl_context), proxy).open
        self.response: Any = None
        """The last answer, as decoded from JSON."""

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        self.response = None
        try:
            self.response = json.loads(self.get_text(url, timeout=timeout, headers=headers))
        except (ValueError, RecursionError):
            raise GeocoderParseError("the answer is not JSON") from None
        return self.response

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        request = Request(url, headers=dict(headers))
        try:
            body = _run_with_deadline(timeout, lambda: self._fetch(request, timeout))
        except HTTPError as error:
            with error:
                raise _convert_error(error) from None
        except TimeoutError:
            raise GeocoderTimedOut("no answer in time") from None
        except (OSError, HTTPException) as error:
            if "timed out" in str(error):
                raise GeocoderTimedOut("no answer in time") from None
            raise GeocoderUnavailable(str(error)) from None
        return body.decode("utf-8", "replace")

    def _fetch(self, request: Request, timeout: float) -> bytes:
        deadline = monotonic() + timeout
        with self._open(request, timeout=timeout) as page:
            return _read_body(page, deadline)


def _run_with_deadline(seconds: float, fetch: Callable[[], bytes]) -> bytes:
    """Return what is fetched in time: sockets limit each read, not the look-up of names, nor all reads."""
    done: SimpleQueue[tuple[bytes, Exception | None]] = SimpleQueue()

    def work() -> None:
        try:
            done.put((fetch(), None))
        except Exception as error:
            done.put((b"", error))

    Thread(target=work, daemon=True).start()
    try:
        body, error = done.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return body


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None  # urllib then raises the answer as an error


def _read_body(page: Any, deadline: float) -> bytes:
    body = bytearray()
    while part := page.read1(_BYTES_AT_ONCE):
        body += part
        if len(body) > _MOST_BYTES:
            raise GeocoderServiceError("the answer is too long")
        if monotonic() > deadline:
            raise GeocoderTimedOut("the answer takes too long")
    return bytes(body)


def _convert_error(error: HTTPError) -> Exception:
    """Return what to raise of a status that is no success; waits first where that is asked for."""
    status, reason = error.code, f"HTTP {error.code} {error.reason}"
    headers = {name.lower(): value for name, value in error.headers.items()}
    if 300 <= status < 400:
        other = urlsplit(headers.get("location", "")).netloc or "another path"
        return GeocoderError(f"{reason}: it redirects to {other}, which was not asked", final=True)
    if status in (429, 503) and (seconds := get_retry_after(headers)):
        if seconds > _LONGEST_WAIT:
            return GeocoderError(f"{reason}: it wants to be left alone for {seconds:.0f} s", final=True)
        sleep(seconds)
    if 400 <= status < 500 and status not in (408, 429):
        return GeocoderError(reason, final=status in (401, 402, 403, 407, 410, 451))
    return AdapterHTTPError(reason, status_code=status, headers=headers, text=None)
