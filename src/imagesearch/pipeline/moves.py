"""Moved and touched photos: recognized by their content, their rows copied instead of extracted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from imagesearch.photos import Photo, PhotoError, PreviewCache, compute_photo_id, hash_content
from imagesearch.pipeline.processed_photo import ProcessedPhoto, make_processed_row, make_processed_table
from imagesearch.pipeline.steps import StepSpec
from imagesearch.pipeline.tables import Table

# Replaces the size in the old entry of a moved photo. No file has this size, so the entry is never current.
_SIZE_OF_MOVED = -1
_MOVED_TO = "moved to "  # before the new path, in place of an error
_MOVES_A_SHARD = 10_000  # their rows are in memory at the same time


@dataclass(frozen=True)
class Move:
    """The entry of a photo under its old path, and the photo at its new path.

    The two paths are equal if only the modification time of the file has changed.
    """

    entry: ProcessedPhoto
    photo: Photo


def find_moves(
    gone: Sequence[ProcessedPhoto],
    arrived: Sequence[Photo],
    hashes: dict[int, bytes],
    previews: PreviewCache,
) -> list[Move]:
    """Pair photos at new paths with entries of photos that are gone, by size and content.

    Parameters
    ----------
    gone
        Entries with usable rows whose photos no longer exist.
    arrived
        Photos without a current entry.
    hashes
        Known content hashes by photo id. Hashes computed here are added.
    previews
        Provides the files.
    """
    gone_by_size: dict[int, list[ProcessedPhoto]] = {}
    for entry in gone:
        gone_by_size.setdefault(entry.size, []).append(entry)
    moves = []
    for photo in arrived:
        candidates = gone_by_size.get(photo.size)
        if not candidates:
            continue
        content = hashes.get(photo.photo_id) or hash_photo(photo, previews)
        if content is None:
            continue
        hashes[photo.photo_id] = content
        match = next((entry for entry in candidates if entry.content == content), None)
        if match is not None:
            candidates.remove(match)
            moves.append(Move(match, photo))
    return moves


def hash_photo(photo: Photo, previews: PreviewCache) -> bytes | None:
    """Return the content hash of a photo; None if it cannot be read, which is reported when it is decoded."""
    try:
        with previews.provide_file(photo) as opened:
            return hash_content(opened.file)
    except (OSError, PhotoError):
        return None


def append_moves(spec: StepSpec, moves: Sequence[Move]) -> None:
    """Copy the rows of moved photos to their new ids, and mark their old entries as moved."""
    for start in range(0, len(moves), _MOVES_A_SHARD):
        _append_shard(spec, moves[start : start + _MOVES_A_SHARD])


def _append_shard(spec: StepSpec, moves: Sequence[Move]) -> None:
    for table in spec.tables:
        entries = table.read_processed(pa.array([move.entry.photo_id for move in moves], pa.int64()))
        pairs = [(entries[move.entry.photo_id], move.photo) for move in moves]
        rows = table.copy_rows([(entry, photo.photo_id) for entry, photo in pairs])
        new = [make_processed_row(photo, e.content, e.width, e.height) for e, photo in pairs]
        old = [
            (e.photo_id, e.path, _SIZE_OF_MOVED, 0, e.content, 0, 0, f"{_MOVED_TO}{photo.path}")
            for e, photo in pairs
            if e.photo_id != photo.photo_id
        ]
        table.append(spec.fingerprint, rows, make_processed_table(new + old))


def is_marked_as_moved(entry: ProcessedPhoto) -> bool:
    """Whether `append_moves` has marked this entry: its rows are in the table under the new id."""
    return entry.size == _SIZE_OF_MOVED


def read_moves(table: Table) -> dict[int, int]:
    """Return the new ids of moved photos by the ids of their old entries; a photo can move several times."""
    reasons = table.read_errors()
    return {
        photo: compute_photo_id(reason.removeprefix(_MOVED_TO))
        for photo, reason in reasons.items()
        if reason.startswith(_MOVED_TO)
    }
