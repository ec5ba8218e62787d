"""Converts the borders of country-coder to the file that ``borders.py`` reads.

The npm package @rapideditor/country-coder has ``borders.json``, a GeoJSON collection of countries,
territories and parts of them. A part has an ISO code, or the codes of the groups that it is in, or only the
code of its country.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.geo.borders import BORDERS_FILE, UNITS_PER_DEGREE
from imagesearch.geo.source_files import expect_layout, write_arrays

# "exceptionally reserved" codes, such as FX for the France in Europe, are not used for countries by others
_RESERVED = "excRes"


def convert_borders(source: Path, target: Path | None = None) -> str:
    """Write the polygons of countries and territories to a compact file.

    Parts that have no country in the source, such as Bir Tawil, are left out.

    Parameters
    ----------
    source
        ``borders.json`` of country-coder.
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
    with expect_layout(source, "borders.json of country-coder"):
        features = json.loads(source.read_text("utf-8"))["features"]
        coded = {f["properties"]["iso1A2"]: f["properties"] for f in features if "iso1A2" in f["properties"]}
        rows = sorted(_list_polygons(features, coded), key=lambda row: row[1])
        parents = {code: coded[code]["country"] for code, *_ in rows if "country" in coded[code]}
    target = target or Path(__file__).with_name(BORDERS_FILE)
    rings = [ring for *_, polygon in rows for ring in polygon]
    coordinates = np.concatenate(rings)
    write_arrays(
        target,
        coordinate_steps=np.diff(coordinates, axis=0, prepend=0).astype(np.int32),
        ring_sizes=np.array([len(ring) for ring in rings], np.int32),
        ring_counts=np.array([len(polygon) for *_, polygon in rows], np.int32),
        codes=np.array([code for code, *_ in rows]),
        territories=np.array(sorted(parents)),
        states=np.array([parents[code] for code in sorted(parents)]),
    )
    countries = len({code for code, *_ in rows})
    return f"{target}: {countries} countries and territories, {len(rows)} polygons, {len(coordinates)} points"


def _list_polygons(
    features: list[Any], coded: Mapping[str, Any]
) -> Iterator[tuple[str, float, list[np.ndarray]]]:
    """Yield the code, the area in square degrees and the rings, in units, of each polygon."""
    for feature in features:
        code = _find_code(feature["properties"], coded)
        if feature["geometry"] is None or not code:
            continue
        for polygon in feature["geometry"]["coordinates"]:
            rings = [np.rint(np.array(ring) * UNITS_PER_DEGREE).astype(np.int64) for ring in polygon]
            yield code, _compute_area(rings[0]), rings


def _find_code(properties: Mapping[str, Any], coded: Mapping[str, Any]) -> str:
    """Return the official code of a part's territory, or of its country; empty if there is none."""
    groups = [group for group in properties.get("groups", ()) if "country" in coded.get(group, ())]
    candidates = [properties.get("iso1A2"), *groups, properties.get("country")]
    return next((c for c in candidates if c in coded and coded[c].get("isoStatus") != _RESERVED), "")


def _compute_area(ring: np.ndarray) -> float:
    x, y = (ring / UNITS_PER_DEGREE).T
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
