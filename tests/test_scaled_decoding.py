"""Photos are scaled down during decoding: by the thumbnail of a HEIC, or by a part of a progressive JPEG."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pillow_heif
import pytest
from conftest import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_files import compare_images, read_decode_error, save_turned
from PIL import Image, ImageOps

from imagesearch.photos import decode_photo, share_cores
from imagesearch.photos.progressive_jpeg import select_scans_for_eighth


def patch_thumbnail_size(file: Path, size: tuple[int, int], changed: tuple[int, int]) -> None:
    """Change the size that a HEIC states for its thumbnail."""
    content = file.read_bytes()
    place = content.index(b"ispe" + bytes(4) + struct.pack(">II", *size)) + 8
    file.write_bytes(content[:place] + struct.pack(">II", *changed) + content[place + 8 :])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_thumbnail_of_a_heic_replaces_the_photo_if_it_is_large_enough(
    tmp_path: Path, orientation: int
) -> None:
    upright = draw(14, (1280, 960))
    file = save_turned(upright, tmp_path / "a.heic", orientation, thumbnails=[320])
    for min_short_side, size in ((224, (320, 240)), (240, (320, 240)), (241, (1280, 960))):
        decoded = decode_photo(file, min_short_side)
        assert decoded.image.size == size
        assert (decoded.width, decoded.height) == (1280, 960)
        assert compare_images(decoded.image, upright) < 6
    assert decode_photo(file, 224, min_long_side=1024).image.size == (1280, 960)


@pytest.mark.parametrize("height", [180, 225, 236, 244, 300])
def test_a_thumbnail_of_another_aspect_ratio_is_not_used(tmp_path: Path, height: int) -> None:
    file = save_turned(draw(14, (1280, 960)), tmp_path / "a.heic", 1, thumbnails=[320])
    patch_thumbnail_size(file, (320, 240), (320, height))
    assert decode_photo(file, 100).image.size == (1280, 960)


def test_a_thumbnail_rotated_differently_is_not_used(tmp_path: Path) -> None:
    file = save_turned(draw(14, (1280, 960)), tmp_path / "a.heic", 6, thumbnails=[320])
    patch_thumbnail_size(file, (240, 320), (320, 240))
    decoded = decode_photo(file, 224)
    assert decoded.image.size == (1280, 960)
    assert compare_images(decoded.image, draw(14, (1280, 960))) < 6


def test_a_truncated_thumbnail_is_not_used(tmp_path: Path) -> None:
    upright = draw(14, (1280, 960))
    file = save_turned(upright, tmp_path / "a.heic", 1, thumbnails=[320])
    file.write_bytes(file.read_bytes()[:-100])  # the data of the thumbnail is at the end
    decoded = decode_photo(file, 224)
    assert decoded.image.size == (1280, 960)
    assert compare_images(decoded.image, upright) < 6


MODES = [("RGB", 0), ("RGB", 1), ("RGB", 2), ("L", 0), ("CMYK", 0)]


@pytest.mark.parametrize(("mode", "subsampling"), MODES)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_progressive_jpeg_is_decoded_to_the_same_pixels_from_a_part_of_it(
    tmp_path: Path, mode: str, subsampling: int, orientation: int
) -> None:
    upright = draw(15, (1209, 1001)).convert(mode)
    options = {"progressive": True, "subsampling": subsampling}
    file = save_turned(upright, tmp_path / "a.jpg", orientation, **options)
    part = select_scans_for_eighth(file.read_bytes())
    assert part is not None and len(part) < file.stat().st_size
    for min_short_side, size in ((120, (152, 126)), (200, (303, 251))):
        with Image.open(file) as image:
            image.draft(None, (min_short_side, min_short_side))
            expected = ImageOps.exif_transpose(image).convert("RGB")
        decoded = decode_photo(file, min_short_side)
        assert decoded.image.size == size
        assert (decoded.width, decoded.height) == (1209, 1001)
        assert compare_images(decoded.image, expected) == 0


def test_a_progressive_jpeg_without_its_first_scan_is_refused(tmp_path: Path) -> None:
    file = save_turned(draw(15, (1209, 1001)), tmp_path / "a.jpg", 1, progressive=True)
    content = file.read_bytes()
    for keep in (len(content) // 20, len(content) // 10):
        file.write_bytes(content[:keep])
        read_decode_error(file, min_short_side=50)


def make_jpeg(progressive: bool) -> bytes:
    stream = io.BytesIO()
    draw(9, (48, 32)).save(stream, "JPEG", progressive=progressive)
    return stream.getvalue()


@given(data=st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_scans_of_a_damaged_jpeg_are_selected_or_not_without_an_error(data: st.DataObject) -> None:
    content = bytearray(make_jpeg(progressive=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    select_scans_for_eighth(bytes(content[: data.draw(st.integers(0, len(content)))]))


def test_photos_decoded_at_the_same_time_share_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(1).save(tmp_path / "a.heic")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    before = pillow_heif.options.DECODE_THREADS
    for photos, threads in ((1, 8), (2, 4), (3, 2), (8, 1), (100, 1)):
        with share_cores(photos):
            assert threads == pillow_heif.options.DECODE_THREADS
            assert decode_photo(tmp_path / "a.heic").image.size == (96, 64)
    assert before == pillow_heif.options.DECODE_THREADS
