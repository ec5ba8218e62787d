"""The edit log: an append-only file of the user's edits of people.

An edit identifies each face by its photo and its box. It therefore remains valid after another clustering,
after a new detection, with another model, and when a photo is moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.decisions import LineReference, list_effective, parse_references
from imagesearch.errors import UserError
from imagesearch.faces.marks import PhotoReference
from imagesearch.faces.references import FaceReference
from imagesearch.files import append_json_lines, read_json_lines
from imagesearch.text import normalize

_ACTIONS = (
    "name", "deny", "differ", "merge", "split", "rename", "forget", "reject", "ignore", "restore", "undo",
    "present", "absent",
)  # fmt: skip
_RECLUSTERING = ("deny", "differ", "merge", "split", "reject", "ignore", "restore")
_MARKING = ("present", "absent")  # edits of photos, which concern no face
# Some keys in the file differ from the field names; they are fixed, so that existing files stay readable.
_KEYS = {"action": "do", "name": "name", "new_name": "to", "at": "at", "decision": "decision"}


@dataclass(frozen=True)
class Edit:
    """One edit of people by the user.

    Attributes
    ----------
    action : str
        ``name`` (the faces are this person), ``deny`` (they are not), ``differ`` (two people, who have no
        names, are not the same), ``merge`` (all faces are one person), ``split`` (each list is a different
        person), ``rename``, ``forget`` (the name is removed), ``reject`` (the faces are not faces),
        ``ignore`` (the person is left out), ``restore`` (what was rejected or ignored is in use again),
        ``present`` (the person is on these photos, without a face), ``absent`` (is not), or ``undo`` (other
        edits are not in effect; see ``decisions.py``).
    faces : tuple of tuple of FaceReference
        One list; several for a split or a merge, two for ``differ``; none for a rename or a removed name. One
        list for each face that is rejected or no longer rejected. To restore single faces of an ignored
        person: these, and the faces that stay ignored.
    name, new_name : str
        Name of the person, and the new name in a rename.
    confirmed : bool
        Whether the user looked at each face, not only at its cluster.
    at : str
        Time of the edit in ISO 8601.
    who : tuple of str
        The people or faces that the user selected, as they were called then: ``person 3``, ``Maya``, ``3.2``.
        Only shown in the history. Empty in the logs of earlier versions.
    undoes : tuple of LineReference
        The edits that an undo undoes.
    photos : tuple of PhotoReference
        The photos of ``present`` and ``absent``.
    decision : str
        The same for consecutive edits that are one decision, and are undone together; empty for other edits.
    """

    action: str
    faces: tuple[tuple[FaceReference, ...], ...] = ()
    name: str = ""
    new_name: str = ""
    confirmed: bool = False
    at: str = ""
    who: tuple[str, ...] = ()
    undoes: tuple[LineReference, ...] = ()
    photos: tuple[PhotoReference, ...] = ()
    decision: str = ""

    def to_json(self) -> str:
        """Return the edit as a line of the file."""
        values = {"at": self.at, "do": self.action, "name": self.name, "to": self.new_name}
        values |= {"seen": self.confirmed, "who": self.who, "of": self.undoes}
        values |= {"photos": self.photos, "decision": self.decision}
        return json.dumps({k: v for k, v in values.items() if v} | {"faces": self.faces}, ensure_ascii=False)


class EditLog:
    """The file of edits.

    Parameters
    ----------
    file
        One JSON object per line. The file is created by the first edit.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> list[Edit]:
        """Return all edits, the oldest first.

        Raises
        ------
        UserError
            If a line cannot be read. An incomplete last line, left by a killed run, is ignored.
        """
        return [self._parse_edit(number, line) for number, line in read_json_lines(self.file)]

    def count(self) -> int:
        """Count the edits without parsing them."""
        return len(read_json_lines(self.file))

    def append(self, *edits: Edit) -> None:
        """Append edits in one write; they are on the disk when this returns."""
        append_json_lines(self.file, [edit.to_json() for edit in edits])

    def _parse_edit(self, number: int, line: bytes) -> Edit:
        try:
            values = json.loads(line)
            faces = tuple(
                tuple((str(path), str(content), _parse_box(box)) for path, content, box in references)
                for references in values["faces"]
            )
            texts = {name: str(values[key]) for name, key in _KEYS.items() if key in values}
            who = tuple(map(str, values.get("who", ())))
            undoes = parse_references(values.get("of", ()))
            photos = tuple((str(path), str(content)) for path, content in values.get("photos", ()))
            confirmed = bool(values.get("seen"))
            edit = Edit(faces=faces, confirmed=confirmed, who=who, undoes=undoes, photos=photos, **texts)
            if edit.action not in _ACTIONS:
                raise ValueError(f"unknown action {edit.action!r}")
            return edit
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.file}: line {number} cannot be read ({error}); correct or remove it"
            ) from None


def needs_clustering(edits: Sequence[Edit], applied: int) -> bool:
    """Whether edits require a new clustering; the last clustering included the first `applied` of them."""
    if applied > len(edits):
        return True  # edits were removed from the file by hand
    before, now = (_list_effective_on_faces(some) for some in (edits[:applied], edits))
    if before != [index for index in now if index < applied]:
        return True  # an edit that was applied is undone, or an undone one is in effect again
    names = list_names_in_use(edits[:applied])
    for edit in (edits[index] for index in now if index >= applied):
        if edit.action == "rename" and normalize(edit.name) not in names:
            continue  # the name was only marked on photos
        given = normalize(edit.new_name or edit.name)
        is_taken = given in names and given != normalize(edit.name if edit.new_name else "")
        if edit.confirmed or edit.action in _RECLUSTERING:
            return True
        if edit.action in ("name", "rename") and is_taken:
            return True
        _update_names(names, edit)
    return False


def _list_effective_on_faces(edits: Sequence[Edit]) -> list[int]:
    return [index for index in list_effective(edits) if edits[index].action not in _MARKING]


def list_names_in_use(edits: Sequence[Edit]) -> set[str]:
    """Return the normalized names that edits give, without those that they replace or remove."""
    names: set[str] = set()
    for index in list_effective(edits):
        _update_names(names, edits[index])
    return names


def _update_names(names: set[str], edit: Edit) -> None:
    """Remove the name that an edit replaces or removes, and add the one that it gives."""
    had_name = normalize(edit.name) in names  # otherwise it was only marked on photos
    if edit.action in ("rename", "forget"):
        names.discard(normalize(edit.name))
    if edit.action == "name" or (edit.action == "rename" and had_name):
        names.add(normalize(edit.new_name or edit.name))


def _parse_box(values: Iterable[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, values)
    return left, top, right, bottom
