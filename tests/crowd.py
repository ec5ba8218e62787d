"""A crowd: synthetic faces in place of those of a table, clustered and edited like real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from drawn import Drawn
from synthetic import PLACES, make_faces, people_vectors, row_of, vectors_of

from imagesearch.config import Config
from imagesearch.faces import People, PeopleEditor, Person, cluster_people, load_people
from imagesearch.faces import people as people_module


def check_edits_hold(people: People) -> None:
    """Check that all must-link and cannot-link constraints hold, and that each name is one person."""
    numbers = people.label_faces()[1].copy()
    assert (numbers[people.hidden] == -1).all()
    for person in people.ignored:
        numbers[person.rows] = person.number
    constraints = people.constraints
    clusters_of: dict[int, set[int]] = {}
    for group, number in zip(constraints.group.tolist(), numbers.tolist(), strict=True):
        if group >= 0:
            clusters_of.setdefault(group, set()).add(number)
    assert all(len(clusters) == 1 and -1 not in clusters for clusters in clusters_of.values())
    for a, b in constraints.cannot_link:
        assert clusters_of[a] != clusters_of[b]
    names = [person.name for person in people.persons if person.name]
    assert len(names) == len({name.casefold() for name in names})
    for group, name in constraints.names.items():
        (number,) = clusters_of[group]
        assert people.find_person(name).number == number
    rows = [row for person in (*people.persons, *people.ignored) for row in person.rows.tolist()]
    assert len(rows) == len(set(rows)) and not constraints.rejected[rows].any()


class Crowd:
    """Synthetic faces in place of the table of faces; all other parts are real."""

    def __init__(self, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn = drawn
        self.items: dict[str, list[tuple]] = {}
        self.contents: dict[str, str] = {}
        monkeypatch.setattr(people_module, "read_faces", lambda dataset: self.faces)

    @property
    def faces(self):
        return make_faces([item for items in self.items.values() for item in items], self.contents)

    def add(self, who: int, *paths: str, box: tuple = PLACES[0], noise: float = 0.3, of: int = 6) -> None:
        for path in paths:
            vector = vectors_of([who], people_vectors(of), noise, seed=len(path) + sum(path.encode()))[0]
            self.items.setdefault(path, []).append((path, box, vector))

    def config(self, *assignments: str) -> Config:
        return self.drawn.config(*assignments)

    def cluster(self, *assignments: str) -> People:
        people = cluster_people(self.config(*assignments), self.drawn.dataset())
        check_edits_hold(people)
        return people

    @property
    def people(self) -> People:
        return load_people(self.config(), self.drawn.dataset())

    def make_editor(self) -> PeopleEditor:
        return PeopleEditor(self.config(), self.drawn.dataset())

    def apply_edits(self, *edits: Callable[[PeopleEditor], object]) -> People:
        """Apply edits like one run of 03."""
        editor = self.make_editor()
        for edit in edits:
            edit(editor)
        people = editor.refresh()
        check_edits_hold(people)
        return people

    def get_label(self, path: str, position: int = 0) -> str:
        return self.people.label_faces()[0][row_of(self.faces, path, position)]


def make_crowd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    """Return a clustered crowd: three people in five, four and three photos."""
    crowd = Crowd(Drawn(folder), monkeypatch)
    for who, count in enumerate((5, 4, 3)):
        crowd.add(who, *(f"{'abc'[who]}{i}.jpg" for i in range(count)))
    people = crowd.cluster()
    assert [(person.number, len(person.rows)) for person in people.persons] == [(1, 5), (2, 4), (3, 3)]
    return crowd


def get_path(people: People, row: int) -> str:
    return people.faces.get_photo(row).path


def count_faces(person: Person) -> int:
    return len(person.rows)
