"""The application: the pages, the API, photos by id, and the checks in front of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui

from imagesearch.config_urls import get_origin
from imagesearch.serving import HostNames
from imagesearch.web import (
    api,
    atlas,
    docs_page,
    error_pages,
    images,
    people_page,
    people_questions,
    person_page,
    photo_page,
    search_page,
)
from imagesearch.web.access import AccessGuard
from imagesearch.web.page_template import add_nonces
from imagesearch.web.password import PasswordGate
from imagesearch.web.server import WebOptions
from imagesearch.web.session import PhotoSession

# A browser that draws thousands of photos on a busy machine may not answer for some seconds. With the
# default of 3 seconds, its page can be reloaded then, at its beginning.
_RECONNECT_SECONDS = 20.0
STATIC = Path(__file__).parent / "static"


def make_app(session: PhotoSession, options: WebOptions) -> Any:
    """Return the ASGI application."""
    app = FastAPI(title="imagesearch", docs_url=None, redoc_url=None)
    photo_images = images.register(app, session)
    nicegui_app.on_shutdown(photo_images.close)
    api.register(app, session, photo_images)
    docs_page.register(app)
    register_pages(session, app)
    error_pages.register()
    add_nonces()
    ui.run_with(
        app,
        title="Photos",
        language="en-US",
        dark=None,
        show_welcome_message=False,
        reconnect_timeout=_RECONNECT_SECONDS,
    )
    gate = PasswordGate(options.password) if options.password else None
    tiles = get_origin(session.library.config.web.map_tiles)
    return AccessGuard(app, HostNames(options.host, options.port), gate, tiles)


def register_pages(session: PhotoSession, app: FastAPI) -> None:
    """Register all pages in NiceGUI."""
    nicegui_app.add_static_files("/static", STATIC)
    search_page.register(session, app)
    photo_page.register(session)
    people_questions.register(session)
    people_page.register(session)
    person_page.register(session)
    atlas.register(session)
