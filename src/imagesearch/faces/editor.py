"""Step 03: the user's edits of people, each of which is kept permanently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.linkage import split_cluster
from imagesearch.faces.people import People, Person, cluster_people, load_people, open_edit_log
from imagesearch.faces.references import FaceReference
from imagesearch.filters import is_valid_element
from imagesearch.pipeline import Dataset
from imagesearch.text import clean_text, normalize

_MAX_NAME_BYTES = 200


class PeopleEditor:
    """Makes edits of what a user says about people, and keeps them.

    A *selector* is how a user writes whom or which faces an edit is about: a person's number or name (``3``,
    ``Maya``, ``person 3``), or single faces by number and position (``3.1,3.4``).

    Parameters
    ----------
    config, dataset
        Whose people.

    Raises
    ------
    UserError
        If no faces were clustered yet.
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        self._config, self._dataset = config, dataset
        self.people = load_people(config, dataset)
        self.stale = self.people.outdated
        """Whether an edit has yet to be applied to the clusters, of this run or of one that was cut short."""
        self._spellings = _list_spellings(self.people)
        if not self.people.persons:
            raise UserError(f"{dataset.folder}: no faces are clustered yet; run 02_cluster_faces.py first")

    def name_person(self, selector: str, name: str) -> None:
        """Name a person, or single faces."""
        rows, single = self._select_faces(selector)
        if single:
            self.name_faces(rows, name)
            return
        name, person = _check_name(name), self._find_person(selector)
        if normalize(name) != normalize(person.name):  # else it is the person's own name, spelt anew
            name = self._get_known_spelling(name)
        if name == person.name:
            return
        self.stale |= normalize(name) in self._spellings and normalize(name) != normalize(person.name)
        if person.name:
            # all faces of that name, also of photos that are missing
            self._append_edit(Edit("rename", name=person.name, new_name=name))
            self._spellings.pop(normalize(person.name), None)
        else:
            self._append_edit(Edit("name", (self._make_references(rows),), name=name))
        self._spellings[normalize(name)] = name
        self._rename_loaded(person, name)

    def name_faces(self, rows: Sequence[int], name: str) -> None:
        """Name some faces, each of which the user looked at."""
        name = self._get_known_spelling(_check_name(name))
        self.stale = True
        self._append_edit(Edit("name", (self._make_references(rows),), name=name, confirmed=True))
        self._spellings[normalize(name)] = name

    def deny(self, selector: str, name: str) -> None:
        """Record that some faces are not a person."""
        person = self._find_person(name)
        if not person.name:
            raise UserError(f"{name}: has no name yet; give one, or --split {person.number}")
        rows, single = self._select_faces(selector)
        self.stale = True
        self._append_edit(Edit("deny", (self._make_references(rows),), name=person.name, confirmed=single))

    def merge(self, selectors: Sequence[str]) -> None:
        """Record that several people are one."""
        persons = {(person := self._find_person(text)).number: person for text in selectors}
        names = sorted({person.name for person in persons.values() if person.name})
        if len(persons) < 2:
            raise UserError(f"--merge {' '.join(selectors)}: two different people are wanted")
        if len(names) > 1:
            raise UserError(
                f"--merge: {' and '.join(names)} have names of their own; if they are one person, say so by "
                f'--name "{names[1]}={names[0]}"'
            )
        self.stale = True
        self._append_edit(
            Edit("merge", tuple(self._make_references(person.rows) for person in persons.values()))
        )

    def split(self, selector: str) -> int:
        """Split a person where the faces are least alike; return the number of parts."""
        person, faces, constraints = self._find_person(selector), self.people.faces, self.people.constraints
        labels = split_cluster(
            faces.vectors[person.rows],
            self._config.faces.cluster_distance,
            group=np.where(constraints.confirmed, constraints.group, -1)[person.rows],
            photo=faces.photo_ids[person.rows],
        )
        parts = [person.rows[labels == label] for label in range(labels.max() + 1)]
        larger = [rows for rows in parts if len(rows) > 1]
        named = np.isin(constraints.group, list(constraints.names))
        # the part with most faces that were confirmed, or at least named, keeps the name
        parts = sorted(
            larger if len(larger) > 1 else parts,
            key=lambda rows: (-(named & constraints.confirmed)[rows].sum(), -named[rows].sum(), -len(rows)),
        )
        if len(parts) < 2:
            reason = "one face" if len(person.rows) == 1 else "each was confirmed; see --not"
            raise UserError(f"--split {selector}: cannot be parted: {reason}")
        self.stale = True
        self._append_edit(
            Edit("split", tuple(self._make_references(rows) for rows in parts), name=person.name)
        )
        return len(parts)

    def forget(self, name: str) -> None:
        """Remove a person's name."""
        person = self._find_person(name)
        if not person.name:
            raise UserError(f"--forget {name}: has no name")
        self._append_edit(Edit("forget", name=person.name))
        self._spellings.pop(normalize(person.name), None)
        self._rename_loaded(person, "")

    def refresh(self) -> People:
        """Apply the edits to the clusters."""
        load = cluster_people if self.stale else load_people
        self.people, self.stale = load(self._config, self._dataset), False
        self._spellings = _list_spellings(self.people)
        return self.people

    # --- details -------------------------------------------------------------------------------------------

    def _append_edit(self, edit: Edit) -> None:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        open_edit_log(self._dataset).append(replace(edit, at=now))

    def _make_references(self, rows: Sequence[int] | np.ndarray) -> tuple[FaceReference, ...]:
        return self.people.resolver.make_references(int(row) for row in rows)

    def _select_faces(self, selector: str) -> tuple[list[int], bool]:
        """Return the rows of the faces that are selected, and whether they are single ones."""
        if not re.fullmatch(r"\d+\.\d{1,9}(,\d+\.\d{1,9})*", selector.replace(" ", "")):
            return self._find_person(selector).rows.tolist(), False
        rows = []
        for item in selector.replace(" ", "").split(","):
            number, _, position = item.partition(".")
            person = self.people.find_person(number)
            if not 1 <= int(position) <= len(person.rows):
                raise UserError(f"{item}: {person.label} has {len(person.rows)} faces")
            rows.append(int(person.rows[int(position) - 1]))
        return rows, True

    def _find_person(self, selector: str) -> Person:
        """Find a person, also by a name that was given in this run to faces yet to be clustered."""
        try:
            return self.people.find_person(selector)
        except UserError:
            if not (self.stale and normalize(selector) in self._spellings):
                raise
        return self.refresh().find_person(selector)

    def _rename_loaded(self, person: Person, name: str) -> None:
        """Change or remove a person's name among the people that are loaded."""
        persons = [
            replace(p, name=name) if p is person or (p.name and p.name == person.name) else p
            for p in self.people.persons
        ]
        self.people = replace(self.people, persons=persons)

    def _get_known_spelling(self, name: str) -> str:
        """Return a name as it was written before: a query could not tell Zoe from Zoë."""
        return self._spellings.get(normalize(name), name)


def _list_spellings(people: People) -> dict[str, str]:
    """Return the names in use, by their normalized form."""
    return {normalize(person.name): person.name for person in people.persons if person.name}


def _check_name(name: str) -> str:
    """Return a name in NFC and with single spaces.

    Raises
    ------
    UserError
        If it is empty, a number or ``person 12``, too long, or has characters that a filter in Milvus cannot
        hold.
    """
    tidy = clean_text(name)
    if not normalize(tidy):
        raise UserError("a name is wanted, such as --name 3=Maya")
    if not is_valid_element(tidy):
        raise UserError(f"{name!r}: names cannot have | % _ \\ or control characters")
    if re.fullmatch(r"(person )?[\d., ]+", normalize(tidy)):
        raise UserError(f"{name!r}: reserved for people without a name")
    if len(tidy.encode()) > _MAX_NAME_BYTES:
        raise UserError(f"{tidy[:20]}...: a name has at most {_MAX_NAME_BYTES} bytes")
    return tidy
