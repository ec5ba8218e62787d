"""Addresses of buckets as paths; which of their objects are photos. No bucket is asked."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from conftest import World

from imagesearch.bucket_paths import BucketPath, parse_bucket
from imagesearch.errors import UserError
from imagesearch.photos import is_photo_list, is_present, label_roots, list_objects, make_path_prefix

ROOT = parse_bucket("s3://bucket/my album")


def test_an_address_is_a_path_that_is_no_file() -> None:
    file = ROOT / "2025" / "a.jpg"
    assert (str(file), file.name, file.scheme) == ("s3://bucket/my album/2025/a.jpg", "a.jpg", "s3")
    assert str(file.parent) == "s3://bucket/my album/2025" and type(file.parent) is BucketPath
    assert file.relative_to(ROOT).parts == ("2025", "a.jpg")
    assert (file.resolve(), file.absolute(), file.exists(), is_present(file)) == (file, file, False, True)
    copied = copy.deepcopy(file)
    assert (copied, str(copied), type(copied)) == (file, str(file), BucketPath)


@pytest.mark.parametrize(
    "text", ["s3://bucket/my album", "S3://bucket/my album/", Path("s3://bucket/my album")]
)
def test_an_address_is_recognized_also_if_pathlib_has_taken_a_slash(text: str | Path) -> None:
    assert parse_bucket(text) == ROOT
    assert str(parse_bucket(text)) == "s3://bucket/my album"


@pytest.mark.parametrize("text", ["photos", "/mnt/photos", "C:/photos", "s3", "a:b/c"])
def test_paths_on_the_disk_are_no_addresses(text: str) -> None:
    assert parse_bucket(text) is None


def test_the_config_has_buckets_and_folders_and_never_prints_a_password(world: World) -> None:
    world.settings["dataset"]["images"] = ["photos", "s3://bucket/my album"]
    world.write_config()
    assert world.config().dataset.images == (world.photos, ROOT)
    for images in ("s3://key:word@bucket", ["photos", "s3://key:word@bucket"]):
        world.settings["dataset"]["images"] = images
        world.write_config()
        with pytest.raises(UserError, match="without a user name and password") as error:
            world.config()
        assert "word@" not in str(error.value)


def test_the_photos_of_a_listing_have_paths_below_the_prefix() -> None:
    keys = [
        "a.jpg",
        "2025/b.HEIC",
        "2025/c.dng.xmp",
        ".d.jpg",
        ".trash/e.jpg",
        "@eaDir/f.jpg",
        "x/drafts/g.jpg",
    ]
    objects = [(key, 10, 20) for key in [*keys, "notes.txt", "x//h.jpg", "x/i.jpg"]]
    listing = list_objects(ROOT, objects, ["drafts"], "album/")
    assert [photo.path for photo in listing.photos] == ["album/2025/b.HEIC", "album/a.jpg", "album/x/i.jpg"]
    assert str(listing.photos[0].file) == "s3://bucket/my album/2025/b.HEIC"
    assert list(listing.left_out) == ["s3://bucket/my album/x//h.jpg"]


def test_paths_of_objects_begin_with_the_label_of_their_root() -> None:
    roots = [Path("/photos"), ROOT]
    labels = label_roots(roots)
    assert labels == ["photos/", "my album/"]
    assert make_path_prefix("s3://bucket/my album/2025", roots, labels) == "my album/2025"
    assert make_path_prefix("s3://bucket/my album", roots, labels) == "my album"
    assert not is_photo_list(parse_bucket("s3://bucket/list.csv"))
