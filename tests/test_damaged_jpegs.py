"""JPEGs that every viewer shows: without an end mark, with other data behind it, or without the last rows."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from conftest import World
from photo_files import make_exif, read_decode_error
from PIL import Image, ImageFile

from imagesearch.photos import DecodedPhoto, decode_photo

KINDS = {
    "4:2:0": {"subsampling": 2},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "restarts by rows": {"restart_marker_rows": 1},
    "restarts by blocks": {"restart_marker_blocks": 3},
    "grey": {},
    "cmyk": {},
}
SIZES = (None, 60, 200)  # decoded in full, at 1/8 and at 1/2


def draw_texture(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Draw a picture that takes about the same number of bytes in each row."""
    cells = np.random.default_rng(1).integers(0, 255, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def encode(kind: str = "4:2:0", **options) -> bytes:
    stream, picture = io.BytesIO(), draw_texture()
    picture = picture.convert({"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB"))
    picture.save(stream, "JPEG", quality=90, **(KINDS[kind] | options))
    return stream.getvalue()


def decode(data: bytes, folder: Path, min_short_side: int | None = None) -> DecodedPhoto:
    (folder / "a.jpg").write_bytes(data)
    return decode_photo(folder / "a.jpg", min_short_side)


def check_refused(data: bytes, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(data)
    for size in SIZES:
        assert read_decode_error(folder / "a.jpg", min_short_side=size).startswith("cannot be decoded: ")


def check_equal(found: DecodedPhoto, whole: DecodedPhoto, share: float = 1.0) -> None:
    """Check that the upper rows are the same."""
    assert (found.width, found.height) == (whole.width, whole.height) and found.image.size == whole.image.size
    rows = int(found.image.height * share)
    assert np.array_equal(np.asarray(found.image)[:rows], np.asarray(whole.image)[:rows])


@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_without_an_end_mark(kind: str, tmp_path: Path) -> None:
    data = encode(kind)
    trailer = random.Random(2).randbytes(5000)
    for size in SIZES:
        whole = decode(data, tmp_path, size)
        assert not whole.remark
        for damaged in (data[:-2], data[:-1], data[:-2] + bytes(3000), data[:-2] + trailer, data + trailer):
            found = decode(damaged, tmp_path, size)
            check_equal(found, whole)
            assert found.remark in ("", "damaged, read in part: its end mark is missing")
        assert decode(data[:-2], tmp_path, size).remark


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_percents_of_a_jpeg_can_be_missing(kind: str, tmp_path: Path) -> None:
    data = encode(kind)
    for size in SIZES:
        whole = decode(data, tmp_path, size)
        for percent, rows in ((99, 98), (98, 97), (96, 95)):
            found = decode(data[: len(data) * percent // 100], tmp_path, size)
            check_equal(found, whole, 0.92)
            assert found.remark == f"damaged, read in part: {rows}% of its rows are there"
    for percent in (94, 90, 50):
        check_refused(data[: len(data) * percent // 100], tmp_path)


def test_what_is_missing_of_a_jpeg_is_not_repeated_from_above(tmp_path: Path) -> None:
    data = encode()
    pixels = np.asarray(decode(data[: len(data) * 96 // 100], tmp_path).image)
    assert np.ptp(pixels[-10:].reshape(-1, 3), axis=0).max() < 3  # grey


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_progressive_jpeg_requires_its_first_scan(subsampling: int, tmp_path: Path) -> None:
    data = encode(progressive=True, subsampling=subsampling)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    for size in SIZES:
        whole = decode(data, tmp_path, size)
        check_equal(decode(data[:-2], tmp_path, size), whole)
        for length in (second + 2, second + 20, len(data) // 2, len(data) * 9 // 10, len(data) - 20):
            found = decode(data[:length], tmp_path, size)
            assert found.remark == "damaged, read in part: its end is missing"
            blocks = [np.asarray(photo.image.resize((20, 15)), float) for photo in (found, whole)]
            assert np.abs(blocks[0] - blocks[1]).mean() < 8
        assert decode(data[:-2] + b"SEFT" * 99, tmp_path, size).remark
    for length in (first + 20, first + 100, second - 200):
        check_refused(data[:length], tmp_path)
        for behind in (encode(), b"\xff\xe1\x00\x08camera", b"SEFT\xff\xbb" * 99):  # has markers
            check_refused(data[:length] + behind, tmp_path)


def test_a_damaged_photo_is_upright(tmp_path: Path) -> None:
    data = encode(exif=make_exif(6))
    for size in SIZES:
        found = decode(data[:-2], tmp_path, size)
        assert (found.width, found.height) == (480, 640) and found.image.height > found.image.width
        check_equal(found, decode(data, tmp_path, size))


def test_a_small_photo_without_its_last_percent(tmp_path: Path) -> None:
    stream = io.BytesIO()
    draw_texture((104, 80)).save(stream, "JPEG", quality=90)
    data = stream.getvalue()
    assert decode(data[: len(data) * 99 // 100], tmp_path).remark
    check_refused(data[: len(data) * 9 // 10], tmp_path)


def test_pillows_switch_stays_off(tmp_path: Path) -> None:
    decode(encode()[:-2], tmp_path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_the_summary_counts_damaged_photos(world: World) -> None:
    data = encode()
    (world.photos / "whole.jpg").write_bytes(data)
    (world.photos / "cut.jpg").write_bytes(data[: len(data) * 98 // 100])
    (world.photos / "progressive.jpg").write_bytes(encode(progressive=True)[:-2])
    (world.photos / "half.jpg").write_bytes(data[: len(data) // 2])
    done = world.run("01_extract_features.py", "--only", "clip", "-v")
    assert "album: 3 new" in done.stdout and "1 failed, 2 damaged, read in part" in done.stdout
    assert "remark: cut.jpg: damaged, read in part: 97% of its rows are there" in done.stderr
    assert "remark: progressive.jpg: damaged, read in part: its end is missing" in done.stderr
    assert "failed: half.jpg: cannot be decoded" in done.stderr and "whole.jpg" not in done.stderr
    assert "damaged" not in world.run("01_extract_features.py", "--only", "clip").stdout
