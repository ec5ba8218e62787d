"""The timeline page: photos by year, month and day as bars, and the trips as bands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from fastapi import Response
from nicegui import app as nicegui_app
from nicegui import ui
from nicegui.element import Element

from imagesearch.errors import UserError
from imagesearch.local_times import SECONDS_A_DAY
from imagesearch.store import PhotoFacts, VocabularyTrip
from imagesearch.web.alt_texts import read_alt_texts
from imagesearch.web.frame import page_frame
from imagesearch.web.map_page import link_styles, make_error
from imagesearch.web.session import PhotoSession

_SHOWN_PHOTOS = 24
_MAX_DAY = 10**7
_HEADERS = {"Cache-Control": "no-store"}


class PhotoTimeline(Element, component="static/photo_timeline.js"):
    """Bars that load the numbers of photos by themselves."""


def register(session: PhotoSession) -> None:
    """Register the page, and the addresses of its numbers and photos."""

    @ui.page("/timeline")
    def show_timeline() -> None:
        with page_frame("Timeline", heading="Timeline"):
            link_styles()
            PhotoTimeline()

    @nicegui_app.get("/timeline/days", include_in_schema=False)
    async def get_days() -> Response:
        try:
            album = await session.album.load()
        except UserError as error:
            return make_error(error)
        content = json.dumps(pack_days(album.photos, album.trips))
        return Response(content, media_type="application/json", headers=_HEADERS)

    @nicegui_app.get("/timeline/photos/{first}/{end}", include_in_schema=False)
    async def get_photos(first: int, end: int) -> Response:
        try:
            album = await session.album.load()
            chosen = choose_photos(album.photos, first, end)
            texts = await session.run(lambda library: read_alt_texts(library, chosen))
        except UserError as error:
            return make_error(error)
        content = json.dumps([{"id": photo_id, "alt": text} for photo_id, text in texts.items()])
        return Response(content, media_type="application/json", headers=_HEADERS)


def pack_days(facts: PhotoFacts, trips: Sequence[VocabularyTrip]) -> dict[str, Any]:
    """Return the number of photos of each day, and the trips. Days are counted from 1970."""
    days, counts = np.unique(facts.days, return_counts=True)
    return {
        "days": days.tolist(),
        "counts": counts.tolist(),
        "undated": int(len(facts) - facts.has_time.sum()),
        "trips": [
            {
                "name": trip.name,
                "first": trip.first // SECONDS_A_DAY,
                "last": trip.last // SECONDS_A_DAY,
                "photos": trip.photos,
            }
            for trip in trips
        ],
    }


def choose_photos(facts: PhotoFacts, first: int, end: int) -> list[int]:
    """Return the ids of some photos of some days, evenly distributed, the oldest first."""
    first, end = (min(max(day, -_MAX_DAY), _MAX_DAY) * SECONDS_A_DAY for day in (first, end))
    ids = facts.find_range(first, end)[::-1]
    chosen = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), _SHOWN_PHOTOS)).round().astype(int))
    return ids[chosen].tolist()
