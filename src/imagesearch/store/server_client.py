"""A connection to a Milvus server or cluster. Requests have a time limit, and errors become `UserError`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.errors import ServerUnavailableError, UserError
from imagesearch.text import shorten_reason

_MAX_CONNECT_SECONDS = 10
# These wait for the server's work, up to hours for a large collection. They have no time limit but a
# number of repetitions. Without a server they are given up after some 20 s.
_WAITING = {"flush": 12, "load_collection": 12, "create_collection": 12, "create_index": 12}
_PAUSE_SECONDS = 0.5
# In the answers of a server some of whose nodes have just been started.
_STARTING = re.compile(r"node not (found|match)|(service|channel|node) (is )?not (ready|available)")


class ServerClient:
    """A `pymilvus.MilvusClient` of a server.

    pymilvus repeats a request, with increasing pauses, while the server is unavailable. Here each request
    gets the time limit of the config. If it is reached, or the server rejects the request, `UserError` is
    raised, with a message of one line.

    Parameters
    ----------
    milvus
        The settings of the connection.

    Raises
    ------
    UserError
        If the server does not answer, or rejects the token, the certificate or the database.
    """

    def __init__(self, milvus: MilvusConfig) -> None:
        from pymilvus import MilvusClient

        self._address, self._timeout = milvus.display_uri, milvus.timeout
        # pymilvus returns one connection for equal settings; the option `dedicated` prevents that
        options = {"token": milvus.token, "db_name": milvus.database, "dedicated": True}
        with _translate_errors(
            lambda reason: (
                f"{self._address}: the Milvus server does not answer ({reason}); start it, or "
                "change milvus.uri"
            )
        ):
            limit = min(_MAX_CONNECT_SECONDS, milvus.timeout)
            self._client = MilvusClient(milvus.uri, timeout=limit, **options, **_get_tls_options(milvus))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    @contextmanager
    def lock_for_writing(self) -> Iterator[None]:
        """Do nothing: a server orders the writes of its clients."""
        yield

    def __getattr__(self, name: str) -> Any:
        if name in ("create_schema", "prepare_index_params"):  # local
            return getattr(self._client, name)
        return partial(self._request, name)

    def query_iterator(self, *args: Any, **options: Any) -> _RowIterator:
        """Return an iterator over the rows of a collection."""
        return _RowIterator(self, self._request("query_iterator", *args, **options))

    def _request(self, name: str, *args: Any, **options: Any) -> Any:
        limit = {"retry_times": _WAITING[name]} if name in _WAITING else {"timeout": self._timeout}
        method = getattr(self._client, name)
        return self.run(name, lambda: method(*args, **(limit | options)))

    def run(self, name: str, request: Callable[[], Any]) -> Any:
        """Run a request, and raise `UserError` if it fails."""
        with _translate_errors(
            lambda reason: f"{self._address}: {name} failed on the Milvus server ({reason})"
        ):
            return self._repeat(request)

    def _repeat(self, request: Callable[[], Any]) -> Any:
        """Repeat a request while the server is unavailable, for the time limit from the first failure.

        pymilvus gives up when its attempt to connect again fails, which takes ten seconds.
        """
        from pymilvus.exceptions import MilvusException

        deadline = 0.0
        while True:
            try:
                return request()
            except MilvusException as error:
                deadline = deadline or time.monotonic() + self._timeout
                if not _is_unavailable(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE_SECONDS)


class _RowIterator:
    """An iterator of pymilvus, each batch of which is a request."""

    def __init__(self, client: ServerClient, rows: Any) -> None:
        self._client, self._rows = client, rows

    def next(self) -> list[dict[str, Any]]:
        """Return the next batch of rows; an empty list after the last one."""
        return self._client.run("query_iterator", self._rows.next)

    def close(self) -> None:
        """Release the iterator."""
        self._rows.close()


def _is_unavailable(error: Any) -> bool:
    """Whether a server cannot be connected, or has just been started, so that the request can be repeated."""
    from grpc import StatusCode
    from pymilvus.client.types import Status

    is_unavailable = error.code in (StatusCode.UNAVAILABLE, Status.CONNECT_FAILED)
    return is_unavailable or bool(_STARTING.search(str(error.message)))


@contextmanager
def _translate_errors(describe: Callable[[str], str]) -> Iterator[None]:
    """Raise `UserError` for each error of pymilvus and gRPC, with a message made of the reason."""
    from grpc import RpcError
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        kind = ServerUnavailableError if _is_unavailable(error) else UserError
        raise kind(describe(_shorten(str(error.message)))) from None
    except RpcError as error:
        code, details = getattr(error, "code", lambda: "")(), getattr(error, "details", lambda: "")()
        reason = _shorten(f"{getattr(code, 'name', code)}: {details}")
        raise ServerUnavailableError(describe(reason)) from None
    except OSError as error:  # a certificate that cannot be read
        raise UserError(describe(_shorten(str(error)))) from None


def _shorten(text: str) -> str:
    """Return the reason in a server's message, without the stack trace and the attempts before the last."""
    reason = re.sub(r"^\d+: ", "", " ".join(text.split()).rpartition("attempt #")[2])
    return shorten_reason(reason)


def _get_tls_options(milvus: MilvusConfig) -> dict[str, Any]:
    """Return pymilvus' options for TLS. Without a section ``tls``, https uses the system's certificates."""
    tls = milvus.tls
    files = {"ca": tls.ca, "certificate": tls.certificate, "key": tls.key}
    paths = {name: str(path) for name, path in files.items() if path}
    if not (paths or tls.server_name):
        return {}
    options: dict[str, Any] = {"secure": True, "server_name": tls.server_name}
    if "certificate" in paths:
        names = {"ca": "ca_pem_path", "certificate": "client_pem_path", "key": "client_key_path"}
        return options | {names[name]: path for name, path in paths.items()}
    return options | ({"server_pem_path": paths["ca"]} if "ca" in paths else {})
