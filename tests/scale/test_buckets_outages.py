"""Buckets that change, fail and come back; and addresses that cannot be used. Step 04 needs no model."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from conftest import ROOT, Done, draw, run_here

from imagesearch.bucket_paths import BucketPath
from imagesearch.config import load_config
from imagesearch.downloads.buckets import BucketObject, BucketReader
from imagesearch.pipeline import Dataset
from imagesearch.pipeline.tables import Table

if TYPE_CHECKING:
    from s3_server import S3Server

pytest_plugins = ["s3_server"]
PHOTOS = [f"{number:02d}.jpg" for number in range(12)]


class BucketWorld:
    """A folder with a config whose photos are in the bucket, below ``album``."""

    def __init__(self, folder: Path, s3: S3Server) -> None:
        self.folder, self.s3 = folder, s3
        self.settings = {
            "dataset": {"name": "album", "images": "s3://photos/album", "processed": "processed"},
            "downloads": {"retries": 0, "concurrency": 1},
            "extraction": {"workers": 1},
            "milvus": {"uri": "milvus.db"},
        }

    def put(self, *names: str, seed: int | None = None) -> None:
        for name in names:
            self.s3.put(f"album/{name}", make_jpeg(self.folder, sum(name.encode()) if seed is None else seed))

    def run(self, *args: str | Path, code: int = 0, script: str = "04_extract_geo.py") -> Done:
        """Run a script; an error must be one line."""
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.settings), "utf-8")
        command = [str(ROOT / "scripts" / script), "-c", "config.yaml", *map(str, args)]
        done = run_here(command, self.folder)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        if code:
            lines = [line for line in done.stderr.splitlines() if "as given before" not in line]
            assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
        return done

    def count(self, *args: str) -> dict:
        """Run step 04 and return its summary."""
        return json.loads(self.run("--json", *args).stdout)

    def read_entries(self) -> dict[str, str | None]:
        """Return the error, by path, of each entry in the table."""
        entries = Table(self.folder / "processed" / "album" / "geo").read_processed()
        return {entry.path: entry.error for entry in entries.values()}


def make_jpeg(folder: Path, seed: int) -> bytes:
    draw(seed).save(folder / "drawn.jpg")
    return (folder / "drawn.jpg").read_bytes()


@pytest.fixture
def world(tmp_path: Path, s3: S3Server) -> BucketWorld:
    return BucketWorld(tmp_path, s3)


def test_only_objects_that_are_new_or_have_changed_are_read(world: BucketWorld) -> None:
    world.put("a.jpg", "b.jpg", "c.jpg")
    assert world.count()["new"] == 3
    world.s3.take_reads()
    world.put("new.jpg", "b.jpg", seed=5)
    world.s3.delete("album/c.jpg")
    summary = world.count()
    assert (summary["new"], summary["unchanged"], summary["gone"]) == (2, 1, 1)
    assert world.s3.take_reads() == ["album/b.jpg", "album/new.jpg"]
    assert world.count()["unchanged"] == 3
    assert world.s3.take_reads() == []


def test_an_object_that_was_moved_keeps_its_rows(world: BucketWorld) -> None:
    world.put("a.jpg", "b.jpg")
    world.run()
    world.s3.delete("album/a.jpg")
    world.put("2025/renamed.jpg", seed=sum(b"a.jpg"))
    summary = world.count()
    assert (summary["new"], summary["unchanged"], summary["moved"]) == (0, 1, 1)


def test_which_objects_are_photos(world: BucketWorld) -> None:
    world.put("a.jpg", "2025/b.jpeg", "2025/drafts/c.jpg", ".hidden.jpg", ".trash/d.jpg", "@eaDir/e.jpg")
    world.s3.put("album/notes.txt", b"no photo")
    world.s3.put("album/2025/", b"")
    world.s3.put("album/2025//f.jpg", b"no name of a folder")
    for key in ("c::d.jpg", "x?versionId=y.jpg", "g/../h.jpg"):
        world.s3.put(f"album/{key}", b"no path")
    world.s3.put("album/b\u0061\u0308.jpg", make_jpeg(world.folder, 8))  # decomposed, as on a Mac
    world.settings["dataset"]["exclude"] = ["*/drafts/*"]
    summary = world.count()
    assert set(world.read_entries()) == {"a.jpg", "2025/b.jpeg", "b\u00e4.jpg"}
    keys = ("2025//f.jpg", "c::d.jpg", "g/../h.jpg", "x?versionId=y.jpg")
    assert sorted(summary["failed"]) == [f"s3://photos/album/{key}" for key in keys]
    shutil.rmtree(world.folder / "processed" / "album" / "objects")
    for path in world.read_entries():
        assert Dataset(load_config(world.folder / "config.yaml")).load_thumbnail(path, 64) is not None


def test_a_bucket_that_does_not_answer_at_the_start_loses_nothing(world: BucketWorld) -> None:
    world.put(*PHOTOS[:3])
    world.run()
    world.s3.stop()
    assert "the bucket cannot be listed: Could not connect" in world.run(code=2).stderr
    world.s3.start()
    assert world.count()["unchanged"] == 3
    world.s3.empty()
    assert "s3://photos/album: no photos in this bucket" in world.run(code=2).stderr
    assert set(world.read_entries()) == set(PHOTOS[:3])


def test_an_outage_in_the_middle_ends_the_run_and_the_next_one_goes_on(world: BucketWorld) -> None:
    world.put(*PHOTOS)
    world.s3.refuse = lambda key: 503 if len(world.s3.reads) > 4 else 0
    error = world.run(code=2).stderr
    assert "s3://photos/album/04.jpg: the bucket does not answer (ServiceUnavailable)" in error
    assert "8 photos are left" in error
    assert len(world.s3.reads) == 4 + 5  # the others were not asked for
    assert world.read_entries() == dict.fromkeys(PHOTOS[:4])
    world.s3.refuse = lambda key: 0
    world.s3.take_reads()
    summary = world.count()
    assert (summary["new"], summary["unchanged"], summary["failed"]) == (8, 4, {})
    assert world.s3.take_reads() == [f"album/{name}" for name in PHOTOS[4:]]


def test_a_photo_that_is_unavailable_is_tried_in_the_next_run(world: BucketWorld) -> None:
    world.put(*PHOTOS)
    world.s3.refuse = lambda key: 503 if key == "album/03.jpg" else 0
    summary = world.count()
    assert (summary["new"], summary["failed"]) == (11, {"03.jpg": "ServiceUnavailable"})
    assert "03.jpg" not in world.read_entries()
    world.s3.refuse = lambda key: 0
    summary = world.count()
    assert (summary["new"], summary["unchanged"], summary["failed"]) == (1, 11, {})


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "may not be read: AccessDenied"),
        (404, "no such object"),
        (400, "cannot be read: KMS.DisabledException: KMS.DisabledException"),
    ],
)
def test_an_object_that_is_refused_is_a_failed_photo(world: BucketWorld, status: int, reason: str) -> None:
    world.put(*PHOTOS)
    world.s3.refuse = lambda key: status if key < "album/06" else 0
    summary = world.count()
    assert (summary["new"], summary["failed"]) == (6, dict.fromkeys(PHOTOS[:6], reason))
    assert world.read_entries()["03.jpg"] == reason
    world.s3.refuse = lambda key: 0
    assert world.count("--retry-failed")["new"] == 6


def test_an_object_that_is_too_large_is_not_read(world: BucketWorld) -> None:
    world.put("a.jpg")
    failed = world.count("--set", "downloads.max_megabytes=0.001")["failed"]
    assert failed == {"a.jpg": "larger than 0.001 MB (downloads.max_megabytes)"}
    assert world.s3.take_reads() == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://no-such-bucket/album", "NoSuchBucket"),
        ("s3://photos/nothing", "no photos in this bucket"),
        ("nosuch://photos", "Protocol not known: nosuch"),
        ("gs://photos", "Please install gcsfs"),
        ("https://photos.example/album", "http addresses belong into a list"),
        ("s3://key:secret@photos", "without a user name and password"),
        ("s3://photos/../album", "without empty names"),
        ("file:///photos", "without file://"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line(world: BucketWorld, address: str, reason: str) -> None:
    assert reason in world.run("-i", address, code=2).stderr
    world.settings["dataset"]["images"] = address
    assert reason in world.run(code=2).stderr
    assert "secret" not in world.run(code=2).stderr


def test_missing_credentials_and_a_missing_package_are_one_line(
    world: BucketWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a.jpg")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "Unable to locate credentials" in world.run(code=2).stderr
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert 'pip install -e ".[scale]"' in world.run(code=2).stderr


def test_a_folder_of_files_that_is_deleted_during_a_run_is_made_again(world: BucketWorld) -> None:
    world.put(*PHOTOS[:4])
    objects = world.folder / "processed" / "album" / "objects"

    def delete(key: str) -> int:
        shutil.rmtree(objects, ignore_errors=True)
        world.s3.refuse = lambda key: 0
        return 0

    world.s3.refuse = delete
    summary = world.count()
    assert (summary["new"], summary["failed"]) == (4, {})


def test_a_bucket_that_does_not_answer_does_not_stop_another_one(world: BucketWorld) -> None:
    world.put(*PHOTOS)
    world.s3.client.create_bucket(Bucket="second")
    for name in PHOTOS:
        world.s3.client.put_object(Bucket="second", Key=name, Body=make_jpeg(world.folder, 1))
    world.settings["dataset"]["images"] = ["s3://photos/album", "s3://second"]
    world.s3.refuse = lambda key: 503
    assert "does not answer" in world.run(code=2).stderr
    assert len(world.read_entries()) == len(PHOTOS)
    world.s3.client.delete_objects(Bucket="second", Delete={"Objects": [{"Key": name} for name in PHOTOS]})


def test_an_object_of_another_size_than_it_was_listed_with_is_read_by_the_next_run(
    world: BucketWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a.jpg")
    listed = BucketReader.list_objects

    def list_larger(self: BucketReader, root: BucketPath) -> Iterator[BucketObject]:
        return (replace(one, size=one.size + 1) for one in listed(self, root))

    with monkeypatch.context() as patch:
        patch.setattr(BucketReader, "list_objects", list_larger)
        (reason,) = world.count()["failed"].values()
    assert "bytes, not" in reason and world.read_entries() == {}
    assert world.count()["new"] == 1


def test_a_decomposed_name_in_a_composed_folder_is_found_later(world: BucketWorld) -> None:
    world.s3.put("album/\u00e9/ba\u0308r.jpg", make_jpeg(world.folder, 1))
    assert world.count()["new"] == 1
    shutil.rmtree(world.folder / "processed" / "album" / "objects")
    dataset = Dataset(load_config(world.folder / "config.yaml"))
    assert dataset.load_thumbnail("\u00e9/b\u00e4r.jpg", 64) is not None


def test_a_file_in_place_of_the_folder_of_objects_is_one_line(world: BucketWorld) -> None:
    world.put("a.jpg")
    (world.folder / "processed" / "album").mkdir(parents=True)
    (world.folder / "processed" / "album" / "objects").write_text("")
    assert "objects" in world.run(code=2).stderr


def test_an_object_below_two_addresses_is_one_photo(world: BucketWorld) -> None:
    world.put("a.jpg", "2025/b.jpg", "2025/c.jpg")
    world.settings["dataset"]["images"] = [
        "s3://photos/album",
        "s3://photos/album/2025",
        "s3a://photos/album",
    ]
    assert world.count()["new"] == 3
    assert len(world.read_entries()) == 3


def test_folders_and_buckets_can_be_mixed_and_are_remembered(world: BucketWorld) -> None:
    world.put("a.jpg", "b.jpg")
    folder = world.folder / "phone"
    folder.mkdir()
    draw(3).save(folder / "c.jpg")
    world.settings["dataset"]["images"] = "nowhere"
    world.run("-i", folder, "s3://photos/album")
    assert set(world.read_entries()) == {"phone/c.jpg", "album/a.jpg", "album/b.jpg"}
    saved = json.loads((world.folder / "processed" / "album" / "images.json").read_text("utf-8"))
    assert saved["used"] == [str(folder), "s3://photos/album"]
    world.s3.take_reads()
    assert world.count()["unchanged"] == 3  # without -i
    assert world.s3.take_reads() == []
    world.run("-i", folder, "--replace")
    assert world.count()["unchanged"] == 1


def test_an_album_copied_into_a_bucket_keeps_its_photos(world: BucketWorld) -> None:
    folder = world.folder / "photos"
    folder.mkdir()
    for name in PHOTOS[:3]:
        draw(sum(name.encode())).save(folder / name)
    world.run("-i", folder)
    world.s3.put_folder(folder, "album")
    world.run("-i", "s3://photos/album", "--replace")
    summary = world.count()
    assert (summary["new"], summary["unchanged"]) == (0, 3)
    assert set(world.read_entries()) == set(PHOTOS[:3])
    error = world.run("-i", folder, code=2).stderr  # though it has the same photos
    assert "photos in s3://photos/album are used so far" in error
