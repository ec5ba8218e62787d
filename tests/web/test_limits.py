"""Limits of downloads, uploads and runs of the steps, without a server."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from http_requests import run_async
from nicegui import Client, ui
from PIL import Image

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError
from imagesearch.serving import MAX_UPLOAD_BYTES, check_upload, receive_upload
from imagesearch.web import downloads, step_runs
from imagesearch.web.run_panel import RunPanel
from imagesearch.web.session import PhotoSession
from imagesearch.web.step_runs import StepRunner


class Album:
    """Stands for the session of a server: finds files in a folder."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.asked = folder, 0
        dataset = SimpleNamespace(locate_file=lambda path: folder / path, fetch_file=lambda file: file)
        self.library = SimpleNamespace(dataset=dataset)
        for number in range(count):
            Image.new("L", (1, 1), number % 256).save(folder / f"{number}.jpg")

    async def find_path(self, photo_id: int) -> str | None:
        self.asked += 1
        return f"{photo_id}.jpg" if (self.folder / f"{photo_id}.jpg").is_file() else None


def download(album: Album, ids: str) -> Any:
    app = FastAPI()
    downloads.register(app, cast(PhotoSession, album))
    return TestClient(app).post("/download", data={"ids": ids})


def make_ids(*numbers: int) -> str:
    return ",".join(f"{number:016x}" for number in numbers)


def test_a_download_has_each_photo_once(tmp_path: Path) -> None:
    reply = download(Album(tmp_path, 3), make_ids(0, 2, 0, 9) + ",../../etc/passwd,0")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: (tmp_path / name).read_bytes() for name in ("0.jpg", "2.jpg")
        }
        assert len(archive.namelist()) == 2
    assert reply.headers["cache-control"] == "no-store"
    assert download(Album(tmp_path, 3), make_ids(9)).status_code == 404


def test_a_download_of_too_many_photos_is_refused_and_not_shortened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_PHOTOS", 2)
    album = Album(tmp_path, 3)
    assert download(album, make_ids(0, 1)).status_code == 200
    reply = download(album, make_ids(0, 1, 2))
    assert (reply.status_code, reply.text) == (413, "at most 2 photos can be downloaded at once")
    monkeypatch.setattr(downloads, "_MAX_BODY", 60)
    asked = album.asked
    assert download(album, "0" * 100).status_code == 413 and album.asked == asked


def make_config(tmp_path: Path, megapixels: float) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(f"dataset: {{images: .}}\nextraction: {{max_megapixels: {megapixels}}}\n", "utf-8")
    return load_config(file)


def test_the_smaller_limit_of_pixels_is_used(tmp_path: Path) -> None:
    stream = io.BytesIO()
    for size, megapixels, limit in (((10_100, 10_000), 200, 100), ((2_100, 1_000), 2, 2)):
        stream = io.BytesIO()
        Image.new("1", size).save(stream, "PNG")
        with pytest.raises(UserError, match=rf"a\.png: .*expected at most {limit}"):
            check_upload(stream.getvalue(), "a.png", make_config(tmp_path, megapixels))
    assert check_upload(stream.getvalue(), "a.png", make_config(tmp_path, 3)).name == "a.png"


def test_an_upload_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    sent = 0

    async def send_parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 2**20
            yield bytes(2**20)

    with pytest.raises(UserError, match=r"a\.jpg: too large; expected at most 32 MB"):
        run_async(receive_upload(send_parts(), "a.jpg", make_config(tmp_path, 1)))
    assert sent == MAX_UPLOAD_BYTES + 2**20


def test_one_run_of_the_steps_at_a_time() -> None:
    async def run() -> None:
        is_over = asyncio.Event()

        async def fail(work: object) -> None:
            await is_over.wait()
            raise OSError("no memory")

        runner = StepRunner(cast(PhotoSession, SimpleNamespace(run=fail)))
        assert runner.start() and not runner.start()
        runner.stop()
        assert runner.state.outcome == "stopping" and not runner.start()
        is_over.set()
        while runner.state.is_active:
            await asyncio.sleep(0.01)
        assert (runner.state.outcome, runner.finished_runs) == ("failed", 1)
        assert "no memory" in runner.state.message
        assert runner.start()  # the next one

    run_async(run())


def test_a_double_click_starts_a_run_and_stops_none() -> None:
    async def run() -> None:
        async def wait(work: object) -> None:
            await asyncio.Event().wait()

        runner = StepRunner(cast(PhotoSession, SimpleNamespace(run=wait)))
        with Client(ui.page("/collection"), request=None):
            panel = RunPanel(runner)
        for label in ("Process new photos", "Process new photos", "Stop"):
            panel.press(label)
            assert runner.state.outcome == "running"
        runner.state = replace(runner.state, started_at=runner.state.started_at - 2)
        panel.press("Process new photos")  # of a page that does not show the run yet
        assert runner.state.outcome == "running"
        panel.press("Stop")
        assert runner.state.outcome == "stopping"

    run_async(run())


def test_a_process_that_does_not_end_is_killed_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_runs, "_SECONDS_TO_STOP", 0.05)

    async def run() -> None:
        ends = asyncio.Event()
        process = SimpleNamespace(returncode=None, wait=ends.wait, kill=ends.set, stdin=None)
        runner = StepRunner(cast(PhotoSession, None))
        runner._process = cast(Any, process)
        await runner.close()
        assert ends.is_set()

    run_async(run())
