"""The user's cache folder: converted models and hashes of files. It can be deleted at any time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from imagesearch.files import atomic_write


def get_cache_folder() -> Path:
    """Return the cache folder: ``IMAGESEARCH_CACHE``, or the system's folder for caches."""
    if folder := os.environ.get("IMAGESEARCH_CACHE"):
        return Path(folder)
    from platformdirs import user_cache_path

    return user_cache_path("imagesearch", appauthor=False)


def make_cached_folder(name: str, version: str, fill: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, which is made if it does not exist. Other versions of it are removed.

    The folder is filled beside its place and renamed, so that it is complete or does not exist. Two processes
    do not fill it at the same time.

    Parameters
    ----------
    name
        Of the folder.
    version
        Of what fills it.
    fill
        Called with an empty folder.

    Raises
    ------
    OSError
        If the cache cannot be written.
    """
    from filelock import FileLock

    folder = find_cached_folder(name, version)
    root = folder.parent
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".lock"):
        if folder.is_dir():  # another process has filled it in the meantime
            return folder
        for other in root.iterdir():
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
        # a name of its own: if the cache is deleted meanwhile, another process does not have the same lock
        unfinished = Path(tempfile.mkdtemp(prefix=f"{version}.", suffix=".part", dir=root))
        try:
            fill(unfinished)
            for file in unfinished.iterdir():
                with file.open("rb+") as stream:
                    os.fsync(stream.fileno())
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def find_cached_folder(name: str, version: str) -> Path:
    """Return where `make_cached_folder` makes a folder."""
    return get_cache_folder() / "models" / name / version


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits. That of an unchanged file is read from the cache.

    A file is unchanged if its path, size and modification time are. Hashing takes 0.5 s for a gigabyte.
    """
    status = file.stat()
    key = f"{file.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    cache = get_cache_folder() / "file_hashes.json"
    known: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(cache.read_text("utf-8"))
    known = known if isinstance(known, dict) else {}
    if isinstance(known.get(key), str):
        return known[key]
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    path = key.partition("|")[0]
    kept = {other: value for other, value in known.items() if other.partition("|")[0] != path}
    # a cache that cannot be written, such as on a read-only disk, costs only time
    with contextlib.suppress(Exception), atomic_write(cache, durable=False) as unfinished:
        unfinished.write_text(json.dumps(kept | {key: digest}, indent=0), "utf-8")
    return digest
