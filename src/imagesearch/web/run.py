"""Runs the application in uvicorn."""

from __future__ import annotations

import errno
import socket
import webbrowser
from dataclasses import replace
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
    options = replace(options, port=listener.getsockname()[1])
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{host}:{options.port}"
    session = PhotoSession(library)
    config = uvicorn.Config(
        make_app(session, options),
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    print(f"{address}   (Ctrl-C stops it)", flush=True)
    if options.opens_browser:
        Timer(_SECONDS_BEFORE_BROWSER, webbrowser.open, [address]).start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        session.close()


def _open_port(options: WebOptions) -> socket.socket:
    place = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError, OverflowError):
        raise UserError(f"--host {options.host}: no such address of this machine") from None
    family, _, _, _, address = found[0]
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        advice = "select another one with --port" if error.errno != errno.EADDRNOTAVAIL else "change --host"
        raise UserError(f"{place}: {describe_error(error).lower()}; {advice}") from None
    return listener
