"""Fixtures for the web app: the demo's models and drawn photos behind a real server, and a real Chromium."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from drawn import Drawn, picture_of
from server_process import ENV, ServerProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_MILLISECONDS = 20_000  # until an expectation about a page fails
_PHOTOS = {
    "2023/maya.jpg": ("Maya",),
    "2023/maya and kofi.jpg": ("Maya", "Kofi"),
    "2023/kofi.jpg": ("Kofi",),
    "2024/maya.jpg": ("Maya",),
    "2024/beach.jpg": (),
    "2024/lake.jpg": (),
}


@dataclass
class WebAlbum:
    """A folder of drawn photos with finished steps, as a user of the web app has it."""

    drawn: Drawn
    env: dict[str, str] = field(default_factory=ENV.copy)

    def run(self, script: str, *options: str) -> str:
        """Run a numbered script on the album and return what it prints."""
        command = [
            sys.executable,
            str(ROOT / "scripts" / script),
            "-c",
            str(self.drawn.config_file),
            *options,
        ]
        done = subprocess.run(command, env=self.env, cwd=self.drawn.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def copy_to(self, folder: Path) -> WebAlbum:
        """Return a copy that a test may change."""
        shutil.copytree(self.drawn.folder, folder, dirs_exist_ok=True)
        return WebAlbum(Drawn(folder))


@pytest.fixture(scope="session")
def finished_album(tmp_path_factory: pytest.TempPathFactory) -> WebAlbum:
    """Six drawn photos, extracted and built. Tests that change something use `album`."""
    album = WebAlbum(Drawn(tmp_path_factory.mktemp("web")))
    for seed, (path, people) in enumerate(_PHOTOS.items()):
        file = album.drawn.photos / path
        file.parent.mkdir(exist_ok=True)
        picture_of(*people, seed=seed)[0].save(file, quality=92)
    album.run("00_run_steps.py")
    return album


@pytest.fixture(scope="session")
def named_album(finished_album: WebAlbum, tmp_path_factory: pytest.TempPathFactory) -> WebAlbum:
    """An album in which the two people have names."""
    album = finished_album.copy_to(tmp_path_factory.mktemp("named"))
    album.run("03_name_people.py", "--name", "1=Maya", "--name", "2=Kofi")
    album.run("05_build_collections.py")
    return album


@pytest.fixture
def album(finished_album: WebAlbum, tmp_path: Path) -> WebAlbum:
    """A copy of the finished album."""
    return finished_album.copy_to(tmp_path / "album")


@pytest.fixture(scope="module")
def shared_album(finished_album: WebAlbum, tmp_path_factory: pytest.TempPathFactory) -> WebAlbum:
    """A copy of the finished album for all tests of a file."""
    return finished_album.copy_to(tmp_path_factory.mktemp("shared") / "album")


def make_id(path: str) -> str:
    """Return the id of a photo as addresses have it."""
    from imagesearch.photos import compute_photo_id  # here, because all tests load this module
    from imagesearch.web.photo_ids import format_photo_id

    return format_photo_id(compute_photo_id(path))


class WebServer(ServerProcess):
    """Script 09 as its own process."""

    def __init__(self, album: WebAlbum, *options: str) -> None:
        super().__init__("09_web_app.py", album.drawn.config_file, "--no-show", *options, env=album.env)


@pytest.fixture
def server(album: WebAlbum) -> Iterator[WebServer]:
    """A server of the album; it is stopped at the end."""
    with WebServer(album) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import expect, sync_playwright

    # a click can wait in the thread of the library until a model is loaded: seconds on a busy machine
    expect.set_options(timeout=_MILLISECONDS)
    options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=options)
        yield opened
        opened.close()


def list_errors(page: Page) -> list[str]:
    """Return a list that the errors in the console of a page are added to, and those of its scripts."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@contextmanager
def open_page(
    browser: Browser, server: WebServer, width: int = 1440, height: int = 900, *, has_touch: bool = False
) -> Iterator[Page]:
    """Open a page in a browser context of its own; an error in its console fails the test."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, base_url=server.address, has_touch=has_touch
    )
    try:
        page = context.new_page()
        errors = list_errors(page)
        yield page
    finally:
        context.close()
    assert errors == []


@pytest.fixture
def page(browser: Browser, server: WebServer) -> Iterator[Page]:
    """A page of the browser at the search page. The test fails if the console has an error."""
    with open_page(browser, server) as opened:
        opened.goto("/")
        yield opened
