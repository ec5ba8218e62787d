"""Saved clusters and their numbers: small, waiting and missing faces; damaged and locked files."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from crowd import Crowd, count_faces, get_path, make_crowd
from drawn import Drawn
from filelock import FileLock
from synthetic import PLACES, people_vectors, row_of, vectors_of

from imagesearch.errors import UserError
from imagesearch.faces import People, import_names, load_people


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


def test_people_without_names_are_found_by_their_numbers(crowd: Crowd) -> None:
    people = crowd.people
    assert [person.label for person in people.persons] == ["person 1", "person 2", "person 3"]
    for reference in ("2", "person 2", "Person 2", " person  2 "):
        assert people.find_person(reference).number == 2
    for reference in ("4", "person 4", "Maya", "", "person", "-1", "2.0"):
        with pytest.raises(UserError, match="nobody has this number or name; there are no names yet"):
            people.find_person(reference)


def test_numbers_do_not_change_and_are_never_reused(crowd: Crowd) -> None:
    crowd.add(3, *(f"d{i}.jpg" for i in range(7)))
    people = crowd.cluster()
    assert [(person.number, len(person.rows)) for person in people.persons] == [
        (4, 7),
        (1, 5),
        (2, 4),
        (3, 3),
    ]
    all_items = dict(crowd.items)
    crowd.items = {path: item for path, item in all_items.items() if path[0] not in "bd"}
    assert [person.number for person in crowd.cluster().persons] == [1, 3]
    crowd.items = all_items
    # people whose photos come back get their numbers back, each time
    for _ in range(2):
        assert {person.number for person in crowd.people.persons} == {1, 2, 3, 4}
        crowd.items = {path: item for path, item in all_items.items() if path[0] != "b"}
        crowd.add(5, "e.jpg")
        assert {person.number for person in crowd.cluster().persons} == {1, 3, 4, 5}
        crowd.items = all_items
    assert {person.number for person in crowd.cluster().persons} == {1, 2, 3, 4}


def test_a_number_does_not_move_to_another_person_in_a_replaced_photo(crowd: Crowd) -> None:
    vector = crowd.items["c0.jpg"][0][2]
    crowd.items["a0.jpg"] = [("a0.jpg", tuple(v + 9 for v in PLACES[0]), vector)]
    crowd.contents["a0.jpg"] = "new"
    assert (crowd.people.waiting, crowd.get_label("a0.jpg")) == (1, "")
    crowd.cluster()
    assert crowd.get_label("a0.jpg") == "person 3" and crowd.get_label("a1.jpg") == "person 1"


def test_the_larger_part_of_a_split_keeps_the_number(crowd: Crowd) -> None:
    people = crowd.apply_edits(lambda editor: editor.split("1"))
    parts = [p for p in people.persons if "a" in {get_path(people, row)[0] for row in p.rows}]
    assert max(parts, key=count_faces).number == 1


def test_small_faces_are_not_clustered_unless_the_user_names_them(crowd: Crowd) -> None:
    tiny = (10.0, 10.0, 28.0, 40.0)
    crowd.add(0, "tiny.jpg", box=tiny)
    people = crowd.cluster()
    assert people.unclustered == 1 and people.waiting == 0 and crowd.get_label("tiny.jpg") == ""
    assert "1 face is too small" in str(people)
    csv = crowd.drawn.folder / "names.csv"
    csv.write_text("path,name\ntiny.jpg,Maya\n", "utf-8")
    crowd.apply_edits(lambda editor: import_names(editor, crowd.drawn.dataset(), csv))
    assert crowd.get_label("tiny.jpg") == "Maya"


def test_faces_found_since_the_last_clustering_are_reported_as_waiting(crowd: Crowd) -> None:
    crowd.add(0, "a9.jpg")
    people = crowd.people
    assert people.waiting == 1 and "run 02_cluster_faces.py" in people.list_notes()[0]
    assert crowd.get_label("a9.jpg") == ""
    crowd.cluster()
    assert crowd.people.waiting == 0 and crowd.get_label("a9.jpg") == "person 1"


def test_waiting_and_small_faces_are_counted_separately(crowd: Crowd) -> None:
    crowd.apply_edits(lambda editor: editor.name_person("1", "Maya"))
    crowd.cluster("faces.min_size=150")
    large = (10.0, 10.0, 300.0, 300.0)
    crowd.add(1, *(f"z{i}.jpg" for i in range(4)), box=large)
    people = load_people(crowd.config("faces.min_size=150"), crowd.drawn.dataset())
    assert (people.waiting, people.unclustered) == (4, 7)


def test_two_equal_faces_in_one_photo_are_one_person(crowd: Crowd) -> None:
    crowd.add(0, "mirror.jpg")
    crowd.add(0, "mirror.jpg", box=PLACES[4])
    people = crowd.cluster()
    assert [len(person.rows) for person in people.persons] == [7, 4, 3]
    assert people.count_photos(people.find_person("1")) == 6
    rows = people.find_person("1").rows.tolist()
    first, second = (rows.index(row_of(crowd.faces, "mirror.jpg", k)) + 1 for k in (0, 1))
    crowd.apply_edits(lambda e: e.name_person(f"1.{first}", "Maya"))
    crowd.apply_edits(lambda e: e.name_person(f"1.{second}", "Ana"))
    crowd.cluster()
    assert (crowd.get_label("mirror.jpg", 0), crowd.get_label("mirror.jpg", 1)) == ("Maya", "Ana")


def test_two_faces_in_one_photo_are_two_people_unless_the_user_merges_them(crowd: Crowd) -> None:
    crowd.add(0, "mirror.jpg")
    sibling = vectors_of([0], people_vectors(6), 1.1, seed=1)[0]  # at a cosine distance of 0.35
    crowd.items["mirror.jpg"].append(("mirror.jpg", PLACES[4], sibling))
    people = crowd.cluster()
    first, second = (people.label_faces()[1][row_of(crowd.faces, "mirror.jpg", k)] for k in (0, 1))
    assert first != second and 1 in (first, second)
    other = second if first == 1 else first
    notes = crowd.apply_edits(
        lambda e: e.name_person(str(other), "Mirror"), lambda e: e.forget("Mirror")
    ).list_notes()
    assert notes == []
    (note,) = crowd.apply_edits(lambda e: e.name_person("1", "Maya")).list_notes()
    advice = f"if they are one person, use --merge 1 {other}, otherwise --not 1={other}"
    assert note.endswith(f"kept apart because both are in one photo; {advice}")
    crowd.apply_edits(lambda e: e.deny("1", str(other)))
    assert crowd.people.list_notes() == [], "the advice was followed"
    crowd.apply_edits(lambda e: e.undo())
    crowd.apply_edits(lambda e: e.forget("Maya"))
    crowd.apply_edits(lambda editor: editor.merge([str(first), str(second)]))
    crowd.cluster()
    assert crowd.get_label("mirror.jpg", 0) == crowd.get_label("mirror.jpg", 1) == "person 1"


def test_after_a_copy_is_deleted_each_face_belongs_to_one_person(crowd: Crowd) -> None:
    crowd.add(0, "a0 copy.jpg")
    crowd.contents["a0 copy.jpg"] = "a0.jpg"
    people = crowd.cluster()
    place = people.find_person("1").rows.tolist().index(row_of(crowd.faces, "a0 copy.jpg")) + 1
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person(f"1.{place}", "Noor"))
    del crowd.items["a0 copy.jpg"]
    rows = [row for person in crowd.people.persons for row in person.rows.tolist()]
    assert sorted(rows) == list(range(len(crowd.faces)))
    crowd.cluster()


def test_only_one_run_at_a_time_can_cluster(crowd: Crowd) -> None:
    with FileLock(crowd.drawn.dataset().folder / ".clusters.lock"):
        editor = crowd.make_editor()
        editor.merge(["1", "2"])
        with pytest.raises(UserError, match=r"another run of 02 or 03 .* your edits are stored"):
            editor.refresh()
    assert count_faces(crowd.apply_edits().find_person("1")) == 9


def test_two_named_people_with_similar_faces_are_kept_apart_and_reported(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1.1,1.2", "Maya"), lambda e: e.name_person("1.3,1.4", "Noor"))
    people = crowd.cluster()
    assert {person.name for person in people.persons} == {"Maya", "Noor", ""}
    (note,) = (note for note in people.list_notes(verbose=True) if "Maya" in note and "Noor" in note)
    assert "look alike" in note and note.endswith("kept apart by your edits")
    assert note not in people.list_notes(), "the user knows it"


def test_a_dataset_without_faces_has_no_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(Drawn(tmp_path), monkeypatch)
    assert crowd.cluster().persons == [] and crowd.people.persons == []
    assert "0 faces" in str(crowd.people) and crowd.people.to_dict()["people"] == []
    with pytest.raises(UserError, match="no faces are clustered yet; run 02"):
        crowd.make_editor()
    crowd.add(0, "a.jpg")
    assert count_faces(crowd.cluster().persons[0]) == 1


@pytest.mark.parametrize("content", [b"", b"PAR1 nonsense", b"cut"])
def test_a_damaged_file_of_clusters_is_reported_in_one_line(crowd: Crowd, content: bytes) -> None:
    file = crowd.drawn.dataset().folder / "clusters.parquet"
    file.write_bytes(file.read_bytes()[:-40] if content == b"cut" else content)
    with pytest.raises(UserError, match=r"clusters\.parquet: cannot be read .* run 02_cluster_faces\.py"):
        _ = crowd.people


def test_names_return_with_the_photos_after_all_were_missing(crowd: Crowd) -> None:
    crowd.apply_edits(lambda e: e.name_person("1", "Maya"))
    all_items, crowd.items = crowd.items, {}
    assert crowd.cluster().persons == []
    crowd.items = all_items
    crowd.cluster()
    assert {crowd.get_label(f"a{i}.jpg") for i in range(5)} == {"Maya"}


def number_photos(people: People) -> dict[str, int]:
    """Return the number of the person in each photo with one face."""
    numbers = people.label_faces()[1].tolist()
    return {people.faces.get_photo(row).path: number for row, number in enumerate(numbers)}


@pytest.mark.parametrize("tried", [[0.8], [1.9], [0.02], [0.02, 1.9], [1.9, 0.02, 0.9], [0.1] * 12])
def test_numbers_are_as_before_when_a_threshold_is_tried_and_set_back(
    crowd: Crowd, tried: list[float]
) -> None:
    crowd.add(3, *(f"d{i}.jpg" for i in range(4)))  # as many faces as person 2
    before = number_photos(crowd.cluster())
    for distance in tried:
        crowd.cluster(f"faces.cluster_distance={distance}")
        crowd.add(4, f"new {distance}.jpg")
    after = number_photos(crowd.cluster())
    assert {path: after[path] for path in before} == before
    file = crowd.drawn.dataset().folder / "clusters.parquet"
    once = file.read_bytes()
    crowd.cluster()
    assert file.read_bytes() == once


def test_a_person_who_was_merged_by_mistake_gets_the_number_back(crowd: Crowd) -> None:
    before = number_photos(crowd.people)
    log = crowd.drawn.dataset().folder / "people.jsonl"
    crowd.apply_edits(lambda e: e.merge(["2", "3"]))
    assert {person.number for person in crowd.people.persons} == {1, 2}
    log.unlink()
    assert number_photos(crowd.cluster()) == before


def test_a_retired_number_does_not_go_to_another_person(crowd: Crowd) -> None:
    """Also if one face of the former person is among the many faces of the other one."""
    crowd.cluster("faces.cluster_distance=1.9")
    crowd.add(4, *(f"e{i}.jpg" for i in range(8)))
    rows = [("c0.jpg", crowd.items["c0.jpg"][0][1], crowd.items["e0.jpg"][0][2])]
    crowd.items |= {"c0.jpg": rows}
    del crowd.items["c1.jpg"], crowd.items["c2.jpg"]
    people = crowd.cluster()
    assert [(person.number, len(person.rows)) for person in people.persons] == [(4, 9), (1, 5), (2, 4)]


def test_clusters_of_an_earlier_version_are_read(crowd: Crowd) -> None:
    before = number_photos(crowd.people)
    file = crowd.drawn.dataset().folder / "clusters.parquet"
    table = pq.read_table(file)
    metadata = {key: value for key, value in table.schema.metadata.items() if b"settings" not in key}
    pq.write_table(table.drop_columns(["former"]).replace_schema_metadata(metadata), file)
    assert number_photos(crowd.people) == before
    crowd.cluster("faces.cluster_distance=1.9")
    assert number_photos(crowd.cluster()) == before
