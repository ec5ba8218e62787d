"""Converts the land of Natural Earth to the file that ``map_shapes.py`` reads.

The npm package world-atlas has ``land-10m.json``: the land of Natural Earth in TopoJSON, as rings of arcs
with whole numbers as coordinates. A ring may cross the 180th meridian, or go around the South Pole.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.geo.map_shapes import COASTS_FILE
from imagesearch.geo.source_files import expect_layout, write_arrays

# Degrees; the source rounds longitudes to 0.0036 degrees, some 400 m.
_TOLERANCE = 0.003


def convert_coasts(source: Path, target: Path | None = None) -> str:
    """Write the coasts of all land to a compact file. Lakes are land, except the Caspian Sea.

    Parameters
    ----------
    source
        ``land-10m.json`` of world-atlas.
    target
        The file to write; by default the one in this package.

    Returns
    -------
    summary : str
        What was written, as one line.

    Raises
    ------
    UserError
        If the source cannot be read, or has another layout.
    """
    import shapely

    with expect_layout(source, "land-10m.json of world-atlas"):
        topology = json.loads(source.read_text("utf-8"))
        scale = np.array(topology["transform"]["scale"], float)
        origin = np.array(topology["transform"]["translate"], float)
        arcs = [np.cumsum(np.array(arc, np.int64), axis=0) for arc in topology["arcs"]]
        (land,) = topology["objects"]["land"]["geometries"]
        parts = [(ring, number > 0) for part in land["arcs"] for number, ring in enumerate(part)]
        rings = [_unroll_ring(_join_arcs(arcs, ring), scale, origin) for ring, _ in parts]
    simplified = shapely.simplify([shapely.linestrings(ring) for ring in rings], _TOLERANCE)
    coordinates = [np.rint((shapely.get_coordinates(ring) - origin) / scale) for ring in simplified]
    coordinates = [ring.astype(np.int64) for ring in coordinates]
    target = target or Path(__file__).with_name(COASTS_FILE)
    steps = np.concatenate([np.diff(ring, axis=0) for ring in coordinates])
    write_arrays(
        target,
        starts=np.array([ring[0] for ring in coordinates], np.int32),
        ring_sizes=np.array([len(ring) for ring in coordinates], np.int32),
        longitude_steps=steps[:, 0].astype(np.int16),  # two arrays are compressed better than one
        latitude_steps=steps[:, 1].astype(np.int16),
        is_water=np.array([is_hole for _, is_hole in parts]),
        scale=scale,
        origin=origin,
    )
    return f"{target}: {len(coordinates)} coasts, {sum(map(len, coordinates))} points"


def _join_arcs(arcs: list[Any], numbers: list[int]) -> np.ndarray:
    """Return a ring, (n, 2), of arcs that begin where the one before ends; ``~i`` is arc i backwards."""
    parts = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def _unroll_ring(ring: np.ndarray, scale: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return a ring in degrees, with continuous longitudes. Around a pole, its ends are 360 degrees apart."""
    degrees = ring * scale + origin
    degrees[:, 0] = np.unwrap(degrees[:, 0], period=360)
    return degrees
