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

_ABANDONED_SECONDS = 24 * 3600  # an unfinished file that is older belongs to no running process


@contextmanager
def atomic_write(file: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield an unfinished file to write to, which replaces a file when the block ends without an error.

    A kill at any moment leaves the old file or the new one; no reader ever gets half of one.

    Parameters
    ----------
    file
        The file to write or to replace; its folder is made.
    durable
        Wait until the content is on the disk, so that a power cut leaves the old file or the new one too.
        It takes some 7 ms a file on an SSD, three times as long as the rest; without it a file can be empty
        or damaged after a power cut.

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
        if durable:
            with unfinished.open("rb+") as stream:
                os.fsync(stream.fileno())
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _remove_abandoned_parts(file: Path) -> None:
    """Remove what killed processes left unfinished of a file; younger parts may be another process's work."""
    for part in file.parent.glob(f"{glob.escape(file.stem)}.*.part"):
        with suppress(OSError):  # gone meanwhile
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder to write to, if it does not exist.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made ({error.strerror})") from None
