"""Pending work: which photos are new, changed, moved or gone since a step was last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from imagesearch.photos import Photo, PreviewCache
from imagesearch.pipeline.known_entries import is_entry_of
from imagesearch.pipeline.moves import Move, find_moves, hash_photo, is_marked_as_moved
from imagesearch.pipeline.processed_photo import ProcessedPhoto
from imagesearch.pipeline.steps import RunOptions, StepSpec


@dataclass(frozen=True)
class PendingWork:
    """The work of one step in a run.

    Attributes
    ----------
    spec : StepSpec
    missing : set of int
        Ids of the photos to process.
    moves : list of Move
        Photos that only require a copy of their rows: they were moved, or only their time has changed.
    removed : set of int
        Ids of the photos in the tables that no longer exist.
    gone : set of int
        Those of them that still existed in the last run.
    """

    spec: StepSpec
    missing: set[int]
    moves: list[Move]
    removed: set[int]
    gone: set[int]


def find_pending_work(
    spec: StepSpec,
    photos: Sequence[Photo],
    hashes: dict[int, bytes],
    options: RunOptions,
    previews: PreviewCache,
) -> PendingWork:
    """Compare the photos with the entries in a step's tables.

    Parameters
    ----------
    spec
        A photo is current if every table of the step has an entry of the same fingerprint, size and time.
    photos
        All photos of the dataset.
    hashes
        Known content hashes by photo id. Hashes computed here are added.
    options
        Whether to process failed photos again; the progress bar for comparing files.
    previews
        Provides the files to compare.
    """
    tables = [table.read_processed() for table in spec.tables]
    missing = _find_missing(spec, photos, tables, options.retry_failed)
    candidates = [photo for photo in photos if photo.photo_id in missing]
    touched = _find_touched(spec, candidates, tables, hashes, options, previews)
    missing -= {move.photo.photo_id for move in touched}
    present = {photo.photo_id for photo in photos}
    absent = [e for e in tables[0].values() if e.photo_id not in present and not is_marked_as_moved(e)]
    usable = [entry for entry in absent if _has_usable_rows(entry, tables, spec.fingerprint)]
    moves = find_moves(usable, [photo for photo in photos if photo.photo_id in missing], hashes, previews)
    missing -= {move.photo.photo_id for move in moves}
    removed = {entry.photo_id for entry in absent} - {move.entry.photo_id for move in moves}
    gone_now = removed - spec.tables[0].read_removed()
    return PendingWork(spec, missing, [*touched, *moves], removed, gone_now)


def list_missing(pending: Sequence[PendingWork], photos: Sequence[Photo]) -> list[Photo]:
    """Return the photos that at least one step has to process, in their order."""
    return [photo for photo in photos if any(photo.photo_id in work.missing for work in pending)]


def _find_missing(
    spec: StepSpec,
    photos: Sequence[Photo],
    tables: Sequence[Mapping[int, ProcessedPhoto]],
    retry_failed: bool,
) -> set[int]:
    """Return the ids of the photos without a current entry in one of a step's tables."""
    return {
        photo.photo_id
        for entries in tables
        for photo in photos
        if photo.is_readable
        and not _is_current(entries.get(photo.photo_id), photo, spec.fingerprint, retry_failed)
    }


def _find_touched(
    spec: StepSpec,
    missing: Sequence[Photo],
    tables: Sequence[Mapping[int, ProcessedPhoto]],
    hashes: dict[int, bytes],
    options: RunOptions,
    previews: PreviewCache,
) -> list[Move]:
    """Return the photos with another modification time but the same content, such as a restored backup."""
    entries = {photo.photo_id: tables[0].get(photo.photo_id) for photo in missing}
    candidates = [
        photo
        for photo in missing
        if (entry := entries[photo.photo_id])
        and entry.size == photo.size
        and _has_usable_rows(entry, tables, spec.fingerprint)
    ]
    if not candidates:
        return []
    label = f"{spec.name}: comparing"
    counted = options.progress(candidates, len(candidates), label=label) if options.progress else candidates
    with ThreadPoolExecutor(options.threads) as pool:
        contents = pool.map(
            lambda photo: hashes.get(photo.photo_id) or hash_photo(photo, previews), candidates
        )
        found = list(zip(counted, contents, strict=True))
    hashes.update({photo.photo_id: content for photo, content in found if content})
    return [
        Move(entries[photo.photo_id], photo)
        for photo, content in found
        if content == entries[photo.photo_id].content
    ]


def _is_current(entry: ProcessedPhoto | None, photo: Photo, fingerprint: str, retry_failed: bool) -> bool:
    """Whether an entry was made from the photo as it is now, by the same model."""
    if entry is None or entry.fingerprint != fingerprint or (retry_failed and entry.error):
        return False
    return is_entry_of(entry, photo)


def _has_usable_rows(
    entry: ProcessedPhoto, tables: Sequence[Mapping[int, ProcessedPhoto]], fingerprint: str
) -> bool:
    """Whether every table of a step has rows of this file without an error.

    A kill between two tables leaves rows in the first table only.
    """
    in_all_tables = [entries.get(entry.photo_id) for entries in tables]
    return all(
        e is not None and e.error is None and e.fingerprint == fingerprint and e.content == entry.content
        for e in in_all_tables
    )
