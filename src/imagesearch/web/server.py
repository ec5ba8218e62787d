"""The server: checks the options and runs the application until it is stopped."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field

from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.serving import is_loopback, limit_heaps

DEFAULT_PORT = 8765
MIN_PASSWORD = 8
"""Minimum number of characters of a password."""


@dataclass(frozen=True)
class WebOptions:
    """Where the server listens.

    Attributes
    ----------
    host
        The address of a network interface, or ``0.0.0.0`` for all. Other than loopback, it requires a
        password.
    port
        The port; 0 for any that is free.
    password
        What a browser must send. Empty: none.
    opens_browser
        Whether the page is opened in the system's browser.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    password: str = field(default="", repr=False)
    opens_browser: bool = True


def check_web_installed() -> None:
    """Raise `UserError` if the packages of the web app are not installed."""
    if importlib.util.find_spec("nicegui") is None:
        raise UserError('the web app requires more packages; run pip install -e ".[web]"')


def serve(library: PhotoLibrary, options: WebOptions) -> None:
    """Serve the pages until the process is interrupted.

    Raises
    ------
    UserError
        If the extra ``web`` is not installed, the port is in use, or a password is required or too short.
    """
    check_web_installed()
    if not options.password and not is_loopback(options.host):
        raise UserError(
            f"--host {options.host}: other machines could open the photos; this requires a password: set "
            "IMAGESEARCH_PASSWORD, or start it on a terminal, which asks for one"
        )
    if options.password and len(options.password) < MIN_PASSWORD:
        raise UserError(f"the password is too short: expected at least {MIN_PASSWORD} characters")
    limit_heaps()
    from imagesearch.web.run import run_server

    run_server(library, options)
