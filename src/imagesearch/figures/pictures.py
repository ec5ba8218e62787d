"""Pictures for figures: thumbnails, and photos as large as a window, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from imagesearch.photos import PhotoError, decode_photo
from imagesearch.pipeline import Dataset

THUMBNAIL_PIXELS = 480
"""Of the longer side: sharp enough in a cell of a grid, and light in a grid of a hundred."""


def load_large_photo(dataset: Dataset, path: str, pixels: int) -> tuple[Image.Image | None, str]:
    """Return a photo, upright, with so many pixels on its longer side if it has them; or None and why."""
    photo = dataset.find_photo(path)
    if photo is None:
        return None, "not there any more"
    return try_decode(lambda: dataset.previews.load(photo, 0, pixels).image, pixels)


def try_decode(decode: Callable[[], Image.Image], pixels: int) -> tuple[Image.Image | None, str]:
    """Return a photo, or None and why it cannot be decoded now: while a window is open photos may go."""
    try:
        image = decode()
    except PhotoError as error:
        return None, str(error)
    image.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    return image, ""


def load_thumbnail(file: Path, max_megapixels: float) -> Image.Image:
    """Return a photo of any folder, upright, as large as a cell of a grid.

    Raises
    ------
    PhotoError
        If it cannot be decoded.
    """
    image = decode_photo(file, THUMBNAIL_PIXELS // 2, max_megapixels=max_megapixels).image
    image.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), Image.Resampling.LANCZOS)
    return image
