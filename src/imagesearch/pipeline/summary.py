"""The summary of a run: how many photos are new, unchanged, moved, gone or failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from imagesearch.downloads import OUTAGE
from imagesearch.errors import BucketUnavailableError
from imagesearch.photos import Photo
from imagesearch.pipeline.pending import PendingWork
from imagesearch.text_table import format_count

_OUTAGE_SHARE = 0.1  # of the photos of a run


@dataclass
class StepSummary:
    """Numbers of photos in a run, its duration, and the photos that failed.

    Attributes
    ----------
    new : int
        Photos processed in this run, without those that failed.
    unchanged : int
        Photos that the tables already had, also if only the time of their files has changed; without those
        that failed before.
    moved : int
        Photos found at a new path with the same content; their rows were copied.
    gone : int
        Photos that were removed since the last run. The tables keep their rows in case they come back.
    seconds : float
        Duration of the run.
    failed : dict of str to str
        Reason by path, from this run, and from earlier runs for photos that have not changed since.
    damaged : dict of str to str
        What is missing, by path, of the damaged photos that this run has decoded in part.
    downloaded : int
        Photos of a list that were downloaded before this run.
    """

    new: int = 0
    unchanged: int = 0
    moved: int = 0
    gone: int = 0
    seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    downloaded: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as ``--json`` prints them."""
        return asdict(self)

    def __str__(self) -> str:
        counts = f"{self.new} new, {self.unchanged} unchanged, {self.moved} moved, {self.gone} gone"
        rate = f", {self.new / self.seconds:.1f} photos/s" if self.new and self.seconds > 0.5 else ""
        damaged = f", {len(self.damaged)} damaged, read in part" if self.damaged else ""
        counts = f"{self.downloaded} downloaded; {counts}" if self.downloaded else counts
        return f"{counts}, {len(self.failed)} failed{damaged}{rate}"


class OutageDetector:
    """Finds an outage in the results of a run, in whichever order they come.

    It is an outage if several photos in a row, or a tenth of many, could not be fetched.

    Parameters
    ----------
    processed
        See `summarize_run`.
    """

    def __init__(self, processed: Sequence[Photo]) -> None:
        self._processed = processed
        self._positions: dict[str, int] = {}  # most runs have no use for them
        self._unavailable: set[int] = set()

    def add(self, unavailable: Iterable[str]) -> bool:
        """Add the paths of photos that could not be fetched; return whether it is an outage with them."""
        paths = list(unavailable)
        if paths and not self._positions:
            self._positions = {photo.path: position for position, photo in enumerate(self._processed)}
        added = [self._positions[path] for path in paths]
        self._unavailable.update(added)
        if len(self._unavailable) >= max(OUTAGE, _OUTAGE_SHARE * len(self._processed)):
            return True
        return any(self._measure_row(position) >= OUTAGE for position in added)

    def _measure_row(self, position: int) -> int:
        """Return how many photos in a row, one of which is at a position, are unavailable."""
        first = last = position
        while first - 1 in self._unavailable:
            first -= 1
        while last + 1 in self._unavailable:
            last += 1
        return last - first + 1


def check_outage(processed: Sequence[Photo], unavailable: Mapping[str, str]) -> None:
    """Raise `BucketUnavailableError` if the photos that could not be fetched are an outage.

    Parameters
    ----------
    processed, unavailable
        See `summarize_run`.
    """
    if OutageDetector(processed).add(unavailable):
        first = next(photo for photo in processed if photo.path in unavailable)
        raise BucketUnavailableError(
            f"{first.file}: the bucket does not answer ({unavailable[first.path]}); "
            f"{format_count(len(unavailable), 'photo is', 'photos are')} left for the next run, "
            "which goes on from here"
        )


def summarize_run(
    pending: Sequence[PendingWork],
    photos: Sequence[Photo],
    processed: Sequence[Photo],
    damaged: Mapping[str, str],
    unavailable: Mapping[str, str],
) -> StepSummary:
    """Count the photos of a run; a photo that several steps processed counts once.

    Parameters
    ----------
    pending
        The work that each step had to do.
    photos
        All photos of the dataset.
    processed
        The photos that at least one step processed.
    damaged
        What is missing, by path, of those that are damaged.
    unavailable
        The reason, by path, for those that could not be fetched. The tables have no error for these photos.
    """
    moves = [move for work in pending for move in work.moves]
    moved = {move.photo.photo_id for move in moves if move.entry.photo_id != move.photo.photo_id}
    summary = StepSummary(moved=len(moved), gone=len(set().union(*(work.gone for work in pending))))
    failed = set()
    for work in pending:
        errors = work.spec.tables[0].read_errors()
        for photo in photos if errors else ():
            if photo.photo_id in errors:
                summary.failed[photo.path] = errors[photo.photo_id]
                failed.add(photo.photo_id)
    summary.damaged = dict(damaged)
    summary.failed |= unavailable
    failed |= {photo.photo_id for photo in processed if photo.path in unavailable}
    new = {photo.photo_id for photo in processed}
    summary.new = len(new - failed)
    summary.unchanged = len(photos) - len(new | moved | failed)
    return summary
