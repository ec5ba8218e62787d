"""Names on photos where no face is found: `03 --present` and `--absent`, from the edit to the search."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, run_here
from drawn import Drawn
from people_rows import build, copy_world, read_people, read_photo_rows

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor, cluster_people, detect_faces, make_photo_finder, mark_present
from imagesearch.faces.edit_log import Edit, EditLog, needs_clustering
from imagesearch.features import extract_features
from imagesearch.store import Vocabulary


@pytest.fixture(scope="module")
def named(twelve_photos: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return twelve photos in collections; Maya is on five of them and Kofi on four, by their faces."""
    drawn = copy_world(twelve_photos, tmp_path_factory.mktemp("marks"))
    editor = PeopleEditor(drawn.config(), drawn.dataset())
    editor.name_person("1", "Maya")
    editor.name_person("2", "Kofi")
    editor.refresh()
    build(drawn)
    return drawn


@pytest.fixture
def drawn(named: Drawn, tmp_path: Path) -> Drawn:
    shutil.copytree(named.folder, tmp_path / "world")
    return Drawn(tmp_path / "world")


def run(drawn: Drawn, script: str, *args: object, code: int = 0):
    command = [str(ROOT / "scripts" / script), "-c", str(drawn.config_file), "--no-show", *map(str, args)]
    done = run_here(command, drawn.folder)
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done


def edit(drawn: Drawn, *args: object) -> str:
    """Return the lines that 03 prints on stderr."""
    return run(drawn, "03_name_people.py", *args).stderr


def refuse(drawn: Drawn, *args: object) -> str:
    """Return the one line of an edit that is refused."""
    done = run(drawn, "03_name_people.py", *args, code=2)
    return done.stderr.strip().removeprefix("03_name_people.py: ")


def search(drawn: Drawn, *args: str) -> set[str]:
    """Return the photos that a search finds, all strictly."""
    answer = json.loads(run(drawn, "06_search.py", *args, "--json", "-k", "12").stdout)
    return set() if answer["relaxed"] else {result["path"] for result in answer["results"]}


def read_clusters(drawn: Drawn) -> bytes:
    return (drawn.dataset().folder / "clusters.parquet").read_bytes()


MAYA = {"maya0.jpg", "maya1.jpg", "maya2.jpg", "maya3.jpg", "both.jpg"}


def test_a_name_on_a_photo_without_a_face_is_searched_like_any_other(drawn: Drawn) -> None:
    before, labels = read_clusters(drawn), read_people(drawn).label_faces()[0]
    lines = edit(
        drawn, "--present", "lake.jpg=maya", "--present", "discs.png=Ada", "--present", "kofi4.jpg=Ada"
    )
    assert "Maya is on lake.jpg now, without a face" in lines
    assert "album_clip: 12 photos: 0 new, 3 changed, 9 unchanged" in lines
    assert "album_faces: 11 faces: 0 new, 0 changed" in lines
    assert read_clusters(drawn) == before and read_people(drawn).label_faces()[0] == labels
    for kind in ("clip", "vit"):
        rows = read_photo_rows(drawn, kind)
        assert rows["lake.jpg"] == (["Maya"], 1) and rows["kofi4.jpg"] == (["Ada", "Kofi"], 2)
    assert search(drawn, "--person", "Maya") == search(drawn, "maya") == {*MAYA, "lake.jpg"}
    assert search(drawn, "only maya") == {*MAYA, "lake.jpg"} - {"both.jpg"}
    assert search(drawn, "ada") == {"discs.png", "kofi4.jpg"}
    assert search(drawn, "ada and kofi") == {"kofi4.jpg"}
    assert search(drawn, "kofi alone") == {"kofi5.jpg", "kofi6.jpg"}
    assert search(drawn, "two people") == {"both.jpg", "kofi4.jpg"}
    assert search(drawn, "--without", "Maya", "--without", "Kofi") == {"noor7.jpg", "noor8.jpg", "discs.png"}
    assert search(drawn, "--unnamed") == {"noor7.jpg", "noor8.jpg"}
    answer = json.loads(run(drawn, "06_search.py", "--person", "Ada", "--json").stdout)
    assert {r["path"]: (r["people"], r["marked"]) for r in answer["results"]} == {
        "discs.png": (["Ada"], ["Ada"]),
        "kofi4.jpg": (["Ada", "Kofi"], ["Ada"]),
    }
    assert "Ada: marked, without a face" in run(drawn, "06_search.py", "ada", "-v").stdout
    notes = json.loads(run(drawn, "06_search.py", "--person", "Adda", "--json").stdout)["notes"]
    assert any("did you mean Ada?" in note for note in notes)


def test_the_table_and_the_history_show_marked_names(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Maya", "--present", "lake.jpg=Ada", "--no-build")
    table = [line.split() for line in run(drawn, "03_name_people.py", "--no-build").stdout.splitlines()]
    assert ["number", "faces", "photos", "marked", "name"] in table
    assert ["1", "5", "6", "1", "Maya"] in table and ["-", "0", "1", "1", "Ada"] in table
    listed = json.loads(run(drawn, "03_name_people.py", "--json", "--no-build").stdout)
    assert listed["marked"] == [
        {"name": "Ada", "photos": ["lake.jpg"]},
        {"name": "Maya", "photos": ["lake.jpg"]},
    ]
    history = run(drawn, "03_name_people.py", "--history").stdout
    assert "3  " in history and "Maya is on lake.jpg, without a face" in history


def test_a_mark_is_undone_restored_and_taken_off(drawn: Drawn) -> None:
    before = read_clusters(drawn)
    edit(drawn, "--present", "lake.jpg=Maya")
    assert "undid 3: Maya is on lake.jpg, without a face" in edit(drawn, "--undo")
    assert read_photo_rows(drawn)["lake.jpg"] == ([], 0)
    edit(drawn, "--undo", "4")
    assert read_photo_rows(drawn)["lake.jpg"] == (["Maya"], 1)
    assert "Maya is not on lake.jpg any more" in edit(drawn, "--absent", "lake=maya")
    assert read_photo_rows(drawn)["lake.jpg"] == ([], 0)
    assert read_clusters(drawn) == before


def test_nothing_is_stored_if_the_person_is_there_already(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Maya")
    log = (drawn.dataset().folder / "people.jsonl").read_bytes()
    lines = edit(drawn, "--present", "lake.jpg=Maya", "--present", "both.jpg=Maya").splitlines()
    assert "Maya is on lake.jpg already" in lines and "Maya is on both.jpg already, by a face" in lines
    assert (drawn.dataset().folder / "people.jsonl").read_bytes() == log
    assert "is there by a face; use --not 1." in refuse(drawn, "--absent", "both.jpg=Maya")


def test_a_moved_and_a_changed_photo_keep_the_name_and_a_deleted_one_has_none(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Ada", "--present", "discs.png=Ada", "--present", "noor7.jpg=Ada")
    (drawn.photos / "trip").mkdir()
    (drawn.photos / "lake.jpg").rename(drawn.photos / "trip" / "water.jpg")
    (drawn.photos / "noor7.jpg").unlink()
    with (drawn.photos / "discs.png").open("ab") as stream:
        stream.write(b"more")
    for step in (extract_features, detect_faces, cluster_people):
        step(drawn.config(), drawn.dataset())
    build(drawn)
    rows = read_photo_rows(drawn)
    assert {path for path, (labels, _) in rows.items() if "Ada" in labels} == {"discs.png", "trip/water.jpg"}
    assert "Ada is not on trip/water.jpg any more" in edit(drawn, "--absent", "water=Ada")
    assert read_photo_rows(drawn)["trip/water.jpg"] == ([], 0)


def test_a_name_without_faces_is_renamed_removed_and_given_to_a_person(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Ada", "--present", "discs.png=Ada", "--no-build")
    assert "Ada is Ana now: 2 photos" in edit(drawn, "--name", "Ada=Ana")
    assert search(drawn, "ana") == {"lake.jpg", "discs.png"}
    lines = edit(drawn, "--name", "3=ana")
    assert "3 is Ana now: 4 photos" in lines and "run 02" not in lines
    assert search(drawn, "ana") == {"lake.jpg", "discs.png", "noor7.jpg", "noor8.jpg"}
    edit(drawn, "--undo")
    assert "3 is Ana now: 4 photos" in edit(drawn, "--merge", "3", "Ana")
    assert 'use --name "Maya=Ana"' in refuse(drawn, "--merge", "Maya", "Ana")
    lines = edit(drawn, "--forget", "Ana")
    assert "the name Ana is also removed from 2 photos marked with it" in lines
    assert read_photo_rows(drawn)["lake.jpg"] == ([], 0)
    edit(drawn, "--undo")
    edit(drawn, "--name", "Ana=Maya")  # two people become one, with the marks of both
    assert search(drawn, "maya") == {*MAYA, "lake.jpg", "discs.png", "noor7.jpg", "noor8.jpg"}


def test_a_name_that_only_photos_have_can_be_removed(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Ada")
    assert "the name Ada is removed from the photos marked with it" in edit(drawn, "--forget", "ada")
    assert read_people(drawn).marked == () and read_photo_rows(drawn)["lake.jpg"] == ([], 0)
    edit(drawn, "--undo")
    assert search(drawn, "ada") == {"lake.jpg"}
    for option in ("--show=Ada", "--ignore=Ada", "--split=Ada", "--not=3=Ada"):
        assert "Ada: has no face, only photos marked with --present" in refuse(drawn, option)


def test_an_ignored_person_is_on_no_photo(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Maya")
    edit(drawn, "--ignore", "Maya")
    assert read_photo_rows(drawn)["lake.jpg"] == ([], 0)
    assert refuse(drawn, "--present", "discs.png=Maya") == "Maya: is ignored; use --bring-back 1 first"
    edit(drawn, "--present", "discs.png=Ada")
    assert refuse(drawn, "--name", "Ada=Maya") == "Maya: is ignored; use --bring-back 1 first"
    assert read_photo_rows(drawn)["discs.png"] == (["Ada"], 1)
    edit(drawn, "--bring-back", "Maya")
    assert read_photo_rows(drawn)["lake.jpg"] == (["Maya"], 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lake.jpg=", "--present lake.jpg=: expected PHOTO=NAME, such as IMG_0042.jpg=Maya, or a CSV file"),
        ("lake.jpg", "--present lake.jpg: expected PHOTO=NAME"),
        ("=Maya", "--present =Maya: expected PHOTO=NAME"),
        ("nowhere.jpg=Maya", "--present nowhere.jpg: no such file, and not a photo of album"),
        ("config.yaml=Maya", "--present config.yaml: not a photo of album"),
        ("new.jpg=Maya", "--present new.jpg: not processed yet; run 02_cluster_faces.py"),
        ("gone.jpg=Maya", "--present gone.jpg: no such file; gone.jpg is gone from the disk"),
        ("same.jpg=Maya", "--present same.jpg: 2 photos have this name; type one of: a/same.jpg, b/same.jpg"),
        ("lake.jpg=a|b", "'a|b': a name cannot contain"),
        ("lake.jpg=3", "person 3 has no name; name it first: --name 3=NAME"),
        ("lake.jpg=99", "99: nobody has this number or name"),
        ("nowhere.csv", "nowhere.csv: cannot be read"),
    ],
)
def test_a_mark_that_cannot_be_used_is_one_line(confusing: Drawn, text: str, message: str) -> None:
    log = (confusing.dataset().folder / "people.jsonl").read_bytes()
    assert refuse(confusing, "--present", text).startswith(message)
    assert (confusing.dataset().folder / "people.jsonl").read_bytes() == log


@pytest.fixture(scope="module")
def confusing(named: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return photos of which two have one name, one is gone, and one is new."""
    folder = tmp_path_factory.mktemp("confusing") / "world"
    shutil.copytree(named.folder, folder)
    drawn = Drawn(folder)
    for path in ("a/same.jpg", "b/same.jpg", "gone.jpg"):
        (drawn.photos / path).parent.mkdir(exist_ok=True)
        shutil.copy(drawn.photos / "lake.jpg", drawn.photos / path)
    for step in (extract_features, detect_faces):
        step(drawn.config(), drawn.dataset())
    (drawn.photos / "gone.jpg").unlink()
    shutil.copy(drawn.photos / "lake.jpg", drawn.photos / "new.jpg")
    return drawn


def test_names_of_a_file(drawn: Drawn) -> None:
    csv = drawn.folder / "present.csv"
    csv.write_text(
        "Photo;Name\nlake.jpg;Maya\ndiscs.png;Ada\nnowhere.jpg;Ada\n;Ada\nlake.jpg;\nnoor7;ada\n"
        "noor8;Ada;x\nboth.jpg;Maya\nlake\n"
        "noor8;q\nnoor8;Unknown\n",
        "utf-8",
    )
    lines = edit(drawn, "--present", csv).splitlines()
    assert f"{csv}: 4 lines used" in lines and "Ada is on 2 photos now, without a face" in lines
    assert [line.split(":")[1].strip() for line in lines if line.startswith("not used")] == [
        "line 4",
        "line 5",
        "line 6",
        "line 8",
        "line 10",
        "line 11",
        "line 12",
    ]
    assert "not used: line 11: q: looks like a command, not stored as a name" in lines
    assert "not used: line 12: Unknown: not stored as a name; use --ignore or --not-a-face" in lines
    assert search(drawn, "ada") == {"discs.png", "noor7.jpg"}
    edit(drawn, "--undo")  # one decision for each name
    assert read_photo_rows(drawn)["discs.png"] == ([], 0)
    csv.write_text("photo,name\nnowhere.jpg,Ada\n", "utf-8")
    assert "no line can be used" in refuse(drawn, "--present", csv)
    csv.write_text("file,name\nlake.jpg,Ada\n", "utf-8")
    assert "expected the columns photo and name in the first line" in refuse(drawn, "--present", csv)


def test_a_person_is_marked_by_number_and_each_photo_once_whatever_the_spelling(drawn: Drawn) -> None:
    csv = drawn.folder / "present.csv"
    csv.write_text("path,name\nlake.jpg,person 1\n lake.jpg,MAYA\ndiscs.png,2\n", "utf-8")
    lines = edit(drawn, "--present", csv, "--no-build").splitlines()
    assert f"{csv}: 3 lines used" in lines and "Maya is on lake.jpg now, without a face" in lines
    assert list_marks(drawn) == {"Kofi": ["discs.png"], "Maya": ["lake.jpg"]}
    edit(drawn, "--ignore", "Maya", "--no-build")
    assert refuse(drawn, "--present", "discs.png=maya") == "Maya: is ignored; use --bring-back 1 first"


def list_marks(drawn: Drawn) -> dict[str, list[str]]:
    people = read_people(drawn)
    return {marked.name: marked.to_dict(people.faces)["photos"] for marked in people.marked}


def test_a_name_taken_off_one_photo_stays_on_the_others(drawn: Drawn) -> None:
    edit(drawn, "--present", "noor8.jpg=Ada", "--present", "discs.png=Ada", "--no-build")
    edit(drawn, "--present", "kofi4.jpg=ada", "--absent", "noor8.jpg=Ada", "--no-build")
    assert list_marks(drawn) == {"Ada": ["discs.png", "kofi4.jpg"]}
    edit(drawn, "--name", "Ada=ADA", "--no-build")
    assert list_marks(drawn) == {"ADA": ["discs.png", "kofi4.jpg"]}
    assert "ADA has this name already" in edit(drawn, "--name", "ADA=ADA", "--no-build")
    assert EditLog(drawn.dataset().folder / "people.jsonl").count() == 7  # nothing was stored for it
    assert "requires at least two different people" in refuse(drawn, "--merge", "ADA", "ada")
    assert "ADA and Maya have different names" in refuse(drawn, "--merge", "ADA", "1")


def test_a_mark_where_a_face_has_the_name_is_not_counted_as_removed(drawn: Drawn) -> None:
    edit(drawn, "--present", "noor7.jpg=Ana", "--no-build")
    edit(drawn, "--name", "3=Ana", "--no-build")
    assert "also removed" not in edit(drawn, "--forget", "Ana", "--no-build")


def test_the_face_that_an_absent_name_is_on_can_be_typed_as_printed(drawn: Drawn) -> None:
    option, face = refuse(drawn, "--absent", "both.jpg=maya").split("use ")[1].split()
    edit(drawn, option, face)
    assert search(drawn, "maya") == MAYA - {"both.jpg"}


def test_photos_with_equal_content_keep_their_own_marks(drawn: Drawn) -> None:
    for path in ("a.jpg", "b.jpg"):
        shutil.copy(drawn.photos / "lake.jpg", drawn.photos / path)
    detect_faces(drawn.config(), drawn.dataset())
    cluster_people(drawn.config(), drawn.dataset())
    edit(drawn, "--present", "a.jpg=Ada", "--present", "b.jpg=Ada", "--no-build")
    assert list_marks(drawn) == {"Ada": ["a.jpg", "b.jpg"]}
    (drawn.photos / "b.jpg").unlink()  # its mark is of the same content, so it is found in another photo
    (drawn.photos / "lake.jpg").unlink()
    detect_faces(drawn.config(), drawn.dataset())
    cluster_people(drawn.config(), drawn.dataset())
    assert list_marks(drawn) == {"Ada": ["a.jpg"]}
    edit(drawn, "--absent", "a.jpg=Ada", "--no-build")
    assert list_marks(drawn) == {}


def test_an_album_where_no_face_was_found_can_have_names(drawn: Drawn) -> None:
    for file in drawn.photos.iterdir():
        if file.name not in ("lake.jpg", "discs.png"):
            file.unlink()
    for step in (extract_features, detect_faces, cluster_people):
        step(drawn.config(), drawn.dataset())
    edit(drawn, "--present", "lake.jpg=Maya")
    assert search(drawn, "maya") == {"lake.jpg"}


def test_marks_need_no_clustering_and_lines_of_earlier_versions_stay_the_same(tmp_path: Path) -> None:
    name = Edit("name", ((),), name="Maya")
    mark = Edit("present", name="Ada", photos=(("a.jpg", "12"),))
    rename = Edit("rename", name="Ada", new_name="Maya")
    log = EditLog(tmp_path / "people.jsonl")
    log.append(name, mark)
    assert log.read() == [name, mark] and "photos" not in name.to_json()
    assert not needs_clustering([name, mark, rename], 1)


def test_an_earlier_vocabulary_has_no_marked_names(drawn: Drawn) -> None:
    edit(drawn, "--present", "lake.jpg=Maya")
    folder = drawn.dataset().folder
    assert Vocabulary.read(folder).marked == {"lake.jpg": ("Maya",)}
    values = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    del values["marked"]
    (folder / "vocabulary.json").write_text(json.dumps(values), "utf-8")
    assert Vocabulary.read(folder).marked == {}


def test_marks_are_made_from_a_program(drawn: Drawn) -> None:
    editor = PeopleEditor(drawn.config(), drawn.dataset())
    find_photo = make_photo_finder(editor.people, drawn.dataset())
    assert mark_present(editor, "Ada", [find_photo("lake"), find_photo("both.jpg")]) == 2
    assert "Ada" in editor.names and editor.refresh().cast == ("Maya", "Kofi", "Ada")
    with pytest.raises(UserError, match="no such file"):
        find_photo("nowhere.jpg")
