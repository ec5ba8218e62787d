"""The map page: fingers on a touch screen, and tiles of another server, in a real browser."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from PIL import Image
from web_fixtures import WebAlbum, WebServer

from imagesearch.store import PhotoFacts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SIZE = {"width": 390, "height": 700}


@pytest.fixture
def context(browser: Browser, server: WebServer) -> Iterator[BrowserContext]:
    """A phone, on which no error may be in the console."""
    opened = browser.new_context(viewport=SIZE, has_touch=True, is_mobile=True, base_url=server.address)
    errors: list[str] = []
    opened.on("weberror", lambda error: errors.append(str(error.error)))
    yield opened
    opened.close()
    assert errors == []


def open_map(context: BrowserContext, view: str) -> Page:
    """Open the map with two photos in Goa and one in Sydney."""
    from imagesearch.web.map_page import pack_positions

    places = np.array([(73.75, 15.55), (73.76, 15.56), (151.21, -33.86)])
    count = len(places)
    values: dict[str, Any] = {
        "ids": np.arange(1, count + 1),
        "times": np.zeros(count, np.int64),
        "has_time": np.zeros(count, bool),
        "longitudes": places[:, 0],
        "latitudes": places[:, 1],
        "has_position": np.ones(count, bool),
        "cities": np.array(["Goa", "Goa", "Sydney"], object),
    }
    facts = PhotoFacts(**values)
    page = context.new_page()
    page.route("**/map/positions", lambda route: route.fulfill(json=pack_positions(facts)))
    page.goto(f"/map#{view}")
    page.get_by_text("of 3 photos in this view").wait_for()
    return page


def read_view(page: Page) -> tuple[float, float, float]:
    """Return latitude, longitude and zoom level, once the map has come to rest."""
    page.wait_for_timeout(400)
    latitude, longitude, zoom = map(float, page.url.partition("#")[2].split(","))
    return latitude, longitude, zoom


class Fingers:
    """Fingers on the screen, as the browser gets them from the device."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def move(self, *paths: tuple[tuple[float, float], tuple[float, float]], steps: int = 8) -> None:
        """Put one finger at the start of each path, move all to the ends, and lift them."""
        for count in range(1, len(paths) + 1):
            self._send("touchStart", *(start for start, _ in paths[:count]))
        for step in range(1, steps + 1):
            self._send(
                "touchMove",
                *(
                    (x + (right - x) * step / steps, y + (down - y) * step / steps)
                    for (x, y), (right, down) in paths
                ),
            )
        self._send("touchEnd")


def test_one_finger_moves_the_map_and_two_zoom_it(context: BrowserContext) -> None:
    page = open_map(context, "20,60,4")
    fingers = Fingers(page)
    fingers.move(((300, 300), (172, 300)))
    latitude, longitude, zoom = read_view(page)
    assert (latitude, zoom) == (pytest.approx(20, abs=0.01), 4)
    assert longitude == pytest.approx(60 + 128 * 360 / (256 * 16), abs=0.2)
    # what is between the fingers stays there: here the middle of the map
    box = page.locator(".map-view").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers.move(((x - 40, y), (x - 80, y)), ((x + 40, y), (x + 80, y)))
    nearer = read_view(page)
    assert nearer == (
        pytest.approx(latitude, abs=0.05),
        pytest.approx(longitude, abs=0.05),
        pytest.approx(5, abs=0.02),
    )
    fingers.move(((x - 80, y), (x - 40, y)), ((x + 80, y), (x + 40, y)))
    assert read_view(page)[2] == pytest.approx(4, abs=0.02)
    assert page.evaluate("window.visualViewport.scale") == 1  # the page itself is not zoomed


def test_a_finger_on_a_cluster_chooses_it_or_moves_the_map(context: BrowserContext) -> None:
    page = open_map(context, "15.5,73.8,5")
    box = page.locator(".map-cluster[data-count='2']").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = Fingers(page)
    fingers.move(((x, y), (x + 100, y)))
    assert read_view(page)[1] == pytest.approx(73.8 - 100 * 360 / (256 * 32), abs=0.2)
    assert page.get_by_role("dialog").count() == 0
    fingers.move(((x + 100, y), (x + 60, y)), ((x - 40, y), (x - 80, y)))
    assert read_view(page)[2] == pytest.approx(5, abs=0.3)
    page.goto("/map#15.5,73.8,5.5")
    page.reload()
    page.locator(".map-cluster[data-count='2']").tap()
    page.get_by_role("dialog", name="photos of this place").wait_for()


@dataclass
class TileServer:
    """Red tiles, on loopback."""

    paths: list[str] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def tiles() -> Iterator[TileServer]:
    """A server of tiles on loopback."""
    stream = io.BytesIO()
    Image.new("RGB", (256, 256), (200, 0, 0)).save(stream, "PNG")
    found = TileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(stream.getvalue())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        found.port = listener.server_port
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield found
        listener.shutdown()


def set_tiles(album: WebAlbum, url: str) -> None:
    settings = yaml.safe_load(album.drawn.config_file.read_text("utf-8"))
    settings["web"] = {"map_tiles": url, "map_attribution": "© Somebody <b>"}
    album.drawn.config_file.write_text(yaml.safe_dump(settings), "utf-8")


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen in 10 s")


def test_tiles_are_loaded_from_the_server_in_the_config_only(
    album: WebAlbum, browser: Browser, tiles: TileServer
) -> None:
    origin = f"http://127.0.0.1:{tiles.port}"
    set_tiles(album, origin + "/{z}/{x}/{y}.png?key=1")
    with closing(WebServer(album)) as server:
        opened = browser.new_context(viewport=SIZE, base_url=server.address)
        with closing(opened):
            page = open_map(opened, "15.5,73.8,5")
            wait_for(page, lambda: "/5/22/14.png?key=1" in tiles.paths)
            assert all(re.fullmatch(r"/5/\d+/\d+\.png\?key=1", path) for path in tiles.paths)
            page.get_by_text("© Somebody <b> · ").wait_for()
            view = page.locator(".map-view")
            wait_for(page, lambda: is_red(view.screenshot()))
            policy = page.request.get("/map").headers["content-security-policy"]
            assert f"img-src 'self' data: blob: {origin};" in policy
            assert policy.count(origin) == 1 and "connect-src 'self' ws:" in policy
            for address in ("/", "/people", "/map/positions"):
                assert origin not in page.request.get(address).headers["content-security-policy"]


def is_red(screenshot: bytes) -> bool:
    """Whether most of a picture is red."""
    pixels = np.asarray(Image.open(io.BytesIO(screenshot)).convert("RGB")).astype(int)
    return bool(((pixels[..., 0] > 150) & (pixels[..., 1] < 60)).mean() > 0.8)


def test_without_tiles_no_other_server_is_asked(context: BrowserContext, server: WebServer) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/map#15.5,73.8,5")
    page.wait_for_timeout(500)
    assert asked and all(url.startswith((server.address, "data:", "blob:")) for url in asked)
    policy = page.request.get("/map").headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in policy
    assert "OpenStreetMap contributors ·" not in page.locator(".map-source").inner_text()
