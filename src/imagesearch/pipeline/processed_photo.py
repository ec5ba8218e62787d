"""A table's entry for one photo."""

from __future__ import annotations

from dataclasses import dataclass, field


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
