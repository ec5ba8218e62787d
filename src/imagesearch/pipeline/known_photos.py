"""The photos that a dataset's tables have, and where they are now if their folder is replaced by others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.photos import find_label, find_photos
from imagesearch.pipeline.moves import is_marked_as_moved
from imagesearch.pipeline.tables import ProcessedPhoto, Table

PHOTO_TABLES = ("clip", "vit", "faces", "geo")
# A folder that has at least this share of the photos of a missing folder is the same folder, renamed. Some
# photos can have been deleted since.
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


def read_known_photos(folder: Path) -> dict[int, ProcessedPhoto]:
    """Return the entries, by photo id, of the photos that existed in the last runs of a dataset's steps."""
    entries: dict[int, ProcessedPhoto] = {}
    for name in PHOTO_TABLES:
        table = Table(folder / name)
        removed = table.read_removed()
        known = (e for e in table.read_processed().values() if e.photo_id not in removed)
        entries |= {entry.photo_id: entry for entry in known if not is_marked_as_moved(entry)}
    return entries


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
        Those of them that are not used any more.
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
    if not lost or not folders:
        return {}
    known: dict[str | None, _Files] = {}
    for entry in read_known_photos(dataset_folder).values():
        label = find_label(entry.path, labels.values())
        known.setdefault(label, Counter())[_get_name(entry.path), entry.size] += 1
    present = {f: Counter((_get_name(p.path), p.size) for p in find_photos([f], exclude)) for f in folders}
    everything = sum(present.values(), _Files())
    successors = {}
    for root in lost:
        files = known.get(labels[root], _Files())
        found, total = (files & everything).total(), files.total()
        if found >= total * (1 if root.is_dir() else _MIN_SHARE):
            best = max(folders, key=lambda folder: (files & present[folder]).total())
            successors[root] = Successor(best if total else None, found, total)
    return successors


def _get_name(path: str) -> str:
    return path.rpartition("/")[2]
