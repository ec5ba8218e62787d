"""A step's table on disk: an entry for each processed photo, and its rows; append, read, compact.

A shard is two Parquet files: ``rows-N`` has the rows and is written first, ``seen-N`` has the entries. Each
file is written under a temporary name and then renamed. A shard is valid when its ``seen`` file exists, so a
kill at any moment loses at most the unfinished shard. The newest entry of a photo replaces older ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagesearch.errors import MergedShardsError, UserError, describe_error
from imagesearch.files import atomic_write, explain_write_errors, lock_file, make_folder
from imagesearch.pipeline.known_entries import KnownEntries
from imagesearch.pipeline.newest_entries import group_newest
from imagesearch.pipeline.processed_photo import PROCESSED_SCHEMA, ProcessedPhoto
from imagesearch.pipeline.table_columns import get_matrix, shorten_hashes

_FINGERPRINT = b"imagesearch.fingerprint"
_SEEN_FILE = re.compile(r"seen-(\d+)\.parquet")
# A run of 100,000 photos leaves about 200 shards. Above this number, opening the files dominates the time of
# reading a table.
_MANY_SHARDS = 64
_PHOTOS_IN_COMPACTED_SHARD = 50_000
T = TypeVar("T")


class Table:
    """A table that one step writes for the photos of one dataset.

    Parameters
    ----------
    folder
        The folder of the shards. It is made when the first shard is written.
    known
        Keeps the entries that were read. By default, they are read each time.
    """

    def __init__(self, folder: Path, known: KnownEntries | None = None) -> None:
        self.folder, self._known = folder, known

    @property
    def name(self) -> str:
        return self.folder.name

    # --- writing -------------------------------------------------------------------------------------------

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the table against other writers; the system releases the lock when the process ends.

        Raises
        ------
        UserError
            If another process holds the lock, or the folder cannot be written to.
        """
        make_folder(self.folder)
        busy = f"{self.folder}: another run is writing here; wait until it has ended"
        with lock_file(self.folder / ".lock", busy):
            self._remove_uncommitted_files()
            yield

    def append(self, fingerprint: str, rows: pa.Table, processed: pa.Table) -> None:
        """Append a shard.

        Parameters
        ----------
        fingerprint
            Identifies everything that decides the values in ``rows``: weights, input size, precision.
        rows
            Any number of rows for each photo, with a column ``photo_id``.
        processed
            One entry for each processed photo, with or without rows, in the schema `PROCESSED_SCHEMA`.
        """
        number = max(self._list_shards(), default=0) + 1
        metadata = {_FINGERPRINT: fingerprint.encode()}
        for kind, data in (("rows", rows), ("seen", processed.cast(PROCESSED_SCHEMA))):
            with atomic_write(self._shard_file(kind, number)) as unfinished:
                # A dictionary of the numbers in vectors, which never repeat, makes a shard a half larger.
                encoded = [field.name for field in data.schema if not pa.types.is_fixed_size_list(field.type)]
                table = data.replace_schema_metadata(metadata)
                pq.write_table(table, unfinished, compression="zstd", use_dictionary=encoded)

    def compact(self, photo_ids: Iterable[int], fingerprint: str) -> None:
        """Merge the shards if there are many; only data of these photos and this fingerprint is kept.

        A shard that is full, and of which all is kept, stays as it is.
        The new shards are written before any old shard is removed. A kill between the two leaves duplicates
        but loses nothing.
        """
        old = self._list_shards()
        if len(old) <= _MANY_SHARDS:
            return
        current = np.unique(np.fromiter(photo_ids, np.int64))
        if len(old) <= _MANY_SHARDS + len(current) // _PHOTOS_IN_COMPACTED_SHARD:
            return  # a table of millions of photos has many shards after compaction too
        rows: list[pa.Table] = []
        processed: list[pa.Table] = []
        full: set[int] = set()
        for shard, newest in group_newest(self._iterate_ids(old, fingerprint), current):
            if len(newest) >= _PHOTOS_IN_COMPACTED_SHARD and len(newest) == self._count_entries(shard):
                full.add(shard)
                continue
            ids = pa.array(newest)
            rows.append(_select_photos(self._load_shard("rows", shard), ids))
            processed.append(_select_photos(self._load_shard("seen", shard), ids))
            if sum(map(len, processed)) >= _PHOTOS_IN_COMPACTED_SHARD:
                self.append(fingerprint, _join_shards(rows), _join_shards(processed))
                rows, processed = [], []
        if processed:
            self.append(fingerprint, _join_shards(rows), _join_shards(processed))
        for shard in (shard for shard in old if shard not in full):
            # The oldest shard is removed first, so that an older entry never becomes the newest again. Its
            # ``seen`` is removed before its ``rows``: ``rows`` alone is ignored, ``seen`` alone is damage.
            self._shard_file("seen", shard).unlink()
            self._shard_file("rows", shard).unlink()

    def _iterate_ids(self, shards: Sequence[int], fingerprint: str) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each shard and the ids of its photos; the shard is 0 if it has another fingerprint."""
        for shard in shards:
            table = self._load_shard("seen", shard, ["photo_id"])
            is_current = (table.schema.metadata or {}).get(_FINGERPRINT, b"").decode() == fingerprint
            yield shard if is_current else 0, table["photo_id"].to_numpy()

    def copy_rows(self, moves: Sequence[tuple[ProcessedPhoto, int]]) -> pa.Table:
        """Return copies of the rows of some photos with other photo ids.

        Parameters
        ----------
        moves
            Pairs of a photo's entry under its old id, and its new id.
        """
        pieces = []
        for shard in sorted({entry.shard for entry, _ in moves}):
            new_ids = {entry.photo_id: new_id for entry, new_id in moves if entry.shard == shard}
            piece = _select_photos(self._load_shard("rows", shard), pa.array(list(new_ids), pa.int64()))
            ids = pa.array([new_ids[i] for i in piece["photo_id"].to_pylist()], pa.int64())
            pieces.append(piece.set_column(piece.column_names.index("photo_id"), "photo_id", ids))
        return _join_shards(pieces)

    # --- reading -------------------------------------------------------------------------------------------

    def read_processed(self, photo_ids: pa.Array | None = None) -> dict[int, ProcessedPhoto]:
        """Return the newest entry of each processed photo, or of those given, by photo id."""
        if self._known is None:
            return _read_twice(lambda: self._read_entries(self._list_shards(), photo_ids))
        entries = _read_twice(self._update_known)
        if photo_ids is None:
            return entries
        return {photo: entries[photo] for photo in photo_ids.to_pylist() if photo in entries}

    def _update_known(self) -> dict[int, ProcessedPhoto]:
        """Return all entries, reading only the files that are new."""
        assert self._known is not None
        versions = [version for version in self.list_versions() if version[0] != self.removed_file.name]
        return self._known.read(self.folder, versions, self._read_files)

    def _read_files(self, names: Iterable[str]) -> dict[int, ProcessedPhoto]:
        return self._read_entries(_list_numbers(names))

    def _read_entries(
        self, shards: Sequence[int], photo_ids: pa.Array | None = None
    ) -> dict[int, ProcessedPhoto]:
        newest: dict[int, ProcessedPhoto] = {}
        for shard in shards:
            table = self._load_shard("seen", shard)
            fingerprint = (table.schema.metadata or {}).get(_FINGERPRINT, b"").decode()
            if photo_ids is not None:
                table = _select_photos(table, photo_ids)
            columns = [table[name].to_pylist() for name in PROCESSED_SCHEMA.names]
            for values in zip(*columns, strict=True):
                newest[values[0]] = ProcessedPhoto(*values, shard, fingerprint)
        return newest

    def list_versions(self) -> list[list]:
        """Return names, sizes and times of the files that change whenever the table is written."""
        for _ in range(_MANY_SHARDS):
            try:
                with os.scandir(self.folder) as scan:
                    files = [
                        f for f in scan if _SEEN_FILE.fullmatch(f.name) or f.name == self.removed_file.name
                    ]
            except FileNotFoundError:
                return []
            with suppress(FileNotFoundError):  # merged in the meantime: the others are listed again
                stats = [(file.name, file.stat()) for file in files]
                return sorted([name, stat.st_size, stat.st_mtime_ns] for name, stat in stats)
        raise MergedShardsError(f"{self.folder}: files vanish while they are listed; try again")

    def read_content_hashes(self, known: Sequence[list] = ()) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what the newest entry of each photo was made of.

        Parameters
        ----------
        known
            Files of `list_versions` that are not read.

        Returns
        -------
        ids : (n,) int64
            Photo ids, sorted.
        contents : (n,) int64
            Hash of the file's content; 0 for a photo that was moved away.
        keys : (n,) int64
            Hash of the file's content and the fingerprint; 0 if the entry has an error.
        """
        return _read_twice(lambda: self._read_content_hashes({version[0] for version in known}))

    def _read_content_hashes(self, known: set[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pieces = [np.empty((3, 0), np.int64)]
        for shard in self._list_shards():
            if self._shard_file("seen", shard).name in known:
                continue
            table = self._load_shard("seen", shard, ["photo_id", "size", "content", "error"])
            fingerprint = (table.schema.metadata or {}).get(_FINGERPRINT, b"")
            digest = hashlib.blake2b(fingerprint, digest_size=8).digest()
            contents = shorten_hashes(table["content"])
            keys = contents ^ np.frombuffer(digest, np.int64)
            keys[table["error"].is_valid().to_numpy()] = 0
            contents[table["size"].to_numpy() < 0] = 0  # see `moves.is_marked_as_moved`
            pieces.append(np.stack([table["photo_id"].to_numpy(), contents, keys]))
        newest_first = np.concatenate(pieces, axis=1)[:, ::-1]
        _, rows = np.unique(newest_first[0], return_index=True)
        ids, contents, keys = newest_first[:, rows]
        return ids, contents, keys

    def list_paths(self) -> list[str]:
        """List the paths of all processed photos, each once; some may no longer exist."""

        def read() -> list[str]:
            columns = (self._load_shard("seen", shard, ["path"])["path"] for shard in self._list_shards())
            return list(dict.fromkeys(path for column in columns for path in column.to_pylist()))

        return _read_twice(read)

    def read_removed(self) -> set[int]:
        """Return the ids of the photos that no longer existed in the last run."""
        try:
            return set(json.loads(self.removed_file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):  # missing or damaged: all removed photos are reported again
            return set()

    def save_removed(self, photo_ids: set[int]) -> None:
        """Save the ids of the photos that no longer exist, so that the next run does not report them."""
        if photo_ids != self.read_removed():
            with atomic_write(self.removed_file) as unfinished:
                unfinished.write_text(json.dumps(sorted(photo_ids)), "utf-8")

    @property
    def removed_file(self) -> Path:
        return self.folder / "removed.json"

    def read_errors(self) -> dict[int, str]:
        """Return the reason, by photo id, for each photo whose newest entry has an error."""
        if self._known is not None:
            return {i: entry.error for i, entry in self.read_processed().items() if entry.error is not None}
        return _read_twice(self._read_errors)

    def _read_errors(self) -> dict[int, str]:
        errors: dict[int, str] = {}
        for shard in self._list_shards():
            table = self._load_shard("seen", shard, ["photo_id", "error"])
            for photo_id in table["photo_id"].to_pylist() if errors else ():
                errors.pop(photo_id, None)
            failed = table.filter(pc.is_valid(table["error"]))
            errors.update(zip(failed["photo_id"].to_pylist(), failed["error"].to_pylist(), strict=True))
        return errors

    def read_rows(
        self, entries: Iterable[ProcessedPhoto], columns: Sequence[str] | None = None
    ) -> pa.Table | None:
        """Return the rows of some entries, or None if there are none."""
        pieces = list(self._load_pieces(entries, columns))
        return _join_shards(pieces) if pieces else None

    def read_vectors(
        self, entries: Iterable[ProcessedPhoto], column: str = "vector"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of some entries.

        The vectors are copied once, from each decoded shard to the result.

        Returns
        -------
        ids : (n,) int64
            Photo ids.
        vectors : (n, d) float32
            In the order of ``ids``.
        """
        photo_ids_by_shard = self._group_by_shard(entries)
        total = sum(map(len, photo_ids_by_shard.values()))
        ids = np.empty(total, np.int64)
        matrix: np.ndarray | None = None
        end = 0
        for shard, photo_ids in photo_ids_by_shard.items():
            piece = self._load_shard("rows", shard, ["photo_id", column])
            for batch in piece.to_batches():
                block = get_matrix(batch[column])
                batch_ids = batch["photo_id"].to_numpy()
                rows = np.flatnonzero(np.isin(batch_ids, photo_ids))
                if matrix is None:
                    matrix = np.empty((total, block.shape[1]), np.float32)
                start, end = end, end + len(rows)
                ids[start:end] = batch_ids[rows]
                # mode="clip" writes to `out` directly; mode="raise" would fill a buffer first
                np.take(block, rows, axis=0, out=matrix[start:end], mode="clip")
        if matrix is None:
            return ids[:0], np.empty((0, 0), np.float32)
        return ids[:end], matrix[:end]

    # --- files ---------------------------------------------------------------------------------------------

    def _load_pieces(
        self, entries: Iterable[ProcessedPhoto], columns: Sequence[str] | None
    ) -> Iterator[pa.Table]:
        for shard, photo_ids in self._group_by_shard(entries).items():
            piece = self._load_shard("rows", shard, columns)
            piece = _select_photos(piece, pa.array(photo_ids, pa.int64())).replace_schema_metadata(None)
            if len(piece):
                yield piece

    def _group_by_shard(self, entries: Iterable[ProcessedPhoto]) -> dict[int, list[int]]:
        """Return the photo ids of the entries without errors, by shard in ascending order."""
        photo_ids: dict[int, list[int]] = {}
        for entry in entries:
            if entry.error is None:
                photo_ids.setdefault(entry.shard, []).append(entry.photo_id)
        return dict(sorted(photo_ids.items()))

    def _shard_file(self, kind: str, shard: int) -> Path:
        return self.folder / f"{kind}-{shard:06d}.parquet"

    def _list_shards(self) -> list[int]:
        try:  # called before each append: with 20,000 shards, `Path.glob` took a tenth of a second
            names = os.listdir(self.folder)  # noqa: PTH208 - makes no Path for each file
        except (FileNotFoundError, NotADirectoryError):
            return []
        return _list_numbers(name for name in names if name.startswith("seen-"))

    def _load_shard(self, kind: str, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        file = self._shard_file(kind, shard)
        try:
            with pq.ParquetFile(file) as parquet:
                # Unlike pq.read_table, this ignores columns that a shard without results lacks.
                return parquet.read(columns)
        except (OSError, pa.ArrowException) as error:
            if not self._shard_file("seen", shard).exists():
                merged = f"{file}: merged by another run during reading; try again"
                raise MergedShardsError(merged) from None
            advice = f"delete {self.folder} and run the step again"
            message = f"{file}: cannot be read ({describe_error(error)}); {advice}"
            raise UserError(message) from None

    def _count_entries(self, shard: int) -> int:
        return pq.read_metadata(self._shard_file("seen", shard)).num_rows

    def _remove_uncommitted_files(self) -> None:
        committed = {self._shard_file("rows", shard).name for shard in self._list_shards()}
        for file in [*self.folder.glob("*.part"), *self.folder.glob("rows-*.parquet")]:
            if file.name not in committed:
                with explain_write_errors(file):
                    file.unlink()


def _read_twice(read: Callable[[], T]) -> T:
    """Read again, from the files that there are then, if another run has merged some of them meanwhile."""
    try:
        return read()
    except MergedShardsError:
        return read()


def _list_numbers(names: Iterable[str]) -> list[int]:
    """Return the numbers of the shards that have entries in some files, sorted."""
    return sorted(int(match[1]) for name in names if (match := _SEEN_FILE.fullmatch(name)))


def _select_photos(table: pa.Table, photo_ids: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table["photo_id"], value_set=photo_ids))


def _join_shards(pieces: Sequence[pa.Table]) -> pa.Table:
    """Join shards. A shard without results may lack columns that others have."""
    return pa.concat_tables(pieces, promote_options="default")
