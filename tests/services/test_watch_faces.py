"""New faces join the nearest person at once; the faces are clustered anew when no photo comes for a while."""

from __future__ import annotations

import time

import numpy as np
from drawn import Drawn, picture_of
from watch_stories import Story, read_paths, run_watch

from imagesearch.faces import assign_new_faces, cluster_people, load_people
from imagesearch.faces.assignment import find_nearest_people
from imagesearch.faces.extract import FaceTable
from imagesearch.store import CollectionRef, Store


def make_faces(vectors: list[list[float]], photos: list[int]) -> FaceTable:
    matrix = np.array(vectors, np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    count = len(vectors)
    boxes = np.tile(np.array([0, 0, 50, 50], np.float32), (count, 1))
    ids = np.arange(count)
    return FaceTable(ids, np.array(photos), ids * 0, boxes, np.ones(count, np.float32), matrix, {})


def find_nearest(vectors: list[list[float]], photos: list[int], numbers: dict[int, int]) -> dict[int, int]:
    rows = np.array([row for row in range(len(vectors)) if row not in numbers])
    return find_nearest_people(make_faces(vectors, photos), rows, numbers, 0.5)


def test_a_face_joins_the_nearest_person_within_the_distance() -> None:
    vectors = [[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0.5, 0.8, 0], [0.8, 0.5, 0], [0, 0, 1]]
    joined = find_nearest(vectors, [1, 2, 3, 4, 5, 6], {0: 7, 1: 7, 2: 12})
    assert joined == {3: 12, 4: 7}  # the last face is like nobody


def test_two_faces_of_one_photo_are_not_one_person_unless_they_are_alike() -> None:
    vectors = [[1, 0, 0], [0, 1, 0], [0.72, 0.69, 0], [1, 0.01, 0]]
    assert find_nearest(vectors, [1, 2, 1, 1], {0: 7, 1: 12}) == {2: 12, 3: 7}
    assert find_nearest(vectors[:1] + vectors[2:3], [1, 1], {0: 7}) == {}
    # of two new faces of one photo, only the first joins
    assert find_nearest([[1, 0, 0], [0.9, 0.4, 0], [0.7, -0.7, 0]], [1, 2, 2], {0: 7}) == {1: 7}


def test_a_new_face_has_the_name_of_its_person_in_the_next_batch(tmp_path) -> None:
    drawn = Drawn(tmp_path)
    for seed, people in enumerate((("Maya",), ("Maya", "Kofi"), ("Kofi",)), 1):
        picture_of(*people, seed=seed)[0].save(drawn.photos / f"{seed}.png")

    def read_labels() -> dict[str, str]:
        with Store(drawn.config().milvus) as store:
            hits = list(store.read_all_rows(CollectionRef("album", "faces"), ["path", "label"]))
        return {hit.fields["path"]: hit.fields["label"] for hit in hits}

    def story() -> Story:
        yield
        picture_of("Maya", seed=9)[0].save(drawn.photos / "9.png")
        batch = yield
        assert (batch.new, batch.joined, batch.people) == (1, 1, "")
        labels = read_labels()
        assert labels["9.png"] == labels["1.png"] != ""
        picture_of("Zoë", seed=8)[0].save(drawn.photos / "8.png")
        batch = yield
        assert (batch.new, batch.joined) == (1, 0)
        batch = yield
        assert (batch.new, batch.people) == (0, "3 people")
        assert read_labels()["8.png"] == "person 3"

    run_watch(drawn.config(), story, cluster=6.0)
    assert len(read_paths(drawn.config())) == 5


def test_a_watch_that_must_not_cluster_only_joins_faces_to_people(tmp_path) -> None:
    drawn = Drawn(tmp_path)
    picture_of("Maya", seed=1)[0].save(drawn.photos / "1.png")
    drawn.detect()
    cluster_people(drawn.config(), drawn.dataset())
    picture_of("Maya", seed=2)[0].save(drawn.photos / "2.png")
    drawn.detect()  # as a watch that was killed before the face had joined

    def story() -> Story:
        batch = yield
        assert (batch.joined, batch.people) == (1, "")
        picture_of("Kofi", seed=3)[0].save(drawn.photos / "3.png")
        batch = yield
        assert (batch.new, batch.joined, batch.people) == (1, 0, "")
        time.sleep(1.0)  # a clustering would be due now
        picture_of("Maya", seed=4)[0].save(drawn.photos / "4.png")
        batch = yield
        assert (batch.new, batch.joined, batch.people) == (1, 1, "")

    run_watch(drawn.config("watch.cluster=false"), story, cluster=0.5)
    people = load_people(drawn.config(), drawn.dataset())
    assert (people.waiting, [len(person.rows) for person in people.persons]) == (1, [3])


def test_a_second_assignment_finds_nothing_and_other_settings_wait_for_a_clustering(tmp_path) -> None:
    drawn = Drawn(tmp_path)
    picture_of("Maya", seed=1)[0].save(drawn.photos / "1.png")
    drawn.detect()
    assert assign_new_faces(drawn.config(), drawn.dataset()) == 0  # there are no people yet
    cluster_people(drawn.config(), drawn.dataset())
    picture_of("Maya", seed=2)[0].save(drawn.photos / "2.png")
    drawn.detect()
    assert load_people(drawn.config(), drawn.dataset()).waiting == 1
    other = "faces.cluster_distance=0.6"
    assert assign_new_faces(drawn.config(other), drawn.dataset(other)) == 0
    assert assign_new_faces(drawn.config(), drawn.dataset()) == 1
    people = load_people(drawn.config(), drawn.dataset())
    assert (people.waiting, [len(person.rows) for person in people.persons]) == (0, [2])
    assert assign_new_faces(drawn.config(), drawn.dataset()) == 0


def test_photos_that_come_while_faces_are_clustered_come_first(tmp_path, monkeypatch) -> None:
    drawn = Drawn(tmp_path)
    picture_of("Maya", seed=1)[0].save(drawn.photos / "1.png")
    calls = []

    def cluster_slowly(config, dataset, progress):
        calls.append(progress)
        if len(calls) == 2:
            picture_of("Maya", seed=3)[0].save(drawn.photos / "3.png")
            for _ in range(600):
                progress(0)
                time.sleep(0.05)
        return cluster_people(config, dataset, progress)

    monkeypatch.setattr("imagesearch.workflow.watch.cluster_people", cluster_slowly)

    def story() -> Story:
        yield
        picture_of("Maya", seed=2)[0].save(drawn.photos / "2.png")
        batch = yield
        assert (batch.new, batch.people, len(calls)) == (1, "", 1)
        batch = yield
        assert (batch.new, batch.people, len(calls)) == (1, "", 2)
        batch = yield
        assert (batch.new, batch.people, len(calls)) == (0, "1 person", 3)

    run_watch(drawn.config(), story, cluster=1.0)
    assert read_paths(drawn.config()) == {"1.png", "2.png", "3.png"}
