"""Names that the user puts on whole photos, for people whose faces are not found.

A mark is a name on a photo. It has no face, so it is part of no cluster and changes none. It belongs to the
name: it follows the name when that is changed, and is removed with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imagesearch.decisions import list_effective
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import ProcessedPhoto
from imagesearch.text import normalize

if TYPE_CHECKING:
    from imagesearch.faces.edit_log import Edit
    from imagesearch.faces.extract import FaceTable
    from imagesearch.faces.people import People, Person

PhotoReference = tuple[str, str]
"""The path of a photo and the first 16 digits of its content hash."""


@dataclass(frozen=True)
class MarkedName:
    """A name that is marked on photos.

    Attributes
    ----------
    name : str
        The name, which a person with faces can have too.
    photos : tuple of int
        Ids of the photos where no face has this name, sorted by path.
    references : dict
        The user's marks by photo id, also of photos where a face has this name by now.
    """

    name: str
    photos: tuple[int, ...]
    references: Mapping[int, tuple[PhotoReference, ...]]

    def to_dict(self, faces: FaceTable) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {"name": self.name, "photos": [faces.processed[photo].path for photo in self.photos]}


def refer_to_photo(entry: ProcessedPhoto) -> PhotoReference:
    """Return a reference by which a photo is found again after it was moved or changed."""
    return entry.path, entry.content.hex()[:16]


def add_marks(people: People, edits: Sequence[Edit]) -> People:
    """Return people with the names that edits, the oldest first, put on photos."""
    return replace(people, marked=_find_marked_names(edits, people.faces, people.persons, people.ignored))


def _find_marked_names(
    edits: Sequence[Edit], faces: FaceTable, persons: Iterable[Person], ignored: Iterable[Person]
) -> tuple[MarkedName, ...]:
    """Return the names on photos, sorted, without those of ignored people."""
    marks = _replay_marks(edits)
    if not any(references for _, references in marks.values()):
        return ()
    by_name = {normalize(person.name): person for person in persons if person.name}
    hidden = {normalize(person.name) for person in ignored}
    by_content = {refer_to_photo(entry)[1]: photo for photo, entry in reversed(faces.processed.items())}
    names = []
    for key, (name, references) in marks.items():
        found: dict[int, tuple[PhotoReference, ...]] = {}
        for reference in references:
            photo = _find_photo(reference, faces.processed, by_content)
            if photo is not None:
                found[photo] = (*found.get(photo, ()), reference)
        person = by_name.get(key)
        seen = set() if person is None else set(np.unique(faces.photo_ids[person.rows]).tolist())
        photos = sorted(found.keys() - seen, key=lambda photo: faces.processed[photo].path)
        if found and key not in hidden:
            names.append(MarkedName(name if person is None else person.name, tuple(photos), found))
    return tuple(sorted(names, key=lambda marked: marked.name))


def _replay_marks(edits: Sequence[Edit]) -> dict[str, tuple[str, list[PhotoReference]]]:
    """Return the spelling and the marks of each name, by its normalized form."""
    marks: dict[str, tuple[str, list[PhotoReference]]] = {}
    for index in list_effective(edits):
        edit = edits[index]
        key = normalize(edit.name)
        match edit.action:
            case "present":
                _add_marks(marks, edit.name, edit.photos)
            case "absent" if key in marks:
                name, references = marks[key]
                marks[key] = name, [one for one in references if one not in edit.photos]
            case "rename" if key in marks:
                _add_marks(marks, edit.new_name, marks.pop(key)[1], is_renamed=True)
            case "forget":
                marks.pop(key, None)
    return marks


def _add_marks(
    marks: dict[str, tuple[str, list[PhotoReference]]],
    name: str,
    added: Collection[PhotoReference],
    is_renamed: bool = False,
) -> None:
    spelling, references = marks.get(normalize(name), (name, []))
    merged = list(dict.fromkeys([*references, *added]))
    marks[normalize(name)] = (name if is_renamed else spelling), merged


def _find_photo(
    reference: PhotoReference, processed: Mapping[int, ProcessedPhoto], by_content: Mapping[str, int]
) -> int | None:
    """Return the photo of a reference: unchanged, moved or changed; None if it is gone."""
    path, content = reference
    photo = compute_photo_id(path)
    entry = processed.get(photo)
    if entry is not None and refer_to_photo(entry)[1] == content:
        return photo
    return by_content.get(content, photo if entry is not None else None)
