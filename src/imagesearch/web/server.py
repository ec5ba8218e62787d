"""The server: checks the options and runs the application until it is stopped."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary

DEFAULT_PORT = 8765


@dataclass(frozen=True)
class WebOptions:
    """Where the server listens.

    Attributes
    ----------
    host
        The address of a network interface. Other than loopback, it requires a password.
    port
        The port; 0 for any that is free.
    password
        What a browser must send. Empty: none.
    opens_browser
        Whether the page is opened in the system's browser.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    password: str = ""
    opens_browser: bool = True


def serve(library: PhotoLibrary, options: WebOptions) -> None:
    """Serve the pages until the process is interrupted.

    Raises
    ------
    UserError
        If the extra ``web`` is not installed, the port is in use, or a password is required.
    """
    if importlib.util.find_spec("nicegui") is None:
        raise UserError('the web app requires more packages; run pip install -e ".[web]"')
    from imagesearch.web.run import run_server

    run_server(library, options)
