"""What 03 prints of edits: those that change nothing, numbers that stay, people who are kept apart."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT
from crowd import Crowd, get_path, make_crowd

from imagesearch.errors import UserError

Run = Callable[..., tuple[str, str]]


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


@pytest.fixture
def run(crowd: Crowd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Run:
    """Return a function that runs 03 in this process, and returns what it prints on stdout and stderr."""
    spec = importlib.util.spec_from_file_location("script", ROOT / "scripts" / "03_name_people.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(crowd.drawn.folder)

    def run_03(*args: str) -> tuple[str, str]:
        argv = ["03_name_people.py", "-c", str(crowd.drawn.config_file), "--no-show", "--no-build", *args]
        monkeypatch.setattr("sys.argv", argv)
        module.main()
        return capsys.readouterr()

    return run_03


def list_people(run: Run) -> dict[str, tuple[int, int]]:
    """Return number and number of faces of each person."""
    people = json.loads(run("--json")[0])["people"]
    return {person["label"]: (person["number"], person["faces"]) for person in people}


# --- edits that change nothing -----------------------------------------------------------------------------


def test_an_edit_that_changes_nothing_has_its_line(run: Run, crowd: Crowd) -> None:
    run("--name", "1=Kim", "--name", "3.2=Noor", "--ignore", "2")
    decisions = len(crowd.make_editor().list_decisions())
    for args, line in (
        (["--name", "1=Kim"], "1 is Kim already"),
        (["--name", "Kim=Kim"], "1 is Kim already"),
        (["--name", "3.2=Noor"], "3.2 is Noor already"),
        (["--ignore", "2"], "person 2 is ignored already"),
    ):
        assert run(*args)[1] == f"{line}\n"
        out, err = run(*args, "--json")
        assert err == f"{line}\n" and json.loads(out)["people"]
    assert len(crowd.make_editor().list_decisions()) == decisions
    run("--not-a-face", "1.2")
    assert run("--not-a-face", "0.1")[1] == "0.1: not a face already\n"


def test_the_name_that_a_person_has_is_no_typing_error(run: Run) -> None:
    run("--name", "1=Kim", "--name", "2=Kip")
    assert run("--name", "1=Kim")[1] == "1 is Kim already\n"


def test_the_line_comes_with_those_of_other_edits_and_before_an_error(
    run: Run, capsys: pytest.CaptureFixture
) -> None:
    run("--name", "1=Kim")
    assert run("--name", "1=Kim", "--name", "2=Ada")[1] == "1 is Kim already\n2 is Ada now: 4 photos\n"
    with pytest.raises(UserError, match="99: nobody"):
        run("--name", "1=Kim", "--name", "99=Noor")
    assert capsys.readouterr().err == "1 is Kim already\n"


def test_many_edits_that_change_nothing_are_counted(run: Run, crowd: Crowd) -> None:
    for who in range(3, 15):
        crowd.add(who, *(f"{'abcdefghijklmno'[who]}{i}.jpg" for i in range(2)), of=15)
    crowd.cluster()
    names = [
        name for person in crowd.people.persons for name in ("--name", f"{person.number}=N{person.number}x")
    ]
    run(*names)
    lines = run(*names)[1].splitlines()
    assert len(lines) == 11 and lines[-1] == "and 5 more such edits"


def test_a_confirmed_face_of_a_renamed_person_can_be_named_again(run: Run) -> None:
    run("--name", "1.1=Kim")
    name = next(label for label in list_people(run) if label == "Kim")
    printed = run("--name", f"{name}=Ada", "--name", "1.1=Kim")[1]
    assert "already" not in printed and "Kim now" in printed


# --- numbers -----------------------------------------------------------------------------------------------


def test_the_named_part_of_a_split_keeps_the_number_though_it_is_smaller(run: Run, crowd: Crowd) -> None:
    run("--split", "1")
    parts = [person for person in crowd.people.persons if get_path(crowd.people, person.rows[0])[0] == "a"]
    assert [len(part.rows) for part in parts] == [4, 1] and parts[0].number == 1, "the larger one"
    run("--undo")
    place = crowd.people.find_person("1").rows.tolist().index(parts[1].rows[0]) + 1
    run("--name", f"1.{place}=Kofi")
    assert list_people(run)["Kofi"] == (1, 5)
    run("--split", "Kofi")
    after = list_people(run)
    assert after["Kofi"] == (1, 1) and sorted(faces for _, faces in after.values()) == [1, 3, 4, 4]
    run("--undo")
    assert list_people(run)["Kofi"] == (1, 5)


def test_a_named_person_with_two_faces_keeps_the_number_when_split(run: Run, crowd: Crowd) -> None:
    crowd.add(4, "e0.jpg", "e1.jpg")
    crowd.cluster()
    printed = run("--name", "4.2=Kofy")[1]
    assert "4.2 is Kofy now (number 4): 2 photos" in printed
    assert "now: Kofy (number 4, 1 face in 1 photo), person 5" in run("--split", "Kofy")[1]


def test_a_name_that_moves_to_most_of_the_faces_keeps_its_number(run: Run) -> None:
    run("--name", "3=Maya")
    printed = run("--name", "1=Maya")[1]
    assert "1 is Maya now (number 3): 8 photos" in printed
    assert list_people(run) == {"Maya": (3, 8), "person 2": (2, 4)}
    run("--undo")
    assert list_people(run) == {"person 1": (1, 5), "Maya": (3, 3), "person 2": (2, 4)}


def test_a_number_does_not_follow_a_name_to_other_faces(run: Run) -> None:
    run("--name", "1=Maya", "--name", "2=Kofi")
    run("--name", "3.1=Noor", "--name", "1=Temporary", "--name", "2=Maya", "--name", "Temporary=Kofi")
    people = list_people(run)
    assert people["Kofi"] == (1, 5) and people["Maya"] == (2, 4)


# --- people who look alike ---------------------------------------------------------------------------------


def test_a_pair_that_an_edit_keeps_apart_is_named_once(run: Run, crowd: Crowd) -> None:
    line = "look alike (mean distance"
    printed = run("--name", "1=Kofi", "--split", "1")[1]
    assert printed.count(line) == 1 and "kept apart by your edits" in printed
    assert line not in run()[1] and line not in run("--name", "2=Ada")[1]
    assert line in run("-v")[1]
    out, err = run("--json")
    (pair,) = json.loads(out)["alike"]
    assert err == "" and pair["reason"] == "kept apart by your edits" and len(pair["labels"]) == 2
