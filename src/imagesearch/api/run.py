"""Runs the application in waitress."""

from __future__ import annotations

import logging
import signal

import waitress
from waitress.server import BaseWSGIServer

from imagesearch.api.app import make_app
from imagesearch.api.datasets import DatasetSession
from imagesearch.api.ingest import Ingestion
from imagesearch.api.server import ApiOptions
from imagesearch.config import Config
from imagesearch.errors import name_typed_options
from imagesearch.serving import HostNames, format_address, open_port

_THREADS = 8  # one thread does the searches; the others wait for it, for the steps, or for clients
_MAX_BODY = 16 * 2**20  # bytes that are received; the application refuses bodies that are much smaller


def run_server(config: Config, options: ApiOptions) -> None:
    """Run the application until the process is interrupted; see `serve`."""
    listener = open_port(options.host, options.port)
    port = listener.getsockname()[1]
    name_typed_options(False)  # messages name no options of scripts
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as after Ctrl-C
    logging.getLogger("waitress").setLevel(logging.ERROR)  # that requests wait is no error
    session = DatasetSession(config)
    ingestion = Ingestion(session)
    app = make_app(session, ingestion, HostNames(options.host, port))
    server = waitress.create_server(
        app, sockets=[listener], threads=_THREADS, ident=None, max_request_body_size=_MAX_BODY
    )
    print(f"{format_address(options.host, port)}   (Ctrl-C stops it)", flush=True)
    try:
        _run_until_interrupted(server)
    finally:
        ingestion.close()
        session.close()


def _run_until_interrupted(server: BaseWSGIServer) -> None:
    """Run a server, and raise the interrupt that it ends with, so that the exit code is 130."""
    server.run()  # it returns after an interrupt, and when its sockets are closed
    raise KeyboardInterrupt
