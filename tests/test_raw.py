"""Camera RAW: the embedded preview if it is large enough, else the developed image, always upright."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from photo_files import get_paths, make_files, read_decode_error
from PIL import Image

from imagesearch.photos import decode_photo, discovery, find_photos, formats


def make_dng(raw: np.ndarray, orientation: int = 1, preview: Image.Image | None = None) -> bytes:
    """Return a DNG with as few tags as a decoder needs: a Bayer mosaic, perhaps a JPEG preview before it."""
    kinds = {"B": (1, "B", 1), "H": (3, "H", 1), "I": (4, "I", 1), "R": (5, "I", 2), "r": (10, "i", 2)}
    height, width = raw.shape
    mosaic = raw.astype("<u2").tobytes()
    matrix = [v for x in np.eye(3, dtype=int).ravel().tolist() for v in (x, 1)]
    camera = [(271, "B", [*b"Maker\0"]), (272, "B", [*b"Camera\0"]), (50708, "B", [*b"Maker Camera\0"])]
    camera += [(274, "H", [orientation]), (50706, "B", [1, 4, 0, 0]), (50707, "B", [1, 1, 0, 0])]
    camera += [(50721, "r", matrix), (50728, "R", [1, 1] * 3), (50778, "H", [21])]

    def pack_directory(tags: list[tuple[int, str, list[int]]], start: int) -> bytes:
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

    def make_image_tags(
        kind: int, size: tuple[int, int], bits: list[int], data: tuple[int, int], form: list[int]
    ):
        compression, photometric = form
        return [
            (254, "I", [kind]), (256, "I", [size[0]]), (257, "I", [size[1]]), (258, "H", bits),
            (259, "H", [compression]), (262, "H", [photometric]), (273, "I", [data[0]]),
            (277, "H", [len(bits)]), (278, "I", [size[1]]), (279, "I", [data[1]]),
        ]  # fmt: skip

    def make_sensor_tags(place: int) -> list[tuple[int, str, list[int]]]:
        tags = make_image_tags(0, (width, height), [16], (place, len(mosaic)), [1, 32803])
        return [*tags, (33421, "H", [2, 2]), (33422, "B", [0, 1, 1, 2]), (50717, "I", [65535])]

    header = struct.pack("<2sHI", b"II", 42, 8)
    if preview is None:
        place = 8 + len(pack_directory(camera + make_sensor_tags(0), 8))
        return header + pack_directory(camera + make_sensor_tags(place), 8) + mosaic
    stream = io.BytesIO()
    preview.save(stream, "JPEG")
    jpeg = stream.getvalue()

    def pack_first_directory(sub: int, place: int) -> bytes:
        tags = make_image_tags(1, preview.size, [8, 8, 8], (place, len(jpeg)), [7, 6])
        return pack_directory([*camera, *tags, (330, "I", [sub])], 8)

    sub = 8 + len(pack_first_directory(0, 0))
    place = sub + len(pack_directory(make_sensor_tags(0), sub))
    return (
        header
        + pack_first_directory(sub, place)
        + pack_directory(make_sensor_tags(place + len(jpeg)), sub)
        + jpeg
        + mosaic
    )


# Bright at the top left of what the sensor saw, dark everywhere else.
SENSOR = np.full((96, 128), 500)
SENSOR[:40, :50] = 60_000


def find_brightest_corner(image: Image.Image) -> str:
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
    (tmp_path / "a.dng").write_bytes(make_dng(SENSOR, orientation))
    decoded = decode_photo(find_photos([tmp_path])[0].file)
    assert (decoded.width, decoded.height) == decoded.image.size == size
    assert find_brightest_corner(decoded.image) == corner


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, "top left"), (3, "bottom right"), (6, "top right"), (8, "bottom left")]
)
def test_the_preview_of_a_raw_is_taken_and_turned(tmp_path: Path, orientation: int, corner: str) -> None:
    preview = Image.new("RGB", (96, 72), "black")
    preview.paste("red", (0, 0, 40, 30))
    (tmp_path / "a.dng").write_bytes(make_dng(SENSOR, orientation, preview))
    decoded = decode_photo(tmp_path / "a.dng")
    assert decoded.image.size == ((96, 72) if orientation < 5 else (72, 96))
    assert find_brightest_corner(decoded.image) == corner
    red, green, _ = np.asarray(decoded.image, float).max(axis=(0, 1))
    assert red > 200 and green < 60


def test_a_small_thumbnail_or_a_broken_preview_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.dng").write_bytes(make_dng(SENSOR, preview=Image.new("RGB", (16, 12), "red")))
    assert decode_photo(tmp_path / "a.dng").image.size == (64, 48)
    whole = make_dng(SENSOR, preview=Image.new("RGB", (96, 72), "red"))
    start = whole.index(b"\xff\xd8\xff")
    (tmp_path / "b.dng").write_bytes(whole[: start + 3] + bytes(300) + whole[start + 303 :])
    assert decode_photo(tmp_path / "b.dng").image.size == (64, 48)


def test_a_file_that_is_not_a_raw_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nef").write_bytes(b"hello" * 100)
    message = read_decode_error(tmp_path / "a.nef")
    assert "cannot be decoded" in message and "b'" not in message


def test_without_the_optional_package_raw_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path, "a.cr2", "b.jpg")
    for module in (discovery, formats):
        monkeypatch.setattr(module, "is_raw_supported", lambda: False)
    assert get_paths(find_photos([tmp_path])) == ["b.jpg"]
    assert 'pip install -e ".[raw]"' in read_decode_error(tmp_path / "a.cr2")
