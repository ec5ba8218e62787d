"""The Earth as a sphere: great-circle distances, and the box of degrees around a circle."""

from __future__ import annotations

import math

import numpy as np

# Mean radius (IUGG R1). A sphere is wrong by up to 0.5%: nobody walks a radius of 5 km with a tape.
EARTH_KM = 6371.0088


def compute_distances_km(
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


def chord_to_km(chords: np.ndarray) -> np.ndarray:
    """Return the distances on the Earth between points of the unit sphere, from their straight lines."""
    return 2 * EARTH_KM * np.arcsin(np.clip(np.asarray(chords) / 2, 0, 1))


def make_bounding_boxes(
    latitude: float, longitude: float, km: float
) -> list[tuple[float, float, float, float]]:
    """Return the box of degrees around a circle on the Earth: two across the date line.

    Around a pole it takes all longitudes.

    Parameters
    ----------
    latitude, longitude
        The middle, in degrees.
    km
        The radius.

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
    south, north = latitude - math.degrees(angle), latitude + math.degrees(angle)
    if south <= -90 or north >= 90:
        return [(max(south, -90.0), min(north, 90.0), -180.0, 180.0)]
    # to the meridians that touch the circle, which they do nearer to the pole than its middle is
    sine = math.sin(angle) / math.cos(math.radians(latitude))
    width = math.degrees(math.asin(min(sine, 1.0))) + 1e-6
    return [(south, north, *span) for span in _split_at_date_line(longitude - width, longitude + width)]


def _split_at_date_line(west: float, east: float) -> list[tuple[float, float]]:
    """Return a span of longitudes, in two parts where it crosses the date line."""
    if west < -180:
        return [(west + 360, 180.0), (-180.0, east)]
    return [(west, 180.0), (-180.0, east - 360)] if east > 180 else [(west, east)]
