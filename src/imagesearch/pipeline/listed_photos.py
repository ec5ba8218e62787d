"""The photos of a dataset that are named in lists, as files on disk, and what the lists have about them."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from imagesearch.bucket_paths import is_bucket
from imagesearch.config import DatasetConfig
from imagesearch.downloads import BucketReader, DownloadCache
from imagesearch.errors import UserError
from imagesearch.files import FileVersion, get_file_version
from imagesearch.photos import (
    ListedPhoto,
    Photo,
    PhotoListing,
    check_list_exists,
    compute_photo_id,
    explain_source,
    is_excluded,
    is_photo_list,
    list_objects,
    list_photos,
    make_path_prefix,
    normalize_file_name,
    read_photo_list,
)
from imagesearch.pipeline.folder_comparison import is_inside
from imagesearch.pipeline.roots import describe_empty_bucket
from imagesearch.text_table import format_count


@dataclass(frozen=True)
class ListContent:
    """The photos in the lists of a dataset.

    Attributes
    ----------
    files : dict of str to Path
        The file of each photo on disk, by its path.
    lines : dict of str to ListedPhoto
        The line of each photo, by its path.
    columns : tuple of str
        The names of the other columns, each once, in their order.
    left_out : dict of str to str
        The reason by path, or by list and line, for each line that names no photo.
    """

    files: dict[str, Path] = field(default_factory=dict)
    lines: dict[str, ListedPhoto] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> dict[str, str]:
        """The address of each photo to download, by its path."""
        return {path: line.source for path, line in self.lines.items() if line.is_address}


class ListReader:
    """Reads the lists of a dataset, again if their files have changed.

    Parameters
    ----------
    config
        The columns, and the patterns of photos to skip.
    roots, labels
        The folders and lists of the dataset, and how the paths below them begin.
    """

    def __init__(self, config: DatasetConfig, roots: Sequence[Path], labels: Sequence[str]) -> None:
        self._config, self.roots, self.labels = config, roots, labels
        self._read: tuple[list[FileVersion], ListContent] | None = None

    @property
    def lists(self) -> list[tuple[Path, str]]:
        """The lists and their labels."""
        pairs = zip(self.roots, self.labels, strict=True)
        return [(root, label) for root, label in pairs if is_photo_list(root)]

    def read(self) -> ListContent:
        """Return the photos of all lists.

        Raises
        ------
        UserError
            If a list does not exist, cannot be read, has no photos, or names a photo twice differently.
        """
        lists = self.lists
        if not lists:
            return ListContent()
        versions = [get_file_version(file) for file, _ in lists]
        if self._read is None or self._read[0] != versions:
            self._read = versions, self._read_lists(lists)
        return self._read[1]

    def _read_lists(self, lists: Sequence[tuple[Path, str]]) -> ListContent:
        content, columns, places = ListContent(), {}, {}
        for file, label in lists:
            check_list_exists(file)
            found = read_photo_list(file, self._config.column, self._config.id_column)
            columns |= dict.fromkeys(found.columns)
            for photo in found.photos:
                self._add_photo(content, places, photo, file, label)
        return ListContent(content.files, content.lines, tuple(columns), content.left_out)

    def _add_photo(
        self, content: ListContent, places: dict[str, str], photo: ListedPhoto, file: Path, label: str
    ) -> None:
        where = f"{file}, line {photo.line}"
        if reason := explain_source(photo):
            content.left_out[where] = reason
            return
        if photo.is_address:
            path = photo.download_path
        else:
            place = Path(os.path.normpath(file.parent / _expand_home(photo.source)))
            path = self._make_path(place, file, label)
            content.files[path] = place
        if is_excluded(path, self._config.exclude):
            content.files.pop(path, None)
            return
        other = content.lines.setdefault(path, photo)
        if other is not photo and (difference := _find_difference(other, photo)):
            raise UserError(f"{where}: the same photo as in {places[path]}, with {difference}")
        places.setdefault(path, f"line {photo.line}" if photo is other else where)

    def _make_path(self, place: Path, file: Path, label: str) -> str:
        """Return the path of a file: below a folder of photos, or else relative to the list's folder."""
        folders = [p for p in zip(self.roots, self.labels, strict=True) if not is_photo_list(p[0])]
        for root, own in folders:
            if place.is_relative_to(root):
                return make_path_prefix(str(place), [root], [own])
        return f"{label}{normalize_file_name(Path(os.path.relpath(place, file.parent)).as_posix())}"


def list_all_photos(
    roots: Mapping[Path, str],
    exclude: Sequence[str],
    content: ListContent,
    cache: DownloadCache,
    buckets: BucketReader,
) -> PhotoListing:
    """Return the photos in folders, in buckets, and in lists: files on disk, and then downloaded ones.

    Parameters
    ----------
    roots
        The labels of folders, buckets and lists.
    exclude
        See `imagesearch.photos.list_photos`.
    content
        What the lists have.
    cache
        The downloaded photos.
    buckets
        Lists the objects.

    Raises
    ------
    UserError
        If a folder or bucket has no photos or cannot be listed, or none of the files in the lists exists.
    """
    folders = {r: label for r, label in roots.items() if not (is_photo_list(r) or is_bucket(r))}
    in_folders = PhotoListing([])
    if folders:
        in_folders = list_photos(list(folders), exclude, list(folders.values()))
    found, addresses = [in_folders], set[str]()
    for root in filter(is_bucket, roots):
        listing = _list_bucket(root, roots[root], exclude, buckets)
        # an object below two roots is listed once, as a file is
        listing.photos = [p for p in listing.photos if _name_object(p) not in addresses]
        addresses.update(map(_name_object, listing.photos))
        found.append(listing)
    found.append(list_listed_photos(content, {photo.path for listing in found for photo in listing.photos}))
    joined = PhotoListing([])
    for listing in (*found, list_downloaded_photos(content, cache)):
        joined.photos += listing.photos
        joined.left_out |= listing.left_out
        joined.unreadable += listing.unreadable
        joined.drives |= listing.drives
    return joined


def _list_bucket(root: Path, label: str, exclude: Sequence[str], buckets: BucketReader) -> PhotoListing:
    listing = list_objects(root, map(astuple, buckets.list_objects(root)), exclude, label)
    if not listing.photos:
        raise UserError(describe_empty_bucket(root))
    return listing


def _name_object(photo: Photo) -> str:
    """Return the address of an object, whichever of the names of its scheme was given."""
    return str(photo.file).replace("s3a://", "s3://", 1)


def list_listed_photos(content: ListContent, known: Collection[str] = ()) -> PhotoListing:
    """Return the photos of lists that are files on disk, as they are now.

    Photos whose folder is missing or empty, as that of a drive that is not mounted, are not gone: they cannot
    be read at present.

    Parameters
    ----------
    content
        The lists.
    known
        The paths of photos that were found in folders; they are not listed again.

    Raises
    ------
    UserError
        If none of the files exists, and there is nothing else in the lists.
    """
    listing, missing = PhotoListing([], dict(content.left_out)), _MissingFolders()
    for path, file in content.files.items():
        if path in known:
            continue
        try:
            status = file.stat()
            if file.is_dir():
                listing.left_out[path] = "a folder; expected a photo"
                continue
            photo = Photo(compute_photo_id(path), path, file, status.st_size, status.st_mtime_ns)
            listing.photos.append(photo)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a valid path"
            if getattr(error, "errno", errno.ENOENT) in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
                listing.left_out[path] = missing.explain(path, file)
            else:
                listing.left_out[path] = f"cannot be read: {reason}"
                listing.unreadable.append(path)
    files = content.files.keys() - known
    if files and not (listing.photos or listing.unreadable or known or content.addresses):
        path = next(iter(content.files))
        raise UserError(
            f"{content.files[path]}: no such file, nor any other of the {format_count(len(files), 'photo')} "
            "in the list; are its paths relative to its folder, and is their drive mounted?"
        )
    listing.unreadable += missing.paths
    return listing


class _MissingFolders:
    """Finds out why files do not exist: they are gone, or their folder is missing or empty.

    Attributes
    ----------
    paths : list of str
        The photos whose folders are missing or empty.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._reasons: dict[Path, str] = {}

    def explain(self, path: str, file: Path) -> str:
        """Return why a photo's file does not exist."""
        folder = file.parent
        if folder not in self._reasons:
            self._reasons[folder] = _explain_missing(folder)
        reason = self._reasons[folder]
        if reason:
            self.paths.append(path)
        return reason or "no such file"


def _explain_missing(folder: Path) -> str:
    """Return what is wrong with the folder of a missing file; nothing if it has other files."""
    try:
        with os.scandir(folder) as entries:
            return "" if next(entries, None) else f"{folder} is empty; is its drive mounted?"
    except OSError:
        return f"no such folder: {folder}; is its drive mounted?"


def list_downloaded_photos(content: ListContent, cache: DownloadCache) -> PhotoListing:
    """Return the photos of lists that were downloaded; the reason is left out for the others."""
    listing = PhotoListing([])
    found = {path: cache.find(path) for path in content.addresses}
    records = cache.read_log() if not all(found.values()) else {}
    for path, photo in found.items():
        if photo is not None:
            listing.photos.append(photo)
        else:
            error = records[path].error if path in records else ""
            listing.left_out[path] = error or "not downloaded yet; run 01_extract_features.py"
    return listing


def find_downloaded(file: Path, content: ListContent, cache: DownloadCache) -> set[str]:
    """Return the path of the photo that a file of the cache belongs to; nothing for other files."""
    if not is_inside(file.parent, cache.folder):
        return set()
    return {path for path in content.addresses if cache.make_base(path).name == file.stem}


def _find_difference(one: ListedPhoto, other: ListedPhoto) -> str:
    """Return how two lines of one photo differ, and what to do; empty if they do not."""
    if one.is_address and one.source != other.source:
        if one.id:
            return f"another address; remove one of them: the column with ids has {one.id} twice"
        return "another query; name a column that tells them apart with dataset.id_column"
    names: Mapping[str, object] = one.values | other.values  # type: ignore[operator]  # dicts, if read from files
    other_names = [name for name in names if one.values.get(name) != other.values.get(name)]
    return f"another {other_names[0]}; remove one of them" if other_names else ""


def _expand_home(source: str) -> str:
    return os.path.expanduser(source)  # noqa: PTH111 - pathlib raises an error for "~nobody"
