"""How good a ranking or a clustering is: the field's standard metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CUTOFFS = (1, 5, 10)
"""The cut-offs k at which evaluations give precision and recall."""


@dataclass(frozen=True)
class ClusteringScores:
    """How well clusters agree with the truth.

    Attributes
    ----------
    precision, recall, f1
        BCubed: averaged over items, how much of an item's cluster is of its class, how much of its class is
        in its cluster, and their harmonic mean of the averages.
    ari
        The Rand index, adjusted for chance: 1 is the truth, 0 is chance.
    """

    precision: float
    recall: float
    f1: float
    ari: float


def compare_clusterings(clusters: np.ndarray, truth: np.ndarray) -> ClusteringScores:
    """Compare clusters with true classes.

    Parameters
    ----------
    clusters, truth : (n,) of any labels
        Of each item; at least one.

    References
    ----------
    Amigó, Gonzalo, Artiles and Verdejo, "A comparison of extrinsic clustering evaluation metrics based on
    formal constraints", Information Retrieval 12, 2009 (BCubed). Hubert and Arabie, "Comparing partitions",
    Journal of Classification 2, 1985 (ARI).
    """
    from sklearn.metrics import adjusted_rand_score
    from sklearn.metrics.cluster import contingency_matrix

    # items of class i in cluster j; each of them shares its cluster and class with all of them
    shared = contingency_matrix(truth, clusters, sparse=True).astype(np.float64)
    squares = shared.multiply(shared)
    n = shared.sum()
    of_cluster, of_class = np.asarray(shared.sum(axis=0)).ravel(), np.asarray(shared.sum(axis=1)).ravel()
    precision = float((np.asarray(squares.sum(axis=0)).ravel() / of_cluster).sum() / n)
    recall = float((np.asarray(squares.sum(axis=1)).ravel() / of_class).sum() / n)
    f1 = 2 * precision * recall / (precision + recall)
    return ClusteringScores(precision, recall, f1, float(adjusted_rand_score(truth, clusters)))


def compute_precision_at(relevant: np.ndarray, k: int) -> np.ndarray:
    """Return the share of relevant items among the first ``k`` of each ranking.

    Parameters
    ----------
    relevant : (queries, n) bool
        Whether each ranked item is, the best first.
    k
        Items that are missing because a ranking is shorter count as not relevant.

    Returns
    -------
    (queries,) float64
    """
    return relevant[:, :k].sum(axis=1) / k


def compute_average_precision(relevant: np.ndarray, relevant_counts: np.ndarray) -> np.ndarray:
    """Return the mean, over all relevant items of a query, of the precision where each of them stands.

    Only the order counts: items of equal score are taken in the order in which they were shown.

    Parameters
    ----------
    relevant : (queries, n) bool
        Whether each ranked item is, the best first.
    relevant_counts : (queries,) int
        How many relevant items there are; those that were not found count as precision 0.

    Returns
    -------
    (queries,) float64
        Their mean is mAP (Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, 8.4).
    """
    places = np.arange(1, relevant.shape[1] + 1)
    precisions = np.cumsum(relevant, axis=1) / places
    return (precisions * relevant).sum(axis=1) / np.maximum(relevant_counts, 1)


def compute_ranks(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return where the first relevant item of each query stands, counted from 1.

    Other items of equal score count before it: a model that gives everything the same score must not look
    perfect.

    Parameters
    ----------
    scores, relevant : (queries, n) float and bool
        Of each item; at least one of each query is relevant.

    Returns
    -------
    (queries,) int64
    """
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    return 1 + ((scores >= best) & ~relevant).sum(axis=1)


def compute_recall_at(ranks: np.ndarray, k: int) -> float:
    """Return the share of the queries whose first relevant item is among the first ``k``."""
    return float(np.mean(ranks <= k))


def interpolate_precision(
    relevant: np.ndarray, relevant_counts: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Return the precision at some levels of recall, averaged over queries; for a precision-recall curve.

    At each level it is the best precision at that recall or a larger one.

    Parameters
    ----------
    relevant, relevant_counts
        As for `compute_average_precision`; queries without relevant items are left out.
    levels : (m,) float64
        Of recall, 0 to 1.

    Returns
    -------
    (m,) float64

    References
    ----------
    Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, 8.4.
    """
    answerable = relevant_counts > 0
    curves = np.zeros((np.count_nonzero(answerable), len(levels)))
    rankings = zip(relevant[answerable], relevant_counts[answerable], strict=True)
    for row, (is_relevant, count) in enumerate(rankings):
        found = np.cumsum(is_relevant)
        precision = found / np.arange(1, len(is_relevant) + 1)
        best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
        # each level takes so many items, and so far down they stand
        places = np.searchsorted(found, np.ceil(levels * count - 1e-9))
        reached = places < len(found)
        curves[row, reached] = best_from_here[places[reached]]
    return curves.mean(axis=0)
