"""Step 05: from a dataset's tables to its collections in Milvus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout

from imagesearch.config import Config
from imagesearch.dataset import Dataset
from imagesearch.encoders import model_id
from imagesearch.errors import UserError
from imagesearch.indexes import plan_index
from imagesearch.schema import PHOTO_FIELDS, Rows, Spec, usable_rows
from imagesearch.store import Collection, Store
from imagesearch.tables import Seen

PHOTO_KINDS = ("clip", "vit")
# A server takes messages of 64 MB by default; half of that leaves room for their encoding.
_BYTES_A_BATCH = 32 * 2**20
_ROWS_A_BATCH = 5_000
_TYPES = {
    "VARCHAR": pa.string(),
    "LIST": pa.list_(pa.string()),
    "BOOL": pa.bool_(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
}

Progress = Callable[[Iterable[int], int, str], Iterable[int]]


@dataclass
class Report:
    """How bringing one collection up to date went; counts are of rows."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rebuilt: str = ""
    """Why it was filled anew, or nothing."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Reason by path."""
    waiting: int = 0
    """Photos that are new or have changed since step 01."""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def __str__(self) -> str:
        counts = {"new": self.inserted, "changed": self.updated, "unchanged": self.unchanged}
        counts |= {"gone": self.deleted, "skipped": len(self.skipped)}
        why = f" (filled anew: {self.rebuilt})" if self.rebuilt else ""
        return f"{self.rows} photos: {', '.join(f'{n} {what}' for what, n in counts.items())}{why}"


def build_collections(
    config: Config, dataset: Dataset, store: Store, rebuild: bool = False, progress: Progress | None = None
) -> dict[str, Report]:
    """Make a dataset's photo collections hold what its tables say of the photos that are there now.

    What is new or changed is upserted in place, what is gone is deleted, both are flushed. A collection that
    is to have another model, index or fields is filled anew under another name; when all are filled and
    counted, the aliases move and the old ones are dropped. Meanwhile the collections say that they are
    being updated; if that is cut short, the next build does what is left.

    Parameters
    ----------
    config, dataset, store
        What from, and where to.
    rebuild
        Fill all anew.
    progress
        Wraps the rows' keys as they are dealt with, with their number and the kind; for a progress bar.

    Returns
    -------
    reports : dict
        By kind.

    Raises
    ------
    UserError
        If there is nothing to build from, or another build of this dataset is under way.
    """
    jobs = [job for kind in PHOTO_KINDS if (job := _photo_job(config, dataset, store, kind)) is not None]
    if not jobs:
        raise UserError(
            f"{dataset.folder}: no vectors of the photos in {', '.join(map(str, dataset.roots))}; "
            "run 01_extract_features.py first"
        )
    try:
        with FileLock(dataset.folder / ".build.lock", blocking=False):
            reports = _update(store, jobs, rebuild, progress)
    except Timeout:
        raise UserError(f"{dataset.folder}: another build of this dataset is under way") from None
    for kind, report in reports.items():
        report.waiting = dataset.waiting(kind)
    return reports


# --- what the collections are to hold ----------------------------------------------------------------------


def _photo_job(config: Config, dataset: Dataset, store: Store, kind: str) -> tuple[Spec, Rows] | None:
    current = dataset.current(kind)
    if not current:
        return _emptied(dataset, store.find(config.dataset.name, kind))
    # what follows the slash, precision and number of classes, does not keep vectors from being compared
    made_by = next(iter(current.values())).fingerprint.partition("/")[0]
    name = getattr(config.models, kind)
    if made_by != (wanted := model_id(kind, name)):
        raise UserError(
            f"models.{kind}: the config names {name} ({wanted}), the vectors were made by another model "
            f"({made_by}); set it back, or run 01_extract_features.py"
        )
    ids, vectors = dataset.table(kind).vectors(current.values())
    spec = Spec(
        dataset=config.dataset.name,
        kind=kind,
        model=name,
        fingerprint=made_by,
        dimension=vectors.shape[1],
        index=plan_index(config.milvus.index, len(ids), config.milvus.is_lite),
    )
    return spec, Rows(_photo_scalars(dataset, ids, current), vectors)


def _emptied(dataset: Dataset, existing: Collection | None) -> tuple[Spec, Rows] | None:
    """What is left of a collection when none of its photos is there any more: nothing, of the same kind."""
    if existing is None:
        return None
    spec = Spec(
        existing.dataset,
        existing.kind,
        existing.model,
        existing.fingerprint,
        existing.dimension,
        existing.index,
    )
    nothing = np.empty((0, existing.dimension), np.float32)
    return spec, Rows(_photo_scalars(dataset, np.empty(0, np.int64), {}), nothing)


def _photo_scalars(dataset: Dataset, ids: np.ndarray, seen: dict[int, Seen]) -> pa.Table:
    """Return every scalar field of some photos, with its "unknown" value where no table knows better."""
    entries = [seen[photo_id] for photo_id in ids.tolist()]
    labels = _top_labels(dataset)
    top = [labels.get(entry.photo_id, ("", 0.0)) for entry in entries]
    known: dict[str, list[Any]] = {
        "path": [entry.path for entry in entries],
        "width": [entry.width for entry in entries],
        "height": [entry.height for entry in entries],
        "class_label": [label for label, _ in top],
        "class_score": [score for _, score in top],
    }
    columns = {"photo_id": pa.array(ids)}
    for item in PHOTO_FIELDS:
        values = known.get(item.name, [item.unknown] * len(entries))
        columns[item.name] = pa.array(values, _TYPES[item.type])
    return pa.table(columns)


def _top_labels(dataset: Dataset) -> dict[int, tuple[str, float]]:
    """Return the most probable ViT class of each photo, and its probability."""
    classes = dataset.table("classes").read(dataset.current("classes").values())
    if classes is None:
        return {}
    names = ("photo_id", "rank", "label", "score")
    rows = zip(*(classes[name].to_pylist() for name in names), strict=True)
    return {photo_id: (label, score) for photo_id, rank, label, score in rows if rank == 0}


# --- making them hold it -----------------------------------------------------------------------------------


def _update(
    store: Store, jobs: Sequence[tuple[Spec, Rows]], rebuild: bool, progress: Progress | None
) -> dict[str, Report]:
    store.drop_unfinished(jobs[0][0].dataset)
    existing = {spec.kind: store.find(spec.dataset, spec.kind) for spec, _ in jobs}
    for collection in existing.values():
        if collection is not None:
            store.set_state(collection.name, "updating")
    reports, names = {}, {}
    for spec, rows in jobs:
        old = existing[spec.kind]
        reason = _reason_to_rebuild(store, old, spec, rebuild)
        report = reports[spec.kind] = Report(rebuilt=reason)
        if old is None or reason:
            names[spec.kind] = f"{spec.alias}__{_number(old) + 1}"
            store.create(spec, names[spec.kind])
            known: dict[int, str] = {}
        else:
            names[spec.kind] = old.name
            known = store.digests(old.name, spec.key)
        _fill(store, names[spec.kind], spec, rows, known, report, progress)
    for spec, _ in jobs:
        store.publish(spec, names[spec.kind])
        store.set_state(names[spec.kind], "ready")
    return reports


def _fill(
    store: Store,
    name: str,
    spec: Spec,
    rows: Rows,
    known: dict[int, str],
    report: Report,
    progress: Progress | None,
) -> None:
    positions, report.skipped = usable_rows(spec, rows)
    keys = rows.scalars[spec.key].to_numpy()[positions]
    gone = set(known) - set(keys.tolist())
    store.delete(name, gone)
    report.deleted = len(gone)
    sent = _send(store, name, spec, rows, positions, known, report)
    for _ in progress(sent, len(positions), spec.kind) if progress else sent:
        pass
    report.rows = store.finish(name)
    if report.rows != len(positions):
        raise RuntimeError(f"{name}: {report.rows} rows where {len(positions)} were expected")


def _send(
    store: Store,
    name: str,
    spec: Spec,
    rows: Rows,
    positions: np.ndarray,
    known: dict[int, str],
    report: Report,
) -> Iterator[int]:
    """Upsert what is new or changed; yields the key of each row dealt with."""
    text_bytes = 2048  # an ample mean for paths, names and addresses
    size = min(_ROWS_A_BATCH, max(1, _BYTES_A_BATCH // (4 * spec.dimension + text_bytes)))
    for batch in rows.batches(positions, size):
        changed = [row for row in batch if known.get(row[spec.key]) != row["digest"]]
        inserted = sum(row[spec.key] not in known for row in changed)
        report.inserted += inserted
        report.updated += len(changed) - inserted
        report.unchanged += len(batch) - len(changed)
        if changed:
            store.upsert(name, spec, changed)
        yield from (row[spec.key] for row in batch)


def _reason_to_rebuild(store: Store, existing: Collection | None, spec: Spec, asked: bool) -> str:
    if existing is None:
        return ""
    if asked:
        return "asked for"
    if (existing.fingerprint, existing.dimension) != (spec.fingerprint, spec.dimension):
        return "another model"
    if existing.layout != store.layout(spec):
        return "other fields"
    return "" if existing.index.suits(spec.index) else "another index"


def _number(existing: Collection | None) -> int:
    return int(existing.name.rpartition("__")[2]) if existing else 0
