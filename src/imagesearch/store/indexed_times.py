"""The file ``indexed.parquet``: when each photo was first put into the collections of a dataset."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from imagesearch.errors import UserError, describe_error
from imagesearch.files import atomic_write
from imagesearch.pipeline import Dataset, ProcessedPhoto

_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),
        ("content", pa.binary(16)),  # hash of the whole file; recognizes a moved photo
        ("indexed_at", pa.int64()),  # seconds since 1970, UTC
    ]
)
_Rows = dict[int, tuple[bytes, int]]  # content and time by photo id


def update_indexed_times(dataset: Dataset, entries: Iterable[ProcessedPhoto]) -> dict[int, int]:
    """Return when each photo was first put into the collections, and store the times of new photos.

    A new photo gets the current time. If it has the content of a photo that is gone, it was moved and keeps
    that photo's time. The file is written before the collections are changed, so a killed build leaves the
    times that the next build uses.

    Parameters
    ----------
    dataset
        The dataset. The times of photos that are gone from disk are dropped.
    entries
        The entries of the photos that are put into the collections.

    Returns
    -------
    times : dict
        Seconds since 1970, UTC, by photo id.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    if not dataset.folder.is_dir():
        return {}
    file = dataset.folder / "indexed.parquet"
    contents = {entry.photo_id: entry.content for entry in entries}
    with FileLock(dataset.folder / ".indexed.lock"):
        saved = _read(file)
        # Photos without vectors at present, such as those still to be extracted with another model, are kept.
        present = contents.keys() | {photo.photo_id for photo in dataset.photos}
        rows = _update_rows(saved, contents, present)
        if rows != saved:
            _write(file, rows)
    return {photo: seconds for photo, (_, seconds) in rows.items()}


def _update_rows(saved: _Rows, contents: dict[int, bytes], present: set[int]) -> _Rows:
    times_of_gone: dict[bytes, list[int]] = {}  # by content
    for photo, (content, seconds) in saved.items():
        if photo not in present:
            times_of_gone.setdefault(content, []).append(seconds)
    rows = {photo: row for photo, row in saved.items() if photo in present}
    now = int(time.time())
    for photo, content in contents.items():
        if photo in rows:
            seconds = rows[photo][1]
        else:
            moved = times_of_gone.get(content)
            seconds = moved.pop() if moved else now
        rows[photo] = (content, seconds)
    return rows


def _read(file: Path) -> _Rows:
    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
        columns = [table[name].to_pylist() for name in _SCHEMA.names]
    except FileNotFoundError:
        return {}
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UserError(
            f"{file}: cannot be read ({describe_error(error)}); "
            "delete it, and all photos count as new in the next build"
        ) from None
    return {photo: (content, seconds) for photo, content, seconds in zip(*columns, strict=True)}


def _write(file: Path, rows: _Rows) -> None:
    contents, times = zip(*rows.values(), strict=True) if rows else ((), ())
    table = pa.table(dict(zip(_SCHEMA.names, (list(rows), contents, times), strict=True)), schema=_SCHEMA)
    with atomic_write(file) as unfinished:
        pq.write_table(table, unfinished, compression="zstd")
