"""The user's edits of people hold: names, splits, merges and denials, in any order and script."""

from __future__ import annotations

from pathlib import Path

import pytest
from crowd import Crowd, check_edits_hold, get_path, make_crowd, size
from drawn import Drawn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import PLACES

from imagesearch.errors import UserError


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


def test_a_name_does_not_move_to_who_is_in_a_photo_that_was_replaced(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"))
    vector = crowd.items["c0.jpg"][0][2]
    crowd.items["a0.jpg"] = [("a0.jpg", tuple(v + 9 for v in PLACES[0]), vector)]
    crowd.contents |= {f"a{i}.jpg": f"edited {i}" for i in range(5)}
    people = crowd.cluster()
    assert [crowd.label(f"a{i}.jpg") for i in range(5)] == ["person 3"] + ["Maya"] * 4
    assert "1 faces in photos that have changed look like somebody else" in " ".join(people.list_notes())


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_names_stay_at_other_distances(crowd: Crowd, factor: float) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    crowd.cluster(f"faces.cluster_distance={0.5 * factor}")
    assert {crowd.label(f"a{i}.jpg") for i in range(5)} == {"Maya"}
    assert {crowd.label(f"b{i}.jpg") for i in range(4)} == {"Noor"}
    # even where everything is one cluster, and where nothing is
    for distance in (1.9, 0.0001):
        crowd.cluster(f"faces.cluster_distance={distance}")
        assert {crowd.label(f"a{i}.jpg") for i in range(5)} == {"Maya"}
        assert {crowd.label(f"b{i}.jpg") for i in range(4)} == {"Noor"}


def test_a_denied_face_never_comes_back(crowd: Crowd) -> None:
    crowd.do(lambda editor: editor.name_person("1", "Maya"))
    path = get_path(crowd.people, crowd.people.find_person("Maya").rows[0])
    crowd.do(lambda editor: editor.deny("1.1", "Maya"))
    for distance in (0.5, 0.6, 1.5):
        crowd.cluster(f"faces.cluster_distance={distance}")
        assert crowd.label(path) != "Maya"


def test_a_whole_cluster_is_denied_and_stays_together(crowd: Crowd) -> None:
    crowd.do(lambda editor: editor.name_person("1", "Maya"))
    people = crowd.do(lambda editor: editor.deny("1", "Maya"))
    assert [(person.number, person.name, size(person)) for person in people.persons] == [
        (1, "", 5),
        (2, "", 4),
        (3, "", 3),
    ]


def test_a_name_given_twice_makes_one_person_of_two(crowd: Crowd) -> None:
    people = crowd.do(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "maya"))
    assert size(people.find_person("Maya")) == 9
    assert [person.name for person in people.persons] == ["Maya", ""]


def test_a_rename_onto_a_known_name_makes_one_person_of_two(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Maja"))
    people = crowd.do(lambda e: e.name_person("Maja", "Maya"))
    assert size(people.find_person("Maya")) == 9 and len(people.persons) == 2


def test_a_name_is_spelt_anew(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "maya"), lambda e: e.name_person("2", "Noor"))
    assert crowd.do(lambda e: e.name_person("maya", "Maya")).find_person("1").name == "Maya"
    assert crowd.do(lambda e: e.name_person("1", "Maya Rao")).find_person("1").name == "Maya Rao"
    assert crowd.cluster().find_person("MAYA RAO").number == 1
    lines = (crowd.drawn.dataset().folder / "people.jsonl").read_text("utf-8").count("\n")
    crowd.do(lambda e: e.name_person("1", "Maya Rao"))  # nothing new
    assert (crowd.drawn.dataset().folder / "people.jsonl").read_text("utf-8").count("\n") == lines


def test_an_old_name_is_nobodys_within_one_run_too(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"))
    editor = crowd.editor()
    editor.name_person("Maya", "Ana")
    with pytest.raises(UserError, match="Maya: nobody has this number or name; named are Ana"):
        editor.name_person("Maya", "Zoë")
    editor.name_person("1", "Zoë")
    editor.name_person("2", "Noor")
    editor.name_person("2", "Kofi")
    people = editor.refresh()
    assert [person.name for person in people.persons] == ["Zoë", "Kofi", ""]


def test_a_rename_onto_a_known_name_holds_for_photos_that_are_away(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    kept = crowd.items
    crowd.items = {path: item for path, item in kept.items() if path != "a3.jpg"}
    crowd.do(lambda e: e.name_person("Maya", "Noor"))
    crowd.items = kept
    people = crowd.cluster()
    assert crowd.label("a3.jpg") == "Noor" and size(people.find_person("Noor")) == 9
    assert [person.name for person in people.persons] == ["Noor", ""]


def test_an_accent_is_put_right(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Zoe"), lambda e: e.name_person("2", "Noor"))
    assert crowd.do(lambda e: e.name_person("1", "Zoë")).find_person("1").name == "Zoë"
    assert crowd.do(lambda e: e.name_person("2", "ZOE")).find_person("Zoë").name == "Zoë"


def test_the_cast_is_in_the_order_of_naming(crowd: Crowd) -> None:
    names = {"2": "Zoë", "1": "Maya", "3": "Ana"}
    for number, name in names.items():
        people = crowd.do(lambda e, number=number, name=name: e.name_person(number, name))
    assert people.cast == ("Zoë", "Maya", "Ana")


def test_who_was_named_a_moment_ago_is_merged_by_the_name(crowd: Crowd) -> None:
    people = crowd.do(lambda e: e.name_person("2.1,2.2", "Noor"), lambda e: e.merge(["Noor", "3"]))
    assert size(people.find_person("Noor")) == 7
    people = crowd.do(
        lambda e: e.forget("Noor"), lambda e: e.name_person("1", "Maya"), lambda e: e.merge(["Maya", "2"])
    )
    assert size(people.find_person("Maya")) == 12


def test_what_a_run_that_was_cut_short_left_undone_is_noted_and_done_by_the_next(crowd: Crowd) -> None:
    crowd.editor().name_person("1", "Maya")
    assert not crowd.people.outdated and not crowd.editor().stale  # nothing to be clustered
    crowd.editor().merge(["1", "3"])  # and the end, before anything is clustered
    assert "do not follow all that was decided; run 02" in crowd.people.list_notes()[-1]
    people = crowd.do()
    assert size(people.find_person("Maya")) == 8 and not crowd.people.outdated
    file = crowd.drawn.dataset().folder / "people.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:1]))
    assert crowd.people.outdated
    assert size(crowd.do().find_person("Maya")) == 5


def test_two_people_that_swap_their_names(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    crowd.do(lambda e: e.name_person("1", "for a moment"))
    crowd.do(lambda e: e.name_person("2", "Maya"))
    people = crowd.do(lambda e: e.name_person("1", "Noor"))
    assert (people.find_person("1").name, people.find_person("2").name) == ("Noor", "Maya")


def test_a_forgotten_one_is_nameless_and_keeps_the_number(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"))
    assert crowd.do(lambda e: e.forget("maya")).find_person("1").label == "person 1"
    assert crowd.cluster().find_person("1").name == ""
    with pytest.raises(UserError, match="nobody has this number or name"):
        crowd.editor().forget("Maya")
    with pytest.raises(UserError, match="--forget 1: has no name"):
        crowd.editor().forget("1")


def test_what_makes_no_sense_is_refused_in_one_line(crowd: Crowd) -> None:
    crowd.do(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    editor = crowd.editor()
    kept = (crowd.drawn.dataset().folder / "people.jsonl").read_bytes()
    for wrong, message in (
        (lambda: editor.merge(["1", "2"]), 'if they are one person, say so by --name "Noor=Maya"'),
        (lambda: editor.merge(["1", "Maya", "person 1"]), "two different people are wanted"),
        (lambda: editor.merge(["1", "9"]), "9: nobody has this number or name; named are Maya, Noor"),
        (lambda: editor.name_person("9", "X"), "9: nobody"),
        (lambda: editor.name_person("1.6", "X"), "1.6: Maya has 5 faces"),
        (lambda: editor.name_person("1.0", "X"), "1.0: Maya has 5 faces"),
        (lambda: editor.name_person("3.1,7.1", "X"), "7: nobody"),
        (lambda: editor.deny("1", "3"), "3: has no name yet"),
        (lambda: editor.split("nobody"), "nobody: nobody"),
    ):
        with pytest.raises(UserError) as error:
            wrong()
        assert message in str(error.value) and "\n" not in str(error.value)
    assert (crowd.drawn.dataset().folder / "people.jsonl").read_bytes() == kept


def test_one_face_cannot_be_parted(crowd: Crowd) -> None:
    crowd.add(4, "alone.jpg")
    number = crowd.cluster().persons[-1].number
    with pytest.raises(UserError, match="cannot be parted"):
        crowd.editor().split(str(number))


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
def test_names_that_cannot_be(crowd: Crowd, name: str) -> None:
    editor = crowd.editor()
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
def test_names_in_any_script(crowd: Crowd, name: str) -> None:
    crowd.do(lambda editor: editor.name_person("1", name))
    people = crowd.cluster()
    assert people.find_person(name).number == people.find_person("1").number == 1
    assert people.find_person(name.upper()).number == 1 or name in ("İlker",)
    assert people.persons[0].name.startswith(name[0])


# --- whatever the user does --------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_the_user_does_edits_hold_and_faces_named_last_are_theirs(tmp_path_factory, data) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        crowd = Crowd(Drawn(tmp_path_factory.mktemp("crowd")), monkeypatch)
        for who, count in enumerate((4, 3, 3)):
            crowd.add(who, *(f"{who}{i}.jpg" for i in range(count)), noise=0.8)
        crowd.add(0, "00.jpg", box=PLACES[5])
        crowd.cluster()
        for _ in range(data.draw(st.integers(1, 6))):
            step(crowd, data)
            distance = data.draw(st.sampled_from([0.2, 0.5, 0.9]))
            crowd.cluster(f"faces.cluster_distance={distance}")
        # a second clustering changes nothing
        once = [(p.label, p.rows.tolist()) for p in crowd.cluster().persons]
        assert [(p.label, p.rows.tolist()) for p in crowd.cluster().persons] == once


def step(crowd: Crowd, data) -> None:
    editor = crowd.editor()
    persons = st.sampled_from([str(person.number) for person in editor.people.persons])
    person = editor.people.find_person(data.draw(persons))
    places = st.lists(st.integers(1, size(person)), min_size=1, max_size=3, unique=True)
    single = ",".join(f"{person.number}.{place}" for place in data.draw(places))
    name = data.draw(st.sampled_from(["Maya", "maya", "Noor", "Zoë"]))
    faces = data.draw(st.sampled_from([str(person.number), single]))
    does = {
        "name": lambda: editor.name_person(faces, name),
        "deny": lambda: editor.deny(faces, name),
        "split": lambda: editor.split(faces),
        "merge": lambda: editor.merge([str(person.number), data.draw(persons)]),
        "forget": lambda: editor.forget(name),
    }
    chosen = data.draw(st.sampled_from(list(does)))
    rows = editor._select_faces(faces)[0]
    try:
        does[chosen]()
    except UserError:
        return
    people = editor.refresh()
    check_edits_hold(people)
    if chosen == "name":
        assert {people.label_faces()[0][row].casefold() for row in rows} == {name.casefold()}
    if chosen == "deny":
        assert all(people.label_faces()[0][row].casefold() != name.casefold() for row in rows)
