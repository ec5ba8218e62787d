"""The engine of this process: photos are decoded in threads, and processed in the thread of the caller."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from imagesearch.photos import Photo, PreviewCache
from imagesearch.pipeline.batches import EngineResult, list_damaged, list_unavailable, process_batch
from imagesearch.pipeline.decode_ahead import PreparedPhoto, decode_ahead
from imagesearch.pipeline.pending import PendingWork
from imagesearch.pipeline.steps import ActiveStep, RunOptions

# Batches decoded ahead of the model. Prepared pixels are small (150 kB for a photo of 224x224 RGB); three
# batches prevent the model from waiting when some photos (HEIC, panoramas) take many times longer than
# others.
_BATCHES_AHEAD = 3


def process_photos(
    photos: Sequence[Photo],
    work: Sequence[PendingWork],
    previews: PreviewCache,
    hashes: Mapping[int, bytes],
    options: RunOptions,
) -> Generator[EngineResult, None, None]:
    """Yield a result for each photo, in order, with the batches that it has completed.

    Parameters
    ----------
    photos
        Photos that at least one step misses.
    work
        The steps, with the photos that each of them misses.
    previews
        Decodes the photos.
    hashes
        Known content hashes by photo id.
    options
        Batch size and threads.
    """
    steps = [ActiveStep(one.spec, one.missing, one.spec.make_processor()) for one in work]
    batches: list[list[PreparedPhoto]] = [[] for _ in steps]
    window = _BATCHES_AHEAD * options.batch_size
    decoded = decode_ahead(photos, steps, previews, hashes, options, window)
    try:
        for number, prepared in enumerate(decoded, 1):
            done = []
            for step, batch in zip(steps, batches, strict=True):
                if prepared.photo.photo_id in step.missing and not prepared.unavailable:
                    batch.append(prepared)
                if batch and (len(batch) >= options.batch_size or number == len(photos)):
                    done.append(process_batch(step, batch))
                    batch.clear()
            yield EngineResult(1, done, list_damaged([prepared]), list_unavailable([prepared]))
    finally:
        decoded.close()
