"""Faces and names through the scripts and into Milvus."""

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
from conftest import ROOT, draw
from drawn import Drawn, picture_of
from synthetic import row_of

from imagesearch.errors import UserError
from imagesearch.faces import People, PeopleEditor, cluster_people, load_people
from imagesearch.features import extract_features
from imagesearch.store import CollectionRef, Store, build_collections, collections
from imagesearch.store import build as build_module

CAST = ["Maya", "Maya", "Maya", "Maya", "Kofi", "Kofi", "Kofi", "Noor", "Noor"]


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Twelve photos: nine of one person, one of two, two of nobody; all tables filled."""
    drawn = Drawn(tmp_path_factory.mktemp("scripts"))
    for i, name in enumerate(CAST):
        picture_of(name, seed=300 + i)[0].save(drawn.photos / f"{name.lower()}{i}.jpg", quality=92)
    picture_of("Maya", "Kofi", seed=320)[0].save(drawn.photos / "both.jpg", quality=92)
    picture_of(seed=321)[0].save(drawn.photos / "lake.jpg", quality=92)
    draw(1).save(drawn.photos / "discs.png")
    extract_features(drawn.config(), drawn.dataset())
    drawn.detect()
    cluster_people(drawn.config(), drawn.dataset())
    return drawn


@pytest.fixture
def drawn(looked_at: Drawn, tmp_path: Path) -> Drawn:
    shutil.copytree(looked_at.folder, tmp_path / "world")
    return Drawn(tmp_path / "world")


def build(drawn: Drawn) -> None:
    with Store(drawn.config().milvus) as store:
        build_collections(drawn.config(), drawn.dataset(), store)


def photo_rows(drawn: Drawn, kind: str = "clip") -> dict[str, tuple[list[str], int]]:
    """Who is in each photo and how many faces, as Milvus has it."""
    keys = [photo.photo_id for photo in drawn.dataset().photos]
    with Store(drawn.config().milvus) as store:
        hits = store.read_rows(CollectionRef("album", kind), keys, ("path", "face_labels", "face_count"))
    return {hit.fields["path"]: (list(hit.fields["face_labels"]), hit.fields["face_count"]) for hit in hits}


def face_rows(drawn: Drawn) -> dict[int, dict]:
    fields = ("photo_id", "label", "cluster", "det_score", "x1", "y1", "x2", "y2")
    with Store(drawn.config().milvus) as store:
        return {
            hit.id: hit.fields
            for hit in store.read_rows(CollectionRef("album", "faces"), drawn.faces().ids.tolist(), fields)
        }


def people_of(drawn: Drawn) -> People:
    return load_people(drawn.config(), drawn.dataset())


# --- in Milvus ---------------------------------------------------------------------------------------------


def test_photos_know_who_is_in_them_and_faces_where_they_are(drawn: Drawn) -> None:
    file = drawn.photos / "later.png"
    draw(2).save(file)
    extract_features(drawn.config(), drawn.dataset())  # its faces are not looked for
    build(drawn)
    for kind in ("clip", "vit"):
        rows = photo_rows(drawn, kind)
        assert rows["later.png"] == ([], -1)
        assert rows["lake.jpg"] == rows["discs.png"] == ([], 0)
        assert rows["maya0.jpg"] == (["person 1"], 1) and rows["kofi4.jpg"] == (["person 2"], 1)
        assert rows["both.jpg"] == (["person 1", "person 2"], 2)
    faces, found = drawn.faces(), face_rows(drawn)
    assert len(found) == len(faces) == 11
    labels, numbers = people_of(drawn).labels()
    for row, face in enumerate(faces.ids.tolist()):
        fields = found[face]
        assert fields["photo_id"] == int(faces.photo_ids[row])
        assert (fields["label"], fields["cluster"]) == (labels[row], int(numbers[row]))
        box = [fields[side] for side in ("x1", "y1", "x2", "y2")]
        assert box == pytest.approx(faces.boxes[row].tolist(), abs=1e-3)
        assert fields["det_score"] == pytest.approx(float(faces.scores[row]))


def test_a_build_before_anything_was_clustered(drawn: Drawn) -> None:
    (drawn.dataset().folder / "clusters.parquet").unlink()
    build(drawn)
    assert photo_rows(drawn)["both.jpg"] == ([], 2)
    assert {fields["label"] for fields in face_rows(drawn).values()} == {""}
    assert {fields["cluster"] for fields in face_rows(drawn).values()} == {-1}


def test_an_album_without_faces_is_built(tmp_path: Path, looked_at: Drawn) -> None:
    drawn = Drawn(tmp_path / "world")
    draw(1).save(drawn.photos / "discs.png")
    extract_features(drawn.config(), drawn.dataset())
    drawn.detect()
    assert cluster_people(drawn.config(), drawn.dataset()).persons == []
    build(drawn)
    assert photo_rows(drawn) == {"discs.png": ([], 0)}


def test_a_detection_that_was_cut_short_before_any_photo_is_not_in_the_way(drawn: Drawn) -> None:
    shutil.rmtree(drawn.dataset().folder / "faces")
    (drawn.dataset().folder / "faces").mkdir()
    build(drawn)
    assert {count for _, count in photo_rows(drawn).values()} == {-1}


def test_faces_of_photos_that_are_gone_leave_their_collection(drawn: Drawn) -> None:
    build(drawn)
    for name in ("both.jpg", "maya0.jpg"):
        (drawn.photos / name).unlink()
    build(drawn)
    assert len(face_rows(drawn)) == 8
    for file in drawn.photos.glob("*[0-9].jpg"):
        file.unlink()
    build(drawn)
    with Store(drawn.config().milvus) as store:
        assert store.collections.open(CollectionRef("album", "faces")).rows == 0


def test_a_name_and_its_change_reach_every_collection(drawn: Drawn) -> None:
    build(drawn)
    for given in ("Zoë O'Brien", '김 "민준"'):
        editor = PeopleEditor(drawn.config(), drawn.dataset())
        editor.name_person("1", given)
        editor.refresh()
        build(drawn)
        for kind in ("clip", "vit"):
            rows = photo_rows(drawn, kind)
            assert rows["maya0.jpg"] == ([given], 1)
            assert sorted(rows["both.jpg"][0]) == sorted([given, "person 2"])
            assert not any("person 1" in labels for labels, _ in rows.values())
        labels = [fields["label"] for fields in face_rows(drawn).values()]
        assert labels.count(given) == 5 and "person 1" not in labels


def test_names_outlive_what_is_written_into_files_and_do_not_go_to_who_is_in_other_photos(
    drawn: Drawn,
) -> None:
    editor = PeopleEditor(drawn.config(), drawn.dataset())
    for number, name in (("1", "Maya"), ("2", "Kofi"), ("3", "Noor")):
        editor.name_person(number, name)
    before = people_of(drawn).labels()[0]
    for file in drawn.photos.glob("*.jpg"):
        file.write_bytes(file.read_bytes() + b"rating: 5")  # as of a keyword: the pixels are the same
    assert drawn.detect().new == 11
    assert cluster_people(drawn.config(), drawn.dataset()).labels()[0] == before
    shutil.copy(drawn.photos / "kofi4.jpg", drawn.photos / "maya0.jpg")
    drawn.detect()
    people = cluster_people(drawn.config(), drawn.dataset())
    assert people.labels()[0][row_of(people.faces, "maya0.jpg")] == "Kofi"


# --- the scripts -------------------------------------------------------------------------------------------


def run(drawn: Drawn, script: str, *args: str | Path, stdin: str = "") -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / script, "-c", drawn.config_file, *map(str, args)],
        cwd=drawn.folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr, done.stderr
    return done


def names(done: subprocess.CompletedProcess) -> dict[str, int]:
    """Faces by label, of what --json printed."""
    return {person["label"]: person["faces"] for person in json.loads(done.stdout)["people"]}


def test_from_photos_to_names_and_back(drawn: Drawn) -> None:
    shutil.rmtree(drawn.dataset().folder / "faces")
    (drawn.dataset().folder / "clusters.parquet").unlink()
    done = run(drawn, "02_cluster_faces.py", "--json")
    assert json.loads(done.stdout)["new"] == 12
    assert names(done) == {"person 1": 5, "person 2": 4, "person 3": 2}
    assert "album_faces: 11 faces: 11 new" in run(drawn, "05_build_collections.py").stdout

    sheet = drawn.folder / "sheet.png"
    done = run(drawn, "03_name_people.py", "--name", "1=Maya", "--json", "--save", sheet)
    assert names(done) == {"Maya": 5, "person 2": 4, "person 3": 2} and sheet.stat().st_size > 5000
    assert "album_faces: 11 faces: 0 new, 5 changed" in done.stderr
    assert photo_rows(drawn)["maya0.jpg"] == (["Maya"], 1)

    typed = "a|b\nNoor\n"  # one that cannot be, and the next one
    done = run(drawn, "03_name_people.py", "--interactive", "--no-show", "--json", "--no-build", stdin=typed)
    assert done.stderr.count("who is this?") == 2 and "names cannot have" in done.stderr
    assert names(done) == {"Maya": 5, "person 2": 4, "Noor": 2}

    csv = drawn.folder / "names.csv"
    csv.write_text("path,name\nkofi4.jpg,Kofi\nnowhere.jpg,X\n", "utf-8")
    done = run(drawn, "03_name_people.py", "--from-csv", csv, "--no-build", "--json")
    assert "not used: line 3: nowhere.jpg: no faces there" in done.stderr
    assert "album_faces" not in done.stderr
    assert names(done) == {"Maya": 5, "Kofi": 4, "Noor": 2}

    found = run(drawn, "06_search.py", "--face", drawn.photos / "maya1.jpg", "--json", "-k", "5")
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
    apart = people_of(drawn).labels()[0]
    run(drawn, "02_cluster_faces.py")
    assert people_of(drawn).labels()[0] == apart
    parts = [str(p.number) for p in people_of(drawn).persons if p.label not in ("person 2", "Noor")]
    done = run(drawn, "03_name_people.py", "--merge", *parts, "--json", "--no-build")
    assert names(done) == {"Maya": 5, "person 2": 4, "Noor": 2}


Main = Callable[..., None]


@pytest.fixture
def main_of(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Run a script's main function in this process."""

    def main(drawn: Drawn, script: str, *args: str) -> None:
        spec = importlib.util.spec_from_file_location("script", ROOT / "scripts" / script)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, "argv", [script, "-c", str(drawn.config_file), *args])
        monkeypatch.chdir(drawn.folder)
        module.main()

    return main


@pytest.fixture(scope="module")
def untouched(looked_at: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Built once, for tests that change nothing."""
    folder = tmp_path_factory.mktemp("untouched") / "world"
    shutil.copytree(looked_at.folder, folder)
    drawn = Drawn(folder)
    build(drawn)
    return drawn


@pytest.mark.parametrize(
    ("script", "args", "message"),
    [
        ("02_cluster_faces.py", ["-i", "nowhere"], "no such folder of photos"),
        ("02_cluster_faces.py", ["--set", "models.faces=nowhere/pack"], "models.faces"),
        ("02_cluster_faces.py", ["--show", "nowhere.jpg"], "nowhere.jpg: not a photo of album"),
        ("02_cluster_faces.py", ["--show", "../config.yaml"], "not a photo of album"),
        ("03_name_people.py", ["--name", "99=Maya"], "99: nobody has this number or name"),
        ("03_name_people.py", ["--name", "Maya"], "--name Maya: FACES=NAME is wanted"),
        ("03_name_people.py", ["--name", "1="], "a name is wanted"),
        ("03_name_people.py", ["--name", "=Maya"], "nobody has this number or name"),
        ("03_name_people.py", ["--name", "1=a|b"], "names cannot have"),
        ("03_name_people.py", ["--name", "1=person 7"], "reserved"),
        ("03_name_people.py", ["--name", "1.99=Maya"], "1.99: person 1 has 5 faces"),
        ("03_name_people.py", ["--name", f"1.{'9' * 5000}=Maya"], "nobody has this number or name"),
        ("03_name_people.py", ["--name", os.fsdecode(b"1=caf\xe9")], "not valid UTF-8"),
        ("03_name_people.py", ["--merge", "1"], "two different people are wanted"),
        ("03_name_people.py", ["--merge", "1", "99"], "99: nobody"),
        ("03_name_people.py", ["--split", "99"], "99: nobody"),
        ("03_name_people.py", ["--split", "1.1"], "1.1: nobody"),
        ("03_name_people.py", ["--forget", "Nobody"], "Nobody: nobody"),
        ("03_name_people.py", ["--not", "1"], "--not 1: FACES=NAME is wanted"),
        ("03_name_people.py", ["--not", "1=Maya"], "Maya: nobody"),
        ("03_name_people.py", ["--from-csv", "nowhere.csv"], "nowhere.csv: cannot be read"),
        ("03_name_people.py", ["--from-csv", "config.yaml"], "columns name and person"),
        ("03_name_people.py", ["--no-show", "--show", "99"], "99: nobody"),
        ("03_name_people.py", ["-n", "other"], "no faces are clustered yet; run 02"),
        ("06_search.py", ["--face", "nowhere.jpg"], "--face nowhere.jpg: no such file"),
        ("06_search.py", ["--face", "config.yaml"], "config.yaml: "),
        ("06_search.py", ["--face", "photos/lake.jpg"], "no face is found in it"),
        (
            "06_search.py",
            ["--face", "photos/maya0.jpg", "-n", "other"],
            "no clip collection of dataset 'other'",
        ),
    ],
)
def test_what_the_user_can_fix_is_one_line(
    untouched: Drawn, main_of: Main, script: str, args: list[str], message: str
) -> None:
    with pytest.raises(UserError) as error:
        main_of(untouched, script, *args)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (untouched.dataset().folder / "people.jsonl").exists()


def test_a_face_among_others_is_searched_for(untouched: Drawn, main_of: Main, capsys) -> None:
    main_of(untouched, "06_search.py", "--face", "photos/both.jpg", "--json", "-k", "3")
    answer = json.loads(capsys.readouterr().out)
    assert any("2 faces are in both.jpg, the largest counts" in note for note in answer["notes"])
    assert answer["results"][0]["path"] == "both.jpg" and answer["results"][0]["score"] > 0.99
    main_of(untouched, "06_search.py", "--face", "photos/maya0.jpg", "--json", "--min-score", "0.999")
    assert [r["path"] for r in json.loads(capsys.readouterr().out)["results"]] == ["maya0.jpg"]


def test_faces_are_drawn_on_a_photo_by_any_of_its_names(untouched: Drawn, main_of: Main) -> None:
    for name in ("both.jpg", str(untouched.photos / "both.jpg"), "photos/both.jpg", "lake.jpg"):
        main_of(untouched, "02_cluster_faces.py", "--show", name, "--save", "drawn")
        assert (untouched.folder / "drawn.png").stat().st_size > 5000
        (untouched.folder / "drawn.png").unlink()


def test_what_was_decided_before_a_mistake_counts(drawn: Drawn, main_of: Main) -> None:
    build(drawn)
    with pytest.raises(UserError, match="99: nobody"):
        main_of(drawn, "03_name_people.py", "--name", "1=Maya", "--name", "99=Noor", "--no-show")
    assert people_of(drawn).find_person("1").name == "Maya"
    main_of(drawn, "03_name_people.py", "--no-show", "--name", "2=Kofi")
    assert photo_rows(drawn)["maya0.jpg"] == (["Maya"], 1)


def held_by_another(*_: object) -> None:
    raise UserError("milvus.db: another process has it open")


def test_what_a_run_left_undone_reaches_the_collections_with_the_next(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture
) -> None:
    build(drawn)
    PeopleEditor(drawn.config(), drawn.dataset()).merge(["1", "3"])  # and is killed
    main_of(drawn, "05_build_collections.py")
    assert "the clusters do not follow all that was decided" in capsys.readouterr().err
    main_of(drawn, "03_name_people.py", "--no-show")
    assert "album_faces: 11 faces: 0 new, 2 changed" in capsys.readouterr().err
    main_of(drawn, "03_name_people.py", "--no-show", "--name", "1=Maya", "--no-build")
    assert photo_rows(drawn)["maya0.jpg"] == (["person 1"], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collections, "connect", held_by_another)
        with pytest.raises(UserError, match="has it open; the names are kept, and reach the collections"):
            main_of(drawn, "03_name_people.py", "--no-show")
    capsys.readouterr()
    main_of(drawn, "06_search.py", "--person", "person 1", "--json")
    note = "names have changed since the collections were built; run 05_build_collections.py"
    assert note in json.loads(capsys.readouterr().out)["notes"]
    main_of(drawn, "03_name_people.py", "--no-show")  # decides nothing
    assert photo_rows(drawn)["maya0.jpg"] == (["Maya"], 1)
    capsys.readouterr()
    main_of(drawn, "06_search.py", "--person", "Maya", "--json")
    assert note not in json.loads(capsys.readouterr().out)["notes"]
    csv = drawn.folder / "names.csv"
    csv.write_text("person,name\n99,Noor\n", "utf-8")
    with pytest.raises(UserError, match=r"names\.csv: no line could be used"):
        main_of(drawn, "03_name_people.py", "--no-show", "--from-csv", str(csv))


def test_a_build_that_ends_before_the_names_are_kept_is_not_ready(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "_count_vocabulary", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(drawn)
    with Store(drawn.config().milvus) as store:
        assert store.collections.find(CollectionRef("album", "faces")).state == "updating"


def test_a_search_by_face_says_what_it_found(
    drawn: Drawn, main_of: Main, capsys: pytest.CaptureFixture
) -> None:
    shutil.move(drawn.dataset().folder / "faces", drawn.folder / "kept")
    build(drawn)
    with pytest.raises(UserError, match="no faces collection of dataset 'album'; run 02_cluster_faces"):
        main_of(drawn, "06_search.py", "--face", "photos/maya0.jpg")
    shutil.move(drawn.folder / "kept", drawn.dataset().folder / "faces")
    build(drawn)
    picture_of("Zoë", seed=777)[0].save(drawn.folder / "stranger.jpg", quality=92)
    said = "nobody in this dataset looks like that"
    for text, rest, count in (((), ["the nearest faces follow"], 5), (("a beach",), [], 0)):
        main_of(drawn, "06_search.py", *text, "--face", "stranger.jpg", "--json", "-k", "5")
        answer = json.loads(capsys.readouterr().out)
        assert [note for note in answer["notes"] if "faces" in note or "nobody" in note] == [said, *rest]
        assert len(answer["results"]) == count


def test_waiting_faces_are_mentioned_by_the_build(drawn: Drawn) -> None:
    picture_of("Noor", seed=801)[0].save(drawn.photos / "new.jpg", quality=92)
    drawn.detect()
    with Store(drawn.config().milvus) as store:
        reports = build_collections(drawn.config(), drawn.dataset(), store)
    assert reports["faces"].undone == [
        "1 faces were found since the last clustering; run 02_cluster_faces.py"
    ]
