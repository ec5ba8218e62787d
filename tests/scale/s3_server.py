"""A server that behaves like S3, on the loopback interface; it counts its requests and can be stopped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",  # no test asks another machine for credentials
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
}

CODES = {400: "KMS.DisabledException", 403: "AccessDenied", 404: "NoSuchKey", 503: "ServiceUnavailable"}


class _QuietHandler(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


class S3Server:
    """The server, and one bucket with photos below ``album/``.

    Attributes
    ----------
    reads : list of str
        The keys of the objects that were read.
    refuse : callable
        Is called with each key that is read, and returns the status to answer with, or 0.
    replace : dict of str to bytes
        The next read of one of these keys ends in the middle, and the object has this content then.
    """

    bucket = "photos"

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self.reads: list[str] = []
        self.refuse: Callable[[str], int] = lambda key: 0
        self.replace: dict[str, bytes] = {}
        self._port = 0
        self._server: BaseWSGIServer | None = None
        self.start()
        self.client = boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        self.client.create_bucket(Bucket=self.bucket)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the server, unless it is running."""
        if self._server is not None:
            return
        self._server = make_server(
            "127.0.0.1", self._port, self._answer, threaded=True, request_handler=_QuietHandler
        )
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def put(self, key: str, content: bytes | Path) -> None:
        body = content.read_bytes() if isinstance(content, Path) else content
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_folder(self, folder: Path, prefix: str) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.put(f"{prefix}/{file.relative_to(folder).as_posix()}", file)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def empty(self) -> None:
        for item in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", ()):
            self.delete(item["Key"])

    def take_reads(self) -> list[str]:
        """Return the keys that were read since the last call, sorted."""
        reads, self.reads = sorted(self.reads), []
        return reads

    def _answer(self, environ: dict[str, Any], start_response: Callable) -> Any:
        start = f"/{self.bucket}/"
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "GET" and path.startswith(start) and len(path) > len(start):
            key = path.removeprefix(start)
            self.reads.append(key)
            if status := self.refuse(key):
                code = CODES[status]
                start_response(f"{status} {code}", [("Content-Type", "application/xml")])
                return [f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()]
            if content := self.replace.pop(key, None):
                whole = b"".join(self._app(environ, start_response))
                self.put(key, content)
                return [whole[: len(whole) // 2]]
        return self._app(environ, start_response)


@contextmanager
def run_s3_server() -> Iterator[S3Server]:
    """Run a server inside a ``with`` block."""
    server = S3Server()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with run_s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server with an empty bucket, whose address and credentials are in the environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.address)
    s3_server.empty()
    s3_server.take_reads()
    yield s3_server
    s3_server.refuse = lambda key: 0
    s3_server.start()
