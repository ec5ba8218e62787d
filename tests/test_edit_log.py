"""The user's edits: a file that outlives a kill, faces found again, and what replaying the edits means."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import HEIGHT, PLACES, WIDTH, make_faces, people_vectors, row_of, vectors_of

from imagesearch.errors import UserError
from imagesearch.faces import box_iou
from imagesearch.faces.constraints import Constraints, replay_edits
from imagesearch.faces.edit_log import Edit, EditLog
from imagesearch.faces.extract import FaceTable
from imagesearch.faces.references import FaceReference, ReferenceResolver

REFERENCE = ("2023/Zoë.jpg", "00112233aabbccdd", (0.1, 0.2, 0.3, 0.4))
NAMES = ["Maya", "Zoë", "नूर", "김민준", "O'Brien", "Мария", "Ana\u2028Lu", "李 四"]


# --- the file ----------------------------------------------------------------------------------------------


def test_edits_come_back_as_they_were_given(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "new folder" / "people.jsonl")
    assert log.read() == []
    edits = [Edit("name", ((REFERENCE,),), name=name, confirmed=True, at="2026-01-01") for name in NAMES]
    edits += [Edit("split", ((REFERENCE,), (REFERENCE, REFERENCE))), Edit("rename", name="a", new_name="b")]
    for edit in edits:
        log.append(edit)
    assert log.read() == edits


def test_a_line_cut_at_any_byte_loses_itself_alone_and_the_next_one_is_whole(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    first, second = (Edit("name", ((REFERENCE,),), name=name) for name in ("Zoë", "नूर"))
    log.append(first)
    kept = log.file.stat().st_size
    log.append(second)
    whole = log.file.read_bytes()
    for end in range(kept, len(whole) - 1):
        log.file.write_bytes(whole[:end])
        assert log.read() == [first], end
        log.append(second)
        assert log.file.read_bytes() == whole


def test_a_first_line_that_was_cut_is_nothing(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    log.file.write_bytes(b'{"do": "na')
    assert log.read() == []
    log.append(Edit("forget", name="Maya"))
    assert [edit.action for edit in log.read()] == ["forget"]


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"3",
        b'{"do": "name"}',
        b'{"faces": []}',
        b'{"do": "name", "name": "Maya", "faces": [[["a.jpg", "00"]]]}',
        b'{"do": "name", "name": "Maya", "faces": [[["a.jpg", "00", [1, 2, 3]]]]}',
        b'{"do": null, "faces": []}',
        b'{"do": "join", "faces": []}',
        b'{"do": "rise", "faces": []}',
        b'{"do": 7, "faces": []}',
        b'{"do": "forget", "name": "\xff", "faces": []}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    good = Edit("forget", name="Maya").to_json().encode()
    log.file.write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    with pytest.raises(UserError, match=r"people.jsonl: .*line 2") as error:
        log.read()
    assert "\n" not in str(error.value)


def test_a_last_line_without_its_end_counts_and_is_ended(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    edits = [Edit("forget", name=name) for name in ("Maya", "Zoë", "Noor")]
    for edit in edits[:2]:
        log.append(edit)
    log.file.write_bytes(log.file.read_bytes()[:-1])
    assert log.read() == edits[:2] and log.count() == 2
    log.append(edits[2])
    assert log.read() == edits and log.count() == 3


def test_empty_lines_are_skipped(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    log.append(Edit("forget", name="Maya"))
    log.file.write_bytes(b"\n  \n" + log.file.read_bytes() + b"\n")
    assert len(log.read()) == 1


# --- faces found again -------------------------------------------------------------------------------------


def shift_box(box: tuple[float, ...], pixels: float) -> tuple[float, ...]:
    return tuple(v + pixels for v in box)


def resolve_rows(faces: FaceTable, references: Iterable[FaceReference]) -> list[int]:
    """The faces that are still there, of some that belong together."""
    return [row for row in ReferenceResolver(faces).resolve(references)[0] if row is not None]


def two_in_a_photo(path: str = "a.jpg", content: str = "", shift: float = 0.0) -> FaceTable:
    items = [(path, shift_box(PLACES[place], shift), np.eye(4, dtype=np.float32)[place]) for place in (0, 1)]
    return make_faces(items, {path: content or "a.jpg"})


def test_no_faces_at_all_are_no_mistake() -> None:
    none = make_faces([])
    assert resolve_rows(none, [REFERENCE]) == []
    constraints = replay_edits([Edit("name", ((REFERENCE,),), name="Maya")], ReferenceResolver(none))
    assert len(constraints.group) == 0 and constraints.names == {} and constraints.cannot_link == set()


def test_a_moved_photo_keeps_its_faces() -> None:
    references = ReferenceResolver(two_in_a_photo()).make_references([0, 1])
    assert resolve_rows(two_in_a_photo("2023/b.jpg"), references) == [0, 1]


def test_an_edited_photo_keeps_its_faces_where_they_are() -> None:
    references = ReferenceResolver(two_in_a_photo()).make_references([0, 1])
    assert resolve_rows(two_in_a_photo(content="edited"), references) == [0, 1]
    assert resolve_rows(two_in_a_photo("b.jpg", content="edited"), references) == []


def replace_photos(shift: float, *who: int, others: int = 2) -> tuple[list[int], list[int], set[int]]:
    """Faces of person 0 in photos that were changed, and of as many `others` in photos as they were.

    Returns their rows, the rows found by what was known of them, and those that were released.
    """
    people, paths = people_vectors(3), [f"{i}.jpg" for i in range(len(who) + others)]

    def faces(persons: list[int], boxes: list, contents: dict[str, str]) -> FaceTable:
        return make_faces(list(zip(paths, boxes, vectors_of(persons, people), strict=True)), contents)

    before = faces([0] * len(paths), [PLACES[0]] * len(paths), {})
    references = ReferenceResolver(before).make_references(row_of(before, path) for path in paths)
    boxes = [shift_box(PLACES[0], shift)] * len(who) + [PLACES[0]] * others
    after = faces([*who, *[0] * others], boxes, {path: f"new {path}" for path in paths[: len(who)]})
    rows, released = ReferenceResolver(after).resolve(references)
    return [row_of(after, path) for path in paths], rows, released


def test_a_photo_that_was_replaced_by_somebody_elses_does_not_keep_the_face() -> None:
    true, found, released = replace_photos(9, 1, 0)
    assert found == [None, *true[1:]] and released == {true[0]}
    # all were changed: what most of them look like is who they are
    true, found, released = replace_photos(9, 0, 0, 0, 2, others=0)
    assert found == [*true[:3], None] and released == {true[3]}
    # nothing to compare with
    true, found, released = replace_photos(9, 1, others=0)
    assert found == true and released == set()


def test_files_whose_pixels_did_not_change_keep_their_faces_however_unlike() -> None:
    true, found, released = replace_photos(0, 0, 1, 2, 2, others=0)
    assert found == true and released == set()


def test_faces_detected_anew_with_other_boxes_are_found_by_their_place() -> None:
    references = ReferenceResolver(two_in_a_photo()).make_references([0, 1])
    assert resolve_rows(two_in_a_photo(shift=18), references) == [0, 1]
    assert resolve_rows(two_in_a_photo(shift=80), references) == []


def test_another_photo_at_the_same_path_has_other_faces_if_the_first_moved_away() -> None:
    references = ReferenceResolver(two_in_a_photo()).make_references([0, 1])
    items = [("a.jpg", PLACES[0], np.eye(4)[2]), ("b.jpg", PLACES[0], np.eye(4)[0])]
    swapped = make_faces(items, {"a.jpg": "other", "b.jpg": "a.jpg"})
    assert resolve_rows(swapped, references) == [row_of(swapped, "b.jpg")]


def test_two_photos_that_swap_their_names_swap_their_faces() -> None:
    items = [(path, PLACES[0], np.eye(4)[i]) for i, path in enumerate(("a.jpg", "b.jpg"))]
    before, after = make_faces(items), make_faces(items, {"a.jpg": "b.jpg", "b.jpg": "a.jpg"})
    references = ReferenceResolver(before).make_references([row_of(before, "a.jpg"), row_of(before, "b.jpg")])
    assert resolve_rows(after, references) == [row_of(after, "b.jpg"), row_of(after, "a.jpg")]


def test_a_copy_of_a_photo_has_faces_of_its_own() -> None:
    items = [(path, PLACES[0], np.eye(4)[0]) for path in ("a.jpg", "copy.jpg")]
    faces = make_faces(items, {"copy.jpg": "a.jpg"})
    for path in ("a.jpg", "copy.jpg"):
        row = row_of(faces, path)
        assert resolve_rows(faces, ReferenceResolver(faces).make_references([row])) == [row]


def test_a_photo_of_another_size_keeps_its_faces() -> None:
    faces = two_in_a_photo()
    references = ReferenceResolver(faces).make_references([0, 1])
    half = {i: replace(e, width=WIDTH // 2, height=HEIGHT // 2) for i, e in faces.processed.items()}
    assert resolve_rows(replace(faces, boxes=faces.boxes / 2, processed=half), references) == [
        0,
        1,
    ]


def test_overlap_is_the_share_of_the_union() -> None:
    assert box_iou((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert box_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert box_iou((0, 0, 2, 2), (2, 0, 4, 2)) == box_iou((0, 0, 1, 1), (5, 5, 6, 6)) == 0


# --- what it means -----------------------------------------------------------------------------------------


class Album:
    """Faces of some people, one a photo, and the edits of them."""

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

    def names(self) -> list[str]:
        """The name of each face, "-" for one in a group without a name, "" for one in none."""
        constraints = self.constraints
        groups = [int(constraints.group[row]) for row in self.rows]
        return ["" if group < 0 else constraints.names.get(group, "-") for group in groups]

    def are_apart(self, a: int, b: int) -> bool:
        constraints = self.constraints
        pair = sorted((int(constraints.group[self.rows[a]]), int(constraints.group[self.rows[b]])))
        return tuple(pair) in constraints.cannot_link


def test_nothing_decided_means_nothing() -> None:
    assert Album().names() == [""] * 12


@pytest.mark.parametrize("name", NAMES)
def test_names_in_any_script_are_given(name: str) -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name=name)
    album.add_edit("name", (4, 5), name="Other")
    assert album.names() == [name] * 4 + ["Other"] * 2 + [""] * 6
    assert album.are_apart(0, 4)


def test_a_name_is_one_person_however_its_case() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (2,), name="MAYA")
    assert album.names()[:3] == ["Maya"] * 3
    assert len(album.constraints.names) == 1


def test_a_rename_takes_all_faces_along() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("rename", name="Maya", new_name="Maya Rao")
    album.add_edit("name", (2,), name="Maya Rao")
    album.add_edit("rename", name="nobody", new_name="somebody")
    assert album.names()[:4] == ["Maya Rao"] * 3 + [""]


def test_a_rename_onto_a_known_name_makes_one_person_of_two() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (2, 3), name="Maja")
    album.add_edit("rename", name="Maja", new_name="Maya")
    assert album.names()[:4] == ["Maya"] * 4 and album.constraints.cannot_link == set()


def test_a_rename_changes_the_case_alone() -> None:
    album = Album()
    album.add_edit("name", (0,), name="maya")
    album.add_edit("rename", name="maya", new_name="Maya")
    assert album.names()[0] == "Maya"


def test_merged_ones_are_one_and_keep_the_name_that_one_has() -> None:
    album = Album()
    album.add_edit("merge", (0, 1), (2, 3))
    assert album.names()[:4] == ["-"] * 4 and len(set(album.constraints.group.tolist()) - {-1}) == 1
    album.add_edit("name", (4,), name="Maya")
    album.add_edit("merge", (0, 1, 2, 3), (4, 5))
    assert album.names()[:6] == ["Maya"] * 6


def test_a_merge_undoes_a_split() -> None:
    album = Album()
    album.add_edit("split", (0, 1), (2, 3))
    assert album.are_apart(0, 2)
    album.add_edit("merge", (0, 1), (2, 3))
    assert album.constraints.cannot_link == set() and len(set(album.constraints.group.tolist()) - {-1}) == 1


def test_what_is_split_stays_apart_and_the_part_that_was_named_keeps_the_name() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("split", (0, 1), (2, 3), name="Maya")
    assert album.names()[:4] == ["Maya"] * 2 + ["-"] * 2 and album.are_apart(0, 3)
    album.add_edit("name", (2, 3), name="Noor")
    assert album.names()[:4] == ["Maya"] * 2 + ["Noor"] * 2 and album.are_apart(0, 3)


def test_a_split_is_not_undone_by_the_next_ones() -> None:
    album = Album()
    album.add_edit("name", tuple(range(12)), name="Maya")
    album.add_edit("split", tuple(range(9)), (9, 10, 11), name="Maya")
    album.add_edit("split", (0, 1, 2, 3), tuple(range(4, 9)), name="Maya")
    album.add_edit("split", (4, 5, 6), (7, 8))
    album.add_edit("split", (10, 11), (9,))
    album.add_edit("name", (5,), name="Noor", confirmed=True)
    parts = [(0, 1, 2, 3), (4, 6), (5,), (7, 8), (9,), (10, 11)]
    together = [{1, 2}]  # taken out of that part, but not parted from it
    for (i, one), (j, other) in itertools.combinations(enumerate(parts), 2):
        if {i, j} not in together:
            assert all(album.are_apart(a, b) for a, b in itertools.product(one, other)), (one, other)


def test_faces_set_free_from_a_part_stay_apart_from_the_other() -> None:
    album = Album((6, 6), noise=0.2)
    album.add_edit("split", (*range(5), *range(6, 11)), (5, 11))
    album.add_edit("name", (6, 7), name="Noor", confirmed=True)
    assert album.names()[8:11] == ["-"] * 3 and not album.are_apart(8, 6)
    assert all(album.are_apart(i, 5) for i in (0, 6, 8, 9, 10))


def test_a_denial_is_the_denied_ones_own_and_goes_with_their_parts() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("merge", (4, 5), (6, 7))
    album.add_edit("deny", (4, 5, 6, 7), name="Maya")
    album.add_edit("split", (4, 5), (6, 7))
    assert all(album.are_apart(0, i) for i in (4, 5, 6, 7))


def test_who_was_told_apart_by_names_alone_stays_apart_when_one_is_forgotten() -> None:
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


def test_a_split_outlives_the_name() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("split", (0, 1), (2, 3), name="Maya")
    album.add_edit("forget", name="Maya")
    assert album.names()[:4] == ["-"] * 4 and album.are_apart(0, 3)


def test_what_was_said_of_a_wrong_name_is_not_said_of_the_right_one() -> None:
    album = Album()
    album.add_edit("name", (0,), name="Maya", confirmed=True)
    album.add_edit("deny", (1,), name="Maya")
    album.add_edit("name", (0,), name="Noor", confirmed=True)
    assert album.names()[0] == "Noor" and not album.are_apart(0, 1)


def test_a_denied_face_is_never_that_person_until_it_is_said_to_be() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("deny", (3,), name="Maya", confirmed=True)
    assert album.names()[3] == "-" and album.are_apart(0, 3)
    album.add_edit("name", (3,), name="Maya", confirmed=True)
    assert album.names()[3] == "Maya" and album.constraints.cannot_link == set()


def test_denying_what_is_somebody_else_already_says_nothing_new() -> None:
    album = Album()
    album.add_edit("name", (0,), name="Maya")
    album.add_edit("name", (4,), name="Noor")
    album.add_edit("deny", (4,), name="Maya", confirmed=True)
    album.add_edit("deny", (5,), name="nobody", confirmed=True)
    assert album.names()[4:6] == ["Noor", ""]


def test_denied_faces_may_still_be_one_person() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2, 3), name="Maya")
    album.add_edit("deny", (0, 1, 2, 3), name="Maya")
    assert "Maya" not in album.names()
    assert not any(album.are_apart(a, b) for a, b in itertools.combinations(range(4), 2))
    album.add_edit("name", (4,), name="Maya")
    assert all(album.are_apart(i, 4) for i in range(4))


def test_a_forgotten_name_leaves_its_faces_together_and_free_to_be_named_again() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (4,), name="Noor")
    album.add_edit("forget", name="maya")
    album.add_edit("forget", name="nobody")
    assert album.names()[:5] == ["-", "-", "", "", "Noor"]
    assert album.constraints.group[album.rows[0]] == album.constraints.group[
        album.rows[1]
    ] and album.are_apart(0, 4)
    album.add_edit("name", (0,), name="Maya")
    assert album.names()[:2] == ["Maya", "-"] and album.are_apart(1, 4)
    album.add_edit("name", (1,), name="Noor")
    assert album.names()[:5] == ["Maya", "Noor", "", "", "Noor"]


def test_the_newest_edit_about_a_face_counts() -> None:
    album = Album()
    album.add_edit("name", (0, 1), name="Maya")
    album.add_edit("name", (1,), name="Noor", confirmed=True)
    album.add_edit("name", (1, 2), name="Kofi", confirmed=True)
    assert album.names()[:3] == ["Maya", "Kofi", "Kofi"]


def test_faces_that_nobody_looked_at_are_set_free_when_like_ones_turn_out_to_be_somebody_else() -> None:
    album = Album((6, 6), noise=0.2)
    album.add_edit("name", tuple(range(12)), name="Maya")
    album.add_edit("name", (0, 1), name="Maya", confirmed=True)
    album.add_edit("name", (6, 7), name="Noor", confirmed=True)
    assert album.names() == ["Maya"] * 6 + ["Noor"] * 2 + [""] * 4


def test_what_was_decided_on_single_faces_is_not_set_free() -> None:
    album = Album((6, 6), noise=0.2)
    album.add_edit("name", tuple(range(12)), name="Maya")
    album.add_edit("name", (0, 1, 8, 9), name="Maya", confirmed=True)
    album.add_edit("name", (6, 7), name="Noor", confirmed=True)
    names = album.names()
    assert [names[i] for i in (0, 1, 8, 9)] == ["Maya"] * 4 and names[6:8] == ["Noor"] * 2


def test_faces_that_are_gone_leave_the_rest_as_it_was() -> None:
    album = Album()
    album.add_edit("name", (0, 1, 2), name="Maya")
    album.add_edit("split", (0, 1), (2, 3))
    full = album.names()
    kept = [i for i in range(12) if i != 1]
    paths = [album.faces.get_photo(album.rows[i]).path for i in kept]
    some = make_faces(
        [
            (p, album.faces.boxes[album.rows[i]], album.faces.vectors[album.rows[i]])
            for p, i in zip(paths, kept, strict=True)
        ]
    )
    constraints = replay_edits(album.edits, ReferenceResolver(some))
    for path, i in zip(paths, kept, strict=True):
        group = int(constraints.group[row_of(some, path)])
        assert ("" if group < 0 else constraints.names.get(group, "-")) == full[i]


# --- whatever is decided -----------------------------------------------------------------------------------

_FACES = st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True).map(tuple)
_NAMES = st.sampled_from(["Maya", "maya", "Noor", "Zoë"])


@st.composite
def draw_edit(draw) -> tuple[str, tuple[tuple[int, ...], ...], dict]:
    do = draw(st.sampled_from(["name", "name", "deny", "merge", "split", "rename", "forget"]))
    lists = {
        "name": st.tuples(_FACES),
        "deny": st.tuples(_FACES),
        "merge": st.lists(_FACES, min_size=2, max_size=3).map(tuple),
        "split": st.lists(_FACES, min_size=2, max_size=3).map(tuple),
    }
    values = {"confirmed": draw(st.booleans())} if do in ("name", "deny") else {}
    if do in ("name", "deny", "rename", "forget"):
        values["name"] = draw(_NAMES)
    if do == "rename":
        values["new_name"] = draw(_NAMES)
    return do, draw(lists[do]) if do in lists else (), values


ALBUM = Album()


@settings(max_examples=100, deadline=None)
@given(st.lists(draw_edit(), max_size=10))
def test_whatever_is_decided_it_has_one_meaning_without_contradiction(decided: list) -> None:
    ALBUM.edits = []
    for do, lists, values in decided:
        ALBUM.add_edit(do, *lists, **values)
    constraints = ALBUM.constraints
    there = set(constraints.group.tolist()) - {-1}
    assert all(a != b and {a, b} <= there for a, b in constraints.cannot_link)
    assert set(constraints.names) <= there
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
def test_faces_named_last_are_that_person(decided: list, faces: tuple, name: str, later: list) -> None:
    ALBUM.edits = []
    for do, lists, values in decided:
        ALBUM.add_edit(do, *lists, **values)
    ALBUM.add_edit("name", faces, name=name, confirmed=True)
    named = ALBUM.names()
    assert {named[i].casefold() for i in faces} == {name.casefold()}
    touched: set[int] = set()
    for do, lists, values in later:
        # of what follows, only names of other faces for other people and denials of others
        if do in ("name", "deny") and values["name"].casefold() != name.casefold():
            numbers = tuple(i for i in lists[0] if i not in faces)
            if numbers:
                ALBUM.add_edit(do, numbers, **values)
                touched |= set(numbers)
    named = ALBUM.names()
    assert {named[i].casefold() for i in faces} == {name.casefold()}


@settings(max_examples=60, deadline=None)
@given(st.lists(draw_edit(), max_size=8), _FACES, _FACES)
def test_what_was_split_last_is_apart(decided: list, one: tuple, other: tuple) -> None:
    other = tuple(i for i in other if i not in one)
    ALBUM.edits = []
    for do, lists, values in decided:
        ALBUM.add_edit(do, *lists, **values)
    if other:
        ALBUM.add_edit("split", one, other)
        assert all(ALBUM.are_apart(a, b) for a, b in itertools.product(one, other))
        constraints = ALBUM.constraints
        assert all(len({int(constraints.group[ALBUM.rows[i]]) for i in part}) == 1 for part in (one, other))


@settings(max_examples=60, deadline=None)
@given(st.lists(draw_edit(), min_size=2, max_size=10))
def test_who_was_told_apart_stays_apart_until_both_are_said_to_be_one(decided: list) -> None:
    ALBUM.edits = []
    told: set[tuple[int, int]] = set()
    for do, lists, values in decided:
        names = ALBUM.names()
        ALBUM.add_edit(do, *lists, **values)
        if do == "forget":
            gone = [i for i in range(12) if names[i].casefold() == values["name"].casefold()]
            told |= {(a, b) for a in gone for b in range(12) if names[b] not in ("", "-") and b not in gone}
        if do == "split":
            last = {i: part for part, one in enumerate(lists) for i in one}
            told |= {(a, b) for a in last for b in last if last[a] != last[b]}
        group = ALBUM.constraints.group[ALBUM.rows].tolist()
        told = {(a, b) for a, b in told if group[a] != group[b]}  # now said to be one
        assert all(ALBUM.are_apart(a, b) for a, b in told), (do, lists, values)
