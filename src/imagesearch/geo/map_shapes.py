"""Shapes for maps: the land and the borders of countries within a view.

The coasts are in ``coasts.npz``, which `coast_conversion.py` writes. The borders are those of ``borders.py``,
which addresses use too. They continue into the sea, where a map must not draw them.
"""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np

from imagesearch.errors import UserError, describe_error
from imagesearch.geo.borders import load_borders

COASTS_FILE = "coasts.npz"
MAP_ATTRIBUTION = "borders © OpenStreetMap contributors (ODbL), coasts Natural Earth"
"""What a figure with these shapes must state: the ODbL requires it."""
_SEAM = 0.002  # degrees, half of what the source rounds longitudes to
_MARGIN = 0.05  # of the view, around it


@dataclass(frozen=True)
class MapShapes:
    """Land and borders within a view, as lines of longitudes and latitudes in degrees, each (n, 2) float64.

    The lines end outside the view, so that its edges are not drawn as coasts.

    Attributes
    ----------
    land
        Closed rings around continents and islands.
    water
        Closed rings of water within land: the Caspian Sea. Other lakes are land.
    coasts
        Open lines: the edges of land and water.
    borders
        Open lines. Only their parts on land are borders; they continue into the sea.
    """

    land: Sequence[np.ndarray]
    water: Sequence[np.ndarray]
    coasts: Sequence[np.ndarray]
    borders: Sequence[np.ndarray]


def find_map_shapes(
    longitudes: tuple[float, float], latitudes: tuple[float, float], tolerance: float
) -> MapShapes:
    """Return the land and the borders within a view.

    Parameters
    ----------
    longitudes, latitudes
        The lower and the upper limit of the view, in degrees. Longitudes may be less than -180 or more than
        180, so that a view can cross the 180th meridian.
    tolerance
        Maximum distance of a simplified line from the exact one, in degrees.

    Raises
    ------
    UserError
        If a file of this package is missing or damaged.
    """
    margin = _MARGIN * max(longitudes[1] - longitudes[0], latitudes[1] - latitudes[0])
    west, south, east, north = (
        *(longitudes[0] - margin, latitudes[0] - margin),
        *(longitudes[1] + margin, latitudes[1] + margin),
    )
    lines = [
        [
            np.add(line, (turn, 0))
            for turn in (-360, 0, 360)  # shapes beyond the 180th meridian are those of the other side
            for line in shapes.clip((west - turn, south, east - turn, north), tolerance)
        ]
        for shapes in _load_shapes()
    ]
    return MapShapes(*lines)


@dataclass(frozen=True)
class _IndexedShapes:
    """Polygons or lines of shapely, (n,) object, and an index of their bounding boxes."""

    shapes: np.ndarray
    tree: Any

    def clip(self, view: tuple[float, float, float, float], tolerance: float) -> list[np.ndarray]:
        """Return the simplified lines or rings within a view: west, south, east, north."""
        import shapely

        near = self.shapes[np.sort(self.tree.query(shapely.box(*view)))]
        clipped = shapely.get_parts(shapely.clip_by_rect(near, *view))
        clipped = shapely.simplify(clipped, tolerance, preserve_topology=False)
        parts = shapely.get_parts(clipped)
        rings = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        parts[rings] = shapely.get_exterior_ring(parts[rings])
        coordinates, line_of = shapely.get_coordinates(parts, return_index=True)
        return np.split(coordinates, np.flatnonzero(np.diff(line_of)) + 1) if len(coordinates) else []


@functools.cache
def _load_shapes() -> tuple[_IndexedShapes, ...]:
    """Return land, water, coasts and borders. The first call takes 0.2 s."""
    import shapely

    rings, is_water = _read_coasts()
    polygons = np.array([shapely.polygons(_close_at_pole(ring)) for ring in rings])
    is_invalid = ~shapely.is_valid(polygons)  # rounded coordinates can make a coast cross itself
    polygons[is_invalid] = shapely.make_valid(polygons[is_invalid], method="structure", keep_collapsed=False)
    coasts = [shapely.linestrings(line) for ring in rings for line in _cut_at_seam(ring)]
    shapes = polygons[~is_water], polygons[is_water], np.array(coasts), _make_border_lines()
    return tuple(_IndexedShapes(each, shapely.STRtree(each)) for each in shapes)


def _read_coasts() -> tuple[list[np.ndarray], np.ndarray]:
    """Return rings in degrees, and whether each is around water, (n,) bool.

    The longitudes of a ring are continuous: they can be less than -180 or more than 180. The ring of
    Antarctica is open: it ends 360 degrees from its start.
    """
    source = files("imagesearch.geo") / COASTS_FILE
    try:
        with as_file(source) as file, np.load(file, allow_pickle=False) as arrays:
            sizes, starts = arrays["ring_sizes"], arrays["starts"].astype(np.int64)
            moves = np.stack([arrays["longitude_steps"], arrays["latitude_steps"]], axis=1).astype(np.int64)
            scale, origin, is_water = arrays["scale"], arrays["origin"], arrays["is_water"]
        pieces = np.split(moves, np.cumsum(sizes - 1)[:-1])
        rings = [
            np.cumsum(np.concatenate([start[None], piece]), axis=0)
            for start, piece in zip(starts, pieces, strict=True)
        ]
        return [ring * scale + origin for ring in rings], is_water
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{source}: cannot be read ({type(error).__name__}: {describe_error(error)}); "
            "install imagesearch again"
        ) from None


def _close_at_pole(ring: np.ndarray) -> np.ndarray:
    """Return the ring of Antarctica closed at the South Pole, and any other ring as it is."""
    start, end = ring[0], ring[-1]
    return (
        ring if abs(end[0] - start[0]) < 180 else np.array([*ring, (end[0], -90.0), (start[0], -90.0), start])
    )


def _cut_at_seam(ring: np.ndarray) -> list[np.ndarray]:
    """Return a ring as lines, without its parts along the 180th meridian, where the source cuts islands."""
    is_on_seam = np.abs(np.mod(ring[:, 0], 360) - 180) < _SEAM
    is_along = is_on_seam[1:] & is_on_seam[:-1] & (np.abs(np.diff(ring[:, 0])) < 2 * _SEAM)
    cuts = np.flatnonzero(is_along) + 1
    return [line for line in np.split(ring, cuts) if len(line) > 1]


def _make_border_lines() -> np.ndarray:
    """Return the lines between two countries or territories, as lines of shapely, (n,) object."""
    import shapely

    borders = load_borders()
    rings, polygon_of = shapely.get_rings(borders.polygons, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    within = ring_of[1:] == ring_of[:-1]
    segments = np.concatenate([points[:-1], points[1:]], axis=1)[within]
    codes = borders.codes[polygon_of[ring_of[1:][within]]]
    backwards = (segments[:, 0] > segments[:, 2]) | (
        (segments[:, 0] == segments[:, 2]) & (segments[:, 1] > segments[:, 3])
    )
    segments[backwards] = segments[backwards][:, [2, 3, 0, 1]]
    # two neighbours have the same points; an edge of only one polygon is in the sea
    unique, number = np.unique(segments, axis=0, return_inverse=True)
    pairs = np.unique(np.stack([number.reshape(-1), np.unique(codes, return_inverse=True)[1]]), axis=1)
    between = unique[np.bincount(pairs[0]) > 1]
    merged = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(between.reshape(-1, 2, 2))))
    return shapely.get_parts(merged)
