"""The folders below those of a dataset that are on drives of their own, such as a mounted network folder.

They are in the file ``drives.json`` beside the tables. While such a drive is not mounted, its folder is empty
or missing, as if all photos in it had been deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from imagesearch.files import atomic_write
from imagesearch.photos import Drive, PhotoListing, find_label, is_excluded, is_walked

_FILE = "drives.json"
Drives = dict[str, Drive]
"""By the path of their folder in the dataset, with a slash at its end."""


def keep_missing_drives(
    folder: Path,
    listing: PhotoListing,
    labels: Mapping[Path, str],
    exclude: Sequence[str],
    locate_file: Callable[[str], Path],
) -> list[Path]:
    """Add drives that are not mounted to a listing, so that their photos are not gone; return their folders.

    A drive is not expected any more if its folder has photos that are not on a drive, if it is excluded, if
    it was a link that was removed, or if the folder of photos above it is not used any more.

    Parameters
    ----------
    folder
        The folder of the tables.
    listing
        The photos that were found. Its ``drives``, ``unreadable`` and ``left_out`` are changed.
    labels
        The folders of the dataset, and how the paths of their photos begin.
    exclude
        See `imagesearch.photos.list_photos`.
    locate_file
        Returns the file of a path in the tables.
    """
    missing = []
    is_root_missing = not set(map(str, labels)).isdisjoint(listing.unreadable)  # one without a label
    below = tuple(path for path in listing.unreadable if path.endswith("/"))
    for path, drive in _read_drives(folder).items():
        place = locate_file(path)
        if path in listing.drives or str(place) != drive.folder or _is_excluded(path, labels, exclude):
            continue
        if is_root_missing or path.startswith(below):
            listing.drives[path] = drive  # nothing is known of it at present
            continue
        nested = tuple(other for other in listing.drives if other.startswith(path))
        if any(p.path.startswith(path) and not p.path.startswith(nested) for p in listing.photos):
            continue
        if drive.is_link and not os.path.lexists(place):
            continue
        missing.append(place)
        listing.drives[path] = drive
        listing.unreadable.append(path)
        how = "remove the link" if drive.is_link else "add it to dataset.exclude"
        listing.left_out[path] = f"its drive is not mounted; its photos are kept ({how} to remove them)"
    return missing


def _is_excluded(path: str, labels: Mapping[Path, str], exclude: Sequence[str]) -> bool:
    """Whether a folder is not searched for photos; the names of the folder of photos itself do not count."""
    label = find_label(path, labels.values()) or ""
    names = PurePosixPath(path[len(label) :]).parts
    starts = (f"{label}{'/'.join(names[:depth])}" for depth in range(1, len(names) + 1))
    return not is_walked(names) or any(is_excluded(start, exclude) for start in starts)


def save_drives(folder: Path, drives: Drives | None, keep_others: bool = False) -> None:
    """Write the file to the folder of a dataset's tables, unless nothing changes or they are not known."""
    known = _read_drives(folder)
    if drives is not None and (drives := known | drives if keep_others else drives) != known:
        text = json.dumps(drives, indent=2, ensure_ascii=False)
        with atomic_write(folder / _FILE) as unfinished:
            unfinished.write_text(text, "utf-8")


def _read_drives(folder: Path) -> Drives:
    """Return the drives by path; none if the file is missing or damaged."""
    try:
        known = json.loads((folder / _FILE).read_text("utf-8"))
        return {str(path): Drive(str(place), bool(is_link)) for path, (place, is_link) in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
