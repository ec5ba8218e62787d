"""Borders of countries and their territories as polygons, and the country of a position.

The polygons are in ``borders.npz``, which `border_conversion.py` writes. ``borders.LICENSE.txt``
has their source and licence.
"""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np

from imagesearch.errors import UserError, describe_error

BORDERS_FILE = "borders.npz"
UNITS_PER_DEGREE = 100_000  # the source has five decimals, some 1 m
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class Borders:
    """Polygons of countries; see `load_borders`.

    The polygons include the sea to some twelve nautical miles, and farther out where the source is coarse.
    Where two overlap, the smaller one applies.

    Attributes
    ----------
    polygons : (n,) object
        Polygons of shapely, prepared, from the smallest to the largest.
    codes : (n,) str
        Country of each polygon: ISO 3166-1, two letters. A territory has its own code.
    parents : dict
        From the code of a territory to the code of its state.
    tree : STRtree
        Index of the bounding boxes of the polygons.
    """

    polygons: np.ndarray
    codes: np.ndarray
    parents: Mapping[str, str]
    tree: Any

    def find_countries(self, latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
        """Return the code of the country of each position, (n,) str; empty on the high seas.

        Parameters
        ----------
        latitudes, longitudes : (n,) float64
            Degrees.
        """
        import shapely

        positions, polygons = self.tree.query(shapely.points(longitudes, latitudes))
        is_inside = shapely.intersects_xy(
            self.polygons[polygons], longitudes[positions], latitudes[positions]
        )
        smallest = np.full(len(latitudes), len(self.polygons))
        np.minimum.at(smallest, positions[is_inside], polygons[is_inside])
        return np.append(self.codes, "")[smallest]

    def is_within(self, code: str, km: float, latitude: float, longitude: float) -> bool:
        """Whether a position is in a country, or closer to it than some kilometres.

        The distance is computed in degrees: it is less than ``km`` from east to west far from the equator.
        """
        import shapely

        polygons, position = self.polygons[self.codes == code], shapely.Point(longitude, latitude)
        return bool(shapely.dwithin(polygons, position, km / _KM_PER_DEGREE).any())


@functools.cache
def load_borders() -> Borders:
    """Return the borders. The first call takes 0.01 s, after importing shapely in 0.05 to 0.1 s.

    Raises
    ------
    UserError
        If the file of the borders is missing or damaged.
    """
    import shapely

    source = files("imagesearch.geo") / BORDERS_FILE
    try:
        with as_file(source) as file, np.load(file, allow_pickle=False) as arrays:
            steps, ring_sizes = arrays["coordinate_steps"], arrays["ring_sizes"]
            ring_counts, codes = arrays["ring_counts"], arrays["codes"]
            territories, states = arrays["territories"].tolist(), arrays["states"].tolist()
        coordinates = np.cumsum(steps, axis=0, dtype=np.int64) / UNITS_PER_DEGREE
        offsets = (np.append(0, np.cumsum(sizes)) for sizes in (ring_sizes, ring_counts))
        polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, coordinates, tuple(offsets))
    except (
        OSError,
        EOFError,
        KeyError,
        ValueError,
        zipfile.BadZipFile,
        shapely.errors.ShapelyError,
    ) as error:
        raise UserError(
            f"{source}: cannot be read ({type(error).__name__}: {describe_error(error)}); "
            "install imagesearch again"
        ) from None
    return make_borders(polygons, codes, dict(zip(territories, states, strict=True)))


def make_borders(polygons: np.ndarray, codes: np.ndarray, parents: Mapping[str, str]) -> Borders:
    """Return borders with an index; for the parameters see `Borders`."""
    import shapely

    shapely.prepare(polygons)
    return Borders(polygons, codes, parents, shapely.STRtree(polygons))
