"""Land, coasts and borders as the map page draws them: simplified for a zoom level, as lists of numbers."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable

import numpy as np

from imagesearch.errors import UserError
from imagesearch.geo import find_map_shapes

MAX_ZOOM = 16
TILE_PIXELS = 256
"""Width of the world in pixels at zoom level 0."""
_MAX_TILES = 24  # the sides of a view, in tiles of its zoom level
_MAX_LATITUDE = 85.06
_TOLERANCE = 0.8  # pixels that a simplified line can be off
_CACHED_VIEWS = 128
View = tuple[int, int, int, int, int]
"""Zoom level; the first and the last column of tiles; the first and the last row, from the north."""


def check_view(zoom: int, left: int, right: int, top: int, bottom: int) -> View:
    """Return a view of whole tiles.

    Raises
    ------
    UserError
        If it is no view of the world, or too large.
    """
    tiles = 2**zoom if 0 <= zoom <= MAX_ZOOM else 0
    is_valid = -tiles <= left <= right < 2 * tiles and 0 <= top <= bottom < tiles
    if not is_valid or right - left >= min(_MAX_TILES, 2 * tiles) or bottom - top >= _MAX_TILES:
        raise UserError("no such view of the map")
    return zoom, left, right, top, bottom


@functools.lru_cache(_CACHED_VIEWS)
def render_shapes(view: View) -> bytes:
    """Return the shapes of a view as JSON: for each kind, lists of longitudes and latitudes in turn."""
    zoom, left, right, top, bottom = view
    degrees = 360 / 2**zoom
    west, east = left * degrees - 180, (right + 1) * degrees - 180
    north, south = _find_latitude(top / 2**zoom), _find_latitude((bottom + 1) / 2**zoom)
    pixel = degrees / TILE_PIXELS
    # a degree of latitude is longer than one of longitude, the more so, the nearer to a pole
    shrinking = math.cos(math.radians(min(80.0, max(abs(north), abs(south)))))
    tolerance = _TOLERANCE * pixel * max(0.3, shrinking)
    shapes = find_map_shapes((west, east), (south, north), tolerance)
    decimals = max(2, math.ceil(-math.log10(pixel)) + 1)
    content = {
        "land": _flatten(shapes.land, pixel, decimals),
        "water": _flatten(shapes.water, pixel, decimals),
        "coasts": _flatten(shapes.coasts, pixel, decimals),
        "borders": _flatten(shapes.borders, pixel / 2, decimals),
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _flatten(lines: Iterable[np.ndarray], smallest: float, decimals: int) -> list[list[float]]:
    """Return lines as flat lists, without the smallest ones, north and south to the ends of Mercator."""
    flat = []
    for line in lines:
        if np.ptp(line, axis=0).max() >= smallest:
            clipped = np.stack([line[:, 0], np.clip(line[:, 1], -_MAX_LATITUDE, _MAX_LATITUDE)], axis=1)
            flat.append(clipped.round(decimals).ravel().tolist())
    return flat


def _find_latitude(row: float) -> float:
    """Return the latitude of a fraction of the height of the world in the Mercator projection."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row))))
