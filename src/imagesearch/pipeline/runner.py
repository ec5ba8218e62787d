"""A run of steps: photos that their tables miss are decoded in threads, processed in batches and appended."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa

from imagesearch.photos import Photo, PhotoError, PreviewCache, hash_content
from imagesearch.pipeline.steps import BatchOutput, RunOptions, StepSpec, StepSummary
from imagesearch.pipeline.tables import ProcessedPhoto, make_processed_table

# A shard is committed after this many photos or seconds, whichever comes first: what a kill can cost.
_PHOTOS_A_SHARD = 512
_SECONDS_A_SHARD = 30.0
# Batches decoded ahead of the model. Prepared pixels are small (150 kB a photo at 224x224 RGB); three batches
# keep the model fed when some photos (HEIC, panoramas) take many times longer than others.
_BATCHES_AHEAD = 3
# In place of the size in an entry of a photo that has moved: no file has it, so the entry is never current.
_SIZE_OF_MOVED = -1


@dataclass
class _PendingWork:
    """What one step has to do: ids of photos to process, and entries of photos that have moved."""

    spec: StepSpec
    missing: set[int] = field(default_factory=set)
    moves: list[tuple[ProcessedPhoto, Photo]] = field(default_factory=list)
    gone: int = 0


def update_tables(
    steps: Sequence[StepSpec],
    photos: Sequence[Photo],
    previews: PreviewCache,
    options: RunOptions,
    hashes: Mapping[int, bytes] | None = None,
) -> StepSummary:
    """Bring the tables of some steps up to date with the photos, decoding each photo once for all of them.

    Parameters
    ----------
    steps
        Each processes only the photos that its own tables miss.
    photos
        All photos of the dataset.
    previews
        Decodes, with its cache.
    options
        Batch size, threads, progress bar.
    hashes
        What `photos.hash_content` returns for files as they are now, by photo id, where that is known: they
        are not read again for it.
    """
    start = time.monotonic()
    with ExitStack() as stack:
        for step in steps:
            for table in step.tables:
                stack.enter_context(table.lock())
        hashes = dict(hashes or {})
        pending = [_find_pending_work(step, photos, hashes, options.retry_failed) for step in steps]
        for work in pending:
            _apply_moves(work)
        missing = [photo for photo in photos if any(photo.photo_id in work.missing for work in pending)]
        # closing: an interrupt in `progress` too commits now, while the tables are locked
        with closing(_process_photos(pending, missing, previews, options, hashes)) as done:
            for _ in options.progress(done, len(missing)) if options.progress else done:
                pass
        summary = _summarize_run(pending, photos, missing)
        for step in steps:
            for table in step.tables:
                table.compact((photo.photo_id for photo in photos), step.fingerprint)
        previews.prune(photos)
    summary.seconds = time.monotonic() - start
    return summary


# --- finding what is to do ---------------------------------------------------------------------------------


def _find_pending_work(
    step: StepSpec, photos: Sequence[Photo], hashes: dict[int, bytes], retry_failed: bool
) -> _PendingWork:
    work = _PendingWork(step)
    present = {photo.photo_id for photo in photos}
    tables = [table.read_processed() for table in step.tables]
    for processed in tables:
        for photo in photos:
            entry = processed.get(photo.photo_id)
            if not _is_current(entry, photo, step.fingerprint) or (retry_failed and entry.error):
                work.missing.add(photo.photo_id)
    # A moved photo's old entry stays, marked: it is not gone, and its rows live on under the new id.
    gone = [e for e in tables[0].values() if e.photo_id not in present and e.size != _SIZE_OF_MOVED]
    usable = [entry for entry in gone if _has_usable_rows(entry, tables, step.fingerprint)]
    arrived = [photo for photo in photos if photo.photo_id in work.missing]
    work.moves = _find_moves(usable, arrived, hashes)
    work.missing -= {photo.photo_id for _, photo in work.moves}
    work.gone = len(gone) - len(work.moves)
    return work


def _is_current(entry: ProcessedPhoto | None, photo: Photo, fingerprint: str) -> bool:
    """Whether an entry was made of the photo as it is now, by the same model."""
    return (
        entry is not None
        and entry.fingerprint == fingerprint
        and (entry.size, entry.mtime_ns) == (photo.size, photo.mtime_ns)
    )


def _has_usable_rows(
    entry: ProcessedPhoto, tables: Sequence[dict[int, ProcessedPhoto]], fingerprint: str
) -> bool:
    """Whether all tables of a step have good rows of the same file; a kill may have come between two."""
    entries = [processed.get(entry.photo_id) for processed in tables]
    return all(
        e is not None and e.error is None and e.fingerprint == fingerprint and e.content == entry.content
        for e in entries
    )


def _find_moves(
    gone: Sequence[ProcessedPhoto], arrived: Sequence[Photo], hashes: dict[int, bytes]
) -> list[tuple[ProcessedPhoto, Photo]]:
    """Pair photos at new places with gone ones of the same size and content."""
    gone_by_size: dict[int, list[ProcessedPhoto]] = {}
    for entry in gone:
        gone_by_size.setdefault(entry.size, []).append(entry)
    moves = []
    for photo in arrived:
        candidates = gone_by_size.get(photo.size)
        if not candidates:
            continue
        try:
            content = hashes.get(photo.photo_id) or hash_content(photo.file)
        except OSError:
            continue  # decoding will say why
        hashes[photo.photo_id] = content
        match = next((entry for entry in candidates if entry.content == content), None)
        if match is not None:
            candidates.remove(match)
            moves.append((match, photo))
    return moves


def _apply_moves(work: _PendingWork) -> None:
    """Copy the rows of moved photos to their new ids, and mark their old entries."""
    if not work.moves:
        return
    for table in work.spec.tables:
        processed = table.read_processed(pa.array([entry.photo_id for entry, _ in work.moves], pa.int64()))
        moves = [(processed[entry.photo_id], photo) for entry, photo in work.moves]
        rows = table.copy_rows([(entry, photo.photo_id) for entry, photo in moves])
        new = [_make_processed_row(photo, e.content, e.width, e.height, None) for e, photo in moves]
        old = [
            (e.photo_id, e.path, _SIZE_OF_MOVED, 0, e.content, 0, 0, f"moved to {photo.path}")
            for e, photo in moves
        ]
        table.append(work.spec.fingerprint, rows, make_processed_table(new + old))


def _summarize_run(
    pending: Sequence[_PendingWork], photos: Sequence[Photo], missing: Sequence[Photo]
) -> StepSummary:
    moved = {photo.photo_id for work in pending for _, photo in work.moves}
    unchanged = len(photos) - len(missing) - len(moved - {photo.photo_id for photo in missing})
    gone = max((work.gone for work in pending), default=0)
    summary = StepSummary(len(missing), unchanged, len(moved), gone)
    for work in pending:
        processed = work.spec.tables[0].read_processed()
        for photo in photos:
            entry = processed.get(photo.photo_id)
            if entry is not None and entry.error is not None:
                summary.failed[photo.path] = entry.error
    return summary


# --- processing photos -------------------------------------------------------------------------------------


@dataclass
class _PreparedPhoto:
    """One photo, decoded once and prepared for each step that misses it; or the reason why it is not."""

    photo: Photo
    inputs: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """What one step could not prepare, by the step's name; the other steps may still use the photo."""
    content: bytes = bytes(16)
    width: int = 0
    height: int = 0
    error: str | None = None

    def make_processed_row(self, error: str | None) -> tuple:
        return _make_processed_row(self.photo, self.content, self.width, self.height, error)


def _make_processed_row(photo: Photo, content: bytes, width: int, height: int, error: str | None) -> tuple:
    return (photo.photo_id, photo.path, photo.size, photo.mtime_ns, content, width, height, error)


def _process_photos(
    pending: Sequence[_PendingWork],
    missing: Sequence[Photo],
    previews: PreviewCache,
    options: RunOptions,
    hashes: Mapping[int, bytes],
) -> Iterator[Photo]:
    """Yield each photo when all its steps are done with it; commit on the way."""
    if not missing:
        return
    writers = [_ShardWriter(work, options.batch_size) for work in pending if work.missing]
    threads = options.workers if isinstance(options.workers, int) else os.cpu_count() or 1

    def prepare(photo: Photo) -> _PreparedPhoto:
        return _prepare_photo(
            photo, [w for w in writers if photo.photo_id in w.work.missing], previews, hashes
        )

    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        for prepared in _map_ahead(pool, prepare, missing, _BATCHES_AHEAD * options.batch_size):
            for writer in writers:
                if prepared.photo.photo_id in writer.work.missing:
                    writer.add(prepared)
            yield prepared.photo
        for writer in writers:
            writer.process()
    finally:
        # On Ctrl-C too: what the model has finished is kept, what is being decoded is dropped.
        pool.shutdown(wait=False, cancel_futures=True)
        for writer in writers:
            writer.commit()


def _prepare_photo(
    photo: Photo, writers: Sequence[_ShardWriter], previews: PreviewCache, hashes: Mapping[int, bytes]
) -> _PreparedPhoto:
    """Hash and decode a photo once, and prepare it for each of its steps."""
    prepared = _PreparedPhoto(photo)
    min_short_side = max(writer.processor.min_short_side for writer in writers)
    min_long_side = max(writer.processor.min_long_side for writer in writers)
    decoded = None
    try:
        prepared.content = hashes.get(photo.photo_id) or hash_content(photo.file)
        if min_short_side or min_long_side:
            decoded = previews.load(photo, min_short_side, min_long_side)
            prepared.width, prepared.height = decoded.width, decoded.height
    except PhotoError as error:
        prepared.error = str(error)
        return prepared
    except OSError as error:
        prepared.error = f"cannot be read: {error.strerror or error}"
        return prepared
    for writer in writers:
        name = writer.work.spec.name
        try:
            prepared.inputs[name] = writer.processor.prepare(photo, decoded)
        except PhotoError as error:
            prepared.errors[name] = str(error)
        except Exception as error:  # whatever a library raises for one odd photo must not end the run
            prepared.errors[name] = f"cannot be prepared: {type(error).__name__}: {error}"
    return prepared


def _map_ahead(
    pool: ThreadPoolExecutor,
    function: Callable[[Photo], _PreparedPhoto],
    photos: Iterable[Photo],
    window: int,
) -> Iterator[_PreparedPhoto]:
    """Map in threads, in order, with at most ``window`` results waiting."""
    remaining = iter(photos)
    waiting: deque[Future[_PreparedPhoto]] = deque(
        pool.submit(function, photo) for photo in islice(remaining, window)
    )
    while waiting:
        prepared = waiting.popleft().result()
        waiting.extend(pool.submit(function, photo) for photo in islice(remaining, 1))
        yield prepared


class _ShardWriter:
    """Collects photos for one step: into batches for its processor, and what comes out into shards."""

    def __init__(self, work: _PendingWork, batch_size: int) -> None:
        self.work, self.batch_size = work, batch_size
        self.processor = work.spec.make_processor()
        self.batch: list[_PreparedPhoto] = []
        self.outputs: list[BatchOutput] = []
        self.processed: list[tuple] = []
        self.committed = time.monotonic()

    def add(self, prepared: _PreparedPhoto) -> None:
        error = prepared.error or prepared.errors.get(self.work.spec.name)
        if error is not None:
            self.processed.append(prepared.make_processed_row(error))
        else:
            self.batch.append(prepared)
        if len(self.batch) >= self.batch_size:
            self.process()
        overdue = time.monotonic() - self.committed > _SECONDS_A_SHARD
        if len(self.processed) >= _PHOTOS_A_SHARD or (overdue and self.processed):
            self.commit()

    def process(self) -> None:
        if not self.batch:
            return
        batch, self.batch = self.batch, []
        inputs = [prepared.inputs[self.work.spec.name] for prepared in batch]
        output = self.processor.process([prepared.photo.photo_id for prepared in batch], inputs)
        self.outputs.append(output)
        self.processed += [p.make_processed_row(output.errors.get(p.photo.photo_id)) for p in batch]

    def commit(self) -> None:
        if self.processed:
            processed = make_processed_table(self.processed)
            for table in self.work.spec.tables:
                pieces = [output.rows[table.name] for output in self.outputs]
                empty = pa.table({"photo_id": pa.array([], pa.int64())})
                # a batch in which nothing was found may lack columns that the others have
                rows = pa.concat_tables(pieces, promote_options="default") if pieces else empty
                table.append(self.work.spec.fingerprint, rows, processed)
        self.outputs, self.processed, self.committed = [], [], time.monotonic()
