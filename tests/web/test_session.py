"""What the pages share: paths that are read together, and names that do not wait for searches."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import Any

import pytest
from http_requests import run_async
from web_fixtures import WebAlbum

from imagesearch import open_library
from imagesearch.errors import UserError
from imagesearch.photos import compute_photo_id
from imagesearch.web import session as session_module
from imagesearch.web.session import PhotoSession, read_photo_paths

PATHS = ("2023/maya.jpg", "2023/kofi.jpg", "2024/lake.jpg", "2024/beach.jpg")


def test_paths_that_are_requested_at_once_are_read_together(
    finished_album: WebAlbum, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def read(library: Any, ids: Collection[int]) -> dict[int, str]:
        calls.append(len(ids))
        if len(calls) in (3, 4):
            raise UserError("Milvus does not answer")
        return read_photo_paths(library, ids)

    monkeypatch.setattr(session_module, "read_photo_paths", read)
    ids = [compute_photo_id(path) for path in (*PATHS, "not there.jpg")]

    async def find() -> tuple[list[Any], list[Any]]:
        session = PhotoSession(open_library(finished_album.drawn.config_file))
        try:
            first = await asyncio.gather(*map(session.find_path, [*ids, *ids]))
            session._paths.clear()
            return first, await asyncio.gather(*map(session.find_path, ids), return_exceptions=True)
        finally:
            session.close()

    first, second = run_async(find())
    assert first == 2 * [*PATHS, None]
    assert calls[:2] == [1, 5]
    # two requests fail, and those after them are answered
    assert [str(one) for one in second[:2]] == 2 * ["Milvus does not answer"]
    assert second[2:] == [*PATHS[2:], None]


def test_names_are_completed_while_a_search_runs(named_album: WebAlbum) -> None:
    async def complete() -> list[str]:
        session = PhotoSession(open_library(named_album.drawn.config_file))
        goes_on = threading.Event()
        try:
            await session.complete("k", 1)
            search = asyncio.create_task(session.run(lambda library: goes_on.wait(30)))
            names = await asyncio.wait_for(session.complete("a photo of ma", 13), 10)
            assert not search.done()
            goes_on.set()
            await search
        finally:
            goes_on.set()
            session.close()
        return [name.label for name in names]

    assert run_async(complete()) == ["Maya"]
