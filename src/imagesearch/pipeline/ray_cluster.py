"""The connection to Ray: started on this machine, or a cluster at an address."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from imagesearch.errors import UserError, describe_error
from imagesearch.pipeline.steps import RunOptions
from imagesearch.text import shorten_reason

# Seconds until an address that does not answer at all is reported.
_SECONDS_TO_CONNECT = 10.0
# Bytes of shared memory for each core, and for at least two, for photos on their way from tasks to actors.
_STORE_BYTES_A_CORE = 256 * 2**20
# Bytes of prepared photos that a task passes on at once.
_BLOCK_BYTES = 16 * 2**20
# The names of Ray's sockets are at most 107 bytes long, and Ray appends up to 75 to its folder.
_MAX_FOLDER_BYTES = 107 - 75
# Ray reads these when it is imported: no usage statistics, and no log on stderr.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
# Listen on the loopback interface only, which is the purpose of this switch on macOS and Windows, and answer
# only who has the token of this process.
_LOCAL_SETTINGS = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
# An address at which something else answers is reported after two attempts of 10 s; Ray's default is 300 s.
_CLUSTER_SETTINGS = {"RAY_gcs_rpc_server_connect_timeout_s": "3", "RAY_py_gcs_connect_timeout_s": "8"}
_CLUSTER_SETTINGS |= {"RAY_NUM_REDIS_GET_RETRIES": "1"}


def connect(options: RunOptions) -> ModuleType:
    """Return ``ray`` with a connection, which this process keeps until it ends.

    A connection that the process has already is used, whatever the address.

    Raises
    ------
    UserError
        If Ray is not installed, or its address does not answer.
    """
    address = options.ray_address
    if "ray" not in sys.modules:
        local = _LOCAL_SETTINGS | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
        for name, value in (_SETTINGS | (_CLUSTER_SETTINGS if address else local)).items():
            os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError:
        raise UserError(
            'extraction.engine: ray requires more packages; run pip install -e ".[scale]"'
        ) from None
    if not ray.is_initialized():
        if address:
            _join_cluster(ray, address)
        else:
            _start_ray(ray, options.threads)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.enable_operator_progress_bars = False  # the run has its own
    context.print_on_execution_start = False
    context.raise_original_map_exception = True
    context.target_max_block_size = _BLOCK_BYTES
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)  # errors are raised
    return ray


def _start_ray(ray: ModuleType, cores: int) -> None:
    """Start Ray on this machine, until this process ends."""
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) + len("/ray-12345678") > _MAX_FOLDER_BYTES and Path("/tmp").is_dir():
        parent = "/tmp"
    folder = tempfile.mkdtemp(prefix="ray-", dir=parent)
    atexit.register(_stop_ray, ray, folder)
    with _mute_stderr():
        ray.init(
            "local",  # whatever RAY_ADDRESS says, and whether another Ray runs here
            num_cpus=cores,
            include_dashboard=False,
            object_store_memory=_STORE_BYTES_A_CORE * max(cores, 2),
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=folder,
        )


def _stop_ray(ray: ModuleType, folder: str) -> None:
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def _join_cluster(ray: ModuleType, address: str) -> None:
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_CONNECT).close()
        except OSError as error:
            reason = describe_error(error)
            raise UserError(f"extraction.ray_address: {address} does not answer ({reason})") from None
    try:
        with _mute_stderr():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = shorten_reason(describe_error(error))
        advice = (
            "" if os.environ.get("RAY_AUTH_MODE") else "; if it requires a token, set RAY_AUTH_MODE=token"
        )
        raise UserError(f"extraction.ray_address: {address}: {reason}{advice}") from None


@contextlib.contextmanager
def _mute_stderr() -> Iterator[None]:
    """Discard what Ray's libraries, which are not Python, write to stderr when they start."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # there is no stderr
            stderr = os.dup(2)
            stack.callback(os.close, stderr)
            stack.callback(os.dup2, stderr, 2)
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
        yield


@contextlib.contextmanager
def explain_ray_errors() -> Iterator[None]:
    """Raise `UserError` for an error of the cluster, and for one of this program the error itself."""
    import ray

    try:
        yield
    except ray.exceptions.RayError as error:
        cause = error.cause if isinstance(error, ray.exceptions.RayTaskError) else error
        if not isinstance(cause, ray.exceptions.RayError):
            raise cause from error
        reason = shorten_reason(describe_error(cause))
        raise UserError(f"Ray: {reason}; finished work is kept; run the script again to continue") from None
