"""Pictures for figures: thumbnails and large photos, or the reason why a photo cannot be shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from imagesearch.photos import PhotoError, decode_photo
from imagesearch.pipeline import Dataset

THUMBNAIL_PIXELS = 480
"""Longer side of a thumbnail: sharp in a cell of a grid, and small enough for a grid of a hundred."""
MAX_JOINED = 9
"""Maximum number of pictures in one cell."""


def load_large_photo(dataset: Dataset, path: str, pixels: int) -> tuple[Image.Image | None, str]:
    """Return an upright photo with up to `pixels` pixels on its longer side, or None and the reason."""
    photo = dataset.find_photo(path)
    if photo is None:
        return None, "photo not found"
    return try_decode(lambda: dataset.previews.load(photo, 0, pixels).image, pixels)


def try_decode(decode: Callable[[], Image.Image], pixels: int) -> tuple[Image.Image | None, str]:
    """Return a photo, or None and the reason: a photo may be deleted while a window is open."""
    try:
        image = decode()
    except PhotoError as error:
        return None, str(error)
    image.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    return image, ""


def load_thumbnail(file: Path, max_megapixels: float) -> Image.Image:
    """Return an upright photo of any folder in the size of a cell of a grid.

    Raises
    ------
    PhotoError
        If it cannot be decoded.
    """
    image = decode_photo(file, THUMBNAIL_PIXELS // 2, max_megapixels=max_megapixels).image
    image.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), Image.Resampling.LANCZOS)
    return image


def join_pictures(images: Sequence[Image.Image]) -> Image.Image:
    """Return one picture, or several in rows and columns on white, together as large as a thumbnail."""
    if len(images) == 1:
        return images[0]
    columns = math.ceil(math.sqrt(len(images)))
    side = THUMBNAIL_PIXELS // columns
    joined = Image.new("RGB", (columns * side, math.ceil(len(images) / columns) * side), "white")
    for number, image in enumerate(images):
        small = image.copy()
        small.thumbnail((side - 4, side - 4), Image.Resampling.LANCZOS)
        row, column = divmod(number, columns)
        left, top = column * side + (side - small.width) // 2, row * side + (side - small.height) // 2
        joined.paste(small, (left, top))
    return joined
