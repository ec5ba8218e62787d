"""Downloads over HTTPS: the certificate is checked for the host of the address."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import trustme
from conftest import World
from url_server import UrlServer

from imagesearch.config import Config
from imagesearch.downloads import DownloadCache, DownloadSummary, download_photos


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[UrlServer]:
    """A server with a certificate for the name ``localhost`` only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = UrlServer(context)
    yield server
    server.close()


@pytest.fixture
def config(world: World, server: UrlServer) -> Config:
    port = server.host.rpartition(":")[2]
    return world.config(
        f"dataset.allow_hosts=['127.0.0.1:{port}', 'localhost:{port}']", "downloads.retries=3"
    )


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority is among those that httpx trusts."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    monkeypatch.setattr("imagesearch.downloads.transport._make_ssl_context", lambda: context)


def download(config: Config, *addresses: str) -> DownloadSummary:
    cache = DownloadCache(config.dataset.folder)
    return download_photos(config, cache, {address: address for address in addresses})


@pytest.mark.usefixtures("trusted")
def test_the_certificate_is_that_of_the_name_though_the_connection_is_to_an_address(
    config: Config, server: UrlServer
) -> None:
    summary = download(config, f"{server.url.replace('127.0.0.1', 'localhost')}/good/1.jpg")
    assert summary.downloaded == 1 and not summary.failed


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_host_is_refused_at_once(config: Config, server: UrlServer) -> None:
    (reason,) = download(config, f"{server.url}/good/1.jpg").failed.values()
    assert reason.startswith("the certificate of its server is refused: IP address mismatch")
    assert not server.requests


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(config: Config, server: UrlServer) -> None:
    address = f"{server.url.replace('127.0.0.1', 'localhost')}/good/1.jpg"
    (reason,) = download(config, address).failed.values()
    assert reason.startswith("the certificate of its server is refused: unable to get local issuer")
    assert not server.requests


@pytest.mark.usefixtures("trusted")
def test_a_server_that_breaks_the_encryption_does_not_end_the_others(
    config: Config, server: UrlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    respond = server.respond

    def break_encryption(handler: BaseHTTPRequestHandler, path: str) -> None:
        if "broken" not in path:
            respond(handler, path)
            return
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
        os.write(handler.connection.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))  # a record of zeros

    monkeypatch.setattr(server, "respond", break_encryption)
    url = server.url.replace("127.0.0.1", "localhost")
    once = config.model_copy(update={"downloads": config.downloads.model_copy(update={"retries": 0})})
    summary = download(once, f"{url}/broken/1.jpg", f"{url}/good/2.jpg", f"{url}/good/3.jpg")
    assert summary.downloaded == 2
    (reason,) = summary.failed.values()
    assert reason.startswith("the connection failed: ")
