"""Step 04: what is read again, addresses made again, and what two runs at a time do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import World
from filelock import FileLock
from test_geo_extract import HERE, found, save

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.geo import count_without_address, extract_geo, read_locations
from imagesearch.geo.address import Address
from imagesearch.geo.borders import make_borders
from imagesearch.geo.geonames import load_places
from imagesearch.geo.offline import OfflineGeocoder, make_offline_geocoder
from imagesearch.pipeline import Dataset
from imagesearch.pipeline.runner import update_tables
from imagesearch.query import Criteria
from imagesearch.search import Searcher
from imagesearch.store import Store, build_collections
from imagesearch_demo.album import make_album, read_truth

# --- the step ----------------------------------------------------------------------------------------------


def test_only_new_photos_are_read_and_failures_are_named(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "config.yaml").write_text("dataset: {images: photos}")
    save(tmp_path / "photos" / "a.jpg", (46.23, 7.36))
    (tmp_path / "photos" / "broken.jpg").write_text("no photo")
    config = load_config(tmp_path / "config.yaml")
    summary = extract_geo(config, Dataset(config))
    assert summary.photos.new == 1 and list(summary.photos.failed) == ["broken.jpg"]
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
