"""Decoding photos to upright 8-bit RGB, scaled down while they are decoded where the format allows it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.photos.formats import TRANSPOSE_BY_ORIENTATION, PhotoError, open_photo, read_orientation


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo's pixels, upright and RGB, perhaps scaled down; and its full size.

    Attributes
    ----------
    image : PIL.Image.Image
        In mode RGB.
    width, height : int
        Of the whole upright photo, in pixels; ``image`` may be smaller.
    """

    image: Image.Image
    width: int
    height: int


def decode_photo(
    file: Path,
    min_short_side: int | None = None,
    min_long_side: int | None = None,
    max_megapixels: float = 200,
) -> DecodedPhoto:
    """Decode a photo to upright RGB.

    Rotation, from EXIF or from the container (HEIC, AVIF), is applied exactly once; of an animation the
    first frame is taken; transparency becomes white; 16-bit and CMYK become 8-bit RGB.

    Parameters
    ----------
    file
        Any format that `find_photos` lists.
    min_short_side
        Pixels that the shorter side must have at least, unless the photo itself is smaller. A JPEG is then
        decoded at 1/8, 1/4 or 1/2, and of a HEIC its embedded thumbnail, where that is large enough, at a
        fraction of the cost. None decodes in full.
    min_long_side
        The same for the longer side; with both, both are met.
    max_megapixels
        A photo with more decoded pixels is refused before it is decompressed.

    Raises
    ------
    PhotoError
        With the reason, whatever the reason is.
    """
    with open_photo(file) as image:
        if min_long_side:
            scaled = math.ceil(min_long_side * min(image.size) / max(image.size))
            min_short_side = max(min_short_side or 0, scaled)
        return _decode_upright(image, min_short_side, max_megapixels)


def _decode_upright(image: Image.Image, min_short_side: int | None, max_megapixels: float) -> DecodedPhoto:
    full_size = image.size
    if min_short_side:
        # does nothing unless the format can scale while it decodes
        image.draft(None, (min_short_side, min_short_side))
    drafted = image.size != full_size
    megapixels = image.size[0] * image.size[1] / 1e6
    if megapixels > max_megapixels:
        raise PhotoError(
            f"too large: {megapixels:.0f} megapixels (extraction.max_megapixels: {max_megapixels:g})"
        )
    image.load()
    # Read after load: a TIFF is turned, and its tag dropped, while it loads.
    orientation = read_orientation(image)
    pixels = _convert_to_rgb(image)
    if orientation != 1:
        pixels = pixels.transpose(TRANSPOSE_BY_ORIENTATION[orientation])
    if not drafted:
        return DecodedPhoto(pixels, *pixels.size)
    width, height = full_size if orientation < 5 else full_size[::-1]
    return DecodedPhoto(pixels, width, height)


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
    """Scale wide greyscale values to 0..255 by the smallest usual range that holds them all."""
    values = np.where(np.isnan(values), 0, values)
    top = float(values.max(initial=0, where=np.isfinite(values)))
    # floats have highlights somewhat above 1, which are clipped
    limit = 1.0 if top <= 16 else next((limit for limit in (255.0, 65535.0) if top <= limit), top)
    return np.clip(values * (255 / limit), 0, 255).astype(np.uint8)
