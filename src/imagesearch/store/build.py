"""Step 05: from a dataset's tables to its collections in Milvus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import load_people, open_edit_log
from imagesearch.features import save_bands
from imagesearch.geo import read_locations
from imagesearch.pipeline import Dataset, Progress
from imagesearch.store.records import collect_rows
from imagesearch.store.schema import (
    CollectionContent,
    CollectionInfo,
    CollectionRows,
    CollectionSpec,
    find_valid_rows,
)
from imagesearch.store.store import Store
from imagesearch.store.vocabulary import Vocabulary, count_names, count_vocabulary, split_periods

# A server takes messages of 64 MB by default; half of that leaves room for their encoding.
_BYTES_A_BATCH = 32 * 2**20
_ROWS_A_BATCH = 5_000


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
    """Make a dataset's collections hold what its tables contain about the photos that are there now.

    What is new or changed is upserted in place, what is gone is deleted, both are flushed. A collection that
    is to have another model, index or fields is filled anew under another name; when all are filled and
    counted, the aliases move and the old ones are dropped. Meanwhile the collections' state is "updating";
    if the build is cut short, the next one does what is left.

    Parameters
    ----------
    config, dataset, store
        What to build from, and where.
    rebuild
        Fill all anew.
    progress
        Shows the rows as they are written, labelled with the kind of collection.

    Returns
    -------
    reports : dict
        By kind.

    Raises
    ------
    UserError
        If there is nothing to build from, or another build of this dataset is under way.
    """
    # counted before anything is read: edits that are made meanwhile are for the next build
    edit_count = open_edit_log(dataset).count()
    people = load_people(config, dataset) if dataset.open_table("faces").folder.is_dir() else None
    if people is not None and people.outdated:
        edit_count = -1  # the clusters do not follow the edits yet, and so no collection can
    contents = collect_rows(config, dataset, store, people)
    cast = people.cast if people is not None else ()
    if not contents:
        raise UserError(
            f"{dataset.folder}: no vectors of the photos in {', '.join(map(str, dataset.roots))}; "
            "run 01_extract_features.py first"
        )
    try:
        with FileLock(dataset.folder / ".build.lock", blocking=False):
            reports = update_collections(
                store,
                contents,
                rebuild,
                progress,
                before_ready=lambda: _save_search_data(config, dataset, contents, edit_count, cast),
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
    return update_collections(store, [(spec, rows)], progress=progress)[spec.ref.kind]


def has_pending_edits(dataset: Dataset) -> bool:
    """Whether people were edited since the collections were built."""
    return open_edit_log(dataset).count() != Vocabulary.read(dataset.folder).edit_count


def _save_search_data(
    config: Config,
    dataset: Dataset,
    contents: Sequence[CollectionContent],
    edit_count: int,
    cast: tuple[str, ...],
) -> None:
    """Save what searches need besides the collections."""
    vocabulary = _count_vocabulary(dataset, contents)
    replace(vocabulary, edit_count=edit_count, cast=cast).write(dataset.folder)
    for spec, rows in contents:
        if spec.ref.kind == "clip":
            save_bands(config, dataset, rows.vectors)


def _count_vocabulary(dataset: Dataset, contents: Sequence[CollectionContent]) -> Vocabulary:
    """Count the names known of the photos in the collections."""
    labels: dict[int, list[str]] = {}
    times: dict[int, int] = {}
    for spec, rows in contents:
        if spec.ref.kind != "faces":
            names = (spec.ref.key, "face_labels", "has_time", "taken_at")
            columns = (rows.scalars[name].to_pylist() for name in names)
            for photo, face_labels, has_time, taken_at in zip(*columns, strict=True):
                labels[photo] = face_labels
                times |= {photo: taken_at} if has_time else {}
    locations = [location for photo, location in read_locations(dataset).items() if photo in labels]
    people = count_names((label, "") for face_labels in labels.values() for label in face_labels)
    return replace(count_vocabulary(locations), people=people, periods=split_periods(list(times.values())))


# --- updating collections ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Update:
    """A collection to update: its name, what it is to be and to hold, and the digests of its rows by key."""

    name: str
    spec: CollectionSpec
    rows: CollectionRows
    digests: dict[int, str]


def update_collections(
    store: Store,
    contents: Sequence[CollectionContent],
    rebuild: bool = False,
    progress: Progress | None = None,
    before_ready: Callable[[], None] = lambda: None,
) -> dict[str, BuildReport]:
    """Make collections of one dataset be and hold what they are to, and let them be searched.

    Parameters
    ----------
    store, contents
        Where, and what.
    rebuild, progress
        As of `build_collections`.
    before_ready
        Called when the aliases have moved, and before the collections' state is "ready".

    Returns
    -------
    reports : dict
        By kind.
    """
    collections = store.collections
    collections.drop_unfinished(contents[0][0].ref.dataset)
    existing = {spec.ref: collections.find(spec.ref) for spec, _ in contents}
    for collection in existing.values():
        if collection is not None:
            collections.set_state(collection.name, "updating")
    reports, names = {}, {}
    for spec, rows in contents:
        ref, old = spec.ref, existing[spec.ref]
        reason = _explain_rebuild(store, old, spec, rebuild)
        report = BuildReport(rebuilt=reason, what="faces" if ref.kind == "faces" else "photos")
        if old is None or reason:
            name, digests = f"{ref.alias}__{_parse_build_number(old) + 1}", {}
            collections.create(spec, name)
        else:
            name, digests = old.name, collections.read_digests(old.name, ref.key)
        _fill_rows(store, _Update(name, spec, rows, digests), report, progress)
        reports[ref.kind], names[ref] = report, name
    for ref, name in names.items():
        collections.publish(ref, name)
    before_ready()
    for name in names.values():
        collections.set_state(name, "ready")
    return reports


def _fill_rows(store: Store, update: _Update, report: BuildReport, progress: Progress | None) -> None:
    """Delete, upsert and flush the rows of one collection; what was done goes into the report."""
    spec = update.spec
    positions, report.skipped = find_valid_rows(spec, update.rows)
    keys = update.rows.scalars[spec.ref.key].to_numpy()[positions]
    gone = set(update.digests) - set(keys.tolist())
    store.collections.delete(update.name, gone)
    report.deleted = len(gone)
    processed = _upsert_changed(store, update, positions, report)
    for _ in progress(processed, len(positions), label=spec.ref.kind) if progress else processed:
        pass
    report.rows = store.collections.flush(update.name)
    if report.rows != len(positions):
        raise RuntimeError(f"{update.name}: {report.rows} rows where {len(positions)} were expected")


def _upsert_changed(
    store: Store, update: _Update, positions: np.ndarray, report: BuildReport
) -> Iterator[int]:
    """Upsert what is new or changed; yields the key of each row that is processed."""
    spec, digests, key = update.spec, update.digests, update.spec.ref.key
    text_bytes = 2048  # an ample mean for paths, names and addresses
    size = min(_ROWS_A_BATCH, max(1, _BYTES_A_BATCH // (4 * spec.dimension + text_bytes)))
    for batch in update.rows.iterate_batches(positions, size):
        changed = [row for row in batch if digests.get(row[key]) != row["digest"]]
        inserted = sum(row[key] not in digests for row in changed)
        report.inserted += inserted
        report.updated += len(changed) - inserted
        report.unchanged += len(batch) - len(changed)
        if changed:
            store.collections.upsert(update.name, spec, changed)
        yield from (row[key] for row in batch)


def _explain_rebuild(
    store: Store, existing: CollectionInfo | None, spec: CollectionSpec, rebuild: bool
) -> str:
    """Return why a collection is to be filled anew, or nothing."""
    if existing is None:
        return ""
    if rebuild:
        return "asked for"
    if (existing.fingerprint, existing.dimension) != (spec.fingerprint, spec.dimension):
        return "another model"
    if existing.layout != store.collections.hash_layout(spec):
        return "other fields"
    return "" if existing.index.is_compatible(spec.index) else "another index"


def _parse_build_number(existing: CollectionInfo | None) -> int:
    """Return how often a collection was filled anew, from the end of its name."""
    return int(existing.name.rpartition("__")[2]) if existing else 0
