"""The loop of every extraction step: list the photos, skip those done, decode ahead, batch, append.

`update_tables` contains the whole loop. It uses these modules of the package, which return data to it:

- `dataset` lists the photos, and `pending` compares them with the entries in each step's tables;
- `moves` copies the rows of photos that were moved, without processing them again;
- `decode_ahead` decodes each photo once for all steps, in threads, a few batches ahead of the models;
- `shard_writer` collects batches for a step's processor, and appends the rows to its tables as a shard;
- `summary` counts the photos of the run.

After Ctrl-C the remaining rows are appended too. After a kill, only rows that were not appended are lost.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from imagesearch.photos import Photo, PreviewCache
from imagesearch.pipeline.decode_ahead import decode_ahead
from imagesearch.pipeline.moves import append_moves
from imagesearch.pipeline.pending import PendingWork, find_pending_work, list_missing
from imagesearch.pipeline.shard_writer import ShardWriter
from imagesearch.pipeline.steps import ActiveStep, RunOptions, StepSpec, compact_tables, lock_tables
from imagesearch.pipeline.summary import StepSummary, check_outage, summarize_run

# A shard is appended after this many photos or seconds, whichever comes first. A kill loses at most this much
# work.
_PHOTOS_A_SHARD = 512
_SECONDS_A_SHARD = 30.0
# Batches decoded ahead of the model. Prepared pixels are small (150 kB for a photo of 224x224 RGB); three
# batches prevent the model from waiting when some photos (HEIC, panoramas) take many times longer than
# others.
_BATCHES_AHEAD = 3


def update_tables(
    steps: Sequence[StepSpec],
    photos: Sequence[Photo],
    previews: PreviewCache,
    options: RunOptions,
    hashes: Mapping[int, bytes] | None = None,
) -> StepSummary:
    """Bring the tables of some steps up to date with the photos, decoding each photo once for all steps.

    Parameters
    ----------
    steps
        Each step processes only the photos that are missing from its own tables.
    photos
        All photos of the dataset, as `Dataset.photos` lists them.
    previews
        Decodes the photos, with its cache.
    options
        Batch size, threads, `retry_failed` and progress bar.
    hashes
        Known content hashes (`hash_content`) by photo id. These files are not read again to be hashed.

    Raises
    ------
    BucketUnavailableError
        If a bucket has stopped answering; what was finished is kept.
    """
    start, hashes = time.monotonic(), dict(hashes or {})
    with lock_tables(steps):
        pending = [find_pending_work(step, photos, hashes, options, previews) for step in steps]
        for work in pending:
            append_moves(work.spec, work.moves)
        missing = list_missing(pending, photos)
        # Models are loaded here, and only for steps that have photos to process.
        active = [ActiveStep(w.spec, w.missing, w.spec.make_processor()) for w in pending if w.missing]
        writers = [ShardWriter(step) for step in active]
        window = _BATCHES_AHEAD * options.batch_size
        decoded = decode_ahead(missing, active, previews, hashes, options.threads, window)
        counted = options.progress(missing, len(missing)) if options.progress else missing
        damaged, unavailable = {}, {}
        try:
            for number, (photo, prepared) in enumerate(zip(counted, decoded, strict=True), 1):
                damaged |= {photo.path: prepared.remark} if prepared.remark else {}
                unavailable |= {photo.path: prepared.unavailable} if prepared.unavailable else {}
                for writer in writers:
                    if photo.photo_id in writer.step.missing:
                        writer.add(prepared)
                    if len(writer.batch) >= options.batch_size or number == len(missing):
                        writer.process_batch()
                    if writer.is_due(_PHOTOS_A_SHARD, _SECONDS_A_SHARD):
                        writer.append_shard()
        finally:  # also after an interrupt: photos that were processed are kept, those in decoding are not
            decoded.close()
            for writer in writers:
                writer.append_shard()
        summary = summarize_run(pending, photos, missing, damaged, unavailable)
        _clean_up(pending, photos, previews)
    check_outage(missing, unavailable)
    summary.seconds = time.monotonic() - start
    return summary


def _clean_up(pending: Sequence[PendingWork], photos: Sequence[Photo], previews: PreviewCache) -> None:
    """Remember which photos are gone; remove what is left of other photos where it takes much space."""
    for work in pending:
        work.spec.tables[0].save_removed(work.removed)
    compact_tables([work.spec for work in pending], photos)
    previews.prune(photos)
