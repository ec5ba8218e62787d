"""Step 07: ViT classes of any photos on disk. It requires no collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.features.encoders import VitEncoder
from imagesearch.photos import PhotoError, decode_photo, list_photos
from imagesearch.pipeline import Dataset, find_photo_file


@dataclass(frozen=True)
class Classification:
    """The most probable labels of a photo with their probabilities, or the error if there are none."""

    file: Path
    classes: tuple[tuple[str, float], ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as ``--json`` prints them."""
        if self.error:
            return {"path": str(self.file), "error": self.error}
        classes = [{"label": label, "score": round(score, 6)} for label, score in self.classes]
        return {"path": str(self.file), "classes": classes}


def list_photo_files(
    paths: Sequence[Path], dataset: Dataset | None = None
) -> tuple[list[Path], dict[Path, str]]:
    """Return the given files and the photos below the given folders, and why others below them are left out.

    Other names are those of photos of the dataset, if there is one, as `find_photo_file` finds them.

    Raises
    ------
    UserError
        If a path does not exist, a name belongs to several photos, or a folder has no photos below it.
    """
    files: list[Path] = []
    left_out: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            listing = list_photos([path.absolute()])
            files += [photo.file for photo in listing.photos]
            left_out |= {path / name: reason for name, reason in listing.left_out.items()}
        elif path.is_file():
            files.append(path)
        elif dataset is not None:
            files.append(find_photo_file(path, dataset))
        else:
            raise UserError(f"{path}: no such file or folder")
    return files, left_out


def classify_photos(config: Config, files: Sequence[Path], top_k: int = 5) -> Iterator[Classification]:
    """Classify photos with the ViT of the config, and yield the results in the order of the files.

    Parameters
    ----------
    config
        Names the model and its device.
    files
        Photos in any format. The result of a photo that cannot be decoded has an error.
    top_k
        Number of labels for each photo.

    Raises
    ------
    UserError
        If the model cannot be loaded, or has no trained classification head.
    """
    encoder = VitEncoder.from_config(config.models)
    if not encoder.labels:
        raise UserError(
            f"models.vit: {config.models.vit} has no trained classification head, so it has no labels"
        )
    size = config.extraction.batch_size
    for start in range(0, len(files), size):
        batch = files[start : start + size]
        # Each photo is preprocessed as soon as it is decoded: a batch of decoded photos takes gigabytes of
        # memory, a batch of inputs only megabytes.
        preprocessed = [_preprocess_file(encoder, file, config.extraction.max_megapixels) for file in batch]
        inputs = [pixels for pixels, _ in preprocessed if pixels is not None]
        labels = iter(encoder.classify_batch(inputs, top_k) if inputs else ())
        for file, (pixels, error) in zip(batch, preprocessed, strict=True):
            yield (
                Classification(file, error=error)
                if pixels is None
                else Classification(file, tuple(next(labels)))
            )


def _preprocess_file(encoder: VitEncoder, file: Path, max_megapixels: float) -> tuple[np.ndarray | None, str]:
    try:
        picture = decode_photo(file, encoder.input_side, max_megapixels=max_megapixels)
        return encoder.preprocess(picture.image), ""
    except PhotoError as error:
        return None, str(error)
