"""Thumbnails are made once for each version of a photo, and never shown for another one."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from conftest import draw
from photo_files import compare_images
from PIL import Image

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.photos import Photo, PhotoError, PreviewCache, ThumbnailCache, find_photos
from imagesearch.pipeline import Dataset, make_thumbnails


@pytest.fixture
def photo(tmp_path: Path) -> Photo:
    (tmp_path / "photos").mkdir()
    draw(3, (900, 600)).save(tmp_path / "photos/a.jpg", quality=92)
    return find_photos([tmp_path / "photos"])[0]


@pytest.fixture
def thumbnails(tmp_path: Path) -> ThumbnailCache:
    return ThumbnailCache(tmp_path / "thumbnails", PreviewCache(tmp_path / "previews", 1280))


def list_files(thumbnails: ThumbnailCache) -> list[Path]:
    return sorted(file for file in thumbnails.folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(("pixels", "size"), [(1, 128), (128, 128), (129, 256), (300, 512), (99_999, 900)])
def test_sizes_are_rounded_up_and_no_photo_is_enlarged(
    photo: Photo, thumbnails: ThumbnailCache, pixels: int, size: int
) -> None:
    image = Image.open(io.BytesIO(thumbnails.load(photo, pixels)))
    assert image.format == "WEBP"
    assert image.size == (size, round(size * 2 / 3))
    assert compare_images(image.convert("RGB"), draw(3, (900, 600))) < 8


def test_a_thumbnail_is_made_once(photo: Photo, thumbnails: ThumbnailCache) -> None:
    assert thumbnails.read(photo, 256) == b""
    first = thumbnails.load(photo, 256)
    photo.file.unlink()
    assert thumbnails.load(photo, 256) == thumbnails.read(photo, 200) == first
    assert len(list_files(thumbnails)) == 1
    with pytest.raises(PhotoError):
        thumbnails.load(photo, 512)


def test_a_changed_photo_gets_a_new_one_and_pruning_removes_the_old(
    photo: Photo, thumbnails: ThumbnailCache
) -> None:
    before = thumbnails.load(photo, 256)
    draw(4, (900, 600)).save(photo.file, quality=92)
    os.utime(photo.file, ns=(1, photo.mtime_ns + 1))
    (changed,) = find_photos([photo.file.parent])
    assert thumbnails.load(changed, 256) != before
    (thumbnails.folder / "00").mkdir(exist_ok=True)
    (thumbnails.folder / "00" / "left.123-4.part").write_bytes(b"x")
    (thumbnails.folder / "notes.txt").write_text("of somebody else")
    assert len(list_files(thumbnails)) == 4
    thumbnails.prune([changed])
    assert sorted(file.suffix for file in list_files(thumbnails)) == [".txt", ".webp"]
    assert thumbnails.read(changed, 256)


def test_an_empty_file_is_made_again_and_a_full_disk_is_no_error(
    photo: Photo, thumbnails: ThumbnailCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = thumbnails.load(photo, 256)
    (file,) = list_files(thumbnails)
    file.write_bytes(b"")
    assert thumbnails.load(photo, 256) == data == file.read_bytes()
    blocked = ThumbnailCache(photo.file, PreviewCache(photo.file, 1280))  # a file in place of the folder
    assert blocked.load(photo, 256) == data
    with pytest.raises(UserError, match="cannot be created"):
        blocked.make(photo)


def make_dataset(folder: Path) -> Dataset:
    (folder / "config.yaml").write_text("dataset: {name: a, images: photos, processed: processed}", "utf-8")
    return Dataset(load_config(folder / "config.yaml"))


def test_ahead_of_time_only_what_is_missing_is_made_and_failures_are_named(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        draw(number, (600, 400)).save(photos / f"{number}.png")
    (photos / "broken.jpg").write_bytes(b"no photo")
    shown: list[int] = []
    dataset = make_dataset(tmp_path)

    def progress(items: list[Photo], total: int, unit: str = "", label: str | None = None) -> list[Photo]:
        shown.append(total)
        return items

    summary = make_thumbnails(dataset, progress)
    assert (summary.made, summary.unchanged, list(summary.failed)) == (3, 0, ["broken.jpg"])
    assert len(list(dataset.thumbnails.folder.rglob("*.webp"))) == 6
    next(dataset.thumbnails.folder.rglob("*-512.webp")).unlink()
    again = make_thumbnails(make_dataset(tmp_path), progress)
    assert (again.made, again.unchanged, len(again.failed)) == (1, 2, 1)
    assert shown == [4, 2]
    assert str(again).startswith("1 made, 2 unchanged, 1 failed")
    assert json.dumps(again.to_dict())
