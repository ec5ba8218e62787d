"""The user's names of trips: an append-only file beside that of the people.

A name belongs to the photos that the trip had when it was named, not to its number. It therefore follows the
trip when photos are added, moved or deleted.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from imagesearch.errors import UserError, describe_error
from imagesearch.files import make_folder

FILE = "trips.jsonl"
PhotoReference = tuple[str, str]
"""The path of a photo and the first 16 digits of its content hash."""


@dataclass(frozen=True)
class TripName:
    """A name that the user gave to the trip with these photos; empty if the name was removed."""

    name: str
    photos: tuple[PhotoReference, ...]
    at: str = ""

    def to_json(self) -> str:
        """Return the line of the file."""
        values = {"at": self.at, "do": "name trip", "name": self.name, "photos": self.photos}
        return json.dumps(values, ensure_ascii=False)


def read_trip_names(folder: Path) -> list[TripName]:
    """Return the user's names in a dataset's folder, the oldest first.

    Raises
    ------
    UserError
        If a line cannot be read. An incomplete last line, left by a killed run, is ignored.
    """
    file = folder / FILE
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)})") from None
    names = []
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                values = json.loads(line)
                photos = tuple((str(path), str(content)) for path, content in values["photos"])
                names.append(TripName(str(values["name"]), photos, str(values.get("at", ""))))
        except (ValueError, KeyError, TypeError) as error:
            if number < len(lines):
                message = f"line {number} cannot be read ({error}); correct or remove it"
                raise UserError(f"{file}: {message}") from None
    return names


def append_trip_name(folder: Path, name: str, photos: tuple[PhotoReference, ...]) -> None:
    """Append a name; it is on the disk when this returns."""
    make_folder(folder)
    line = TripName(name, photos, datetime.now(UTC).isoformat(timespec="seconds")).to_json()
    file = folder / FILE
    with FileLock(folder / ".trips.lock"), file.open("ab+") as stream:
        stream.seek(0)
        content = stream.read()
        stream.truncate(content.rfind(b"\n") + 1)  # without an incomplete last line
        stream.write(line.encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
