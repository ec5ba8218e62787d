"""The history of decisions about people, and their undo, also across runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from crowd import Crowd, count_faces, make_crowd

from imagesearch.decisions import find_undone, refer_to_edits
from imagesearch.errors import UserError
from imagesearch.faces import People, PeopleEditor, mark_present, merge_as
from imagesearch.faces.edit_log import Edit, EditLog, needs_clustering


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


def list_people(people: People) -> list[tuple[str, set[str]]]:
    """Return the name and the photos of each person, without the numbers."""
    photos = [
        (person.name, {people.faces.get_photo(row).path for row in person.rows}) for person in people.persons
    ]
    return sorted(photos, key=lambda person: sorted(person[1]))


def read_log(crowd: Crowd) -> bytes:
    return (crowd.drawn.dataset().folder / "people.jsonl").read_bytes()


def list_history(crowd: Crowd) -> list[str]:
    """Return the history without the times."""
    return [str(decision)[24:] for decision in crowd.make_editor().list_decisions()]


@pytest.mark.parametrize(
    ("edit", "summary"),
    [
        (lambda e: e.name_person("3", "Noor"), "3 is Noor (3 faces)"),
        (lambda e: e.name_person("2.1,2.3", "Noor"), "2.1,2.3 are Noor (2 faces)"),
        (lambda e: e.name_person("2", "maya"), "2 is Maya (4 faces)"),
        (lambda e: e.name_person("1", "Maja"), "Maya renamed to Maja"),
        (lambda e: e.name_person("Maya", "Kofi"), "Maya renamed to Kofi"),
        (lambda e: e.deny("1.1", "Maya"), "1.1 is not Maya (1 face)"),
        (lambda e: e.merge(["1", "person 3"]), "Maya and 3 are one person (8 faces)"),
        (lambda e: e.split("2"), "2 split into 2 people (3 and 1 faces)"),
        (lambda e: e.forget("Maya"), "name Maya removed"),
    ],
)
def test_each_decision_is_in_the_history_and_can_be_undone_and_restored(
    crowd: Crowd, edit: Callable[[PeopleEditor], object], summary: str
) -> None:
    before = crowd.apply_edits(lambda e: e.name_person("1", "Maya"))
    crowd.cluster()
    after = crowd.apply_edits(edit)
    assert list_history(crowd)[1:] == [summary]
    log = read_log(crowd)
    undone = crowd.apply_edits(lambda e: e.undo())  # another run
    assert list_people(undone) == list_people(before)
    assert list_people(crowd.cluster()) == list_people(before)
    assert list_history(crowd)[1:] == [f"{summary} (undone by 3)", f"undid 2: {summary}"]
    assert read_log(crowd).startswith(log)  # nothing is removed from the file
    restored = crowd.apply_edits(lambda e: e.undo(3))
    assert list_people(restored) == list_people(after)
    assert list_history(crowd)[1] == summary and list_history(crowd)[3] == f"restored 2: {summary}"
    assert list_people(crowd.cluster()) == list_people(after)
    numbers: list[int] = []
    undone = crowd.apply_edits(lambda e: numbers.append(e.undo(4).number))
    assert numbers == [2] and list_people(undone) == list_people(before)
    assert list_history(crowd)[4] == f"undid 2: {summary}"
    decisions = [decision.to_dict() for decision in crowd.make_editor().list_decisions()]
    assert [one["undone_by"] for one in decisions] == [None, 3, None, 5, None]


@pytest.mark.parametrize(
    ("others", "summary"),
    [
        (["Noor", "3"], "Noor, Zoë and Maya are one person, Maya"),
        (["3", "2", "4"], "Zoë, Noor, Maya and 4 are one person, Maya"),
    ],
)
def test_a_merge_of_several_people_is_one_decision(crowd: Crowd, others: list[str], summary: str) -> None:
    names = (("1", "Maya"), ("2", "Noor"), ("3", "Zoë"))
    crowd.add(4, "d1.jpg", "d2.jpg")
    crowd.cluster()
    before = crowd.apply_edits(*(lambda e, n=n, name=name: e.name_person(n, name) for n, name in names))
    editor = crowd.make_editor()
    merge_as(editor, ["1", *others], "Maya")
    after = editor.refresh()
    assert len(after.persons) == len(before.persons) - len(others)
    assert len(editor.stored) == 1
    (line,) = editor.describe_stored(editor.stored)
    assert line.startswith(summary.removesuffix(", Maya") + " now: Maya (number 1, ")
    decision = editor.list_decisions()[-1]
    assert decision.summary == summary and decision.number == 4 and len(decision.lines) > 2
    undone = crowd.apply_edits(lambda e: e.undo())
    assert list_people(undone) == list_people(before) == list_people(crowd.cluster())
    restored = crowd.apply_edits(lambda e: e.undo(5))
    assert list_people(restored) == list_people(after)
    assert list_history(crowd)[3:] == [
        summary,
        f"undid 4: {summary} (undone by 6)",
        f"restored 4: {summary}",
    ]
    # the same lines as an earlier version wrote them, without the key, are several decisions
    file = crowd.drawn.dataset().folder / "people.jsonl"
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()[: decision.lines[-1] + 1]]
    old = [json.dumps({key: line[key] for key in line if key != "decision"}) for line in lines]
    file.write_text("\n".join(old) + "\n", "utf-8")
    assert (
        list_history(crowd)[3:5]
        == ["Noor and Maya are one person, Maya", "Zoë and Maya are one person, Maya"][
            :: 1 if others[0] == "Noor" else -1
        ]
    )


def test_a_name_on_photos_is_merged_with_people(crowd: Crowd) -> None:
    photo = int(crowd.faces.photo_ids[0])
    crowd.apply_edits(
        lambda e: e.name_person("2", "Noor"),
        lambda e: mark_present(e, "Ana", [photo]),
        lambda e: mark_present(e, "Ben", [photo]),
    )
    merged = crowd.apply_edits(lambda e: merge_as(e, ["Ana", "Ben", "2", "3"], "Ana"))
    assert "Ana" in {person.name for person in merged.persons} and not merged.list_marked_only()
    assert list_history(crowd)[-1] == "Ben, Noor, Ana and 3 are one person, Ana"
    undone = crowd.apply_edits(lambda e: e.undo())
    assert [marked.name for marked in undone.list_marked_only()] == ["Ana", "Ben"]
    assert {person.name for person in undone.persons} == {"Noor", ""}


def test_nothing_is_stored_of_a_merge_with_an_error(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    log, editor = read_log(crowd), crowd.make_editor()
    with pytest.raises(UserError, match="nobody has this number or name"):
        merge_as(editor, ["1", "2", "99"], "Noor")
    assert read_log(crowd) == log and not editor.stored
    with pytest.raises(UserError, match="at least two different people"):
        merge_as(editor, ["1"], "Maya")


def test_undo_takes_back_one_decision_after_the_other(crowd: Crowd) -> None:
    for number, name in (("1", "Maya"), ("2", "Noor"), ("3", "Zoë")):
        crowd.apply_edits(lambda e, number=number, name=name: e.name_person(number, name))
    names = [{person.name for person in crowd.apply_edits(lambda e: e.undo()).persons} for _ in range(3)]
    assert names == [{"Maya", "Noor", ""}, {"Maya", ""}, {""}]
    with pytest.raises(UserError, match="no decision is left to undo"):
        crowd.make_editor().undo()


def test_a_decision_is_undone_by_its_number(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    people = crowd.apply_edits(lambda e: e.undo(1))
    assert [person.name for person in people.persons] == ["", "Noor", ""]
    editor, log = crowd.make_editor(), read_log(crowd)
    for number, message in (
        (1, "decision 1: already undone by 3"),
        (0, "decision 0: there is none; the last decision is 3"),
        (9, "decision 9: there is none"),
    ):
        with pytest.raises(UserError, match=message):
            editor.undo(number)
    assert read_log(crowd) == log


def test_joining_two_names_is_one_decision(crowd: Crowd) -> None:
    before = crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Maja"))
    assert count_faces(crowd.apply_edits(lambda e: e.name_person("Maja", "Maya")).find_person("Maya")) == 9
    assert list_history(crowd)[2:] == ["Maja and Maya are one person, Maya"]
    assert crowd.make_editor().list_decisions()[2].to_dict()["action"] == "name"
    assert list_people(crowd.apply_edits(lambda e: e.undo())) == list_people(before)


def test_two_decisions_that_look_like_a_joined_name_are_two(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maja"))
    crowd.apply_edits(lambda e: e.name_person("Maja", "Maya"), lambda e: e.name_person("2", "Maya"))
    assert list_history(crowd)[1:] == ["Maja renamed to Maya", "2 is Maya (4 faces)"]
    assert count_faces(crowd.apply_edits(lambda e: e.undo()).find_person("Maya")) == 5


def test_the_log_of_an_earlier_version_has_a_history(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.merge(["2", "3"]))
    file = crowd.drawn.dataset().folder / "people.jsonl"
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    old = [json.dumps({key: value for key, value in line.items() if key != "who"}) for line in lines]
    file.write_text("\n".join(old) + "\n", "utf-8")
    assert list_history(crowd) == ["5 faces are Maya", "2 people (4 and 3 faces) are one person"]
    people = crowd.apply_edits(lambda e: e.undo(1), lambda e: e.undo(2))
    assert sorted(count_faces(person) for person in people.persons) == [3, 4, 5]
    assert file.read_text("utf-8").startswith("\n".join(old))


def test_an_undo_holds_after_lines_were_removed_by_hand(crowd: Crowd) -> None:
    for number, name in (("1", "Maya"), ("2", "Noor"), ("3", "Zoë")):
        crowd.apply_edits(lambda e, number=number, name=name: e.name_person(number, name))
    crowd.apply_edits(lambda e: e.undo(2))
    file = crowd.drawn.dataset().folder / "people.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[1:]))
    assert [person.name for person in crowd.people.persons] == ["", "", "Zoë"]
    file.write_bytes(lines[0] + b"".join(lines[2:]))
    assert [person.name for person in crowd.people.persons] == ["Maya", "", "Zoë"]
    assert list_history(crowd)[-1] == "undid an edit that is no longer in the file"


def test_an_undo_is_of_the_edit_with_its_number_among_equal_lines() -> None:
    first, equal = Edit("forget", name="Maya", at="2026-01-01"), Edit("forget", name="Kofi", at="2026-01-01")
    log = [first, equal, equal]  # twice in one second
    assert find_undone([*log, Edit("undo", undoes=refer_to_edits(log, [1]))]) == {1: 3}
    assert find_undone([*log, Edit("undo", undoes=refer_to_edits(log, [2]))]) == {2: 3}
    undo = Edit("undo", undoes=refer_to_edits(log, [2]))
    assert find_undone([equal, equal, undo]) == {1: 2}, "the first line was removed by hand"
    undo = Edit("undo", undoes=refer_to_edits(log, [1]))
    assert find_undone([equal, undo, equal]) == {0: 1}, "an undo is of an earlier line"


def test_only_the_undo_of_an_applied_edit_requires_a_new_clustering(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    name, merge = Edit("name", name="Maya", faces=((),)), Edit("merge")
    undo = Edit("undo", undoes=refer_to_edits([name, merge], [1]))
    log.append(name, merge, undo)
    assert log.read() == [name, merge, undo]
    assert not needs_clustering([name, merge, undo], 1)
    assert needs_clustering([name, merge, undo], 2)
    assert not needs_clustering([name, merge, undo], 3)
    again = Edit("undo", undoes=refer_to_edits([name, merge, undo], [2]))
    assert needs_clustering([name, merge, undo, again], 3)
    assert not needs_clustering([name, merge, undo, again], 2)
