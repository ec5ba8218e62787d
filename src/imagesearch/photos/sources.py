"""Photos as files: stable ids, roots and the paths below them, and what stands for a file's content."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagesearch.errors import UserError


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo on disk as it was when it was found.

    ``path`` is relative to its root, ``/``-separated and in Unicode NFC; with several roots it starts with
    the root's name. ``file`` is what can be opened.
    """

    photo_id: int
    path: str
    file: Path
    size: int
    mtime_ns: int


def compute_photo_id(path: str) -> int:
    """Return the id of a relative path: the first 63 bits of its BLAKE2b digest, so it fits an INT64."""
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def label_roots(roots: Sequence[Path]) -> list[str]:
    """Return what the paths below each root start with: nothing for one root, the root's name for several.

    Roots of one name are told apart by as many of their parent folders as that takes.
    """
    if len(roots) == 1:
        return [""]
    if len(set(roots)) < len(roots):
        raise UserError("dataset.images: the same folder is named twice")
    depth = 1
    while len({root.parts[-depth:] for root in roots}) < len(roots):
        depth += 1
    return [normalize_file_name("/".join(root.parts[-depth:]).lstrip("/")) + "/" for root in roots]


def locate_file(path: str, roots: Sequence[Path]) -> Path:
    """Return the file that a photo's path stands for, whatever Unicode form its name has on the disk.

    A path from elsewhere cannot climb out of the roots: its ``..`` and a leading slash name nothing.
    """
    labels = label_roots(roots)
    root, label = next(
        ((r, la) for r, la in zip(roots, labels, strict=True) if path.startswith(la)), ("", "")
    )
    file = Path(root)
    for part in (part for part in PurePosixPath(path[len(label) :]).parts if part not in ("..", "/")):
        direct = file / part
        with suppress(OSError, ValueError):  # too long for a name, or with a NUL: it is not there
            if not direct.exists() and file.is_dir():
                direct = next(
                    (entry for entry in file.iterdir() if normalize_file_name(entry.name) == part), direct
                )
        file = direct
    return file


def make_path_prefix(folder: str, roots: Sequence[Path]) -> str:
    """Return what the paths of the photos below a folder start with: the inverse of `locate`.

    Parameters
    ----------
    folder
        Absolute, or relative to a root; ``""`` and ``"."`` mean everything.

    Raises
    ------
    UserError
        If an absolute folder lies below none of the roots.
    """
    normal = os.path.normpath(normalize_file_name(folder))
    if not Path(normal).is_absolute():
        return "" if normal == "." else PurePosixPath(normal).as_posix()
    for root, label in zip(roots, label_roots(roots), strict=True):
        above = Path(os.path.normpath(normalize_file_name(str(root))))
        if Path(normal).is_relative_to(above):
            below = Path(normal).relative_to(above).as_posix()
            return (label + below).rstrip("/") if below != "." else label.rstrip("/")
    raise UserError(f"{folder}: not below the photos in {', '.join(map(str, roots))}")


def normalize_file_name(name: str) -> str:
    """Write a file name in NFC; bytes that are not UTF-8 become ``\\xff`` and the like."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def hash_content(file: Path) -> bytes:
    """Return 16 bytes that stand for a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").digest()[:16]
