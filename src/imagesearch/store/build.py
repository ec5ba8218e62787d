"""Step 05: from a dataset's tables to its collections in Milvus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import load_people, open_edit_log
from imagesearch.features import save_bands
from imagesearch.geo import read_locations
from imagesearch.pipeline import Dataset
from imagesearch.store.records import collect_rows
from imagesearch.store.schema import (
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    find_valid_rows,
)
from imagesearch.store.store import Store
from imagesearch.store.vocabulary import Vocabulary, count_names, count_vocabulary, split_periods

# A server takes messages of 64 MB by default; half of that leaves room for their encoding.
_BYTES_A_BATCH = 32 * 2**20
_ROWS_A_BATCH = 5_000

Progress = Callable[[Iterable[int], int, str], Iterable[int]]


@dataclass
class BuildReport:
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
    """Photos that are new or have changed since their step was run."""
    undone: list[str] = field(default_factory=list)
    """What else is to be done before the rows are as they could be, a line each."""
    what: str = "photos"
    """What a row is."""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def __str__(self) -> str:
        counts = {"new": self.inserted, "changed": self.updated, "unchanged": self.unchanged}
        counts |= {"gone": self.deleted, "skipped": len(self.skipped)}
        why = f" (filled anew: {self.rebuilt})" if self.rebuilt else ""
        return f"{self.rows} {self.what}: {', '.join(f'{n} {what}' for what, n in counts.items())}{why}"


def build_collections(
    config: Config, dataset: Dataset, store: Store, rebuild: bool = False, progress: Progress | None = None
) -> dict[str, BuildReport]:
    """Make a dataset's collections hold what its tables say of the photos that are there now.

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
    # counted before anything is read: what is decided meanwhile is for the next build
    decisions = open_edit_log(dataset).count()
    people = load_people(config, dataset) if dataset.table("faces").folder.is_dir() else None
    if people is not None and people.outdated:
        decisions = -1  # the clusters lag behind: names wait until they have followed
    jobs = collect_rows(config, dataset, store, people)
    known = {"decisions": decisions, "cast": people.cast if people is not None else ()}
    if not jobs:
        raise UserError(
            f"{dataset.folder}: no vectors of the photos in {', '.join(map(str, dataset.roots))}; "
            "run 01_extract_features.py first"
        )
    try:
        with FileLock(dataset.folder / ".build.lock", blocking=False):
            reports = _update_collections(
                store, jobs, rebuild, progress, lambda: _save_search_data(config, dataset, jobs, known)
            )
    except Timeout:
        raise UserError(f"{dataset.folder}: another build of this dataset is under way") from None
    for kind, report in reports.items():
        report.waiting = dataset.count_waiting(kind)
    if people is not None and "faces" in reports:
        reports["faces"].undone = people.list_pending()
    return reports


def fill_collection(
    store: Store, spec: CollectionSpec, rows: CollectionRows, progress: Progress | None = None
) -> BuildReport:
    """Make one collection hold some rows, whatever they come from, and let it be searched.

    Parameters
    ----------
    store, spec, rows
        Where, what it is to be, and what it is to hold.
    progress
        As of `build_collections`.
    """
    return _update_collections(store, [(spec, rows)], rebuild=False, progress=progress)[spec.kind]


def has_pending_edits(dataset: Dataset) -> bool:
    """Whether something was decided about people since the collections were built."""
    return open_edit_log(dataset).count() != Vocabulary.read(dataset.folder).decisions


def _save_search_data(
    config: Config,
    dataset: Dataset,
    jobs: Sequence[tuple[CollectionSpec, CollectionRows]],
    known: Mapping[str, Any],
) -> None:
    """Keep what searches need besides the collections, and what is known of the vocabulary already."""
    _write_vocabulary(dataset, jobs, known)
    for spec, rows in jobs:
        if spec.kind == "clip":
            save_bands(config, dataset, rows.vectors)


def _write_vocabulary(
    dataset: Dataset, jobs: Sequence[tuple[CollectionSpec, CollectionRows]], known: Mapping[str, Any]
) -> None:
    """Keep the names that searches know beside the tables: those of the photos in the collections."""
    labels: dict[int, list[str]] = {}
    times: dict[int, int] = {}
    for spec, rows in jobs:
        if spec.kind != "faces":
            names = (spec.key, "face_labels", "has_time", "taken_at")
            columns = (rows.scalars[name].to_pylist() for name in names)
            for photo, people, has_time, taken_at in zip(*columns, strict=True):
                labels[photo] = people
                times |= {photo: taken_at} if has_time else {}
    there = [where for photo, where in read_locations(dataset).items() if photo in labels]
    people = count_names((label, "") for names in labels.values() for label in names)
    periods = split_periods(list(times.values()))
    vocabulary = replace(count_vocabulary(there), people=people, periods=periods, **known)
    vocabulary.write(dataset.folder)


# --- making them hold it -----------------------------------------------------------------------------------


def _update_collections(
    store: Store,
    jobs: Sequence[tuple[CollectionSpec, CollectionRows]],
    rebuild: bool,
    progress: Progress | None,
    before_ready: Callable[[], None] = lambda: None,
) -> dict[str, BuildReport]:
    store.collections.drop_unfinished(jobs[0][0].dataset)
    existing = {spec.kind: store.collections.find(CollectionRef(spec.dataset, spec.kind)) for spec, _ in jobs}
    for collection in existing.values():
        if collection is not None:
            store.collections.set_state(collection.name, "updating")
    reports, names = {}, {}
    for spec, rows in jobs:
        old = existing[spec.kind]
        reason = _explain_rebuild(store, old, spec, rebuild)
        report = reports[spec.kind] = BuildReport(
            rebuilt=reason, what="faces" if spec.kind == "faces" else "photos"
        )
        if old is None or reason:
            names[spec.kind] = f"{spec.alias}__{_parse_number(old) + 1}"
            store.collections.create(spec, names[spec.kind])
            known: dict[int, str] = {}
        else:
            names[spec.kind] = old.name
            known = store.collections.read_digests(old.name, spec.key)
        _fill_rows(store, names[spec.kind], spec, rows, known, report, progress)
    for spec, _ in jobs:
        store.collections.publish(spec, names[spec.kind])
    before_ready()
    for name in names.values():
        store.collections.set_state(name, "ready")
    return reports


def _fill_rows(
    store: Store,
    name: str,
    spec: CollectionSpec,
    rows: CollectionRows,
    known: dict[int, str],
    report: BuildReport,
    progress: Progress | None,
) -> None:
    positions, report.skipped = find_valid_rows(spec, rows)
    keys = rows.scalars[spec.key].to_numpy()[positions]
    gone = set(known) - set(keys.tolist())
    store.collections.delete(name, gone)
    report.deleted = len(gone)
    sent = _upsert_changed(store, name, spec, rows, positions, known, report)
    for _ in progress(sent, len(positions), spec.kind) if progress else sent:
        pass
    report.rows = store.collections.flush(name)
    if report.rows != len(positions):
        raise RuntimeError(f"{name}: {report.rows} rows where {len(positions)} were expected")


def _upsert_changed(
    store: Store,
    name: str,
    spec: CollectionSpec,
    rows: CollectionRows,
    positions: np.ndarray,
    known: dict[int, str],
    report: BuildReport,
) -> Iterator[int]:
    """Upsert what is new or changed; yields the key of each row dealt with."""
    text_bytes = 2048  # an ample mean for paths, names and addresses
    size = min(_ROWS_A_BATCH, max(1, _BYTES_A_BATCH // (4 * spec.dimension + text_bytes)))
    for batch in rows.iterate_batches(positions, size):
        changed = [row for row in batch if known.get(row[spec.key]) != row["digest"]]
        inserted = sum(row[spec.key] not in known for row in changed)
        report.inserted += inserted
        report.updated += len(changed) - inserted
        report.unchanged += len(batch) - len(changed)
        if changed:
            store.collections.upsert(name, spec, changed)
        yield from (row[spec.key] for row in batch)


def _explain_rebuild(store: Store, existing: CollectionInfo | None, spec: CollectionSpec, asked: bool) -> str:
    if existing is None:
        return ""
    if asked:
        return "asked for"
    if (existing.fingerprint, existing.dimension) != (spec.fingerprint, spec.dimension):
        return "another model"
    if existing.layout != store.collections.hash_layout(spec):
        return "other fields"
    return "" if existing.index.is_compatible(spec.index) else "another index"


def _parse_number(existing: CollectionInfo | None) -> int:
    return int(existing.name.rpartition("__")[2]) if existing else 0
