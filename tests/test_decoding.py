"""Photos of every format are decoded upright to 8-bit RGB; a broken file raises an error with the reason."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_files import STORED_TRANSPOSE, compare_images, get_paths, make_exif, read_decode_error, save_turned
from PIL import Image

from imagesearch.photos import EXTENSIONS, DecodedPhoto, PhotoError, decode_photo, find_photos

WHITE, RED = (255, 255, 255), (255, 0, 0)
CARRIES_ORIENTATION = ["jpg", "png", "webp", "tif", "heic", "avif"]


# --- formats -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", sorted(EXTENSIONS))
def test_every_format_is_found_and_decoded(tmp_path: Path, extension: str) -> None:
    picture = draw(1)
    for name in (f"a.{extension}", f"b.{extension.upper()}"):
        picture.save(tmp_path / name)
    found = find_photos([tmp_path])
    assert get_paths(found) == [f"a.{extension}", f"b.{extension.upper()}"]
    for photo in found:
        decoded = decode_photo(photo.file)
        assert (decoded.image.mode, decoded.image.size) == ("RGB", (96, 64))
        assert (decoded.width, decoded.height) == (96, 64)
        assert compare_images(decoded.image, picture) < 8


def test_the_format_is_read_from_the_content_not_the_name(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "really.png")
    (tmp_path / "really.png").rename(tmp_path / "a.jpg")
    assert decode_photo(tmp_path / "a.jpg").image.size == (96, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", CARRIES_ORIENTATION)
def test_photos_are_decoded_upright(tmp_path: Path, extension: str, orientation: int) -> None:
    upright = draw(2, (160, 96))
    file = save_turned(upright, tmp_path / f"a.{extension}", orientation)
    decoded = decode_photo(file)
    assert (decoded.width, decoded.height) == decoded.image.size == (160, 96)
    assert compare_images(decoded.image, upright) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", CARRIES_ORIENTATION)
def test_scaled_photos_are_decoded_upright_too(tmp_path: Path, extension: str, orientation: int) -> None:
    upright = draw(3, (640, 400))
    thumbnails = {"thumbnails": [160]} if extension == "heic" else {}
    file = save_turned(upright, tmp_path / f"a.{extension}", orientation, **thumbnails)
    for decoded in (decode_photo(file, min_short_side=50), decode_photo(file, min_long_side=80)):
        assert (decoded.width, decoded.height) == (640, 400)
        assert min(decoded.image.size) >= 50
        assert compare_images(decoded.image, upright) < 6
        cheap = extension in ("jpg", "heic")
        assert (decoded.image.size[0] <= 160) == cheap


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_invalid_orientation_is_ignored(tmp_path: Path, orientation: int) -> None:
    draw(3, (640, 400)).save(tmp_path / "a.jpg", exif=make_exif(orientation))
    for min_short_side in (None, 50):
        decoded = decode_photo(tmp_path / "a.jpg", min_short_side)
        assert (decoded.width, decoded.height) == (640, 400)
        assert decoded.image.width > decoded.image.height


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    min_short_side=st.one_of(st.none(), st.integers(1, 300)),
    min_long_side=st.one_of(st.none(), st.integers(1, 300)),
    orientation=st.integers(1, 8),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_scaled_photo_has_at_least_the_requested_pixels(
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    height: int,
    min_short_side: int | None,
    min_long_side: int | None,
    orientation: int,
) -> None:
    file = tmp_path_factory.getbasetemp() / "draft.jpg"
    save_turned(Image.new("RGB", (width, height)), file, orientation)
    decoded = decode_photo(file, min_short_side, min_long_side)
    assert (decoded.width, decoded.height) == (width, height)
    assert decoded.image.width <= width and decoded.image.height <= height
    if min_long_side is not None:
        assert max(decoded.image.size) >= min(min_long_side, width, height)
        assert max(decoded.image.size) >= min(min_long_side, max(width, height)) - 1
    elif min_short_side is not None:
        assert min(decoded.image.size) >= min(min_short_side, width, height)
    else:
        assert decoded.image.size == (width, height)


# --- pixels of all kinds -----------------------------------------------------------------------------------


def test_transparency_becomes_white(tmp_path: Path) -> None:
    clear = {
        "RGBA": Image.new("RGBA", (8, 8), (255, 0, 0, 0)),
        "LA": Image.new("LA", (8, 8), (0, 0)),
    }
    clear["RGBA"].paste((255, 0, 0, 255), (0, 0, 4, 8))
    clear["LA"].paste((0, 255), (0, 0, 4, 8))
    clear["P"] = clear["RGBA"].quantize()
    for mode, image in clear.items():
        image.save(tmp_path / f"{mode}.png")
        image = decode_photo(tmp_path / f"{mode}.png").image
        assert image.getpixel((6, 2)) == WHITE
        assert image.getpixel((1, 1)) == ((0, 0, 0) if mode == "LA" else RED)


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("1", 0), ("RGB", (9, 8, 7))])
def test_one_transparent_colour_becomes_white(tmp_path: Path, mode: str, colour: int | tuple) -> None:
    image = Image.new(mode, (8, 8), colour)
    image.save(tmp_path / "a.png", transparency=colour)
    assert decode_photo(tmp_path / "a.png").image.getpixel((0, 0)) == WHITE


def test_half_transparent_is_mixed_with_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 128)).save(tmp_path / "a.webp", lossless=True)
    assert decode_photo(tmp_path / "a.webp").image.getpixel((0, 0)) == pytest.approx((127,) * 3, abs=1)


@pytest.mark.parametrize("extension", ["jpg", "tif"])
def test_cmyk(tmp_path: Path, extension: str) -> None:
    draw(4).convert("CMYK").save(tmp_path / f"a.{extension}")
    assert compare_images(decode_photo(tmp_path / f"a.{extension}").image, draw(4)) < 8


def test_palette_grey_and_bilevel(tmp_path: Path) -> None:
    draw(4).quantize(64).save(tmp_path / "p.png")
    draw(4).convert("L").save(tmp_path / "l.jpg")
    draw(4).convert("1").save(tmp_path / "1.tif")
    assert compare_images(decode_photo(tmp_path / "p.png").image, draw(4)) < 8
    assert compare_images(decode_photo(tmp_path / "l.jpg").image, draw(4).convert("L")) < 3
    assert compare_images(decode_photo(tmp_path / "1.tif").image, draw(4).convert("1")) == 0


RAMP = np.tile(np.linspace(0, 1, 64), (8, 1))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("16.png", (RAMP * 65535).astype(np.uint16)),
        ("16.tif", (RAMP * 65535).astype(np.uint16)),
        ("32.tif", (RAMP * 65535).astype(np.int32)),
        ("unit.tif", RAMP.astype(np.float32)),
        ("bytes.tif", (RAMP * 255).astype(np.float32)),
        ("shorts.tif", (RAMP * 65535).astype(np.float32)),
        ("wide.tif", (RAMP * 1e6).astype(np.float32)),
    ],
)
def test_deep_grey_keeps_its_brightness(tmp_path: Path, name: str, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / name)
    pixels = np.asarray(decode_photo(tmp_path / name).image, float)
    assert np.abs(pixels - RAMP[..., None] * 255).max() <= 2


def test_floats_with_highlights_and_holes(tmp_path: Path) -> None:
    values = RAMP.astype(np.float32)
    values[0, :4] = [np.nan, np.inf, -np.inf, 1.7]
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = np.asarray(decode_photo(tmp_path / "a.tif").image, float)[..., 0]
    assert pixels[0, :4].tolist() == [0, 255, 0, 255]
    assert np.abs(pixels[1:] - RAMP[1:] * 255).max() <= 2


def make_png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """Return a PNG with features that Pillow cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_16_bit_colour(tmp_path: Path) -> None:
    pixel = struct.pack(">HHH", 65535, 32768, 0)
    (tmp_path / "a.png").write_bytes(make_png(4, 2, 16, 2, (b"\0" + pixel * 4) * 2))
    assert decode_photo(tmp_path / "a.png").image.getpixel((0, 0)) == pytest.approx((255, 128, 0), abs=1)
    pixel = struct.pack(">HHHH", 65535, 0, 0, 0)
    (tmp_path / "b.png").write_bytes(make_png(4, 2, 16, 6, (b"\0" + pixel * 4) * 2))
    assert decode_photo(tmp_path / "b.png").image.getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("extension", ["gif", "webp", "png", "tif", "heic", "avif"])
def test_the_first_frame_of_an_animation_is_decoded(tmp_path: Path, extension: str) -> None:
    first, second = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    first.save(tmp_path / f"a.{extension}", save_all=True, append_images=[second])
    with Image.open(tmp_path / f"a.{extension}") as image:
        assert image.n_frames == 2
    assert decode_photo(tmp_path / f"a.{extension}").image.getpixel((32, 32)) == pytest.approx(RED, abs=4)


def test_a_jpeg_with_a_second_image_in_it(tmp_path: Path) -> None:
    upright, depth = draw(5, (640, 400)), draw(6, (64, 40))
    turned = upright.transpose(STORED_TRANSPOSE[6])
    turned.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[depth], exif=make_exif(6))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.format == "MPO"
    for min_short_side in (None, 50):
        decoded = decode_photo(tmp_path / "a.jpg", min_short_side)
        assert (decoded.width, decoded.height) == (640, 400)
        assert compare_images(decoded.image, upright) < 6


# --- what cannot be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["jpg", "png", "heic", "avif", "webp", "gif", "bmp", "tif"])
def test_truncated_files_are_refused(tmp_path: Path, extension: str) -> None:
    file = tmp_path / f"a.{extension}"
    draw(7, (320, 200)).save(file)
    content = file.read_bytes()
    for keep in (len(content) // 2, 200, 20):
        file.write_bytes(content[:keep])
        read_decode_error(file)
        read_decode_error(file, min_short_side=50)


def test_files_that_are_not_photos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("dear diary")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    assert "not an image" in read_decode_error(tmp_path / "text.jpg")
    assert read_decode_error(tmp_path / "empty.jpg") == "the file is empty"
    assert "directory" in read_decode_error(tmp_path / "folder.jpg").lower()
    assert "No such file" in read_decode_error(tmp_path / "gone.jpg")


def test_a_photo_without_read_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    draw(1).save(tmp_path / "a.jpg")
    monkeypatch.setattr("PIL.Image.open", forbidden)  # permissions do not apply to root
    assert read_decode_error(tmp_path / "a.jpg") == "cannot be decoded: Permission denied"


def test_no_program_is_started_for_a_postscript_file_with_a_photos_name(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    assert "not an image" in read_decode_error(tmp_path / "a.jpg")


def test_decompression_bombs_are_refused_before_decoding(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(make_png(100_000, 100_000, 8, 2, b""))
    message = read_decode_error(tmp_path / "a.png", min_short_side=224)
    assert "too large: 10000 megapixels" in message and "extraction.max_megapixels: 200" in message
    draw(1, (2000, 1000)).save(tmp_path / "b.png")
    assert "too large" in read_decode_error(tmp_path / "b.png", max_megapixels=1.9)
    assert decode_photo(tmp_path / "b.png", max_megapixels=2).width == 2000


def test_a_panorama_is_decoded_if_the_scaled_size_is_within_the_limit(tmp_path: Path) -> None:
    Image.new("RGB", (4000, 1000)).save(tmp_path / "a.jpg")
    assert "too large" in read_decode_error(tmp_path / "a.jpg", max_megapixels=1)
    decoded = decode_photo(tmp_path / "a.jpg", min_short_side=224, max_megapixels=1)
    assert (decoded.width, decoded.height) == (4000, 1000)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"\xff" * 50]
)
@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_a_photo_with_broken_exif_is_decoded(tmp_path: Path, exif: bytes, extension: str) -> None:
    draw(8).save(tmp_path / f"a.{extension}", exif=exif)
    assert compare_images(decode_photo(tmp_path / f"a.{extension}").image, draw(8)) < 8


def test_unusual_metadata_causes_no_warning(tmp_path: Path) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x05" + struct.pack(">HHII", 0x0112, 2, 500, 9000)
    draw(8).save(tmp_path / "a.jpg", exif=exif)
    code = (
        "import sys; from pathlib import Path; from concurrent.futures import ThreadPoolExecutor as Pool;"
        "from imagesearch.photos import decode_photo;"
        "list(Pool(4).map(decode_photo, [Path(sys.argv[1])] * 20)); import warnings; warnings.warn('heard')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.jpg"], capture_output=True, text=True, check=True
    )
    assert [line for line in done.stderr.splitlines() if "Warning" in line] == [
        line for line in done.stderr.splitlines() if "heard" in line and "UserWarning" in line
    ]
    assert "heard" in done.stderr


def _samples() -> dict[str, bytes]:
    samples = {}
    for extension in sorted(EXTENSIONS - {"jpeg", "tiff", "heif"}):
        stream = io.BytesIO()
        stream.name = f"a.{extension}"
        options = {} if extension in ("gif", "bmp") else {"exif": make_exif(6)}
        draw(9, (48, 32)).save(stream, format=Image.registered_extensions()[f".{extension}"], **options)
        samples[extension] = stream.getvalue()
    return samples


SAMPLES = _samples()


@given(data=st.data())
@settings(max_examples=250, deadline=None, derandomize=True)
def test_a_damaged_file_gives_a_photo_or_an_error_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    extension = data.draw(st.sampled_from(sorted(SAMPLES)))
    content = bytearray(SAMPLES[extension])
    for _ in range(data.draw(st.integers(1, 6))):
        # half of the damage is in the headers, at the beginning
        place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, min(120, len(content) - 1)))
        content[place] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / f"damaged.{extension}"
    file.write_bytes(content)
    try:
        decoded = decode_photo(file, data.draw(st.sampled_from([None, 16])), max_megapixels=4)
    except PhotoError as error:
        assert str(error)
    else:
        assert isinstance(decoded, DecodedPhoto) and decoded.image.mode == "RGB"
