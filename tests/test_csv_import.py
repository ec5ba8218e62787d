"""Import of names from a CSV file: by person, by photo, by box; lines and files that cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from crowd import Crowd, count_faces, make_crowd
from drawn import Drawn
from people_rows import copy_world
from synthetic import PLACES, row_of

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor, cluster_people, detect_faces, import_names, references


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


def test_names_from_a_file(crowd: Crowd) -> None:
    crowd.add(3, "two.jpg")
    crowd.add(4, "two.jpg", box=PLACES[4])
    crowd.cluster()
    x1, y1, x2, y2 = PLACES[4]
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text(
        "\ufeffname,person,path,x1,y1,x2,y2\n"
        "Zoë,1,,,,,\n"
        f"Noor,,two.jpg,{x1 + 5},{y1},{x2},{y2 + 9}\n"
        "Kofi,,b0.jpg,,,,\n"
        "Lost,,nowhere.jpg,,,,\n"
        "Which,,two.jpg,,,,\n"
        "Elsewhere,,two.jpg,1,1,5,5\n"
        "Half,,two.jpg,1,,5,5\n"
        "Words,,two.jpg,a,b,c,d\n"
        "a|b,1,,,,,\n"
        ",2,,,,,\n"
        "Nine,9,,,,,\n"
        "Short\n",
        "utf-8",
    )
    editor = crowd.make_editor()
    used, unused = import_names(editor, crowd.drawn.dataset(), csv)
    assert used == 3
    assert list(unused) == [f"line {n}" for n in range(5, 14)]
    assert all("\n" not in reason for reason in unused.values())
    assert "nowhere.jpg: no such file, and not a photo of album" in unused["line 5"]
    assert "two.jpg: expected one face, found 2" in unused["line 6"]
    editor.refresh()
    people = crowd.people
    assert people.find_person("Zoë").number == 1 and count_faces(people.find_person("Kofi")) == 4
    rows = people.find_person("Noor").rows.tolist()
    assert [people.faces.boxes[row].tolist() for row in rows] == [list(PLACES[4])]


@pytest.mark.parametrize("content", ["Name;PERSON\nMaya;1\n", "person\t name \n1\tMaya\n"])
def test_semicolons_and_tabs_are_accepted(crowd: Crowd, content: str) -> None:
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text(content, "utf-8")
    assert import_names(crowd.make_editor(), crowd.drawn.dataset(), csv) == (1, {})
    csv.write_text("person,name\n", "utf-8")
    assert import_names(crowd.make_editor(), crowd.drawn.dataset(), csv) == (0, {})


def test_many_names_from_a_file_read_the_faces_once(crowd: Crowd, monkeypatch) -> None:
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text("person,name\n1,Maya\nMaya,Ana\n2,Noor\n2,Kim\n", "utf-8")
    made, resolver_class = [], references.ReferenceResolver
    monkeypatch.setattr(
        references, "ReferenceResolver", lambda *args: made.append(1) or resolver_class(*args)
    )
    editor = crowd.make_editor()
    assert import_names(editor, crowd.drawn.dataset(), csv) == (4, {}) and len(made) == 1
    assert [person.name for person in editor.refresh().persons] == ["Ana", "Kim", ""]


def test_a_path_in_a_file_may_be_written_in_another_unicode_form(crowd: Crowd) -> None:
    crowd.add(3, "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}.jpg")
    crowd.cluster()
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text("path,name\nZoe\N{COMBINING DIAERESIS}.jpg,Kim\n", "utf-8")
    assert import_names(crowd.make_editor(), crowd.drawn.dataset(), csv) == (1, {})


def test_lines_that_are_not_used_have_the_true_reason(twelve_photos: Drawn, tmp_path: Path) -> None:
    drawn = copy_world(twelve_photos, tmp_path)
    (drawn.photos / "late").mkdir()
    shutil.copy(drawn.photos / "noor7.jpg", drawn.photos / "late" / "only.jpg")
    shutil.copy(drawn.photos / "noor8.jpg", drawn.photos / "late" / "two.jpg")
    (drawn.photos / "twice").mkdir()
    shutil.copy(drawn.photos / "noor8.jpg", drawn.photos / "twice" / "two.jpg")
    (drawn.photos / "late" / "broken.jpg").write_bytes(b"no photo")
    detect_faces(drawn.config(), drawn.dataset())
    cluster_people(drawn.config(), drawn.dataset())
    lines = ["1,,unknown", "1,,a stranger", "1,,q", "1,,", ",broken.jpg,Ada", ",two.jpg,Zoe", ",only.jpg,Zoe"]
    csv = drawn.folder / "names.csv"
    csv.write_text("\n".join(["person,path,name", *lines]) + "\n", "utf-8")
    editor = PeopleEditor(drawn.config(), drawn.dataset())
    used, unused = import_names(editor, drawn.dataset(), csv)
    assert used == 1 and editor.stored[0].edits[0].name == "Zoe"
    assert unused.pop("line 6").startswith("broken.jpg: 02_cluster_faces.py failed: not an image")
    assert unused == {
        "line 2": "unknown: not stored as a name; use --ignore or --not-a-face",
        "line 3": "a stranger: not stored as a name; use --ignore or --not-a-face",
        "line 4": "q: looks like a command, not stored as a name",
        "line 5": "no name",
        "line 7": "two.jpg: 2 photos have this name; type one of: late/two.jpg, twice/two.jpg",
    }


def test_loose_boxes_and_the_only_face_left_are_named_and_unquoted_commas_are_refused(crowd: Crowd) -> None:
    crowd.add(3, "two.jpg")
    crowd.add(4, "two.jpg", box=PLACES[4])
    crowd.cluster()
    crowd.apply_edits(lambda editor: editor.reject_faces([row_of(crowd.faces, "two.jpg", 1)]))
    x1, y1, x2, y2 = PLACES[0]
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text(
        "path,name,x1,y1,x2,y2\n"
        "two.jpg,Kim,,,,\n"  # the other face is no face
        f"a0.jpg,Ana,{x1},{y1},{x2},{y1 + (y2 - y1) * 0.4}\n"  # without the forehead: 40 % of the face
        "\n"
        "b0.jpg,Noor,,,,,Junior\n",
        "utf-8",
    )
    editor = crowd.make_editor()
    used, unused = import_names(editor, crowd.drawn.dataset(), csv)
    assert used == 2 and list(unused) == ["line 5"] and "put text that contains a comma" in unused["line 5"]
    editor.refresh()
    assert crowd.get_label("two.jpg") == "Kim" and crowd.get_label("a0.jpg") == "Ana"
    assert crowd.get_label("b0.jpg") != "Noor"


@pytest.mark.parametrize(
    "content", [b"", b"name\nx\n", b"a,b\n1,2\n", b"person,path\n1,2\n", b"name,path\n\xff,x\n"]
)
def test_files_without_names_are_refused(crowd: Crowd, content: bytes) -> None:
    csv = crowd.drawn.folder / "names.csv"
    csv.write_bytes(content)
    with pytest.raises(UserError, match=r"names\.csv: "):
        import_names(crowd.make_editor(), crowd.drawn.dataset(), csv)
    with pytest.raises(UserError, match="cannot be read"):
        import_names(crowd.make_editor(), crowd.drawn.dataset(), csv.with_name("nowhere.csv"))
