"""People and faces as the components of the pages get them: plain values, and the addresses of the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagesearch.errors import UserError
from imagesearch.faces import People, PeopleEditor, Person
from imagesearch.text_table import format_count
from imagesearch.web.photo_ids import format_photo_id, parse_photo_id

_FACES_ON_CARD = 4


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
            raise UserError("this face was changed by another program; reload the page")
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


def check_person(people: People, number: int, cover: str) -> Person:
    """Return the person with a number, if it is still the one whose face the user saw.

    Raises
    ------
    UserError
        If another program has changed the people meanwhile.
    """
    person = next((one for one in list_everybody(people) if one.number == number), None)
    if person is None or find_rows(people, [cover])[0] not in person.rows:
        raise UserError("the people were changed by another program or page; look again")
    return person


def make_card(people: People, person: Person) -> dict[str, Any]:
    """Return a person for the people page."""
    return {
        "number": person.number,
        "name": person.name,
        "label": person.label,
        "photos": format_count(people.count_photos(person), "photo"),
        "cover": describe_face_id(people, int(person.rows[0])),
        "faces": [get_face_address(people, int(row)) for row in person.rows[:_FACES_ON_CARD]],
    }


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
    return sorted(present, key=lambda pair: pair[0].startswith("person ")) + [
        pair for pair in marked if pair[0] not in known
    ]


def list_names(editor: PeopleEditor) -> list[str]:
    """Return the names in use, for completion."""
    return sorted(editor.names, key=str.casefold)
