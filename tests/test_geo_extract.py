"""Searches by place, circle, time and camera; counts of places in the vocabulary."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import World, draw
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.filters import And, Between, Condition, Contains, Eq, Not, Or, WithinCircle
from imagesearch.geo import extract_geo
from imagesearch.pipeline import Dataset
from imagesearch.query import Criteria
from imagesearch.search import Query, Searcher
from imagesearch.store import Store, Vocabulary, build_collections

HERE = (46.0, 7.0)
CORNER = 4.6 / 111.2  # degrees, about 6.5 km when applied in both directions


def save(
    file: Path,
    position: tuple[float, float] | None = None,
    taken: str = "",
    camera: str = "",
    rating: int = 0,
) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9003: taken} if taken else {}
    exif[0x0110], exif[0x4746] = camera, rating
    if position:
        (a, b), names = np.abs(position), ("NS"[int(position[0] < 0)], "EW"[int(position[1] < 0)])
        exif[0x8825] = {1: names[0], 2: (float(a), 0.0, 0.0), 3: names[1], 4: (float(b), 0.0, 0.0)}
    file.parent.mkdir(parents=True, exist_ok=True)
    draw(zlib.crc32(file.name.encode()), (32, 32)).save(file, exif=exif)


def make_photos(folder: Path) -> None:
    east = CORNER / np.cos(np.radians(HERE[0]))
    for i in range(28):
        north, west = 1 - 2 * (i % 2), 1 - 2 * (i // 2 % 2)
        save(
            folder / f"corner/{i}.jpg",
            (HERE[0] + north * CORNER, HERE[1] + west * east),
            "2024:01:01 10:00:00",
        )
    for i in range(3):
        save(
            folder / f"circle/{i}.jpg",
            (HERE[0] + 0.01 * i, HERE[1]),
            f"20{20 + i}:06:15 10:00:00",
            "iPhone 13",
        )
    save(folder / "line/east.jpg", (-16.8, 179.99), "2019:12:31 23:59:59", "iPhone 4", 5)
    save(folder / "line/west.jpg", (-16.8, -179.99), "2020:01:01 00:00:00", "Canon EOS 7D", 4)
    save(folder / "pole/a.jpg", (89.99, 10.0))
    save(folder / "pole/b.jpg", (89.99, -170.0))
    save(folder / "pole/c.jpg", (90.0, 180.0))
    save(folder / "goa.jpg", (15.579, 73.744), "2023:06:01 00:00:00", "NIKON D90", 3)
    save(folder / "goalpara.jpg", (26.165, 90.625), "2023:08:31 23:59:59")
    save(folder / "paris.jpg", (48.8584, 2.2945), "2023:09:01 00:00:00")
    save(folder / "nowhere.jpg")
    draw(7, (32, 32)).save(folder / "zero.jpg", exif=_zero())


def _zero() -> Image.Exif:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}
    return exif


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny_models: dict[str, Path]) -> World:
    world = World(tmp_path_factory.mktemp("places"), tiny_models)
    make_photos(world.photos)
    config = world.config()
    dataset = Dataset(config)
    extract_features(config, dataset, only=["clip"])
    extract_geo(config, dataset)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)
    return world


@pytest.fixture(scope="module")
def searcher(world: World) -> Iterator[Searcher]:
    config = world.config()
    with Store(config.milvus) as store:
        yield Searcher(config, Dataset(config), store)


def found(searcher: Searcher, text: str = "", k: int = 50, **criteria) -> list[str]:
    answer = searcher.search(Query(text=text, criteria=Criteria(**criteria), top_k=k))
    return [result.path for result in answer.results]


# --- the scripts; they run before a searcher opens the collections -----------------------------------------


def test_the_scripts_from_photos_to_a_place(world: World) -> None:
    done = world.run("04_extract_geo.py", "--map", "map.png", "--no-show", "-v")
    assert (
        "album: 0 new, 41 unchanged" in done.stdout
        and "39 with a position, 36 with an address" in done.stdout
    )
    assert "remark: zero.jpg: position left out: 0, 0" in done.stderr and (world.folder / "map.png").is_file()
    done = world.run("06_search.py", "--json", "--near", "-16.8,-179.99", "--radius", "1")
    results = json.loads(done.stdout)["results"]
    assert [(r["path"], r["country"]) for r in results] == [("line/west.jpg", "Fiji")]


def test_a_change_of_the_geocoder_reads_no_photo_again(world: World) -> None:
    for geocoder, addresses in (("none", 0), ("offline", 36)):
        config = world.config(f"geo.geocoder={geocoder}")
        summary = extract_geo(config, Dataset(config))
        assert (summary.photos.new, summary.positions, summary.addresses) == (0, 39, addresses)


def test_an_unknown_geocoder_is_refused_before_any_photo_is_read(tmp_path: Path) -> None:
    world = World(tmp_path, {})
    save(world.photos / "a.jpg", HERE)
    done = world.run("04_extract_geo.py", "--set", "geo.geocoder=Nominatin", code=2)
    line = "geo.geocoder: expected a known geocoder, got 'Nominatin'; did you mean nominatim?"
    assert line in done.stderr and len(done.stderr.splitlines()) == 1 and not done.stdout
    assert not (tmp_path / "processed").exists()


# --- searching ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "a red boat"])
def test_near_returns_the_photos_in_the_circle_and_none_in_the_corners_of_its_box(
    searcher: Searcher, text: str
) -> None:
    near = {"near": "46.0,7.0", "radius": 5.0}
    assert sorted(found(searcher, text, **near)) == ["circle/0.jpg", "circle/1.jpg", "circle/2.jpg"]
    assert len(found(searcher, text, k=1, **near)) == 1
    assert len(found(searcher, text, near="46.0,7.0", radius=7.0)) == 31


@pytest.mark.parametrize("text", ["", "a red boat"])
@pytest.mark.parametrize("strategy", ["filter", "union"])
def test_circles_in_any_condition_are_exact(searcher: Searcher, text: str, strategy: str) -> None:
    circle, corners = WithinCircle(46.0, 7.0, 5.0), Between("latitude", 45.0, 47.0)

    def find(where: Condition, k: int = 50) -> list[str]:
        query = Query(text=text, where=where, top_k=k, strategy=strategy)
        return sorted(result.path for result in searcher.search(query).results)

    inside = ["circle/0.jpg", "circle/1.jpg", "circle/2.jpg"]
    assert find(circle) == inside
    assert len(find(circle, k=2)) == 2
    assert find(Or((circle, Contains("place_words", "goa")))) == [*inside, "goa.jpg"]
    outside = find(And((corners, Not(circle))))
    assert len(outside) == 28 and not set(inside) & set(outside)
    assert find(And((Eq("has_gps", True), Not(Or((circle, corners)))))) == sorted(
        set(find(Eq("has_gps", True))) - set(outside) - set(inside)
    )


def test_near_works_at_the_date_line_and_the_poles(searcher: Searcher) -> None:
    for longitude in ("179.995", "-179.995", "180", "-180"):
        near = found(searcher, near=f"-16.8,{longitude}", radius=3)
        assert sorted(near) == ["line/east.jpg", "line/west.jpg"]
    assert found(searcher, near="-16.8,179.99", radius=1) == ["line/east.jpg"]
    assert sorted(found(searcher, near="90,0", radius=2)) == ["pole/a.jpg", "pole/b.jpg", "pole/c.jpg"]


def test_no_circle_contains_a_photo_without_a_position(searcher: Searcher) -> None:
    assert found(searcher, near="0,0", radius=1) == []  # their fields are 0


def test_a_place_matches_whole_names_regardless_of_case_and_accents(searcher: Searcher) -> None:
    assert found(searcher, places=("GÖA",)) == found(searcher, "boat", places=("goa",)) == ["goa.jpg"]
    assert found(searcher, places=("Paris, france",)) == ["paris.jpg"]
    assert found(searcher, places=("ile de france",)) == ["paris.jpg"]
    assert sorted(found(searcher, places=("india",))) == ["goa.jpg", "goalpara.jpg"]
    assert found(searcher, places=("india",), years=(2023,), months=("june",)) == ["goa.jpg"]


def test_a_note_suggests_the_nearest_known_name(searcher: Searcher) -> None:
    answer = searcher.search(Query(criteria=Criteria(places=("Pariss",))))
    assert not answer.results and "'Pariss'" in answer.notes[0] and "Paris" in answer.notes[0]
    answer = searcher.search(Query(criteria=Criteria(cameras=("nikkon",))))
    assert not answer.results and "NIKON D90" in answer.notes[0]


def test_times_are_half_open_and_newest_comes_first(searcher: Searcher) -> None:
    assert found(searcher, after="2023-06-01", before="2023-09-01") == ["goalpara.jpg", "goa.jpg"]
    assert found(searcher, after="2023-09-01", before="2024") == ["paris.jpg"]
    assert found(searcher, before="2020") == ["line/east.jpg"]
    assert found(searcher, after="2019-12-31 23:59", before="2020-01-01T00:01") == [
        "line/west.jpg",
        "line/east.jpg",
    ]
    assert found(searcher, months=("Jun",)) == ["goa.jpg", "circle/2.jpg", "circle/1.jpg", "circle/0.jpg"]
    assert found(searcher, years=(2019, 2020), months=("12", "1")) == ["line/west.jpg", "line/east.jpg"]


def test_camera_rating_and_position(searcher: Searcher) -> None:
    assert len(found(searcher, cameras=("IPHONE",))) == 4
    assert found(searcher, cameras=("iphone 4",)) == ["line/east.jpg"]
    assert found(searcher, rating=4) == ["line/west.jpg", "line/east.jpg"]
    everything, placed = found(searcher, rating=0), found(searcher, has_gps=True)
    assert set(everything) - set(placed) == {"nowhere.jpg"} and "zero.jpg" not in placed


@pytest.mark.parametrize(
    "criteria",
    [
        {"near": "46"},
        {"near": "91,0"},
        {"near": "a,b"},
        {"near": "1,2", "radius": 0.0},
        {"near": "1,2", "radius": float("nan")},
        {"radius": 5.0},
        {"after": "soon"},
        {"before": "2023-13"},
        {"months": ("ju",)},
        {"years": (0,)},
        {"years": (10**20,)},
        {"places": (" ",)},
    ],
)
def test_a_condition_that_is_not_valid_is_refused_in_one_line(searcher: Searcher, criteria: dict) -> None:
    with pytest.raises(UserError) as caught:
        found(searcher, **criteria)
    message = str(caught.value)
    assert "\n" not in message and message.split()[0].rstrip(":") in criteria, (
        "it starts with the name of a criterion"
    )


def test_the_vocabulary_has_the_spelling_of_names(world: World) -> None:
    words = Vocabulary.read(world.config().dataset.folder)
    assert (words.places["ile de france"].name, words.places["ile de france"].kind) == (
        "Île-de-France",
        "state",
    )
    assert words.places["india"].photos == 2 and words.cameras["iPhone 13"].photos == 3
