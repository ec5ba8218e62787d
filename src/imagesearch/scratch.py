"""Photos looked at for an evaluation alone: tables of their own, and collections that do not stay."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagesearch.build import build_collections
from imagesearch.config import Config
from imagesearch.dataset import Dataset
from imagesearch.errors import UserError
from imagesearch.features import KINDS, extract_features
from imagesearch.steps import PhotoProgress
from imagesearch.store import Store


@dataclass(frozen=True)
class Extracted:
    """Photos with their vectors, and the reasons by path for those that have none."""

    config: Config
    dataset: Dataset
    failed: dict[str, str]


def extract(
    config: Config,
    folder: Path,
    kinds: Sequence[str] = KINDS,
    *,
    paths: Sequence[str] | None = None,
    progress: PhotoProgress | None = None,
) -> Extracted:
    """Extract the vectors of the photos below a folder, apart from the config's own dataset.

    The tables stay, below ``dataset.processed`` in ``evaluate_`` and a digest of the folder, so that the next
    evaluation, or the rest of one that was cut short, looks only at what is new.

    Parameters
    ----------
    config
        Names the models.
    folder
        Of the photos.
    kinds
        Of vectors.
    paths
        Of the only photos that are meant, if not all are.
    progress
        For a progress bar.

    Raises
    ------
    UserError
        If there are no photos, or a model cannot be found.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of photos")
    digest = hashlib.blake2b(repr((str(folder), paths is None)).encode(), digest_size=4).hexdigest()
    named = config.dataset.model_copy(update={"name": f"evaluate_{digest}", "images": (folder,)})
    own = config.model_copy(update={"dataset": named})
    dataset = Dataset(own, paths=paths)
    summary = extract_features(own, dataset, only=kinds, progress=progress)
    return Extracted(own, dataset, summary.failed)


@contextmanager
def searchable(photos: Extracted) -> Iterator[tuple[Config, Store]]:
    """Build collections of some photos in a Milvus Lite file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="imagesearch_") as folder:
        place = photos.config.milvus.model_copy(update={"uri": str(Path(folder) / "scratch.db"), "token": ""})
        config = photos.config.model_copy(update={"milvus": place})
        with Store(place) as store:
            build_collections(config, photos.dataset, store)
            yield config, store
