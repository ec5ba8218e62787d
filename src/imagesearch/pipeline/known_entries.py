"""The entries of tables that a process keeps, so that only new files are read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from imagesearch.photos import Photo
from imagesearch.pipeline.processed_photo import ProcessedPhoto

Entries = dict[int, ProcessedPhoto]
"""Entries by photo id. They are shared by all callers, so nobody changes the dict."""


class KnownEntries:
    """The newest entries of tables by their folder, with the versions of the files that they are from."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, tuple[list[list], Entries]] = {}
        self._current: dict[str, tuple[Entries, Sequence[Photo], Entries]] = {}

    def read(self, folder: Path, versions: list[list], read: Callable[[Sequence[str]], Entries]) -> Entries:
        """Return the entries of a table; the same dict as before, if no file has changed.

        Parameters
        ----------
        folder
            The folder of the table.
        versions
            Names, sizes and times of its files with entries, the oldest file first.
        read
            Returns the entries of some of the files. Entries of later files replace others.
        """
        known, entries = self._by_folder.get(folder, ([], {}))
        if versions != known or folder not in self._by_folder:
            is_longer = versions[: len(known)] == known  # not if the table was compacted, or made again
            new = read([version[0] for version in (versions[len(known) :] if is_longer else versions)])
            entries = entries | new if is_longer else new
            self._by_folder[folder] = versions, entries
        return entries

    def select(self, name: str, processed: Entries, photos: Sequence[Photo]) -> Entries:
        """Return the current entries of the table with a name; the same dict if nothing has changed."""
        known = self._current.get(name)
        if known is None or known[0] is not processed or known[1] is not photos:
            known = processed, photos, select_current(processed, photos)
            self._current[name] = known
        return known[2]


def select_current(processed: Entries, photos: Sequence[Photo]) -> Entries:
    """Return the newest entries of these photos, without those of failed photos and of other models.

    The model is that of the newest entry of one of the photos.
    """
    present = [processed[photo.photo_id] for photo in photos if photo.photo_id in processed]
    if not present:
        return {}
    newest = max(present, key=lambda entry: entry.shard).fingerprint
    return {e.photo_id: e for e in present if e.error is None and e.fingerprint == newest}


def is_entry_of(entry: ProcessedPhoto | None, photo: Photo) -> bool:
    """Whether an entry was made from the file of a photo as it is now, by its size and time."""
    return entry is not None and entry.size == photo.size and entry.mtime_ns == photo.mtime_ns
