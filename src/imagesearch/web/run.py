"""Runs the application in uvicorn."""

from __future__ import annotations

import asyncio
import logging
import webbrowser
from dataclasses import replace
from threading import Timer

import uvicorn

from imagesearch.errors import name_arguments, name_typed_options
from imagesearch.library import PhotoLibrary
from imagesearch.serving import format_address, open_port
from imagesearch.web.app import make_app
from imagesearch.web.query_address import ARGUMENT_NAMES
from imagesearch.web.server import WebOptions
from imagesearch.web.session import PhotoSession

_SECONDS_BEFORE_BROWSER = 0.5


def run_server(library: PhotoLibrary, options: WebOptions) -> None:
    """Run the application until the process is interrupted; see `serve`."""
    listener = open_port(options.host, options.port)
    options = replace(options, port=listener.getsockname()[1])
    address = format_address(options.host, options.port)
    scope = "on all addresses of this machine; " if options.host in ("0.0.0.0", "::") else ""
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
