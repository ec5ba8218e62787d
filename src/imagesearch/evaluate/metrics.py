"""Metrics of rankings (precision@k, recall@k, mAP) and of clusterings (BCubed, ARI)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CUTOFFS = (1, 5, 10)
"""The cutoffs k of precision@k and recall@k."""


@dataclass(frozen=True)
class ClusteringScores:
    """Agreement of clusters with the ground truth.

    Attributes
    ----------
    precision, recall, f1
        BCubed precision is the share of an item's cluster that belongs to its class, and BCubed recall the
        share of its class that is in its cluster; both are means over all items. F1 is their harmonic mean.
    ari
        The adjusted Rand index: 1 for perfect agreement, 0 for chance.
    """

    precision: float
    recall: float
    f1: float
    ari: float


def compare_clusterings(clusters: np.ndarray, truth: np.ndarray) -> ClusteringScores:
    """Compare clusters with the ground truth.

    Parameters
    ----------
    clusters, truth : (n,) of any labels
        The cluster and the true class of each item; at least one item.

    References
    ----------
    Amigó, Gonzalo, Artiles and Verdejo, "A comparison of extrinsic clustering evaluation metrics based on
    formal constraints", Information Retrieval 12, 2009 (BCubed). Hubert and Arabie, "Comparing partitions",
    Journal of Classification 2, 1985 (ARI).
    """
    from sklearn.metrics import adjusted_rand_score
    from sklearn.metrics.cluster import contingency_matrix

    # number of items of class i in cluster j: each of them shares its class and cluster with that many items
    shared = contingency_matrix(truth, clusters, sparse=True).astype(np.float64)
    squares = shared.multiply(shared)
    n = shared.sum()
    cluster_sizes, class_sizes = (
        np.asarray(shared.sum(axis=0)).ravel(),
        np.asarray(shared.sum(axis=1)).ravel(),
    )
    precision = float((np.asarray(squares.sum(axis=0)).ravel() / cluster_sizes).sum() / n)
    recall = float((np.asarray(squares.sum(axis=1)).ravel() / class_sizes).sum() / n)
    f1 = 2 * precision * recall / (precision + recall)
    return ClusteringScores(precision, recall, f1, float(adjusted_rand_score(truth, clusters)))


def compute_precision_at(relevant: np.ndarray, k: int) -> np.ndarray:
    """Return precision@k: the share of relevant items among the first ``k`` of each ranking.

    Parameters
    ----------
    relevant : (queries, n) bool
        Whether each item of the ranking is relevant, best first.
    k
        The cutoff. If a ranking has fewer than ``k`` items, the missing ones count as not relevant.

    Returns
    -------
    (queries,) float64
    """
    return relevant[:, :k].sum(axis=1) / k


def compute_average_precision(relevant: np.ndarray, relevant_counts: np.ndarray) -> np.ndarray:
    """Return the average precision: the mean of the precisions at the ranks of a query's relevant items.

    Only the order of the ranking counts: tied scores are not treated specially.

    Parameters
    ----------
    relevant : (queries, n) bool
        Whether each item of the ranking is relevant, best first.
    relevant_counts : (queries,) int
        The number of relevant items of each query. Those missing from the ranking count as precision 0.

    Returns
    -------
    (queries,) float64
        Its mean is mAP.

    References
    ----------
    Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, 8.4.
    """
    ranks = np.arange(1, relevant.shape[1] + 1)
    precisions = np.cumsum(relevant, axis=1) / ranks
    return (precisions * relevant).sum(axis=1) / np.maximum(relevant_counts, 1)


def compute_ranks(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return the rank of the first relevant item of each query, counted from 1.

    Ties count against it: items with the same score that are not relevant rank before it. Otherwise a model
    that gives all items the same score would look perfect.

    Parameters
    ----------
    scores, relevant : (queries, n) float and bool
        The score of each item, and whether it is relevant. Each query has at least one relevant item.

    Returns
    -------
    (queries,) int64
    """
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    return 1 + ((scores >= best) & ~relevant).sum(axis=1)


def compute_recall_at(ranks: np.ndarray, k: int) -> float:
    """Return recall@k: the share of queries whose first relevant item is among the first ``k``."""
    return float(np.mean(ranks <= k))


def interpolate_precision(
    relevant: np.ndarray, relevant_counts: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Return the interpolated precision at given levels of recall, averaged over queries.

    The interpolated precision at a level is the highest precision at that recall or a higher one.

    Parameters
    ----------
    relevant, relevant_counts
        As for `compute_average_precision`; queries without relevant items are left out.
    levels : (m,) float64
        Levels of recall, from 0 to 1.

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
        # the position in the ranking at which each level of recall is reached
        positions = np.searchsorted(found, np.ceil(levels * count - 1e-9))
        reached = positions < len(found)
        curves[row, reached] = best_from_here[positions[reached]]
    return curves.mean(axis=0)
