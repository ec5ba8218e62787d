"""The loop of every extraction step: list the photos, skip those done, decode ahead, batch, append.

`update_tables` contains the whole loop. It uses these modules of the package, which return data to it:

- `dataset` lists the photos, and `pending` compares them with the entries in each step's tables;
- `moves` copies the rows of photos that were moved, without processing them again;
- `local_engine` decodes each photo once for all steps, in threads, a few batches ahead of the models, and
  processes batches; `ray_engine` does the same in other processes, also on other machines;
- `shard_writer` collects a step's processed batches, and appends the rows to its tables as a shard;
- `summary` counts the photos of the run.

After Ctrl-C the remaining rows are appended too. After a kill, only rows that were not appended are lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from imagesearch.photos import Photo, PreviewCache
from imagesearch.pipeline import local_engine, ray_engine
from imagesearch.pipeline.moves import append_moves
from imagesearch.pipeline.pending import PendingWork, find_pending_work, list_missing
from imagesearch.pipeline.shard_writer import ShardWriter
from imagesearch.pipeline.steps import RunOptions, StepSpec, compact_tables, lock_tables
from imagesearch.pipeline.summary import StepSummary, check_outage, summarize_run

# A shard is appended after this many photos or seconds, whichever comes first. A kill loses at most this much
# work.
_PHOTOS_A_SHARD = 512
_SECONDS_A_SHARD = 30.0
_ENGINES = {"local": local_engine.process_photos, "ray": ray_engine.process_photos}


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
        Engine, batch size, threads, `retry_failed` and progress bar.
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
        for one in pending:
            append_moves(one.spec, one.moves)
        missing = list_missing(pending, photos)
        work = [one for one in pending if one.missing]
        writers = {one.spec.name: ShardWriter(one.spec) for one in work}
        progress = _start_progress(missing, options)
        # Models are loaded here, and only for steps that have photos to process.
        process_photos = _ENGINES[options.engine if work else "local"]
        results = process_photos(missing, work, previews, hashes, options)
        damaged, unavailable = {}, {}
        try:
            for result in results:
                damaged |= result.damaged
                unavailable |= result.unavailable
                for batch in result.batches:
                    writers[batch.step].add(batch)
                for writer in writers.values():
                    if writer.is_due(_PHOTOS_A_SHARD, _SECONDS_A_SHARD):
                        writer.append_shard()
                for _ in range(result.photos):
                    next(progress, None)
        finally:  # also after an interrupt: photos that were processed are kept, those in decoding are not
            results.close()
            for writer in writers.values():
                writer.append_shard()
        summary = summarize_run(pending, photos, missing, damaged, unavailable)
        _clean_up(pending, photos, previews)
    check_outage(missing, unavailable)
    summary.seconds = time.monotonic() - start
    return summary


def _start_progress(photos: Sequence[Photo], options: RunOptions) -> Iterator[Photo]:
    """Return the photos for the progress bar, the first one started; the next is taken when it is done."""
    progress = iter(options.progress(photos, len(photos)) if options.progress else photos)
    next(progress, None)
    return progress


def _clean_up(pending: Sequence[PendingWork], photos: Sequence[Photo], previews: PreviewCache) -> None:
    """Remember which photos are gone; remove what is left of other photos where it takes much space."""
    for work in pending:
        work.spec.tables[0].save_removed(work.removed)
    compact_tables([work.spec for work in pending], photos)
    previews.prune(photos)
