"""What opens photos of a bucket later: searches, pictures and copies; and the folder of their files."""

from __future__ import annotations

import asyncio
import copy
import shutil
import threading
import time
import zipfile
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import World, draw
from PIL import Image

from imagesearch.geo import extract_geo
from imagesearch.photos import Photo, PhotoError
from imagesearch.pipeline import Dataset, decode_ahead
from imagesearch.pipeline.decode_ahead import PreparedPhoto
from imagesearch.web.downloads import write_zip

if TYPE_CHECKING:
    from s3_server import S3Server

pytest_plugins = ["s3_server"]


@pytest.fixture
def bucket(world: World, s3: S3Server) -> World:
    """Six photos in a bucket, with tables and collections, and no file of them on the disk."""
    for number in range(6):
        s3.put(f"album/{number}.jpg", world.add(f"{number}.jpg", number))
    shutil.rmtree(world.photos)
    world.settings["dataset"]["images"] = "s3://photos/album"
    world.settings["downloads"] = {"retries": 0}
    world.write_config()
    world.run("01_extract_features.py")
    world.run("04_extract_geo.py")
    world.run("05_build_collections.py")
    shutil.rmtree(world.folder / "processed" / "album" / "objects")
    s3.take_reads()
    return world


def is_picture(image: Image.Image | None, seed: int) -> bool:
    drawn = np.asarray(draw(seed).resize((image.width, image.height)), float)
    return np.abs(np.asarray(image.convert("RGB"), float) - drawn).mean() < 12


def test_a_search_needs_no_bucket_and_its_pictures_are_fetched(bucket: World, s3: S3Server) -> None:
    s3.stop()
    answer = bucket.run("06_search.py", "a photo", "-k", "6", "--paths", "--no-show")
    assert sorted(answer.stdout.split()) == [f"s3://photos/album/{number}.jpg" for number in range(6)]
    assert "gone" not in answer.stderr
    s3.start()
    assert s3.take_reads() == []
    bucket.run("06_search.py", "a photo", "-k", "2", "--save", "grid.png")
    assert len(s3.take_reads()) == 2
    dataset = Dataset(bucket.config())
    assert is_picture(dataset.load_thumbnail("3.jpg", 96), 3)
    photo = dataset.find_photo("4.jpg")
    assert is_picture(Image.open(BytesIO(dataset.thumbnails.load(photo, 128))), 4)


def test_pictures_of_a_bucket_that_does_not_answer_are_missing(bucket: World, s3: S3Server) -> None:
    s3.stop()
    bucket.run("06_search.py", "a photo", "--save", "grid.png")
    assert (bucket.folder / "grid.png").is_file()
    dataset = Dataset(bucket.config())
    assert dataset.load_thumbnail("3.jpg", 96) is None
    with pytest.raises(PhotoError, match="Could not connect"):
        dataset.fetch_file(dataset.locate_file("3.jpg"))


def test_a_photo_of_a_bucket_can_be_searched_with_and_copied(bucket: World, s3: S3Server) -> None:
    for name in ("3.jpg", "s3://photos/album/3.jpg"):
        found = bucket.run(
            "06_search.py", "--image", name, "--with-itself", "-k", "1", "--paths", "--no-show"
        )
        assert found.stdout.split() == ["s3://photos/album/3.jpg"]
    error = bucket.run("06_search.py", "--image", "s3://photos/album/9.jpg", "--no-show", code=2).stderr
    assert "--image s3://photos/album/9.jpg: not a photo of album" in error
    bucket.run("06_search.py", "--image", "3.jpg", "-k", "2", "--no-show", "--copy-to", "copies")
    assert len(list((bucket.folder / "copies").iterdir())) == 2
    dataset = Dataset(bucket.config())
    files = {f"{n}.jpg": dataset.locate_file(f"{n}.jpg") for n in (1, 2)}
    archive = zipfile.ZipFile(BytesIO(b"".join(write_zip(files, dataset.fetch_file))))
    assert archive.namelist() == ["1.jpg", "2.jpg"]
    assert is_picture(Image.open(archive.open("2.jpg")), 2)


@pytest.mark.parametrize("keep", ["full", "preview"])
def test_more_photos_than_the_folder_holds_are_processed(world: World, s3: S3Server, keep: str) -> None:
    sizes = []
    for number in range(12):
        file = world.add(f"{number}.jpg", number)
        sizes.append(file.stat().st_size)
        s3.put(f"album/{number}.jpg", file)
    limit = 3 * max(sizes)
    world.settings["dataset"] |= {"images": "s3://photos/album", "cache_gb": limit / 1e9, "keep": keep}
    world.write_config()
    assert "12 new, 0 unchanged" in world.run("04_extract_geo.py").stdout
    files = [f for f in (world.folder / "processed" / "album" / "objects").glob("*/*") if f.is_file()]
    assert files and sum(file.stat().st_size for file in files) <= limit
    assert not [file for file in files if ".part" in file.name]


def test_a_file_in_use_stays_when_it_is_removed(world: World, s3: S3Server) -> None:
    s3.put("album/a.jpg", world.add("a.jpg", 1))
    world.settings["dataset"]["images"] = "s3://photos/album"
    world.write_config()
    dataset = Dataset(world.config())
    (photo,) = dataset.photos
    with dataset.objects.provide_file(photo) as opened:
        for file in (world.folder / "processed" / "album" / "objects").glob("*/*"):
            if file != opened.file:
                file.unlink()
        assert is_picture(Image.open(opened.file), 1)
    assert not opened.file.exists()


def test_many_photos_are_read_at_the_same_time_and_few_are_decoded(
    world: World, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        s3.put(f"album/{number}.jpg", world.add(f"{number}.jpg", number))
    world.settings["dataset"]["images"] = "s3://photos/album"
    world.write_config()
    counts, lock, most = {"read": 0, "decode": 0}, threading.Lock(), {"read": 0, "decode": 0}

    def count(name: str, change: int) -> None:
        with lock:
            counts[name] += change
            most[name] = max(most[name], counts[name])

    def wait(key: str) -> int:
        count("read", 1)
        time.sleep(0.2)
        count("read", -1)
        return 0

    def prepare(*arguments: Any) -> PreparedPhoto:
        count("decode", 1)
        time.sleep(0.05)
        try:
            return prepare_file(*arguments)
        finally:
            count("decode", -1)

    prepare_file = decode_ahead._prepare_file
    monkeypatch.setattr(decode_ahead, "_prepare_file", prepare)
    s3.refuse = wait
    config = world.config("extraction.workers=2")
    assert extract_geo(config, Dataset(config)).photos.new == 12
    assert most["decode"] == 2 and most["read"] > 4


def test_transfers_in_progress_end_when_they_are_cancelled(world: World, s3: S3Server) -> None:
    s3.put("album/a.jpg", world.add("a.jpg", 1))
    world.settings["dataset"]["images"] = "s3://photos/album"
    world.write_config()
    dataset, release, started = Dataset(world.config()), threading.Event(), threading.Event()

    def stall(key: str) -> int:
        started.set()
        release.wait(60)
        return 0

    s3.refuse = stall
    (photo,) = dataset.photos
    thread = threading.Thread(target=try_to_fetch, args=(dataset, photo))
    thread.start()
    assert started.wait(30)
    dataset.objects.reader.cancel()
    thread.join(30)
    assert not thread.is_alive() and not release.is_set()
    release.set()


def try_to_fetch(dataset: Dataset, photo: Photo) -> None:
    with suppress(asyncio.CancelledError, PhotoError):
        dataset.objects.fetch(photo)


def test_an_object_that_is_replaced_while_it_is_read_is_never_a_mixture(world: World, s3: S3Server) -> None:
    old, new = (world.add(f"{n}.png", n).read_bytes() for n in (1, 2))
    size = max(len(old), len(new)) + 400_000
    old, new = old.ljust(size, b"1"), new.ljust(size, b"2")
    s3.put("album/a.png", old)
    world.settings["dataset"]["images"] = "s3://photos/album"
    world.write_config()
    s3.replace["album/a.png"] = new
    dataset = Dataset(world.config())
    (photo,) = dataset.photos
    assert dataset.objects.fetch(photo).read_bytes() == new
    assert s3.take_reads() == ["album/a.png"] * 2


def test_a_zip_file_names_the_photos_that_could_not_be_read(bucket: World, s3: S3Server) -> None:
    s3.refuse = lambda key: 403 if key.endswith("3.jpg") else 0
    dataset = Dataset(bucket.config())
    files = {name: dataset.locate_file(name) for name in ("2.jpg", "3.jpg")}
    archive = zipfile.ZipFile(BytesIO(b"".join(write_zip(files, dataset.fetch_file))))
    assert archive.namelist() == ["2.jpg", "missing photos.txt"]
    assert archive.read("missing photos.txt") == b"3.jpg\n"


@pytest.mark.parametrize(("under", "count"), [("s3://photos", 6), ("s3://photos/album", 6)])
def test_a_search_under_a_bucket(bucket: World, under: str, count: int) -> None:
    found = bucket.run("06_search.py", "a photo", "-k", "9", "--paths", "--no-show", "--under", under)
    assert len(found.stdout.split()) == count


def test_a_search_under_another_bucket_is_refused(bucket: World) -> None:
    line = bucket.run("06_search.py", "a photo", "--no-show", "--under", "s3://others", code=2).stderr
    assert "s3://others" in line and "Traceback" not in line


def test_the_files_of_a_run_can_be_opened_by_its_other_processes(world: World, s3: S3Server) -> None:
    s3.put("album/a.jpg", world.add("a.jpg", 1))
    world.settings["dataset"]["images"] = "s3://photos/album"
    world.write_config()
    dataset = Dataset(world.config())
    (photo,) = copy.deepcopy(dataset.photos)  # in the way in which Ray sends them
    previews = copy.deepcopy(dataset.previews)
    assert is_picture(previews.load(photo, 0, 96).image, 1)
