"""The map: each photo in one cluster, no gap at the date line, labels that meet nothing, land and borders."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from imagesearch.errors import UserError
from imagesearch.figures.geo_map import cluster_positions, draw_geo_map, unroll_longitudes
from imagesearch.geo import convert_coasts, find_map_shapes, map_shapes

# the places of the demo's album, with their numbers of photos
TOWNS = {
    "Interlaken": (46.68, 7.86, 27),
    "Kyoto": (35.0, 135.77, 22),
    "Bergen": (60.39, 5.32, 16),
    "Reykjavík": (64.15, -21.94, 15),
    "Nairobi": (-1.29, 36.82, 15),
    "Queenstown": (-45.03, 168.66, 15),
    "Sydney": (-33.87, 151.21, 13),
    "Rovaniemi": (66.5, 25.73, 11),
    "Paris": (48.86, 2.35, 8),
    "Killarney": (52.06, -9.5, 7),
    "Maun": (-19.98, 23.42, 7),
}


def draw_towns(towns: dict[str, tuple[float, float, int]]) -> Axes:
    latitudes, longitudes, photos = (np.array(column) for column in zip(*towns.values(), strict=True))
    cities = np.repeat(list(towns), photos)
    figure = draw_geo_map(
        np.repeat(latitudes, photos), np.repeat(longitudes, photos), cities.tolist(), "towns"
    )
    figure.canvas.draw()
    return figure.axes[0]


def make_random_towns(count: int, seed: int) -> dict[str, tuple[float, float, int]]:
    rng = np.random.default_rng(seed)
    return {
        "".join(rng.choice(list("abdeghilmnorstu"), rng.integers(4, 16))).title(): (
            float(rng.uniform(-60, 75)),
            float(rng.uniform(-180, 180)),
            int(rng.integers(1, 30)),
        )
        for _ in range(count)
    }


def check_labels(axis: Axes) -> list[str]:
    """Check that no label meets another label, a circle, a dot or the frame; return the labels."""
    boxes = [text.get_window_extent() for text in axis.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    frame = axis.get_window_extent()
    assert all(frame.x0 < b.x0 and frame.y0 < b.y0 and b.x1 < frame.x1 and b.y1 < frame.y1 for b in boxes)
    for collection in axis.collections:
        if not isinstance(collection, PathCollection):
            continue  # lines, not circles
        centres = axis.transData.transform(collection.get_offsets())
        sizes = np.broadcast_to(collection.get_sizes(), len(centres))
        radii = np.sqrt(sizes) / 2 * axis.figure.dpi / 72
        for box in boxes:
            nearest = np.clip(centres, box.min, box.max)
            assert (np.hypot(*(nearest - centres).T) > radii).all()
    lines = [axis.transData.transform(line.get_xydata()) for line in axis.lines]
    for line in lines:
        points = line[0] + np.linspace(0, 1, 100)[:, None] * (line[1] - line[0])
        assert not any(box.contains(x, y) for box in boxes for x, y in points)
    return [text.get_text() for text in axis.texts]


def test_clusters_contain_each_photo_once_and_have_a_city() -> None:
    rng = np.random.default_rng(0)
    positions = np.repeat([[48.85, 2.35], [35.68, 139.69]], 50, axis=0) + rng.normal(0, 0.01, (100, 2))
    clusters = cluster_positions(*positions.T, ["Paris"] * 50 + [""] * 20 + ["Tokyo"] * 30, 5.0)
    assert sorted((c.photos, c.cities) for c in clusters) == [(50, (("Paris", 50),)), (50, (("Tokyo", 30),))]


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


def test_all_places_of_a_world_map_have_labels_which_meet_nothing() -> None:
    labels = check_labels(draw_towns(TOWNS))
    assert sorted(labels) == sorted(f"{town} · {photos}" for town, (*_, photos) in TOWNS.items())


def test_a_count_is_that_of_the_town_before_it() -> None:
    near_kyoto = {"Nagoya": (35.18, 136.9, 7), "Nara": (34.68, 135.8, 4), "Bellagio": (45.98, 9.25, 7)}
    labels = check_labels(draw_towns(TOWNS | near_kyoto))
    assert "Kyoto · 22\nNagoya · 7\nNara · 4" in labels
    assert "Interlaken · 27\nBellagio · 7" in labels and "Paris · 8" in labels
    labels = check_labels(
        draw_towns(TOWNS | near_kyoto | {"Osaka": (34.69, 135.5, 3), "": (35.01, 135.7, 2)})
    )
    assert "Kyoto · 22\nNagoya · 7\nothers · 9" in labels


def test_towns_without_space_for_their_names_have_the_count_of_all_and_their_number() -> None:
    rng = np.random.default_rng(3)
    towns = {f"Town {i}": (*rng.uniform(-60, 60, 2), int(rng.integers(1, 20))) for i in range(900)}
    labels = check_labels(draw_towns(towns))
    several = [label for label in labels if " +" in label]
    assert several and len(several) < len(labels)
    for label in labels:
        for name, photos in (line.split(" · ") for line in label.splitlines() if " +" not in line):
            assert name == "others" or int(photos) == towns[name][2]


def test_the_labels_of_200_towns_meet_nothing_and_the_largest_have_one() -> None:
    towns = make_random_towns(200, seed=1)
    axis = draw_towns(towns)
    labels = check_labels(axis)
    assert len(labels) >= 60
    assert len(axis.lines) >= 5  # labels farther away have a line to their circle
    largest = max(int(label.split(" · ")[1].split()[0]) for label in labels)
    assert largest >= max(photos for *_, photos in towns.values())


def test_the_labels_of_one_crowded_town_meet_nothing() -> None:
    rng = np.random.default_rng(2)
    towns = {f"Quarter {i}": (*rng.normal((48.85, 2.35), 0.02), 1) for i in range(60)}
    assert len(check_labels(draw_towns(towns))) >= 10


def get_land(axis: Axes) -> Outline:
    (land,) = [patch for patch in axis.patches if isinstance(patch, PathPatch)][:1]
    return land.get_path()


def is_land(latitude: float, longitude: float, shapes: map_shapes.MapShapes) -> bool:
    def is_in(rings: list[np.ndarray]) -> bool:
        return any(Outline(ring).contains_point((longitude, latitude)) for ring in rings)

    return is_in(shapes.land) and not is_in(shapes.water)


def test_a_world_map_has_land_and_sea_coasts_and_borders() -> None:
    shapes = find_map_shapes((-180, 180), (-90, 90), 0.1)
    for latitude, longitude in ((48.9, 2.3), (15.6, 73.9), (-33, 147), (65, -18), (-80, 0), (-88, -179.9)):
        assert is_land(latitude, longitude, shapes), (latitude, longitude)
    for latitude, longitude in ((40, -40), (0, -150), (15, 65), (42, 51), (85, 0)):  # (42, 51): Caspian Sea
        assert not is_land(latitude, longitude, shapes), (latitude, longitude)
    assert find_distance(shapes.borders, (47.59, 7.59)) < 0.1  # Basel, at three borders
    assert find_distance(shapes.borders, (52.0, -100.0)) > 2  # Canada
    assert find_distance(shapes.coasts, (50.95, 1.85)) < 0.2  # Calais
    assert sum(map(len, shapes.coasts)) < 50_000  # simplified for the view
    axis = draw_towns(TOWNS)
    assert "OpenStreetMap" in axis.get_xlabel() and "ODbL" in axis.get_xlabel()
    assert get_land(axis).contains_point((2.3, 48.9))


def find_distance(lines: list[np.ndarray], position: tuple[float, float]) -> float:
    """Return the distance in degrees of a position, latitude and longitude, to the nearest point of lines."""
    points = np.concatenate(
        [line[:-1] + (line[1:] - line[:-1]) * t for line in lines for t in (0, 0.25, 0.5, 0.75)]
    )
    return float(np.hypot(*(points - position[::-1]).T).min())


def test_a_map_across_the_180th_meridian_has_the_land_of_both_sides_and_no_line_between() -> None:
    shapes = find_map_shapes((176, 184), (-20, -15), 0.001)
    assert is_land(-17.8, 178.0, shapes) and is_land(-16.95, 179.98, shapes)  # Viti Levu, Taveuni
    assert is_land(-16.8, 180.03, shapes)  # the eastern part of Taveuni
    assert find_distance(shapes.coasts, (-16.85, 180.0)) > 0.02
    western = find_map_shapes((-184, -176), (-20, -15), 0.001)
    assert is_land(-17.8, 178.0 - 360, western)
    axis = draw_geo_map(np.array([-17.8, -15.0]), np.array([178.0, -176.0]), ["Suva", "there"], "two").axes[0]
    assert get_land(axis).contains_point((178.0, -17.8))


def test_a_zoomed_map_has_the_coast_in_detail() -> None:
    shapes = find_map_shapes((73.6, 74.0), (15.3, 15.7), 0.0005)
    assert is_land(15.58, 73.78, shapes) and not is_land(15.58, 73.68, shapes)
    assert find_distance(shapes.coasts, (15.58, 73.74)) < 0.01
    assert not find_map_shapes((-40.1, -40.0), (40.0, 40.1), 0.0005).land  # the open sea


def test_a_map_of_places_on_one_parallel_is_no_strip() -> None:
    axis = draw_geo_map(np.array([48.8, 48.8]), np.array([2.3, -123.3]), ["Paris", "Victoria"], "two").axes[0]
    box = axis.get_window_extent()
    assert box.height > 0.3 * box.width
    assert len(check_labels(axis)) == 2


def test_damaged_and_other_files_of_coasts_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "land.json"
    for content in (
        "",
        "{}",
        '{"transform": {"scale": [1, 1], "translate": [0, 0]}, "arcs": [], "objects": {}}',
    ):
        source.write_text(content)
        with pytest.raises(UserError, match=r"expected land-10m.json of world-atlas"):
            convert_coasts(source, tmp_path / "coasts.npz")
    (tmp_path / "coasts.npz").write_bytes(b"PK damaged")
    monkeypatch.setattr(map_shapes, "files", lambda _: tmp_path)
    map_shapes._load_shapes.cache_clear()
    with pytest.raises(UserError, match="install imagesearch again"):
        find_map_shapes((0, 1), (0, 1), 0.1)
    map_shapes._load_shapes.cache_clear()


def test_coasts_are_converted_from_a_topology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    island = [[719, 180], [0, 20], [-718, 0]]  # to 179.5 W
    other_side = [[719, 180], [-718, 0], [0, 20]]  # backwards in its ring
    antarctica = [[0, 40], [180, 0], [180, 0], [180, 0], [180, 0]]
    topology = {
        "transform": {"scale": [0.5, 0.5], "translate": [-180, -90]},
        "objects": {"land": {"geometries": [{"arcs": [[[0, ~1]], [[2]]]}]}},
        "arcs": [island, other_side, antarctica],
    }
    source = tmp_path / "land.json"
    source.write_text(json.dumps(topology))
    said = convert_coasts(source, tmp_path / "coasts.npz")
    assert "2 coasts" in said
    monkeypatch.setattr(map_shapes, "files", lambda _: tmp_path)
    map_shapes._load_shapes.cache_clear()
    shapes = find_map_shapes((170, 190), (-90, 20), 0.01)
    map_shapes._load_shapes.cache_clear()
    assert is_land(4, 180, shapes) and not is_land(4, 178, shapes)
    assert is_land(-80, 175, shapes) and is_land(-80, 185, shapes) and not is_land(-60, 185, shapes)
    assert math.isclose(min(line[:, 1].min() for line in shapes.coasts), -70)
