"""People and faces as the components of the pages get them: plain values, and the addresses of the images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np

from imagesearch.errors import UserError
from imagesearch.faces import MarkedName, People, PeopleEditor, Person
from imagesearch.text import is_numbered_label
from imagesearch.text_table import format_count
from imagesearch.web.photo_ids import format_photo_id, parse_photo_id

_FACES_ON_CARD = 4
_IDENTITY = ("number", "name", "faces")
_MARKED = -1  # in place of the number of a person, for a name without faces


def get_face_address(people: People, row: int) -> str:
    """Return the address of the image of a face."""
    return f"/face/{describe_face_id(people, row)}"


def describe_face_id(people: People, row: int) -> str:
    """Return the id of a face in addresses: ``01ab…/0``, that of its photo and its position in it."""
    return f"{format_photo_id(int(people.faces.photo_ids[row]))}/{int(people.faces.positions[row])}"


def find_rows(people: People, faces: Sequence[str]) -> list[int]:
    """Return the rows of faces by their ids in addresses.

    Raises
    ------
    UserError
        If there is no such face any more.
    """
    rows = []
    for face in faces:
        photo, _, position = str(face).partition("/")
        photo_id = parse_photo_id(photo)
        found = np.flatnonzero(
            (people.faces.photo_ids == photo_id) & (people.faces.positions == int(position))
        )
        if photo_id is None or not len(found):
            raise make_changed_error()
        rows.append(int(found[0]))
    return rows


def list_everybody(people: People) -> list[Person]:
    """Return all people, with the ignored ones and what is not a face last."""
    return [*people.persons, *people.list_hidden()]


def find_person_of(people: People, row: int) -> Person | None:
    """Return the person who has a face; None if it is too small to be clustered."""
    return next((person for person in list_everybody(people) if row in person.rows), None)


def write_selector(people: People, rows: Sequence[int]) -> str:
    """Return faces as script 03 selects them: ``3.1,3.4``; empty if one of them belongs to nobody."""
    places: dict[int, str] = {}
    for person in list_everybody(people):
        for row in np.intersect1d(person.rows, rows).tolist():
            places[row] = f"{person.number}.{int(np.flatnonzero(person.rows == row)[0]) + 1}"
    return ",".join(places[row] for row in rows) if all(row in places for row in rows) else ""


def make_changed_error() -> UserError:
    """Return the error that a button does not fit any more, because what it is about was changed."""
    return UserError("the people were changed by another program or page; look again")


def identify_person(people: People, person: Person | None) -> dict[str, Any]:
    """Return what a page remembers of a person that it shows, so that its buttons act on nobody else.

    The number of a person can be that of other faces after a merge or a split, and a name can be given to
    another person. ``faces`` therefore changes with the faces; ``number`` is 0 for None.
    """
    if person is None:
        return {"number": 0, "name": "", "faces": ""}
    keys = np.stack([people.faces.photo_ids[person.rows], people.faces.positions[person.rows]]).astype("<i8")
    order = np.lexsort(keys)
    return {"number": person.number, "name": person.name, "faces": _digest(keys[:, order])}


def check_person(people: People, shown: Mapping[str, Any]) -> Person:
    """Return the person that a page has shown, if number, name and faces are still the same.

    Parameters
    ----------
    people
        The people as they are now.
    shown
        See `identify_person`.

    Raises
    ------
    UserError
        If another program or page has changed the person meanwhile.
    """
    person = next((one for one in list_everybody(people) if one.number == shown.get("number")), None)
    if person is None or identify_person(people, person) != {name: shown.get(name) for name in _IDENTITY}:
        raise make_changed_error()
    return person


def check_owner(people: People, rows: Sequence[int], shown: Mapping[str, Any]) -> Person | None:
    """Return the person who has some faces, if it is still the one that a page has shown with them.

    A name is enough to know the person, whose other faces may have changed. Without a name they may not.

    Raises
    ------
    UserError
        If one of the faces belongs to somebody else by now.
    """
    owners = [find_person_of(people, row) for row in rows]
    for owner in owners:
        known = identify_person(people, owner)
        is_same = known["name"] == shown.get("name") if known["name"] else False
        if not is_same and known != {name: shown.get(name) for name in _IDENTITY}:
            raise make_changed_error()
    return owners[0] if owners else None


def deny_faces(editor: PeopleEditor, rows: Sequence[int], shown: Mapping[str, Any]) -> None:
    """Record that faces do not belong to the person who has them.

    Raises
    ------
    UserError
        If they belong to nobody, or not to the person that a page has shown; see `check_owner`.
    """
    person = check_owner(editor.people, rows, shown)
    if person is None:
        raise UserError("this face belongs to nobody")
    editor.deny(write_selector(editor.people, rows), str(person.number))


def make_card(people: People, person: Person) -> dict[str, Any]:
    """Return a person for the people page."""
    return {
        "shown": identify_person(people, person),
        "key": str(person.number),
        "number": str(person.number),
        "href": f"/people/{person.number}",
        "title": f"faces of {person.label}",
        "name": person.name,
        "label": person.label,
        "photos": format_count(people.count_photos(person), "photo"),
        "faces": [get_face_address(people, int(row)) for row in person.rows[:_FACES_ON_CARD]],
    }


def make_marked_card(marked: MarkedName) -> dict[str, Any]:
    """Return a name that is on photos without a face for the people page; it has photos in place of faces."""
    photos = [f"/thumbnail/{format_photo_id(photo)}?size=256" for photo in marked.photos[:_FACES_ON_CARD]]
    return {
        "shown": _identify_marked(marked),
        "key": f"name {marked.name}",
        "number": "no face",
        "href": f"/?{urlencode({'person': marked.name})}",
        "title": f"photos of {marked.name}",
        "name": marked.name,
        "label": marked.name,
        "photos": format_count(len(marked.photos), "photo"),
        "faces": photos,
    }


def select_card(people: People, shown: Mapping[str, Any]) -> tuple[str, str]:
    """Return how `PeopleEditor` selects what a card of the people page shows, and its name.

    Raises
    ------
    UserError
        If another program or page has changed it meanwhile.
    """
    if shown.get("number") != _MARKED:
        person = check_person(people, shown)
        return str(person.number), person.name
    for marked in people.list_marked_only():
        if _identify_marked(marked) == {name: shown.get(name) for name in _IDENTITY}:
            return marked.name, marked.name
    raise make_changed_error()


def _identify_marked(marked: MarkedName) -> dict[str, Any]:
    return {"number": _MARKED, "name": marked.name, "faces": _digest(np.array(marked.photos, "<i8"))}


def _digest(values: np.ndarray) -> str:
    return hashlib.blake2b(values.tobytes(), digest_size=8).hexdigest()


def list_photo_faces(people: People, photo_id: int) -> list[dict[str, Any]]:
    """Return the faces of a photo, with their boxes in percent of the photo, from left to right."""
    rows = np.flatnonzero((people.faces.photo_ids == photo_id) & ~people.hidden).tolist()
    owners = {row: find_person_of(people, row) for row in rows}
    described = []
    for row in sorted(rows, key=lambda row: float(people.faces.boxes[row][0])):
        entry, person = people.faces.get_photo(row), owners[row]
        left, top, right, bottom = people.faces.boxes[row].tolist()
        described.append(
            {
                "id": describe_face_id(people, row),
                "shown": identify_person(people, person),
                "src": get_face_address(people, row),
                "left": 100 * left / max(entry.width, 1),
                "top": 100 * top / max(entry.height, 1),
                "width": 100 * (right - left) / max(entry.width, 1),
                "height": 100 * (bottom - top) / max(entry.height, 1),
                "number": person.number if person else 0,
                "name": person.name if person else "",
                "label": person.label if person else "",
                "photos": format_count(people.count_photos(person), "photo") if person else "",
                "is_alone": person is None or len(person.rows) < 2,
            }
        )
    return described


def list_photo_people(people: People, photo_id: int) -> list[tuple[str, int]]:
    """Return the label and the number of each person in a photo; the number 0 for a name without a face."""
    present = [
        (person.label, person.number)
        for person in people.persons
        if photo_id in people.faces.photo_ids[person.rows]
    ]
    marked = [(one.name, 0) for one in people.marked if photo_id in one.photos]
    known = {label for label, _ in present}
    return sorted(present, key=lambda pair: is_numbered_label(pair[0])) + [
        pair for pair in marked if pair[0] not in known
    ]


def list_names(editor: PeopleEditor) -> list[str]:
    """Return the names in use, for completion."""
    return sorted(editor.names, key=str.casefold)
