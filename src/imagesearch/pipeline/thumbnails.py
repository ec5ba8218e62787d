"""Makes the thumbnails of a dataset's photos ahead of time."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from imagesearch.downloads import OutageGuard
from imagesearch.photos import Photo, PhotoError, ThumbnailCache
from imagesearch.pipeline.dataset import Dataset
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.steps import RunOptions
from imagesearch.pipeline.work_ahead import map_ahead

_PHOTOS_AHEAD = 64


@dataclass
class ThumbnailSummary:
    """Numbers of photos in a run, and those that failed.

    Attributes
    ----------
    made : int
        Photos whose thumbnails were made in this run.
    unchanged : int
        Photos that had thumbnails already.
    seconds : float
        Duration of the run.
    failed : dict of str to str
        Reason by path.
    """

    made: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as ``--json`` prints them."""
        return asdict(self)

    def __str__(self) -> str:
        rate = f", {self.made / self.seconds:.1f} photos/s" if self.made and self.seconds > 0.5 else ""
        return f"{self.made} made, {self.unchanged} unchanged, {len(self.failed)} failed{rate}"


def make_thumbnails(dataset: Dataset, progress: Progress | None = None) -> ThumbnailSummary:
    """Make the thumbnails that a grid of photos uses. An interrupted run keeps what was finished.

    Parameters
    ----------
    dataset
        The photos, and the cache of thumbnails.
    progress
        Wraps the photos to process, for a progress bar.

    Raises
    ------
    UserError
        If a thumbnail cannot be written.
    """
    start = time.monotonic()
    previews = dataset.make_previews(OutageGuard(dataset.objects))
    thumbnails = ThumbnailCache(dataset.thumbnails.folder, previews)
    thumbnails.prune(dataset.photos)
    missing = [photo for photo in dataset.photos if not thumbnails.has(photo)]
    summary = ThumbnailSummary(unchanged=len(dataset.photos) - len(missing))
    counted = progress(missing, len(missing)) if progress else missing
    with closing(_make_ahead(dataset, thumbnails, missing)) as errors:
        for photo, error in zip(counted, errors, strict=True):
            if error:
                summary.failed[photo.path] = error
            else:
                summary.made += 1
    summary.seconds = time.monotonic() - start
    return summary


def _make_ahead(
    dataset: Dataset, thumbnails: ThumbnailCache, photos: list[Photo]
) -> Generator[str, None, None]:
    """Make the thumbnails of photos in several threads; yield what failed with each photo, in order."""
    extraction = dataset.config.extraction
    threads = RunOptions(extraction.batch_size, extraction.workers).threads

    def make(photo: Photo) -> str:
        try:
            thumbnails.make(photo)
        except PhotoError as error:
            return str(error)
        return ""

    return map_ahead(make, photos, threads, _PHOTOS_AHEAD, "thumbnails")
