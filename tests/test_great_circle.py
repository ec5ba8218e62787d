"""Great-circle distances and bounding boxes, at the date line, at the poles, and for circles of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.great_circle import (
    chord_to_km,
    compute_distance_km,
    compute_distances_km,
    make_bounding_boxes,
    make_inner_box,
    to_unit_vectors,
)


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
    found = float(compute_distances_km(*a, *b))
    assert found == pytest.approx(km, rel=2e-3, abs=1e-9)
    straight = np.linalg.norm(to_unit_vectors(*a) - to_unit_vectors(*b))
    assert float(chord_to_km(straight)) == pytest.approx(found, abs=1e-3)


DEGREES = st.floats(-90, 90), st.floats(-180, 180)


@given(*DEGREES, st.floats(0.01, 15_000), st.floats(0, 1), st.floats(0, 360))
def test_each_point_in_a_circle_is_in_its_bounding_box(
    latitude: float, longitude: float, km: float, share: float, bearing: float
) -> None:
    # A point at a bearing and a distance, by the formula for the destination on a great circle.
    a, angle, course = np.radians(latitude), share * km / 6371.0088, np.radians(bearing)
    b = np.arcsin(np.clip(np.sin(a) * np.cos(angle) + np.cos(a) * np.sin(angle) * np.cos(course), -1, 1))
    east = np.arctan2(np.sin(course) * np.sin(angle) * np.cos(a), np.cos(angle) - np.sin(a) * np.sin(b))
    point = float(np.degrees(b)), float((longitude + np.degrees(east) + 180) % 360 - 180)
    around = make_bounding_boxes(latitude, longitude, km)
    if float(compute_distances_km(latitude, longitude, *point)) <= km:
        assert any(s <= point[0] <= n and w <= point[1] <= e for s, n, w, e in around)
    assert all(-90 <= s <= n <= 90 and -180 <= w <= e <= 180 for s, n, w, e in around)


def test_a_circle_across_the_date_line_has_two_boxes_and_a_circle_around_a_pole_all_longitudes() -> None:
    assert len(make_bounding_boxes(48, 2, 10)) == 1
    west, east = make_bounding_boxes(-17, 179.99, 10)
    assert (west[3], east[2]) == (180.0, -180.0) and west[:2] == east[:2]
    ((south, north, *longitudes),) = make_bounding_boxes(89.99, 10, 5)
    assert north == 90.0 and 89.9 < south < 89.95 and longitudes == [-180.0, 180.0]
    assert make_bounding_boxes(0, 0, 20_038) == [(-90.0, 90.0, -180.0, 180.0)]


@pytest.mark.parametrize(("latitude", "km"), [(0, 5), (48, 0.05), (-60, 500), (85, 300)])
def test_the_box_touches_the_circle_on_all_sides(latitude: float, km: float) -> None:
    ((south, north, west, east),) = make_bounding_boxes(latitude, 10, km)
    to_edges = compute_distances_km(latitude, 10, np.array([south, north]), np.array([10, 10]))
    along = np.linspace(south, north, 2001)
    for edge in (west, east):
        to_edges = np.append(to_edges, compute_distances_km(latitude, 10, along, np.full(2001, edge)).min())
    assert to_edges == pytest.approx(km, rel=5e-3)


@given(*DEGREES, st.floats(0.1, 20_000), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_all_points_of_the_inner_box_are_in_the_circle(
    latitude: float, longitude: float, km: float, share: tuple[float, float]
) -> None:
    for south, north, west, east in make_inner_box(latitude, longitude, km):
        point = south + share[0] * (north - south), west + share[1] * (east - west)
        assert compute_distance_km(latitude, longitude, *point) <= km


def test_the_inner_box_of_a_small_circle_is_its_square() -> None:
    ((south, north, west, east),) = make_inner_box(48.0, 2.0, 10.0)
    assert compute_distance_km(south, 2, north, 2) == pytest.approx(20 / 2**0.5, rel=1e-3)
    assert compute_distance_km(48, west, 48, east) == pytest.approx(20 / 2**0.5, rel=1e-3)
    assert make_inner_box(89.99, 0, 10) == [] and len(make_inner_box(-17, 179.99, 10)) == 2


@given(st.tuples(*DEGREES), st.tuples(*DEGREES))
def test_one_distance_is_the_same_as_among_many(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert compute_distance_km(*a, *b) == pytest.approx(float(compute_distances_km(*a, *b)), abs=1e-6)
