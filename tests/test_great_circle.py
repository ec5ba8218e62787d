"""Distances and boxes on the sphere: right at the date line, at the poles, and for any circle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.geo import bounding_boxes, distance_km
from imagesearch.geo.great_circle import chord_to_km, km_to_chord, to_unit_vectors


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((48.8584, 2.2945), (48.8606, 2.3376), 3.16),  # Eiffel Tower to the Louvre
        ((0, 179.99), (0, -179.99), 2.224),
        ((90, 0), (-90, 77), 20015.1),
        ((51.4778, 0), (51.4778, 0), 0),
    ],
)
def test_distances(a: tuple, b: tuple, km: float) -> None:
    found = float(distance_km(*a, *b))
    assert found == pytest.approx(km, rel=2e-3, abs=1e-9)
    straight = np.linalg.norm(to_unit_vectors(*a) - to_unit_vectors(*b))
    assert float(chord_to_km(straight)) == pytest.approx(found, abs=1e-3)
    assert km_to_chord(found) == pytest.approx(straight, abs=1e-6)


DEGREES = st.floats(-90, 90), st.floats(-180, 180)


@given(*DEGREES, st.floats(0.01, 15_000), st.floats(0, 1), st.floats(0, 360))
def test_whatever_lies_in_a_circle_lies_in_its_boxes(
    latitude: float, longitude: float, km: float, share: float, bearing: float
) -> None:
    # a point at some bearing and distance, by the formula for the destination of a great circle
    a, angle, course = np.radians(latitude), share * km / 6371.0088, np.radians(bearing)
    b = np.arcsin(np.clip(np.sin(a) * np.cos(angle) + np.cos(a) * np.sin(angle) * np.cos(course), -1, 1))
    east = np.arctan2(np.sin(course) * np.sin(angle) * np.cos(a), np.cos(angle) - np.sin(a) * np.sin(b))
    point = float(np.degrees(b)), float((longitude + np.degrees(east) + 180) % 360 - 180)
    around = bounding_boxes(latitude, longitude, km)
    if float(distance_km(latitude, longitude, *point)) <= km:
        assert any(s <= point[0] <= n and w <= point[1] <= e for s, n, w, e in around)
    assert all(-90 <= s <= n <= 90 and -180 <= w <= e <= 180 for s, n, w, e in around)


def test_a_circle_across_the_date_line_has_two_boxes_and_one_around_a_pole_all_longitudes() -> None:
    assert (
        len(bounding_boxes(-17, 179.99, 10, strips=1)) == 2 and len(bounding_boxes(48, 2, 10, strips=1)) == 1
    )
    assert bounding_boxes(89.99, 10, 5)[-1][2:] == (-180.0, 180.0)


@pytest.mark.parametrize(("latitude", "km"), [(0, 5), (48, 0.05), (-60, 500), (85, 300)])
def test_the_boxes_hold_little_more_than_the_circle(latitude: float, km: float) -> None:
    area = sum(
        (np.sin(np.radians(n)) - np.sin(np.radians(s))) * np.radians(e - w)
        for s, n, w, e in bounding_boxes(latitude, 10, km)
    )
    cap = 2 * np.pi * (1 - np.cos(km / 6371.0088))
    assert 1 <= area / cap < 1.08
