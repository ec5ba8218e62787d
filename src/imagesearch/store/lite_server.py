"""Opens a Milvus Lite database in this process, and serves it to the other processes of this user.

Milvus Lite allows one process to open a database, and locks it. That process runs a gRPC server for its own
connections. Here the server listens on a Unix socket in a private folder (on Windows, on a loopback port). A
file beside the database contains its address, so that other processes can connect to it.

The lock alone decides whether a database is open. An address file without a locked database is a leftover of
a killed process: it is ignored, and replaced by the next process that opens the database.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import secrets
import shutil
import socket
import stat
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError
from imagesearch.files import atomic_write

_ADDRESS_SUFFIX = ".address"
_SOCKET_NAME = "milvus.sock"
_FOLDER_PREFIX = "imagesearch-milvus-"
_MAX_SOCKET_PATH = 100  # bytes; the limit of macOS is 103, the limit of Linux 107
_GRACE_SECONDS = 5.0  # for the calls in progress when a server is closed
_PROBE_SECONDS = 1.0
# The values of `_build_server` in milvus_lite, version 3.2.2.
_MAX_MESSAGE_BYTES = 256 * 2**20
_WORKERS = 10


@dataclass(frozen=True)
class ServerAddress:
    """The content of the address file.

    Attributes
    ----------
    uri : str
        ``unix:PATH``, or ``http://127.0.0.1:PORT`` on Windows.
    token : str
        A secret that each call must contain. Only the user who opened the database can read the file.
    process : int
        The id of the process.
    lock : tuple of int
        Device and inode of the lock file of the database, which differ in a copy of the database.
    """

    uri: str
    token: str
    process: int
    lock: tuple[int, int]


class LiteServer:
    """A database that this process has opened, and its server.

    Parameters
    ----------
    database
        The resolved path of the database.

    Attributes
    ----------
    address : ServerAddress
        The address for all clients, also for those of this process.
    users : int
        Number of clients of this process. The last one closes the server.

    Raises
    ------
    milvus_lite.exceptions.DataDirLockedError
        If a process has the database open.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        self.users = 0
        self._database = _open_database(database)
        self._folder: Path | None = None
        try:
            _remove_socket_of_killed_process(database)
            self._start()
            # Without write permission the database can be used, but not shared.
            with suppress(OSError, UserError):
                _write_address(database, self.address)
        except BaseException:
            self._database.close()
            self._remove_folder()
            raise

    def _start(self) -> None:
        """Start the server on a Unix socket or a loopback port."""
        from concurrent.futures import ThreadPoolExecutor

        import grpc
        from milvus_lite.adapter.grpc.servicer import MilvusServicer
        from pymilvus.grpc_gen import milvus_pb2_grpc

        token = secrets.token_hex(16)
        self._executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="milvus_lite")
        options = [
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            # pymilvus pings every 10 s. By default a server disconnects such a client.
            ("grpc.http2.max_ping_strikes", 0),
        ]
        self._server = grpc.server(self._executor, interceptors=[_make_token_check(token)], options=options)
        servicer = MilvusServicer(self._database)
        milvus_pb2_grpc.add_MilvusServiceServicer_to_server(servicer, self._server)
        if sys.platform == "win32":
            uri = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        else:
            self._folder = _make_socket_folder()
            uri = f"unix:{self._folder / _SOCKET_NAME}"
            self._server.add_insecure_port(uri)
        self._server.start()
        self.address = ServerAddress(uri, token, os.getpid(), _identify_lock(database=self.database))

    def wait_for_maintenance(self) -> None:
        """Wait for compaction and the building of indexes, while the server continues to serve."""
        for collection in list(self._database._collections.values()):
            collection._wait_for_bg()

    def close(self) -> None:
        """Complete the calls in progress, stop the server, and close the database."""
        self._server.stop(_GRACE_SECONDS).wait()
        self._executor.shutdown()  # a cancelled call continues to write until its thread ends
        self._remove_address()
        self._remove_folder()
        self._database.close()

    def abandon(self) -> None:
        """Release the lock file that a forked process has inherited; the parent keeps its lock."""
        lock, self._database._lock_fd = self._database._lock_fd, None
        if lock is not None:
            os.close(lock)

    def _remove_address(self) -> None:
        # Another address is of another database, which has replaced a deleted one.
        if read_address(self.database) == self.address:
            _get_address_file(self.database).unlink(missing_ok=True)

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


# --- the servers of this process ---------------------------------------------------------------------------

_servers: dict[Path, LiteServer] = {}
_lock = threading.RLock()


def is_served_here(database: Path) -> bool:
    """Whether this process has opened a database."""
    with _lock:
        return database in _servers


def acquire_server(database: Path) -> LiteServer | None:
    """Return this process's server of a database, which is opened if necessary.

    Returns
    -------
    server : LiteServer, optional
        To be released with `release_server`. None if another process has the database open.
    """
    from milvus_lite.exceptions import DataDirLockedError

    with _lock:
        if database not in _servers:
            try:
                _servers[database] = LiteServer(database)
            except DataDirLockedError:
                return None
        server = _servers[database]
        server.users += 1
        return server


def release_server(server: LiteServer) -> None:
    """Close a server if no other client of this process uses it."""
    with _lock:
        server.users -= 1
        if server.users:
            return
    server.wait_for_maintenance()
    with _lock:
        # In the meantime another client may have used the server, and may have closed it.
        if not server.users and _servers.get(server.database) is server:
            del _servers[server.database]
            server.close()


@atexit.register
def _close_servers() -> None:
    """Close the servers that the program has not closed."""
    with _lock:
        while _servers:
            _servers.popitem()[1].close()


def _abandon_servers() -> None:
    """Leave the servers to the parent of a forked process: this process has no threads for them."""
    global _lock
    _lock = threading.RLock()
    while _servers:
        _servers.popitem()[1].abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_servers)


# --- the address file --------------------------------------------------------------------------------------


def find_address(database: Path) -> ServerAddress | None:
    """Return the address of the process that has a database open; None if there is no such process."""
    address = read_address(database)
    if address is None or not is_locked(database) or address.lock != _identify_lock(database):
        return None
    return address if _is_listening(address.uri) else None


def read_address(database: Path) -> ServerAddress | None:
    """Read the address file; None if it is missing, damaged, or another user's."""
    try:
        with _get_address_file(database).open(encoding="utf-8") as stream:
            if sys.platform != "win32" and os.fstat(stream.fileno()).st_uid != os.geteuid():
                return None
            values = json.load(stream)
        uri, token, process, lock = (values[name] for name in ("uri", "token", "process", "lock"))
        address = ServerAddress(str(uri), str(token), int(process), (int(lock[0]), int(lock[1])))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    scheme = "http://127.0.0.1:" if sys.platform == "win32" else "unix:/"
    return address if address.uri.startswith(scheme) else None


def _write_address(database: Path, address: ServerAddress) -> None:
    """Write the address file, which only this user can read."""
    with atomic_write(_get_address_file(database), durable=False) as unfinished:
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(asdict(address), stream)


def _get_address_file(database: Path) -> Path:
    return database.with_name(database.name + _ADDRESS_SUFFIX)


def is_locked(database: Path) -> bool:
    """Whether a process has a database open."""
    try:
        file = os.open(database / "LOCK", os.O_RDWR)
    except OSError:
        return False
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)  # releases the lock
    return False


def _identify_lock(database: Path) -> tuple[int, int]:
    """Return device and inode of a database's lock file."""
    status = (database / "LOCK").stat()
    return status.st_dev, status.st_ino


# --- sockets -----------------------------------------------------------------------------------------------


def _make_socket_folder() -> Path:
    """Create a folder that only this user can enter, with a path that is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
    if len(os.fsencode(folder / _SOCKET_NAME)) > _MAX_SOCKET_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir="/tmp"))
    return folder


def _is_listening(uri: str) -> bool:
    """Whether a process listens at an address."""
    try:
        if uri.startswith("unix:"):
            family, target = socket.AF_UNIX, uri.removeprefix("unix:")
        else:
            family, target = socket.AF_INET, ("127.0.0.1", int(uri.rpartition(":")[2]))
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PROBE_SECONDS)
            probe.connect(target)
    except (OSError, ValueError):
        return False
    return True


def _remove_socket_of_killed_process(database: Path) -> None:
    """Remove the socket and its folder, which the address file of a killed process names."""
    address = read_address(database)
    if address is None or not address.uri.startswith("unix:"):
        return
    file = Path(address.uri.removeprefix("unix:"))
    if not (file.name == _SOCKET_NAME and file.parent.name.startswith(_FOLDER_PREFIX)):
        return
    with suppress(OSError):
        if stat.S_ISSOCK(file.lstat().st_mode) and not _is_listening(address.uri):
            file.unlink()
        file.parent.rmdir()  # fails if there is another file in it


# --- Milvus Lite -------------------------------------------------------------------------------------------


def _open_database(database: Path) -> Any:
    """Open a database for several threads."""
    from milvus_lite.db import MilvusLite

    class Database(MilvusLite):
        """A database that opens each collection once, also if two threads request it at the same time.

        With two objects for one collection, both would write to the same log file.
        """

        def __init__(self, data_dir: str) -> None:
            self._opening = threading.RLock()
            super().__init__(data_dir)

        def get_collection(self, name: str, database_name: str = "default") -> Any:
            key = (database_name, self.resolve_collection_name(name, database_name))
            if collection := self._collections.get(key):
                return collection
            with self._opening:
                return super().get_collection(name, database_name)

        def create_collection(self, *args: Any, **options: Any) -> Any:
            with self._opening:
                return super().create_collection(*args, **options)

        def drop_collection(self, *args: Any, **options: Any) -> None:
            with self._opening:
                super().drop_collection(*args, **options)

    opened = Database(str(database))
    _remove_incomplete_collections(database)
    return opened


def _remove_incomplete_collections(database: Path) -> None:
    """Remove collections without a schema: the process was killed while it created or dropped them.

    Milvus Lite does not list them, and cannot create another collection of the same name.
    """
    for folder in (database / "collections").iterdir():
        if folder.is_dir() and not (folder / "schema.json").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _make_token_check(token: str) -> Any:
    """Return an interceptor that rejects calls without the token."""
    import grpc

    expected = ("authorization", base64.b64encode(token.encode()).decode())

    def reject(_: Any, context: Any) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")

    rejection = grpc.unary_unary_rpc_method_handler(reject)

    class TokenCheck(grpc.ServerInterceptor):
        def intercept_service(self, continuation: Any, details: Any) -> Any:
            is_valid = any(tuple(item) == expected for item in details.invocation_metadata)
            return continuation(details) if is_valid else rejection

    return TokenCheck()
