"""The photos that a dataset's tables have, and where they are now if their folder is replaced by others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.bucket_paths import is_bucket
from imagesearch.photos import (
    Photo,
    PhotoListing,
    find_label,
    find_photos,
    is_folder,
    is_photo_list,
    label_roots,
)
from imagesearch.pipeline.known_entries import is_entry_of
from imagesearch.pipeline.moves import is_marked_as_moved
from imagesearch.pipeline.processed_photo import ProcessedPhoto
from imagesearch.pipeline.tables import Table

PHOTO_TABLES = ("clip", "vit", "faces", "geo")
# A folder that has at least this share of the photos of a missing folder is the same folder, renamed. Unless
# it has all of them, the user is asked before it is used: it can be an older backup.
_MIN_SHARE = 0.8

_Files = Counter[tuple[str, int]]  # names and sizes


@dataclass(frozen=True)
class Successor:
    """A folder that has the photos of a folder used before: a copy, or the same folder under another name.

    ``folder`` has most of them; it is None if there are no photos. ``found`` of ``total`` photos are there.
    """

    folder: Path | None
    found: int
    total: int

    @property
    def is_complete(self) -> bool:
        """Whether no photo is lost if the folder is used in place of the other."""
        return self.found >= self.total


def read_known_photos(folder: Path) -> dict[int, ProcessedPhoto]:
    """Return the entries, by photo id, of the photos that existed in the last runs of a dataset's steps.

    A photo that is gone for one step is gone, unless another step has found it since.
    """
    tables = [Table(folder / name) for name in PHOTO_TABLES]
    removals = [(_read_time(table.removed_file), table.read_removed()) for table in tables]
    entries: dict[int, ProcessedPhoto] = {}
    for table, (_, own) in zip(tables, removals, strict=True):
        last_change = max(map(_read_time, table.folder.glob("*")), default=0)
        removed = own.union(*(photos for time, photos in removals if time > last_change))
        known = (e for e in table.read_processed().values() if e.photo_id not in removed)
        entries |= {entry.photo_id: entry for entry in known if not is_marked_as_moved(entry)}
    return entries


def read_known_hashes(table: Table, photos: Sequence[Photo]) -> dict[int, bytes]:
    """Return a table's content hashes, by photo id, of the photos that have not changed since."""
    processed = table.read_processed()
    pairs = ((photo, processed.get(photo.photo_id)) for photo in photos)
    return {
        photo.photo_id: entry.content
        for photo, entry in pairs
        if entry and entry.error is None and is_entry_of(entry, photo)
    }


def _read_time(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


class KnownVersions:
    """The sizes and times of photos when they were processed last, by photo id.

    They tell which version of an object in a bucket is meant, without asking the bucket.

    Parameters
    ----------
    folder
        The folder of a dataset's tables. A table is read when it is first required, and when it has changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[str, tuple[list[list], dict[int, tuple[int, int]]]] = {}

    def find(self, photo_id: int) -> tuple[int, int] | None:
        """Return the size in bytes and the time in nanoseconds of a photo; None if no table has it."""
        for name in PHOTO_TABLES:
            table = Table(self._folder / name)
            versions = table.list_versions()
            if name not in self._tables or self._tables[name][0] != versions:
                entries = table.read_processed().values() if versions else ()
                known = {e.photo_id: (e.size, e.mtime_ns) for e in entries if not is_marked_as_moved(e)}
                self._tables[name] = versions, known
            if found := self._tables[name][1].get(photo_id):
                return found
        return None


def list_unreadable_photos(
    listing: PhotoListing, roots: Sequence[Path], folder: Path, locate_file: Callable[[str], Path]
) -> list[Photo]:
    """Return the photos that the tables have of files and folders that cannot be read at present.

    They are not gone: the reason can be a permission, or a drive that did not answer.

    Parameters
    ----------
    listing, roots
        The photos that were found, and the folders of the dataset.
    folder, locate_file
        The folder of the tables, and a function that returns the file of a path in them.
    """
    if not listing.unreadable:
        return []
    files = {path for path in listing.unreadable if not path.endswith("/")}
    folders = tuple(path for path in listing.unreadable if path.endswith("/"))
    if files.intersection(map(str, roots)):
        folders = ("",)  # a root without a label
    listed = {photo.photo_id for photo in listing.photos}
    known = (e for e in read_known_photos(folder).values() if e.photo_id not in listed)
    return [
        Photo(e.photo_id, e.path, locate_file(e.path), e.size, e.mtime_ns, is_readable=False)
        for e in known
        if e.path in files or e.path.startswith(folders)
    ]


def find_successors(
    dataset_folder: Path,
    labels: dict[Path, str],
    lost: Sequence[Path],
    folders: Sequence[Path],
    exclude: Sequence[str],
) -> dict[Path, Successor]:
    """Find the folders whose photos are in other folders, compared by name and size.

    Parameters
    ----------
    dataset_folder
        The folder of the tables.
    labels
        The labels of the folders used so far.
    lost
        Those of them that are not used any more. Lists of photos and buckets have no successors.
    folders
        Other folders, which have photos.
    exclude
        Patterns of `list_photos`.

    Returns
    -------
    successors : dict
        By lost folder. All photos of a folder that exists must be in the others, and most of the photos of
        a folder that is missing.
    """
    lost = [root for root in lost if not (is_photo_list(root) or is_bucket(root))]
    if not lost or not folders:
        return {}
    known: dict[str | None, _Files] = {}
    for entry in read_known_photos(dataset_folder).values():
        label = find_label(entry.path, labels.values())
        known.setdefault(label, Counter())[_get_name(entry.path), entry.size] += 1
    present: dict[str | None, _Files] = {label: _Files() for label in label_roots(folders)}
    for photo in find_photos(folders, exclude):
        present[find_label(photo.path, present)][_get_name(photo.path), photo.size] += 1
    # a photo of a folder that stays in use, or that was found already, is no copy of another one
    free = sum(present.values(), _Files())
    for root, label in labels.items():
        free -= known.get(label, _Files()) if root not in lost else _Files()
    successors = {}
    for root in lost:
        files = known.get(labels[root], _Files())
        shared = files & free
        if shared.total() >= files.total() * (1 if is_folder(root) else _MIN_SHARE):
            shares = [(files & present[label]).total() for label in present]
            best = folders[shares.index(max(shares))] if files else None
            successors[root] = Successor(best, shared.total(), files.total())
            free -= shared
    return successors


def _get_name(path: str) -> str:
    return path.rpartition("/")[2]
