"""Step 03: checks the user's edits of people, stores them permanently, and applies them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from imagesearch.config import Config
from imagesearch.decisions import Decision, find_decision_to_undo, find_original, refer_to_edits
from imagesearch.errors import UserError, name_option
from imagesearch.faces.decision_writer import DecisionWriter
from imagesearch.faces.edit_history import list_decisions
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.hiding import make_ignore, make_rejection, make_restores
from imagesearch.faces.marking import (
    find_marked_only,
    forget_marked,
    make_ignored_error,
    make_names_error,
    make_single_error,
    merge_marked,
    rename_marked,
)
from imagesearch.faces.marks import add_marks
from imagesearch.faces.name_checks import check_name
from imagesearch.faces.outcomes import StoredEdit, describe_outcome, find_affected, is_confirmed_as
from imagesearch.faces.people import NO_FACES, People, Person, cluster_people, load_people, open_edit_log
from imagesearch.faces.references import FaceReference
from imagesearch.faces.split_parts import split_person
from imagesearch.pipeline import Dataset
from imagesearch.text import normalize
from imagesearch.text_table import format_count

LocateOthers = Callable[[Sequence[Edit]], Sequence[int]]


class PeopleEditor:
    """Checks edits of people and appends them to the edit log.

    A *selector* is a text that selects a person or single faces: the number or name of a person (``3``,
    ``Maya``, ``person 3``), or faces by the person's number and their position (``3.1,3.4``).

    Parameters
    ----------
    config, dataset
        The config, and the dataset with the people to edit.
    locate_others
        Returns where decisions that are not about people are among the edits, if decisions of both kinds are
        numbered together; see `list_decisions`.

    Raises
    ------
    UserError
        If no faces are clustered yet.
    """

    def __init__(
        self, config: Config, dataset: Dataset, locate_others: LocateOthers = lambda edits: ()
    ) -> None:
        self._config, self._dataset, self._locate_others = config, dataset, locate_others
        self.people = load_people(config, dataset)
        self.stale = self.people.outdated
        """Whether an edit is not applied to the clusters yet; it may come from an interrupted earlier run."""
        self._spellings = _list_spellings(self.people)
        self._writer = DecisionWriter(open_edit_log(dataset))
        self._store = self._writer.store
        self.stored: list[StoredEdit] = self._writer.stored
        """What this editor has stored, the oldest first."""
        self.notes: list[str] = []
        """What the edits did besides what the user requested, and which changed nothing, one line each."""
        faces = self.people.faces
        is_done = bool(self.people.persons or self.people.list_hidden())
        if not is_done and (len(faces) or not faces.processed):
            raise UserError(f"{dataset.folder}: no faces are clustered yet; run 02_cluster_faces.py first")

    @staticmethod
    def check_name(name: str) -> str:
        """Return a name in NFC and with single spaces; `UserError` if it cannot be a name."""
        return check_name(name)

    def name_person(self, selector: str, name: str) -> None:
        """Name a person, or single faces."""
        if rename_marked(self, selector, name):
            return
        rows, single = self._select_faces(selector)
        if single:
            self.name_faces(rows, name, selector)
            return
        name, person = check_name(name), self._find_person(selector, hidden=True)
        if was_hidden := self.people.is_hidden(person):
            self._bring_back_named(person, name)
        if normalize(name) != normalize(person.name):  # otherwise only the spelling changes
            name = self._get_known_spelling(name)
        if name == person.name:
            if not was_hidden:
                self._note(f"{person.number} is {name} already")
            return
        self._note_return(self._find_ignored(name))
        joins_another = normalize(name) in self._spellings and normalize(name) != normalize(person.name)
        self.stale |= joins_another
        edits, faces = [], self._make_references(rows)
        if person.name:
            # a rename also covers the faces of missing photos
            edits.append(Edit("rename", name=person.name, new_name=name, who=(person.label,)))
            self._spellings.pop(normalize(person.name), None)
        if not person.name or joins_another:
            # also the faces that were only similar to the named ones: clustered again, they could be left out
            edits.append(Edit("name", (faces,), name=name, who=(person.label,)))
        self._store(*edits, faces=faces)
        self._spellings[normalize(name)] = name
        self._rename_loaded(person, name)

    def name_faces(self, rows: Sequence[int], name: str, who: str = "") -> None:
        """Name single faces; the user has looked at each of them, and may have selected them by a text."""
        name = self._get_known_spelling(check_name(name))
        if not self.stale and is_confirmed_as(self.people, rows, name):
            self._note(
                f"{who or format_count(len(rows), 'face')} {'is' if len(rows) == 1 else 'are'} {name} already"
            )
            return
        self.stale = True
        self._note_return(self._find_ignored(name))
        faces = self._make_references(rows)
        self._store(Edit("name", (faces,), name=name, confirmed=True, who=(who,) if who else ()), faces=faces)
        self._spellings[normalize(name)] = name

    def deny(self, selector: str, name: str) -> None:
        """Record that faces do not belong to a person, who may have no name."""
        person = self._find_person(name)
        rows, single = self._select_faces(selector)
        if not person.name:
            rest = np.setdiff1d(person.rows, rows)
            if not len(rest):
                option = name_option(f"--not {selector}={name}", selector)
                raise UserError(f"{option}: these are all faces of {person.label}")
            who = selector if single else self._find_person(selector).label
            self.record("differ", (rows, rest), confirmed=single, who=(who, person.label))
            return
        self.stale = True
        faces, who = self._make_references(rows), selector if single else self._find_person(selector).label
        self._store(Edit("deny", (faces,), name=person.name, confirmed=single, who=(who,)), faces=faces)

    def record(
        self,
        action: str,
        parts: Sequence[Sequence[int] | np.ndarray],
        *,
        name: str = "",
        confirmed: bool = False,
        who: Sequence[str] = (),
    ) -> None:
        """Record an edit of faces, given by their rows in the table of faces; see `Edit`."""
        self.stale = True
        faces = tuple(self._make_references(rows) for rows in parts)
        edit = Edit(action, faces, name=name, confirmed=confirmed, who=tuple(who))
        self._store(edit, faces=itertools.chain(*faces))

    def merge(self, selectors: Sequence[str]) -> None:
        """Record that several people are one person."""
        if merge_marked(self, selectors):
            return
        persons = {(person := self._find_person(text)).number: person for text in selectors}
        names = sorted({person.name for person in persons.values() if person.name})
        if len(persons) < 2:
            raise make_single_error(selectors)
        if len(names) > 1:
            raise make_names_error(names)
        self.stale = True
        faces = tuple(self._make_references(person.rows) for person in persons.values())
        who = tuple(person.label for person in persons.values())
        self._store(Edit("merge", faces, who=who), faces=itertools.chain(*faces))

    def split(self, selector: str) -> int:
        """Split a person where the faces are least similar; return the number of parts."""
        person = self._find_person(selector)
        parts = split_person(self.people, person, self._config.faces.cluster_distance)
        if len(parts) < 2:
            confirmed = name_option("each face is confirmed; use --not", "each face is confirmed")
            reason = "there is only one face" if len(person.rows) == 1 else confirmed
            raise UserError(f"{name_option(f'--split {selector}', person.label)}: cannot be split: {reason}")
        self.stale = True
        references = tuple(self._make_references(rows) for rows in parts)
        self._store(
            Edit("split", references, name=person.name, who=(person.label,)),
            faces=self._make_references(person.rows),
        )
        return len(parts)

    def forget(self, name: str) -> None:
        """Remove a person's name."""
        if forget_marked(self, name):
            return
        person = self._find_person(name)
        if not person.name:
            raise UserError(f"{name_option(f'--forget {name}', person.label)}: has no name")
        edit = Edit("forget", name=person.name, who=(person.label,))
        self._store(edit, faces=self._make_references(person.rows))
        self._spellings.pop(normalize(person.name), None)
        self._rename_loaded(person, "")

    def select_faces(self, selector: str) -> list[int]:
        """Return the rows of the faces that a selector selects, also of those that are left out."""
        return self._select_faces(selector)[0]

    def reject_faces(self, rows: Sequence[int], who: str = "") -> None:
        """Record that detections are not faces: they are not clustered, and left out of everything."""
        if self.people.constraints.rejected[rows].all():
            self._note(f"{who or format_count(len(rows), 'face')}: not a face already")
            return
        self.stale = True
        self._store_hiding(make_rejection(self.people, rows), who)

    def ignore(self, selector: str) -> None:
        """Record that a person is left out of everything, also in photos that are added later."""
        if self._select_faces(selector)[1]:
            raise UserError(
                f"--ignore {selector}: expected a person, such as 3; single faces: --not-a-face {selector}"
            )
        person = self._find_person(selector, hidden=True)
        if person.number == NO_FACES:
            option = name_option(f"--ignore {selector}", person.label)
            raise UserError(f"{option}: these are not faces, and are left out already")
        if self.people.is_hidden(person):
            self._note(f"{person.label} is ignored already")
            return
        self.stale = True
        self._store_hiding(make_ignore(self.people, person), person.label)

    def bring_back(self, selector: str) -> None:
        """Undo `ignore` for a person or single faces of one, or `reject_faces` for faces such as ``0.2``."""
        with self.join_edits():
            for edit in make_restores(self.people, selector, *self._select_faces(selector)):
                self.stale = True
                self._store_hiding(edit, selector)

    def is_in_use(self, name: str) -> bool:
        """Whether a person has a name, in any spelling."""
        return normalize(name) in map(normalize, self.names)

    def find_replaced_name(self, selector: str) -> str:
        """Return the name that a new name of the selected person replaces; empty for single faces.

        Raises
        ------
        UserError
            If the selected person or face does not exist.
        """
        if marked := find_marked_only(self.people, selector):
            return marked.name
        _, single = self._select_faces(selector)
        return "" if single else self._find_person(selector, hidden=True).name

    @property
    def names(self) -> list[str]:
        """The names in use, also those that are only marked on photos."""
        return [*self._spellings.values(), *(one.name for one in self.people.list_marked_only())]

    def list_decisions(self) -> list[Decision[Edit]]:
        """Return all decisions of the edit log, also of earlier runs, the oldest first."""
        edits = open_edit_log(self._dataset).read()
        return list_decisions(edits, self._locate_others(edits))

    def undo(self, number: int | None = None) -> Decision[Edit]:
        """Undo the decision with a number in the history, or the last one. An undo can be undone too.

        Returns
        -------
        decision : Decision
            The decision that is undone, or restored.

        Raises
        ------
        UserError
            If there is no such decision, or it is undone already.
        """
        log = open_edit_log(self._dataset)
        edits = log.read()
        decisions = list_decisions(edits, self._locate_others(edits))
        decision = find_decision_to_undo(decisions, number)
        undo, original = (
            Edit("undo", undoes=refer_to_edits(edits, decision.lines)),
            find_original(decisions, decision),
        )
        references = itertools.chain(*(faces for edit in original.edits for faces in edit.faces))
        self._store(undo, faces=references, undone=original)
        self.people = load_people(self._config, self._dataset)
        self.stale, self._spellings = self.people.outdated, _list_spellings(self.people)
        is_restored = not any(d.undone_by for d in self.list_decisions() if d.number == original.number)
        self.stored[-1] = replace(self.stored[-1], is_restored=is_restored)
        return original

    def store_marking(self, edit: Edit) -> None:
        """Store an edit of names on photos: no face is concerned, so the clusters stay as they are."""
        self._store(edit, faces=())
        self.people = add_marks(self.people, self._writer.read_edits())

    def join_edits(self) -> AbstractContextManager[None]:
        """Store all edits inside a block as one decision, at its end; after an error, nothing is stored."""
        return self._writer.join()

    def find_last_decision(self) -> Decision[Edit]:
        """Return the decision that `undo` undoes without a number; `UserError` if there is none."""
        return find_decision_to_undo(self.list_decisions())

    def describe_stored(self, stored: Sequence[StoredEdit]) -> list[str]:
        """Return what decisions did, one line each. Call `refresh` before, for the final numbers."""
        return [describe_outcome(decision, self.people) for decision in stored]

    def find_affected(self, stored: StoredEdit) -> list[Person]:
        """Return the people that have some of a decision's faces, those with the most faces first."""
        return find_affected(stored, self.people)

    def refresh(self) -> People:
        """Apply the edits to the clusters, and return the people."""
        load = cluster_people if self.stale else load_people
        self.people, self.stale = load(self._config, self._dataset), False
        self._spellings = _list_spellings(self.people)
        return self.people

    # --- details -------------------------------------------------------------------------------------------

    def _store_hiding(self, edit: Edit, who: str) -> None:
        """Store an edit that leaves faces out or brings them back; its first lists are these faces."""
        faces = edit.faces[:1] if edit.confirmed and edit.action == "restore" else edit.faces
        self._store(replace(edit, who=(who,) if who else ()), faces=itertools.chain(*faces))

    def _make_references(self, rows: Sequence[int] | np.ndarray) -> tuple[FaceReference, ...]:
        return self.people.resolver.make_references(int(row) for row in rows)

    def _select_faces(self, selector: str) -> tuple[list[int], bool]:
        """Return the rows of the selected faces, and whether the selector lists single faces."""
        if not re.fullmatch(r"\d+\.\d{1,9}(,\d+\.\d{1,9})*", selector.replace(" ", "")):
            return self._find_person(selector, hidden=True).rows.tolist(), False
        rows = []
        for item in selector.replace(" ", "").split(","):
            number, _, position = item.partition(".")
            person = self.people.find_person(number)
            if not 1 <= int(position) <= len(person.rows):
                raise UserError(f"{item}: {person.label} has {format_count(len(person.rows), 'face')}")
            rows.append(int(person.rows[int(position) - 1]))
        return rows, True

    def _find_person(self, selector: str, hidden: bool = False) -> Person:
        """Find a person, also by a name that this run gave to faces that are not clustered yet."""
        try:
            person = self.people.find_person(selector)
        except UserError:
            if not (self.stale and normalize(selector) in self._spellings):
                raise
            person = self.refresh().find_person(selector)
        if not hidden and self.people.is_hidden(person):
            raise make_ignored_error(selector, person)
        return person

    def _find_ignored(self, name: str) -> Person | None:
        """Return the ignored person with a name."""
        return next((p for p in self.people.ignored if normalize(p.name) == normalize(name)), None)

    def _note_return(self, person: Person | None) -> None:
        if person is not None:
            self.stale = True  # the people are loaded anew
            self._note(f"{person.label} was ignored, and is back")

    def _note(self, line: str) -> None:
        self.notes += [line] if line not in self.notes else []

    def _bring_back_named(self, person: Person, name: str) -> None:
        """Prepare the naming of an ignored person; the edit that gives the name brings the person back."""
        if person.number == NO_FACES:
            raise UserError("0: these are not faces; name single ones, such as 0.1")
        self._note_return(person)
        if name == person.name:
            edit = make_restores(self.people, name, person.rows.tolist(), False)[0]
            self._store_hiding(edit, person.label)

    def _rename_loaded(self, person: Person, name: str) -> None:
        """Change or remove a person's name in the loaded people."""
        old = self.people
        renamed = {p.number for p in (*old.persons, *old.ignored) if p.name and p.name == person.name}
        renamed.add(person.number)
        everyone = [*old.persons, *(p for p in old.ignored if p.number in renamed)]
        persons = [replace(p, name=name) if p.number in renamed else p for p in everyone]
        ignored = [p for p in old.ignored if p.number not in renamed]
        self.people = replace(old, persons=persons, ignored=ignored)

    def _get_known_spelling(self, name: str) -> str:
        """Return the spelling that is already in use: a query cannot distinguish Zoe from Zoë."""
        return {normalize(known): known for known in self.names}.get(normalize(name), name)


def _list_spellings(people: People) -> dict[str, str]:
    """Return the names in use by normalized form."""
    persons = (*people.persons, *people.ignored)
    return {normalize(person.name): person.name for person in persons if person.name}
