"""A table's entry for one photo, and tables of entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from imagesearch.photos import Photo

# The schema of the files ``seen-N``.
PROCESSED_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("content", pa.binary(16)),  # hash of the whole file; recognizes a moved photo
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("error", pa.string()),  # null: no error
    ]
)


@dataclass(frozen=True, slots=True)
class ProcessedPhoto:
    """A table's entry for one photo: its file when it was processed, and the error if its step failed.

    Entries that differ only in the shard, which changes when a table is compacted, are equal.
    """

    photo_id: int
    path: str
    size: int
    mtime_ns: int
    content: bytes
    width: int
    height: int
    error: str | None
    shard: int = field(compare=False)
    fingerprint: str


def make_processed_row(
    photo: Photo, content: bytes, width: int, height: int, error: str | None = None
) -> tuple:
    """Return a photo's entry as a row in the order of `PROCESSED_SCHEMA`."""
    return (photo.photo_id, photo.path, photo.size, photo.mtime_ns, content, width, height, error)


def make_processed_table(rows: Sequence[tuple]) -> pa.Table:
    """Return a table of rows in the order of `PROCESSED_SCHEMA`."""
    columns = zip(*rows, strict=True) if rows else [[] for _ in PROCESSED_SCHEMA]
    return pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, PROCESSED_SCHEMA, strict=True)], schema=PROCESSED_SCHEMA
    )
