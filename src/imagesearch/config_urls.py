"""Checks of the URLs in a config file."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_TILE_NUMBERS = ("{z}", "{x}", "{y}")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d+)?")


def check_server_url(value: str) -> str:
    """Accept the URL of a server to which a path can be appended; `ValueError` for others."""
    if not is_server_url(value):
        raise ValueError("expected an http(s) URL without a query, such as https://nominatim.example.org")
    return value


def is_server_url(value: str) -> bool:
    """Whether a text is the URL of a server, possibly with a path."""
    try:
        parts = urlsplit(value)
        is_server = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # the port is not a number, or an IPv6 address is incomplete
        return False
    is_plain = value.isascii() and value.isprintable() and not (parts.query or parts.fragment)
    return bool(is_server and is_plain)


def check_tile_url(value: str) -> str:
    """Accept an empty text, or the URL of tiles of a map; `ValueError` for others.

    Its origin becomes part of a Content-Security-Policy, so only letters, digits, dots, hyphens and a port
    are accepted there.
    """
    address, _, _ = value.partition("?")  # can have a key of the user
    is_url = is_server_url(address) and value.isascii() and value.isprintable()
    is_complete = all(number in value for number in _TILE_NUMBERS)
    if value and not (is_url and is_complete and _HOST.fullmatch(urlsplit(address).netloc)):
        raise ValueError(
            "expected an http(s) URL with {z}, {x} and {y}, such as https://tiles.example.org/{z}/{x}/{y}.png"
        )
    return value


def get_origin(url: str) -> str:
    """Return the scheme, the host and the port of a URL; empty for an empty one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""
