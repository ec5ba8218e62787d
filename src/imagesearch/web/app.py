"""The application: the pages, the API, photos by id, and the checks in front of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui

from imagesearch.web import people_page, people_questions, person_page, photo_page, search_page
from imagesearch.web.server import WebOptions
from imagesearch.web.session import PhotoSession

STATIC = Path(__file__).parent / "static"


def make_app(session: PhotoSession, options: WebOptions) -> Any:
    """Return the ASGI application."""
    app = FastAPI(title="imagesearch", docs_url=None, redoc_url=None)
    register_pages(session)
    ui.run_with(app, title="Photos", dark=None, show_welcome_message=False)
    return app


def register_pages(session: PhotoSession) -> None:
    """Register all pages in NiceGUI."""
    nicegui_app.add_static_files("/static", STATIC)
    search_page.register(session)
    photo_page.register(session)
    people_questions.register(session)
    people_page.register(session)
    person_page.register(session)
