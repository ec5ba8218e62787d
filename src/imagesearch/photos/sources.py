"""A photo on disk: its file below a root, its relative path, the id of the path, its content hash.

A root is a folder, or a list of photos, whose paths are relative to its folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagesearch.bucket_paths import is_bucket, parse_bucket
from imagesearch.errors import UserError

ID_PREFIX = "id:"
"""How the path of a downloaded photo begins if it has an id of its own, in place of its address."""
# The data set of Unsplash has names such as photos.tsv000.
_LIST_NAME = re.compile(r"\.(csv|tsv|jsonl|parquet|txt|csv\d{3}|tsv\d{3})$", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo on disk as it was when it was listed.

    Attributes
    ----------
    photo_id : int
        The id of its path, from `compute_photo_id`.
    path : str
        Relative to its root, separated by ``/`` and in Unicode NFC. With several roots it starts with the
        root's name. That of a downloaded photo is its address, or ``id:`` and its id.
    file : Path
        The file to open. That of a photo in a bucket is an address (`imagesearch.bucket_paths`), and
        ``provide_file`` of `PreviewCache` returns the photo with a file on the disk.
    size : int
        Bytes.
    mtime_ns : int
        Time of the last modification in nanoseconds.
    is_readable : bool
        Whether the file can be read at present; else it is as it was when it was last read.
    """

    photo_id: int
    path: str
    file: Path
    size: int
    mtime_ns: int
    is_readable: bool = True


def compute_photo_id(path: str) -> int:
    """Return the id of a relative path: the first 63 bits of its BLAKE2b digest, which fit into an INT64."""
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def label_roots(roots: Sequence[Path]) -> list[str]:
    """Return the prefix of the paths below each root: empty for one root, the root's name for several.

    Roots with the same name are distinguished by as many parent folders as necessary.
    """
    if len(roots) == 1:
        return [""]
    if len(set(roots)) < len(roots):
        raise UserError("dataset.images: the same folder is given twice")
    depth = 1
    while len({root.parts[-depth:] for root in roots}) < len(roots):
        depth += 1
    return [normalize_file_name("/".join(root.parts[-depth:]).lstrip("/")) + "/" for root in roots]


def is_folder(path: Path) -> bool:
    """Whether a path is a folder that can be reached; `Path.is_dir` raises if a drive does not answer."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a file that can be reached; `Path.is_file` raises if a drive does not answer."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_present(path: Path) -> bool:
    """Whether a path is a file that can be reached, or an object in a bucket, which nobody is asked for."""
    return is_bucket(path) or is_file(path)


def is_photo_list(path: Path) -> bool:
    """Whether a path is that of a list of photos, by its name; the file does not have to exist."""
    return bool(_LIST_NAME.search(path.name)) and not is_folder(path) and not is_bucket(path)


def is_source(path: Path) -> bool:
    """Whether a path is a folder, or an existing list of photos; a bucket always is, nobody is asked."""
    return is_folder(path) or is_bucket(path) or (is_photo_list(path) and is_file(path))


def describe_missing(root: Path) -> str:
    """Return that a folder or list of photos does not exist, as the beginning of a message."""
    if is_photo_list(root):
        return f"{root}: no such list of photos"
    return f"{root}: no such folder of photos"


def is_address(text: str) -> bool:
    """Whether a text begins like an http(s) address."""
    return bool(_ADDRESS.match(text))


def is_download_path(path: str) -> bool:
    """Whether the path of a photo is that of one that was downloaded."""
    return path.startswith(ID_PREFIX) or is_address(path)


def get_base(root: Path) -> Path:
    """Return the folder that the paths below a root are relative to."""
    return root.parent if is_photo_list(root) else root


def find_label(path: str, labels: Iterable[str]) -> str | None:
    """Return the label that a path starts with; the longest one, because one root can have no label."""
    return max((label for label in labels if path.startswith(label)), key=len, default=None)


def join_folder(prefix: str, name: str, labels: Collection[str]) -> str:
    """Return the path of a folder below a root, with a slash at its end.

    A folder that would have the label of another root gets a ``./`` before its name, so that no two photos
    have the same path.
    """
    path = f"{prefix}{name}/"
    return f"{prefix}./{name}/" if path in labels else path


def locate_file(path: str, roots: Sequence[Path], labels: Sequence[str] | None = None) -> Path:
    """Return the file of a photo's path, in whatever Unicode form its name is stored on disk.

    The file is always below a root: ``..`` and a leading slash in the path are ignored. The labels of the
    roots are those of `label_roots` by default.
    """
    labels = label_roots(roots) if labels is None else labels
    label = find_label(path, labels) or ""
    file = get_base(roots[labels.index(label)]) if label in labels else Path()
    for part in (part for part in PurePosixPath(path[len(label) :]).parts if part not in ("..", "/")):
        direct = file / part
        with suppress(OSError, ValueError):  # too long for a file name, or contains NUL: it does not exist
            if not direct.exists() and file.is_dir():
                direct = next(
                    (entry for entry in file.iterdir() if normalize_file_name(entry.name) == part), direct
                )
        file = direct
    return file


def make_path_prefix(folder: str, roots: Sequence[Path], labels: Sequence[str] | None = None) -> str:
    """Return the prefix of the paths of the photos below a folder; the inverse of `locate_file`.

    Parameters
    ----------
    folder
        An absolute path, or a path relative to a root; ``""`` and ``"."`` mean all photos. The beginning
        of an address is returned as it is.
    roots
        Folders and lists of photos. A list can have photos outside its folder.
    labels
        The labels of the roots; by default those of `label_roots`.

    Raises
    ------
    UserError
        If an absolute folder is not below any root.
    """
    labels = label_roots(roots) if labels is None else labels
    if is_download_path(folder):
        return folder.rstrip("/")
    if (prefix := _make_object_prefix(folder, roots, labels)) is not None:
        return prefix
    normalized = os.path.normpath(normalize_file_name(folder))
    if not Path(normalized).is_absolute():
        return "" if normalized == "." else PurePosixPath(normalized).as_posix()
    for resolve in (os.path.normpath, os.path.realpath):  # links are followed if the text does not agree
        place = Path(resolve(normalized))
        # photos of a list that are below a folder of photos have the paths of the folder
        for root, label in sorted(zip(roots, labels, strict=True), key=lambda pair: is_photo_list(pair[0])):
            root_place = Path(resolve(normalize_file_name(str(get_base(root)))))
            if place.is_relative_to(root_place):
                for name in place.relative_to(root_place).parts:
                    label = join_folder(label, name, labels)
                return label.rstrip("/")
    for root, label in zip(roots, labels, strict=True):
        if is_photo_list(root):
            return f"{label}{os.path.relpath(normalized, normalize_file_name(str(root.parent)))}"
    raise _make_outside_error(folder, roots)


def list_relative_paths(file: Path, roots: Sequence[Path], labels: Sequence[str]) -> set[str]:
    """Return the paths that a file or an object can have as a photo below some roots.

    There is one for the file as it is given, and one with links to its folder followed. There is none if
    the file is not below the roots.
    """
    if is_bucket(file):
        path = _make_object_prefix(str(file), roots, labels)
        return set() if path is None else {path}
    paths: set[str] = set()
    for resolve in (os.path.abspath, os.path.realpath):
        place = Path(resolve(file.parent)) / file.name
        for root in roots:
            root_place = Path(resolve(get_base(root)))
            if place.is_relative_to(root_place):
                inside = str(get_base(root) / place.relative_to(root_place))
                paths.add(make_path_prefix(inside, roots, labels))
    return paths


def _make_object_prefix(folder: str, roots: Sequence[Path], labels: Sequence[str]) -> str | None:
    """Return the prefix of the paths of objects; None if the folder is no address of a bucket."""
    try:
        place = parse_bucket(folder)
    except ValueError:
        place = None
    if place is None:
        return None
    for root, label in zip(roots, labels, strict=True):
        if is_bucket(root) and place.is_relative_to(root):
            for name in place.relative_to(root).parts:
                label = join_folder(label, normalize_file_name(name), labels)
            return label.rstrip("/")
    raise _make_outside_error(folder, roots)


def _make_outside_error(folder: str, roots: Sequence[Path]) -> UserError:
    return UserError(f"{folder}: not below the photos in {', '.join(map(str, roots))}")


def normalize_file_name(name: str) -> str:
    """Return a file name in Unicode NFC; bytes that are not UTF-8 are escaped as ``\\xff``."""
    if name.isascii():
        return name
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def hash_content(file: Path) -> bytes:
    """Return the first 16 bytes of the BLAKE2b digest of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").digest()[:16]
