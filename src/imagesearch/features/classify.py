"""Step 07: ViT classes of photos anywhere on the disk; needs no collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.features.encoders import VitEncoder
from imagesearch.photos import PhotoError, decode_photo, find_photos


@dataclass(frozen=True)
class Classification:
    """One photo's most probable labels with their probabilities, or why there are none."""

    file: Path
    classes: tuple[tuple[str, float], ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        if self.error:
            return {"path": str(self.file), "error": self.error}
        classes = [{"label": label, "score": round(score, 6)} for label, score in self.classes]
        return {"path": str(self.file), "classes": classes}


def list_photo_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are given, and the photos below the folders that are given.

    Raises
    ------
    UserError
        If a path does not exist, or there are no photos below a folder.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += [photo.file for photo in find_photos([path.absolute()])]
        elif path.is_file():
            files.append(path)
        else:
            raise UserError(f"{path}: no such file or folder")
    return files


def classify_photos(config: Config, files: Sequence[Path], top_k: int = 5) -> Iterator[Classification]:
    """Classify photos with the ViT that the config names, in the order given.

    Parameters
    ----------
    config
        Names the model and its device.
    files
        Photos in any format; one that cannot be decoded is reported in its place.
    top_k
        Labels for each.

    Raises
    ------
    UserError
        If the model cannot be loaded, or has no trained classification head.
    """
    models = config.models
    encoder = VitEncoder(models.vit, models.device, models.precision)
    if not encoder.labels:
        raise UserError(f"models.vit: {models.vit} has no trained classification head, so it knows no labels")
    size = config.extraction.batch_size
    for start in range(0, len(files), size):
        batch = files[start : start + size]
        # preprocessed at once: 32 decoded photos would be gigabytes, 32 preprocessed ones are megabytes
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
