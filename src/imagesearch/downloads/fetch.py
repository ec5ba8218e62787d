"""One download over HTTP: its redirects, limits, and whether a failure can be temporary."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from imagesearch.config import DownloadsConfig
from imagesearch.downloads.public_addresses import RefusedAddressError
from imagesearch.text import shorten_reason

_REDIRECTS = (301, 302, 303, 307, 308)
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
# What a server says of a page, a film or a sound; of other types, the content decides.
_NO_PHOTOS = ("text/", "video/", "audio/", "application/json", "application/xhtml+xml")


class DownloadError(Exception):
    """A download has failed; the message is the reason.

    Attributes
    ----------
    is_temporary : bool
        Whether another attempt can succeed.
    wait : float or None
        Seconds that the server asks to wait before it.
    """

    def __init__(self, reason: str, *, is_temporary: bool = False, wait: float | None = None) -> None:
        super().__init__(reason)
        self.is_temporary, self.wait = is_temporary, wait


@dataclass(frozen=True)
class Validators:
    """What a server needs to answer that a photo has not changed: ETag and Last-Modified."""

    etag: str = ""
    last_modified: str = ""

    def make_headers(self) -> dict[str, str]:
        """Return the headers of a conditional request."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value.isascii() and value}


@dataclass(frozen=True)
class FetchedPhoto:
    """A photo that was sent.

    Attributes
    ----------
    validators : Validators
        What the server calls this version.
    has_length : bool
        Whether the server said where its content ends; else a lost connection looks like the end.
    """

    validators: Validators
    has_length: bool


async def fetch_photo(
    transport: httpx.AsyncBaseTransport,
    address: str,
    headers: Mapping[str, str],
    limits: DownloadsConfig,
    write: Callable[[bytes], object],
) -> FetchedPhoto | None:
    """Download one photo and pass its content on in pieces.

    Parameters
    ----------
    transport
        Makes the connections.
    address
        An http(s) URL.
    headers
        Of the request.
    limits
        Times, bytes and redirects.
    write
        Is called with each piece of the content; raises no `OSError`.

    Returns
    -------
    FetchedPhoto or None
        None if it has not changed.

    Raises
    ------
    DownloadError
        If there is no photo at the address, or a limit is exceeded.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            response = await _follow(transport, address, headers, limits)
            try:
                if response.status_code == 304:
                    return None
                await _read_body(response, limits, write)
            finally:
                await response.aclose()
    except TimeoutError:
        raise DownloadError(f"not finished within {limits.seconds:g} s") from None
    except RefusedAddressError as error:
        raise DownloadError(f"refused: {error}") from None
    except httpx.TimeoutException:
        raise DownloadError(f"no response within {limits.first_byte_seconds:g} s") from None
    except (httpx.TransportError, OSError) as error:  # httpx leaves some errors of TLS as they are
        if certificate := _find_certificate_error(error):
            raise DownloadError(f"the certificate of its server is refused: {certificate}") from None
        reason = shorten_reason(str(error)) or type(error).__name__
        raise DownloadError(f"the connection failed: {reason}", is_temporary=True) from None
    except (httpx.InvalidURL, ValueError):
        raise DownloadError("not a valid address") from None
    validators = Validators(*(response.headers.get(name, "") for name in ("etag", "last-modified")))
    has_length = "content-length" in response.headers or "transfer-encoding" in response.headers
    return FetchedPhoto(validators, has_length)


def _find_certificate_error(error: BaseException | None) -> str:
    """Return why a certificate was refused, if that is among the causes of an error; else an empty string."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""


async def _follow(
    transport: httpx.AsyncBaseTransport, address: str, headers: Mapping[str, str], limits: DownloadsConfig
) -> httpx.Response:
    """Return the response of an address, or of the one that it redirects to, before its content."""
    url = httpx.URL(address)
    timeout = httpx.Timeout(limits.first_byte_seconds, pool=None).as_dict()
    for _ in range(limits.max_redirects + 1):
        if url.scheme not in ("http", "https") or not url.host:
            raise DownloadError(f"redirects to an address of another kind: {url.scheme}:")
        url = url.copy_with(username="", password="", fragment=None)
        request = httpx.Request("GET", url, headers=dict(headers), extensions={"timeout": timeout})
        try:
            async with asyncio.timeout(limits.first_byte_seconds):
                response = await transport.handle_async_request(request)
        except TimeoutError:
            raise DownloadError(f"no response within {limits.first_byte_seconds:g} s") from None
        if response.status_code not in _REDIRECTS:
            try:
                _check_status(response, headers, limits)
            except DownloadError:
                await response.aclose()
                raise
            return response
        target = response.headers.get("location", "")
        await response.aclose()
        if not target:
            raise DownloadError("a redirect without an address")
        url = url.join(target)
    raise DownloadError(f"more than {limits.max_redirects} redirects")


def _check_status(response: httpx.Response, headers: Mapping[str, str], limits: DownloadsConfig) -> None:
    """Raise `DownloadError` for a response that is no photo, by its status and headers."""
    status = response.status_code
    is_conditional = any(name.startswith("If-") for name in headers)
    if status == 304 and is_conditional:
        return
    if status != 200:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown status"
        reason, wait = f"{status} {phrase}", _read_retry_after(response.headers.get("retry-after", ""))
        if wait is not None and wait > limits.max_wait_seconds:
            raise DownloadError(f"{reason}; the server asks to wait {wait:.0f} s")
        raise DownloadError(reason, is_temporary=status in _TEMPORARY, wait=wait)
    kind = response.headers.get("content-type", "").strip().lower()
    if kind.startswith(_NO_PHOTOS):
        raise DownloadError(f"not a photo: {kind.partition(';')[0]}")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise DownloadError(f"sent with Content-Encoding: {encoding}, which was not asked for")
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdigit():
        _check_size(int(length), limits)


async def _read_body(
    response: httpx.Response, limits: DownloadsConfig, write: Callable[[bytes], object]
) -> None:
    """Pass the content on as it was sent: a compressed one could become larger than any limit."""
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        _check_size(size, limits)
        write(piece)


def _check_size(size: int, limits: DownloadsConfig) -> None:
    if size > limits.max_megabytes * 1e6:
        raise DownloadError(f"larger than {limits.max_megabytes:g} MB (downloads.max_megabytes)")


def _read_retry_after(text: str) -> float | None:
    """Return the seconds that a header Retry-After asks to wait, given as a number or as a date."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def get_host(address: str) -> str:
    """Return the host and port of an address, in lower case; empty if it is not valid."""
    try:
        parts = urlsplit(address)
        return f"{(parts.hostname or '').lower()}:{parts.port or parts.scheme}"
    except ValueError:
        return ""
