"""The map of vectors and the timeline, with one, few and many photos."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import World, draw
from matplotlib.backend_bases import ResizeEvent
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox
from PIL import Image

from imagesearch.figures import vector_map
from imagesearch.figures.style import PALETTE, choose_person_colour
from imagesearch.figures.timeline import draw_timeline
from imagesearch.figures.vector_map import (
    ColourGroups,
    choose_spread_points,
    draw_vector_map,
    project_vectors,
)

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # this machine may lack fonts for some names


def make_vectors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors around five directions, and the direction of each."""
    rng = np.random.default_rng(seed)
    which = np.arange(count) % 5
    vectors = np.linalg.qr(rng.standard_normal((32, 5)))[0].T[which] + 0.1 * rng.standard_normal((count, 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), which


@pytest.mark.parametrize("tsne", [False, True])
def test_similar_photos_are_near_each_other(tsne: bool) -> None:
    vectors, which = make_vectors(60)
    projection = project_vectors(vectors, tsne)
    points = projection.points
    assert points.shape == (60, 2) and ("t-SNE" in projection.description) == tsne
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.diag(np.full(60, np.inf))
    assert (which[distances.argmin(axis=1)] == which).mean() > (0.95 if tsne else 0.6)
    assert np.allclose(project_vectors(vectors, tsne).points, points), "the map is not deterministic"


@pytest.mark.parametrize("vectors", [np.ones((1, 8)), np.ones((4, 8)), np.eye(2, 8), np.eye(3, 1)])
@pytest.mark.parametrize("tsne", [False, True])
def test_a_map_of_very_few_or_equal_vectors(vectors: np.ndarray, tsne: bool) -> None:
    points = project_vectors(vectors, tsne).points
    assert points.shape == (len(vectors), 2) and np.isfinite(points).all()


def test_thumbnails_do_not_overlap_and_leave_no_gap() -> None:
    points = np.random.default_rng(3).normal(500, 150, (5000, 2))
    chosen = points[choose_spread_points(points, 80.0)]
    distances = np.abs(chosen[:, None] - chosen[None]).max(axis=-1)
    assert distances[~np.eye(len(chosen), dtype=bool)].min() >= 80
    assert np.abs(points[:, None] - chosen[None]).max(axis=-1).min(axis=1).max() < 80


def make_groups(names: Sequence[str]) -> ColourGroups:
    return ColourGroups(names, dict(zip(sorted(set(names)), PALETTE, strict=False)))


@pytest.mark.parametrize("count", [1, 7, 60, 3000])
def test_a_map_has_thumbnails_in_the_colour_of_their_group(count: int) -> None:
    vectors, which = make_vectors(count)
    names = [("beach", "_", "$x$", "a very long label, or another name of it", "")[i] for i in which]
    loaded: list[int] = []

    def load_picture(point: int) -> Image.Image | None:
        loaded.append(point)
        return None if point == 0 else draw(point, (48, 32))

    projection = project_vectors(vectors)
    figure = draw_vector_map(projection, make_groups(names), load_picture, "demo: photos")
    figure.draw_without_rendering()
    boxes = [artist for artist in figure.axes[0].artists if isinstance(artist, AnnotationBbox)]
    assert len(boxes) == len([point for point in loaded if point]) and len(loaded) == len(set(loaded)) < 200
    frames = [to_hex(box.patch.get_edgecolor()) for box in boxes]
    assert frames == [make_groups(names).colours[names[point]] for point in loaded if point]
    for box in boxes:
        (point,) = np.flatnonzero((projection.points == box.xy).all(axis=1))
        assert np.array_equal(box.offsetbox.get_data(), np.asarray(draw(int(point), (48, 32))))
    assert all(
        figure.bbox.padded(1).contains(*p) for box in boxes for p in box.get_window_extent().get_points()
    )
    if count > 5:
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert {"beach", "_", "$x$", "unknown"} <= set(labels)
    plt.close(figure)


@pytest.mark.parametrize("name", ["demo", "a long name of " * 5, "日本" * 40])
@pytest.mark.parametrize("groups", [1, 5])
def test_a_title_stays_in_the_figure_and_does_not_overlap_the_legend(name: str, groups: int) -> None:
    vectors, which = make_vectors(60)
    names = [f"a rather long label of {i}" for i in which % groups]
    title = f"{name}: 2,000 of 123,456 photos, chosen at random, by their CLIP vectors, coloured by class"
    figure = draw_vector_map(
        project_vectors(vectors), make_groups(names), lambda point: draw(point, (48, 32)), title
    )
    figure.draw_without_rendering()
    box = figure.axes[0].title.get_window_extent()
    assert all(figure.bbox.padded(1).contains(*p) for p in box.get_points())
    assert not any(box.overlaps(legend.get_window_extent()) for legend in figure.legends)
    assert figure.axes[0].title.get_text().startswith(name[:8])
    plt.close(figure)


def test_thumbnails_grow_with_the_window() -> None:
    vectors, _ = make_vectors(12)
    figure = draw_vector_map(
        project_vectors(vectors), make_groups([""] * 12), lambda point: draw(point, (48, 32)), "demo"
    )
    zooms = [box.offsetbox.get_zoom() for box in figure.axes[0].artists]
    figure.set_size_inches(2 * figure.get_size_inches())
    figure.canvas.callbacks.process("resize_event", ResizeEvent("resize_event", figure.canvas))
    assert len(zooms) > 2
    assert np.allclose([box.offsetbox.get_zoom() for box in figure.axes[0].artists], 2 * np.asarray(zooms))
    plt.close(figure)


# --- timeline ----------------------------------------------------------------------------------------------


def read_bars(figure: plt.Figure) -> dict[str, list[float]]:
    """Return the heights of the bars by the names in the legend."""
    names = [text.get_text() for text in figure.legends[0].get_texts()][::-1]
    return {
        name: [bar.get_height() for bar in container]
        for name, container in zip(names, figure.axes[0].containers, strict=True)
    }


def test_the_height_of_a_bar_is_the_number_of_photos_of_a_month() -> None:
    days = [datetime(2024, 1, 3), datetime(2024, 1, 9), datetime(2024, 3, 1), datetime(2024, 3, 2)]
    people = [["Maya"], ["Maya", "Noor"], [], ["Noor", "Maya", "Zoë", "Kim"]]
    figure = draw_timeline(days, people, "demo", ["Maya", "Noor", "Zoë", "Kim"])
    found = read_bars(figure)
    assert found["Maya"] == [1.5, 0, 0.25] and found["Noor"] == [0.5, 0, 0.25]
    assert found["nobody known"] == [0, 0, 1]
    assert np.allclose(np.sum(list(found.values()), axis=0), [2, 0, 2])
    assert figure.axes[0].get_ylabel() == "photos per month"
    assert "divided equally" in figure.axes[0].get_xlabel()
    plt.close(figure)


def test_a_long_span_is_drawn_by_year_and_many_people_share_a_colour() -> None:
    days = [datetime(2001 + i % 12, 1 + i % 7, 5) for i in range(240)]
    people = [[f"Person {i % 11}"] for i in range(240)]
    figure = draw_timeline(days, people, "demo", [f"Person {i}" for i in range(11)])
    found = read_bars(figure)
    assert len(found) == 9 and sum(found["others"]) > 0 and len(found["others"]) == 12
    assert np.allclose(np.sum(list(found.values()), axis=0), 20)
    assert figure.axes[0].get_ylabel() == "photos per year"
    plt.close(figure)


def test_people_have_the_same_colours_as_in_other_figures() -> None:
    people = [["Kofi"], ["Kim"], ["_x"], ["person 5"], ["person 6"], ["person 7"], ["$y$"], ["Maya"]]
    cast = ["Kofi", "Kim", "Maya", "_x", "$y$"]
    figure = draw_timeline([datetime(2024, 1, 3)] * 8, people, "demo", cast)
    looks = {}
    names = [text.get_text() for text in figure.legends[0].get_texts()][::-1]
    for name, container in zip(names, figure.axes[0].containers, strict=True):
        looks[name] = to_hex(container[0].get_facecolor()), container[0].get_hatch()
    assert set(names) == {name for (name,) in people}
    assert all(looks[name][0] == choose_person_colour(name, cast) for name in names)
    assert len({colour for colour, _ in looks.values()}) == len(names)
    plt.close(figure)


def test_a_person_named_others_is_not_the_group_of_all_others() -> None:
    names = ["others", "nobody known", *(f"P{i}" for i in range(9))]
    people = [*([name] for name in names), ["others"], ["nobody known"], []]
    figure = draw_timeline([datetime(2024, 1, 3)] * len(people), people, "demo", names)
    labels = [text.get_text() for text in figure.legends[0].get_texts()][::-1]
    heights = [container[0].get_height() for container in figure.axes[0].containers]
    assert sorted(zip(labels, heights, strict=True))[-4:] == [
        *(("nobody known", 1), ("nobody known", 2), ("others", 2), ("others", 3))
    ]
    plt.close(figure)


@pytest.mark.parametrize("count", [1, 7, 60])
def test_a_timeline_stays_in_the_figure(count: int) -> None:
    names = ["Great-grandmother Elisabeth von Hohenzollern-Sigmaringen", "日本", ""]
    days = [datetime(2020 + i % 4, 1 + i % 12, 1) for i in range(count)]
    figure = draw_timeline(days, [[names[i % 3]] if i % 3 < 2 else [] for i in range(count)], "demo", names)
    figure.draw_without_rendering()
    boxes = [figure.legends[0].get_window_extent(), figure.axes[0].title.get_window_extent()]
    assert all(figure.bbox.padded(1).contains(*p) for box in boxes for p in box.get_points())
    plt.close(figure)


# --- by the script -----------------------------------------------------------------------------------------


def test_05_draws_the_photos_in_the_collections(world: World) -> None:
    for seed in range(7):
        world.add(f"{seed}.jpg", seed, exif=make_exif(f"2024:0{1 + seed % 3}:05 10:00:00"))
    world.run("01_extract_features.py")
    world.run("04_extract_geo.py")
    (world.photos / "3.jpg").unlink()
    done = world.run("05_build_collections.py", "--map", "--tsne", "--timeline", "when", "--no-show")
    assert "figure: outputs/vectors.png" in done.stderr and "figure: when.png" in done.stderr
    assert "album_clip: 6 photos" in done.stdout
    for file in ("outputs/vectors.png", "when.png"):
        with Image.open(world.folder / file) as picture:
            assert min(picture.size) > 400 and len(picture.convert("RGB").getcolors(1 << 20)) > 50


def test_05_maps_all_photos_or_a_random_sample(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(7):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py")
    figures: list[plt.Figure] = []
    monkeypatch.setattr(vector_map, "show_figure", lambda figure, *_, **__: figures.append(figure))
    monkeypatch.setattr(vector_map, "MAX_POINTS", {"pca": 6, "tsne": 5})
    printed = world.run("05_build_collections.py", "--map", "--tsne", "--no-show").stderr
    assert "t-SNE: computing the layout of 5 photos" in printed
    assert "t-SNE" not in world.run("05_build_collections.py", "--map", "--no-show").stderr
    monkeypatch.undo()
    for figure, count, how in zip(figures, (5, 6), ("t-SNE", "PCA"), strict=True):
        axis = figure.axes[0]
        assert axis.get_xlabel().startswith(how) and len(axis.collections[0].get_offsets()) == count
        title = axis.title.get_text().replace("\n", " ")
        assert title.startswith(f"album: {count} of 7 photos, chosen at random,")
        shown = {box.offsetbox.get_data().tobytes() for box in axis.artists}
        assert len(shown) == len(axis.artists) > 1, "a photo is shown twice"
    plt.close("all")


def make_exif(when: str) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = when
    return exif


def test_05_reports_figures_that_it_cannot_draw(world: World) -> None:
    world.add("a.png", 1)
    assert "--tsne requires --map" in world.run("05_build_collections.py", "--tsne", code=2).stderr
    refused = world.run("05_build_collections.py", "--list", "--timeline", code=2).stderr
    assert "cannot be combined with --list" in refused
    world.run("01_extract_features.py")
    printed = world.run("05_build_collections.py", "--timeline", "--no-show", code=2).stderr
    assert "no photo has a date" in printed and "04_extract_geo.py" in printed
    assert not Path(world.folder / "outputs").exists()
