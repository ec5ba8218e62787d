"""The user's names of trips: an append-only file beside that of the people.

A name belongs to the photos that the trip had when it was named, not to its number. It therefore follows the
trip when photos are added, moved or deleted.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imagesearch.decisions import (
    Decision,
    LineReference,
    list_effective,
    make_decisions,
    parse_references,
    parse_time,
    refer_to_edits,
)
from imagesearch.errors import UserError
from imagesearch.files import append_json_lines, read_json_lines
from imagesearch.text_table import format_count

FILE = "trips.jsonl"
PhotoReference = tuple[str, str]
"""The path of a photo and the first 16 digits of its content hash."""


@dataclass(frozen=True)
class TripName:
    """One line of the file: a name that the user gave to a trip, or an undo.

    Attributes
    ----------
    name : str
        The name; empty if the name was removed.
    photos : tuple of PhotoReference
        The photos of the trip; none for an undo.
    at : str
        Time in ISO 8601.
    action : str
        ``name trip``, or ``undo``: other lines are not in effect.
    former : str
        What the trip was called then. Only shown in the history; empty in the files of earlier versions.
    edit_count : int or None
        The number of edits of people at that time, which gives the line its place in the history. None in
        the files of earlier versions: their place is found by the time.
    undoes : tuple of LineReference
        The lines that an undo undoes.
    """

    name: str = ""
    photos: tuple[PhotoReference, ...] = ()
    at: str = ""
    action: str = "name trip"
    former: str = ""
    edit_count: int | None = None
    undoes: tuple[LineReference, ...] = ()

    def to_json(self) -> str:
        """Return the line of the file."""
        values: dict[str, object] = {"at": self.at, "do": self.action}
        if self.action == "undo":
            values["of"] = self.undoes
        else:
            values |= {"name": self.name, "photos": self.photos}
        values |= {"was": self.former} if self.former else {}
        values |= {"after": self.edit_count} if self.edit_count is not None else {}
        return json.dumps(values, ensure_ascii=False)


def read_trip_lines(folder: Path) -> list[TripName]:
    """Return all lines of the file in a dataset's folder, also undos and what they undo, the oldest first.

    Raises
    ------
    UserError
        If a line cannot be read. An incomplete last line, left by a killed run, is ignored.
    """
    file = folder / FILE
    names = []
    for number, line in read_json_lines(file):
        try:
            names.append(_parse_line(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"line {number} cannot be read ({error}); correct or remove it"
            raise UserError(f"{file}: {message}") from None
    return names


def _parse_line(line: bytes) -> TripName:
    values = json.loads(line)
    action, count = str(values.get("do", "name trip")), values.get("after")
    common = {"at": str(values.get("at", "")), "edit_count": None if count is None else int(count)}
    if action == "undo":
        return TripName(action=action, undoes=parse_references(values["of"]), **common)
    if action != "name trip":
        raise ValueError(f"unknown action {action!r}")
    photos = tuple((str(path), str(content)) for path, content in values["photos"])
    return TripName(str(values["name"]), photos, former=str(values.get("was", "")), **common)


def count_trip_lines(folder: Path) -> int:
    """Return the number of lines of the file; it changes with every name and every undo."""
    return len(read_json_lines(folder / FILE))


def read_trip_names(folder: Path) -> list[TripName]:
    """Return the user's names that are in effect, the oldest first; `UserError` if a line cannot be read."""
    lines = read_trip_lines(folder)
    return [lines[index] for index in list_effective(lines)]


def append_trip_name(
    folder: Path,
    name: str,
    photos: tuple[PhotoReference, ...],
    former: str = "",
    edit_count: int | None = None,
) -> None:
    """Append a name; it is on the disk when this returns. For the arguments, see `TripName`."""
    _append(folder, TripName(name, photos, _get_time(), former=former, edit_count=edit_count))


def append_trip_undo(folder: Path, decision: Decision[TripName], edit_count: int | None = None) -> None:
    """Append the undo of a decision; it is on the disk when this returns."""
    references = refer_to_edits(read_trip_lines(folder), decision.lines)
    _append(folder, TripName(at=_get_time(), action="undo", edit_count=edit_count, undoes=references))


def _append(folder: Path, line: TripName) -> None:
    append_json_lines(folder / FILE, [line.to_json()])


def _get_time() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


# --- the history --------------------------------------------------------------------------------------------


def list_trip_decisions(
    lines: Sequence[TripName], places: Sequence[int], others: Sequence[int]
) -> list[Decision[TripName]]:
    """Return the decisions of the file, numbered together with those about people, the oldest first.

    Parameters
    ----------
    lines
        All lines of the file.
    places
        Their places among the edits of people, of `locate_trip_lines`.
    others
        For each decision about people, the index of its first edit.
    """
    numbered = {
        index + 1 + bisect_left(others, place): (index,) for index, place in enumerate(places[: len(lines)])
    }
    return make_decisions(lines, numbered, _summarize, "trip")


def locate_trip_lines(lines: Sequence[TripName], edit_times: Sequence[str]) -> list[int]:
    """Return the number of edits of people before each line.

    The line has it; without it, as in the files of earlier versions, the times decide.
    """
    times = [parse_time(text) for text in edit_times]
    places = []
    place = 0
    for line in lines:
        count = line.edit_count
        if count is None:
            at = parse_time(line.at)
            later = (i for i, time in enumerate(times) if at and time and time > at)
            count = next(later, len(times)) if at else 0
        place = max(place, min(count, len(times)))
        places.append(place)
    return places


def _summarize(lines: Sequence[TripName]) -> str:
    (line,) = lines
    if line.action == "undo":
        return "undid a name of a trip that is no longer in the file"
    trip = f"trip {line.former}" if line.former else f"a trip of {format_count(len(line.photos), 'photo')}"
    return f"{trip}: named {line.name}" if line.name else f"{trip}: name removed"
