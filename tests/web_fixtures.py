"""Fixtures for the web app: the demo's models and drawn photos behind a real server, and a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from drawn import Drawn, picture_of

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
    env: dict[str, str] = field(default_factory=lambda: os.environ | {"PYTHONPATH": str(ROOT / "src")})

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


@pytest.fixture
def album(finished_album: WebAlbum, tmp_path: Path) -> WebAlbum:
    """A copy of the finished album."""
    return finished_album.copy_to(tmp_path / "album")


class WebServer:
    """Script 09 as its own process."""

    def __init__(self, album: WebAlbum, *options: str) -> None:
        command = [
            *(sys.executable, str(ROOT / "scripts" / "09_web_app.py"), "-c", str(album.drawn.config_file)),
            *("--port", "0", "--no-show", *options),
        ]
        self.process = subprocess.Popen(
            command, env=album.env, cwd=album.drawn.folder, stdout=subprocess.PIPE, text=True
        )
        self.address = ""
        for line in self.process.stdout or ():
            if found := re.search(r"http://\S+", line):
                self.address = found[0]
                break

    def close(self) -> None:
        """Stop the process as Ctrl-C does."""
        self.process.send_signal(2)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()


@pytest.fixture
def server(album: WebAlbum) -> Iterator[WebServer]:
    """A server of the album; it is stopped at the end."""
    running = WebServer(album)
    yield running
    running.close()


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


@pytest.fixture
def page(browser: Browser, server: WebServer) -> Iterator[Page]:
    """A page of the browser at the search page. The test fails if the console has an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server.address)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto("/")
    yield opened
    context.close()
    assert errors == []
