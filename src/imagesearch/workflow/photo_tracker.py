"""Which photos of a listing are new, changed or gone, and have been so long enough to be processed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from imagesearch.photos import Photo


@dataclass(frozen=True)
class TrackedPhotos:
    """The photos of one listing as the next batch takes them.

    Attributes
    ----------
    photos : list of Photo
        All photos. Those that must wait are marked as not readable, so that they are neither processed nor
        treated as gone.
    ready : int
        Number of photos to process.
    gone : int
        Number of photos that no longer exist.
    waiting : int
        Number of photos that must wait: they are being written, or belong to a later batch.
    """

    photos: list[Photo]
    ready: int
    gone: int
    waiting: int


class PhotoTracker:
    """Compares listings of photos with the last batch.

    A photo is processed when its size and time have not changed for some time, and its file is complete. A
    photo is gone when it has been missing for the same time. A missing photo that may be a waiting one under
    its old path is not gone yet, so that it keeps its rows in the collections until the move is complete.

    Parameters
    ----------
    settle_seconds
        The time that a photo must be unchanged.
    max_incomplete_seconds
        The time after which a file that seems incomplete is processed nevertheless.
    batch_size
        Maximum number of photos in a batch, unless a tenth of all photos are more. The first batch is not
        limited.
    is_complete
        Whether a photo's file is complete. It is called once for each state of a file.
    """

    def __init__(
        self,
        settle_seconds: float,
        max_incomplete_seconds: float,
        batch_size: int,
        is_complete: Callable[[Photo], bool],
    ) -> None:
        self._settle, self._max_incomplete = settle_seconds, max_incomplete_seconds
        self._batch_size, self._is_complete = batch_size, is_complete
        self._processed: dict[int, Photo] | None = None
        self._arrived: dict[int, tuple[Photo, float]] = {}
        self._missing: dict[int, float] = {}
        self._complete: dict[Photo, bool] = {}
        self._next: dict[int, Photo] = {}

    def select(self, listed: Sequence[Photo], now: float) -> TrackedPhotos:
        """Return the photos for the next batch.

        Parameters
        ----------
        listed
            All photos at present.
        now
            The time in seconds, of a clock that is never set back.
        """
        processed = self._processed or {}
        changed = [p for p in listed if p.is_readable and not _is_same(processed.get(p.photo_id), p)]
        self._arrived = {p.photo_id: self._find_arrival(p, now) for p in changed}
        self._complete = {p: known for p, known in self._complete.items() if p.photo_id in self._arrived}
        ready = [p for p in changed if self._is_settled(p, now)]
        if self._processed is not None:
            ready = ready[: max(self._batch_size, len(processed) // 10)]
        ready_ids = {p.photo_id for p in ready}
        held = {p.photo_id: p for p in changed if p.photo_id not in ready_ids}
        kept, gone = self._find_gone(listed, held.values(), now)
        self._next = {p.photo_id: p for p in (*listed, *kept) if p.photo_id not in held}
        self._next |= {photo: processed[photo] for photo in held if photo in processed}
        photos = [replace(p, is_readable=False) if p.photo_id in held else p for p in listed]
        photos += [replace(p, is_readable=False) for p in kept]
        return TrackedPhotos(photos, len(ready), gone, len(held) + len(kept))

    def mark_processed(self) -> None:
        """Record that the batch of the last `select` is done."""
        self._processed = self._next

    def _find_arrival(self, photo: Photo, now: float) -> tuple[Photo, float]:
        """Return a photo with the time since when it has been as it is."""
        known = self._arrived.get(photo.photo_id)
        return known if known is not None and _is_same(known[0], photo) else (photo, now)

    def _is_settled(self, photo: Photo, now: float) -> bool:
        seconds = now - self._arrived[photo.photo_id][1]
        if seconds < self._settle:
            return False
        if photo not in self._complete:
            self._complete[photo] = self._is_complete(photo)
        return self._complete[photo] or seconds >= self._max_incomplete

    def _find_gone(
        self, listed: Sequence[Photo], held: Iterable[Photo], now: float
    ) -> tuple[list[Photo], int]:
        """Return the missing photos that are not gone yet, and the number of those that are gone."""
        present = {photo.photo_id for photo in listed}
        missing = [p for p in (self._processed or {}).values() if p.photo_id not in present]
        self._missing = {p.photo_id: self._missing.get(p.photo_id, now) for p in missing}
        sizes = {photo.size for photo in held}
        kept = [p for p in missing if now - self._missing[p.photo_id] < self._settle or p.size in sizes]
        return kept, len(missing) - len(kept)


def _is_same(one: Photo | None, other: Photo) -> bool:
    return one is not None and (one.size, one.mtime_ns) == (other.size, other.mtime_ns)
