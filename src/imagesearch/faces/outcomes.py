"""What an edit did, in one line, with the numbers and names of the people after the clustering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.decisions import Decision
from imagesearch.faces.edit_history import (
    describe_joined,
    describe_photos,
    describe_selected,
    get_verb,
)
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.people import People, Person
from imagesearch.faces.references import FaceReference
from imagesearch.text import normalize
from imagesearch.text_table import format_count


@dataclass(frozen=True)
class StoredEdit:
    """A decision that this run has stored.

    Attributes
    ----------
    edits : tuple of Edit
        Its edits in the log.
    faces : tuple of FaceReference
        All faces that it is about.
    undone : Decision or None
        For an undo, the decision that it undid or restored.
    is_restored : bool
        Whether the undo restored that decision.
    """

    edits: tuple[Edit, ...]
    faces: tuple[FaceReference, ...]
    undone: Decision[Edit] | None = None
    is_restored: bool = False


def describe_outcome(stored: StoredEdit, people: People) -> str:
    """Return what a decision did, in one line.

    Parameters
    ----------
    stored
        The decision.
    people
        The people after the decision was applied.
    """
    first, last = stored.edits[0], stored.edits[-1]
    persons = find_affected(stored, people)
    listed = ", ".join(_describe_person(people, person) for person in persons) or "nobody"
    who = describe_joined(stored.edits) if first.decision else describe_selected(first)
    if stored.undone is not None:
        verb = "restored" if stored.is_restored else "undid"
        return f"{verb} {stored.undone.number}: {stored.undone.summary}" + (
            f"; now {listed}" if persons else ""
        )
    match first.action:
        case "name" | "rename" if first.decision:
            return f"{who} are one person now: {listed}"
        case "name" | "rename":
            return _describe_named(who, last.new_name or last.name, people)
        case "deny":
            return f"{who} {get_verb(who)} not {first.name}; now {listed}"
        case "differ":
            return f"{who} are not the same person; now {listed}"
        case "merge":
            return f"{who} are one person now: {listed}"
        case "split":
            return f"{who} is {format_count(len(persons), 'person', 'people')} now: {listed}"
        case "present":
            return f"{first.name} is on {describe_photos(first)} now, without a face"
        case "absent":
            return f"{first.name} is not on {describe_photos(first)} any more"
        case "forget" if not stored.faces:
            return f"the name {first.name} is removed from the photos marked with it"
        case "forget":
            return f"{who} has no name now: {listed}"
        case "reject":
            return f"{who} {get_verb(who)} left out: not {'a face' if len(stored.faces) == 1 else 'faces'}"
        case "ignore":
            return f"{who} is ignored now, with {format_count(len(stored.faces), 'face')}"
        case "restore":
            return f"{who} {get_verb(who)} back: {listed}"
        case _:
            return f"{who}: {listed}"


def _describe_named(who: str, name: str, people: People) -> str:
    """Return which person has the name now, and in how many photos."""
    persons = [person for person in people.persons if normalize(person.name) == normalize(name)]
    marked = people.find_marked(name)
    count = len(marked.photos) if marked else 0
    if not persons:
        return f"{who} {get_verb(who)} {name} now" + (f": {format_count(count, 'photo')}" if count else "")
    # two, if the faces were not clustered again since they got the same name
    rows = np.concatenate([person.rows for person in persons])
    photos = format_count(len(np.unique(people.faces.photo_ids[rows])) + count, "photo")
    number = str(persons[0].number)
    moved = f" (number {number})" if len(persons) == 1 and who not in (number, name) else ""
    return f"{who} {get_verb(who)} {persons[0].name} now{moved}: {photos}"


def find_affected(stored: StoredEdit, people: People) -> list[Person]:
    """Return the people that have some of a decision's faces, those with the most faces first."""
    rows = [row for row in people.resolver.resolve(stored.faces)[0] if row is not None]
    persons = [person for person in people.persons if np.isin(person.rows, rows).any()]
    if persons or stored.undone is None:
        return persons
    # the log has no faces of a removed or changed name
    names = {normalize(name) for edit in stored.undone.edits for name in (edit.name, edit.new_name) if name}
    return [person for person in people.persons if normalize(person.name) in names]


def is_confirmed_as(people: People, rows: Sequence[int], name: str) -> bool:
    """Whether the user has given a name to each of some faces already, and they still have it."""
    person = next((one for one in people.persons if normalize(one.name) == normalize(name)), None)
    constraints = people.constraints
    is_named = np.isin(constraints.group[rows], list(constraints.names)) & constraints.confirmed[rows]
    return person is not None and bool(is_named.all() and np.isin(rows, person.rows).all())


def _describe_person(people: People, person: Person) -> str:
    faces, photos = len(person.rows), people.count_photos(person)
    number = f"number {person.number}, " if person.name else ""
    return f"{person.label} ({number}{format_count(faces, 'face')} in {format_count(photos, 'photo')})"
