"""The columns of the Unsplash Lite data set, as they are: ids, photographers, places and cameras."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import World
from unsplash_list import write_unsplash_list
from url_server import UrlServer

from imagesearch.geo.address import NO_ADDRESS, make_address
from imagesearch.geo.listed_facts import add_listed_address, add_listed_metadata
from imagesearch.photos import PhotoMetadata


@pytest.fixture(scope="module")
def unsplash(tmp_path_factory: pytest.TempPathFactory, tiny_models: dict[str, Path]) -> Iterator[World]:
    world, server = World(tmp_path_factory.mktemp("unsplash"), tiny_models), UrlServer()
    write_unsplash_list(world.folder / "photos.tsv000", server.url)
    world.settings["dataset"] |= {"images": "photos.tsv000", "allow_hosts": [server.host]}
    world.write_config()
    world.downloaded = world.run("01_extract_features.py").stdout
    world.located = world.run("04_extract_geo.py").stdout
    world.run("05_build_collections.py")
    yield world
    server.close()


def find(world: World, *arguments: str) -> dict[str, dict]:
    done = world.run("06_search.py", *arguments, "--json", "--no-show")
    return {result["path"]: result for result in json.loads(done.stdout)["results"]}


def test_photos_have_the_ids_of_unsplash(unsplash: World) -> None:
    assert "3 downloaded; 3 new" in unsplash.downloaded
    assert set(find(unsplash, "--no-time")) == {"id:Ab3-x_9", "id:Qq7", "id:Zz1"}


def test_locations_are_places(unsplash: World) -> None:
    assert "1 with a position, 1 with an address" in unsplash.located
    assert set(find(unsplash, "--place", "lisbon")) == {"id:Ab3-x_9"}
    assert set(find(unsplash, "--near", "38.72,-9.14")) == {"id:Ab3-x_9"}
    (result,) = find(unsplash, "--place", "kyoto").values()
    assert (result["city"], result["country"]) == ("Kyoto", "Japan")
    assert set(find(unsplash, "in japan")) == {"id:Qq7"}


def test_cameras_photographers_and_descriptions(unsplash: World) -> None:
    assert set(find(unsplash, "--camera", "nikon d90")) == {"id:Ab3-x_9"}
    (result,) = find(unsplash, "--where", "photographer_username=anaphoto").values()
    assert result["description"] == "Fishing boats at dawn"
    assert result["columns"]["photographer_first_name"] == "Ana"
    assert set(find(unsplash, "--where", "photographer_username=Bruno")) == {"id:Qq7", "id:Zz1"}
    found = find(unsplash, "bicycle", "--strategy", "hybrid")
    assert next(iter(found)) == "id:Zz1"


def test_what_the_file_has_comes_first() -> None:
    values = {"photo_location_latitude": "10", "photo_location_longitude": "20", "exif_camera_model": "X"}
    values["photo_description"] = "listed"
    own = PhotoMetadata(latitude=1.0, longitude=2.0, camera="Own", description="own")
    assert add_listed_metadata(own, values) == own
    filled = add_listed_metadata(PhotoMetadata(), values)
    assert (filled.latitude, filled.longitude, filled.camera, filled.description) == (10, 20, "X", "listed")


@pytest.mark.parametrize("position", [("91", "0"), ("nan", "1"), ("0", "0"), ("x", "1"), ("1", "")])
def test_positions_that_are_not_plausible_are_ignored(position: tuple[str, str]) -> None:
    values = dict(zip(("photo_location_latitude", "photo_location_longitude"), position, strict=True))
    assert add_listed_metadata(PhotoMetadata(), values).latitude is None


def test_places_of_a_line_are_added_to_those_of_the_position() -> None:
    found = make_address("Lisboa", "", "Lisboa", "Portugal", "Lisboa, Portugal", ())
    listed = add_listed_address(
        found, {"photo_location_city": "Alfama", "photo_location_country": "Portugal"}
    )
    assert listed.city == "Lisboa" and ("Alfama", "city") in listed.places
    assert len([place for place, _ in listed.places if place == "Portugal"]) == 1
    assert add_listed_address(NO_ADDRESS, {}) is NO_ADDRESS


def test_downloaded_photos_are_typed_by_their_path(unsplash: World) -> None:
    found = find(unsplash, "--image", "id:Qq7")
    assert set(found) == {"id:Ab3-x_9", "id:Zz1"}, "the photo itself is left out"
    assert all(Path(result["file"]).is_file() and not result["gone"] for result in found.values())


def test_photos_below_an_address_are_found(unsplash: World) -> None:
    (line,) = [line for line in (unsplash.folder / "photos.tsv000").read_text().splitlines() if "Qq7" in line]
    address = next(cell for cell in line.split("\t") if "/good/" in cell)
    (unsplash.folder / "photos.txt").write_text(f"{address}\n{address.replace('/good/', '/other/')}\n")
    names = ("--set", "dataset.name=addresses", "--set", "dataset.images=photos.txt")
    unsplash.run("01_extract_features.py", *names)
    unsplash.run("05_build_collections.py", *names)
    prefix = address.partition("/photo-")[0]
    assert set(find(unsplash, *names, "--under", prefix)) == {address.partition("?")[0]}
    assert len(find(unsplash, *names, "--image", address.partition("?")[0], "--with-itself")) == 2
