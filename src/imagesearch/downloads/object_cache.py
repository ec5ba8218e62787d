"""Photos in buckets as files: fetched when they are opened, in a folder of limited size."""

from __future__ import annotations

import itertools
import os
import platform
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from imagesearch.bucket_paths import BucketPath, get_bucket, is_bucket
from imagesearch.config import Config, DownloadsConfig
from imagesearch.downloads.buckets import BucketReader
from imagesearch.errors import UserError
from imagesearch.files import make_folder
from imagesearch.photos import (
    Photo,
    PhotoError,
    UnavailablePhotoError,
    compute_photo_id,
    get_extension,
    write_small_copy,
)

_PART = ".part"
_PART_SECONDS = 86_400  # a file with a second name, or an unfinished one, is of a killed run after this time
_MEASURE_SHARE = 0.1  # of the limit: the folder is measured again after so many bytes were added
_KEPT_SHARE = 0.9  # of the limit: how much is left when the oldest files are removed
OUTAGE = 5
"""So many photos in a row that are unavailable are an outage: no others are asked for in this run."""


@dataclass(frozen=True)
class ObjectSettings:
    """What an `ObjectCache` needs of the config; other processes must not receive the tokens in it.

    Attributes
    ----------
    folder : Path
        The folder of the files.
    keep : str
        ``"full"`` or ``"preview"``: what is kept of a photo.
    cache_gb : float
        Size of all files in GB.
    preview_size : int
        Longer side of a preview in pixels.
    max_megapixels : float
        See `decode_photo`.
    downloads : DownloadsConfig
        Limits of a transfer.
    """

    folder: Path
    keep: str
    cache_gb: float
    preview_size: int
    max_megapixels: float
    downloads: DownloadsConfig


class ObjectCache:
    """The files of a dataset's photos in buckets. It can be pickled, for the processes of a run.

    An object is fetched when its photo is opened and there is no file of the same version. When the files
    exceed ``dataset.cache_gb``, those used least recently are removed: they can be fetched again. A file in
    use has a second name, so that it stays until it is closed, whichever process removes it.

    Parameters
    ----------
    settings
        The folder, what is kept of a photo, and the limits.
    """

    def __init__(self, settings: ObjectSettings) -> None:
        self._settings, self.folder = settings, settings.folder
        self.reader = BucketReader(settings.downloads)
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._decoding = threading.BoundedSemaphore(os.cpu_count() or 1)  # a decoded photo can take 600 MB
        self._added: float = float("inf")  # bytes since the folder was measured

    @classmethod
    def from_config(cls, config: Config) -> ObjectCache:
        """Return the files of the dataset of a config."""
        dataset, extraction = config.dataset, config.extraction
        sizes = extraction.preview_size, extraction.max_megapixels
        folder = dataset.folder / "objects"
        return cls(ObjectSettings(folder, dataset.keep, dataset.cache_gb, *sizes, config.downloads))

    def __reduce__(self) -> tuple[type[ObjectCache], tuple[ObjectSettings]]:
        return ObjectCache, (self._settings,)

    @contextmanager
    def provide_file(self, photo: Photo) -> Iterator[Photo]:
        """Return a photo with a file on the disk, which stays inside the ``with`` block.

        Photos that are no objects are returned as they are.

        Raises
        ------
        UnavailablePhotoError
            If the bucket does not answer.
        PhotoError
            If the object cannot be read.
        """
        if not is_bucket(photo.file):
            yield photo
            return
        file = self._open(photo)
        try:
            yield replace(photo, file=file)
        finally:
            if _PART in file.name:
                file.unlink(missing_ok=True)
            self._remove_oldest()

    def fetch(self, photo: Photo) -> Path:
        """Return the file of a photo, for a program that opens it later. The reasons are the same."""
        if not is_bucket(photo.file):
            return photo.file
        self._remove_oldest()
        file = self._find(photo)
        if file is not None:
            with suppress(OSError):
                os.utime(file)  # used just now
        return file or self._fetch(photo)

    def _open(self, photo: Photo) -> Path:
        """Return a second name of a photo's file; the file itself where the disk has no second names."""
        while True:
            file = self._find(photo) or self._fetch(photo)
            second = self._name_part(file)
            try:
                os.link(file, second)
            except FileNotFoundError:  # another process has removed it in the meantime
                continue
            except OSError:
                return file
            return second

    def _find(self, photo: Photo) -> Path | None:
        file = self._locate(photo)
        return next((f for f in (file, file.with_suffix(".jpg")) if f.is_file()), None)

    def _locate(self, photo: Photo) -> Path:
        version = compute_photo_id(f"{photo.size} {photo.mtime_ns} {self._settings.keep}")
        name = f"{photo.photo_id:016x}-{version:016x}.{get_extension(photo.file.name)}"
        return self.folder / f"{photo.photo_id % 256:02x}" / name

    def _name_part(self, file: Path) -> Path:
        """Return a new name beside a file, with the same extension, by which the format of RAW is known."""
        owner = f"{platform.node()}-{os.getpid()}-{next(self._numbers)}"  # the folder can be shared
        return file.with_name(f"{file.stem}.{owner}{_PART}{file.suffix}")

    def _fetch(self, photo: Photo) -> Path:
        """Fetch an object; return its file, or that of its preview."""
        limit = self._settings.downloads.max_megabytes
        if photo.size > limit * 1e6:
            raise PhotoError(f"larger than {limit:g} MB (downloads.max_megabytes)")
        file = self._locate(photo)
        part = self._name_part(file)
        try:
            self._read(photo, part)
            if self._settings.keep == "preview" and self._shrink(part):
                file = file.with_suffix(".jpg")
            size = part.stat().st_size
            part.replace(file)
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be written ({error.strerror or error})") from None
        finally:
            with suppress(OSError):  # the folder can be no folder; the error that says so is on its way
                part.unlink(missing_ok=True)
        with self._lock:
            self._added += size
        for other in file.parent.glob(f"{photo.photo_id:016x}-*"):
            if other != file and _PART not in other.name:  # an older version
                other.unlink(missing_ok=True)
        return file

    def _read(self, photo: Photo, part: Path) -> None:
        """Write an object to an unfinished file."""
        try:
            make_folder(part.parent)
            self.reader.fetch(BucketPath(photo.file), part)
        except FileNotFoundError:  # the folder was deleted in the meantime
            make_folder(part.parent)
            self.reader.fetch(BucketPath(photo.file), part)
        size = part.stat().st_size
        if photo.size and size != photo.size:
            raise UnavailablePhotoError(f"has {size} bytes, not {photo.size} as it was listed with")

    def _shrink(self, part: Path) -> bool:
        """Replace a file with its preview; a file that cannot be decoded is left for the steps to report."""
        settings, small = self._settings, part.with_name(f"{part.name}.small{_PART}")
        try:
            with self._decoding:
                write_small_copy(part, small, settings.preview_size, settings.max_megapixels)
            small.replace(part)
        except PhotoError:
            return False
        finally:
            small.unlink(missing_ok=True)
        return True

    def _remove_oldest(self) -> None:
        """Remove the files used least recently if all of them are too large."""
        limit = self._settings.cache_gb * 1e9
        with self._lock:
            if self._added < limit * _MEASURE_SHARE:
                return
            found = []
            for file in self.folder.glob("*/*"):
                with suppress(OSError):  # another process has removed it
                    status = file.stat()
                    # a link changes this time, too: it is that of the last use
                    if _PART not in file.name:
                        found.append((status.st_ctime_ns, status.st_size, file))
                    elif time.time() - status.st_ctime > _PART_SECONDS:
                        file.unlink()
            used = sum(size for _, size, _ in found)
            if used > limit:
                for _, size, file in sorted(found):
                    file.unlink(missing_ok=True)
                    used -= size
                    if used <= limit * _KEPT_SHARE:
                        break
            # files that nearly fill the folder are measured again soon
            self._added = max(0.0, used - limit * (1 - _MEASURE_SHARE))


class OutageGuard:
    """Opens the photos of a run; asks a bucket for no more after several in a row were unavailable.

    Parameters
    ----------
    objects
        The photos in buckets.
    """

    def __init__(self, objects: ObjectCache) -> None:
        self._objects, self._failures = objects, Counter[str]()

    @contextmanager
    def provide_file(self, photo: Photo) -> Iterator[Photo]:
        """See `ObjectCache.provide_file`."""
        bucket = get_bucket(photo.file)
        if self._failures[bucket] >= OUTAGE:
            raise UnavailablePhotoError("not asked for, because the bucket did not answer before")
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(self._objects.provide_file(photo))
            except UnavailablePhotoError:
                self._failures[bucket] += 1
                raise
            self._failures[bucket] = 0
            yield opened
