"""The map: each photo in one cluster, no gap at the date line, labels that do not overlap."""

from __future__ import annotations

import numpy as np

from imagesearch.figures.geo_map import cluster_positions, draw_geo_map, unroll_longitudes


def test_clusters_contain_each_photo_once_and_have_a_city() -> None:
    rng = np.random.default_rng(0)
    positions = np.repeat([[48.85, 2.35], [35.68, 139.69]], 50, axis=0) + rng.normal(0, 0.01, (100, 2))
    clusters = cluster_positions(*positions.T, ["Paris"] * 50 + [""] * 20 + ["Tokyo"] * 30, 5.0)
    assert sorted((c.photos, c.city) for c in clusters) == [(50, "Paris"), (50, "Tokyo")]


def test_photos_on_both_sides_of_the_date_line_are_near_each_other() -> None:
    np.testing.assert_allclose(unroll_longitudes(np.array([179.9, -179.9, 170.0])), [179.9, 180.1, 170.0])
    np.testing.assert_allclose(unroll_longitudes(np.array([-70.0, 2.0])), [-70.0, 2.0])
    figure = draw_geo_map(np.array([-17.0, -17.1]), np.array([179.9, -179.9]), ["Suva", ""], "two")
    left, right = figure.axes[0].get_xlim()
    assert right - left < 1
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert any("W" in label for label in labels) and any("E" in label for label in labels)


def test_the_map_of_one_town_has_different_ticks_and_labels_without_overlaps() -> None:
    positions = np.array([[43.46, 11.88], [43.4605, 11.8825], [43.461, 11.885], [43.4615, 11.8875]])
    cities = ["Arezzo", "San Leo", "Quarata", "Olmo"]
    axis = draw_geo_map(*positions.T, cities, "four").axes[0]
    for ticks, labels in (
        (axis.get_xticks(), axis.get_xticklabels()),
        (axis.get_yticks(), axis.get_yticklabels()),
    ):
        degrees = [float(label.get_text()[:-2]) for label in labels]
        assert len(set(degrees)) == len(degrees) > 2
        np.testing.assert_allclose(degrees, ticks, atol=1e-9)
    boxes = [text.get_window_extent() for text in axis.texts]
    assert len(boxes) >= 2
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_map_of_one_photo() -> None:
    assert draw_geo_map(np.array([90.0]), np.array([-180.0]), [""], "the pole").axes
