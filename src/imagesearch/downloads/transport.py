"""HTTP connections to checked addresses: a host is resolved once, checked, and connected to by address."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any

import httpcore
import httpx

from imagesearch.downloads.public_addresses import choose_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_IDLE_SECONDS = 5.0  # an unused connection is closed after it


async def resolve_host(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in the order of the system.

    Raises
    ------
    OSError
        If the host has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(info[4][0] for info in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses of a host that was resolved and checked.

    The name is not resolved a second time, when it could have another address. The host of the request stays
    what it is, for the header ``Host`` and for the certificate.
    """

    def __init__(self, allow_hosts: Collection[str], resolve: Resolve = resolve_host) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allow_hosts, self._resolve = allow_hosts, resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a valid name"
            raise httpcore.ConnectError(f"{host}: {reason}") from None
        addresses = choose_public(host, port, found, self._allow_hosts)
        failure: Exception = httpcore.ConnectError(f"{host}: no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, path: str, **_: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("not a network address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class CheckedTransport(httpx.AsyncHTTPTransport):
    """A transport of httpx with the connections of `CheckedBackend`.

    It uses no proxy, because the proxy would resolve the names, and no ``.netrc``.
    """

    def __init__(
        self, connections: int, allow_hosts: Collection[str], resolve: Resolve = resolve_host
    ) -> None:
        super().__init__(trust_env=False)
        # httpx has no argument for the backend of its pool
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_make_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=CheckedBackend(allow_hosts, resolve),
        )


def _make_ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
