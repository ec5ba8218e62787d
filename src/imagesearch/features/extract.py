"""Step 01: CLIP vectors, ViT vectors and ViT classes of all photos; each photo is decoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.config import Config, ModelsConfig
from imagesearch.errors import UserError
from imagesearch.features.encoders import (
    ClipEncoder,
    VitEncoder,
    fingerprint_encoder,
    load_preparation,
    select_top_k,
)
from imagesearch.features.score_calibration import save_reference_texts
from imagesearch.files import make_folder
from imagesearch.photos import DecodedPhoto, Photo, compute_photo_id
from imagesearch.pipeline import (
    BatchOutput,
    Dataset,
    Progress,
    StepSpec,
    StepSummary,
    Table,
    make_vector_column,
)

VECTOR_KINDS = ("clip", "vit")


def extract_features(
    config: Config,
    dataset: Dataset,
    *,
    only: Sequence[str] = VECTOR_KINDS,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> StepSummary:
    """Bring the tables ``clip``, ``vit`` and ``classes`` up to date with a dataset's photos.

    Parameters
    ----------
    config
        Names the models and the batch size.
    dataset
        The photos and the tables.
    only
        The kinds of vectors to extract, from `VECTOR_KINDS`. Tables of other kinds are not changed.
    retry_failed, progress
        See `imagesearch.pipeline.Dataset.update_tables`.

    Raises
    ------
    UserError
        If a model or a root of the dataset cannot be found, or another run is writing to the tables.
    """
    dataset.refuse_imported()  # before a model is downloaded
    _ = dataset.photos  # reports a missing folder before a missing model
    step_makers = {"clip": _make_clip_step, "vit": _make_vit_step}
    summary = dataset.update_tables(
        [step_makers[kind](config, dataset) for kind in only],
        retry_failed=retry_failed,
        progress=progress,
    )
    if "clip" in only and summary.new:
        save_reference_texts(config, dataset)
    return summary


def check_export_prefix(prefix: Path) -> None:
    """Check the prefix of an export and make its folder, so that an error is raised before the extraction.

    Raises
    ------
    UserError
        If the prefix has no file name, or the folder cannot be made.
    """
    if not prefix.name:
        raise UserError(f"--export-npy {prefix}: expected a prefix of file names, got a folder")
    make_folder(prefix.parent)


def export_npy(dataset: Dataset, prefix: Path, kinds: Sequence[str] = VECTOR_KINDS) -> tuple[int, list[Path]]:
    """Write ``PREFIX_clip.npy``, ``PREFIX_vit.npy`` and ``PREFIX_paths.txt`` with rows in the same order.

    Only photos with vectors of all these kinds are written. The paths are written one per line.

    Parameters
    ----------
    dataset
        The photos and the tables.
    prefix
        The files' path without ``_clip.npy``.
    kinds
        The kinds of vectors to write, from `VECTOR_KINDS`.

    Returns
    -------
    count : int
        Number of rows.
    files : list of Path
        The files.

    Raises
    ------
    UserError
        If no photo has these vectors, or `check_export_prefix` fails.
    """
    entries = {kind: dataset.read_current_entries(kind) for kind in kinds}
    photos = [photo for photo in dataset.photos if all(photo.photo_id in e for e in entries.values())]
    if not photos:
        names = " and ".join({"clip": "CLIP", "vit": "ViT"}[kind] for kind in kinds)
        raise UserError(f"no photo has {names} vectors; run 01_extract_features.py first")
    check_export_prefix(prefix)
    files = []
    for kind in kinds:
        ids, vectors = dataset.open_table(kind).read_vectors(
            entries[kind][photo.photo_id] for photo in photos
        )
        row_by_id = {int(photo_id): row for row, photo_id in enumerate(ids)}
        files.append(prefix.with_name(f"{prefix.name}_{kind}.npy"))
        np.save(files[-1], vectors[[row_by_id[photo.photo_id] for photo in photos]], allow_pickle=False)
    files.append(prefix.with_name(f"{prefix.name}_paths.txt"))
    files[-1].write_text("".join(f"{photo.path}\n" for photo in photos), "utf-8")
    return len(photos), files


def read_classes(dataset: Dataset, paths: Sequence[str]) -> dict[str, list[tuple[str, float]]]:
    """Return the ViT labels of some photos and their probabilities, the most probable first, by path.

    Photos that were not classified are left out.
    """
    if dataset.imported is not None:
        return {}
    path_by_id = {compute_photo_id(path): path for path in paths}
    table = dataset.open_table("classes")
    rows = table.read_rows(table.read_processed(pa.array(sorted(path_by_id), pa.int64())).values())
    classes: dict[str, list[tuple[str, float]]] = {}
    if rows is not None:
        ordered = rows.sort_by([("photo_id", "ascending"), ("rank", "ascending")])
        columns = (ordered[name].to_pylist() for name in ("photo_id", "label", "score"))
        for photo_id, label, score in zip(*columns, strict=True):
            classes.setdefault(path_by_id[photo_id], []).append((label, score))
    return classes


def _make_clip_step(config: Config, dataset: Dataset) -> StepSpec:
    tables, models = (dataset.open_table("clip"),), config.models
    return _make_step(
        "clip", tables, partial(_fingerprint_clip, models), partial(_ClipProcessor, models), models
    )


def _make_vit_step(config: Config, dataset: Dataset) -> StepSpec:
    tables = (dataset.open_table("vit"), dataset.open_table("classes"))
    models, top_k = config.models, config.extraction.top_classes
    return _make_step(
        "vit", tables, partial(_fingerprint_vit, models, top_k), partial(_VitProcessor, models, top_k), models
    )


def _make_step(
    name: str,
    tables: tuple[Table, ...],
    compute_fingerprint: Callable[[], str],
    make_processor: Callable[[], Any],
    models: ModelsConfig,
) -> StepSpec:
    uses_gpu = models.device in ("auto", "cuda")
    return StepSpec(name, tables, compute_fingerprint(), make_processor, compute_fingerprint, uses_gpu)


def _fingerprint_clip(models: ModelsConfig) -> str:
    return fingerprint_encoder("clip", models.clip, models.device, models.precision)


def _fingerprint_vit(models: ModelsConfig, top_k: int) -> str:
    return f"{fingerprint_encoder('vit', models.vit, models.device, models.precision)}/top{top_k}"


class _ClipProcessor:
    """Encodes photos; the weights are loaded with the first batch, `prepare` does not require them."""

    def __init__(self, models: ModelsConfig) -> None:
        self._models, self._preparation = models, load_preparation("clip", models)
        self.min_short_side, self.min_long_side = self._preparation.input_side, 0
        self._encoder: ClipEncoder | None = None

    def prepare(self, photo: Photo, decoded: DecodedPhoto) -> np.ndarray:
        return self._preparation.prepare(decoded.image)

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        self._encoder = self._encoder or ClipEncoder.from_config(self._models)
        table, errors = _make_vector_table(photo_ids, self._encoder.encode_images(inputs))
        return BatchOutput({"clip": table}, errors)


class _VitProcessor:
    """Encodes and classifies photos; the weights are loaded with the first batch."""

    def __init__(self, models: ModelsConfig, top_k: int) -> None:
        self._models, self._preparation = models, load_preparation("vit", models)
        self._top_k = top_k
        self.min_short_side, self.min_long_side = self._preparation.input_side, 0
        self._encoder: VitEncoder | None = None

    def prepare(self, photo: Photo, decoded: DecodedPhoto) -> np.ndarray:
        return self._preparation.prepare(decoded.image)

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        encoder = self._encoder = self._encoder or VitEncoder.from_config(self._models)
        vectors, probabilities = encoder.encode(inputs)
        table, errors = _make_vector_table(photo_ids, vectors)
        classes = [
            (photo_id, rank, encoder.labels[i], float(row[i]))
            for photo_id, row in zip(photo_ids, probabilities, strict=True)
            if photo_id not in errors
            for rank, i in enumerate(select_top_k(row, self._top_k))
        ]
        return BatchOutput({"vit": table, "classes": _make_class_table(classes)}, errors)


def _make_vector_table(photo_ids: list[int], vectors: np.ndarray) -> tuple[pa.Table, dict[int, str]]:
    """Return a table of photo_id and vector, and an error for each photo whose vector is not finite."""
    finite = np.isfinite(vectors).all(axis=1)
    reason = "the model returned a vector that is not finite; try models.precision: float32"
    errors = {photo_id: reason for photo_id, ok in zip(photo_ids, finite, strict=True) if not ok}
    ids = pa.array(np.asarray(photo_ids, np.int64)[finite])
    return pa.table({"photo_id": ids, "vector": make_vector_column(vectors[finite])}), errors


def _make_class_table(rows: list[tuple[int, int, str, float]]) -> pa.Table:
    types = {"photo_id": pa.int64(), "rank": pa.int32(), "label": pa.string(), "score": pa.float32()}
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    return pa.table(
        {name: pa.array(column, types[name]) for name, column in zip(types, columns, strict=True)}
    )
