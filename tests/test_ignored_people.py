"""Faces that are left out: people who are ignored, and detections that are not faces."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Done, run_here
from crowd import Crowd, get_path, make_crowd
from drawn import Drawn
from people_rows import build, copy_world, read_face_rows, read_photo_rows
from synthetic import row_of

from imagesearch.errors import UserError
from imagesearch.faces import People, cluster_people, import_names
from imagesearch.faces.edit_log import Edit, EditLog
from imagesearch.store.vocabulary import Vocabulary


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


def list_labels(people: People) -> list[str]:
    return [person.label for person in people.persons]


def reject(crowd: Crowd, selector: str) -> People:
    return crowd.apply_edits(lambda e: e.reject_faces(e.select_faces(selector)))


def test_an_ignored_person_is_not_counted_and_can_be_brought_back(crowd: Crowd) -> None:
    people = crowd.apply_edits(lambda e: e.ignore("2"))
    assert list_labels(people) == ["person 1", "person 3"]
    assert [(person.number, len(person.rows)) for person in people.ignored] == [(2, 4)]
    assert str(people).startswith("8 faces: 2 people") and str(people).endswith("; 1 person is ignored")
    assert people.to_dict()["faces"] == 8 and people.to_dict()["ignored"][0]["number"] == 2
    assert crowd.get_label("b0.jpg") == "" and people.waiting == people.unclustered == 0
    with pytest.raises(UserError, match="2: is ignored; bring the person back first"):
        crowd.apply_edits(lambda e: e.merge(["2", "3"]))
    people = crowd.apply_edits(lambda e: e.bring_back("2"))
    assert list_labels(people) == ["person 1", "person 2", "person 3"] and not people.ignored


def test_later_photos_of_an_ignored_person_are_left_out(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.ignore("2"))
    crowd.add(1, "later.jpg", "much later.jpg")
    people = crowd.cluster()
    assert list_labels(people) == ["person 1", "person 3"] and len(people.ignored[0].rows) == 6


@pytest.mark.parametrize("distance", [0.02, 0.3, 1.9])
def test_decisions_hold_in_other_clusterings_and_for_moved_photos(crowd: Crowd, distance: float) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.ignore("2"))
    path = get_path(crowd.people, crowd.people.find_person("3").rows[0])
    reject(crowd, "3.1")
    moved = f"moved/{path}"
    crowd.items[moved] = [(moved, *item[1:]) for item in crowd.items.pop(path)]
    crowd.contents[moved] = path
    people = crowd.cluster(f"faces.cluster_distance={distance}")
    hidden = {get_path(people, row) for row, is_hidden in enumerate(people.hidden) if is_hidden}
    assert {moved, *(f"b{i}.jpg" for i in range(4))} <= hidden
    assert not any(name.startswith("a") for name in hidden)
    assert people.find_person("Maya").name == "Maya"


def test_what_is_not_a_face_is_in_no_cluster(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"))
    path = get_path(crowd.people, crowd.people.find_person("Maya").rows[0])
    people = reject(crowd, "1.1")
    assert [(p.label, len(p.rows)) for p in people.persons] == [("Maya", 4), ("person 2", 4), ("person 3", 3)]
    assert str(people).startswith("11 faces") and str(people).endswith("; 1 is not a face")
    assert people.waiting == people.unclustered == 0 and people.to_dict()["not_faces"] == 1
    with pytest.raises(UserError, match=r"0: these are not faces; name single ones, such as 0\.1"):
        crowd.apply_edits(lambda e: e.name_person("0", "Maya"))
    crowd.apply_edits(lambda e: e.bring_back("0.1"))
    assert crowd.get_label(path) == "Maya" and "not a face" not in str(crowd.people)


def test_a_whole_person_can_be_no_face(crowd: Crowd) -> None:
    people = reject(crowd, "3")
    assert list_labels(people) == ["person 1", "person 2"] and people.list_hidden()[-1].label == "not a face"
    people = crowd.apply_edits(lambda e: e.bring_back("0"))
    assert list_labels(people) == ["person 1", "person 2", "person 3"]


def test_one_face_of_an_ignored_person_can_be_brought_back(crowd: Crowd) -> None:
    people = crowd.apply_edits(lambda e: e.ignore("2"))
    path = get_path(people, people.ignored[0].rows[1])
    people = crowd.apply_edits(lambda e: e.bring_back("2.2"))
    assert [len(person.rows) for person in people.ignored] == [3]
    assert crowd.get_label(path) != "" and len(crowd.cluster().ignored[0].rows) == 3
    with pytest.raises(UserError, match="1: is not ignored"):
        crowd.apply_edits(lambda e: e.bring_back("1"))


def test_a_name_brings_an_ignored_person_back(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.ignore("2"))
    editor = crowd.make_editor()
    editor.name_person("2", "Noor")
    assert editor.notes == ["person 2 was ignored, and is back"]
    assert list_labels(editor.refresh()) == ["person 1", "Noor", "person 3"]
    # also a person who had a name, by this name, by a new one, and by another person's faces
    for number, name, count in (("Noor", "Noor", 4), ("Noor", "Nour", 4), ("3", "Nour", 7)):
        editor.ignore("2")
        assert "2" in {str(person.number) for person in editor.refresh().ignored}
        editor.notes.clear()
        editor.name_person(number, name)
        people = editor.refresh()
        assert len(editor.notes) == 1 and len(people.find_person(name).rows) == count
        assert not people.ignored and name in people.cast


def test_a_name_given_by_a_box_brings_a_face_back(crowd: Crowd) -> None:
    path = get_path(crowd.people, crowd.people.find_person("3").rows[0])
    reject(crowd, "3.1")
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text(f"path,name\n{path},Ana\n", "utf-8")
    _, unused = import_names(crowd.make_editor(), crowd.drawn.dataset(), csv)
    assert "expected one face, found 0" in unused["line 2"]
    left, top, right, bottom = crowd.faces.boxes[row_of(crowd.faces, path)].tolist()
    csv.write_text(f"path,x1,y1,x2,y2,name\n{path},{left},{top},{right},{bottom},Ana\n", "utf-8")
    people = crowd.apply_edits(lambda e: import_names(e, crowd.drawn.dataset(), csv))
    assert crowd.get_label(path) == "Ana" and not people.hidden.any()


def test_decisions_are_undone_by_removing_their_lines(crowd: Crowd) -> None:
    before = crowd.people.to_dict()
    crowd.apply_edits(lambda e: e.ignore("2"), lambda e: e.reject_faces(e.select_faces("1.1,3.2")))
    log = EditLog(crowd.drawn.dataset().folder / "people.jsonl")
    assert [edit.action for edit in log.read()] == ["ignore", "reject"]
    log.file.write_text("", "utf-8")
    assert crowd.cluster().to_dict() == before


def test_undo_brings_back_what_was_left_out(crowd: Crowd) -> None:
    before = crowd.people.to_dict()
    crowd.apply_edits(lambda e: e.ignore("2"), lambda e: e.reject_faces(e.select_faces("1.1,3.2"), "1.1,3.2"))
    people = crowd.apply_edits(lambda e: e.undo())
    assert not people.constraints.rejected.any() and len(people.ignored) == 1
    assert crowd.apply_edits(lambda e: e.undo()).to_dict() == before
    summaries = [decision.summary for decision in crowd.make_editor().list_decisions()]
    assert summaries[:2] == ["2 ignored (4 faces)", "1.1,3.2 are not faces"]


def test_an_album_of_ignored_people_can_be_edited(crowd: Crowd) -> None:
    crowd.apply_edits(*(lambda e, n=n: e.ignore(n) for n in "123"))
    assert crowd.people.persons == []
    assert list_labels(crowd.apply_edits(lambda e: e.bring_back("3"))) == ["person 3"]


# --- on real files -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def processed(twelve_photos: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    drawn = copy_world(twelve_photos, tmp_path_factory.mktemp("ignored"))
    build(drawn)
    return drawn


@pytest.fixture
def drawn(processed: Drawn, tmp_path: Path) -> Drawn:
    return copy_world(processed, tmp_path)


def run(drawn: Drawn, script: str, *args: str) -> Done:
    done = run_here([str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *args], drawn.folder)
    assert done.returncode == 0, done.stderr
    return done


def search(drawn: Drawn, *args: str) -> set[str]:
    answer = json.loads(run(drawn, "06_search.py", *args, "--json", "-k", "20").stdout)
    return {result["path"] for result in answer["results"]}


def test_left_out_faces_are_in_no_table_collection_search_or_figure(drawn: Drawn) -> None:
    everyone = search(drawn, "two people")
    assert everyone == {"both.jpg"}
    done = run(drawn, "03_name_people.py", "--name", "1=Maya", "--ignore", "2", "--no-show")
    assert "person is ignored" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["1", "3"]
    assert "album_faces: 7 faces: 0 new, 5 changed, 2 unchanged, 4 gone" in done.stderr
    rows = read_photo_rows(drawn)
    assert rows["both.jpg"] == (["Maya"], 1) and rows["kofi4.jpg"] == ([], 0)
    assert len(read_face_rows(drawn)) == 7
    assert Vocabulary.read(drawn.dataset().folder).people.keys() == {"maya", "person 3"}
    assert search(drawn, "two people") == set()
    assert "both.jpg" in search(drawn, "maya alone")
    assert {"kofi4.jpg", "kofi5.jpg", "kofi6.jpg", "lake.jpg"} <= search(drawn, "with nobody")

    done = run(drawn, "06_search.py", "--face", "photos/kofi4.jpg", "--json")
    answer = json.loads(done.stdout)
    assert "nobody in this dataset has a similar face" in " ".join(answer["notes"])
    assert not any(result["path"].startswith("kofi") for result in answer["results"])

    done = run(drawn, "03_name_people.py", "--ignored", "--save", "ignored.png", "--no-show")
    assert done.stdout.splitlines()[1].split() == ["2", "4", "4", "-"]
    assert (drawn.folder / "ignored.png").stat().st_size > 5000
    listed = json.loads(run(drawn, "03_name_people.py", "--ignored", "--json").stdout)
    assert [person["number"] for person in listed["ignored"]] == [2]

    # of a photo that was added later
    shutil.copy(drawn.photos / "kofi5.jpg", drawn.photos / "later.jpg")
    run(drawn, "01_extract_features.py")
    run(drawn, "02_cluster_faces.py")
    run(drawn, "05_build_collections.py")
    assert read_photo_rows(drawn)["later.jpg"] == ([], 0)

    done = run(drawn, "03_name_people.py", "--bring-back", "2", "--no-show")
    assert "album_faces: 12 faces: 5 new" in done.stderr
    assert read_photo_rows(drawn)["both.jpg"] == (["Maya", "person 2"], 2)


def test_a_photo_whose_only_face_is_none_has_no_faces(drawn: Drawn) -> None:
    people = cluster_people(drawn.config(), drawn.dataset())
    rows = people.find_person("2").rows
    place = [get_path(people, row) for row in rows].index("kofi5.jpg") + 1
    done = run(drawn, "03_name_people.py", "--not-a-face", f"2.{place}", "--name", "2=Kofi", "--no-show")
    assert "1 is not a face" in done.stdout
    assert read_photo_rows(drawn)["kofi5.jpg"] == ([], 0)
    assert read_photo_rows(drawn)["kofi4.jpg"] == (["Kofi"], 1)
    assert "kofi5.jpg" in search(drawn, "with nobody")
    done = run(drawn, "03_name_people.py", "--ignored", "--no-show")
    assert done.stdout.splitlines()[1].split() == ["0", "1", "1", "not", "a", "face"]
    done = run(drawn, "03_name_people.py", "--show", "0", "--save", "none.png", "--no-show")
    assert (drawn.folder / "none.png").stat().st_size > 2000


def test_edits_that_leave_faces_out_are_read_back(tmp_path: Path) -> None:
    log, face = EditLog(tmp_path / "people.jsonl"), ("a.jpg", "00", (0.1, 0.2, 0.3, 0.4))
    edits = [Edit("reject", ((face,), (face,))), Edit("ignore", ((face,),)), Edit("restore", ((face,),))]
    for edit in edits:
        log.append(edit)
    assert log.read() == edits
