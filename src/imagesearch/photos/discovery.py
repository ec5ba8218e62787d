"""Finds the photos below folders, each once, in a stable order."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from imagesearch.errors import UserError
from imagesearch.photos.formats import EXTENSIONS, RAW_EXTENSIONS, get_extension, is_raw_supported
from imagesearch.photos.sources import (
    Photo,
    compute_photo_id,
    describe_missing,
    find_label,
    is_file,
    is_folder,
    is_photo_list,
    join_folder,
    label_roots,
    normalize_file_name,
)

# Folders in which other programs keep thumbnails and deleted files.
_IGNORED_FOLDERS = frozenset(
    {"@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "__MACOSX", "lost+found"}
)


@dataclass
class PhotoListing:
    """The photos below some folders.

    Attributes
    ----------
    photos : list of Photo
        In a stable order.
    left_out : dict of str to str
        The reason by file, for each photo that is not among them although it could be read; and by folder,
        for each folder that cannot be read.
    unreadable : list of str
        The paths of files and folders that may have photos and cannot be read at present; those of folders
        end with a slash.
    drives : dict of str to Drive
        The folders below a root that are on another drive than the folder that contains them, by their paths,
        which end with a slash.
    """

    photos: list[Photo]
    left_out: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    drives: dict[str, Drive] = field(default_factory=dict)


class Drive(NamedTuple):
    """A folder that is on a drive of its own, and whether it is a link."""

    folder: str
    is_link: bool


class _Folder(NamedTuple):
    """A folder to search, the path that it gives its files, and the device of the folder that contains it."""

    file: str
    path: str
    device: int | None = None
    is_link: bool = False


@dataclass
class _Walk:
    """What a search has found besides photos: folders entered, links to folders to enter, errors, drives."""

    visited: set[tuple[int, int]] = field(default_factory=set)
    links: list[_Folder] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    drives: dict[str, Drive] = field(default_factory=dict)


def find_photos(roots: Sequence[Path], exclude: Sequence[str] = ()) -> list[Photo]:
    """Return the photos of `list_photos`."""
    return list_photos(roots, exclude).photos


def list_photos(
    roots: Sequence[Path], exclude: Sequence[str] = (), labels: Sequence[str] | None = None
) -> PhotoListing:
    """List the photos below some folders.

    Left out are hidden files and folders, folders in which other programs keep thumbnails and deleted files,
    and a camera RAW with a JPEG or HEIC of the same name beside it. A folder or file that is reached twice,
    by a link or as a root inside another root, is listed once. Links are followed last, so that a photo is
    listed by its real path.

    Parameters
    ----------
    roots
        Folders. Each must contain photos: a drive that is not mounted is an empty folder.
    exclude
        Shell patterns. They are matched against the relative path, and the name, of each file and folder.
    labels
        The beginning of the paths below each root; by default that of `label_roots`.

    Raises
    ------
    UserError
        If a root does not exist, cannot be read or has no photos below it.
    """
    extensions, patterns = _list_extensions(), _normalize_patterns(exclude)
    labels = label_roots(roots) if labels is None else labels
    walk = _Walk()
    photos_by_label: dict[str, list[Photo]] = {label: [] for label in labels}
    linked_files: list[tuple[str, Photo, tuple[int, int]]] = []
    inodes: set[tuple[int, int]] = set()

    def add_photos(label: str, folder: _Folder) -> None:
        for path, entry, stat in _walk_files(folder, patterns, walk, labels):
            if get_extension(entry.name) in extensions:
                photo = Photo(compute_photo_id(path), path, Path(entry.path), stat.st_size, stat.st_mtime_ns)
                inode = (stat.st_dev, stat.st_ino)
                if entry.is_symlink():
                    linked_files.append((label, photo, inode))
                else:
                    photos_by_label[label].append(photo)
                    inodes.add(inode)

    for root, label in zip(roots, labels, strict=True):
        if not is_folder(root):
            raise UserError(f"{describe_missing(root)}; set dataset.images or give one with -i")
        add_photos(label, _Folder(str(root), label))
    while walk.links:
        folder = walk.links.pop(0)
        add_photos(find_label(folder.path, labels) or "", folder)
    for label, photo, inode in linked_files:
        if inode not in inodes or not inode[1]:  # Windows lists no inodes
            photos_by_label[label].append(photo)
            inodes.add(inode)
    all_photos = [photo for photos in photos_by_label.values() for photo in photos]
    for root, label in zip(roots, labels, strict=True):
        if not photos_by_label[label] and not _contains_any(root, all_photos):
            raise UserError(_explain_no_photos(root, label, walk.unreadable))
    listing = _make_listing(photos_by_label.values(), walk.unreadable)
    listing.drives = walk.drives
    return listing


def check_photo_folder(folder: Path, exclude: Sequence[str] = ()) -> None:
    """Raise `UserError` if a folder that the user names does not exist, cannot be read, or has no photos.

    The search for photos ends at the first one. Of a list, only the existence is checked.
    """
    if is_photo_list(folder):
        check_list_exists(folder)
        return
    try:
        with os.scandir(folder):
            pass
    except FileNotFoundError:
        raise UserError(f"{folder}: no such folder of photos") from None
    except NotADirectoryError:
        raise UserError(f"{folder}: a file; give the folder that contains it") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: cannot be read ({getattr(error, 'strerror', error)})") from None
    extensions, walk = _list_extensions(), _Walk(links=[_Folder(str(folder), "")])
    while walk.links:
        for _, entry, _ in _walk_files(walk.links.pop(0), _normalize_patterns(exclude), walk):
            if get_extension(entry.name) in extensions:
                return
    raise UserError(_describe_no_photos(folder))


def list_objects(
    root: Path, objects: Iterable[tuple[str, int, int]], exclude: Sequence[str], label: str
) -> PhotoListing:
    """Return the photos among the objects of a bucket, by the rules of `list_photos`.

    Parameters
    ----------
    root
        The bucket, or a prefix in it.
    objects
        The key below the root, the size in bytes and the time in nanoseconds of each object.
    exclude
        See `list_photos`.
    label
        The beginning of the paths.
    """
    extensions, patterns = _list_extensions(), _normalize_patterns(exclude)
    photos, left_out = [], {}
    are_walked: dict[str, bool] = {"": True}

    def is_found(folder: str) -> bool:
        if folder not in are_walked:
            above, _, name = folder.rpartition("/")
            is_out = _is_excluded(f"{label}{normalize_file_name(folder)}", patterns) or not is_walked([name])
            are_walked[folder] = not is_out and is_found(above)
        return are_walked[folder]

    for key, size, mtime_ns in objects:
        folder, _, name = key.rpartition("/")
        path = f"{label}{normalize_file_name(key)}"
        if name.startswith(".") or get_extension(name) not in extensions or _is_excluded(path, patterns):
            continue
        if {"", ".", ".."}.intersection(key.split("/")):
            left_out[f"{root}/{key}"] = (
                "the key has an empty name, as no path has, . or ..; rename the object"
            )
        elif "::" in key or "?versionId=" in key:  # which mean something else in addresses of fsspec and s3fs
            left_out[f"{root}/{key}"] = "a key with :: or ?versionId= cannot be read; rename the object"
        elif is_found(folder):
            photos.append(Photo(compute_photo_id(path), path, root.joinpath(key), size, mtime_ns))
    listing = _make_listing([photos], {})
    listing.left_out |= left_out
    return listing


def check_list_exists(file: Path) -> None:
    """Raise `UserError` if there is no list of photos with this path."""
    if not is_file(file):
        raise UserError(f"{describe_missing(file)}; set dataset.images or give one with -i")


def is_excluded(path: str, exclude: Sequence[str]) -> bool:
    """Whether a pattern matches a relative path, or the name at its end."""
    return _is_excluded(path, _normalize_patterns(exclude))


def is_walked(parts: Sequence[str], exclude: Sequence[str] = ()) -> bool:
    """Whether a folder with these names below a root is searched for photos: none of them is left out."""
    if any(part.startswith(".") or part in _IGNORED_FOLDERS for part in parts):
        return False
    paths = (normalize_file_name("/".join(parts[:depth])) for depth in range(1, len(parts) + 1))
    return not any(_is_excluded(path, _normalize_patterns(exclude)) for path in paths)


def is_photo_name(name: str) -> bool:
    """Whether a file with this name is listed as a photo, unless it is hidden or excluded."""
    return get_extension(name) in _list_extensions()


def _explain_no_photos(root: Path, label: str, unreadable: dict[str, str]) -> str:
    """Return why no photos were found below a root."""
    reasons = (why for path, why in unreadable.items() if path.startswith((label, str(root))))
    reason = next(reasons, "")
    return f"{root}: {reason}" if reason else _describe_no_photos(root)


def _describe_no_photos(root: Path) -> str:
    return f"{root}: no photos in this folder; is it the right folder, and is its drive mounted?"


def _list_extensions() -> frozenset[str]:
    return EXTENSIONS | RAW_EXTENSIONS if is_raw_supported() else EXTENSIONS


def _normalize_patterns(exclude: Sequence[str]) -> tuple[str, ...]:
    return tuple(normalize_file_name(pattern).rstrip("/") for pattern in exclude)


def _make_listing(groups: Iterable[list[Photo]], unreadable: dict[str, str]) -> PhotoListing:
    listing = PhotoListing([], unreadable, list(unreadable))
    for group in groups:
        photos, left_out = _sort_by_path(_drop_raw_twins(group))
        listing.photos += photos
        listing.left_out |= left_out
    return listing


def _sort_by_path(photos: Iterable[Photo]) -> tuple[list[Photo], dict[str, str]]:
    """Sort by path. Of files whose names differ only in Unicode form, keep the one named like the path.

    Returns
    -------
    photos
    left_out
        The reason for each other file, by its name.
    """
    chosen: dict[str, Photo] = {}
    left_out: dict[str, str] = {}
    for photo in sorted(photos, key=attrgetter("path")):
        other = chosen.setdefault(photo.path, photo)
        if other is not photo:
            chosen[photo.path], dropped = sorted((other, photo), key=_rank_by_name)
            left_out[ascii(str(dropped.file))[1:-1]] = (
                "another file has the same name in another Unicode form; rename one of them"
            )
    return list(chosen.values()), left_out


def _rank_by_name(photo: Photo) -> tuple[bool, str]:
    return not str(photo.file).endswith(photo.path), str(photo.file)


def _contains_any(root: Path, photos: Iterable[Photo]) -> bool:
    """Whether photos below this root were listed under another root."""
    folder = root.resolve()
    return any(photo.file.resolve().is_relative_to(folder) for photo in photos)


def _walk_files(
    start: _Folder, patterns: tuple[str, ...], walk: _Walk, labels: Collection[str] = ()
) -> Iterator[tuple[str, os.DirEntry[str], os.stat_result]]:
    """Yield the relative path, entry and status of each file that is not excluded.

    Links to folders are added to those of the walk, not followed. Folders and photos that cannot be read are
    added to it with the reason.
    """
    folders = [start]
    while folders:
        folder, prefix, outer_device, is_link = folders.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 - avoids making a Path
            device = status.st_dev
            entries: list[os.DirEntry[str]] = []
            if (device, status.st_ino) not in walk.visited:
                walk.visited.add((device, status.st_ino))
                with os.scandir(folder) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            if outer_device not in (None, device):
                walk.drives[prefix] = Drive(folder, is_link)
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted during the run; `list_photos` checks that roots have photos
        except OSError as error:  # no permission, or the drive does not answer
            walk.unreadable[prefix or folder] = f"the folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            path = prefix + normalize_file_name(entry.name)
            if entry.name.startswith(".") or _is_excluded(path, patterns):
                continue
            try:
                if entry.is_dir():
                    if entry.name not in _IGNORED_FOLDERS:
                        below = join_folder(prefix, normalize_file_name(entry.name), labels)
                        is_link = entry.is_symlink()
                        (walk.links if is_link else folders).append(
                            _Folder(entry.path, below, device, is_link)
                        )
                elif entry.is_file():
                    yield path, entry, entry.stat()
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ELOOP):  # those of broken links
                    is_photo = get_extension(entry.name) in EXTENSIONS | RAW_EXTENSIONS
                    # a link whose drive does not answer can be one to a folder
                    walk.unreadable[path if is_photo else f"{path}/"] = f"cannot be read: {error.strerror}"


def _is_excluded(path: str, patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return False
    # also with a leading slash, so that "*/drafts/*" matches a folder directly below the root too
    names = (path, f"/{path}", path.rpartition("/")[2])
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _drop_raw_twins(photos: list[Photo]) -> list[Photo]:
    """Drop each camera RAW with a photo of the same name in another format beside it."""
    is_raw = [get_extension(photo.path) not in EXTENSIONS for photo in photos]
    if not any(is_raw):
        return photos
    stems = {photo.path.rpartition(".")[0] for photo, raw in zip(photos, is_raw, strict=True) if not raw}
    return [
        photo
        for photo, raw in zip(photos, is_raw, strict=True)
        if not raw or photo.path.rpartition(".")[0] not in stems
    ]
