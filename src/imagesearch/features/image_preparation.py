"""Resizing and cropping photos to a model's input with Pillow, as the model's own image processor does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

# The image processors of transformers that only resize, crop at the center, rescale and normalize.
_KNOWN_PROCESSORS = ("BitImageProcessor", "CLIPImageProcessor", "DeiTImageProcessor", "SiglipImageProcessor")
_KNOWN_PROCESSORS += ("ViTImageProcessor",)
# A photo whose longer side is more than this many times the shorter side is cropped to its middle first. The
# shorter side is scaled to the input size before the middle is cropped, so a strip of 20,000 x 200 pixels
# would be enlarged to 100 times the length of the input. The final crop is the same.
_LONGEST_ASPECT = 3


@dataclass(frozen=True)
class ImagePreparation:
    """The settings of an image processor.

    Parameters
    ----------
    size
        Height and width that photos are resized to, or, with a single number, the length of the shorter side.
    crop
        Height and width of the center crop; None for no crop.
    resample
        One of Pillow's resampling filters.
    scale, shift
        For each channel, the model's input is ``pixel * scale + shift``.
    """

    size: tuple[int, ...]
    crop: tuple[int, int] | None
    resample: int
    scale: tuple[float, float, float]
    shift: tuple[float, float, float]

    @classmethod
    def from_processor(cls, processor: Any) -> ImagePreparation | None:
        """Return the settings of an image processor of transformers, or None if it does anything else."""
        name = type(processor).__name__.removesuffix("Pil").removesuffix("Fast")
        size, crop = dict(processor.size or {}), dict(processor.crop_size or {})
        lengths = (size.get("shortest_edge"),) if set(size) == {"shortest_edge"} else None
        if set(size) == {"height", "width"}:
            lengths = (size["height"], size["width"])
        does_crop = bool(getattr(processor, "do_center_crop", False))
        cropped = (crop.get("height"), crop.get("width")) if does_crop else None
        if name not in _KNOWN_PROCESSORS or not processor.do_resize or lengths is None:
            return None
        if getattr(processor, "do_pad", False) or (cropped and max(cropped) > min(lengths)):
            return None
        return cls(lengths, cropped, int(processor.resample), *compute_normalization(processor))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ImagePreparation:
        """Return the settings that `dataclasses.asdict` has made a dict of, also after JSON."""
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})

    @property
    def input_side(self) -> int:
        """Minimum number of pixels of a photo's shorter side, so that it is not enlarged."""
        return max(self.size)

    @property
    def input_shape(self) -> tuple[int, int]:
        """Height and width of the model's input; if photos are not cropped, they have a fixed size."""
        return self.crop or self.size  # type: ignore[return-value]

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Resize and crop an RGB photo, (3, height, width) uint8."""
        if self.crop:
            image = crop_long_photo(image)
        resized = image.resize(self._get_resized_size(image), self.resample)
        if self.crop:
            resized = _crop_center(resized, *self.crop)
        return np.ascontiguousarray(np.moveaxis(np.asarray(resized), -1, 0))

    def _get_resized_size(self, image: Image.Image) -> tuple[int, int]:
        """Return width and height."""
        if len(self.size) == 2:
            return self.size[1], self.size[0]
        width, height = image.size
        short = self.size[0]
        long = int(short * max(width, height) / min(width, height))
        return (short, long) if width <= height else (long, short)


def compute_normalization(processor: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return scale and shift of each channel: (x * factor - mean) / std is x * scale + shift."""
    factor = processor.rescale_factor if processor.do_rescale else 1.0
    mean = processor.image_mean if processor.do_normalize else [0.0] * 3
    std = processor.image_std if processor.do_normalize else [1.0] * 3
    scale = tuple(float(factor / s) for s in std)
    return scale, tuple(float(-m / s) for m, s in zip(mean, std, strict=True))


def crop_long_photo(image: Image.Image) -> Image.Image:
    """Crop a photo that is much longer than wide to its middle; see `_LONGEST_ASPECT`."""
    width, height = image.size
    longest = _LONGEST_ASPECT * min(width, height)
    if max(width, height) <= longest:
        return image
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return image.crop((left, top, width - left, height - top))


def _crop_center(image: Image.Image, height: int, width: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
