"""The Earth as a sphere: great-circle distances, and boxes of degrees around a circle."""

from __future__ import annotations

import math

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


def unit_vectors(latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
    """Return positions in degrees as points of the unit sphere, (n, 3): near on it is near in space."""
    a, b = np.radians(np.asarray(latitudes, float)), np.radians(np.asarray(longitudes, float))
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=-1)


def chord(km: float) -> float:
    """Return the straight line through the unit sphere between points that far apart on the Earth."""
    return 2 * math.sin(min(km / EARTH_KM, math.pi) / 2)


def arc_km(chords: np.ndarray) -> np.ndarray:
    """Return the distances on the Earth between points of the unit sphere, from their straight lines."""
    return 2 * EARTH_KM * np.arcsin(np.clip(np.asarray(chords) / 2, 0, 1))


def boxes(latitude: float, longitude: float, km: float) -> list[tuple[float, float, float, float]]:
    """Return the smallest boxes of degrees that hold a circle on the Earth.

    Across the date line there are two; a circle around a pole takes all longitudes.

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
    south, north = latitude - reach, latitude + reach
    if south <= -90 or north >= 90:
        return [(max(south, -90.0), min(north, 90.0), -180.0, 180.0)]
    ratio = math.sin(angle) / math.cos(math.radians(latitude))
    width = math.degrees(math.asin(min(ratio, 1.0))) + 1e-7
    west, east = longitude - width, longitude + width
    if west < -180:
        return [(south, north, west + 360, 180.0), (south, north, -180.0, east)]
    if east > 180:
        return [(south, north, west, 180.0), (south, north, -180.0, east - 360)]
    return [(south, north, west, east)]
