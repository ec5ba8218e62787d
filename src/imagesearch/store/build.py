"""Step 05: builds and updates a dataset's collections in Milvus from its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import load_people, open_edit_log
from imagesearch.features import save_bands
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.pipeline import Dataset, Progress
from imagesearch.store.built_state import TableSnapshot, save_built_state, take_snapshot
from imagesearch.store.collections import get_build_number
from imagesearch.store.dataset_trips import count_trips, find_dataset_trips
from imagesearch.store.records import collect_rows, list_marked_names
from imagesearch.store.schema import (
    CollectionContent,
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    find_valid_rows,
)
from imagesearch.store.store import Store, check_milvus
from imagesearch.store.vocabulary import Vocabulary, count_names, count_vocabulary, split_periods
from imagesearch.text_table import format_count
from imagesearch.trips import Trip, count_trip_lines

# A server accepts messages of up to 64 MB by default; half of that allows for the encoding.
_BATCH_BYTES = 32 * 2**20
_BATCH_ROWS = 5_000


@dataclass
class BuildReport:
    """The result of an update of one collection. Counts are of rows."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rebuilt: str = ""
    """Why the collection was rebuilt; empty if it was updated in place."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Reason by path."""
    waiting: int = 0
    """Number of photos that are new or have changed since their step was run."""
    undone: list[str] = field(default_factory=list)
    """Steps that must be run before the rows are complete, one line each."""
    what: str = "photos"
    """What the rows are: photos or faces."""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def __str__(self) -> str:
        counts = {"new": self.inserted, "changed": self.updated, "unchanged": self.unchanged}
        counts |= {"gone": self.deleted, "skipped": len(self.skipped)}
        reason = f" (rebuilt: {self.rebuilt})" if self.rebuilt else ""
        rows = format_count(self.rows, self.what.removesuffix("s"))
        return f"{rows}: {', '.join(f'{n} {word}' for word, n in counts.items())}{reason}"


def build_collections(
    config: Config, dataset: Dataset, store: Store, rebuild: bool = False, progress: Progress | None = None
) -> dict[str, BuildReport]:
    """Update a dataset's collections from its tables.

    New and changed rows are upserted, rows of deleted photos are deleted, and then the collection is flushed.
    If the model, the index or the fields have changed, a new collection is filled under another name. When
    all collections are filled and counted, the aliases are moved to the new collections and the old ones are
    dropped. Until then the state of the collections is "updating". If a build is interrupted, the next build
    completes it.

    Parameters
    ----------
    config, dataset, store
        The source and the destination.
    rebuild
        Rebuild all collections.
    progress
        Shows the rows that are processed, with the kind of collection as the label.

    Returns
    -------
    reports : dict
        Report by kind of collection.

    Raises
    ------
    UserError
        If the tables have no vectors, or another build of this dataset is running.
    """
    _refuse_imported(config, dataset, store)
    # Before the tables are read, so that edits and results of steps during the build belong to the next one.
    edit_count = open_edit_log(dataset).count()
    snapshot = take_snapshot(dataset)
    people = load_people(config, dataset) if dataset.open_table("faces").folder.is_dir() else None
    if people is not None and people.outdated:
        edit_count = -1  # the clusters do not include all edits, so the collections do not either
    trip_name_count = count_trip_lines(dataset.folder)
    locations = read_locations(dataset)
    trips = find_dataset_trips(dataset, locations)
    contents = collect_rows(config, dataset, store, people, locations, trips)
    names = {"cast": people.cast, "marked": list_marked_names(people)} if people is not None else {}
    if not contents:
        raise _make_no_vectors_error(dataset)

    def save_search_data() -> str:
        counted = _count_vocabulary(contents, locations, trips)
        vocabulary = replace(counted, edit_count=edit_count, trip_name_count=trip_name_count, **names)
        return _save_search_data(config, dataset, contents, vocabulary, snapshot)

    with lock_build(dataset):
        reports = update_collections(store, contents, rebuild, progress, save_search_data)
    for kind, report in reports.items():
        report.waiting = dataset.count_waiting(kind)
    if people is not None and "faces" in reports:
        reports["faces"].undone = people.list_pending()
    return reports


def check_before_build(config: Config, dataset: Dataset) -> None:
    """Raise `UserError` if a build would create a database and has no vectors to put into it."""
    dataset.refuse_imported()
    if config.milvus.is_missing:
        check_milvus(config.milvus)
        if not any(dataset.open_table(kind).folder.is_dir() for kind in ("clip", "vit")):
            raise _make_no_vectors_error(dataset)


def _make_no_vectors_error(dataset: Dataset) -> UserError:
    roots = ", ".join(map(str, dataset.roots))
    return UserError(
        f"{dataset.folder}: no vectors of the photos in {roots}; run 01_extract_features.py first"
    )


@contextmanager
def lock_build(dataset: Dataset) -> Iterator[None]:
    """Prevent two builds of one dataset at the same time.

    Raises
    ------
    UserError
        If another build of this dataset is running.
    """
    try:
        with FileLock(dataset.folder / ".build.lock", blocking=False):
            yield
    except Timeout:
        raise UserError(
            f"{dataset.folder}: another build of this dataset is running; wait until it ends"
        ) from None


def _refuse_imported(config: Config, dataset: Dataset, store: Store) -> None:
    """Raise `UserError` if the dataset has imported vectors, which a build without tables would delete."""
    dataset.refuse_imported()
    collection = store.collections.find(CollectionRef(config.dataset.name, "clip"))
    if collection is not None and collection.is_imported:
        raise UserError(
            f"{collection.ref.alias}: its vectors were imported from {collection.model}; select another "
            "dataset with -n, or remove them with --drop"
        )


def fill_collection(
    store: Store, spec: CollectionSpec, rows: CollectionRows, progress: Progress | None = None
) -> BuildReport:
    """Create or update one collection from given rows, and make it searchable.

    Parameters
    ----------
    store, spec, rows
        The destination, the specification and the rows.
    progress
        See `build_collections`.
    """
    return update_collections(store, [(spec, rows)], progress=progress)[spec.ref.kind]


def has_pending_edits(dataset: Dataset) -> bool:
    """Whether people were edited, or trips were named, since the collections were built."""
    vocabulary = Vocabulary.read(dataset.folder)
    if count_trip_lines(dataset.folder) != vocabulary.trip_name_count:
        return True
    return open_edit_log(dataset).count() != vocabulary.edit_count


def _save_search_data(
    config: Config,
    dataset: Dataset,
    contents: Sequence[CollectionContent],
    vocabulary: Vocabulary,
    snapshot: TableSnapshot,
) -> str:
    """Save the data that searches use in addition to the collections; return the vocabulary's digest."""
    for spec, rows in contents:
        if spec.ref.kind == "clip":
            save_bands(config, dataset, rows.vectors)
    photos = {i for spec, rows in contents if spec.ref.kind != "faces" for i in _list_keys(spec, rows)}
    save_built_state(dataset, snapshot, photos)
    # Last, because running searches reload everything when this file has changed.
    return vocabulary.write(dataset.folder)


def _list_keys(spec: CollectionSpec, rows: CollectionRows) -> list[int]:
    return rows.scalars[spec.ref.key].to_pylist()


def _count_vocabulary(
    contents: Sequence[CollectionContent], locations: Mapping[int, PhotoLocation], trips: Sequence[Trip]
) -> Vocabulary:
    """Count the names in the photos of the collections."""
    labels: dict[int, list[str]] = {}
    times: dict[int, int] = {}
    for spec, rows in contents:
        if spec.ref.kind != "faces":
            names = (spec.ref.key, "face_labels", "has_time", "taken_at")
            columns = (rows.scalars[name].to_pylist() for name in names)
            for photo, face_labels, has_time, taken_at in zip(*columns, strict=True):
                labels[photo] = face_labels
                times |= {photo: taken_at} if has_time else {}
    vocabulary = count_vocabulary([location for photo, location in locations.items() if photo in labels])
    people = count_names((label, "") for face_labels in labels.values() for label in face_labels)
    periods = split_periods(list(times.values()))
    return replace(vocabulary, people=people, periods=periods, trips=count_trips(trips, labels))


# --- updating collections ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Update:
    """A collection to update: its name, specification and new rows, and the digests of old rows by key.

    ``is_flushed`` means that the last build of the collection was completed.
    """

    name: str
    spec: CollectionSpec
    rows: CollectionRows
    digests: dict[int, str]
    is_flushed: bool = False


def update_collections(
    store: Store,
    contents: Sequence[CollectionContent],
    rebuild: bool = False,
    progress: Progress | None = None,
    before_ready: Callable[[], str] = lambda: "",
) -> dict[str, BuildReport]:
    """Create or update collections of one dataset, and make them searchable.

    Until another program has finished writing to the same Milvus Lite file, this function waits.

    Parameters
    ----------
    store, contents
        The destination, and the specification and rows of each collection.
    rebuild, progress
        See `build_collections`.
    before_ready
        Called after the aliases are moved and before the state of the collections becomes "ready". It returns
        the digest of the vocabulary, or "" if there is none.

    Returns
    -------
    reports : dict
        Report by kind of collection.
    """
    with store.collections.client.lock_for_writing():
        return _update_collections(store, contents, rebuild, progress, before_ready)


def _update_collections(
    store: Store,
    contents: Sequence[CollectionContent],
    rebuild: bool,
    progress: Progress | None,
    before_ready: Callable[[], str],
) -> dict[str, BuildReport]:
    """Update collections while no other program writes; see `update_collections`."""
    collections = store.collections
    unfinished = collections.list_unfinished(contents[0][0].ref.dataset)
    existing = {spec.ref: collections.find(spec.ref) for spec, _ in contents}
    for collection in existing.values():
        if collection is not None:
            collections.set_updating(collection.name)
    reports, names = {}, {}
    for spec, rows in contents:
        ref, old = spec.ref, existing[spec.ref]
        reason = _explain_rebuild(store, old, spec, rebuild)
        report = BuildReport(rebuilt=reason, what="faces" if ref.kind == "faces" else "photos")
        target = old if old is not None and not reason else _find_resumable(store, unfinished, spec)
        if target is not None:
            name, digests = target.name, collections.read_digests(target.name, ref.key)
            unfinished = [collection for collection in unfinished if collection is not target]
        else:
            numbers = [get_build_number(c.name) for c in (old, *unfinished) if c is not None and c.ref == ref]
            name, digests = f"{ref.alias}__{max(numbers, default=0) + 1}", {}
            collections.create(spec, name)
        is_flushed = target is not None and target.state == "ready"
        _fill_rows(store, _Update(name, spec, rows, digests, is_flushed), report, progress)
        reports[ref.kind], names[ref] = report, name
    for ref, name in names.items():
        collections.publish(ref, name)
    for collection in unfinished:
        collections.drop_collection(collection.name)
    vocabulary = before_ready()
    for name in names.values():
        collections.set_ready(name, vocabulary)
    return reports


def _fill_rows(store: Store, update: _Update, report: BuildReport, progress: Progress | None) -> None:
    """Delete, upsert and flush the rows of one collection, and complete its report."""
    spec = update.spec
    positions, report.skipped = find_valid_rows(spec, update.rows)
    keys = update.rows.scalars[spec.ref.key].to_numpy()[positions]
    gone = set(update.digests) - set(keys.tolist())
    store.collections.delete(update.name, gone)
    report.deleted = len(gone)
    processed = _upsert_changed(store, update, positions, report)
    unit = "face" if spec.ref.kind == "faces" else "photo"
    for _ in progress(processed, len(positions), unit, spec.ref.kind) if progress else processed:
        pass
    if report.inserted or report.updated or report.deleted or not update.is_flushed:
        store.collections.flush(update.name)
    report.rows = store.collections.count_rows(update.name)
    if report.rows != len(positions):
        raise RuntimeError(f"{update.name}: expected {len(positions)} rows, got {report.rows}")
    if not store.collections.dialect.is_lite:
        indexed = store.collections.iterate_indexed(update.name, report.rows)
        for _ in progress(indexed, report.rows, unit, f"{spec.ref.kind} index") if progress else indexed:
            pass


def _upsert_changed(
    store: Store, update: _Update, positions: np.ndarray, report: BuildReport
) -> Iterator[int]:
    """Upsert new and changed rows; yield the key of each processed row."""
    spec, digests, key = update.spec, update.digests, update.spec.ref.key
    text_bytes = 2048  # an upper estimate of the mean size for paths, names and addresses
    size = min(_BATCH_ROWS, max(1, _BATCH_BYTES // (4 * spec.dimension + text_bytes)))
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
    """Return why a collection must be rebuilt, or an empty string."""
    if existing is None:
        return ""
    if rebuild:
        return "requested"
    if (existing.fingerprint, existing.dimension) != (spec.fingerprint, spec.dimension):
        return "different model"
    if existing.layout != store.collections.hash_layout(spec):
        return "different fields"
    if existing.extra != spec.extra:
        return "different columns"
    return "" if existing.index.is_compatible(spec.index) else "different index"


def _find_resumable(
    store: Store, unfinished: Sequence[CollectionInfo], spec: CollectionSpec
) -> CollectionInfo | None:
    """Return the collection of an interrupted build that this build can complete."""
    for collection in unfinished:
        if (
            collection.ref == spec.ref
            and not _explain_rebuild(store, collection, spec, rebuild=False)
            and store.collections.has_all_indexes(collection, spec)
        ):
            return collection
    return None
