"""The folders below those of a dataset that are on drives of their own, such as a mounted network folder.

They are in the file ``drives.json`` beside the tables. While such a drive is not mounted, its folder is empty
or missing, as if all photos in it had been deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path, PurePosixPath

from imagesearch.files import atomic_write
from imagesearch.photos import PhotoListing, is_walked

_FILE = "drives.json"


def keep_missing_drives(
    folder: Path,
    listing: PhotoListing,
    roots: Set[str],
    exclude: Sequence[str],
    locate_file: Callable[[str], Path],
) -> list[Path]:
    """Add drives that are not mounted to a listing, so that their photos are not gone; return their folders.

    A drive is not expected any more if its folder has photos that are not on a drive, if it is excluded, or
    if it was a link that was removed.

    Parameters
    ----------
    folder
        The folder of the tables.
    listing
        The photos that were found. Its ``drives``, ``unreadable`` and ``left_out`` are changed.
    roots
        The folders of the dataset, as they are written in ``unreadable`` if they have no label.
    exclude
        See `imagesearch.photos.list_photos`.
    locate_file
        Returns the file of a path in the tables.
    """
    missing = []
    for path, is_link in _read_drives(folder).items():
        if path in listing.drives or not is_walked(PurePosixPath(path).parts, exclude):
            continue
        if not roots.isdisjoint(listing.unreadable) or path.startswith(_list_folders(listing.unreadable)):
            listing.drives[path] = is_link  # nothing is known of it at present
            continue
        if any(photo.path.startswith(path) for photo in listing.photos):
            continue
        place = locate_file(path)
        if is_link and not os.path.lexists(place):
            continue
        missing.append(place)
        listing.drives[path] = is_link
        listing.unreadable.append(path)
        how = "remove the link" if is_link else "add it to dataset.exclude"
        listing.left_out[path] = f"its drive is not mounted; its photos are kept ({how} to remove them)"
    return missing


def save_drives(folder: Path, drives: Mapping[str, bool]) -> None:
    """Write the file to the folder of a dataset's tables, unless it has the same content."""
    if drives != _read_drives(folder):
        with atomic_write(folder / _FILE) as unfinished:
            unfinished.write_text(json.dumps(drives, indent=2, ensure_ascii=False), "utf-8")


def _read_drives(folder: Path) -> dict[str, bool]:
    """Return whether the folder of each drive is a link; nothing if the file is missing or damaged."""
    try:
        known = json.loads((folder / _FILE).read_text("utf-8"))
        return {str(path): bool(is_link) for path, is_link in known.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _list_folders(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path.endswith("/"))
