"""Waits for changes in folders, with watchfiles: events of the system, or polling; and of lists of photos."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from imagesearch.photos import is_file, is_folder, is_photo_name, is_walked

_TICK_MS = 250  # a wait returns at the latest after this time
_GROUP_MS = 400  # events that follow each other are returned together, for at most this time
_POLL_DELAY_MS = 2_000


class FolderWatcher:
    """Waits for changes below folders, and of lists. Those that are missing are watched when they are back.

    Parameters
    ----------
    exclude
        Patterns of files and folders that are not photos.
    is_polling
        Whether to compare the folders again and again, because the system has no events for them.
    note
        Is called with a line if events are not available and the folders are polled.
    settle_seconds
        A list that was edited is a change when it has not been written to for so long: a program may still be
        writing it.
    """

    def __init__(
        self,
        exclude: Sequence[str],
        is_polling: bool,
        note: Callable[[str], object],
        settle_seconds: float,
    ) -> None:
        self._exclude, self._is_polling, self._note = exclude, is_polling, note
        self._settle_seconds = settle_seconds
        self._roots: dict[Path, tuple[int, ...]] = {}
        self._changes: Iterator[set] = iter(())

    def wait(self, roots: Sequence[Path]) -> bool:
        """Wait a moment for changes; return whether there were any, or roots were mounted or removed."""
        if (present := _identify(roots)) != self._roots and not self._is_list_being_written():
            self.close()
            self._roots, self._changes = present, self._watch([root for root in present if is_folder(root)])
            next(self._changes, None)  # changes from now on are seen
            return True
        return bool(next(self._changes, {"ended"}))

    def _is_list_being_written(self) -> bool:
        """Whether a list that was known before has been written to within the last moment."""
        for root in self._roots:
            with suppress(OSError):
                status = root.stat()
                age = time.time() - status.st_mtime
                if stat.S_ISREG(status.st_mode) and 0 <= age < self._settle_seconds:
                    return True
        return False

    def close(self) -> None:
        """Stop watching."""
        if hasattr(self._changes, "close"):
            self._changes.close()
        self._roots = {}

    def _watch(self, roots: Sequence[Path]) -> Iterator[set]:
        while not roots:
            time.sleep(_TICK_MS / 1000)
            yield set()
        import watchfiles

        options = {
            "watch_filter": lambda _, name: self._can_be_photo(Path(name)),
            "debounce": _GROUP_MS,
            "rust_timeout": _TICK_MS,
            "yield_on_timeout": True,
            "poll_delay_ms": _POLL_DELAY_MS,
            "ignore_permission_denied": True,
        }
        if not self._is_polling:
            try:
                yield from watchfiles.watch(*roots, force_polling=False, **options)
            except OSError as error:  # such as the system's limit of watched folders
                if not all(map(is_folder, roots)):
                    return
                self._note(f"no events for changes in the folders ({error}); they are polled instead")
                self._is_polling = True
        with suppress(OSError):  # a folder is missing: `wait` finds it when it is back
            yield from watchfiles.watch(*roots, force_polling=True, **options)

    def _can_be_photo(self, file: Path) -> bool:
        """Whether a changed file can be a photo, or a folder of photos; it may be gone already."""
        root = next((root for root in self._roots if file.is_relative_to(root)), None)
        if root is not None and not is_walked(file.relative_to(root).parts, self._exclude):
            return False
        return is_photo_name(file.name) or not is_file(file)


def _identify(roots: Sequence[Path]) -> dict[Path, tuple[int, ...]]:
    """Return device and inode of the roots that exist, which change when a drive is mounted.

    Of a list of photos also its size and time, which change when it is edited.
    """
    found = {}
    for root in roots:
        try:
            status = root.stat()
        except OSError:
            continue
        version = () if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)
        found[root] = (status.st_dev, status.st_ino, *version)
    return found
