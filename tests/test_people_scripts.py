"""Faces and names, tested by running the scripts."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Done, run_here
from drawn import Drawn, picture_of
from people_rows import build, copy_world, read_people, read_photo_rows

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor
from imagesearch.store import collections


@pytest.fixture
def drawn(twelve_photos: Drawn, tmp_path: Path) -> Drawn:
    return copy_world(twelve_photos, tmp_path)


def run(drawn: Drawn, script: str, *args: str | Path, stdin: str = "", process: bool = False) -> Done:
    """Run a script in this process, or, with `process`, in one of its own, whose warnings are printed."""
    command = [str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *map(str, args)]
    if process:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=drawn.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
    else:
        done = run_here(command, drawn.folder, stdin)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr, done.stderr
    return done


def count_faces(done: Done) -> dict[str, int]:
    """Return the number of faces by label in the output of --json."""
    return {person["label"]: person["faces"] for person in json.loads(done.stdout)["people"]}


def test_a_search_for_somebody_without_a_name_says_how_to_name_people(drawn: Drawn) -> None:
    def list_notes(*args: str) -> list[str]:
        return json.loads(run(drawn, "06_search.py", *args, "--json").stdout)["notes"]

    run(drawn, "02_cluster_faces.py")
    run(drawn, "05_build_collections.py")
    advice = "name people with 03_name_people.py --interactive"
    note = f'nobody is named yet, so "maya" and "kim" are read as text; {advice}'
    assert list_notes("maya and kim at the beach").count(note) == 1
    assert f'nobody is named yet, so "Maya" is read as text; {advice}' in list_notes("Maya in Goa")
    assert f"nobody is named yet; {advice}" in list_notes("--person", "maya")
    assert not any("named" in note for note in list_notes("the beach at christmas"))

    run(drawn, "03_name_people.py", "--name", "1=Maya")
    assert 'nobody is called "Zelda"; name people with 03_name_people.py' in list_notes("Zelda at the beach")


def test_people_are_found_named_searched_split_and_merged(drawn: Drawn) -> None:
    shutil.rmtree(drawn.dataset().folder / "faces")
    (drawn.dataset().folder / "clusters.parquet").unlink()
    done = run(drawn, "02_cluster_faces.py", "--json", process=True)
    assert json.loads(done.stdout)["new"] == 12
    assert count_faces(done) == {"person 1": 5, "person 2": 4, "person 3": 2}
    assert "album_faces: 11 faces: 11 new" in run(drawn, "05_build_collections.py", process=True).stdout

    sheet = drawn.folder / "sheet.png"
    done = run(drawn, "03_name_people.py", "--name", "1=Maya", "--json", "--save", sheet, process=True)
    assert count_faces(done) == {"Maya": 5, "person 2": 4, "person 3": 2} and sheet.stat().st_size > 5000
    assert "album_faces: 11 faces: 0 new, 5 changed" in done.stderr
    assert read_photo_rows(drawn)["maya0.jpg"] == (["Maya"], 1)

    typed = "a|b\n\nNoor\n"  # an invalid name, which is asked again; no name; a name for the second person
    done = run(drawn, "03_name_people.py", "--interactive", "--no-show", "--json", "--no-build", stdin=typed)
    assert done.stderr.count("who is this?") == 3 and "a name cannot contain" in done.stderr
    assert count_faces(done) == {"Maya": 5, "person 2": 4, "Noor": 2}

    csv = drawn.folder / "names.csv"
    csv.write_text("path,name\nkofi4.jpg,Kofi\nnowhere.jpg,Xu\n", "utf-8")
    done = run(drawn, "03_name_people.py", "--from-csv", csv, "--no-build", "--json")
    assert "not used: line 3: nowhere.jpg: no such file, and not a photo of album" in done.stderr
    assert "album_faces" not in done.stderr
    assert count_faces(done) == {"Maya": 5, "Kofi": 4, "Noor": 2}

    options = ("--with-itself", "--json", "-k", "5")
    found = run(drawn, "06_search.py", "--face", drawn.photos / "maya1.jpg", *options, process=True)
    answer = json.loads(found.stdout)
    assert "this looks like Maya (1.00)" in " ".join(answer["notes"])
    assert any("names have changed since" in note for note in answer["notes"])
    assert {result["path"] for result in answer["results"]} == {
        *(f"maya{i}.jpg" for i in range(4)),
        "both.jpg",
    }
    assert all("Maya" in result["people"] for result in answer["results"])

    done = run(drawn, "03_name_people.py", "--split", "Maya", "--forget", "Kofi")
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert ["2", "4", "4", "-"] in lines and any(line[-1] == "Maya" and line[1] < "5" for line in lines)
    apart = read_people(drawn).label_faces()[0]
    run(drawn, "02_cluster_faces.py")
    assert read_people(drawn).label_faces()[0] == apart
    parts = [str(p.number) for p in read_people(drawn).persons if p.label not in ("person 2", "Noor")]
    done = run(drawn, "03_name_people.py", "--merge", *parts, "--json", "--no-build")
    assert count_faces(done) == {"Maya": 5, "person 2": 4, "Noor": 2}


Main = Callable[..., None]


@pytest.fixture
def main_of(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Return a function that runs the main function of a script in this process."""

    def main(drawn: Drawn, script: str, *args: str) -> None:
        spec = importlib.util.spec_from_file_location("script", ROOT / "scripts" / script)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, "argv", [script, "-c", str(drawn.config_file), *args])
        monkeypatch.chdir(drawn.folder)
        module.main()

    return main


@pytest.fixture(scope="module")
def untouched(twelve_photos: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return collections that are built once, for tests that change nothing."""
    drawn = copy_world(twelve_photos, tmp_path_factory.mktemp("untouched"))
    build(drawn)
    return drawn


@pytest.mark.parametrize(
    ("script", "args", "message"),
    [
        ("02_cluster_faces.py", ["-i", "nowhere"], "no such folder of photos"),
        ("02_cluster_faces.py", ["--set", "models.faces=nowhere/pack"], "models.faces"),
        (
            "02_cluster_faces.py",
            ["--show", "nowhere.jpg"],
            "nowhere.jpg: no such file, and not a photo of album",
        ),
        ("02_cluster_faces.py", ["--show", "../config.yaml"], "not a photo of album"),
        ("03_name_people.py", ["--name", "99=Maya"], "99: nobody has this number or name"),
        ("03_name_people.py", ["--name", "Maya"], "--name Maya: expected FACES=NAME"),
        ("03_name_people.py", ["--name", "1="], "expected a name"),
        ("03_name_people.py", ["--name", "=Maya"], "nobody has this number or name"),
        ("03_name_people.py", ["--name", "1=a|b"], "a name cannot contain"),
        ("03_name_people.py", ["--name", "1=person 7"], "reserved"),
        ("03_name_people.py", ["--name", "1.99=Maya"], "1.99: person 1 has 5 faces"),
        ("03_name_people.py", ["--name", f"1.{'9' * 5000}=Maya"], "nobody has this number or name"),
        ("03_name_people.py", ["--name", os.fsdecode(b"1=caf\xe9")], "not valid UTF-8"),
        ("03_name_people.py", ["--merge", "1"], "requires at least two different people"),
        ("03_name_people.py", ["--merge", "1", "99"], "99: nobody"),
        ("03_name_people.py", ["--split", "99"], "99: nobody"),
        ("03_name_people.py", ["--split", "1.1"], "1.1: nobody"),
        ("03_name_people.py", ["--forget", "Nobody"], "Nobody: nobody"),
        ("03_name_people.py", ["--not", "1"], "--not 1: expected FACES=NAME"),
        ("03_name_people.py", ["--not", "1=Maya"], "Maya: nobody"),
        ("03_name_people.py", ["--from-csv", "nowhere.csv"], "nowhere.csv: cannot be read"),
        ("03_name_people.py", ["--from-csv", "config.yaml"], "columns name and person"),
        ("03_name_people.py", ["--no-show", "--show", "99"], "99: nobody"),
        ("03_name_people.py", ["-n", "other"], "no faces are clustered yet; run 02"),
        ("06_search.py", ["--face", "nowhere.jpg"], "face nowhere.jpg: no such file"),
        ("06_search.py", ["--face", "config.yaml"], "config.yaml: "),
        ("06_search.py", ["--face", "photos/lake.jpg"], "no face was detected"),
        (
            "06_search.py",
            ["--face", "photos/maya0.jpg", "-n", "other"],
            "no clip collection of dataset 'other'",
        ),
    ],
)
def test_an_error_that_the_user_can_fix_is_one_line(
    untouched: Drawn, main_of: Main, script: str, args: list[str], message: str
) -> None:
    with pytest.raises(UserError) as error:
        main_of(untouched, script, *args)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (untouched.dataset().folder / "people.jsonl").exists()


def test_the_largest_face_of_a_photo_is_searched_for(untouched: Drawn, main_of: Main, capsys) -> None:
    main_of(untouched, "06_search.py", "--face", "photos/both.jpg", "--json", "-k", "3", "--with-itself")
    answer = json.loads(capsys.readouterr().out)
    assert any("both.jpg has 2 faces; the largest is used" in note for note in answer["notes"])
    assert answer["results"][0]["path"] == "both.jpg" and answer["results"][0]["score"] > 0.99
    one = ("--face", "photos/maya0.jpg", "--json", "--min-score", "0.999")
    main_of(untouched, "06_search.py", *one, "--with-itself")
    assert [r["path"] for r in json.loads(capsys.readouterr().out)["results"]] == ["maya0.jpg"]
    main_of(untouched, "06_search.py", *one)
    assert json.loads(capsys.readouterr().out)["results"] == []


def test_show_accepts_any_path_of_a_photo(untouched: Drawn, main_of: Main) -> None:
    for name in ("both.jpg", str(untouched.photos / "both.jpg"), "photos/both.jpg", "lake.jpg"):
        main_of(untouched, "02_cluster_faces.py", "--show", name, "--save", "drawn")
        assert (untouched.folder / "drawn.png").stat().st_size > 5000
        (untouched.folder / "drawn.png").unlink()


def test_edits_before_an_invalid_one_are_applied(drawn: Drawn, main_of: Main) -> None:
    build(drawn)
    with pytest.raises(UserError, match="99: nobody"):
        main_of(drawn, "03_name_people.py", "--name", "1=Maya", "--name", "99=Noor", "--no-show")
    assert read_people(drawn).find_person("1").name == "Maya"
    main_of(drawn, "03_name_people.py", "--no-show", "--name", "2=Kofi")
    assert read_photo_rows(drawn)["maya0.jpg"] == (["Maya"], 1)


def refuse_connection(*_: object, **__: object) -> None:
    raise UserError("milvus.db: another process has it open")


def test_the_next_run_applies_pending_edits_to_the_collections(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture
) -> None:
    build(drawn)
    PeopleEditor(drawn.config(), drawn.dataset()).merge(["1", "3"])  # as if the run was killed here
    main_of(drawn, "05_build_collections.py")
    assert "some edits are not applied to the clusters yet" in capsys.readouterr().err
    main_of(drawn, "03_name_people.py", "--no-show")
    assert "album_faces: 11 faces: 0 new, 2 changed" in capsys.readouterr().err
    main_of(drawn, "03_name_people.py", "--no-show", "--name", "1=Maya", "--no-build")
    assert read_photo_rows(drawn)["maya0.jpg"] == (["person 1"], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collections, "connect", refuse_connection)
        with pytest.raises(UserError, match="has it open; the names are stored; run 05"):
            main_of(drawn, "03_name_people.py", "--no-show")
    capsys.readouterr()
    main_of(drawn, "06_search.py", "--person", "person 1", "--json")
    note = "names have changed since the collections were built; run 05_build_collections.py"
    assert note in json.loads(capsys.readouterr().out)["notes"]
    main_of(drawn, "03_name_people.py", "--no-show")  # without an edit
    assert read_photo_rows(drawn)["maya0.jpg"] == (["Maya"], 1)
    capsys.readouterr()
    main_of(drawn, "06_search.py", "--person", "Maya", "--json")
    assert note not in json.loads(capsys.readouterr().out)["notes"]
    csv = drawn.folder / "names.csv"
    csv.write_text("person,name\n99,Noor\n", "utf-8")
    with pytest.raises(UserError, match=r"names\.csv: no line can be used"):
        main_of(drawn, "03_name_people.py", "--no-show", "--from-csv", str(csv))


def test_a_search_by_an_unknown_face_says_so(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture
) -> None:
    shutil.move(drawn.dataset().folder / "faces", drawn.folder / "faces")
    build(drawn)
    with pytest.raises(UserError, match="no faces collection of dataset 'album'; run 02_cluster_faces"):
        main_of(drawn, "06_search.py", "--face", "photos/maya0.jpg")
    shutil.move(drawn.folder / "faces", drawn.dataset().folder / "faces")
    build(drawn)
    picture_of("Zoë", seed=777)[0].save(drawn.folder / "stranger.jpg", quality=92)
    note = "nobody in this dataset has a similar face"
    for text, rest, count in (((), ["the nearest faces follow"], 5), (("a beach",), [], 0)):
        main_of(drawn, "06_search.py", *text, "--face", "stranger.jpg", "--json", "-k", "5")
        answer = json.loads(capsys.readouterr().out)
        assert [line for line in answer["notes"] if "faces" in line or "nobody" in line] == [note, *rest]
        assert len(answer["results"]) == count


def test_a_note_says_that_collections_lack_names_that_another_milvus_has(drawn: Drawn) -> None:
    """The vocabulary is of the last build, wherever that was."""
    build(drawn)
    run(drawn, "03_name_people.py", "--name", "1=Rosalind", "--no-show", "--no-build")
    run(drawn, "05_build_collections.py", "--to", drawn.folder / "other.db")

    def search(*args: str) -> dict:
        return json.loads(run(drawn, "06_search.py", "rosalind", "--json", "--no-show", *args).stdout)

    note = "names have changed since the collections were built; run 05_build_collections.py"
    here = search()
    assert note in here["notes"] and here["results"] == []
    there = search("--set", f"milvus.uri={drawn.folder / 'other.db'}")
    assert note not in there["notes"] and there["results"]
    run(drawn, "05_build_collections.py")
    after = search()
    assert note not in after["notes"] and after["results"] == there["results"]


def test_decisions_are_listed_undone_and_followed_by_searches(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture
) -> None:
    def run_03(*args: str) -> tuple[str, str]:
        main_of(drawn, "03_name_people.py", "--no-show", *args)
        return capsys.readouterr()

    build(drawn)
    assert run_03("--history") == ("no decisions yet\n", "")
    printed = run_03("--name", "1=Maya", "--name", "2=Maya")[1]
    assert "2 is Maya now (number 1): 8 photos\n" in printed
    assert read_photo_rows(drawn)["kofi4.jpg"] == (["Maya"], 1)
    out, err = run_03("--undo")
    assert "undid 2: 2 is Maya (4 faces); now person" in err and out.count("Maya") == 1
    assert read_photo_rows(drawn)["kofi4.jpg"] != (["Maya"], 1)
    assert read_photo_rows(drawn)["maya1.jpg"] == (["Maya"], 1)
    run_03("--undo", "1")
    assert read_photo_rows(drawn)["maya1.jpg"] == (["person 1"], 1)
    lines = run_03("--history")[0].splitlines()
    assert [line[24:] for line in lines] == [
        "1 is Maya (5 faces) (undone by 4)",
        "2 is Maya (4 faces) (undone by 3)",
        "undid 2: 2 is Maya (4 faces)",
        "undid 1: 1 is Maya (5 faces)",
    ]
    history = json.loads(run_03("--history", "--json")[0])["history"]
    assert [(line["number"], line["action"], line["undone_by"]) for line in history] == [
        (1, "name", 4),
        (2, "name", 3),
        (3, "undo", None),
        (4, "undo", None),
    ]
    run_03("--undo", "4", "3")  # restores both
    assert read_photo_rows(drawn)["kofi4.jpg"] == (["Maya"], 1)
    with pytest.raises(UserError, match="--undo last: expected the number of a decision"):
        run_03("--undo", "last")


def test_each_edit_prints_what_it_did_with_the_final_numbers(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture
) -> None:
    main_of(drawn, "03_name_people.py", "--no-show", "--no-build", "--name", "1=Maya")
    for args, expected in (
        (["--split", "1"], "Maya is 2 people now: Maya (number 1, "),
        (["--undo"], "undid 2: Maya split into 2 people"),
        (["--merge", "2", "3"], "2 and 3 are one person now: person 2 (6 faces in 6 photos)"),
        (["--not", "1.1=Maya"], "1.1 is not Maya; now person "),
        (["--forget", "Maya"], "Maya has no name now: person 1 ("),
    ):
        capsys.readouterr()
        main_of(drawn, "03_name_people.py", "--no-show", "--no-build", *args)
        printed = capsys.readouterr()
        assert expected in printed.err and printed.out.startswith("number  faces")
        if args[0] == "--split":  # each part is in the line with its number and its size
            parts = [person for person in read_people(drawn).persons if person.number not in (2, 3)]
            for person in parts:
                assert f"{person.number}" in printed.err and f"{len(person.rows)} faces in" in printed.err


def test_a_refused_edit_is_one_line_and_stored_edits_another(drawn: Drawn) -> None:
    build(drawn)
    script = [str(ROOT / "scripts/03_name_people.py"), "-c", str(drawn.config_file), "--no-show"]

    def refuse(*args: str) -> str:
        done = run_here([*script, *args], drawn.folder)
        assert done.returncode == 2 and done.stdout == ""
        return done.stderr

    PeopleEditor(drawn.config(), drawn.dataset()).merge(["1", "3"])  # not applied yet
    unknown = "03_name_people.py: 99: nobody has this number or name"
    assert refuse("--name", "99=Bob").splitlines()[0].startswith(unknown)
    assert refuse("--show", "99").count("\n") == 1
    command = (
        "03_name_people.py: quit: looks like a command, not stored as a name; to use it as a name, confirm"
    )
    assert refuse("--name", "1=quit") == f"{command} it on a terminal\n"
    first, second = refuse("--name", "1=Maya", "--name", "99=Bob").splitlines()
    assert first == "stored before the error: 1 is Maya now: 7 photos" and second.startswith(unknown)
    assert read_photo_rows(drawn)["maya1.jpg"] == (["Maya"], 1)  # the collections follow


def test_the_table_is_shown_when_the_collections_cannot_be_updated(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(drawn)
    monkeypatch.setattr(collections, "connect", refuse_connection)
    with pytest.raises(UserError, match="has it open; the names are stored; run 05"):
        main_of(drawn, "03_name_people.py", "--name", "1=Maya", "--save", "sheet.png", "--no-show")
    printed = capsys.readouterr()
    assert "1      5       5  Maya" in printed.out and "1 is Maya now: 5 photos" in printed.err
    assert (drawn.folder / "sheet.png").stat().st_size > 5000
