"""Decodes photos to upright 8-bit RGB, and scales them down during decoding where the format allows it."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.photos.damaged_jpeg import complete_jpeg
from imagesearch.photos.formats import (
    TRANSPOSE_BY_ORIENTATION,
    PhotoError,
    explain_too_large,
    open_photo,
    read_orientation,
)
from imagesearch.photos.progressive_jpeg import select_scans_for_eighth


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """The upright pixels of a photo, which may be scaled down, and its full size.

    Attributes
    ----------
    image : PIL.Image.Image
        The pixels in mode RGB.
    width, height : int
        Size of the whole upright photo in pixels; ``image`` may be smaller.
    remark : str
        What is missing of a damaged photo that is decoded in part; else empty.
    """

    image: Image.Image
    width: int
    height: int
    remark: str = ""


def decode_photo(
    file: Path,
    min_short_side: int | None = None,
    min_long_side: int | None = None,
    max_megapixels: float = 200,
) -> DecodedPhoto:
    """Decode a photo to upright RGB.

    Rotation from EXIF or from the container (HEIC, AVIF) is applied exactly once. Only the first frame of an
    animation is decoded. Transparent pixels become white; 16-bit and CMYK pixels become 8-bit RGB. A JPEG
    whose end is missing is decoded if nearly all of it is there (see `imagesearch.photos.damaged_jpeg`).

    Parameters
    ----------
    file
        A photo in any format that `find_photos` lists.
    min_short_side
        Minimum number of pixels of the shorter side, unless the photo itself is smaller. A JPEG can then be
        decoded at 1/8, 1/4 or 1/2 of its size, and a HEIC replaced by its embedded thumbnail if that is large
        enough, in a fraction of the time. None decodes in full.
    min_long_side
        Minimum number of pixels of the longer side. If both minimums are given, both are met.
    max_megapixels
        A photo with more decoded pixels is rejected before it is decompressed.

    Raises
    ------
    PhotoError
        If the photo cannot be decoded, for any reason.
    """
    with open_photo(file) as image:
        if min_long_side:
            scaled = math.ceil(min_long_side * min(image.size) / max(image.size))
            min_short_side = max(min_short_side or 0, scaled)
        return _decode_upright(image, min_short_side, max_megapixels)


def _decode_upright(image: Image.Image, min_short_side: int | None, max_megapixels: float) -> DecodedPhoto:
    full_size = image.size
    if min_short_side:
        # has no effect unless the format can be scaled during decoding
        image.draft(None, (min_short_side, min_short_side))
    drafted = image.size != full_size
    megapixels = image.size[0] * image.size[1] / 1e6
    if megapixels > max_megapixels:
        raise PhotoError(explain_too_large(megapixels, max_megapixels))
    source = (_open_eighth(image, full_size, min_short_side) if drafted and min_short_side else None) or image
    source, remark = _load_pixels(source, min_short_side)
    # Read after load, which rotates a TIFF and drops its tag.
    orientation = read_orientation(image)
    pixels = _convert_to_rgb(source)
    if orientation != 1:
        pixels = pixels.transpose(TRANSPOSE_BY_ORIENTATION[orientation])
    if not drafted:
        return DecodedPhoto(pixels, *pixels.size, remark)
    width, height = full_size if orientation < 5 else full_size[::-1]
    return DecodedPhoto(pixels, width, height, remark)


def _load_pixels(image: Image.Image, min_short_side: int | None) -> tuple[Image.Image, str]:
    """Load an image, or its copy with an end mark if its end is missing; return it and what is missing."""
    try:
        image.load()
        return image, ""
    except OSError:
        completed = complete_jpeg(_read_data(image)) if image.format in ("JPEG", "MPO") else None
        if completed is None:
            raise
    copy = Image.open(io.BytesIO(completed.data), formats=["JPEG"])
    if min_short_side:
        copy.draft(None, (min_short_side, min_short_side))
    copy.load()
    return copy, completed.remark


def _read_data(image: Image.Image) -> bytes:
    """Return the content of an image's file, which Pillow has closed after some errors; else nothing."""
    if image.fp:
        image.fp.seek(0)
        return image.fp.read()
    return Path(image.filename).read_bytes() if image.filename else b""


def _open_eighth(image: Image.Image, full_size: tuple[int, int], min_short_side: int) -> Image.Image | None:
    """Return a progressive JPEG that is decoded at 1/8, without the scans that are not needed; else None."""
    eighth = tuple(math.ceil(side / 8) for side in full_size)
    if not image.info.get("progressive") or image.size != eighth or not image.fp:
        return None
    image.fp.seek(0)
    scans = select_scans_for_eighth(image.fp.read())
    if scans is None:
        return None
    try:
        reduced = Image.open(io.BytesIO(scans), formats=["JPEG"])
        reduced.draft(None, (min_short_side, min_short_side))
        reduced.load()
    except Exception:  # whatever is wrong with it, the whole file may be decoded
        return None
    return reduced if reduced.size == image.size else None


def _convert_to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(_scale_to_8_bit(np.asarray(image, np.float32))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _scale_to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale greyscale values of more than 8 bits to 0..255, by the smallest common range that holds them."""
    values = np.where(np.isnan(values), 0, values)
    top = float(values.max(initial=0, where=np.isfinite(values)))
    # highlights of floating-point photos are somewhat above 1; they are clipped
    limit = 1.0 if top <= 16 else next((limit for limit in (255.0, 65535.0) if top <= limit), top)
    return np.clip(values * (255 / limit), 0, 255).astype(np.uint8)
