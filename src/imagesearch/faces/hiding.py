"""Edits that leave faces out of everything, and bring them back: ignored people, and what is not a face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imagesearch.errors import UserError, name_option
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.people import NO_FACES, People, Person


def make_ignore(people: People, person: Person) -> Edit:
    """Return the edit that leaves out a person; another detection that is the same person is left out too."""
    return Edit("ignore", (people.resolver.make_references(person.rows.tolist()),), name=person.name)


def make_rejection(people: People, rows: Sequence[int]) -> Edit:
    """Return the edit that detections are not faces; each is a list, because they are not alike."""
    return Edit("reject", tuple(people.resolver.make_references([row]) for row in rows), confirmed=True)


def make_restores(people: People, selector: str, rows: Sequence[int], single: bool) -> list[Edit]:
    """Return the edits that bring back an ignored person, single faces of one, or what is not a face.

    Parameters
    ----------
    people
        The people.
    selector
        How the user selected the faces, for errors.
    rows, single
        The rows of the selected faces, and whether they are single faces of a person.

    Raises
    ------
    UserError
        If a face is neither that of an ignored person nor rejected.
    """
    if not people.hidden[rows].all():
        advice = name_option("; --ignored lists what can be brought back", "")
        raise UserError(f"{selector}: is not ignored{advice}")
    edits = []
    for person in people.list_hidden():
        chosen = [row for row in rows if row in person.rows]
        staying = np.setdiff1d(person.rows, chosen).tolist()
        if not chosen:
            continue
        if person.number == NO_FACES:
            edits.append(Edit("restore", tuple(people.resolver.make_references([row]) for row in chosen)))
        elif single and staying:
            lists = tuple(people.resolver.make_references(part) for part in (chosen, staying))
            edits.append(Edit("restore", lists, confirmed=True))
        else:
            references = people.resolver.make_references(person.rows.tolist())
            edits.append(Edit("restore", (references,), name=person.name))
    return edits
