"""Runs the application in uvicorn."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import webbrowser
from dataclasses import replace
from threading import Timer

import uvicorn

from imagesearch.errors import UserError, describe_error, name_arguments, name_typed_options
from imagesearch.library import PhotoLibrary
from imagesearch.web.app import make_app
from imagesearch.web.query_address import ARGUMENT_NAMES
from imagesearch.web.server import WebOptions
from imagesearch.web.session import PhotoSession

_SECONDS_BEFORE_BROWSER = 0.5


def run_server(library: PhotoLibrary, options: WebOptions) -> None:
    """Run the application until the process is interrupted; see `serve`."""
    listener = _open_port(options)
    options = replace(options, port=listener.getsockname()[1])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{options.port}"
    scope = "" if host == options.host else "on all addresses of this machine; "
    name_typed_options(False)  # messages in pages and answers name no options of scripts,
    name_arguments(ARGUMENT_NAMES)  # but the parameters of addresses
    session = PhotoSession(library)
    config = uvicorn.Config(
        make_app(session, options),
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    logging.getLogger("uvicorn.error").addFilter(is_no_cancellation)
    print(f"{address}   ({scope}Ctrl-C stops it)", flush=True)
    if options.opens_browser:
        Timer(_SECONDS_BEFORE_BROWSER, webbrowser.open, [address]).start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        session.close()
        name_arguments({})


def is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether to print a message of the server: not that of a request that is cancelled when it stops."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)


def _open_port(options: WebOptions) -> socket.socket:
    place = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError, OverflowError):
        raise UserError(f"--host {options.host}: no such address of this machine") from None
    family, _, _, _, address = found[0]
    # without the protocol, asyncio does not turn off the delay of small packets (Nagle): 40 ms an image
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        advice = "select another one with --port" if error.errno != errno.EADDRNOTAVAIL else "change --host"
        raise UserError(f"{place}: {describe_error(error).lower()}; {advice}") from None
    return listener
