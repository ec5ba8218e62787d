"""Datasets and temporary collections that are used only by an evaluation."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.features import VECTOR_KINDS, extract_features
from imagesearch.pipeline import Dataset, Progress
from imagesearch.store import Store, build_collections
from imagesearch.text_table import format_count

MAX_LISTED = 10
"""Maximum number of left-out or missed items listed on the terminal."""


@dataclass(frozen=True)
class ExtractedPhotos:
    """A dataset with extracted vectors, and the reason for each photo that failed, by path."""

    dataset: Dataset
    failed: dict[str, str]


def make_evaluation_dataset(
    config: Config, folder: Path, kinds: Sequence[str] = VECTOR_KINDS, paths: Sequence[str] | None = None
) -> Dataset:
    """Return the photos below a folder as a dataset separate from the config's own, without extracting.

    Its tables are kept below ``dataset.processed``, in a folder named ``evaluate_`` plus a digest of the
    photo folder and the models. So a later evaluation, or one that continues after an interruption, processes
    only new photos, also when other models are evaluated in between.

    Parameters
    ----------
    config
        Provides the models.
    folder
        The folder of the photos.
    kinds
        The kinds of vectors that the evaluation needs.
    paths
        The paths of the photos; None for all photos below the folder.

    Raises
    ------
    UserError
        If the folder does not exist.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of photos")
    models = [getattr(config.models, kind) for kind in kinds]
    key = repr((str(folder), paths is None, models))
    digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    settings = config.dataset.model_copy(update={"name": f"evaluate_{digest}", "images": (folder,)})
    return Dataset(config.model_copy(update={"dataset": settings}), paths=paths)


def extract_vectors(
    dataset: Dataset, kinds: Sequence[str] = VECTOR_KINDS, progress: Progress | None = None
) -> ExtractedPhotos:
    """Extract the vectors of the photos of a dataset.

    Raises
    ------
    UserError
        If there are no photos, or a model cannot be found.
    """
    summary = extract_features(dataset.config, dataset, only=kinds, progress=progress)
    return ExtractedPhotos(dataset, summary.failed)


def format_left_out(reasons: Sequence[str], noun: str = "photo") -> list[str]:
    """Return notes about left-out items, given by their reasons: the first ten, and the number of others."""
    rest = len(reasons) - MAX_LISTED
    lines = [f"left out: {reason}" for reason in reasons[:MAX_LISTED]]
    return lines + ([f"left out: and {format_count(rest, f'more {noun}')}"] if rest > 0 else [])


def use_temporary_milvus(config: Config, folder: str | Path) -> Config:
    """Return a config with its collections in a Milvus Lite file in a folder, without a server's token."""
    milvus = config.milvus.model_copy(update={"uri": str(Path(folder) / "scratch.db"), "token": ""})
    return config.model_copy(update={"milvus": milvus})


@contextmanager
def open_temporary_collections(dataset: Dataset) -> Iterator[tuple[Config, Store]]:
    """Build the collections of a dataset in a Milvus Lite file that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="imagesearch_") as folder:
        config = use_temporary_milvus(dataset.config, folder)
        with Store(config.milvus) as store:
            build_collections(config, dataset, store)
            yield config, store
