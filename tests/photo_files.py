"""Photo files for tests: rotated as a camera stores them, or placeholders with the name of a photo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagesearch.photos import Photo, PhotoError, decode_photo

ORIENTATION = 0x0112
# How to transpose an upright image into the pixels that a camera stores, by EXIF orientation.
STORED_TRANSPOSE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def make_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def save_turned(upright: Image.Image, file: Path, orientation: int, **options) -> Path:
    """Save an upright image as a camera in the given orientation does."""
    turn = STORED_TRANSPOSE[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    quality = {} if file.suffix in (".png", ".tif") else {"quality": 95}
    # given as bytes, pillow-heif also writes the rotation of the container, as phones do
    stored.save(file, exif=make_exif(orientation).tobytes(), **quality, **options)
    return file


def compare_images(a: Image.Image, b: Image.Image) -> float:
    """Return the mean absolute difference of two images in grey levels, at the size of the smaller."""
    size = min(a.size, b.size)
    first, second = (np.asarray(p.convert("RGB").resize(size, Image.Resampling.BOX), float) for p in (a, b))
    return float(np.abs(first - second).mean())


def read_decode_error(file: Path, **options) -> str:
    """Return the error message of a photo that cannot be decoded, which must be one line."""
    with pytest.raises(PhotoError) as caught:
        decode_photo(file, **options)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


def make_files(folder: Path, *paths: str | bytes) -> None:
    """Make placeholder files with the names of photos, which is enough to find them."""
    for path in paths:
        file = folder / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def get_paths(photos: Sequence[Photo]) -> list[str]:
    return [photo.path for photo in photos]
