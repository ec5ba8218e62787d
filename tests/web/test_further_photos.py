"""The photos of a query after the first ones: all of them, each once, in the order of one search for all."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import BuiltAlbum
from http_requests import run_async

from imagesearch import open_library
from imagesearch.errors import UserError
from imagesearch.photos import compute_photo_id
from imagesearch.store import MAX_HITS
from imagesearch.web import further_photos
from imagesearch.web.further_photos import FurtherPhotos
from imagesearch.web.photo_ids import format_photo_id
from imagesearch.web.query_address import ANY_PHOTO
from imagesearch.web.session import PhotoSession

FIRST, PART = 4, 3


async def list_in_parts(session: PhotoSession, limits: list[int], k: int, **options: Any) -> list[str]:
    """Return the ids of the photos of a query as a page shows them; note how many photos are ranked."""
    make = session.library.make_query
    first = await session.search(make(**options, top_k=FIRST))

    async def rank(count: int) -> Any:
        limits.append(count)
        return await session.run(lambda library: library.searcher.rank(make(**options, top_k=count)))

    shown = [format_photo_id(compute_photo_id(result.path)) for result in first.results]
    further = FurtherPhotos(session, first, rank, k)
    while not further.is_finished:
        await further.read(PART)
        shown += [photo.id for photo in further.take(PART)]
    return shown


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"text": "a beach"}, [20, 80]),
        ({"text": "a beach", "k": 30}, [20, 30]),
        ({"text": "a beach", "k": FIRST}, []),
        ({"where": ANY_PHOTO}, [20, 80]),
        ({"text": "a beach", "sort": "date"}, [16384]),
    ],
    ids=["by content", "30 by content", "the first ones", "all", "by content, sorted by date"],
)
def test_photos_in_parts_are_those_of_one_search(
    built_album: BuiltAlbum, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: list[int]
) -> None:
    monkeypatch.setattr(further_photos, "_FIRST_RANKED", 20)
    k = options.pop("k", MAX_HITS)
    limits: list[int] = []

    async def compare() -> tuple[list[str], list[str]]:
        session = PhotoSession(open_library(built_album.folder / "config.yaml"))
        try:
            shown = await list_in_parts(session, limits, k, **options)
            whole = await session.search(session.library.make_query(**options, top_k=min(k, 200)))
        finally:
            session.close()
        return shown, [format_photo_id(compute_photo_id(result.path)) for result in whole.results]

    shown, whole = run_async(compare())
    assert limits == expected
    assert len(shown) == len(set(shown)) == len(whole) >= FIRST
    assert set(shown) == set(whole)
    if len(expected) > 1:
        assert shown == whole


def test_nothing_remains_after_an_error(built_album: BuiltAlbum) -> None:
    async def fail(count: int) -> Any:
        raise UserError("Milvus does not answer")

    async def read() -> bool:
        session = PhotoSession(open_library(built_album.folder / "config.yaml"))
        try:
            first = await session.search(session.library.make_query("a beach", top_k=FIRST))
            further = FurtherPhotos(session, first, fail)
            assert not further.is_finished
            with pytest.raises(UserError):
                await further.read(PART)
            return further.is_finished
        finally:
            session.close()

    assert run_async(read())
