"""Runs the application in uvicorn."""

from __future__ import annotations

import socket
import webbrowser
from threading import Timer

import uvicorn

from imagesearch.errors import UserError, describe_error
from imagesearch.library import PhotoLibrary
from imagesearch.web.app import make_app
from imagesearch.web.server import WebOptions
from imagesearch.web.session import PhotoSession

_SECONDS_BEFORE_BROWSER = 0.5


def run_server(library: PhotoLibrary, options: WebOptions) -> None:
    """Run the application until the process is interrupted; see `serve`."""
    listener = _open_port(options)
    address = f"http://{options.host}:{listener.getsockname()[1]}"
    session = PhotoSession(library)
    config = uvicorn.Config(
        make_app(session, options), log_level="warning", server_header=False, timeout_graceful_shutdown=2
    )
    print(f"{address}   (Ctrl-C stops it)", flush=True)
    if options.opens_browser:
        Timer(_SECONDS_BEFORE_BROWSER, webbrowser.open, [address]).start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        session.close()


def _open_port(options: WebOptions) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        listener.close()
        raise UserError(
            f"{options.host}:{options.port}: {describe_error(error)}; select another one with --port"
        ) from None
    return listener
