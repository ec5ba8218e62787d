"""Photos of an evaluation alone: tables of their own, and collections that are dropped afterwards."""

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
"""So many of the things that were left out or missed are named on the terminal."""


@dataclass(frozen=True)
class ExtractedPhotos:
    """Photos with their vectors, and the reasons by path for those that have none."""

    dataset: Dataset
    failed: dict[str, str]


def make_evaluation_dataset(
    config: Config, folder: Path, kinds: Sequence[str] = VECTOR_KINDS, paths: Sequence[str] | None = None
) -> Dataset:
    """Return the photos below a folder as a dataset apart from the config's own; nothing is extracted yet.

    The tables stay, below ``dataset.processed`` in ``evaluate_`` and a digest of the folder and the models.
    So the next evaluation, or the rest of one that was cut short, looks only at what is new, whatever models
    are compared in between.

    Parameters
    ----------
    config
        Names the models.
    folder
        Of the photos.
    kinds
        Of the vectors that the evaluation needs.
    paths
        Of its photos; None for all photos below the folder.

    Raises
    ------
    UserError
        If there is no such folder.
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
    """Extract the vectors of some photos.

    Raises
    ------
    UserError
        If there are no photos, or a model cannot be found.
    """
    summary = extract_features(dataset.config, dataset, only=kinds, progress=progress)
    return ExtractedPhotos(dataset, summary.failed)


def format_left_out(reasons: Sequence[str], noun: str = "photo") -> list[str]:
    """Return notes of what was left out, given with the reasons: the first ten, and how many more."""
    rest = len(reasons) - MAX_LISTED
    lines = [f"left out: {reason}" for reason in reasons[:MAX_LISTED]]
    return lines + ([f"left out: and {format_count(rest, f'more {noun}')}"] if rest > 0 else [])


def use_temporary_milvus(config: Config, folder: str | Path) -> Config:
    """Return a config whose collections are in a Milvus Lite file in some folder; a server's token is not."""
    milvus = config.milvus.model_copy(update={"uri": str(Path(folder) / "scratch.db"), "token": ""})
    return config.model_copy(update={"milvus": milvus})


@contextmanager
def open_temporary_collections(dataset: Dataset) -> Iterator[tuple[Config, Store]]:
    """Build collections of some photos in a Milvus Lite file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="imagesearch_") as folder:
        config = use_temporary_milvus(dataset.config, folder)
        with Store(config.milvus) as store:
            build_collections(config, dataset, store)
            yield config, store
