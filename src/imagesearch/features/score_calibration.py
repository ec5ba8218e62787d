"""What scores mean in a collection: the vectors of known texts, and the bands that their scores lie in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.config import Config
from imagesearch.features.encoders import ClipEncoder, get_model_id
from imagesearch.features.score_bands import ABSENT_TEXTS, EVERYDAY_TEXTS, ScoreBands, measure_bands
from imagesearch.files import atomic_write
from imagesearch.pipeline import Dataset, make_vector_column

_KEY = b"imagesearch.key"
_FEWEST = 20  # photos whose scores can be measured


class _TextEncoder(Protocol):
    def encode_texts(self, texts: list[str]) -> np.ndarray: ...


def save_reference_texts(config: Config, dataset: Dataset, encoder: _TextEncoder) -> None:
    """Encode the texts that scores are compared with, unless that was done by this model."""
    key = _make_key(config)
    if _load_reference_texts(dataset, key) is not None:
        return
    texts = [config.search.template.replace("{text}", text) for text in (*EVERYDAY_TEXTS, *ABSENT_TEXTS)]
    table = pa.table({"text": texts, "vector": make_vector_column(encoder.encode_texts(texts))})
    with atomic_write(_texts_file(dataset)) as unfinished:
        pq.write_table(table.replace_schema_metadata({_KEY: key.encode()}), unfinished)


def save_bands(config: Config, dataset: Dataset, vectors: np.ndarray) -> None:
    """Measure what the scores of texts mean in a collection of photos, and keep it beside the tables.

    Parameters
    ----------
    config, dataset
        Name the model, and where.
    vectors : (n, d) float32
        Of all photos in the collection.
    """
    if len(vectors) < _FEWEST:  # their scores say nothing of what scores mean
        _bands_file(dataset).unlink(missing_ok=True)
        return
    key = _make_key(config)
    texts = _load_reference_texts(dataset, key)
    if texts is None or texts.shape[1] != vectors.shape[1]:
        models = config.models
        save_reference_texts(config, dataset, ClipEncoder(models.clip, models.device, models.precision))
        texts = _load_reference_texts(dataset, key)
    bands = measure_bands(vectors, texts[: len(EVERYDAY_TEXTS)], texts[len(EVERYDAY_TEXTS) :])
    with atomic_write(_bands_file(dataset)) as unfinished:
        unfinished.write_text(json.dumps({"key": key, **bands.to_dict()}), "utf-8")


def read_reference_texts(config: Config, dataset: Dataset) -> np.ndarray | None:
    """Return the vectors of the texts that scores are compared with, (n, d) float32, if they are known."""
    return _load_reference_texts(dataset, _make_key(config))


def read_bands(config: Config, dataset: Dataset, dimension: int) -> ScoreBands | None:
    """Return what scores mean in a dataset's collection; None where that is not known of this model."""
    try:
        kept = json.loads(_bands_file(dataset).read_text("utf-8"))
        if kept.pop("key") != _make_key(config):
            return None
        numbers = {name: float(value) for name, value in kept.items() if name != "centre"}
        bands = ScoreBands.from_dict(numbers | {"centre": kept["centre"]})
        return bands if bands.centre.shape == (dimension,) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a search without it says less, and 05 writes it anew


def _load_reference_texts(dataset: Dataset, key: str) -> np.ndarray | None:
    try:
        table = pq.read_table(_texts_file(dataset))
        if (table.schema.metadata or {}).get(_KEY) != key.encode():
            return None
        return np.asarray(table["vector"].to_pylist(), np.float32)
    except (OSError, pa.ArrowException, KeyError):
        return None


def _make_key(config: Config) -> str:
    """What the vectors of the texts depend on."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(repr((config.search.template, EVERYDAY_TEXTS, ABSENT_TEXTS)).encode())
    return f"{get_model_id('clip', config.models.clip)}/{digest.hexdigest()}"


def _texts_file(dataset: Dataset) -> Path:
    return dataset.folder / "texts.parquet"


def _bands_file(dataset: Dataset) -> Path:
    return dataset.folder / "bands.json"
