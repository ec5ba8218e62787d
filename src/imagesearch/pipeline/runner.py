"""A step's run: the photos that its tables miss are decoded in threads, given to its engine, and appended."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Protocol

import pyarrow as pa

from imagesearch.photos import DecodedPhoto, Photo, PhotoError, PreviewCache, hash_content
from imagesearch.pipeline.tables import ProcessedPhoto, Table, make_processed_table

# A shard is committed after this many photos or seconds, whichever comes first: what a kill can cost.
_PHOTOS_A_SHARD = 512
_SECONDS_A_SHARD = 30.0
# Batches decoded ahead of the model. Prepared pixels are small (150 kB a photo at 224x224 RGB); three batches
# keep the model fed when some photos (HEIC, panoramas) take many times longer than others.
_BATCHES_AHEAD = 3
# In place of the size in an entry of a photo that has moved: no file has it, so the entry is never fresh.
_MOVED = -1


PhotoProgress = Callable[[Iterable[Photo], int], Iterable[Photo]]
"""Wraps a stream of photos, given with their number; for a progress bar."""


class Processor(Protocol):
    """What a step does with photos. Made only when there are photos to look at.

    It says how large it wants them; one that wants neither side is not given any pixels.
    """

    side: int
    """What the shorter side of a photo has to have, in pixels; 0 for any."""

    longest: int
    """What the longer side has to have, in pixels; 0 for any."""

    def prepare(self, photo: Photo, picture: DecodedPhoto | None) -> Any:
        """Turn one photo into the engine's input; called in many threads at once."""

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        """Turn a batch of inputs into rows."""


@dataclass(frozen=True)
class BatchOutput:
    """Rows for each of a step's tables, and the photos the engine could make nothing of, with reasons."""

    rows: dict[str, pa.Table]
    errors: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StepSpec:
    """One engine and the tables it fills.

    ``fingerprint`` stands for everything that decides the numbers; it is known without making the engine.
    """

    name: str
    tables: tuple[Table, ...]
    fingerprint: str
    make_processor: Callable[[], Processor]


@dataclass
class StepSummary:
    """How a run went; counts are of photos.

    ``new`` ones are those looked at in this run; ``gone`` ones are not there any more, while the tables
    still have them for the case that they come back.
    """

    new: int = 0
    unchanged: int = 0
    moved: int = 0
    gone: int = 0
    seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    """Reason by path: of this run, and of earlier runs for photos that have not changed since."""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def __str__(self) -> str:
        counts = f"{self.new} new, {self.unchanged} unchanged, {self.moved} moved, {self.gone} gone"
        rate = f", {self.new / self.seconds:.1f} photos/s" if self.new and self.seconds > 0.5 else ""
        return f"{counts}, {len(self.failed)} failed{rate}"


@dataclass
class _PendingWork:
    """What one step has to do."""

    spec: StepSpec
    missing: set[int] = field(default_factory=set)
    moves: list[tuple[ProcessedPhoto, Photo]] = field(default_factory=list)
    gone: int = 0


def update_tables(
    steps: Sequence[StepSpec],
    photos: Sequence[Photo],
    previews: PreviewCache,
    *,
    batch_size: int,
    workers: int | str = "auto",
    retry_failed: bool = False,
    progress: PhotoProgress | None = None,
    hashes: Mapping[int, bytes] | None = None,
) -> StepSummary:
    """Bring the tables of some steps up to date with the photos, decoding each photo once for all of them.

    Parameters
    ----------
    steps
        Each looks only at the photos that its own tables miss.
    photos
        All photos of the dataset.
    previews
        Decodes, with its cache.
    batch_size, workers
        Photos a forward pass; decoding threads, ``"auto"`` for one a core.
    retry_failed
        Look again at unchanged photos that failed before.
    progress
        Wraps the stream of photos as they are done, with their number; for a progress bar.
    hashes
        What `photos.hash_content` says of files as they are now, where that is known: they are not read again
        for it.
    """
    start = time.monotonic()
    with ExitStack() as stack:
        for step in steps:
            for table in step.tables:
                stack.enter_context(table.lock())
        hashes = dict(hashes or {})
        plans = [_find_pending(step, photos, hashes, retry_failed) for step in steps]
        for plan in plans:
            _apply_moves(plan)
        missing = [photo for photo in photos if any(photo.photo_id in plan.missing for plan in plans)]
        # closing: an interrupt in `progress` too commits now, while the tables are locked
        with closing(_process_pending(plans, missing, previews, batch_size, workers, hashes)) as done:
            for _ in progress(done, len(missing)) if progress else done:
                pass
        summary = _summarize(plans, photos, missing)
        for step in steps:
            for table in step.tables:
                table.compact((photo.photo_id for photo in photos), step.fingerprint)
        previews.prune(photos)
    summary.seconds = time.monotonic() - start
    return summary


# --- planning ----------------------------------------------------------------------------------------------


def is_current(entry: ProcessedPhoto | None, photo: Photo, fingerprint: str) -> bool:
    """Whether what was seen of a photo still holds."""
    return (
        entry is not None
        and entry.fingerprint == fingerprint
        and (entry.size, entry.mtime_ns) == (photo.size, photo.mtime_ns)
    )


def _find_pending(
    step: StepSpec, photos: Sequence[Photo], hashes: dict[int, bytes], retry_failed: bool
) -> _PendingWork:
    plan = _PendingWork(step)
    present = {photo.photo_id for photo in photos}
    tables_seen = [table.read_processed() for table in step.tables]
    for seen in tables_seen:
        for photo in photos:
            entry = seen.get(photo.photo_id)
            if not is_current(entry, photo, step.fingerprint) or (retry_failed and entry.error):
                plan.missing.add(photo.photo_id)
    # A moved photo's old entry stays, marked: it is not gone, and its rows live on under the new id.
    gone = [e for e in tables_seen[0].values() if e.photo_id not in present and e.size != _MOVED]
    usable = [entry for entry in gone if _has_usable_rows(entry, tables_seen, step.fingerprint)]
    arrived = [photo for photo in photos if photo.photo_id in plan.missing]
    plan.moves = _find_moves(usable, arrived, hashes)
    plan.missing -= {photo.photo_id for _, photo in plan.moves}
    plan.gone = len(gone) - len(plan.moves)
    return plan


def _has_usable_rows(
    entry: ProcessedPhoto, tables_seen: Sequence[dict[int, ProcessedPhoto]], fingerprint: str
) -> bool:
    """Whether all tables of a step have good rows of the same file; a kill may have come between two."""
    same = [seen.get(entry.photo_id) for seen in tables_seen]
    return all(
        e is not None and e.error is None and e.fingerprint == fingerprint and e.content == entry.content
        for e in same
    )


def _find_moves(
    gone: Sequence[ProcessedPhoto], arrived: Sequence[Photo], hashes: dict[int, bytes]
) -> list[tuple[ProcessedPhoto, Photo]]:
    """Pair photos at new places with gone ones of the same size and content."""
    by_size: dict[int, list[ProcessedPhoto]] = {}
    for entry in gone:
        by_size.setdefault(entry.size, []).append(entry)
    moves = []
    for photo in arrived:
        candidates = by_size.get(photo.size)
        if not candidates:
            continue
        try:
            digest = hashes.get(photo.photo_id) or hash_content(photo.file)
        except OSError:
            continue  # decoding will say why
        hashes[photo.photo_id] = digest
        match = next((entry for entry in candidates if entry.content == digest), None)
        if match is not None:
            candidates.remove(match)
            moves.append((match, photo))
    return moves


def _apply_moves(plan: _PendingWork) -> None:
    if not plan.moves:
        return
    for table in plan.spec.tables:
        seen = table.read_processed(pa.array([entry.photo_id for entry, _ in plan.moves], pa.int64()))
        known = [(seen[entry.photo_id], photo) for entry, photo in plan.moves]
        rows = table.copy_rows([(entry, photo.photo_id) for entry, photo in known])
        entries = [_make_entry(photo, e.content, e.width, e.height, None) for e, photo in known]
        marks = [(e.photo_id, e.path, _MOVED, 0, e.content, 0, 0, f"moved to {p.path}") for e, p in known]
        table.append(plan.spec.fingerprint, rows, make_processed_table(entries + marks))


def _summarize(
    plans: Sequence[_PendingWork], photos: Sequence[Photo], missing: Sequence[Photo]
) -> StepSummary:
    moved = {photo.photo_id for plan in plans for _, photo in plan.moves}
    untouched = len(photos) - len(missing) - len(moved - {photo.photo_id for photo in missing})
    summary = StepSummary(len(missing), untouched, len(moved), max((plan.gone for plan in plans), default=0))
    for plan in plans:
        seen = plan.spec.tables[0].read_processed()
        for photo in photos:
            entry = seen.get(photo.photo_id)
            if entry is not None and entry.error is not None:
                summary.failed[photo.path] = entry.error
    return summary


# --- working -----------------------------------------------------------------------------------------------


@dataclass
class _PreparedPhoto:
    """One photo, decoded once and prepared for each step that wants it; or why not."""

    photo: Photo
    inputs: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """What one step could not prepare, by the step's name; the other steps can still want the photo."""
    content: bytes = bytes(16)
    width: int = 0
    height: int = 0
    error: str | None = None

    def make_entry(self, error: str | None) -> tuple:
        return _make_entry(self.photo, self.content, self.width, self.height, error)


def _make_entry(photo: Photo, content: bytes, width: int, height: int, error: str | None) -> tuple:
    return (photo.photo_id, photo.path, photo.size, photo.mtime_ns, content, width, height, error)


def _process_pending(
    plans: Sequence[_PendingWork],
    missing: Sequence[Photo],
    previews: PreviewCache,
    batch_size: int,
    workers: int | str,
    hashes: Mapping[int, bytes],
) -> Iterator[Photo]:
    """Yield each photo when all its steps are through with it; commit as it goes."""
    if not missing:
        return
    writers = {plan.spec.name: _ShardWriter(plan, batch_size) for plan in plans if plan.missing}
    threads = workers if isinstance(workers, int) else os.cpu_count() or 1

    def decode(photo: Photo) -> _PreparedPhoto:
        wanted = [w for w in writers.values() if photo.photo_id in w.pending.missing]
        decoded = _PreparedPhoto(photo)
        try:
            decoded.content = hashes.get(photo.photo_id) or hash_content(photo.file)
            side, longest = (max(getattr(w.processor, name) for w in wanted) for name in ("side", "longest"))
            picture = previews.load(photo, side, longest) if side or longest else None
            if picture is not None:
                decoded.width, decoded.height = picture.width, picture.height
        except PhotoError as error:
            decoded.error = str(error)
            return decoded
        except OSError as error:
            decoded.error = f"cannot be read: {error.strerror or error}"
            return decoded
        for writer in wanted:
            name = writer.pending.spec.name
            try:
                decoded.inputs[name] = writer.processor.prepare(photo, picture)
            except PhotoError as error:
                decoded.errors[name] = str(error)
            except Exception as error:  # whatever a library says of one odd photo must not end the run
                decoded.errors[name] = f"cannot be prepared: {type(error).__name__}: {error}"
        return decoded

    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        for decoded in _map_ahead(pool, decode, missing, _BATCHES_AHEAD * batch_size):
            for writer in writers.values():
                if decoded.photo.photo_id in writer.pending.missing:
                    writer.add(decoded)
            yield decoded.photo
        for writer in writers.values():
            writer.process()
    finally:
        # On Ctrl-C too: what the model has finished is kept, what is being decoded is dropped.
        pool.shutdown(wait=False, cancel_futures=True)
        for writer in writers.values():
            writer.commit()


def _map_ahead(
    pool: ThreadPoolExecutor,
    function: Callable[[Photo], _PreparedPhoto],
    photos: Iterable[Photo],
    window: int,
) -> Iterator[_PreparedPhoto]:
    """Map in threads, in order, with at most ``window`` results waiting."""
    todo = iter(photos)
    waiting: deque[Future[_PreparedPhoto]] = deque(
        pool.submit(function, photo) for photo in islice(todo, window)
    )
    while waiting:
        decoded = waiting.popleft().result()
        waiting.extend(pool.submit(function, photo) for photo in islice(todo, 1))
        yield decoded


class _ShardWriter:
    """Collects photos for one step: into batches for its engine, and what comes out into shards."""

    def __init__(self, plan: _PendingWork, batch_size: int) -> None:
        self.pending, self.batch_size = plan, batch_size
        self.processor = plan.spec.make_processor()
        self.batch: list[_PreparedPhoto] = []
        self.results: list[dict[str, pa.Table]] = []
        self.entries: list[tuple] = []
        self.committed = time.monotonic()

    def add(self, decoded: _PreparedPhoto) -> None:
        error = decoded.error or decoded.errors.get(self.pending.spec.name)
        if error is not None:
            self.entries.append(decoded.make_entry(error))
        else:
            self.batch.append(decoded)
        if len(self.batch) >= self.batch_size:
            self.process()
        late = time.monotonic() - self.committed > _SECONDS_A_SHARD
        if len(self.entries) >= _PHOTOS_A_SHARD or (late and self.entries):
            self.commit()

    def process(self) -> None:
        if not self.batch:
            return
        batch, self.batch = self.batch, []
        inputs = [decoded.inputs[self.pending.spec.name] for decoded in batch]
        result = self.processor.process([decoded.photo.photo_id for decoded in batch], inputs)
        self.results.append(result.rows)
        self.entries += [decoded.make_entry(result.errors.get(decoded.photo.photo_id)) for decoded in batch]

    def commit(self) -> None:
        if self.entries:
            seen = make_processed_table(self.entries)
            for table in self.pending.spec.tables:
                pieces = [rows[table.name] for rows in self.results]
                empty = pa.table({"photo_id": pa.array([], pa.int64())})
                # a batch in which nothing was found may lack columns that the others have
                rows = pa.concat_tables(pieces, promote_options="default") if pieces else empty
                table.append(self.pending.spec.fingerprint, rows, seen)
        self.results, self.entries, self.committed = [], [], time.monotonic()
