"""Step 05 with ``--from-npy``: builds the collection of a dataset from vectors of another program."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.files import make_folder
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import Dataset, ImportedVectors, Progress
from imagesearch.store.build import lock_build
from imagesearch.store.collection_updates import BuildReport, update_collections
from imagesearch.store.file_names import get_file_name, list_name_words
from imagesearch.store.npy_files import NpyVectors, scale_to_unit
from imagesearch.store.schema import (
    ARROW_TYPES,
    COLLECTION_KINDS,
    FIELDS,
    IMPORTED_PREFIX,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
)
from imagesearch.store.store import Store
from imagesearch.store.vector_index import choose_index

# In the folder of a dataset that has tables, or the user's edits of people.
_TABLES = ("clip", "vit", "classes", "faces", "geo", "people.jsonl", "trips.jsonl")
# The number of rows that are compared to decide whether a changed file has vectors of the same model, and the
# cosine similarity from which two vectors are the same. Rounding to float16 changes it by less than 1e-6.
_SAMPLED_ROWS = 100
_MIN_COSINE = 0.999


def build_imported(
    config: Config, vectors: NpyVectors, store: Store, rebuild: bool = False, progress: Progress | None = None
) -> BuildReport:
    """Create or update the collection of a dataset from vectors of another program.

    The collection is of kind ``clip``, whatever model made the vectors. Of the scalar fields only the path
    and those of the file name are known. If most vectors of a sample are the stored ones, changed rows are
    updated in place; otherwise the vectors are those of another model, and the collection is rebuilt.

    Parameters
    ----------
    config
        Names the dataset, which must not have tables.
    vectors
        The vectors and paths, from `read_npy_vectors`.
    store
        The destination.
    rebuild, progress
        As in `build_collections`.

    Raises
    ------
    UserError
        If the dataset has tables or collections of its own photos, or another build of it is running.
    """
    dataset = Dataset(config)
    _check_dataset(dataset, store)
    source = ImportedVectors(
        str(vectors.file.absolute()), str(vectors.paths_file.absolute()), str(vectors.root)
    )
    make_folder(dataset.folder)
    with lock_build(dataset):
        if dataset.imported is None:
            source.write(dataset.folder)  # before the first row, so that no other step uses the dataset
        ref = CollectionRef(config.dataset.name, "clip")
        rows = _make_rows(vectors)
        spec = CollectionSpec(
            ref,
            model=vectors.file.name,
            fingerprint=_choose_fingerprint(vectors, rows, store, ref),
            dimension=vectors.matrix.shape[1],
            index=choose_index(config.milvus.index, len(vectors.paths), store.collections.dialect),
            fields=FIELDS["clip"],
        )

        def save_source() -> str:
            source.write(dataset.folder)
            return ""  # there is no vocabulary

        reports = update_collections(store, [(spec, rows)], rebuild, progress, before_ready=save_source)
    return reports["clip"]


def _check_dataset(dataset: Dataset, store: Store) -> None:
    """Raise `UserError` if a dataset has tables, or collections that were built from tables."""
    name = dataset.config.dataset.name
    if found := next((table for table in _TABLES if (dataset.folder / table).exists()), ""):
        raise UserError(
            f"{dataset.folder / found}: dataset {name!r} has tables of its own photos; "
            "give the imported vectors another name with -n"
        )
    collections = (store.collections.find(CollectionRef(name, kind)) for kind in COLLECTION_KINDS)
    if own := next((c for c in collections if c is not None and not c.is_imported), None):
        raise UserError(
            f"{own.ref.alias}: built from photos by {own.model}; give the imported vectors another name with "
            "-n, or drop the collections of this one with --drop"
        )


def _make_rows(vectors: NpyVectors) -> CollectionRows:
    """Return the rows of the collection; a field without a value has its ``unknown`` value."""
    paths = vectors.paths
    known = {"path": paths, "file_name": map(get_file_name, paths), "name_words": map(list_name_words, paths)}
    columns = {
        field.name: pa.array(known[field.name], ARROW_TYPES[field.type])
        if field.name in known
        else pa.repeat(pa.scalar(field.unknown, ARROW_TYPES[field.type]), len(paths))
        for field in FIELDS["clip"]
    }
    ids = pa.array(map(compute_photo_id, vectors.paths), pa.int64())
    return CollectionRows(pa.table({"photo_id": ids, **columns}), vectors.matrix, scale_to_unit)


def _choose_fingerprint(vectors: NpyVectors, rows: CollectionRows, store: Store, ref: CollectionRef) -> str:
    """Return the fingerprint of an existing collection if it has the same vectors, otherwise a new one.

    Photos that are added to or removed from a file do not change the vectors of the others.
    """
    new = f"{IMPORTED_PREFIX}{vectors.digest}"
    existing = store.collections.find(ref)
    if existing is None or existing.dimension != vectors.matrix.shape[1]:
        return new
    count = len(vectors.paths)
    positions = np.random.default_rng(0).choice(count, min(count, _SAMPLED_ROWS), replace=False)
    keys = rows.scalars["photo_id"].to_numpy()[positions].tolist()
    stored = store.read_vectors(ref, keys)
    sample = dict(zip(keys, rows.read_vectors(positions), strict=True))
    same = sum(float(sample[key] @ vector) > _MIN_COSINE for key, vector in stored.items())
    return existing.fingerprint if stored and 2 * same >= len(stored) else new
