"""The file ``built.parquet``: from which results of the steps the collections were built.

A search compares it with the tables, without listing the photos. As long as the tables have the files that
step 05 found, only their names, sizes and times are read; the photos are counted only if they differ.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.files import FileVersion, atomic_write, get_file_version
from imagesearch.geo import hash_addresses
from imagesearch.pipeline import Dataset

_FILE = "built.parquet"
_VERSIONS = b"imagesearch.versions"
_TABLES = ("clip", "vit", "faces", "geo")
_KEYS = (*_TABLES, "address")
# 1: in the collections; 2: known to be gone; 0: without vectors, or gone and not yet known to be
_BUILT, _GONE = 1, 2
_Versions = dict[str, list]  # of the files of each table, by its name


@dataclass(frozen=True)
class UnbuiltChanges:
    """What steps 01, 02 and 04 have found since the collections were built. Counts are of photos.

    Attributes
    ----------
    new, moved, changed, gone : int
        Photos that are new, have another path or another content, or do not exist any more.
    faces, geo : int
        Other photos whose faces, or whose place and date, were read since.
    are_partial : bool
        Whether new or changed photos lack a step that was run for other photos.
    has_other_list : bool
        Whether a list of photos was edited since, or replaced by another one.
    """

    new: int = 0
    moved: int = 0
    changed: int = 0
    gone: int = 0
    faces: int = 0
    geo: int = 0
    are_partial: bool = False
    has_other_list: bool = False

    @property
    def note(self) -> str:
        """One line with the counts and the command that builds these changes; empty without changes."""
        counts = {"new": self.new, "moved": self.moved, "changed": self.changed, "gone": self.gone}
        counts |= {"with faces read": self.faces, "with places and dates read": self.geo}
        parts = [f"{count:,} {words}" for words, count in counts.items() if count]
        lines = [f"photos since the collections were built: {', '.join(parts)}"] if parts else []
        if self.has_other_list:
            lines.append("the list of photos has changed since the collections were built")
        is_partial = self.are_partial or self.has_other_list
        script = "00_run_steps.py" if is_partial else "05_build_collections.py"
        return f"{'; '.join(lines)}; run {script}" if lines else ""


@dataclass(frozen=True)
class TableSnapshot:
    """The state of a dataset's tables.

    Attributes
    ----------
    versions : dict
        Names, sizes and times of the files by table, and of the lists of photos.
    ids : (n,) int64
        The photos in any table, sorted.
    keys : dict of (n,) int64
        By table, a hash of the content and the model of each photo's entry; 0 for none, or for an error.
    contents : dict of (n,) int64
        By table, a hash of the content alone, also of photos with an error; 0 for none, or for an entry that
        an earlier snapshot has.
    removed : (n,) bool
        The photos that no longer existed when step 01 was last run.
    """

    versions: _Versions
    ids: np.ndarray
    keys: dict[str, np.ndarray]
    contents: dict[str, np.ndarray]
    removed: np.ndarray


@dataclass(frozen=True)
class _BuiltState:
    """The content of the file."""

    versions: _Versions
    ids: np.ndarray
    keys: dict[str, np.ndarray]
    state: np.ndarray


def read_versions(dataset: Dataset) -> _Versions:
    """Return what changes when a step writes its tables."""
    versions: _Versions = {name: dataset.open_table(name).list_versions() for name in _TABLES}
    versions["address"] = list(get_file_version(dataset.folder / "addresses.parquet") or ())[:2]
    versions["lists"] = [[str(file), *(get_file_version(file) or ())[:2]] for file, _ in dataset.lists.lists]
    return versions


def take_snapshot(dataset: Dataset, built: _BuiltState | None = None) -> TableSnapshot:
    """Read the state of a dataset's tables; only files that are new since an earlier state are read."""
    versions = read_versions(dataset)
    columns, based = {}, set()
    for name in _TABLES:
        known = [v for v in built.versions[name] if v[0].startswith("seen-")] if built else []
        if known and all(version in versions[name] for version in known):
            based.add(name)
        else:
            known = []  # also if the table was compacted, or made again
        columns[name] = dataset.open_table(name).read_content_hashes(known)
    if built and built.versions["address"] == versions["address"]:
        based.add("address")
        columns["address"] = (np.empty(0, np.int64),) * 3
    else:
        address_ids, hashes = hash_addresses(dataset)
        columns["address"] = (address_ids, hashes, hashes)
    known_ids = [built.ids] if built else []
    ids = np.unique(np.concatenate([*(column[0] for column in columns.values()), *known_ids]))
    keys, contents = {}, {}
    for name, (table_ids, table_contents, table_keys) in columns.items():
        is_based = built is not None and name in based
        keys[name] = _spread(ids, built.ids, built.keys[name]) if is_based else np.zeros(len(ids), np.int64)
        keys[name][np.searchsorted(ids, table_ids)] = table_keys
        contents[name] = _spread(ids, table_ids, table_contents)
    main = "clip" if versions["clip"] else "vit"
    removed = np.isin(ids, np.array(sorted(dataset.open_table(main).read_removed()), np.int64))
    return TableSnapshot(versions, ids, keys, contents, removed)


def save_built_state(dataset: Dataset, snapshot: TableSnapshot, built: Collection[int]) -> None:
    """Save the snapshot that collections were built from, and which photos are in the collections."""
    is_built = np.isin(snapshot.ids, np.fromiter(built, np.int64, len(built)))
    state = np.where(is_built, _BUILT, np.where(snapshot.removed, _GONE, 0)).astype(np.int8)
    table = pa.table({"photo_id": snapshot.ids, "state": state, **snapshot.keys})
    table = table.replace_schema_metadata({_VERSIONS: json.dumps(snapshot.versions).encode()})
    with atomic_write(dataset.folder / _FILE) as unfinished:
        pq.write_table(table, unfinished, compression="zstd")


class UnbuiltChangesFinder:
    """Compares a dataset's tables with its collections; the result is kept until a file changes."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._compared: tuple[FileVersion, _Versions] | None = None
        self._built_versions: tuple[FileVersion, _Versions | None] | None = None
        self._changes = UnbuiltChanges()

    def find(self) -> UnbuiltChanges:
        """Return the changes; none if the file is missing, as in datasets of earlier versions."""
        file = self._dataset.folder / _FILE
        version = get_file_version(file)
        if version is None or self._dataset.imported is not None:
            return UnbuiltChanges()
        current = (version, read_versions(self._dataset))
        if current != self._compared:
            is_equal = self._read_built_versions(version) == current[1]
            self._changes = UnbuiltChanges() if is_equal else self._compare()
            self._compared = current
        return self._changes

    def _read_built_versions(self, version: FileVersion) -> _Versions | None:
        if self._built_versions is None or self._built_versions[0] != version:
            try:
                metadata = pq.read_metadata(self._dataset.folder / _FILE).metadata or {}
                versions = json.loads(metadata.get(_VERSIONS, b"null"))
            except (OSError, ValueError, pa.ArrowException):
                versions = None
            self._built_versions = (version, versions)
        return self._built_versions[1]

    def _compare(self) -> UnbuiltChanges:
        try:
            with pq.ParquetFile(self._dataset.folder / _FILE) as parquet:
                table = parquet.read()
            versions = json.loads(table.schema.metadata[_VERSIONS])
            keys = {name: table[name].to_numpy() for name in _KEYS}
            built = _BuiltState(versions, table["photo_id"].to_numpy(), keys, table["state"].to_numpy())
            return compare_states(built, take_snapshot(self._dataset, built))
        except (OSError, KeyError, ValueError, TypeError, pa.ArrowException):
            return UnbuiltChanges()  # damaged; step 05 writes it again


def compare_states(built: _BuiltState, now: TableSnapshot) -> UnbuiltChanges:
    """Count the photos whose results have changed since a state that `now` is based on."""
    before = {name: _spread(now.ids, built.ids, keys) for name, keys in built.keys.items()}
    state = _spread(now.ids, built.ids, built.state)
    after, contents = now.keys, now.contents
    is_other = {name: after[name] != before[name] for name in _KEYS}
    was_built = state == _BUILT
    has_vectors = ((after["clip"] != 0) | (after["vit"] != 0)) & ~now.removed
    has_other = is_other["clip"] | is_other["vit"]
    content = np.where(contents["clip"] != 0, contents["clip"], contents["vit"])
    has_failed = ~has_vectors & ~now.removed & (content != 0)
    changed = was_built & ((has_vectors & has_other) | has_failed)
    arrived = has_vectors & ~was_built & (has_other | (state == _GONE))
    missing = was_built & ~has_vectors & ~has_failed
    moved = _count_pairs(_get_photo_keys(before)[missing], _get_photo_keys(after)[arrived])
    same = was_built & has_vectors & ~changed
    unread = [contents[name] != content for name in ("faces", "geo") if now.versions[name]]
    return UnbuiltChanges(
        new=int(arrived.sum()) - moved,
        moved=moved,
        changed=int(changed.sum()),
        gone=int(missing.sum()) - moved,
        faces=int((same & is_other["faces"]).sum()),
        geo=int((same & (is_other["geo"] | is_other["address"])).sum()),
        are_partial=any(bool(((arrived | changed) & lacks).any()) for lacks in unread),
        has_other_list=now.versions["lists"] != built.versions.get("lists", now.versions["lists"]),
    )


def _get_photo_keys(keys: dict[str, np.ndarray]) -> np.ndarray:
    return np.where(keys["clip"] != 0, keys["clip"], keys["vit"])


def _count_pairs(some: np.ndarray, others: np.ndarray) -> int:
    """Return how many elements of one array have an equal one in the other."""
    values, counts = np.unique(some, return_counts=True)
    other_values, other_counts = np.unique(others, return_counts=True)
    _, at, other_at = np.intersect1d(values, other_values, return_indices=True)
    return int(np.minimum(counts[at], other_counts[other_at]).sum())


def _spread(ids: np.ndarray, some_ids: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the value of each id; 0 for those without one. `ids` is sorted and has all of `some_ids`."""
    spread = np.zeros(len(ids), np.int64)
    spread[np.searchsorted(ids, some_ids)] = values
    return spread
