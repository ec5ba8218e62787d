"""Step 04, and searches by place, circle, time and camera."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import World, draw
from filelock import FileLock
from PIL import Image

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.filters import And, Between, Condition, Contains, Eq, Not, Or, WithinCircle
from imagesearch.geo import count_without_address, extract_geo, read_locations
from imagesearch.geo.address import Address
from imagesearch.geo.borders import make_borders
from imagesearch.geo.geonames import load_places
from imagesearch.geo.offline import OfflineGeocoder, make_offline_geocoder
from imagesearch.pipeline import Dataset
from imagesearch.pipeline.runner import update_tables
from imagesearch.query import Criteria
from imagesearch.search import Query, Searcher
from imagesearch.store import Store, Vocabulary, build_collections
from imagesearch_demo.album import make_album, read_truth

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
    assert "\n" not in str(caught.value) and "--" in str(caught.value)


def test_the_vocabulary_has_the_spelling_of_names(world: World) -> None:
    words = Vocabulary.read(world.config().dataset.folder)
    assert (words.places["ile de france"].name, words.places["ile de france"].kind) == (
        "Île-de-France",
        "state",
    )
    assert words.places["india"].photos == 2 and words.cameras["iPhone 13"].photos == 3


# --- the step ----------------------------------------------------------------------------------------------


def test_only_new_photos_are_read_and_failures_are_named(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "config.yaml").write_text("dataset: {images: photos}")
    save(tmp_path / "photos" / "a.jpg", (46.23, 7.36))
    (tmp_path / "photos" / "broken.jpg").write_text("no photo")
    config = load_config(tmp_path / "config.yaml")
    summary = extract_geo(config, Dataset(config))
    assert summary.photos.new == 2 and list(summary.photos.failed) == ["broken.jpg"]
    (tmp_path / "photos" / "a.jpg").rename(tmp_path / "photos" / "b.jpg")
    summary = extract_geo(config, Dataset(config))
    assert (summary.photos.new, summary.photos.moved, summary.addresses) == (0, 1, 1)
    assert [where.address.country for where in read_locations(Dataset(config)).values()] == ["Switzerland"]


def test_addresses_without_borders_are_made_again_and_the_collections_follow(
    tmp_path: Path, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, tiny_models)
    save(world.photos / "sikkim.jpg", (27.8886, 88.7032))
    save(world.photos / "reunion.jpg", (-20.88, 55.45))
    save(world.photos / "paris.jpg", (48.8584, 2.2945))
    config = world.config()
    dataset = Dataset(config)
    extract_features(config, dataset, only=["clip"])

    def extract_and_build() -> tuple[int, int]:
        photos = extract_geo(config, Dataset(config)).photos
        assert not photos.failed
        with Store(config.milvus) as store:
            report = build_collections(config, Dataset(config), store)["clip"]
        return photos.new, report.updated

    def find(place: str) -> list[str]:
        with Store(config.milvus) as store:
            return sorted(found(Searcher(config, Dataset(config), store), places=(place,)))

    def geocode_by_the_nearest_place() -> OfflineGeocoder:  # as before there were borders
        return make_offline_geocoder(
            load_places(), make_borders(np.array([], object), np.array([], "U2"), {})
        )

    with monkeypatch.context() as before:
        before.setattr("imagesearch.geo.reverse.get_offline_geocoder", geocode_by_the_nearest_place)
        assert extract_and_build() == (3, 0)
        assert find("china") == ["sikkim.jpg"] and find("france") == ["paris.jpg"]
    monkeypatch.setattr("imagesearch.geo.extract.read_metadata", None)  # no photo is read again
    assert extract_and_build() == (0, 2)
    assert find("india") == ["sikkim.jpg"] and find("france") == ["paris.jpg", "reunion.jpg"]
    assert find("reunion") == ["reunion.jpg"]
    assert extract_and_build() == (0, 0)


@pytest.fixture
def two(tmp_path: Path) -> Config:
    """Two photos taken in Paris, with their addresses."""
    for name in "ab":
        save(tmp_path / f"photos/{name}.jpg", (48.8584, 2.2945))
    (tmp_path / "config.yaml").write_text("dataset: {images: photos}")
    config = load_config(tmp_path / "config.yaml")
    extract_geo(config, Dataset(config))
    return config


def cities(config: Config) -> list[str]:
    known, photos = read_locations(Dataset(config)), Dataset(config).photos
    return [known[photo.photo_id].address.city for photo in sorted(photos, key=lambda photo: photo.path)]


def test_an_address_belongs_to_the_current_position_of_a_photo(
    two: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = two.dataset.images[0]
    save(folder / "a.jpg", (15.579, 73.744), camera="moved")
    save(folder / "b.jpg", camera="and nowhere")
    with monkeypatch.context() as cut:
        cut.setattr("imagesearch.geo.extract.find_addresses", interrupt)
        with pytest.raises(KeyboardInterrupt):
            extract_geo(two, Dataset(two))
    assert cities(two) == ["", ""] and count_without_address(Dataset(two)) == 1
    extract_geo(two, Dataset(two))
    assert cities(two) == ["Anjuna", ""] and count_without_address(Dataset(two)) == 0


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_offline_addresses_are_written_before_the_first_request(
    two: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    (two.dataset.folder / "addresses.parquet").unlink()
    assert cities(two) == ["", ""] and count_without_address(Dataset(two)) == 2
    monkeypatch.setattr("imagesearch.geo.online.OnlineGeocoder.fetch", interrupt)
    config = load_config(two.dataset.images[0].parent / "config.yaml", ["geo.geocoder=nominatim"])
    with pytest.raises(KeyboardInterrupt):
        extract_geo(config, Dataset(config))
    assert cities(two) == ["Paris", "Paris"]


def test_a_hash_from_another_step_is_reused(
    two: Config, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = two.model_copy(
        update={"models": two.models.model_copy(update={"clip": str(tiny_models["clip"])})}
    )
    extract_features(config, Dataset(config), only=["clip"])
    save(two.dataset.images[0] / "b.jpg", HERE)  # changed since the last run
    hashed: list[str] = []
    monkeypatch.setattr(
        "imagesearch.pipeline.decode_ahead.hash_content", lambda file: hashed.append(file.name) or bytes(16)
    )
    monkeypatch.setattr("imagesearch.geo.extract._FINGERPRINT", "another")
    assert extract_geo(config, Dataset(config)).photos.new == 2 and hashed == ["b.jpg"]
    kept = {name: Dataset(config).open_table(name).read_processed() for name in ("clip", "geo")}
    hashes = {name: {e.path: e.content for e in seen.values()} for name, seen in kept.items()}
    assert hashes["geo"] == {"a.jpg": hashes["clip"]["a.jpg"], "b.jpg": bytes(16)}


def test_a_second_run_at_the_same_time_is_refused(two: Config) -> None:
    config = load_config(two.dataset.images[0].parent / "config.yaml", ["geo.geocoder=nominatim"])
    with FileLock(two.dataset.folder / ".geo.lock"), pytest.raises(UserError, match="another run"):
        extract_geo(config, Dataset(config))


def test_responses_that_another_run_has_cached_meanwhile_are_used(
    two: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(two.dataset.images[0].parent / "config.yaml", ["geo.geocoder=nominatim"])

    def update_while_another_run_caches(*steps, **options):
        place = {"key": ["nominatim", "en", "48.858", "2.295"], "found": asdict(Address(city="Lutetia"))}
        (two.dataset.folder / "geocoder_answers.jsonl").write_text(json.dumps(place))
        return update_tables(*steps, **options)

    monkeypatch.setattr("imagesearch.pipeline.dataset.update_tables", update_while_another_run_caches)
    monkeypatch.setattr("imagesearch.geo.online.OnlineGeocoder.fetch", interrupt)
    extract_geo(config, Dataset(config))
    assert cities(two) == ["Lutetia", "Lutetia"]


def test_metadata_and_addresses_of_the_drawn_album_are_correct(tmp_path: Path) -> None:
    make_album(tmp_path / "album", 40, seed=5, workers=0)
    (tmp_path / "config.yaml").write_text("dataset: {images: album}")
    config = load_config(tmp_path / "config.yaml")
    dataset = Dataset(config)
    summary = extract_geo(config, dataset)
    known = read_locations(dataset)
    truth = {photo["path"]: photo for photo in read_truth(tmp_path / "album")["photos"]}
    assert {Path(path).suffix for path in truth} == {".jpg", ".heic", ".png"} and not summary.photos.failed
    for photo in dataset.photos:
        true, metadata, address = (
            truth[photo.path],
            known[photo.photo_id].metadata,
            known[photo.photo_id].address,
        )
        assert metadata.taken_at.isoformat() == true["taken_at"] and metadata.camera == true["camera"]
        assert (metadata.rating or 0) == true["rating"]
        if true["latitude"] is None:
            assert metadata.latitude is None and not address.places
        else:
            assert (metadata.latitude, metadata.longitude) == pytest.approx(
                (true["latitude"], true["longitude"]), abs=1e-6
            )
            assert address.country == true["country"]
            assert true["city"] in {name for name, _ in address.places}


def test_months_and_years_are_two_conditions_in_the_title_too() -> None:
    assert Criteria(months=("aug",), years=(2025,)).title == "in aug 2025"
    assert Criteria(months=("june", "aug"), years=(2024, 2025)).title == "in june or aug 2024 or 2025"
