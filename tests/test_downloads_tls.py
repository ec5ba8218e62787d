"""Downloads over HTTPS: the certificate is checked for the host of the address."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

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


def download(config: Config, address: str) -> DownloadSummary:
    cache = DownloadCache(config.dataset.folder)
    return download_photos(config, cache, {address: address})


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
