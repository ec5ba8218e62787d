"""An overview of a dataset: its folders, models, collections, failed photos, notes, and sizes on disk."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from imagesearch.config import Config
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionInfo, Store, UnbuiltChangesFinder

_STEPS = {"clip": "01 features", "vit": "01 features", "faces": "02 faces", "geo": "04 places and times"}


@dataclass(frozen=True)
class FailedPhoto:
    """A photo that a step could not process: its path, the step and the reason."""

    path: str
    step: str
    reason: str


@dataclass(frozen=True)
class DatasetOverview:
    """What a dataset consists of.

    Attributes
    ----------
    folders
        The folders of the photos.
    models
        The config's models by kind: ``clip``, ``vit`` and ``faces``.
    collections
        The collections in Milvus; none before the first build.
    failed
        The photos that could not be downloaded, and those that a step could not process, by path; each once,
        with the first step that failed.
    notes
        What the user should know, one line each.
    """

    folders: tuple[Path, ...]
    models: dict[str, str]
    collections: tuple[CollectionInfo, ...] = ()
    failed: tuple[FailedPhoto, ...] = ()
    notes: tuple[str, ...] = field(default=())


def read_overview(config: Config, dataset: Dataset, store: Store | None) -> DatasetOverview:
    """Return an overview of a dataset, without listing its photos.

    Parameters
    ----------
    config
        Names the dataset and its models.
    dataset
        The dataset.
    store
        The connection to Milvus; None if there is no database yet.

    Raises
    ------
    UserError
        If a table cannot be read, or Milvus does not answer.
    """
    models = {kind: getattr(config.models, kind) for kind in ("clip", "vit", "faces")}
    found = store.collections.list_all() if store is not None else []
    is_imported = dataset.imported is not None
    notes = (dataset.roots_note, UnbuiltChangesFinder(dataset).find().note)
    return DatasetOverview(
        tuple(dataset.roots),
        models,
        tuple(collection for collection in found if collection.ref.dataset == config.dataset.name),
        () if is_imported else (*_list_failed_downloads(dataset), *_list_failed(dataset)),
        tuple(line for note in notes for line in note.splitlines()),
    )


def _list_failed(dataset: Dataset) -> Iterator[FailedPhoto]:
    failed: dict[int, FailedPhoto] = {}
    for name, step in _STEPS.items():
        table = dataset.open_table(name)
        reasons = table.read_errors()
        removed = table.read_removed() if reasons else set()
        ids = [photo for photo in reasons if photo not in removed and photo not in failed]
        for photo, entry in table.read_processed(pa.array(ids, pa.int64())).items() if ids else ():
            failed[photo] = FailedPhoto(entry.path, step, reasons[photo])
    yield from sorted(failed.values(), key=lambda photo: photo.path)


def _list_failed_downloads(dataset: Dataset) -> Iterator[FailedPhoto]:
    records = dataset.downloads.read_log().values()
    failed = {r.path: r.error for r in records if r.error and dataset.downloads.find(r.path) is None}
    listed = dataset.lists.read().addresses if failed else {}
    for path in sorted(failed.keys() & listed.keys()):
        yield FailedPhoto(path, "download", failed[path])


def measure_sizes(config: Config) -> dict[str, int]:
    """Return the sizes on disk in bytes of what the steps have made: tables, caches and the database."""
    folder = config.dataset.folder
    caches = {"previews": folder / "previews", "thumbnails": folder / "thumbnails"}
    if (folder / "downloads").is_dir():
        caches["downloads"] = folder / "downloads"
    sizes = {"tables": _measure(folder, set(caches))}
    sizes |= {name: _measure(cache) for name, cache in caches.items()}
    if config.milvus.is_file:
        sizes["Milvus Lite"] = _measure(Path(config.milvus.uri))
    return sizes


def _measure(place: Path, without: Collection[str] = ()) -> int:
    """Return the size of a file, or of a folder without some of its folders; 0 if there is none."""
    try:
        if place.is_file():
            return place.stat().st_size
        with os.scandir(place) as scan:
            return sum(_measure(Path(entry.path)) for entry in scan if entry.name not in without)
    except OSError:  # removed by another program in the meantime
        return 0
