"""Watching: photos that are added, changed, moved or deleted go through all steps and into the collections.

An event is only a reason to list the photos: what is new or gone follows from comparing listings, so a lost
event, or one that came while the program was not running, loses nothing.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from imagesearch.bucket_paths import is_bucket
from imagesearch.config import Config
from imagesearch.errors import BusyError, UserError
from imagesearch.faces import assign_new_faces, cluster_people, detect_faces
from imagesearch.features import extract_features
from imagesearch.geo import extract_geo
from imagesearch.photos import Photo, is_complete
from imagesearch.pipeline import Dataset, ProcessMemory, Progress, join_names
from imagesearch.store import Store, build_collections
from imagesearch.text_table import format_count
from imagesearch.workflow.folder_watcher import FolderWatcher
from imagesearch.workflow.photo_tracker import PhotoTracker
from imagesearch.workflow.run_steps import check_settings

# A file whose inode has not changed for this time is complete, so that a start does not read all files.
_RECENT_SECONDS = 60.0
# While faces are clustered, changes are looked for at this interval; it takes up to 0.25 s.
_CHECK_SECONDS = 2.0


@dataclass(frozen=True)
class WatchTiming:
    """The times and sizes of watching, in seconds and photos.

    Attributes
    ----------
    settle : float
        A photo is processed when it has been unchanged for this time.
    max_incomplete : float
        A file that seems incomplete is processed, and reported as failed, after this time without a change.
    cluster : float
        The faces are clustered anew when no photo has come for this time.
    busy : float
        The time until the next attempt while another run holds a lock.
    retry : float
        The same after other errors, for example if a Milvus server does not answer.
    batch_size : int
        Maximum number of photos in a batch; see `PhotoTracker`.
    """

    settle: float = 1.0
    max_incomplete: float = 30.0
    cluster: float = 60.0
    busy: float = 2.0
    retry: float = 30.0
    batch_size: int = 256


@dataclass
class BatchSummary:
    """The result of one batch. Counts are of photos, except ``joined``."""

    new: int
    moved: int
    gone: int
    photos: int
    waiting: int
    seconds: float
    joined: int = 0
    """Number of new faces that have joined a person at once."""
    people: str = ""
    """The number of people, if the faces were clustered anew."""
    failed: dict[str, str] = field(default_factory=dict)
    """The photos that failed in this batch: the reason by path."""

    def __str__(self) -> str:
        parts = [
            f"{self.new} new or changed, {self.moved} moved, {self.gone} gone, {len(self.failed)} failed"
        ]
        if self.joined:
            parts.append(f"{format_count(self.joined, 'face joins', 'faces join')} a person")
        if self.people:
            parts.append(f"faces clustered: {self.people}")
        if self.waiting:
            parts.append(f"{self.waiting} waiting")
        return f"{'; '.join(parts)}; {format_count(self.photos, 'photo')} to search, {self.seconds:.1f} s"


def watch_photos(
    config: Config,
    dataset: Dataset,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
    report: Callable[[BatchSummary], object] = lambda summary: None,
    note: Callable[[str], object] = lambda line: None,
    timing: WatchTiming | None = None,
) -> NoReturn:
    """Bring tables and collections up to date with the photos, and keep them so until the program is ended.

    Parameters
    ----------
    config
        Names the models, the geocoder and Milvus.
    dataset
        The photos and the tables. If it has other folders than those used so far, they are stored.
    retry_failed
        Process photos again in the first batch that failed in an earlier run.
    progress
        Shows the photos of the first batch.
    report
        Is called after each batch.
    note
        Is called with a line when the watch has to wait, for example for another run or a missing drive.
    timing
        Times and sizes, for tests.

    Raises
    ------
    UserError
        In the first batch, for the reasons of `imagesearch.workflow.run_steps`, except that another run is
        writing. Later errors are notes, and the batch is repeated.
    """
    dataset.refuse_undecided_folders()
    check_settings(config, dataset)
    watch = _Watch(config, report, note, timing or WatchTiming())
    try:
        watch.run(dataset.roots, retry_failed, progress)
    finally:
        watch.close()


class _PhotosChangedError(Exception):
    """Photos have changed while the faces were clustered."""


class _Watch:
    """The state of a watch between its batches: models, connection, and the photos of the last batch."""

    def __init__(
        self,
        config: Config,
        report: Callable[[BatchSummary], object],
        note: Callable[[str], object],
        timing: WatchTiming,
    ) -> None:
        self._config, self._timing = config, timing
        self._report, self._note = report, note
        self._memory = ProcessMemory()
        self._store: Store | None = None
        self._tracker = PhotoTracker(timing.settle, timing.max_incomplete, timing.batch_size, _is_written)
        self._folders = FolderWatcher(config.dataset.exclude, config.watch.polling, note, self._timing.settle)
        self._last_note = ""
        self._roots: Sequence[Path] = ()
        self._missing: list[Path] = []
        self._reported: dict[str, str] = {}  # photos that failed
        self._retry_failed = self._has_new_faces = False
        self._list_at = 0.0
        self._cluster_at = float("inf")
        self._check_at = 0.0

    def close(self) -> None:
        self._folders.close()
        if self._store is not None:
            self._store.close()

    def run(self, roots: Sequence[Path], retry_failed: bool, progress: Progress | None) -> NoReturn:
        self._retry_failed, self._roots = retry_failed, roots
        is_first = True
        while True:
            has_changed = self._folders.wait(self._roots)
            if has_changed or time.monotonic() >= self._list_at:
                try:
                    dataset = Dataset(self._config, memory=self._memory, keep_missing_roots=True)
                    self._roots = dataset.roots
                    if self._list_and_process(dataset, progress if is_first else None, is_first):
                        is_first, self._last_note = False, ""
                        _exempt_from_collection()
                except BusyError as error:
                    self._wait_after(error, self._timing.busy)
                except UserError as error:
                    if is_first:
                        raise
                    self._wait_after(error, self._timing.retry)

    def _wait_after(self, error: UserError, seconds: float) -> None:
        """Report an error, once for several in a row, and try again later."""
        self._list_at = time.monotonic() + seconds
        if str(error) != self._last_note:
            self._note(f"{error}; trying again")
        self._last_note = str(error)

    def _list_and_process(self, dataset: Dataset, progress: Progress | None, is_first: bool) -> bool:
        """List the photos, and process those that are ready; return whether there was a batch."""
        dataset.download_photos(self._retry_failed, progress)  # before listing, which finds them then
        start = time.monotonic()
        listed = dataset.photos
        self._report_missing([*dataset.missing_roots, *dataset.missing_drives])
        selected = self._tracker.select(listed, start)
        duration = time.monotonic() - start
        has_changed = selected.ready or selected.gone
        is_clustering = start >= self._cluster_at and not (has_changed or selected.waiting)
        is_due = has_changed or is_clustering or (is_first and not selected.waiting)
        if is_due:
            dataset.use_photos(selected.photos)
            try:
                summary = self._process(dataset, is_first or is_clustering, progress)
            except _PhotosChangedError:  # they come first
                self._list_at, self._cluster_at = start, time.monotonic() + self._timing.cluster
                return False
            summary.waiting = selected.waiting
            summary.seconds = time.monotonic() - start
            self._tracker.mark_processed()
            is_done = summary.people or not self._config.watch.cluster
            self._cluster_at = float("inf") if is_done else time.monotonic() + self._timing.cluster
            self._report(summary)
        # a listing of many photos, repeated all the time, would occupy a core
        again = (
            max(self._timing.settle, 2 * duration) if selected.waiting else self._config.watch.list_seconds
        )
        self._list_at = min(time.monotonic() + again, max(self._cluster_at, time.monotonic()))
        return bool(is_due)

    def _process(self, dataset: Dataset, cluster: bool, progress: Progress | None) -> BatchSummary:
        """Run all steps on a dataset whose photos are listed."""
        start, config, retry = time.monotonic(), self._config, self._retry_failed
        features = extract_features(config, dataset, retry_failed=retry, progress=progress)
        faces = detect_faces(config, dataset, retry_failed=retry, progress=progress)
        joined, people = 0, ""
        if cluster and config.watch.cluster:
            found = cluster_people(config, dataset, self._stop_if_changed if self._store else None)
            people = format_count(len(found.persons), "person", "people")
        elif cluster or faces.new or self._has_new_faces:  # in the first batch, a kill can have left some
            self._has_new_faces = True  # until they are assigned, also if the batch is repeated
            joined = assign_new_faces(config, dataset)
            self._has_new_faces = False
        has_addresses = self._store is not None
        geo = extract_geo(
            config, dataset, retry_failed=retry, progress=progress, keep_addresses=has_addresses
        )
        self._store = self._store or Store(config.milvus)
        reports = build_collections(config, dataset, self._store, progress=progress)
        self._retry_failed = False
        failed = geo.photos.failed | faces.failed | features.failed
        new_failed = {path: why for path, why in failed.items() if self._reported.get(path) != why}
        self._reported = failed
        photos = max((report.rows for kind, report in reports.items() if kind != "faces"), default=0)
        return BatchSummary(
            features.new,
            features.moved,
            features.gone,
            photos,
            waiting=0,
            seconds=time.monotonic() - start,
            joined=joined,
            people=people,
            failed=new_failed,
        )

    def _stop_if_changed(self, rows: int) -> None:
        """Raise `_PhotosChangedError` if photos have changed since the last listing."""
        if time.monotonic() >= self._check_at:
            if self._folders.wait(self._roots):
                raise _PhotosChangedError
            self._check_at = time.monotonic() + _CHECK_SECONDS

    def _report_missing(self, missing: list[Path]) -> None:
        """Report folders that are gone or back. Photos that failed when a folder went are tried again."""
        if gone := [root for root in missing if root not in self._missing]:
            self._note(f"{join_names(gone)}: missing or without photos; its photos are kept until it is back")
        if back := [root for root in self._missing if root not in missing]:
            self._note(f"{join_names(back)}: back")
            self._retry_failed = True
        self._missing = missing


def _exempt_from_collection() -> None:
    """Exempt what is in memory now from the garbage collector, which would compare it all in each batch.

    It holds some million objects in an album of 50,000 photos, and each pass over them takes a second.
    """
    gc.collect()
    gc.freeze()


def _is_written(photo: Photo) -> bool:
    """Whether a photo is complete; a file that has not changed for some time is not read.

    An object appears in a bucket when all of it is there.
    """
    if is_bucket(photo.file):
        return True
    try:
        status = photo.file.stat()
    except OSError:
        return False
    if time.time() - max(status.st_mtime, status.st_ctime) > _RECENT_SECONDS:
        return True
    return is_complete(photo.file)
