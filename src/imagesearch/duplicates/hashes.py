"""The table ``hashes``: a perceptual hash and the sharpness of each photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from imagesearch.photos import DecodedPhoto, Photo
from imagesearch.pipeline import BatchOutput, Dataset, Progress, StepSpec, StepSummary

# Must change whenever the values of the table change, so that all photos are hashed again.
_FINGERPRINT = "hashes/1"
_BATCH_SIZE = 64
_SIDE = 512  # longer side of the pixels that sharpness is measured on
_SCHEMA = pa.schema([("photo_id", pa.int64()), ("hash", pa.uint64()), ("sharpness", pa.float32())])


@dataclass(frozen=True, slots=True)
class PhotoHash:
    """The perceptual hash of a photo, 64 bits, and its sharpness: the variance of its Laplacian."""

    bits: int
    sharpness: float


def update_hashes(
    dataset: Dataset, *, retry_failed: bool = False, progress: Progress | None = None
) -> StepSummary:
    """Bring the table ``hashes`` up to date with a dataset's photos.

    Parameters
    ----------
    dataset
        The photos and the tables.
    retry_failed, progress
        See `imagesearch.pipeline.Dataset.update_tables`.
    """
    step = StepSpec("hashes", (dataset.open_table("hashes"),), _FINGERPRINT, HashProcessor)
    return dataset.update_tables([step], batch_size=_BATCH_SIZE, retry_failed=retry_failed, progress=progress)


def read_hashes(dataset: Dataset) -> dict[int, PhotoHash]:
    """Return the hashes of the dataset's photos by photo id; photos that failed are left out."""
    rows = dataset.open_table("hashes").read_rows(dataset.read_current_entries("hashes").values())
    if rows is None or "hash" not in rows.column_names:
        return {}
    columns = (rows[name].to_pylist() for name in _SCHEMA.names)
    return {i: PhotoHash(bits, sharpness) for i, bits, sharpness in zip(*columns, strict=True)}


class HashProcessor:
    """Hashes photos; a `imagesearch.pipeline.steps.Processor`."""

    min_short_side, min_long_side = 0, _SIDE

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> PhotoHash:
        if decoded is None:
            raise TypeError("expected a decoded photo")
        return compute_hash(decoded.image)

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        columns = [photo_ids, [one.bits for one in inputs], [one.sharpness for one in inputs]]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)]
        return BatchOutput({"hashes": pa.table(arrays, schema=_SCHEMA)})


def compute_hash(image: Image.Image) -> PhotoHash:
    """Return the perceptual hash of an image, and its sharpness.

    Sharpness is measured after scaling the image to the same size as all others, because it depends on the
    size. The hash is pHash: the signs of the low frequencies of the image, as `imagehash` computes it.
    """
    import cv2
    import imagehash

    grey = image.convert("L")
    bits = np.packbits(imagehash.phash(grey).hash.flatten()).tobytes()
    grey.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    sharpness = cv2.Laplacian(np.asarray(grey, np.float32), cv2.CV_32F).var()
    return PhotoHash(int.from_bytes(bits, "big"), float(sharpness))
