"""The files ``texts.parquet`` and ``bands.json``: the vectors of the reference texts, and the score bands."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.features.encoders import ClipEncoder, get_model_id
from imagesearch.features.model_cache import get_cache_folder
from imagesearch.features.reference_texts import ABSENT_TEXTS, EVERYDAY_TEXTS
from imagesearch.features.score_bands import MIN_PHOTOS, ScoreBands, measure_bands
from imagesearch.files import atomic_write, explain_write_errors
from imagesearch.pipeline import Dataset, make_vector_column

_METADATA_KEY = b"imagesearch.key"


def save_reference_texts(config: Config, dataset: Dataset) -> None:
    """Encode the reference texts and write their vectors, unless there are vectors by this model."""
    key = _make_key(config)
    if _load_reference_texts(dataset, key) is not None:
        return
    cached = get_cache_folder() / "reference_texts" / f"{key.replace('/', '-')}.parquet"
    table = _read_texts_table(cached, key)
    if table is None:  # this model has encoded them for no dataset yet
        encoder = ClipEncoder.from_config(config.models, on_cpu=True)
        texts = [config.search.template.replace("{text}", text) for text in (*EVERYDAY_TEXTS, *ABSENT_TEXTS)]
        table = pa.table({"text": texts, "vector": make_vector_column(encoder.encode_texts(texts))})
        table = table.replace_schema_metadata({_METADATA_KEY: key.encode()})
        with contextlib.suppress(OSError, UserError), atomic_write(cached) as unfinished:
            pq.write_table(table, unfinished)
    with atomic_write(_get_texts_file(dataset)) as unfinished:
        pq.write_table(table, unfinished)


def save_bands(config: Config, dataset: Dataset, vectors: np.ndarray) -> None:
    """Measure the score bands of a collection of photos, and write them beside the tables.

    Parameters
    ----------
    config, dataset
        Name the model and the folder.
    vectors : (n, d) float32
        The vectors of all photos in the collection.
    """
    if len(vectors) < MIN_PHOTOS:  # too few to measure bands
        with explain_write_errors(file := _get_bands_file(dataset)):
            file.unlink(missing_ok=True)
        return
    key = _make_key(config)
    texts = _load_reference_texts(dataset, key)
    if texts is None or texts.shape[1] != vectors.shape[1]:
        save_reference_texts(config, dataset)
        texts = _load_reference_texts(dataset, key)
    bands = measure_bands(vectors, texts[: len(EVERYDAY_TEXTS)], texts[len(EVERYDAY_TEXTS) :])
    with atomic_write(_get_bands_file(dataset)) as unfinished:
        unfinished.write_text(json.dumps({"key": key, **bands.to_dict()}), "utf-8")


def read_reference_texts(config: Config, dataset: Dataset) -> np.ndarray | None:
    """Return the vectors of the reference texts, (n, d) float32; None if there are none by this model."""
    return _load_reference_texts(dataset, _make_key(config))


def read_bands(config: Config, dataset: Dataset, dimension: int) -> ScoreBands | None:
    """Return the score bands of a dataset's collection; None if there are none for this model."""
    try:
        values = json.loads(_get_bands_file(dataset).read_text("utf-8"))
        if values.pop("key") != _make_key(config):
            return None
        numbers = {name: float(value) for name, value in values.items() if name != "centre"}
        bands = ScoreBands.from_dict(numbers | {"centre": values["centre"]})
        return bands if bands.centre.shape == (dimension,) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a search works without score bands, and step 05 writes them again


def _load_reference_texts(dataset: Dataset, key: str) -> np.ndarray | None:
    table = _read_texts_table(_get_texts_file(dataset), key)
    return None if table is None else np.asarray(table["vector"].to_pylist(), np.float32)


def _read_texts_table(file: Path, key: str) -> pa.Table | None:
    """Return the texts and vectors in a file, or None if they are not those of the key."""
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException):
        return None
    has_columns = table.column_names == ["text", "vector"]
    return table if has_columns and (table.schema.metadata or {}).get(_METADATA_KEY) == key.encode() else None


def _make_key(config: Config) -> str:
    """Return an id of everything that decides the vectors: the model, the template and the texts."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(repr((config.search.template, EVERYDAY_TEXTS, ABSENT_TEXTS)).encode())
    return f"{get_model_id('clip', config.models.clip)}/{digest.hexdigest()}"


def _get_texts_file(dataset: Dataset) -> Path:
    return dataset.folder / "texts.parquet"


def _get_bands_file(dataset: Dataset) -> Path:
    return dataset.folder / "bands.json"
