"""Creates and updates collections in Milvus from given rows, and counts what has changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from imagesearch.pipeline import Progress
from imagesearch.store.index_progress import iterate_indexed
from imagesearch.store.moved_rows import MoveFinder
from imagesearch.store.schema import (
    CollectionContent,
    CollectionInfo,
    CollectionRows,
    CollectionSpec,
    find_valid_rows,
)
from imagesearch.store.store import Store
from imagesearch.text_table import format_count

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
    moved: int = 0
    """Rows of photos that were found at a new path; they are neither new nor gone."""
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
        counts |= {"moved": self.moved} if self.moved else {}
        counts |= {"gone": self.deleted, "skipped": len(self.skipped)}
        reason = f" (rebuilt: {self.rebuilt})" if self.rebuilt else ""
        rows = format_count(self.rows, self.what.removesuffix("s"))
        return f"{rows}: {', '.join(f'{n} {word}' for word, n in counts.items())}{reason}"


def fill_collection(
    store: Store, spec: CollectionSpec, rows: CollectionRows, progress: Progress | None = None
) -> BuildReport:
    """Create or update one collection from given rows, and make it searchable.

    Parameters
    ----------
    store, spec, rows
        The destination, the specification and the rows.
    progress
        Shows the rows that are processed, with the kind of collection as the label.
    """
    return update_collections(store, [(spec, rows)], progress=progress)[spec.ref.kind]


@dataclass(frozen=True)
class _Update:
    """A collection to update: its name, specification and new rows, and the digests of old rows by key.

    ``is_flushed`` means that the last build of the collection was completed. ``find_moves`` is that of
    `update_collections`. The digests of the new rows are added to ``new_digests``.
    """

    name: str
    spec: CollectionSpec
    rows: CollectionRows
    digests: dict[int, str]
    is_flushed: bool = False
    find_moves: MoveFinder | None = None
    new_digests: dict[int, str] = field(default_factory=dict)


def update_collections(
    store: Store,
    contents: Sequence[CollectionContent],
    rebuild: bool = False,
    progress: Progress | None = None,
    before_ready: Callable[[], str] = lambda: "",
    find_moves: MoveFinder | None = None,
) -> dict[str, BuildReport]:
    """Create or update collections of one dataset, and make them searchable.

    Until another program has finished writing to the same Milvus Lite file, this function waits.

    Parameters
    ----------
    store, contents
        The destination, and the specification and rows of each collection.
    rebuild
        Rebuild all collections.
    progress
        See `fill_collection`.
    before_ready
        Called after the aliases are moved and before the state of the collections becomes "ready". It returns
        the digest of the vocabulary, or "" if there is none.
    find_moves
        Returns, for a kind and its rows, the new keys of moved rows by their old keys, for the report.

    Returns
    -------
    reports : dict
        Report by kind of collection.
    """
    with store.collections.client.lock_for_writing():
        return _update_collections(store, contents, rebuild, progress, before_ready, find_moves)


def _update_collections(
    store: Store,
    contents: Sequence[CollectionContent],
    rebuild: bool,
    progress: Progress | None,
    before_ready: Callable[[], str],
    find_moves: MoveFinder | None,
) -> dict[str, BuildReport]:
    """Update collections while no other program writes; see `update_collections`."""
    collections = store.collections
    unfinished = collections.list_unfinished(contents[0][0].ref.dataset)
    existing = {spec.ref: collections.find(spec.ref) for spec, _ in contents}
    for collection in existing.values():
        if collection is not None:
            collections.set_updating(collection.name)
    reports, updates = {}, {}
    for spec, rows in contents:
        ref, old = spec.ref, existing[spec.ref]
        reason = _explain_rebuild(store, old, spec, rebuild)
        report = BuildReport(rebuilt=reason, what="faces" if ref.kind == "faces" else "photos")
        target = old if old is not None and not reason else _find_resumable(store, unfinished, spec)
        if target is not None:
            name, digests = target.name, collections.read_digests(target)
            unfinished = [collection for collection in unfinished if collection is not target]
        else:
            numbers = [c.build_number for c in (old, *unfinished) if c is not None and c.ref == ref]
            name, digests = f"{ref.alias}__{max(numbers, default=0) + 1}", {}
            collections.create(spec, name)
        is_flushed = target is not None and target.state == "ready"
        update = _Update(name, spec, rows, digests, is_flushed, find_moves)
        _fill_rows(store, update, report, progress)
        reports[ref.kind], updates[ref] = report, update
    for ref, update in updates.items():
        collections.publish(ref, update.name)
    for collection in unfinished:
        collections.drop_collection(collection.name)
    vocabulary = before_ready()
    for update in updates.values():
        collections.set_ready(update.name, vocabulary, update.new_digests)
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
    if gone and update.find_moves is not None:
        moves = update.find_moves(spec.ref.kind, update.rows)
        arrived = set(keys.tolist()) - update.digests.keys()
        report.moved = len({moves.get(key) for key in gone} & arrived)
    report.inserted -= report.moved
    report.deleted -= report.moved
    report.rows = store.collections.count_rows(update.name)
    if report.rows != len(positions):
        raise RuntimeError(f"{update.name}: expected {len(positions)} rows, got {report.rows}")
    if not store.collections.dialect.is_lite:
        indexed = iterate_indexed(store.collections.client, update.name, report.rows, store.collections.uri)
        for _ in progress(indexed, report.rows, unit, f"{spec.ref.kind} index") if progress else indexed:
            pass


def _upsert_changed(
    store: Store, update: _Update, positions: np.ndarray, report: BuildReport
) -> Iterator[int]:
    """Upsert new and changed rows; yield the key of each processed row."""
    spec, digests, key = update.spec, update.digests, update.spec.ref.key
    known = update.rows.digests
    keys = update.rows.scalars[key].to_numpy()[positions].tolist()
    is_current = [k in known and digests.get(k) == known[k] for k in keys]
    unchanged = list(itertools.compress(keys, is_current))
    update.new_digests.update((k, known[k]) for k in unchanged)
    report.unchanged += len(unchanged)
    yield from unchanged
    positions = positions[~np.array(is_current, bool)]
    text_bytes = 2048  # an upper estimate of the mean size for paths, names and addresses
    size = min(_BATCH_ROWS, max(1, _BATCH_BYTES // (4 * spec.dimension + text_bytes)))
    for batch in update.rows.iterate_batches(positions, size):
        changed = [row for row in batch if digests.get(row[key]) != row["digest"]]
        inserted = sum(row[key] not in digests for row in changed)
        report.inserted += inserted
        report.updated += len(changed) - inserted
        report.unchanged += len(batch) - len(changed)
        known.update((row[key], row["digest"]) for row in batch)
        update.new_digests.update((row[key], row["digest"]) for row in batch)
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
