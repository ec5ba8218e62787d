"""Metrics of rankings and clusterings, compared with known cases, scikit-learn and the plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, average_precision_score

from imagesearch.evaluate import compare_clusterings, compute_recall_at, interpolate_precision
from imagesearch.evaluate.metrics import compute_average_precision, compute_precision_at, compute_ranks

SEEDS = st.integers(0, 2**32 - 1)


# --- clusterings -------------------------------------------------------------------------------------------


def compute_bcubed_by_pairs(clusters: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return BCubed precision and recall by their definition, over all pairs of items."""
    together, alike = clusters[:, None] == clusters[None], truth[:, None] == truth[None]
    both = (together & alike).sum(axis=1)
    return (both / together.sum(axis=1)).mean(), (both / alike.sum(axis=1)).mean()


@pytest.mark.parametrize(
    ("clusters", "truth", "precision", "recall"),
    [
        ([7, 7, -3, -3], "aabb", 1, 1),
        ([0, 0, 0, 0], "aabb", 1 / 2, 1),
        ([0, 1, 2, 3], "aabb", 1, 1 / 2),
        ([0], "a", 1, 1),
        # cluster 0: a a b, cluster 1: b. Precision (2/3 + 2/3 + 1/3 + 1) / 4, recall (1 + 1 + 1/2 + 1/2) / 4
        ([0, 0, 0, 1], "aabb", 2 / 3, 3 / 4),
    ],
)
def test_bcubed_of_known_cases(clusters: list[int], truth: str, precision: float, recall: float) -> None:
    found = compare_clusterings(np.array(clusters), np.array(list(truth)))
    assert (found.precision, found.recall) == pytest.approx((precision, recall))
    assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_ari_is_one_for_perfect_agreement_and_zero_for_chance() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 3000)
    assert compare_clusterings(truth + 17, truth).ari == 1
    assert compare_clusterings(rng.permutation(truth), truth).ari == pytest.approx(0, abs=0.01)


@settings(deadline=None)
@given(SEEDS, st.integers(1, 60), st.integers(1, 12), st.integers(1, 12))
def test_bcubed_and_ari_agree_with_the_definitions(seed: int, n: int, clusters: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    found, truth = (
        rng.integers(-clusters, clusters, n),
        np.array(list("abcdefghijkl"))[rng.integers(classes, size=n)],
    )
    measured = compare_clusterings(found, truth)
    assert (measured.precision, measured.recall) == pytest.approx(compute_bcubed_by_pairs(found, truth))
    assert measured.ari == pytest.approx(adjusted_rand_score(truth, found))


# --- rankings ----------------------------------------------------------------------------------------------

RELEVANT = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]], bool)


def test_precision_at_k_of_known_rankings() -> None:
    assert compute_precision_at(RELEVANT, 1).tolist() == [1, 0, 0]
    assert compute_precision_at(RELEVANT, 3).tolist() == pytest.approx([2 / 3, 0, 2 / 3])
    # missing items count as not relevant
    assert compute_precision_at(RELEVANT, 10).tolist() == pytest.approx([0.2, 0, 0.3])


def test_average_precision_of_known_rankings() -> None:
    found = compute_average_precision(RELEVANT, np.array([2, 0, 6]))
    # (1/1 + 2/3) / 2; no relevant items; (1/2 + 2/3 + 3/4) / 6, where three are missing from the ranking
    assert found.tolist() == pytest.approx([5 / 6, 0, (1 / 2 + 2 / 3 + 3 / 4) / 6])


@settings(deadline=None)
@given(SEEDS, st.integers(1, 40))
def test_average_precision_is_that_of_scikit_learn(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    relevant = rng.random((3, n)) < 0.4
    relevant[:, rng.integers(n)] = True
    scores = -np.arange(n)
    theirs = [average_precision_score(row, scores) for row in relevant]
    assert compute_average_precision(relevant, relevant.sum(axis=1)).tolist() == pytest.approx(theirs)


def test_ranks_count_from_one_and_ties_count_against_the_relevant_item() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.3, 0.3, 0.3]])
    right = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0]], bool)
    assert compute_ranks(scores, right).tolist() == [1, 3, 2, 3]
    assert compute_ranks(np.full((1, 4), 0.5), np.ones((1, 4), bool)).tolist() == [1]


@settings(deadline=None)
@given(SEEDS, st.integers(1, 30))
def test_ranks_are_positions_in_the_sorted_order(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores, right = (
        rng.permuted(np.arange(2 * n).reshape(2, n), axis=1).astype(float),
        rng.random((2, n)) < 0.3,
    )
    right[:, 0] = True
    order = np.argsort(-scores, axis=1)
    assert (
        compute_ranks(scores, right).tolist()
        == (np.take_along_axis(right, order, axis=1).argmax(axis=1) + 1).tolist()
    )


def test_recall_at_k_counts_queries() -> None:
    found = np.array([1, 2, 6, 40])
    assert [compute_recall_at(found, k) for k in (1, 5, 10, 40)] == [0.25, 0.5, 0.75, 1]


@settings(deadline=None)
@given(SEEDS, st.integers(1, 12), st.integers(0, 4))
def test_interpolated_precision_is_the_best_at_each_recall_or_a_higher_one(
    seed: int, n: int, lost: int
) -> None:
    rng = np.random.default_rng(seed)
    relevant = rng.random((4, n)) < 0.4
    relevant[0, rng.integers(n)] = True
    total = relevant.sum(axis=1) + lost * relevant.any(axis=1)
    levels = np.linspace(0, 1, 11)

    def compute_naively(row: int, level: float) -> float:
        enough = [k for k in range(1, n + 1) if relevant[row, :k].sum() / total[row] >= level - 1e-9]
        return max((relevant[row, :k].mean() for k in enough), default=0.0)

    answerable = np.flatnonzero(total)
    expected = [np.mean([compute_naively(row, level) for row in answerable]) for level in levels]
    assert interpolate_precision(relevant, total, levels).tolist() == pytest.approx(expected)
