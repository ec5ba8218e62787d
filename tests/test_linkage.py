"""Clustering: labels equal those of scikit-learn, constraints hold, and clusters are split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import AgglomerativeClustering

from imagesearch.faces import nn_chain
from imagesearch.faces.linkage import ALIKE_DISTANCE, cluster_vectors, split_cluster
from imagesearch_demo.scoring import make_face_vectors

SEEDS = st.integers(0, 2**32 - 1)


def is_same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two labellings are the same partition."""
    pairs = len(np.unique(np.stack([a, b]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


def cluster_with_scikit_learn(vectors: np.ndarray, distance: float, memory: Path | None = None) -> np.ndarray:
    model = AgglomerativeClustering(
        None, metric="cosine", linkage="average", distance_threshold=distance, memory=memory and str(memory)
    )
    return model.fit_predict(vectors)


def draw_sample(seed: int, count: int, dimension: int = 6) -> tuple[np.ndarray, np.random.Generator]:
    """Return random unit vectors around a few centres, and the random generator."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((count // 4 + 1, dimension))
    vectors = centres[rng.integers(0, len(centres), count)] + 0.7 * rng.standard_normal((count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), rng


def draw_constraints(rng: np.random.Generator, count: int) -> dict:
    """Return some rows in five groups, some pairs of groups, and photos of one to a few rows."""
    group = np.where(rng.random(count) < 0.3, rng.integers(0, 5, count), -1)
    pairs = [(a, b) for a in range(7) for b in range(a) if rng.random() < 0.2]
    return {"group": group, "cannot_link": pairs, "photo": rng.integers(0, max(1, count // 2), count)}


def find_forbidden(
    vectors: np.ndarray, group: np.ndarray, cannot_link: list, photo: np.ndarray
) -> np.ndarray:
    """Return, as an (n, n) array, whether two rows must not be in one cluster."""
    linked = (group[:, None] == group[None]) & (group[:, None] >= 0)
    pairs = [(group[:, None] == a) & (group[None] == b) for a, b in cannot_link]
    apart = np.logical_or.reduce([pair | pair.T for pair in pairs], initial=False)
    in_photo = photo[:, None] == photo[None]
    alike = in_photo & (vectors @ vectors.T > 1 - ALIKE_DISTANCE)
    _, strips = connected_components(alike, directed=False)
    alike = strips[:, None] == strips[None]
    return (in_photo & ~linked & ~alike & ~np.eye(len(group), dtype=bool)) | apart


def merge_greedily(
    vectors: np.ndarray, distance: float, group: np.ndarray, cannot_link: list, photo: np.ndarray
):
    """Merge the nearest allowed pair in the full matrix again and again: the reference for the chain."""
    forbidden = find_forbidden(vectors, group, cannot_link, photo)
    distances = 1 - vectors.astype(float) @ vectors.T.astype(float)
    clusters = [np.flatnonzero(group == g) for g in np.unique(group[group >= 0])]
    clusters += [np.array([row]) for row in np.flatnonzero(group < 0)]
    while True:
        best, pair = distance, None
        for i, a in enumerate(clusters):
            for j, b in enumerate(clusters[:i]):
                if not forbidden[np.ix_(a, b)].any() and (mean := distances[np.ix_(a, b)].mean()) < best:
                    best, pair = mean, (i, j)
        if pair is None:
            break
        clusters[pair[1]] = np.concatenate([clusters[pair[1]], clusters.pop(pair[0])])
    labels = np.empty(len(vectors), int)
    for i, rows in enumerate(clusters):
        labels[rows] = i
    return labels


# --- without constraints -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray]:
    return make_face_vectors(5000, 256, largest=700)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which scikit-learn caches its tree, so that each distance only cuts it."""
    return tmp_path_factory.mktemp("tree")


def test_the_synthetic_faces_are_hard_to_cluster(faces: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, person = faces
    sizes = np.bincount(person)
    assert sizes.min() == 1 and np.sort(sizes)[-3] > 100 and sizes.max() >= 700
    same, near = person[:, None] == person[None], vectors @ vectors.T > 0.4
    assert (near & ~same).any(axis=1).mean() > 0.4  # many faces have a neighbour of another person
    assert (near & ~same).sum(axis=1).max() > 100  # some faces have many such neighbours
    assert (near & same).sum() < 0.96 * same.sum()  # some faces of one person are not neighbours


@pytest.mark.parametrize("distance", [0.2, 0.45, 0.6, 0.7, 0.85])
def test_labels_equal_those_of_scikit_learn(
    faces: tuple[np.ndarray, np.ndarray], tree: Path, distance: float
) -> None:
    labels = cluster_vectors(faces[0], distance)
    assert 1 < labels.max() + 1 < 5000
    assert is_same_partition(labels, cluster_with_scikit_learn(faces[0], distance, tree))


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(2, 40), st.floats(0, 2))
def test_labels_of_few_vectors_equal_those_of_scikit_learn(seed: int, count: int, distance: float) -> None:
    vectors, _ = draw_sample(seed, count)
    assert is_same_partition(cluster_vectors(vectors, distance), cluster_with_scikit_learn(vectors, distance))


@pytest.mark.parametrize(
    "limits",
    [{"_BATCH_ROWS": 1}, {"_BATCH_ROWS": 7, "_MAX_CACHED": 3000}, {"_MAX_LOOKUPS": 0}, {"_MAX_CACHED": 0}],
)
def test_labels_do_not_depend_on_memory_limits(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, _ = make_face_vectors(700, 64, largest=200)
    expected = {distance: cluster_with_scikit_learn(vectors, distance) for distance in (0.5, 0.7, 1.1)}
    for name, value in limits.items():
        monkeypatch.setattr(nn_chain, name, value)
    for distance, labels in expected.items():
        assert is_same_partition(cluster_vectors(vectors, distance), labels)


def test_the_cache_of_rows_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = make_face_vectors(600, 64, largest=400)
    highest, cache_row = 0, nn_chain.NearestNeighborChain._cache_row

    def check_and_cache(
        self: nn_chain.NearestNeighborChain, cluster: int, row: nn_chain._NeighborRow
    ) -> None:
        nonlocal highest
        cache_row(self, cluster, row)
        assert self.cached_count == sum(len(row.ids) for row in self.rows.values())
        highest = max(highest, self.cached_count)

    monkeypatch.setattr(nn_chain, "_MAX_CACHED", 4000)
    monkeypatch.setattr(nn_chain.NearestNeighborChain, "_cache_row", check_and_cache)
    assert is_same_partition(cluster_vectors(vectors, 0.6), cluster_with_scikit_learn(vectors, 0.6))
    assert 2000 < highest <= 4000


def test_the_order_of_the_rows_does_not_matter(faces: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, order = faces[0][:3000], np.random.default_rng(1).permutation(3000)
    labels = cluster_vectors(vectors, 0.6)
    assert is_same_partition(cluster_vectors(vectors[order], 0.6), labels[order])


def test_labels_are_numbered_by_first_rows() -> None:
    labels = cluster_vectors(draw_sample(3, 40)[0], 0.4)
    _, first = np.unique(labels, return_index=True)
    assert labels.dtype == np.int64 and len(first) > 3
    assert (np.diff(first) > 0).all()


def test_copies_of_a_vector_are_one_cluster_unless_the_distance_is_0() -> None:
    vectors, _ = draw_sample(0, 10, dimension=32)
    copies = np.repeat(vectors, 80, axis=0)
    assert is_same_partition(cluster_vectors(copies, 1e-6), np.repeat(np.arange(10), 80))
    assert len(np.unique(cluster_vectors(copies, 0))) == 800


def test_the_smallest_and_largest_distance() -> None:
    vectors = np.array([[1, 0], [-1, 0], [0, 1], [1, 0]], np.float32)
    assert cluster_vectors(vectors, 0).tolist() == [0, 1, 2, 3]
    assert cluster_vectors(vectors, 1e-9).tolist() == [0, 1, 2, 0]
    # pairs at exactly the cut distance are not merged, as in scikit-learn
    assert cluster_vectors(vectors, 1).tolist() == [0, 1, 2, 0]
    assert cluster_vectors(vectors[:2], 2).tolist() == [0, 1]
    assert (
        cluster_vectors(vectors, 2).tolist() == cluster_with_scikit_learn(vectors, 2).tolist() == [0, 0, 0, 0]
    )


def test_the_first_of_equally_near_clusters_is_merged() -> None:
    middle = np.full((1, 4), 0.5, np.float32)
    assert cluster_vectors(np.concatenate([np.eye(4, dtype=np.float32), middle]), 0.6).tolist() == [
        0,
        1,
        2,
        3,
        0,
    ]


def test_no_vector_and_one_vector() -> None:
    for count in (0, 1):
        rules = {"group": np.zeros(count, int), "photo": np.zeros(count, int), "cannot_link": [(0, 1)]}
        vectors = np.eye(count, 512, dtype=np.float32)
        for labels in (cluster_vectors(vectors, 0.6, **rules), split_cluster(vectors, 0.6, **rules)):
            assert labels.tolist() == [0] * count and labels.dtype == np.int64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": np.ones(3, np.float32)}, "shape"),
        ({"vectors": np.full((3, 2), np.nan, np.float32)}, "finite"),
        ({"vectors": np.full((3, 2), np.inf, np.float32)}, "finite"),
        ({"vectors": np.zeros((3, 2), np.float32)}, "unit length"),
        ({"distance": -0.1}, "between 0 and 2"),
        ({"distance": 2.1}, "between 0 and 2"),
        ({"distance": float("nan")}, "between 0 and 2"),
        ({"group": np.zeros(2, int)}, "group"),
        ({"group": np.zeros(3)}, "group"),
        ({"photo": np.zeros((3, 1), int)}, "photo"),
        ({"cannot_link": [(1, 1)]}, "group 1 is paired with itself"),
    ],
)
def test_invalid_arguments_are_refused(changes: dict, message: str) -> None:
    valid = {"vectors": np.eye(3, dtype=np.float32), "distance": 0.5}
    with pytest.raises(ValueError, match=message):
        cluster_vectors(**valid | changes)


def test_progress_grows_to_the_number_of_rows() -> None:
    counts: list[int] = []
    cluster_vectors(make_face_vectors(500, 32)[0], 0.6, progress=counts.append)
    assert counts == sorted(counts) and counts[-1] == 500


# --- with constraints --------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(2, 30), st.floats(0.05, 2))
def test_constrained_labels_equal_those_of_greedy_merging(seed: int, count: int, distance: float) -> None:
    vectors, rng = draw_sample(seed, count)
    rules = draw_constraints(rng, count)
    assert is_same_partition(
        cluster_vectors(vectors, distance, **rules), merge_greedily(vectors, distance, **rules)
    )


@pytest.mark.parametrize("limits", [{}, {"_BATCH_ROWS": 3, "_MAX_CACHED": 500, "_MAX_LOOKUPS": 0}])
@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_no_constraint_is_ever_broken(limits: dict[str, int], seed: int) -> None:
    vectors, rng = draw_sample(seed, 250)
    rules = draw_constraints(rng, 250)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(nn_chain, name, value)
        labels = cluster_vectors(vectors, 1.2, **rules)
    together = labels[:, None] == labels[None]
    assert not (together & find_forbidden(vectors, **rules)).any()
    group = rules["group"]
    assert together[(group[:, None] == group[None]) & (group[:, None] >= 0)].all()


def make_directions(*degrees: float) -> np.ndarray:
    """Return unit vectors on a plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_only_a_group_can_have_two_different_rows_of_one_photo() -> None:
    photo, group = np.array([5, 5, 5, 6]), np.array([2, -1, 2, -1])
    different = make_directions(0, 45, -45, -10)  # the cosine distance of 45 degrees is 0.29
    assert cluster_vectors(different, 0.8, photo=photo, group=group).tolist() == [0, 1, 0, 0]
    alike = make_directions(0, 40, 40, 10)  # that of 40 degrees is 0.23
    assert cluster_vectors(alike, 0.5, photo=photo, group=group).tolist() == [0, 0, 0, 0]


def test_the_ends_of_a_strip_of_one_person_do_not_forbid_each_other() -> None:
    photo = np.array([1, 1, 1, 2, 3])
    strip = make_directions(0, 35, 70, -5, 75)  # 35 degrees are 0.18, 70 degrees 0.66
    assert cluster_vectors(strip, 0.9, photo=photo).tolist() == [0, 0, 0, 0, 0]
    two_people = make_directions(0, 70, -5, 75)
    assert cluster_vectors(two_people, 0.9, photo=photo[1:]).tolist() == [0, 1, 0, 1]


def test_one_person_twice_in_a_photo_leaves_other_photos_together() -> None:
    rng = np.random.default_rng(3)
    people = rng.standard_normal((6, 64))

    def draw_faces(who: np.ndarray, noise: float) -> np.ndarray:
        vectors = people[who] + noise * rng.standard_normal((len(who), 64))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    who = rng.integers(0, 6, 120)
    vectors, photo = draw_faces(who, 0.5), np.arange(120)
    plain = cluster_vectors(vectors, 0.5, photo=photo)
    doubled = np.repeat(np.arange(0, 120, 4), 3)  # each of these photos has the person four times
    copies = vectors[doubled] + 0.03 * rng.standard_normal((len(doubled), 64)).astype(np.float32)
    copies /= np.linalg.norm(copies, axis=1, keepdims=True)
    labels = cluster_vectors(np.concatenate([vectors, copies]), 0.5, photo=np.concatenate([photo, doubled]))
    assert is_same_partition(labels[:120], plain) and is_same_partition(labels[:120], who)
    assert (labels[120:] == labels[doubled]).all()


def test_a_cannot_link_pair_stays_apart_even_if_identical() -> None:
    vectors = np.tile(np.eye(1, 4, dtype=np.float32), (5, 1))
    group = np.array([7, -1, 9, 9, -1])
    labels = cluster_vectors(vectors, 2, group=group, cannot_link=[(9, 7), (7, 100), (100, 101)])
    assert labels[0] != labels[2] == labels[3] and set(labels) == {0, 1}


# --- splitting ---------------------------------------------------------------------------------------------


def test_a_split_finds_the_two_people_in_a_cluster() -> None:
    rng = np.random.default_rng(4)
    people = np.eye(2, 64) + 0.9 * np.eye(1, 64, 9)
    person = rng.integers(0, 2, 60)
    vectors = people[person] + 0.06 * rng.standard_normal((60, 64))
    vectors[-1] += 3 * np.eye(1, 64, 30)[0]  # similar to neither person, so it is split off first
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    assert len(np.unique(cluster_vectors(vectors, 0.9))) == 1
    labels = split_cluster(vectors, 0.9)
    assert is_same_partition(labels[:-1], person[:-1])
    assert len(np.unique(labels)) == 3


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 30), st.booleans())
def test_a_split_is_the_largest_cut_with_two_large_clusters(seed: int, count: int, constrained: bool) -> None:
    vectors, rng = draw_sample(seed, count)
    rules = draw_constraints(rng, count) if constrained else {}
    cuts = [cluster_vectors(vectors, cut, **rules) for cut in np.linspace(1.5, 0, 100)]

    def count_large(labels: np.ndarray) -> int:
        return (np.bincount(labels) > 1).sum()

    # the grid of cuts may miss the largest cut, but finds no cut if there is none
    found = split_cluster(vectors, 1.5, **rules)
    larger_cuts = [labels for labels in cuts if labels.max() < found.max()]
    assert not any(count_large(labels) > 1 for labels in larger_cuts)
    assert all(is_same_partition(labels, found) for labels in cuts if labels.max() == found.max())
    if count_large(found) < 2:
        assert not any(count_large(labels) > 1 for labels in cuts)
        assert not any(labels.max() > 0 for labels in larger_cuts)


def test_a_split_of_copies_and_of_a_group() -> None:
    copies = np.tile(np.eye(1, 4, dtype=np.float32), (3, 1))
    assert split_cluster(copies, 0.5).tolist() == [0, 1, 2]
    assert split_cluster(copies, 0.5, group=np.zeros(3, int)).tolist() == [0, 0, 0]
    assert split_cluster(copies, 0.5, group=np.array([1, 1, -1])).tolist() == [0, 0, 1]
