"""Constraints from the user's edits: must-link groups, cannot-link pairs, and names."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import NAMES, PLACES, REFERENCE, make_faces, people_vectors, row_of, vectors_of

from imagesearch.faces.constraints import Constraints, replay_edits
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.references import FaceReference, ReferenceResolver


class Album:
    """Faces of some people, one per photo, and the edits of these faces."""

    def __init__(self, counts: tuple[int, ...] = (4, 4, 4), noise: float = 0.4) -> None:
        self.who = np.repeat(np.arange(len(counts)), counts)
        vectors = vectors_of(self.who, people_vectors(len(counts)), noise)
        items = [(f"{i}.jpg", PLACES[i % 9], vector) for i, vector in enumerate(vectors)]
        self.faces = make_faces(items)
        self.rows = [row_of(self.faces, f"{i}.jpg") for i in range(len(items))]
        self.resolver = ReferenceResolver(self.faces)
        self.edits: list[Edit] = []

    def make_references(self, *numbers: int) -> tuple[FaceReference, ...]:
        return self.resolver.make_references(self.rows[i] for i in numbers)

    def add_edit(self, action: str, *lists: tuple[int, ...], **values) -> None:
        self.edits.append(Edit(action, tuple(self.make_references(*one) for one in lists), **values))

    @property
    def constraints(self) -> Constraints:
        return replay_edits(self.edits, self.resolver)

    def list_names(self) -> list[str]:
        """Return the name of each face; "-" in a group without a name, "" without a group."""
        constraints = self.constraints
        groups = [int(constraints.group[row]) for row in self.rows]
        return ["" if group < 0 else constraints.names.get(group, "-") for group in groups]

    def are_apart(self, a: int, b: int) -> bool:
        constraints = self.constraints
        pair = sorted((int(constraints.group[self.rows[a]]), int(constraints.group[self.rows[b]])))
        return tuple(pair) in constraints.cannot_link


def test_an_empty_table_of_faces_has_no_constraints() -> None:
    constraints = replay_edits(
        [Edit("name", ((REFERENCE,),), name="Maya")], ReferenceResolver(make_faces([]))
    )
    assert len(constraints.group) == 0 and constraints.names == {} and constraints.cannot_link == set()


def test_without_edits_no_face_has_a_group() -> None:
    assert Album().list_names() == [""] * 12


@pytest.mark.parametrize("name", NAMES)
def test_names_can_be_in_any_script(name: str) -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name=name)
    album.add_edit("name", (4, 5), name="Other")
    assert album.list_names() == [name] * 4 + ["Other"] * 2 + [""] * 6
    assert album.are_apart(0, 4)


def test_a_name_is_one_person_in_upper_and_lower_case() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (2,), name="MAYA")
    assert album.list_names()[:3] == ["Maya"] * 3
    assert len(album.constraints.names) == 1


def test_a_rename_applies_to_all_faces_of_the_person() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("rename", name="Maya", new_name="Maya Rao")
    album.add_edit("name", (2,), name="Maya Rao")
    album.add_edit("rename", name="nobody", new_name="somebody")
    assert album.list_names()[:4] == ["Maya Rao"] * 3 + [""]


def test_a_rename_to_an_existing_name_joins_two_people() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (2, 3), name="Maja")
    album.add_edit("rename", name="Maja", new_name="Maya")
    assert album.list_names()[:4] == ["Maya"] * 4 and album.constraints.cannot_link == set()


def test_a_rename_can_change_only_the_case() -> None:
    album = Album()
    album.add_edit("name", (0,), name="maya")
    album.add_edit("rename", name="maya", new_name="Maya")
    assert album.list_names()[0] == "Maya"


def test_merged_people_are_one_person_and_keep_the_name_of_either() -> None:
    album = Album()
    album.add_edit("merge", (0, 1), (2, 3))
    assert album.list_names()[:4] == ["-"] * 4 and len(set(album.constraints.group.tolist()) - {-1}) == 1
    album.add_edit("name", (4,), name="Maya")
    album.add_edit("merge", (0, 1, 2, 3), (4, 5))
    assert album.list_names()[:6] == ["Maya"] * 6


def test_a_merge_undoes_a_split() -> None:
    album = Album()
    album.add_edit("split", (0, 1), (2, 3))
    assert album.are_apart(0, 2)
    album.add_edit("merge", (0, 1), (2, 3))
    assert album.constraints.cannot_link == set() and len(set(album.constraints.group.tolist()) - {-1}) == 1


def test_parts_of_a_split_stay_apart_and_the_first_part_keeps_the_name() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("split", (0, 1), (2, 3), name="Maya")
    assert album.list_names()[:4] == ["Maya"] * 2 + ["-"] * 2 and album.are_apart(0, 3)
    album.add_edit("name", (2, 3), name="Noor")
    assert album.list_names()[:4] == ["Maya"] * 2 + ["Noor"] * 2 and album.are_apart(0, 3)


def test_later_edits_do_not_undo_a_split() -> None:
    album = Album()
    album.add_edit("name", tuple(range(12)), name="Maya")
    album.add_edit("split", tuple(range(9)), (9, 10, 11), name="Maya")
    album.add_edit("split", (0, 1, 2, 3), tuple(range(4, 9)), name="Maya")
    album.add_edit("split", (4, 5, 6), (7, 8))
    album.add_edit("split", (10, 11), (9,))
    album.add_edit("name", (5,), name="Noor", confirmed=True)
    parts = [(0, 1, 2, 3), (4, 6), (5,), (7, 8), (9,), (10, 11)]
    not_split = [{1, 2}]  # face 5 was named out of part 1, which is not a split
    for (i, one), (j, other) in itertools.combinations(enumerate(parts), 2):
        if {i, j} not in not_split:
            assert all(album.are_apart(a, b) for a, b in itertools.product(one, other)), (one, other)


def test_faces_released_from_a_part_stay_apart_from_the_other_part() -> None:
    album = Album((6, 6), noise=0.2)
    album.add_edit("split", (*range(5), *range(6, 11)), (5, 11))
    album.add_edit("name", (6, 7), name="Noor", confirmed=True)
    assert album.list_names()[8:11] == ["-"] * 3 and not album.are_apart(8, 6)
    assert all(album.are_apart(i, 5) for i in (0, 6, 8, 9, 10))


def test_a_denial_applies_to_the_parts_of_a_denied_person() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("merge", (4, 5), (6, 7))
    album.add_edit("deny", (4, 5, 6, 7), name="Maya")
    album.add_edit("split", (4, 5), (6, 7))
    assert all(album.are_apart(0, i) for i in (4, 5, 6, 7))


def test_people_kept_apart_only_by_their_names_stay_apart_when_a_name_is_removed() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya", confirmed=True)
    album.add_edit("name", (2, 3), name="Lina", confirmed=True)
    album.add_edit("merge", (2, 3), (4,))
    album.add_edit("forget", name="Lina")
    group = album.constraints.group[[album.rows[i] for i in (2, 3, 4)]]
    assert len(set(group.tolist())) == 1 and group[0] >= 0 and album.are_apart(0, 4)
    album.add_edit("rename", name="Maya", new_name="Mia")
    album.add_edit("forget", name="Mia")
    assert album.are_apart(1, 3)


def test_a_split_holds_after_the_name_is_removed() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("split", (0, 1), (2, 3), name="Maya")
    album.add_edit("forget", name="Maya")
    assert album.list_names()[:4] == ["-"] * 4 and album.are_apart(0, 3)


def test_a_denial_of_a_wrong_name_does_not_apply_to_the_corrected_name() -> None:
    album = Album()
    album.add_edit("name", (0,), name="Maya", confirmed=True)
    album.add_edit("deny", (1,), name="Maya")
    album.add_edit("name", (0,), name="Noor", confirmed=True)
    assert album.list_names()[0] == "Noor" and not album.are_apart(0, 1)


def test_a_denied_face_is_not_that_person_until_it_is_named_so() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("deny", (3,), name="Maya", confirmed=True)
    assert album.list_names()[3] == "-" and album.are_apart(0, 3)
    album.add_edit("name", (3,), name="Maya", confirmed=True)
    assert album.list_names()[3] == "Maya" and album.constraints.cannot_link == set()


def test_a_denial_of_a_face_with_another_name_changes_nothing() -> None:
    album = Album()
    album.add_edit("name", (0,), name="Maya")
    album.add_edit("name", (4,), name="Noor")
    album.add_edit("deny", (4,), name="Maya", confirmed=True)
    album.add_edit("deny", (5,), name="nobody", confirmed=True)
    assert album.list_names()[4:6] == ["Noor", ""]


def test_denied_faces_may_still_be_one_person() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("deny", (0, 1, 2, 3), name="Maya")
    assert "Maya" not in album.list_names()
    assert not any(album.are_apart(a, b) for a, b in itertools.combinations(range(4), 2))
    album.add_edit("name", (4,), name="Maya")
    assert all(album.are_apart(i, 4) for i in range(4))


def test_after_a_name_is_removed_its_faces_stay_together_and_can_be_named_again() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (4,), name="Noor")
    album.add_edit("forget", name="maya")
    album.add_edit("forget", name="nobody")
    assert album.list_names()[:5] == ["-", "-", "", "", "Noor"]
    assert album.constraints.group[album.rows[0]] == album.constraints.group[
        album.rows[1]
    ] and album.are_apart(0, 4)
    album.add_edit("name", (0,), name="Maya")
    assert album.list_names()[:2] == ["Maya", "-"] and album.are_apart(1, 4)
    album.add_edit("name", (1,), name="Noor")
    assert album.list_names()[:5] == ["Maya", "Noor", "", "", "Noor"]


def test_the_newest_edit_of_a_face_overrides_older_ones() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (1,), name="Noor", confirmed=True)
    album.add_edit("name", (1, 2), name="Kofi", confirmed=True)
    assert album.list_names()[:3] == ["Maya", "Kofi", "Kofi"]


def test_unconfirmed_faces_are_released_when_similar_faces_get_another_name() -> None:
    album = Album((6, 6), noise=0.2)
    album.add_edit("name", tuple(range(12)), name="Maya")
    album.add_edit("name", (0, 1), name="Maya", confirmed=True)
    album.add_edit("name", (6, 7), name="Noor", confirmed=True)
    assert album.list_names() == ["Maya"] * 6 + ["Noor"] * 2 + [""] * 4


def test_confirmed_faces_are_not_released() -> None:
    album = Album((6, 6), noise=0.2)
    album.add_edit("name", tuple(range(12)), name="Maya")
    album.add_edit("name", (0, 1, 8, 9), name="Maya", confirmed=True)
    album.add_edit("name", (6, 7), name="Noor", confirmed=True)
    names = album.list_names()
    assert [names[i] for i in (0, 1, 8, 9)] == ["Maya"] * 4 and names[6:8] == ["Noor"] * 2


def test_missing_faces_do_not_change_the_constraints_of_the_others() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2), name="Maya")
    album.add_edit("split", (0, 1), (2, 3))
    expected = album.list_names()
    present = [i for i in range(12) if i != 1]
    paths = [album.faces.get_photo(album.rows[i]).path for i in present]
    faces = make_faces(
        [
            (p, album.faces.boxes[album.rows[i]], album.faces.vectors[album.rows[i]])
            for p, i in zip(paths, present, strict=True)
        ]
    )
    constraints = replay_edits(album.edits, ReferenceResolver(faces))
    for path, i in zip(paths, present, strict=True):
        group = int(constraints.group[row_of(faces, path)])
        assert ("" if group < 0 else constraints.names.get(group, "-")) == expected[i]


# --- random edits ------------------------------------------------------------------------------------------

_FACES = st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True).map(tuple)
_NAMES = st.sampled_from(["Maya", "maya", "Noor", "Zoë"])


@st.composite
def draw_edit(draw) -> tuple[str, tuple[tuple[int, ...], ...], dict]:
    action = draw(st.sampled_from(["name", "name", "deny", "merge", "split", "rename", "forget"]))
    lists = {
        "name": st.tuples(_FACES),
        "deny": st.tuples(_FACES),
        "merge": st.lists(_FACES, min_size=2, max_size=3).map(tuple),
        "split": st.lists(_FACES, min_size=2, max_size=3).map(tuple),
    }
    values = {"confirmed": draw(st.booleans())} if action in ("name", "deny") else {}
    if action in ("name", "deny", "rename", "forget"):
        values["name"] = draw(_NAMES)
    if action == "rename":
        values["new_name"] = draw(_NAMES)
    return action, draw(lists[action]) if action in lists else (), values


ALBUM = Album()


@settings(max_examples=100, deadline=None)
@given(st.lists(draw_edit(), max_size=10))
def test_any_edits_give_the_same_consistent_constraints_each_time(edits: list) -> None:
    ALBUM.edits = []
    for action, lists, values in edits:
        ALBUM.add_edit(action, *lists, **values)
    constraints = ALBUM.constraints
    groups = set(constraints.group.tolist()) - {-1}
    assert all(a != b and {a, b} <= groups for a, b in constraints.cannot_link)
    assert set(constraints.names) <= groups
    folded = [name.casefold() for name in constraints.names.values()]
    assert len(folded) == len(set(folded))
    assert all(
        pair in constraints.cannot_link for pair in itertools.combinations(sorted(constraints.names), 2)
    )
    again = ALBUM.constraints
    assert (again.group == constraints.group).all()
    assert (again.names, again.cannot_link) == (constraints.names, constraints.cannot_link)


@settings(max_examples=60, deadline=None)
@given(st.lists(draw_edit(), max_size=8), _FACES, _NAMES, st.lists(draw_edit(), max_size=3))
def test_faces_named_last_are_that_person(edits: list, faces: tuple, name: str, later: list) -> None:
    ALBUM.edits = []
    for action, lists, values in edits:
        ALBUM.add_edit(action, *lists, **values)
    ALBUM.add_edit("name", faces, name=name, confirmed=True)
    named = ALBUM.list_names()
    assert {named[i].casefold() for i in faces} == {name.casefold()}
    for action, lists, values in later:
        # later edits name or deny only other faces as other people
        if action in ("name", "deny") and values["name"].casefold() != name.casefold():
            numbers = tuple(i for i in lists[0] if i not in faces)
            if numbers:
                ALBUM.add_edit(action, numbers, **values)
    named = ALBUM.list_names()
    assert {named[i].casefold() for i in faces} == {name.casefold()}


@settings(max_examples=60, deadline=None)
@given(st.lists(draw_edit(), max_size=8), _FACES, _FACES)
def test_parts_of_the_last_split_are_apart(edits: list, one: tuple, other: tuple) -> None:
    other = tuple(i for i in other if i not in one)
    ALBUM.edits = []
    for action, lists, values in edits:
        ALBUM.add_edit(action, *lists, **values)
    if other:
        ALBUM.add_edit("split", one, other)
        assert all(ALBUM.are_apart(a, b) for a, b in itertools.product(one, other))
        constraints = ALBUM.constraints
        assert all(len({int(constraints.group[ALBUM.rows[i]]) for i in part}) == 1 for part in (one, other))


@settings(max_examples=60, deadline=None)
@given(st.lists(draw_edit(), min_size=2, max_size=10))
def test_people_kept_apart_stay_apart_until_an_edit_joins_them(edits: list) -> None:
    ALBUM.edits = []
    pairs: set[tuple[int, int]] = set()
    for action, lists, values in edits:
        names = ALBUM.list_names()
        ALBUM.add_edit(action, *lists, **values)
        if action == "forget":
            unnamed = [i for i in range(12) if names[i].casefold() == values["name"].casefold()]
            others = [i for i in range(12) if names[i] not in ("", "-") and i not in unnamed]
            pairs |= set(itertools.product(unnamed, others))
        if action == "split":
            part_of = {i: part for part, one in enumerate(lists) for i in one}
            pairs |= {(a, b) for a in part_of for b in part_of if part_of[a] != part_of[b]}
        group = ALBUM.constraints.group[ALBUM.rows].tolist()
        pairs = {(a, b) for a, b in pairs if group[a] != group[b]}  # an edit may have joined a pair
        assert all(ALBUM.are_apart(a, b) for a, b in pairs), (action, lists, values)
