"""The pages of errors: an unknown address, an error that the user can fix, and a bug.

The details of a bug are printed on the terminal only. A page that has no photo or person for its address
raises ``HTTPException(404)``.
"""

from __future__ import annotations

import json

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from nicegui import Client, ui
from nicegui import app as nicegui_app

from imagesearch.errors import UserError
from imagesearch.web.frame import page_frame


def register() -> None:
    """Replace NiceGUI's pages of errors, which show the class and the message of an exception."""
    nicegui_app.add_exception_handler(404, _answer_unknown_address)
    nicegui_app.add_exception_handler(UserError, _answer_user_error)
    nicegui_app.add_exception_handler(Exception, _answer_bug)
    nicegui_app.add_exception_handler(RequestValidationError, _answer_wrong_number)


async def _answer_unknown_address(request: Request, error: Exception) -> Response:
    return _make_page(request, 404, "There is no such page", "What it showed may have been removed.")


async def _answer_user_error(request: Request, error: Exception) -> Response:
    return _make_page(request, 503, "The photos cannot be shown", str(error))


async def _answer_wrong_number(request: Request, error: Exception) -> Response:
    """Answer that a part of an address is no number; only addresses of data have such parts."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    text = f"{first['loc'][-1]}: expected a whole number, got {str(first['input'])[:40]!r}"
    return Response(json.dumps({"error": text}), 400, media_type="application/json")


async def _answer_bug(request: Request, error: Exception) -> Response:
    text = "The terminal in which 09_web_app.py runs has the details."
    return _make_page(request, 500, "Something went wrong", text)


def _make_page(request: Request, status: int, title: str, text: str) -> Response:
    if "text/html" not in request.headers.get("accept", "text/html"):
        return Response(title, status, media_type="text/plain")
    with Client(ui.page(""), request=request) as client:
        ui.add_head_html('<link rel="stylesheet" href="/static/error.css">', shared=False)
        with page_frame(""), ui.element("section").classes("error-page"):
            with ui.element("h1"):
                ui.label(title)
            ui.label(text).props("role=alert")
            ui.link("Search the photos", "/")
    return client.build_response(request, status)
