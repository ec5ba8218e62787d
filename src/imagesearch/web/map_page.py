"""The map page: all positions as clusters over land and borders, drawn in the browser without a network."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import numpy as np
from fastapi import Request, Response
from nicegui import app as nicegui_app
from nicegui import ui
from nicegui.element import Element

from imagesearch.config import WebConfig
from imagesearch.errors import UserError
from imagesearch.geo import MAP_ATTRIBUTION
from imagesearch.store import PhotoFacts
from imagesearch.web.alt_texts import read_alt_texts
from imagesearch.web.frame import page_frame
from imagesearch.web.map_shapes import MAX_ZOOM, check_view, render_shapes
from imagesearch.web.photo_ids import parse_photo_id
from imagesearch.web.session import PhotoSession

_MAX_TEXTS = 100
_CACHE = "private, max-age=86400"  # the shapes change with the version of the package only


class PhotoMap(Element, component="static/photo_map.js"):
    """A map that loads its shapes and positions by itself, and tiles of another server if there are any.

    Parameters
    ----------
    config
        Where the tiles are.
    """

    def __init__(self, config: WebConfig) -> None:
        super().__init__()
        credits = [config.map_attribution] if config.map_tiles else []
        self._props["attribution"] = " · ".join([*credits, MAP_ATTRIBUTION])
        self._props["tiles"] = config.map_tiles
        self._props["max-zoom"] = MAX_ZOOM


def register(session: PhotoSession) -> None:
    """Register the page, and the addresses of its shapes and positions."""

    @ui.page("/map")
    def show_map() -> None:
        with page_frame("Map", heading="Map"):
            link_styles()
            PhotoMap(session.library.config.web)

    @nicegui_app.get("/map/shapes/{zoom}/{left}/{right}/{top}/{bottom}", include_in_schema=False)
    async def get_shapes(zoom: int, left: int, right: int, top: int, bottom: int) -> Response:
        try:
            view = check_view(zoom, left, right, top, bottom)
            content = await asyncio.to_thread(render_shapes, view)
        except UserError as error:
            return make_error(error)
        return Response(content, media_type="application/json", headers={"Cache-Control": _CACHE})

    @nicegui_app.get("/map/positions", include_in_schema=False)
    async def get_positions(request: Request) -> Response:
        try:
            album = await session.album.load()
        except UserError as error:
            return make_error(error)
        etag = f'"positions-{album.version}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        content = await asyncio.to_thread(lambda: json.dumps(pack_positions(album.photos)))
        return Response(content, media_type="application/json", headers=headers)

    @nicegui_app.get("/map/texts/{ids}", include_in_schema=False)
    async def get_texts(ids: str) -> Response:
        known = [
            number for text in ids.split(",")[:_MAX_TEXTS] if (number := parse_photo_id(text)) is not None
        ]
        try:
            texts = await session.run(lambda library: read_alt_texts(library, known))
        except UserError as error:
            return make_error(error)
        return Response(
            json.dumps(texts), media_type="application/json", headers={"Cache-Control": "no-store"}
        )


def link_styles() -> None:
    """Link the styles of the map, the timeline and the collection."""
    ui.add_head_html('<link rel="stylesheet" href="/static/atlas.css">', shared=False)


def make_error(error: UserError) -> Response:
    """Return an error of the user for a component that shows it."""
    return Response(json.dumps({"error": str(error)}), 409, media_type="application/json")


def pack_positions(facts: PhotoFacts) -> dict[str, Any]:
    """Return the photos with a position, the newest first, as arrays in Base64, which a browser reads fast.

    ``positions`` has longitudes and latitudes in turn. ``cities`` has the names that ``city`` numbers.
    """
    chosen = facts.has_position
    names, numbers = np.unique(facts.cities[chosen].astype(str), return_inverse=True)
    positions = np.stack([facts.longitudes[chosen], facts.latitudes[chosen]], axis=1)
    return {
        "photos": len(facts),
        "cities": names.tolist(),
        "ids": _encode(facts.ids[chosen], "<i8"),
        "positions": _encode(positions, "<f4"),
        "city": _encode(numbers.reshape(-1), "<u4"),
    }


def _encode(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()
