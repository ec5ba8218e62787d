"""Where a server listens, and which requests are answered at all.

A web page of somebody else that is open in a browser can send requests to 127.0.0.1, and a name that such a
page controls can be made to resolve to 127.0.0.1 (DNS rebinding). Therefore

- the ``Host`` of each request must be an address that the server was started for,
- its ``Origin``, if it has one, must be the same, and a browser must not report another site as its source.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from imagesearch.errors import UserError, describe_error

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_ANY = ("0.0.0.0", "::")


class HostNames:
    """The values of ``Host`` that are answered.

    With a server that listens on all interfaces, each IP address is accepted: a browser compares it with the
    address in the ``Origin``, and only names can be made to resolve to another address.

    Parameters
    ----------
    host
        The address that the server listens on.
    port
        Its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._port = port
        names = {*_LOOPBACK, _bracket(host).lower()}
        self._has_any_address = host in _ANY
        if self._has_any_address:
            name = socket.gethostname().lower()
            names |= {name, f"{name.partition('.')[0]}.local"}
        self._names = {f"{name}:{port}" for name in names} | (names if port == 80 else set())

    def has(self, host: str) -> bool:
        """Whether a request with this ``Host`` is answered."""
        host = host.lower()
        if host in self._names:
            return True
        name, _, port = host.rpartition(":")
        return self._has_any_address and port == str(self._port) and _is_address(name)


def explain_refusal(read: Callable[[str], list[str]], hosts: HostNames, method: str) -> str:
    """Return why a request is refused; empty if it is answered.

    Parameters
    ----------
    read
        Returns the values of a header, whose name is in lower case.
    hosts
        The values of ``Host`` that are answered.
    method
        The method of the request; empty for a websocket, which no browser restricts to the same origin.
    """
    given, origins = read("host"), read("origin")
    if len(given) != 1 or not hosts.has(given[0]):
        return "this address is not served"
    is_foreign = len(origins) > 1 or (origins and origins[0].lower() != f"http://{given[0].lower()}")
    if is_foreign or not _is_same_site(read, method):
        return "requests from other sites are refused"
    return ""


def _is_same_site(read: Callable[[str], list[str]], method: str) -> bool:
    """Whether a request comes from the server's own pages, from no page, or by a link to a page.

    A browser sends no ``Origin`` with an image or a script. It reports their source in ``Sec-Fetch-Site``.
    """
    source = read("sec-fetch-site")
    if not source or source[0] in ("same-origin", "none"):
        return True
    is_link = read("sec-fetch-mode") == ["navigate"] and read("sec-fetch-dest") == ["document"]
    return is_link and method in ("GET", "HEAD")


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can connect to a server that listens on an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address and a port; 0 is any port that is free.

    Raises
    ------
    UserError
        If this machine has no such address, or the port is in use.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError):
        raise UserError(f"--host {host}: no such address of this machine") from None
    family, _, _, _, address = found[0]
    # without the protocol, asyncio does not turn off Nagle's algorithm, which delays an image by 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        advice = "select another one with --port" if error.errno != errno.EADDRNOTAVAIL else "change --host"
        raise UserError(f"{host}:{port}: {describe_error(error).lower()}; {advice}") from None
    return listener


def format_address(host: str, port: int) -> str:
    """Return the address of a server for a browser on this machine."""
    return f"http://{_bracket({'0.0.0.0': '127.0.0.1', '::': '::1'}.get(host, host))}:{port}"


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(name: str) -> bool:
    if "%" in name:  # a scope of IPv6 can be any text
        return False
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
