"""A connection to a server: repeated requests, messages, TLS. The server is Milvus Lite's own."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from milvus_servers import find_free_port, run_lite_server
from pymilvus.exceptions import MilvusException

from imagesearch.config import MilvusConfig
from imagesearch.errors import ServerUnavailableError, UserError
from imagesearch.store import Store
from imagesearch.store.server_client import ServerClient

# What Milvus 2.3.5 answers to a flush while its nodes are restarted.
STARTING = (
    "attempt #0: stack trace: /milvus/pkg/tracer/stack_trace.go:51 tracer.StackTrace: attempt #1: node not "
    "match[expectedNodeID=1][actualNodeID=2]: attempt #2: session not found->datanode-1: node not found[n=1]"
)


def settings(uri: str, folder: Path = Path(), **options) -> MilvusConfig:
    return MilvusConfig.model_validate({"uri": uri, **options}, context={"base": folder})


def fail(client: ServerClient, name: str, *messages: str) -> list[int]:
    """Make the first calls of a method fail, and return the list to which each call adds its number."""
    real, calls = getattr(client._client, name), []

    def call(*args, **options):
        calls.append(len(calls))
        if len(calls) <= len(messages):
            raise MilvusException(message=messages[len(calls) - 1])
        return real(*args, **options)

    setattr(client._client, name, call)
    return calls


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_lite_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


def test_a_request_is_repeated_while_the_nodes_of_a_server_start(uri: str) -> None:
    client = ServerClient(settings(uri))
    calls = fail(client, "list_collections", STARTING, STARTING)
    assert client.list_collections() == [] and len(calls) == 3
    client.close()


def test_the_message_is_the_last_reason_in_one_line(uri: str) -> None:
    client = ServerClient(settings(uri, timeout=1))
    fail(client, "list_collections", *[STARTING] * 9)
    with pytest.raises(ServerUnavailableError) as caught:
        client.list_collections()
    reason = "session not found->datanode-1: node not found[n=1]"
    assert str(caught.value) == f"{uri}: list_collections failed on the Milvus server ({reason})"
    client.close()


def test_a_rejected_request_is_not_repeated(uri: str) -> None:
    client = ServerClient(settings(uri))
    calls = fail(client, "list_collections", "illegal name\nof a collection")
    with pytest.raises(UserError, match=r"\(illegal name of a collection\)") as caught:
        client.list_collections()
    assert len(calls) == 1 and not isinstance(caught.value, ServerUnavailableError)
    client.close()


def test_a_request_waits_for_a_restarted_server_and_then_gives_up(tmp_path: Path) -> None:
    port = find_free_port()
    with run_lite_server(tmp_path, port) as uri:
        store = Store(settings(uri, timeout=20))
        assert store.collections.list_all() == []
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ServerUnavailableError, match="failed on the"):
        patch.setattr(store.collections.client, "_timeout", 1)
        store.collections.list_all()
    ended = threading.Event()

    def restart() -> None:
        time.sleep(1)
        with run_lite_server(tmp_path, port):
            ended.wait(60)

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        assert store.collections.list_all() == []
    finally:
        ended.set()
        thread.join()
        store.close()


# --- TLS ---------------------------------------------------------------------------------------------------


@contextmanager
def run_tls_server(folder: Path, files: Path, require_client: bool) -> Iterator[str]:
    """Run Milvus Lite behind TLS with the certificates in a folder."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite
    from pymilvus.grpc_gen import milvus_pb2_grpc

    key, certificate, ca = ((files / name).read_bytes() for name in ("server.key", "server.pem", "ca.pem"))
    credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client)
    server, database = grpc.server(ThreadPoolExecutor(4)), MilvusLite(str(folder / "tls.db"))
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
        database.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, another one, and a server and a client that the first has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so there are no certificates")
    folder = tmp_path_factory.mktemp("tls")

    def run(*args: str) -> None:
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        run(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )
    (folder / "names.cnf").write_text("subjectAltName=DNS:milvus.example\n")
    for name in ("server", "client"):
        run(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        run(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "2", "-extfile", "names.cnf", "-out", f"{name}.pem"),
        )
    return folder


OWN = {"ca": "ca.pem", "server_name": "milvus.example"}
CLIENT = OWN | {"certificate": "client.pem", "key": "client.key"}


@pytest.mark.parametrize(("require_client", "tls"), [(False, OWN), (True, CLIENT)])
def test_a_server_with_certificates_of_its_own(
    tmp_path: Path, certificates: Path, require_client: bool, tls: dict
) -> None:
    with (
        run_tls_server(tmp_path, certificates, require_client) as uri,
        Store(settings(uri, certificates, tls=tls)) as store,
    ):
        assert store.collections.list_all() == []
        assert store.collections.dialect.is_lite


@pytest.mark.parametrize(
    ("require_client", "tls"),
    [
        (False, {}),
        (False, OWN | {"ca": "other.pem"}),
        (False, OWN | {"server_name": "another.example"}),
        (False, OWN | {"ca": "nowhere.pem"}),
        (True, OWN),
    ],
)
def test_a_wrong_certificate_is_one_line(
    tmp_path: Path, certificates: Path, require_client: bool, tls: dict
) -> None:
    with (
        run_tls_server(tmp_path, certificates, require_client) as uri,
        pytest.raises(UserError, match="the Milvus server does not answer") as caught,
    ):
        Store(settings(uri, certificates, tls=tls, timeout=2))
    assert "\n" not in str(caught.value)
