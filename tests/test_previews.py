"""Previews replace the second decoding of slow photos, and are never used for another photo."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from conftest import draw
from photo_files import compare_images, make_files, save_turned
from PIL import Image

from imagesearch.photos import Photo, PhotoError, PreviewCache, find_photos
from imagesearch.photos import previews as previews_module


@pytest.fixture
def slow(tmp_path: Path) -> Photo:
    """A photo that is large and slow enough to have a preview."""
    (tmp_path / "photos").mkdir()
    save_turned(draw(10, (1800, 1200)), tmp_path / "photos/a.png", 6, compress_level=1)
    return find_photos([tmp_path / "photos"])[0]


@pytest.fixture
def previews(tmp_path: Path) -> PreviewCache:
    return PreviewCache(tmp_path / "previews", 256)


def list_previews(previews: PreviewCache) -> list[Path]:
    return sorted(file for file in previews.folder.rglob("*") if file.is_file())


def test_a_preview_replaces_the_second_decoding(slow: Photo, previews: PreviewCache) -> None:
    first = previews.load_preview(slow)
    slow.file.unlink()
    second = previews.load_preview(slow)
    for decoded in (first, second):
        assert decoded.image.size == (256, 171)
        assert (decoded.width, decoded.height) == (1800, 1200)
    assert compare_images(second.image, draw(10, (1800, 1200))) < 6


def test_pixels_for_a_model_come_from_the_preview_if_it_has_enough(
    slow: Photo, previews: PreviewCache
) -> None:
    assert previews.load(slow, 100).image.size == (1800, 1200)
    assert len(list_previews(previews)) == 1
    assert previews.load(slow, 100).image.size == (256, 171)
    assert previews.load(slow, 171).image.size == (256, 171)
    assert previews.load(slow, 172).image.size == (1800, 1200)
    decoded = previews.load(slow, 100)
    assert (decoded.width, decoded.height) == (1800, 1200)


@pytest.mark.parametrize(
    "damage", [b"", b"not a jpeg", b"\xff\xd8\xff", "half", "no size", "odd size", "words"]
)
def test_a_damaged_preview_is_created_again(slow: Photo, previews: PreviewCache, damage: str | bytes) -> None:
    previews.load_preview(slow)
    (file,) = list_previews(previews)
    good = file.read_bytes()
    if damage == "half":
        file.write_bytes(good[: len(good) // 2])
    elif isinstance(damage, bytes):
        file.write_bytes(damage)
    else:
        comment = {"no size": {}, "odd size": {"comment": "1 2 3"}, "words": {"comment": "a b"}}[damage]
        draw(11).save(file, **comment)
    assert compare_images(previews.load_preview(slow).image, draw(10, (1800, 1200))) < 6
    assert file.read_bytes() == good


def test_the_preview_of_a_changed_photo_is_not_used(slow: Photo, previews: PreviewCache) -> None:
    previews.load_preview(slow)
    draw(12, (1800, 1200)).save(slow.file, compress_level=1)
    (changed,) = find_photos([slow.file.parent])
    assert compare_images(previews.load_preview(changed).image, draw(12, (1800, 1200))) < 6
    assert len(list_previews(previews)) == 2
    previews.prune([changed])
    assert len(list_previews(previews)) == 1
    changed.file.unlink()
    assert compare_images(previews.load_preview(changed).image, draw(12, (1800, 1200))) < 6


def test_pruning_removes_the_previews_of_other_photos(slow: Photo, previews: PreviewCache) -> None:
    previews.prune([slow])  # no folder yet
    previews.load_preview(slow)
    (file,) = list_previews(previews)
    file.with_name("a.jpg.1-2.part").touch()
    previews.prune([slow])
    assert list_previews(previews) == [file]
    previews.prune([])
    assert list_previews(previews) == []


def test_a_preview_of_another_size_is_another_preview(slow: Photo, previews: PreviewCache) -> None:
    previews.load_preview(slow)
    assert PreviewCache(previews.folder, 512).load_preview(slow).image.size == (512, 341)


def test_photos_that_decode_fast_have_no_preview(tmp_path: Path, previews: PreviewCache) -> None:
    make_files(tmp_path, "photos/.keep")
    draw(1, (1800, 1200)).save(tmp_path / "photos/a.jpg")
    draw(1, (96, 64)).save(tmp_path / "photos/small.png")
    large, small = find_photos([tmp_path / "photos"])
    for photo in (large, small):
        previews.load(photo, 64)
        previews.load_preview(photo)
    assert previews.load_preview(large).image.size == (256, 171)
    assert previews.load_preview(small).image.size == (96, 64)
    assert list_previews(previews) == []


def test_the_thumbnail_in_a_heic_is_not_kept_as_its_preview(
    tmp_path: Path, previews: PreviewCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews_module, "_WORTH_CACHING_MEGAPIXELS", 0.1)  # encoding a large HEIC takes long
    make_files(tmp_path, "photos/.keep")
    save_turned(draw(13, (640, 400)), tmp_path / "photos/a.heic", 6, thumbnails=[160])
    (photo,) = find_photos([tmp_path / "photos"])
    decoded = previews.load(photo, 64)
    assert max(decoded.image.size) == 160 and (decoded.width, decoded.height) == (640, 400)
    assert list_previews(previews) == []
    assert previews.load_preview(photo).image.size == (256, 160)
    assert len(list_previews(previews)) == 1


def test_photos_are_decoded_if_the_folder_cannot_be_created(slow: Photo, tmp_path: Path) -> None:
    (tmp_path / "previews").write_text("a file where the folder should be")
    decoded = PreviewCache(tmp_path / "previews", 256).load_preview(slow)
    assert decoded.image.size == (256, 171)


def test_photos_are_decoded_if_the_disk_is_full_and_no_file_is_left(
    slow: Photo, previews: PreviewCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_half(image: Image.Image, file: Path, *args: object, **options: object) -> None:
        file.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save_half)
    assert previews.load_preview(slow).image.size == (256, 171)
    assert list_previews(previews) == []


def test_a_broken_photo_has_no_preview(tmp_path: Path, previews: PreviewCache) -> None:
    make_files(tmp_path, "photos/a.png")
    (photo,) = find_photos([tmp_path / "photos"])
    with pytest.raises(PhotoError):
        previews.load_preview(photo)
    assert list_previews(previews) == []
