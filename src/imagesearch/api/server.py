"""The server: checks the options and runs the application until it is stopped."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.serving import is_loopback, limit_heaps

DEFAULT_PORT = 5000
_PACKAGES = ("flask", "flask_ml", "waitress")


@dataclass(frozen=True)
class ApiOptions:
    """Where the server listens.

    Attributes
    ----------
    host
        A loopback address: the API has no password.
    port
        The port; 0 for any that is free.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT


def check_api_installed() -> None:
    """Raise `UserError` if the packages of the API are not installed."""
    if any(importlib.util.find_spec(name) is None for name in _PACKAGES):
        raise UserError('the API requires more packages; run pip install -e ".[api]"')


def serve(config: Config, options: ApiOptions) -> None:
    """Answer requests until the process is interrupted.

    Raises
    ------
    UserError
        If the extra ``api`` is not installed, the port is in use, or other machines could reach it.
    """
    check_api_installed()
    if not is_loopback(options.host):
        raise UserError(
            f"--host {options.host}: other machines could open the photos, and the API has no password; use "
            "127.0.0.1, ::1 or localhost, and from another machine a tunnel, such as ssh -L"
        )
    limit_heaps()
    from imagesearch.api.run import run_server

    run_server(config, options)
