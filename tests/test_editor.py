"""Edits of people: names, splits, merges and denials hold in any order and in any script."""

from __future__ import annotations

from pathlib import Path

import pytest
from crowd import Crowd, check_edits_hold, count_faces, get_path, make_crowd
from drawn import Drawn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import PLACES

from imagesearch.errors import UserError, name_typed_options


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


def test_a_name_does_not_move_to_another_person_in_a_replaced_photo(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"))
    vector = crowd.items["c0.jpg"][0][2]
    crowd.items["a0.jpg"] = [("a0.jpg", tuple(v + 9 for v in PLACES[0]), vector)]
    crowd.contents |= {f"a{i}.jpg": f"edited {i}" for i in range(5)}
    people = crowd.cluster()
    assert [crowd.get_label(f"a{i}.jpg") for i in range(5)] == ["person 3"] + ["Maya"] * 4
    assert "1 face in a changed photo looks like another person" in " ".join(people.list_notes())


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_names_hold_at_other_distances(crowd: Crowd, factor: float) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    crowd.cluster(f"faces.cluster_distance={0.5 * factor}")
    assert {crowd.get_label(f"a{i}.jpg") for i in range(5)} == {"Maya"}
    assert {crowd.get_label(f"b{i}.jpg") for i in range(4)} == {"Noor"}
    # also if all faces would be one cluster, or each face its own
    for distance in (1.9, 0.0001):
        crowd.cluster(f"faces.cluster_distance={distance}")
        assert {crowd.get_label(f"a{i}.jpg") for i in range(5)} == {"Maya"}
        assert {crowd.get_label(f"b{i}.jpg") for i in range(4)} == {"Noor"}


def test_a_denied_face_never_gets_the_name_again(crowd: Crowd) -> None:
    crowd.apply_edits(lambda editor: editor.name_person("1", "Maya"))
    path = get_path(crowd.people, crowd.people.find_person("Maya").rows[0])
    crowd.apply_edits(lambda editor: editor.deny("1.1", "Maya"))
    for distance in (0.5, 0.6, 1.5):
        crowd.cluster(f"faces.cluster_distance={distance}")
        assert crowd.get_label(path) != "Maya"


def test_a_denied_cluster_stays_together(crowd: Crowd) -> None:
    crowd.apply_edits(lambda editor: editor.name_person("1", "Maya"))
    people = crowd.apply_edits(lambda editor: editor.deny("1", "Maya"))
    assert [(person.number, person.name, count_faces(person)) for person in people.persons] == [
        (1, "", 5),
        (2, "", 4),
        (3, "", 3),
    ]


def test_one_name_for_two_people_joins_them(crowd: Crowd) -> None:
    people = crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "maya"))
    assert count_faces(people.find_person("Maya")) == 9
    assert [person.name for person in people.persons] == ["Maya", ""]


def test_a_rename_to_an_existing_name_joins_two_people(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Maja"))
    people = crowd.apply_edits(lambda e: e.name_person("Maja", "Maya"))
    assert count_faces(people.find_person("Maya")) == 9 and len(people.persons) == 2


@pytest.mark.parametrize("distance", [0.2, 0.5, 0.9])
def test_all_faces_of_a_person_follow_to_an_existing_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distance: float
) -> None:
    """Also those that were only similar to the two faces that had been named first."""
    crowd = Crowd(Drawn(tmp_path), monkeypatch)
    for who, count in enumerate((4, 3, 3)):
        crowd.add(who, *(f"{who}{i}.jpg" for i in range(count)), noise=0.8)
    crowd.add(0, "00.jpg", box=PLACES[5])
    crowd.cluster()
    crowd.apply_edits(lambda e: e.name_person("1.1,1.2", "Zoë"))
    crowd.cluster(f"faces.cluster_distance={distance}")
    crowd.apply_edits(lambda e: e.name_person("1", "Noor"), lambda e: e.name_person("2", "Maya"))
    rows = crowd.make_editor().people.find_person("Noor").rows
    people = crowd.apply_edits(lambda e: e.name_person("Noor", "Maya"))
    assert {people.label_faces()[0][row] for row in rows} == {"Maya"}


def test_the_spelling_of_a_name_can_be_changed(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "maya"), lambda e: e.name_person("2", "Noor"))
    assert crowd.apply_edits(lambda e: e.name_person("maya", "Maya")).find_person("1").name == "Maya"
    assert crowd.apply_edits(lambda e: e.name_person("1", "Maya Rao")).find_person("1").name == "Maya Rao"
    assert crowd.cluster().find_person("MAYA RAO").number == 1
    lines = (crowd.drawn.dataset().folder / "people.jsonl").read_text("utf-8").count("\n")
    crowd.apply_edits(lambda e: e.name_person("1", "Maya Rao"))  # the same name again
    assert (crowd.drawn.dataset().folder / "people.jsonl").read_text("utf-8").count("\n") == lines


def test_after_a_rename_the_old_name_is_unknown_in_the_same_run(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"))
    editor = crowd.make_editor()
    editor.name_person("Maya", "Ana")
    with pytest.raises(UserError, match="Maya: nobody has this number or name; the names are Ana"):
        editor.name_person("Maya", "Zoë")
    editor.name_person("1", "Zoë")
    editor.name_person("2", "Noor")
    editor.name_person("2", "Kofi")
    people = editor.refresh()
    assert [person.name for person in people.persons] == ["Zoë", "Kofi", ""]


def test_a_rename_to_an_existing_name_applies_to_missing_photos(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    all_items = crowd.items
    crowd.items = {path: item for path, item in all_items.items() if path != "a3.jpg"}
    crowd.apply_edits(lambda e: e.name_person("Maya", "Noor"))
    crowd.items = all_items
    people = crowd.cluster()
    assert crowd.get_label("a3.jpg") == "Noor" and count_faces(people.find_person("Noor")) == 9
    assert [person.name for person in people.persons] == ["Noor", ""]


def test_an_accent_can_be_corrected(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Zoe"), lambda e: e.name_person("2", "Noor"))
    assert crowd.apply_edits(lambda e: e.name_person("1", "Zoë")).find_person("1").name == "Zoë"
    assert crowd.apply_edits(lambda e: e.name_person("2", "ZOE")).find_person("Zoë").name == "Zoë"


def test_the_cast_is_in_the_order_of_naming(crowd: Crowd) -> None:
    names = {"2": "Zoë", "1": "Maya", "3": "Ana"}
    for number, name in names.items():
        people = crowd.apply_edits(lambda e, number=number, name=name: e.name_person(number, name))
    assert people.cast == ("Zoë", "Maya", "Ana")


def test_a_name_given_in_the_same_run_can_be_used_for_a_merge(crowd: Crowd) -> None:
    people = crowd.apply_edits(lambda e: e.name_person("2.1,2.2", "Noor"), lambda e: e.merge(["Noor", "3"]))
    assert count_faces(people.find_person("Noor")) == 7
    people = crowd.apply_edits(
        lambda e: e.forget("Noor"), lambda e: e.name_person("1", "Maya"), lambda e: e.merge(["Maya", "2"])
    )
    assert count_faces(people.find_person("Maya")) == 12


def test_edits_of_an_interrupted_run_are_reported_and_applied_by_the_next(crowd: Crowd) -> None:
    crowd.make_editor().name_person("1", "Maya")
    assert not crowd.people.outdated and not crowd.make_editor().stale  # a name needs no new clustering
    crowd.make_editor().merge(["1", "3"])  # the run ends before the clustering
    assert "some edits are not applied to the clusters yet; run 02" in crowd.people.list_notes()[-1]
    people = crowd.apply_edits()
    assert count_faces(people.find_person("Maya")) == 8 and not crowd.people.outdated
    file = crowd.drawn.dataset().folder / "people.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:1]))
    assert crowd.people.outdated
    assert count_faces(crowd.apply_edits().find_person("Maya")) == 5


def test_two_people_can_swap_their_names(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    crowd.apply_edits(lambda e: e.name_person("1", "temporary"))
    crowd.apply_edits(lambda e: e.name_person("2", "Maya"))
    people = crowd.apply_edits(lambda e: e.name_person("1", "Noor"))
    assert (people.find_person("1").name, people.find_person("2").name) == ("Noor", "Maya")


def test_after_its_name_is_removed_a_person_keeps_the_number(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"))
    assert crowd.apply_edits(lambda e: e.forget("maya")).find_person("1").label == "person 1"
    assert crowd.cluster().find_person("1").name == ""
    with pytest.raises(UserError, match="nobody has this number or name"):
        crowd.make_editor().forget("Maya")
    with pytest.raises(UserError, match=r"^person 1: has no name"):
        crowd.make_editor().forget("1")


def test_an_invalid_edit_is_refused_in_one_line(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    editor = crowd.make_editor()
    log = (crowd.drawn.dataset().folder / "people.jsonl").read_bytes()
    for edit, message in (
        (lambda: editor.merge(["1", "2"]), "Maya and Noor have different names"),
        (lambda: editor.merge(["1", "Maya", "person 1"]), "requires at least two different people"),
        (lambda: editor.merge(["1", "9"]), "9: nobody has this number or name; the names are Maya, Noor"),
        (lambda: editor.name_person("9", "X"), "9: nobody"),
        (lambda: editor.name_person("1.6", "X"), "1.6: Maya has 5 faces"),
        (lambda: editor.name_person("1.0", "X"), "1.0: Maya has 5 faces"),
        (lambda: editor.name_person("3.1,7.1", "X"), "7: nobody"),
        (lambda: editor.deny("3", "3"), "3: these are all faces of person 3"),
        (lambda: editor.split("nobody"), "nobody: nobody"),
    ):
        with pytest.raises(UserError) as error:
            edit()
        assert message in str(error.value) and "\n" not in str(error.value)
    assert (crowd.drawn.dataset().folder / "people.jsonl").read_bytes() == log


def test_one_face_cannot_be_split(crowd: Crowd) -> None:
    crowd.add(4, "alone.jpg")
    number = crowd.cluster().persons[-1].number
    with pytest.raises(UserError, match=rf"^person {number}: cannot be split: there is only one face$"):
        crowd.make_editor().split(str(number))


def test_only_the_messages_of_a_script_name_its_options(crowd: Crowd) -> None:
    editor = crowd.make_editor()
    refused = (
        lambda: editor.deny("1", "1"),
        lambda: editor.merge(["1", "1"]),
        lambda: editor.forget("1"),
        lambda: editor.bring_back("1"),
        lambda: editor.name_person("1", " "),
        lambda: editor.name_person("99", "Maya"),
        lambda: editor.undo(9),
    )
    for edit in refused:
        name_typed_options(False)
        with pytest.raises(UserError) as error:
            edit()
        assert "--" not in str(error.value) and ".py" not in str(error.value)
        name_typed_options(True)
        with pytest.raises(UserError) as error:
            edit()
        name_typed_options(False)
        assert "--" in str(error.value) or ".py" in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a|b",
        "100%",
        "a_b",
        "a\\b",
        "a\nb",
        "a\tb",
        "\x7f",
        "a\x85b",
        "3",
        "12.5",
        "1,2",
        "person 3",
        "Person 12",
        "PERSON  3",
        "person\N{NO-BREAK SPACE}3",
        "Person-12",
        "Pérson 12",
        "person ²",
        "-1",
        "x" * 201,
        "é" * 101,
        "\udce9",
    ],
)
def test_invalid_names_are_refused(crowd: Crowd, name: str) -> None:
    editor = crowd.make_editor()
    with pytest.raises(UserError) as error:
        editor.name_person("1", name)
    assert "\n" not in str(error.value)
    assert not (crowd.drawn.dataset().folder / "people.jsonl").exists()


@pytest.mark.parametrize(
    "name",
    [
        "Zoë",
        "Zoe\u0308",
        "नूर जहाँ",
        "김민준",
        "李四",
        "Мария",
        "عمر",
        "O'Brien",
        'Ann "Annie" Lee',
        "J.R.",
        "Jean-Luc",
        "person",
        "Person of 3",
        "personal 3",
        "Ana 3",
        "a" * 200,
        "$x^2$",
        "a=b",
        "👩‍👧",
        "-h",
        "İlker",
        "Weiß",
    ],
)
def test_names_can_be_in_any_script(crowd: Crowd, name: str) -> None:
    crowd.apply_edits(lambda editor: editor.name_person("1", name))
    people = crowd.cluster()
    assert people.find_person(name).number == people.find_person("1").number == 1
    assert people.find_person(name.upper()).number == 1 or name in ("İlker",)
    assert people.persons[0].name.startswith(name[0])


# --- random edits ------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_after_random_edits_all_edits_hold_and_a_second_clustering_changes_nothing(
    tmp_path_factory, data
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        crowd = Crowd(Drawn(tmp_path_factory.mktemp("crowd")), monkeypatch)
        for who, count in enumerate((4, 3, 3)):
            crowd.add(who, *(f"{who}{i}.jpg" for i in range(count)), noise=0.8)
        crowd.add(0, "00.jpg", box=PLACES[5])
        crowd.cluster()
        for _ in range(data.draw(st.integers(1, 6))):
            apply_random_edit(crowd, data)
            distance = data.draw(st.sampled_from([0.2, 0.5, 0.9]))
            crowd.cluster(f"faces.cluster_distance={distance}")
        first = [(p.label, p.rows.tolist()) for p in crowd.cluster().persons]
        assert [(p.label, p.rows.tolist()) for p in crowd.cluster().persons] == first


def apply_random_edit(crowd: Crowd, data) -> None:
    editor = crowd.make_editor()
    everyone = (*editor.people.persons, *editor.people.list_hidden())
    persons = st.sampled_from([str(person.number) for person in everyone])
    person = editor.people.find_person(data.draw(persons))
    places = st.lists(st.integers(1, count_faces(person)), min_size=1, max_size=3, unique=True)
    single = ",".join(f"{person.number}.{place}" for place in data.draw(places))
    name = data.draw(st.sampled_from(["Maya", "maya", "Noor", "Zoë"]))
    faces = data.draw(st.sampled_from([str(person.number), single]))
    edits = {
        "name": lambda: editor.name_person(faces, name),
        "deny": lambda: editor.deny(faces, name),
        "differ": lambda: editor.deny(faces, data.draw(persons)),
        "split": lambda: editor.split(faces),
        "merge": lambda: editor.merge([str(person.number), data.draw(persons)]),
        "forget": lambda: editor.forget(name),
        "undo": lambda: editor.undo(data.draw(st.none() | st.integers(1, 6))),
        "reject": lambda: editor.reject_faces(rows),
        "ignore": lambda: editor.ignore(faces),
        "bring back": lambda: editor.bring_back(faces),
    }
    chosen = data.draw(st.sampled_from(list(edits)))
    rows = editor._select_faces(faces)[0]
    try:
        edits[chosen]()
    except UserError:
        return
    people = editor.refresh()
    check_edits_hold(people)
    if chosen == "name":
        assert {people.label_faces()[0][row].casefold() for row in rows} == {name.casefold()}
    if chosen in ("reject", "ignore", "bring back"):
        assert (people.hidden[rows] == (chosen != "bring back")).all()
        assert (people.constraints.rejected[rows] == (chosen == "reject")).all()
    if chosen == "deny":
        assert all(people.label_faces()[0][row].casefold() != name.casefold() for row in rows)
