"""Photos of every kind are found once, named for good, and decoded upright; what is broken says why."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from conftest import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.photos import (
    EXTENSIONS,
    DecodedPhoto,
    Photo,
    PhotoError,
    PreviewCache,
    compute_photo_id,
    decode_photo,
    discovery,
    find_photos,
    formats,
    hash_content,
    locate_file,
    make_path_prefix,
)
from imagesearch.photos import previews as previews_module
from imagesearch.photos.sources import label_roots

pillow_heif.register_heif_opener()
ORIENTATION = 0x0112
# What turns an upright picture into the pixels that a camera would store with each orientation.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
CARRIES_ORIENTATION = ["jpg", "png", "webp", "tif", "heic", "avif"]
WHITE, RED = (255, 255, 255), (255, 0, 0)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def save_turned(upright: Image.Image, file: Path, orientation: int, **options) -> Path:
    """Save a picture as a camera held in some way would."""
    turn = STORED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    quality = {} if file.suffix in (".png", ".tif") else {"quality": 95}
    # as bytes, pillow-heif writes the container's own rotation too, like a phone
    stored.save(file, exif=exif_of(orientation).tobytes(), **quality, **options)
    return file


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference of two pictures in grey levels, at the size of the smaller."""
    size = min(a.size, b.size)
    first, second = (np.asarray(p.convert("RGB").resize(size, Image.Resampling.BOX), float) for p in (a, b))
    return float(np.abs(first - second).mean())


def why_not(file: Path, **options) -> str:
    with pytest.raises(PhotoError) as caught:
        decode_photo(file, **options)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


def touch(folder: Path, *paths: str | bytes) -> None:
    """Make files that have a photo's name; finding does not look inside."""
    for path in paths:
        file = folder / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def paths(photos: Sequence[Photo]) -> list[str]:
    return [photo.path for photo in photos]


# --- formats -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", sorted(EXTENSIONS))
def test_every_format_is_found_and_decoded(tmp_path: Path, extension: str) -> None:
    picture = draw(1)
    for name in (f"a.{extension}", f"b.{extension.upper()}"):
        picture.save(tmp_path / name)
    found = find_photos([tmp_path])
    assert paths(found) == [f"a.{extension}", f"b.{extension.upper()}"]
    for photo in found:
        decoded = decode_photo(photo.file)
        assert (decoded.image.mode, decoded.image.size) == ("RGB", (96, 64))
        assert (decoded.width, decoded.height) == (96, 64)
        assert difference(decoded.image, picture) < 8


def test_a_format_that_the_name_does_not_say(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "really.png")
    (tmp_path / "really.png").rename(tmp_path / "a.jpg")
    assert decode_photo(tmp_path / "a.jpg").image.size == (96, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", CARRIES_ORIENTATION)
def test_pictures_come_out_upright(tmp_path: Path, extension: str, orientation: int) -> None:
    upright = draw(2, (160, 96))
    file = save_turned(upright, tmp_path / f"a.{extension}", orientation)
    picture = decode_photo(file)
    assert (picture.width, picture.height) == picture.image.size == (160, 96)
    assert difference(picture.image, upright) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", CARRIES_ORIENTATION)
def test_small_pictures_for_models_come_out_upright_too(
    tmp_path: Path, extension: str, orientation: int
) -> None:
    upright = draw(3, (640, 400))
    thumbnails = {"thumbnails": [160]} if extension == "heic" else {}
    file = save_turned(upright, tmp_path / f"a.{extension}", orientation, **thumbnails)
    for picture in (decode_photo(file, side=50), decode_photo(file, longest=80)):
        assert (picture.width, picture.height) == (640, 400)
        assert min(picture.image.size) >= 50
        assert difference(picture.image, upright) < 6
        cheap = extension in ("jpg", "heic")
        assert (picture.image.size[0] <= 160) == cheap


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_the_standard_does_not_know_turns_nothing(
    tmp_path: Path, orientation: int
) -> None:
    draw(3, (640, 400)).save(tmp_path / "a.jpg", exif=exif_of(orientation))
    for side in (None, 50):
        picture = decode_photo(tmp_path / "a.jpg", side)
        assert (picture.width, picture.height) == (640, 400)
        assert picture.image.width > picture.image.height


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    side=st.one_of(st.none(), st.integers(1, 300)),
    longest=st.one_of(st.none(), st.integers(1, 300)),
    orientation=st.integers(1, 8),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_draft_has_at_least_the_pixels_asked_for(
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    height: int,
    side: int | None,
    longest: int | None,
    orientation: int,
) -> None:
    file = tmp_path_factory.getbasetemp() / "draft.jpg"
    save_turned(Image.new("RGB", (width, height)), file, orientation)
    picture = decode_photo(file, side, longest)
    assert (picture.width, picture.height) == (width, height)
    assert picture.image.width <= width and picture.image.height <= height
    if longest is not None:
        assert max(picture.image.size) >= min(longest, width, height)
        assert max(picture.image.size) >= min(longest, max(width, height)) - 1
    elif side is not None:
        assert min(picture.image.size) >= min(side, width, height)
    else:
        assert picture.image.size == (width, height)


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
        picture = decode_photo(tmp_path / f"{mode}.png").image
        assert picture.getpixel((6, 2)) == WHITE
        assert picture.getpixel((1, 1)) == ((0, 0, 0) if mode == "LA" else RED)


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
    assert difference(decode_photo(tmp_path / f"a.{extension}").image, draw(4)) < 8


def test_palette_grey_and_bilevel(tmp_path: Path) -> None:
    draw(4).quantize(64).save(tmp_path / "p.png")
    draw(4).convert("L").save(tmp_path / "l.jpg")
    draw(4).convert("1").save(tmp_path / "1.tif")
    assert difference(decode_photo(tmp_path / "p.png").image, draw(4)) < 8
    assert difference(decode_photo(tmp_path / "l.jpg").image, draw(4).convert("L")) < 3
    assert difference(decode_photo(tmp_path / "1.tif").image, draw(4).convert("1")) == 0


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
    picture = np.asarray(decode_photo(tmp_path / name).image, float)
    assert np.abs(picture - RAMP[..., None] * 255).max() <= 2


def test_floats_with_highlights_and_holes(tmp_path: Path) -> None:
    values = RAMP.astype(np.float32)
    values[0, :4] = [np.nan, np.inf, -np.inf, 1.7]
    Image.fromarray(values).save(tmp_path / "a.tif")
    picture = np.asarray(decode_photo(tmp_path / "a.tif").image, float)[..., 0]
    assert picture[0, :4].tolist() == [0, 255, 0, 255]
    assert np.abs(picture[1:] - RAMP[1:] * 255).max() <= 2


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand, for what Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_16_bit_colour(tmp_path: Path) -> None:
    pixel = struct.pack(">HHH", 65535, 32768, 0)
    (tmp_path / "a.png").write_bytes(png(4, 2, 16, 2, (b"\0" + pixel * 4) * 2))
    assert decode_photo(tmp_path / "a.png").image.getpixel((0, 0)) == pytest.approx((255, 128, 0), abs=1)
    pixel = struct.pack(">HHHH", 65535, 0, 0, 0)
    (tmp_path / "b.png").write_bytes(png(4, 2, 16, 6, (b"\0" + pixel * 4) * 2))
    assert decode_photo(tmp_path / "b.png").image.getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("extension", ["gif", "webp", "png", "tif", "heic", "avif"])
def test_of_an_animation_the_first_frame_counts(tmp_path: Path, extension: str) -> None:
    first, second = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    first.save(tmp_path / f"a.{extension}", save_all=True, append_images=[second])
    with Image.open(tmp_path / f"a.{extension}") as image:
        assert image.n_frames == 2
    assert decode_photo(tmp_path / f"a.{extension}").image.getpixel((32, 32)) == pytest.approx(RED, abs=4)


def test_a_jpeg_with_a_second_picture_in_it(tmp_path: Path) -> None:
    upright, depth = draw(5, (640, 400)), draw(6, (64, 40))
    turned = upright.transpose(STORED[6])
    turned.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[depth], exif=exif_of(6))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.format == "MPO"
    for side in (None, 50):
        picture = decode_photo(tmp_path / "a.jpg", side)
        assert (picture.width, picture.height) == (640, 400)
        assert difference(picture.image, upright) < 6


# --- what cannot be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["jpg", "png", "heic", "avif", "webp", "gif", "bmp", "tif"])
def test_truncated_files_are_refused(tmp_path: Path, extension: str) -> None:
    file = tmp_path / f"a.{extension}"
    draw(7, (320, 200)).save(file)
    content = file.read_bytes()
    for keep in (len(content) // 2, 200, 20):
        file.write_bytes(content[:keep])
        why_not(file)
        why_not(file, side=50)


def test_files_that_are_no_photos(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("dear diary")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    assert "not an image" in why_not(tmp_path / "text.jpg")
    assert why_not(tmp_path / "empty.jpg") == "the file is empty"
    assert "directory" in why_not(tmp_path / "folder.jpg").lower()
    assert "No such file" in why_not(tmp_path / "gone.jpg")


def test_a_photo_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    draw(1).save(tmp_path / "a.jpg")
    monkeypatch.setattr("PIL.Image.open", forbidden)  # permissions do not hold for root
    assert why_not(tmp_path / "a.jpg") == "cannot be decoded: Permission denied"


def test_no_program_is_started_for_a_postscript_file_with_a_photos_name(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    assert "not an image" in why_not(tmp_path / "a.jpg")


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(100_000, 100_000, 8, 2, b""))
    message = why_not(tmp_path / "a.png", side=224)
    assert "too large: 10000 megapixels" in message and "extraction.max_megapixels: 200" in message
    draw(1, (2000, 1000)).save(tmp_path / "b.png")
    assert "too large" in why_not(tmp_path / "b.png", max_megapixels=1.9)
    assert decode_photo(tmp_path / "b.png", max_megapixels=2).width == 2000


def test_a_panorama_passes_when_little_of_it_is_wanted(tmp_path: Path) -> None:
    Image.new("RGB", (4000, 1000)).save(tmp_path / "a.jpg")
    assert "too large" in why_not(tmp_path / "a.jpg", max_megapixels=1)
    picture = decode_photo(tmp_path / "a.jpg", side=224, max_megapixels=1)
    assert (picture.width, picture.height) == (4000, 1000)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"\xff" * 50]
)
@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_broken_exif_does_not_cost_the_picture(tmp_path: Path, exif: bytes, extension: str) -> None:
    draw(8).save(tmp_path / f"a.{extension}", exif=exif)
    assert difference(decode_photo(tmp_path / f"a.{extension}").image, draw(8)) < 8


def test_odd_metadata_is_not_talked_about(tmp_path: Path) -> None:
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
        options = {} if extension in ("gif", "bmp") else {"exif": exif_of(6)}
        draw(9, (48, 32)).save(stream, format=Image.registered_extensions()[f".{extension}"], **options)
        samples[extension] = stream.getvalue()
    return samples


SAMPLES = _samples()


@given(data=st.data())
@settings(max_examples=250, deadline=None, derandomize=True)
def test_whatever_is_broken_there_is_a_picture_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    extension = data.draw(st.sampled_from(sorted(SAMPLES)))
    content = bytearray(SAMPLES[extension])
    for _ in range(data.draw(st.integers(1, 6))):
        # headers lie at the beginning: half of the damage is done there
        place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, min(120, len(content) - 1)))
        content[place] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / f"damaged.{extension}"
    file.write_bytes(content)
    try:
        picture = decode_photo(file, data.draw(st.sampled_from([None, 16])), max_megapixels=4)
    except PhotoError as error:
        assert str(error)
    else:
        assert isinstance(picture, DecodedPhoto) and picture.image.mode == "RGB"


# --- camera RAW --------------------------------------------------------------------------------------------


def dng(raw: np.ndarray, orientation: int = 1, preview: Image.Image | None = None) -> bytes:
    """A DNG with as few tags as a decoder needs: a Bayer mosaic and perhaps a JPEG preview before it."""
    kinds = {"B": (1, "B", 1), "H": (3, "H", 1), "I": (4, "I", 1), "R": (5, "I", 2), "r": (10, "i", 2)}
    height, width = raw.shape
    mosaic = raw.astype("<u2").tobytes()
    matrix = [v for x in np.eye(3, dtype=int).ravel().tolist() for v in (x, 1)]
    camera = [(271, "B", [*b"Maker\0"]), (272, "B", [*b"Camera\0"]), (50708, "B", [*b"Maker Camera\0"])]
    camera += [(274, "H", [orientation]), (50706, "B", [1, 4, 0, 0]), (50707, "B", [1, 1, 0, 0])]
    camera += [(50721, "r", matrix), (50728, "R", [1, 1] * 3), (50778, "H", [21])]

    def directory(tags: list[tuple[int, str, list[int]]], start: int) -> bytes:
        head, extra = struct.pack("<H", len(tags)), b""
        for tag, kind, values in sorted(tags):
            code, letter, numbers = kinds[kind]
            code = 2 if tag in (271, 272, 50708) else code
            body = struct.pack(f"<{len(values)}{letter}", *values)
            head += struct.pack("<HHI", tag, code, len(values) // numbers)
            if len(body) > 4:
                head += struct.pack("<I", start + 2 + 12 * len(tags) + 4 + len(extra))
                extra += body + b"\0" * (len(body) % 2)
            else:
                head += body.ljust(4, b"\0")
        return head + bytes(4) + extra

    def picture(kind: int, size: tuple[int, int], bits: list[int], data: tuple[int, int], form: list[int]):
        compression, photometric = form
        return [
            (254, "I", [kind]), (256, "I", [size[0]]), (257, "I", [size[1]]), (258, "H", bits),
            (259, "H", [compression]), (262, "H", [photometric]), (273, "I", [data[0]]),
            (277, "H", [len(bits)]), (278, "I", [size[1]]), (279, "I", [data[1]]),
        ]  # fmt: skip

    def sensor(place: int) -> list[tuple[int, str, list[int]]]:
        tags = picture(0, (width, height), [16], (place, len(mosaic)), [1, 32803])
        return [*tags, (33421, "H", [2, 2]), (33422, "B", [0, 1, 1, 2]), (50717, "I", [65535])]

    header = struct.pack("<2sHI", b"II", 42, 8)
    if preview is None:
        place = 8 + len(directory(camera + sensor(0), 8))
        return header + directory(camera + sensor(place), 8) + mosaic
    stream = io.BytesIO()
    preview.save(stream, "JPEG")
    jpeg = stream.getvalue()

    def first(sub: int, place: int) -> bytes:
        tags = picture(1, preview.size, [8, 8, 8], (place, len(jpeg)), [7, 6])
        return directory([*camera, *tags, (330, "I", [sub])], 8)

    sub = 8 + len(first(0, 0))
    place = sub + len(directory(sensor(0), sub))
    return header + first(sub, place) + directory(sensor(place + len(jpeg)), sub) + jpeg + mosaic


# Bright at the top left of what the sensor saw, dark everywhere else.
SENSOR = np.full((96, 128), 500)
SENSOR[:40, :50] = 60_000


def brightest_corner(image: Image.Image) -> str:
    grey = np.asarray(image.convert("L"), float)
    height, width = grey.shape
    corners = {
        f"{v} {h}": grey[rows, columns].mean()
        for v, rows in (("top", slice(height // 4)), ("bottom", slice(-(height // 4), None)))
        for h, columns in (("left", slice(width // 4)), ("right", slice(-(width // 4), None)))
    }
    return max(corners, key=corners.__getitem__)


@pytest.mark.parametrize(
    ("orientation", "corner", "size"),
    [
        (1, "top left", (64, 48)),
        (3, "bottom right", (64, 48)),
        (6, "top right", (48, 64)),
        (8, "bottom left", (48, 64)),
    ],
)
def test_a_raw_without_a_preview_is_developed_at_half_size(
    tmp_path: Path, orientation: int, corner: str, size: tuple[int, int]
) -> None:
    (tmp_path / "a.dng").write_bytes(dng(SENSOR, orientation))
    picture = decode_photo(find_photos([tmp_path])[0].file)
    assert (picture.width, picture.height) == picture.image.size == size
    assert brightest_corner(picture.image) == corner


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, "top left"), (3, "bottom right"), (6, "top right"), (8, "bottom left")]
)
def test_the_preview_of_a_raw_is_taken_and_turned(tmp_path: Path, orientation: int, corner: str) -> None:
    preview = Image.new("RGB", (96, 72), "black")
    preview.paste("red", (0, 0, 40, 30))
    (tmp_path / "a.dng").write_bytes(dng(SENSOR, orientation, preview))
    picture = decode_photo(tmp_path / "a.dng")
    assert picture.image.size == ((96, 72) if orientation < 5 else (72, 96))
    assert brightest_corner(picture.image) == corner
    red, green, _ = np.asarray(picture.image, float).max(axis=(0, 1))
    assert red > 200 and green < 60


def test_a_mere_thumbnail_or_a_broken_preview_is_not_the_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.dng").write_bytes(dng(SENSOR, preview=Image.new("RGB", (16, 12), "red")))
    assert decode_photo(tmp_path / "a.dng").image.size == (64, 48)
    whole = dng(SENSOR, preview=Image.new("RGB", (96, 72), "red"))
    start = whole.index(b"\xff\xd8\xff")
    (tmp_path / "b.dng").write_bytes(whole[: start + 3] + bytes(300) + whole[start + 303 :])
    assert decode_photo(tmp_path / "b.dng").image.size == (64, 48)


def test_a_raw_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.nef").write_bytes(b"hello" * 100)
    message = why_not(tmp_path / "a.nef")
    assert "cannot be decoded" in message and "b'" not in message


def test_without_the_optional_package_raw_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.cr2", "b.jpg")
    for module in (discovery, formats):
        monkeypatch.setattr(module, "is_raw_supported", lambda: False)
    assert paths(find_photos([tmp_path])) == ["b.jpg"]
    assert "imagesearch[raw]" in why_not(tmp_path / "a.cr2")


# --- finding -----------------------------------------------------------------------------------------------


def test_an_id_is_for_good() -> None:
    assert compute_photo_id("2023/goa/IMG_0001.jpg") == 7_087_223_810_011_399_214
    assert compute_photo_id("strände/é.jpg") == 186_441_636_118_847_722
    assert all(0 <= compute_photo_id(str(i)) < 2**63 for i in range(1000))


def test_hidden_and_foreign_files_are_left_out(tmp_path: Path) -> None:
    wanted = ["a.jpg", "b/c d/é.JPEG", "b/not.eaDir/x.png"]
    touch(
        tmp_path, *wanted, ".hidden.jpg", ".cache/a.jpg", "@eaDir/a.jpg", "b/@eaDir/SYNO/a.jpg", "b/._a.jpg",
        "__MACOSX/a.jpg", "$RECYCLE.BIN/a.jpg", "notes.txt", "jpg", "movie.mp4", "a.jpg.txt",
    )  # fmt: skip
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    assert paths(find_photos([tmp_path])) == wanted


def test_a_photo_knows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b.png"
    file.parent.mkdir()
    draw(1).save(file)
    (photo,) = find_photos([tmp_path])
    status = file.stat()
    assert photo == Photo(compute_photo_id("a/b.png"), "a/b.png", file, status.st_size, status.st_mtime_ns)


def test_the_order_stays_the_same(tmp_path: Path) -> None:
    names = [f"{folder}{name}.jpg" for folder in ("", "b/", "B/", "a b/", "ü/") for name in "zaM9é"]
    for name in names:
        touch(tmp_path / "one", name)
    for name in reversed(names):
        touch(tmp_path / "two", name)
    assert paths(find_photos([tmp_path / "one"])) == paths(find_photos([tmp_path / "two"])) == sorted(names)


def test_loops_of_links_end_and_photos_go_by_their_real_place(tmp_path: Path) -> None:
    touch(tmp_path, "z/real/a.jpg", "b.jpg")
    (tmp_path / "z" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "z" / "real" / "self").symlink_to(".", target_is_directory=True)
    (tmp_path / "a-link").symlink_to("z/real", target_is_directory=True)
    assert paths(find_photos([tmp_path])) == ["b.jpg", "z/real/a.jpg"]


def test_a_link_out_of_the_folder_is_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.jpg", "root/b.jpg")
    for name in ("one", "two"):
        (tmp_path / "root" / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert paths(find_photos([tmp_path / "root"])) == ["b.jpg", "one/a.jpg"]


def test_several_roots_have_labels(tmp_path: Path) -> None:
    touch(tmp_path, "ann/a.jpg", "bob/a.jpg")
    roots = [tmp_path / "bob", tmp_path / "ann"]
    assert paths(find_photos(roots)) == ["bob/a.jpg", "ann/a.jpg"]
    assert [locate_file(path, roots) for path in ("ann/a.jpg", "bob/a.jpg")] == [
        tmp_path / "ann/a.jpg",
        tmp_path / "bob/a.jpg",
    ]


@pytest.mark.parametrize("names", [["pics"], ["s1/pics", "s2/pics"]])
def test_a_folder_is_found_by_its_path_and_back(tmp_path: Path, names: list[str]) -> None:
    roots = [tmp_path / name for name in names]
    for root in roots:
        (root / "caf\u00e9").mkdir(parents=True)
        draw(1).save(root / "caf\u00e9" / "a.png")
    for photo in find_photos(roots):
        folder = photo.path.rpartition("/")[0]
        assert make_path_prefix(str(photo.file.parent), roots) == folder
        assert make_path_prefix(unicodedata.normalize("NFD", str(photo.file.parent)), roots) == folder
        assert make_path_prefix(unicodedata.normalize("NFD", folder) + "/", roots) == folder
        assert locate_file(photo.path, roots).is_file()
    with pytest.raises(UserError, match="not below"):
        make_path_prefix("/elsewhere", roots)


def test_roots_of_one_name_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, "ann/photos/a.jpg", "bob/photos/a.jpg", "bob/other/a.jpg")
    roots = [tmp_path / "ann/photos", tmp_path / "bob/photos", tmp_path / "bob/other"]
    assert label_roots(roots) == ["ann/photos/", "bob/photos/", "bob/other/"]
    found = find_photos(roots)
    assert len({photo.photo_id for photo in found}) == 3
    assert [locate_file(photo.path, roots) for photo in found] == [photo.file for photo in found]
    with pytest.raises(UserError, match="twice"):
        label_roots([tmp_path, tmp_path])


@pytest.mark.parametrize("inner_first", [False, True])
def test_a_root_inside_a_root_counts_once(tmp_path: Path, inner_first: bool) -> None:
    touch(tmp_path, "all/2023/a.jpg", "all/b.jpg")
    roots = [tmp_path / "all/2023", tmp_path / "all"]
    found = find_photos(roots if inner_first else roots[::-1])
    assert sorted(photo.file for photo in found) == [tmp_path / "all/2023/a.jpg", tmp_path / "all/b.jpg"]


def test_a_root_all_of_whose_photos_are_another_roots(tmp_path: Path) -> None:
    touch(tmp_path, "all/2023/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "all", target_is_directory=True)
    for roots in ([tmp_path / "all/2023", tmp_path / "all"], [tmp_path / "all", tmp_path / "link"]):
        assert len(find_photos(roots)) == 1


def test_a_photo_goes_by_its_root_even_when_an_earlier_root_links_to_it(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.jpg", "two/b.jpg")
    (tmp_path / "one" / "link").symlink_to(tmp_path / "two", target_is_directory=True)
    assert paths(find_photos([tmp_path / "one", tmp_path / "two"])) == ["one/a.jpg", "two/b.jpg"]


@pytest.mark.parametrize("place", ["usb", "home/usb"])
def test_a_drive_that_is_not_mounted_does_not_look_like_deleted_photos(tmp_path: Path, place: str) -> None:
    touch(tmp_path, "home/a.jpg")
    (tmp_path / place).mkdir()
    with pytest.raises(UserError, match=r"usb: no photos below it.*mounted"):
        find_photos([tmp_path / "home", tmp_path / place])
    with pytest.raises(UserError, match="no photos below it"):
        find_photos([tmp_path / place])


def test_a_root_that_is_missing_or_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    for root in (tmp_path / "none", tmp_path / "a.jpg"):
        with pytest.raises(UserError, match="no such folder"):
            find_photos([root])


def test_names_are_nfc_whatever_the_disk_says(tmp_path: Path) -> None:
    nfc = "é/ü.jpg"
    touch(tmp_path, unicodedata.normalize("NFD", nfc))
    (photo,) = find_photos([tmp_path])
    assert photo.path == nfc and photo.photo_id == compute_photo_id(nfc)
    assert locate_file(nfc, [tmp_path]) == photo.file
    assert photo.file.read_bytes() == b"x"


def test_two_files_that_differ_in_unicode_form_only_are_one_photo(tmp_path: Path) -> None:
    touch(tmp_path, "é.jpg", unicodedata.normalize("NFD", "é.jpg"))
    found = find_photos([tmp_path])
    if len(list(tmp_path.iterdir())) == 2:  # some disks keep one form only
        assert paths(found) == ["é.jpg"]
    assert locate_file("é.jpg", [tmp_path]) == found[0].file


@pytest.mark.skipif(sys.platform == "darwin", reason="the disk refuses such names")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    touch(tmp_path, b"caf\xe9/\xff.jpg")
    (photo,) = find_photos([tmp_path])
    assert photo.path == "caf\\xe9/\\xff.jpg"
    photo.path.encode()
    assert locate_file(photo.path, [tmp_path]) == photo.file
    assert photo.file.read_bytes() == b"x"
    assert hash_content(photo.file) == hash_content(photo.file)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.gif", ["drafts/a.jpg", "x/drafts/a.jpg", "é.jpg"]),
        ("*/drafts/*", ["b.gif", "é.jpg"]),
        ("drafts", ["b.gif", "é.jpg"]),
        ("drafts/", ["b.gif", "é.jpg"]),
        ("drafts/*", ["b.gif", "x/drafts/a.jpg", "é.jpg"]),
        ("x/drafts/", ["b.gif", "drafts/a.jpg", "é.jpg"]),
        ("x", ["b.gif", "drafts/a.jpg", "é.jpg"]),
        (unicodedata.normalize("NFD", "é.*"), ["b.gif", "drafts/a.jpg", "x/drafts/a.jpg"]),
        ("nothing", ["b.gif", "drafts/a.jpg", "x/drafts/a.jpg", "é.jpg"]),
        ("[", ["b.gif", "drafts/a.jpg", "x/drafts/a.jpg", "é.jpg"]),
    ],
)
def test_patterns_leave_photos_out(tmp_path: Path, pattern: str, left: list[str]) -> None:
    touch(tmp_path, "b.gif", "drafts/a.jpg", "x/drafts/a.jpg", "é.jpg")
    assert paths(find_photos([tmp_path], [pattern])) == left


def test_a_raw_beside_its_jpeg_is_the_same_photo(tmp_path: Path) -> None:
    touch(tmp_path, "a.CR2", "a.JPG", "b.nef", "c.dng", "c.heic", "d/c.dng", "e.f.dng", "e.jpg")
    assert paths(find_photos([tmp_path])) == ["a.JPG", "b.nef", "c.heic", "d/c.dng", "e.f.dng", "e.jpg"]


# --- previews ----------------------------------------------------------------------------------------------


@pytest.fixture
def slow(tmp_path: Path) -> Photo:
    """A photo large enough, in a format slow enough, to be worth a preview."""
    (tmp_path / "photos").mkdir()
    save_turned(draw(10, (1800, 1200)), tmp_path / "photos/a.png", 6, compress_level=1)
    return find_photos([tmp_path / "photos"])[0]


@pytest.fixture
def previews(tmp_path: Path) -> PreviewCache:
    return PreviewCache(tmp_path / "previews", 256)


def kept(previews: PreviewCache) -> list[Path]:
    return sorted(file for file in previews.folder.rglob("*") if file.is_file())


def test_a_preview_spares_the_second_decoding(slow: Photo, previews: PreviewCache) -> None:
    first = previews.load_preview(slow)
    slow.file.unlink()
    second = previews.load_preview(slow)
    for picture in (first, second):
        assert picture.image.size == (256, 171)
        assert (picture.width, picture.height) == (1800, 1200)
    assert difference(second.image, draw(10, (1800, 1200))) < 6


def test_pixels_for_a_model_come_from_the_preview_if_it_has_enough(
    slow: Photo, previews: PreviewCache
) -> None:
    assert previews.load(slow, 100).image.size == (1800, 1200)
    assert len(kept(previews)) == 1
    assert previews.load(slow, 100).image.size == (256, 171)
    assert previews.load(slow, 171).image.size == (256, 171)
    assert previews.load(slow, 172).image.size == (1800, 1200)
    picture = previews.load(slow, 100)
    assert (picture.width, picture.height) == (1800, 1200)


@pytest.mark.parametrize(
    "damage", [b"", b"not a jpeg", b"\xff\xd8\xff", "half", "no size", "odd size", "words"]
)
def test_a_damaged_preview_is_made_anew(slow: Photo, previews: PreviewCache, damage: str | bytes) -> None:
    previews.load_preview(slow)
    (file,) = kept(previews)
    good = file.read_bytes()
    if damage == "half":
        file.write_bytes(good[: len(good) // 2])
    elif isinstance(damage, bytes):
        file.write_bytes(damage)
    else:
        comment = {"no size": {}, "odd size": {"comment": "1 2 3"}, "words": {"comment": "a b"}}[damage]
        draw(11).save(file, **comment)
    assert difference(previews.load_preview(slow).image, draw(10, (1800, 1200))) < 6
    assert file.read_bytes() == good


def test_a_changed_photo_never_meets_its_old_preview(slow: Photo, previews: PreviewCache) -> None:
    previews.load_preview(slow)
    draw(12, (1800, 1200)).save(slow.file, compress_level=1)
    (changed,) = find_photos([slow.file.parent])
    assert difference(previews.load_preview(changed).image, draw(12, (1800, 1200))) < 6
    assert len(kept(previews)) == 2
    previews.prune([changed])
    assert len(kept(previews)) == 1
    changed.file.unlink()
    assert difference(previews.load_preview(changed).image, draw(12, (1800, 1200))) < 6


def test_pruning_removes_what_nobody_asks_for(slow: Photo, previews: PreviewCache) -> None:
    previews.prune([slow])  # no folder yet
    previews.load_preview(slow)
    (file,) = kept(previews)
    file.with_name("a.jpg.1-2.part").touch()
    previews.prune([slow])
    assert kept(previews) == [file]
    previews.prune([])
    assert kept(previews) == []


def test_a_preview_of_another_size_is_another_preview(slow: Photo, previews: PreviewCache) -> None:
    previews.load_preview(slow)
    assert PreviewCache(previews.folder, 512).load_preview(slow).image.size == (512, 341)


def test_no_preview_is_kept_of_what_decodes_fast(tmp_path: Path, previews: PreviewCache) -> None:
    touch(tmp_path, "photos/.keep")
    draw(1, (1800, 1200)).save(tmp_path / "photos/a.jpg")
    draw(1, (96, 64)).save(tmp_path / "photos/small.png")
    large, small = find_photos([tmp_path / "photos"])
    for photo in (large, small):
        previews.load(photo, 64)
        previews.load_preview(photo)
    assert previews.load_preview(large).image.size == (256, 171)
    assert previews.load_preview(small).image.size == (96, 64)
    assert kept(previews) == []


def test_the_thumbnail_in_a_heic_is_not_kept_as_its_preview(
    tmp_path: Path, previews: PreviewCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews_module, "_WORTH_CACHING_MEGAPIXELS", 0.1)  # encoding a large HEIC takes long
    touch(tmp_path, "photos/.keep")
    save_turned(draw(13, (640, 400)), tmp_path / "photos/a.heic", 6, thumbnails=[160])
    (photo,) = find_photos([tmp_path / "photos"])
    picture = previews.load(photo, 64)
    assert max(picture.image.size) == 160 and (picture.width, picture.height) == (640, 400)
    assert kept(previews) == []
    assert previews.load_preview(photo).image.size == (256, 160)
    assert len(kept(previews)) == 1


def test_a_full_disk_costs_no_photo(slow: Photo, tmp_path: Path) -> None:
    (tmp_path / "previews").write_text("a file where the folder should be")
    picture = PreviewCache(tmp_path / "previews", 256).load_preview(slow)
    assert picture.image.size == (256, 171)


def test_a_broken_photo_has_no_preview(tmp_path: Path, previews: PreviewCache) -> None:
    touch(tmp_path, "photos/a.png")
    (photo,) = find_photos([tmp_path / "photos"])
    with pytest.raises(PhotoError):
        previews.load_preview(photo)
    assert kept(previews) == []
