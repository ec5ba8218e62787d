"""Photos are downloaded from public addresses only, and connections are made to those that were checked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from url_server import UrlServer

from imagesearch.config import DownloadsConfig
from imagesearch.downloads.fetch import DownloadError, fetch_photo
from imagesearch.downloads.public_addresses import RefusedAddressError, choose_public, is_public
from imagesearch.downloads.transport import CheckedTransport, resolve_host

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PUBLIC += ["2002:808:808::1"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    *("255.255.255.255", "192.0.0.8"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
    # IPv4 inside IPv6: mapped, compatible, 6to4, NAT64, NAT64 of a local network, Teredo
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "2002:7f00:1::1"),
    *("2002:a9fe:a9fe::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:7f00:1::"),
    *("localhost", "", "1.2.3"),
]


@pytest.fixture
def server() -> Iterator[UrlServer]:
    server = UrlServer()
    yield server
    server.close()


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_host_is_refused_if_any_of_its_addresses_is_not_public() -> None:
    assert choose_public("a.org", 80, ["8.8.8.8", "1.1.1.1"]) == ["8.8.8.8", "1.1.1.1"]
    with pytest.raises(RefusedAddressError, match=r"a\.org has the address 10\.0\.0\.1, which is not public"):
        choose_public("a.org", 80, ["8.8.8.8", "10.0.0.1"])


def test_allowed_are_exactly_the_hosts_and_ports_that_are_listed() -> None:
    allowed = ("nas.local:8080", "[::1]:80")
    assert choose_public("NAS.local", 8080, ["10.0.0.1"], allowed) == ["10.0.0.1"]
    assert choose_public("::1", 80, ["::1"], allowed) == ["::1"]
    for host, port, address in (("nas.local", 80, "10.0.0.1"), ("10.0.0.1", 8080, "10.0.0.1")):
        with pytest.raises(RefusedAddressError, match=f"dataset.allow_hosts can list {host}:{port}"):
            choose_public(host, port, [address], allowed)


def fetch(transport: CheckedTransport, address: str) -> bytes:
    content: list[bytes] = []

    async def run() -> None:
        async with transport:
            await fetch_photo(transport, address, {}, DownloadsConfig(), content.append)

    asyncio.run(run())
    return b"".join(content)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
    ],
)
def test_no_connection_is_attempted_to_an_address_that_is_refused(
    server: UrlServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    connected = []
    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", connected.append)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address))
    port = server.host.rpartition(":")[2]
    with pytest.raises(DownloadError, match=r"^refused: .* is not public|not a valid address"):
        fetch(CheckedTransport(1, ()), f"http://{host}:{port}/good/1.jpg")
    assert not connected and not server.requests


def test_a_name_is_resolved_once_and_its_checked_address_is_connected_to(server: UrlServer) -> None:
    """A second lookup could return another address (DNS rebinding)."""
    lookups = []
    port = int(server.host.rpartition(":")[2])

    async def resolve(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["192.0.2.1"]

    transport = CheckedTransport(1, (f"photos.example:{port}",), resolve)
    assert fetch(transport, f"http://photos.example:{port}/good/1.jpg").startswith(b"\xff\xd8")
    assert lookups == ["photos.example"]
    assert server.headers["/good/1.jpg"]["Host"] == f"photos.example:{port}"


def test_a_second_address_is_used_if_the_first_does_not_answer(server: UrlServer) -> None:
    port = int(server.host.rpartition(":")[2])

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]  # the server listens to the second one only

    transport = CheckedTransport(1, (f"photos.example:{port}",), resolve)
    assert fetch(transport, f"http://photos.example:{port}/good/1.jpg")


def test_a_redirect_is_checked_like_the_first_address(server: UrlServer) -> None:
    for path, address in (("to_loopback", "127.0.0.1:9"), ("to_metadata", "169.254.169.254:80")):
        with pytest.raises(DownloadError, match=f"refused: .*dataset.allow_hosts can list {address}"):
            fetch(CheckedTransport(1, (server.host,)), f"{server.url}/{path}/1.jpg")


def test_proxies_of_the_environment_are_not_used(
    server: UrlServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, server.url)
    with pytest.raises(DownloadError, match=r"refused: 192\.0\.2\.1 is not public"):
        fetch(CheckedTransport(1, ()), "http://192.0.2.1/good/1.jpg")
    assert not server.requests


def test_names_without_an_address_are_reported() -> None:
    with pytest.raises(DownloadError, match=r"the connection failed: no-such-host\.invalid"):
        fetch(CheckedTransport(1, ()), "http://no-such-host.invalid/a.jpg")
    assert asyncio.run(resolve_host("127.0.0.1", 80)) == ["127.0.0.1"]
