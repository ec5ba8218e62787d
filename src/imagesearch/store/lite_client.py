"""Connections to a Milvus Lite database that several programs can use at the same time.

The first program opens the database and serves it (``lite_server.py``); the others connect to it. When that
program ends, one of the others opens the database, the rest connect to it, and the interrupted calls are
repeated.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from imagesearch.errors import UserError
from imagesearch.filters import Between, format_filter
from imagesearch.store.lite_server import (
    LiteServer,
    ServerAddress,
    acquire_server,
    find_address,
    is_served_here,
    release_server,
)

_LOCK_SUFFIX = ".lock"
_OPENING_SECONDS = 4.0  # to wait for a program that is opening or closing the database
_TAKEOVER_SECONDS = 15.0  # the same, if the program is one of ours: it completes its calls first
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 8.0  # to wait for a program that listens but does not answer, because it is busy or stopped
_CONNECT_SECONDS = 1.0  # for one attempt: pymilvus repeats it until then, although the program may have ended
_MAX_REPEATS = 5
_QUIET_SECONDS = 1.0  # before a message that a writer waits
_NOT_LOADED = 101  # the error code for a search in a collection that is not loaded


@dataclass(frozen=True)
class _Connection:
    """A `pymilvus.MilvusClient`, and the server if this process has opened the database."""

    client: Any
    server: LiteServer | None

    def close(self) -> None:
        with suppress(Exception):  # the server may have ended
            self.client.close()
        if self.server is not None:
            release_server(self.server)


class LiteClient:
    """A `pymilvus.MilvusClient` for Milvus Lite, with the same methods.

    A call that fails because the serving program has ended is repeated. All calls can be repeated: rows are
    written by key, and `create_collection` and `create_alias` are adapted. The first argument of a call that
    concerns a collection is its name.

    Parameters
    ----------
    uri
        Path of the database.

    Raises
    ------
    UserError
        If a program has the database open that does not share it.
    """

    def __init__(self, uri: str) -> None:
        self._uri, self._database = uri, Path(uri).resolve()
        self._process = os.getpid()
        self._closed = False
        self._reconnecting = threading.Lock()
        self._connection = _connect(uri, self._database, _OPENING_SECONDS)

    def close(self) -> None:
        """Close the connection. The last one of this process waits for compaction and closes the database."""
        with self._reconnecting:
            if not self._closed and self._process == os.getpid():
                self._connection.close()
            self._closed = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: Any, **options: Any) -> Any:
            return self._call(name, args, options)

        return call

    def query_iterator(self, name: str, *, output_fields: list[str], **options: Any) -> _RowIterator:
        """Return an iterator over rows by ascending key, which must be the first of the fields."""
        return _RowIterator(self, name, output_fields, options)

    @contextmanager
    def lock_for_writing(self) -> Iterator[None]:
        """Exclude the writes of other programs and threads. The same thread can lock again.

        If the lock is not free within a second, a message is printed on stderr.
        """
        file = self._database.with_name(self._database.name + _LOCK_SUFFIX)
        if not os.access(file.parent, os.W_OK):
            file = self._database / "imagesearch.lock"
        lock = FileLock(file, is_singleton=True)
        try:
            lock.acquire(timeout=_QUIET_SECONDS)
        except Timeout:
            print(f"{self._uri}: waiting until another program has finished writing", file=sys.stderr)
            lock.acquire()
        except OSError as error:
            raise UserError(f"{file}: cannot be locked ({error.strerror})") from None
        try:
            _forget_schemas(self._connection.client)
            yield
        finally:
            lock.release()

    # --- calls ---------------------------------------------------------------------------------------------

    def _call(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a method of the client; reconnect and repeat the call if the connection is lost."""
        for repeat in range(_MAX_REPEATS + 1):
            connection = self._get_connection()
            client = connection.client
            try:
                method = _adapt_repeated_call(client, name, args) if repeat else name
                return getattr(client, method)(*args, **options)
            except Exception as error:
                if self._is_lost(connection, error):
                    self._reconnect(connection)
                elif getattr(error, "code", None) == _NOT_LOADED:
                    # by this server: another one has loaded it before
                    self._call("load_collection", args[:1], {})
                else:
                    raise
        raise UserError(f"{self._uri}: the program that has it open ended several times in a row; try again")

    def _get_connection(self) -> _Connection:
        if self._process != os.getpid():
            raise UserError(f"{self._uri}: a forked process must open a connection of its own")
        if self._closed:
            raise UserError(f"{self._uri}: the connection is closed")
        return self._connection

    def _is_lost(self, connection: _Connection, error: Exception) -> bool:
        """Whether a call failed because its connection was lost, or replaced by another thread."""
        import grpc

        lost = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        return connection is not self._connection or (
            isinstance(error, grpc.RpcError) and error.code() in lost
        )

    def _reconnect(self, lost: _Connection) -> None:
        """Replace a lost connection, unless another thread has done so."""
        with self._reconnecting:
            if self._connection is lost:
                self._connection = _connect(self._uri, self._database, _TAKEOVER_SECONDS)
                lost.close()


class _RowIterator:
    """A `pymilvus` iterator over the rows of a collection, which continues with another server."""

    def __init__(self, client: LiteClient, name: str, fields: list[str], options: dict[str, Any]) -> None:
        self._client, self._name, self._fields, self._options = client, name, fields, options
        self._last_key: int | None = None
        self._open()

    def next(self) -> list[dict[str, Any]]:
        """Return the next batch of rows; an empty list after the last one."""
        for repeat in range(_MAX_REPEATS + 1):
            try:
                batch = self._iterator.next()
                break
            except Exception as error:
                if repeat == _MAX_REPEATS or not self._client._is_lost(self._opened_with, error):
                    raise
                self._open()
        if batch:
            self._last_key = batch[-1][self._fields[0]]
        return batch

    def close(self) -> None:
        self._iterator.close()

    def _open(self) -> None:
        """Open the iterator after the last row that was returned."""
        options = dict(self._options)
        if self._last_key is not None:
            after = format_filter(Between(self._fields[0], self._last_key + 1), lists_are_arrays=False)
            expression = options.get("filter")
            options["filter"] = f"{after} and ({expression})" if expression else after
        self._opened_with = self._client._get_connection()
        options["output_fields"] = self._fields
        self._iterator = self._client._call("query_iterator", (self._name,), options)


def _adapt_repeated_call(client: Any, name: str, args: tuple[Any, ...]) -> str:
    """Return the method that repeats an interrupted call, which may have been completed, or half of it."""
    if name == "create_alias" and client.has_collection(args[1]):
        return "alter_alias"
    if name == "create_collection" and _is_empty_collection(client, args[0]):
        client.drop_collection(args[0])
    return name


def _is_empty_collection(client: Any, name: str) -> bool:
    return client.has_collection(name) and not int(client.get_collection_stats(name)["row_count"])


# --- connecting --------------------------------------------------------------------------------------------


def _connect(uri: str, database: Path, seconds: float) -> _Connection:
    """Open a database, or connect to the program that has it open.

    Parameters
    ----------
    seconds
        Maximum time to wait for a program that is opening or closing the database.
    """
    start = time.monotonic()
    while True:
        try:
            address = None if is_served_here(database) else find_address(database)
            connection = _join(address) if address else _open(database)
        except OSError as error:
            raise UserError(f"{uri}: cannot be opened ({error.strerror or error})") from None
        if connection is not None:
            return connection
        if time.monotonic() - start > (_ANSWER_SECONDS if address else seconds):
            if address:
                raise UserError(
                    f"{uri}: another process has it open and does not answer; continue or end process "
                    f"{address.process}"
                )
            raise UserError(
                f"{uri}: another process has it open and does not share it; end that process, such as a "
                "program that uses pymilvus, or use a Milvus server (milvus.uri: http://...)"
            )
        time.sleep(_POLL_SECONDS)


def _join(address: ServerAddress) -> _Connection | None:
    """Connect to the other process that has a database open; None if it does not answer."""
    from pymilvus.exceptions import MilvusException

    with suppress(MilvusException):
        return _Connection(_make_client(address.uri, address.token), None)
    return None


def _open(database: Path) -> _Connection | None:
    """Open a database in this process; None if another process has it open."""
    if (server := acquire_server(database)) is None:
        return None
    try:
        return _Connection(_make_client(server.address.uri, server.address.token), server)
    except BaseException:
        release_server(server)
        raise


def _make_client(uri: str, token: str) -> Any:
    import grpc
    from pymilvus import MilvusClient

    client = MilvusClient(
        uri,
        token=token,
        timeout=_CONNECT_SECONDS,
        dedicated=True,
        grpc_options={"grpc.http2.ping_timeout_ms": 5000},
    )

    def raise_error(error: Exception) -> bool:
        # By default pymilvus repeats a call 75 times, with up to 3 s between two attempts.
        if isinstance(error, grpc.RpcError):
            raise error
        return False

    client._handler._on_rpc_error = raise_error
    return client


def _forget_schemas(client: Any) -> None:
    """Clear pymilvus' cache of schemas: another program may have dropped and recreated collections."""
    from pymilvus.client.cache import GlobalCache

    GlobalCache.schema.invalidate_db(client._config.address, "")
