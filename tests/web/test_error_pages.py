"""What a browser is shown of errors: one line, and never the details of a bug."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from drawn import Drawn
from http_requests import send
from web_fixtures import WebAlbum, WebServer, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

expect = pytest.importorskip("playwright.sync_api").expect

BUGS = """
from fastapi import HTTPException
from nicegui import ui
import imagesearch.web.api as api
import imagesearch.web.downloads as downloads
from imagesearch.query import NameCompleter
from imagesearch.errors import UserError

def fail(library):
    raise RuntimeError("secret")

def complete(*arguments):
    raise UserError("<b>the names cannot be read</b>")

api._list_places = fail
downloads.MAX_PHOTOS = 2
NameCompleter.complete = complete

@ui.page("/bug")
async def bug():
    raise RuntimeError("secret")

@ui.page("/user-error")
async def user_error():
    raise UserError("<b>run step 05</b>")

@ui.page("/missing")
async def missing():
    raise HTTPException(404, "secret")
"""


@pytest.fixture(scope="module")
def server(shared_album: WebAlbum, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server with bugs: Python imports ``sitecustomize`` when it starts."""
    folder = tmp_path_factory.mktemp("errors")
    (folder / "sitecustomize.py").write_text(BUGS, "utf-8")
    shared_album.env["PYTHONPATH"] = f"{folder}:{shared_album.env['PYTHONPATH']}"
    with WebServer(shared_album) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/bug", 500, "Something went wrong"),
        ("/user-error", 503, "run step 05"),
        ("/missing", 404, "There is no such page"),
        ("/nothing/here", 404, "There is no such page"),
        ("/map/shapes/x/0/0/0/0", 400, '{"error": "zoom: expected a whole number, got \'x\'"}'),
        ("/timeline/photos/1/1.5", 400, '{"error": "end: expected a whole number, got \'1.5\'"}'),
        ("/api/places", 500, '{"error": "internal error; the terminal of 09_web_app.py has the details"}'),
    ],
)
def test_the_details_of_an_error_stay_on_the_terminal(
    server: WebServer, path: str, status: int, text: str
) -> None:
    reply = send(server.address, path, {"Accept": "text/html"})
    body = reply.body.decode()
    assert reply.status == status
    assert text in body
    assert "secret" not in body
    assert "RuntimeError" not in body
    assert "Traceback" not in body
    assert "<b>run" not in body
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"]


def test_an_error_of_the_completion_is_shown(server: WebServer, browser: Browser) -> None:
    with open_page(browser, server) as page:
        page.goto("/")
        expect(page.locator(".tile")).to_have_count(6)
        page.get_by_label("Search", exact=True).press_sequentially("ma")
        expect(page.get_by_role("alert")).to_have_text("<b>the names cannot be read</b>")


def test_a_download_of_too_many_photos_is_refused_in_the_page(server: WebServer, browser: Browser) -> None:
    with open_page(browser, server) as page:
        page.goto("/")
        expect(page.locator(".tile")).to_have_count(6)
        page.locator(".tile a").first.focus()
        page.keyboard.press("Space")
        bar = page.get_by_role("toolbar", name="selected photos")
        bar.get_by_role("button", name="All shown").click()
        bar.get_by_role("button", name="Download").click()
        expect(bar).to_contain_text("at most 2 photos can be downloaded at once")
        page.locator(".tile a").last.press("Space")
        expect(bar).to_contain_text("5 selected")


def test_before_the_first_build_each_page_links_to_the_one_that_runs_it(
    browser: Browser, tmp_path: Path
) -> None:
    album = WebAlbum(Drawn(tmp_path / "album"))
    with WebServer(album) as empty:
        page = browser.new_page(base_url=empty.address)  # its console has the errors of the map's addresses
        for address in ("/", "/people", "/people/suggestions", "/map", "/timeline"):
            page.goto(address)
            expect(page.locator(".remedy-link")).to_have_attribute("href", "/collection")
        page.goto("/")
        page.get_by_role("button", name="Filters").click()
        expect(page.get_by_label("Order")).to_be_visible()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        page.close()
