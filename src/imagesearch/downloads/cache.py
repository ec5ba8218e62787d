"""The downloaded photos of a dataset: their files, and a log of what was asked and why it failed.

The folder ``downloads`` has the files, named by photo id, with the extension of their format. The file
``downloads.jsonl`` has a line for each address that was asked. A file is written beside its place, checked,
and renamed, so a photo whose file exists is complete, also after a kill and without a line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagesearch.files import append_json_lines, atomic_write, make_folder, read_json_lines
from imagesearch.photos import EXTENSION_BY_FORMAT, Photo, compute_photo_id

# The most frequent ones first: `locate` tries them one after another.
_EXTENSIONS = tuple(dict.fromkeys(["jpg", "webp", "png", *EXTENSION_BY_FORMAT.values()]))
_PART = ".part"
_SPARE_LINES = 1000  # of photos that were asked again, before the log is written anew


@dataclass(frozen=True)
class DownloadRecord:
    """What is known of a photo that was asked for: why it failed, or what its server calls this version."""

    path: str
    error: str = ""
    etag: str = ""
    last_modified: str = ""


class DownloadCache:
    """The files and the log of a dataset's downloads.

    Parameters
    ----------
    folder
        The folder of the dataset's tables.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._log = folder / "downloads", folder / "downloads.jsonl"

    def locate(self, path: str) -> Path:
        """Return the file of a photo; if there is none, the most probable place of it."""
        base = self.make_base(path)
        return next(filter(Path.is_file, _list_places(base)), base.with_suffix(".jpg"))

    def find(self, path: str) -> Photo | None:
        """Return a photo that was downloaded, or None."""
        file = self.locate(path)
        try:
            status = file.stat()
        except OSError:
            return None
        return Photo(compute_photo_id(path), path, file, status.st_size, status.st_mtime_ns)

    def read_log(self) -> dict[str, DownloadRecord]:
        """Return the newest line of each photo, by its path. A line that cannot be read is ignored."""
        records = {}
        for _, line in read_json_lines(self._log):
            try:
                record = DownloadRecord(**json.loads(line))
            except (ValueError, TypeError):
                continue
            records[record.path] = record
        return records

    def append_log(self, records: Iterable[DownloadRecord]) -> None:
        """Append lines; they are on the disk when this returns."""
        append_json_lines(self._log, [_format_record(record) for record in records])

    def compact_log(self) -> None:
        """Write the log anew if most of its lines are not the newest ones of their photos."""
        records = self.read_log()
        if len(read_json_lines(self._log)) > 2 * len(records) + _SPARE_LINES:
            with atomic_write(self._log) as unfinished:
                unfinished.write_text("".join(f"{_format_record(r)}\n" for r in records.values()), "utf-8")

    def make_base(self, path: str) -> Path:
        """Return the place of a photo's file without its extension."""
        photo_id = compute_photo_id(path)
        return self.folder / f"{photo_id % 256:02x}" / f"{photo_id:016x}"

    def open_part(self, path: str) -> Path:
        """Return the unfinished file of a download, whose folder exists."""
        part = self.make_base(path).with_suffix(f".{os.getpid()}{_PART}")
        make_folder(part.parent)
        return part

    def keep(self, path: str, part: Path, extension: str) -> Path:
        """Rename a complete file to its place, and remove an older version in another format."""
        base = self.make_base(path)
        place = base.with_suffix(f".{extension}")
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(place)
        for other in _list_places(base):
            if other != place:
                other.unlink(missing_ok=True)
        return place

    def measure(self) -> int:
        """Return the size of all files in bytes."""
        return sum(file.stat().st_size for file in self._list_files())

    def prune(self, paths: Collection[str]) -> int:
        """Remove the files of other photos; return how many bytes they had."""
        kept, removed = {self.make_base(path).name for path in paths}, 0
        for file in self._list_files():
            if file.stem not in kept:
                removed += file.stat().st_size
                file.unlink(missing_ok=True)
        return removed

    def remove_parts(self) -> None:
        """Remove the unfinished files of killed runs."""
        for file in self.folder.glob(f"*/*{_PART}"):
            file.unlink(missing_ok=True)

    def _list_files(self) -> Iterator[Path]:
        return (file for file in self.folder.glob("*/*") if file.suffix != _PART)


def _list_places(base: Path) -> Iterator[Path]:
    return (base.with_suffix(f".{extension}") for extension in _EXTENSIONS)


def _format_record(record: DownloadRecord) -> str:
    """Return a line with the values that are known."""
    values: dict[str, Any] = {name: value for name, value in asdict(record).items() if value}
    return json.dumps(values, ensure_ascii=False)
