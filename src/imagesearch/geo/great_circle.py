"""The Earth as a sphere: great-circle distances, and boxes of degrees that make up a circle."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

# Mean radius (IUGG R1). A sphere is wrong by up to 0.5%: nobody walks a radius of 5 km with a tape.
EARTH_KM = 6371.0088


def distance_km(
    latitude: float, longitude: float, latitudes: np.ndarray, longitudes: np.ndarray
) -> np.ndarray:
    """Return the great-circle distances from one position to many.

    Parameters
    ----------
    latitude, longitude, latitudes, longitudes
        Degrees; the arrays of one shape, (n,).

    Returns
    -------
    distances : (n,) float64
        Kilometres, by the haversine formula, which keeps its precision for near and for opposite points.
    """
    a, b = math.radians(latitude), np.radians(np.asarray(latitudes, float))
    half_turn = np.radians(np.asarray(longitudes, float) - longitude) / 2
    h = np.sin((b - a) / 2) ** 2 + math.cos(a) * np.cos(b) * np.sin(half_turn) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def to_unit_vectors(latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
    """Return positions in degrees as points of the unit sphere, (n, 3): near on it is near in space."""
    a, b = np.radians(np.asarray(latitudes, float)), np.radians(np.asarray(longitudes, float))
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=-1)


def km_to_chord(km: float) -> float:
    """Return the straight line through the unit sphere between points that far apart on the Earth."""
    return 2 * math.sin(min(km / EARTH_KM, math.pi) / 2)


def chord_to_km(chords: np.ndarray) -> np.ndarray:
    """Return the distances on the Earth between points of the unit sphere, from their straight lines."""
    return 2 * EARTH_KM * np.arcsin(np.clip(np.asarray(chords) / 2, 0, 1))


def bounding_boxes(
    latitude: float, longitude: float, km: float, strips: int = 16
) -> list[tuple[float, float, float, float]]:
    """Return boxes of degrees that together hold a circle on the Earth, and little else.

    Strips of latitude, each as wide as the circle is there: 16 of them hold some 5% more than the circle,
    where the one box around it holds 27% more. Across the date line each is two; around a pole it takes all
    longitudes.

    Returns
    -------
    list of (south, north, west, east)
        Degrees, both limits inclusive, with ``west <= east``.

    References
    ----------
    The tangent meridians of a circle: J. P. Matuschek, "Finding Points Within a Distance of a
    Latitude/Longitude Using Bounding Coordinates", section 3.3.
    """
    angle = km / EARTH_KM + 1e-9  # somewhat wider than the circle, for what rounding takes away
    reach = math.degrees(angle)
    edges = np.linspace(max(latitude - reach, -90.0), min(latitude + reach, 90.0), strips + 1).tolist()
    widest = _tangent_latitude(latitude, angle)
    found = []
    for south, north in pairwise(edges):
        inside = [widest] if widest is not None and south < widest < north else []
        width = max(_half_width(latitude, angle, edge) for edge in (south, north, *inside)) + 1e-7
        found += [(south, north, *span) for span in _split_at_date_line(longitude, width)]
    return found


def _tangent_latitude(latitude: float, angle: float) -> float | None:
    """The latitude at which a circle reaches farthest east and west; None around a pole."""
    sine = math.sin(math.radians(latitude)) / math.cos(angle) if math.cos(angle) else math.inf
    return math.degrees(math.asin(sine)) if abs(sine) < 1 else None


def _half_width(latitude: float, angle: float, edge: float) -> float:
    """Degrees of longitude from a circle's middle to its edge, along another latitude."""
    a, b = math.radians(latitude), math.radians(edge)
    # the haversine formula, solved for the longitude
    rest = math.sin(min(angle, math.pi) / 2) ** 2 - math.sin((b - a) / 2) ** 2
    along = math.cos(a) * math.cos(b)
    if rest <= 0:
        return 0.0
    return 180.0 if rest >= along else math.degrees(2 * math.asin(math.sqrt(rest / along)))


def _split_at_date_line(longitude: float, width: float) -> list[tuple[float, float]]:
    """From west to east, in two parts across the date line."""
    west, east = longitude - width, longitude + width
    if width >= 180:
        return [(-180.0, 180.0)]
    if west < -180:
        return [(west + 360, 180.0), (-180.0, east)]
    return [(west, 180.0), (-180.0, east - 360)] if east > 180 else [(west, east)]
