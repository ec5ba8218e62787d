"""Files written whole or not at all, and folders made when they are first needed."""

from __future__ import annotations

import glob
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imagesearch.errors import UserError

_ABANDONED_SECONDS = 24 * 3600  # an unfinished file that old is nobody's any more


@contextmanager
def atomic_write(file: Path) -> Iterator[Path]:
    """Give a file to write to, which takes the place of another when it is whole and on the disk.

    A kill at any moment leaves the old file or the new one; nobody ever reads half of one.

    Raises
    ------
    UserError
        If its folder cannot be made.
    """
    make_folder(file.parent)
    _remove_abandoned_parts(file)
    unfinished = file.with_name(f"{file.stem}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield unfinished
        with unfinished.open("rb+") as stream:
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _remove_abandoned_parts(file: Path) -> None:
    """Remove what kills left of a file; a younger one may be another process' work."""
    for part in file.parent.glob(f"{glob.escape(file.stem)}.*.part"):
        with suppress(OSError):  # gone meanwhile
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder to write to, or say that it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made ({error.strerror})") from None
