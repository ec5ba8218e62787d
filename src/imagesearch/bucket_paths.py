"""The addresses of buckets and of the objects in them, such as ``s3://bucket/prefix``, as paths."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any, NoReturn

# pathlib leaves one slash of the two; a scheme of one letter is a drive of Windows
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.IGNORECASE)


class BucketPath(type(Path())):  # type: ignore[misc]  # PosixPath or WindowsPath
    """The address of a bucket, of a folder in it, or of an object.

    It is a `Path` so that a bucket can be named wherever a folder of photos can: paths below it are made and
    compared in the same way. It is never a file on the disk; `imagesearch.downloads` lists and reads it.
    """

    @property
    def scheme(self) -> str:
        """The protocol, such as ``s3``."""
        return self.parts[0].rstrip(":") if self.parts else ""

    def __str__(self) -> str:
        first, *others = self.parts or (".",)
        return f"{first}//{'/'.join(others)}" if first.endswith(":") else "/".join((first, *others))

    def absolute(self) -> BucketPath:
        return self

    def expanduser(self) -> BucketPath:
        return self

    def resolve(self, strict: bool = False) -> BucketPath:
        return self

    def stat(self, **_: Any) -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))


def parse_bucket(text: str | Path) -> BucketPath | None:
    """Return the address of a bucket as a path; None for a path on the disk.

    Parameters
    ----------
    text
        Such as ``s3://bucket/prefix``. A `Path` that was made of such a text is recognized too.

    Raises
    ------
    ValueError
        If photos cannot be read from such an address.
    """
    if isinstance(text, BucketPath):
        return text
    match = _ADDRESS.fullmatch(str(text))
    if match is None:
        return None
    scheme, rest = match[1].lower(), match[2].strip("/")
    if scheme in ("http", "https"):
        raise ValueError("expected a bucket such as s3://bucket/prefix; http addresses belong into a list")
    if scheme in ("file", "local"):
        raise ValueError("expected a path without file://")
    parts = rest.split("/")
    if "@" in parts[0]:
        raise ValueError("expected a bucket without a user name and password")
    if "" in parts or "." in parts or ".." in parts or "::" in rest:
        raise ValueError("expected a bucket such as s3://bucket/prefix, without empty names, . and ..")
    return BucketPath(f"{scheme}:", *parts)


def is_bucket(path: Path) -> bool:
    """Whether a path is the address of a bucket or of an object."""
    return isinstance(path, BucketPath)


def get_bucket(path: Path) -> str:
    """Return the name of the bucket of an address; empty for a path on the disk."""
    return path.parts[1] if is_bucket(path) else ""
