"""Faces and names in Milvus: what a build writes, changes and removes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import draw
from drawn import Drawn, picture_of
from people_rows import build, copy_world, read_face_rows, read_people, read_photo_rows
from synthetic import row_of

from imagesearch.faces import PeopleEditor, cluster_people
from imagesearch.features import extract_features
from imagesearch.store import CollectionRef, Store, build_collections
from imagesearch.store import build as build_module


@pytest.fixture
def drawn(twelve_photos: Drawn, tmp_path: Path) -> Drawn:
    return copy_world(twelve_photos, tmp_path)


def test_photos_have_the_labels_of_people_and_faces_have_boxes(drawn: Drawn) -> None:
    file = drawn.photos / "later.png"
    draw(2).save(file)
    extract_features(drawn.config(), drawn.dataset())  # step 02 has not processed this photo
    build(drawn)
    for kind in ("clip", "vit"):
        rows = read_photo_rows(drawn, kind)
        assert rows["later.png"] == ([], -1)
        assert rows["lake.jpg"] == rows["discs.png"] == ([], 0)
        assert rows["maya0.jpg"] == (["person 1"], 1) and rows["kofi4.jpg"] == (["person 2"], 1)
        assert rows["both.jpg"] == (["person 1", "person 2"], 2)
    faces, found = drawn.faces(), read_face_rows(drawn)
    assert len(found) == len(faces) == 11
    labels, numbers = read_people(drawn).label_faces()
    for row, face in enumerate(faces.ids.tolist()):
        fields = found[face]
        assert fields["photo_id"] == int(faces.photo_ids[row])
        assert (fields["label"], fields["cluster"]) == (labels[row], int(numbers[row]))
        box = [fields[side] for side in ("x1", "y1", "x2", "y2")]
        assert box == pytest.approx(faces.boxes[row].tolist(), abs=1e-3)
        assert fields["det_score"] == pytest.approx(float(faces.scores[row]))


def test_a_build_without_clusters_has_no_labels(drawn: Drawn) -> None:
    (drawn.dataset().folder / "clusters.parquet").unlink()
    build(drawn)
    assert read_photo_rows(drawn)["both.jpg"] == ([], 2)
    assert {fields["label"] for fields in read_face_rows(drawn).values()} == {""}
    assert {fields["cluster"] for fields in read_face_rows(drawn).values()} == {-1}


def test_an_album_without_faces_is_built(tmp_path: Path) -> None:
    drawn = Drawn(tmp_path / "world")
    draw(1).save(drawn.photos / "discs.png")
    extract_features(drawn.config(), drawn.dataset())
    drawn.detect()
    assert cluster_people(drawn.config(), drawn.dataset()).persons == []
    build(drawn)
    assert read_photo_rows(drawn) == {"discs.png": ([], 0)}


def test_an_empty_table_of_faces_does_not_prevent_a_build(drawn: Drawn) -> None:
    shutil.rmtree(drawn.dataset().folder / "faces")
    (drawn.dataset().folder / "faces").mkdir()
    build(drawn)
    assert {count for _, count in read_photo_rows(drawn).values()} == {-1}


def test_faces_of_deleted_photos_are_removed_from_the_collection(drawn: Drawn) -> None:
    build(drawn)
    for name in ("both.jpg", "maya0.jpg"):
        (drawn.photos / name).unlink()
    build(drawn)
    assert len(read_face_rows(drawn)) == 8
    for file in drawn.photos.glob("*[0-9].jpg"):
        file.unlink()
    build(drawn)
    with Store(drawn.config().milvus) as store:
        assert store.collections.open(CollectionRef("album", "faces")).rows == 0


def test_a_name_and_its_change_are_written_to_every_collection(drawn: Drawn) -> None:
    build(drawn)
    for name in ("Zoë O'Brien", '김 "민준"'):
        editor = PeopleEditor(drawn.config(), drawn.dataset())
        editor.name_person("1", name)
        editor.refresh()
        build(drawn)
        for kind in ("clip", "vit"):
            rows = read_photo_rows(drawn, kind)
            assert rows["maya0.jpg"] == ([name], 1)
            assert sorted(rows["both.jpg"][0]) == sorted([name, "person 2"])
            assert not any("person 1" in labels for labels, _ in rows.values())
        labels = [fields["label"] for fields in read_face_rows(drawn).values()]
        assert labels.count(name) == 5 and "person 1" not in labels


def test_names_stay_with_files_that_get_keywords_but_not_with_replaced_photos(drawn: Drawn) -> None:
    editor = PeopleEditor(drawn.config(), drawn.dataset())
    for number, name in (("1", "Maya"), ("2", "Kofi"), ("3", "Noor")):
        editor.name_person(number, name)
    before = read_people(drawn).label_faces()[0]
    for file in drawn.photos.glob("*.jpg"):
        file.write_bytes(file.read_bytes() + b"rating: 5")  # like a keyword: the pixels do not change
    assert drawn.detect().new == 11
    assert cluster_people(drawn.config(), drawn.dataset()).label_faces()[0] == before
    shutil.copy(drawn.photos / "kofi4.jpg", drawn.photos / "maya0.jpg")
    drawn.detect()
    people = cluster_people(drawn.config(), drawn.dataset())
    assert people.label_faces()[0][row_of(people.faces, "maya0.jpg")] == "Kofi"


def test_a_build_that_fails_before_the_names_are_saved_is_not_ready(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "_count_vocabulary", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(drawn)
    with Store(drawn.config().milvus) as store:
        assert store.collections.find(CollectionRef("album", "faces")).state == "updating"


def test_a_build_reports_waiting_faces(drawn: Drawn) -> None:
    picture_of("Noor", seed=801)[0].save(drawn.photos / "new.jpg", quality=92)
    drawn.detect()
    with Store(drawn.config().milvus) as store:
        reports = build_collections(drawn.config(), drawn.dataset(), store)
    assert reports["faces"].undone == ["1 face was found since the last clustering; run 02_cluster_faces.py"]
