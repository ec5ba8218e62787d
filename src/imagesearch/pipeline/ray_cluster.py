"""The connection to Ray: started on this machine, or a cluster at an address."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from imagesearch.errors import UserError, describe_error
from imagesearch.pipeline.steps import RunOptions
from imagesearch.text import shorten_reason

# Seconds until an address that does not answer is reported.
_SECONDS_TO_CONNECT = 10.0
# Bytes of shared memory for each core, for photos on their way from tasks to actors; Ray's own limit is 30% of
# the memory of the machine.
_STORE_BYTES_A_CORE = 256 * 2**20
# Loopback instead of all interfaces, the switch of Ray for systems whose firewalls ask; no usage statistics.
_LOCAL_SETTINGS = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}


def connect(options: RunOptions) -> ModuleType:
    """Return ``ray`` with a connection, which the process keeps until it ends.

    Raises
    ------
    UserError
        If Ray is not installed, or its address does not answer.
    """
    if "ray" not in sys.modules:  # it reads them when it is imported
        token = {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
        for name, value in (_SETTINGS if options.ray_address else _SETTINGS | _LOCAL_SETTINGS | token).items():
            os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError:
        raise UserError(
            'extraction.engine: ray requires more packages; run pip install -e ".[scale]"'
        ) from None
    if not ray.is_initialized():
        if options.ray_address:
            _join_cluster(ray, options.ray_address)
        else:
            _start_here(ray, options.threads)
    _configure_data(ray)
    return ray


def _start_here(ray: ModuleType, cores: int) -> None:
    """Start Ray on this machine, for as long as this process runs."""
    # Ray's sockets are in it, and the path of a socket has at most 107 bytes.
    folder = tempfile.mkdtemp(prefix="ray-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    memory = min(_STORE_BYTES_A_CORE * max(2, cores), _read_total_memory() * 3 // 10)
    ray.init(
        num_cpus=cores,
        include_dashboard=False,
        object_store_memory=memory,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=folder,
    )


def _join_cluster(ray: ModuleType, address: str) -> None:
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_CONNECT).close()
        except OSError as error:
            raise UserError(
                f"extraction.ray_address: {address} does not answer ({describe_error(error)})"
            ) from None
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = shorten_reason(describe_error(error))
        raise UserError(f"extraction.ray_address: {address}: cannot be used: {reason}") from None


def _configure_data(ray: ModuleType) -> None:
    """Turn off the progress bars and notes of Ray Data: the run has its own."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.enable_operator_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)  # errors are raised, not logged


def _read_total_memory() -> int:
    import psutil

    return psutil.virtual_memory().total


@contextmanager
def explain_ray_errors() -> Iterator[None]:
    """Raise `UserError` for an error of the cluster, and for one of this program the error itself."""
    import ray

    try:
        yield
    except ray.exceptions.RayError as error:
        cause: BaseException | None = error
        while isinstance(cause, ray.exceptions.RayTaskError | ray.exceptions.UserCodeException):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is not None and not isinstance(cause, ray.exceptions.RayError):
            raise cause from None
        reason = shorten_reason(describe_error(cause or error))
        raise UserError(f"Ray: {reason}; finished work is kept; run the script again to continue") from None
