"""Average linkage of unit vectors, exact without an all-pairs matrix, with must-link and cannot-link pairs.

Without constraints the labels are those of scikit-learn's `AgglomerativeClustering` with
``metric="cosine", linkage="average"`` and the same `distance_threshold`: average linkage is UPGMA [1]_.

The mean pairwise cosine of two clusters of unit vectors is ``S_a . S_b / (n_a n_b)`` with their sums S.
It is *reducible*: a merged cluster is as near to a third as the mean of its two parts is, so never nearer
than the nearer of them. Two things follow. Following nearest neighbours until two clusters are each
other's nearest, and merging these at once, gives what merging the nearest pair of all gives: the
nearest-neighbour chain [2]_. And a pair below the cut can be dropped, since nothing lifts it above
the cut again but another pair that is above it: so a cluster's row of neighbours is short. Rows are
computed on demand, many in one matrix product with the clusters not yet settled, and the least recently
used are dropped when they are too many: memory is bounded however many faces one person has.

A forbidden pair has similarity minus infinity, and a merged cluster inherits what was forbidden to its
parts. The greatest of two and minus infinity keep the inequality above, so that the chain still equals
greedy merging, which as any agglomeration under cannot-link constraints may end before it must [3]_.

.. [1] R. R. Sokal and C. D. Michener, "A statistical method for evaluating systematic relationships",
   University of Kansas Science Bulletin 38, 1958.
.. [2] F. Murtagh, "A survey of recent advances in hierarchical clustering algorithms", The Computer
   Journal 26(4), 1983.
.. [3] I. Davidson and S. S. Ravi, "Agglomerative hierarchical clustering with constraints: theoretical
   and empirical results", PKDD 2005.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from imagesearch.faces.nn_chain import TIE, NearestNeighborChain

_Merge = tuple[int, int, float]
"""A row of each of two clusters, and their distance."""


def average_linkage(
    vectors: np.ndarray,
    distance: float,
    *,
    group: np.ndarray | None = None,
    cannot_link: Iterable[tuple[int, int]] = (),
    photo: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Cluster unit vectors by average linkage on cosine distance, cut at a distance.

    Parameters
    ----------
    vectors
        (n, d) float32, rows of unit length.
    distance
        Clusters merge while their mean pairwise cosine distance is below it; 0 to 2.
    group
        (n,) int64. Rows of the same number start merged, except -1: free.
    cannot_link
        Pairs of groups that never share a cluster. Numbers that are not in `group` are ignored.
    photo
        (n,) int64. Two rows of one photo never share a cluster, unless they are of one group.
    progress
        Called now and then with the number of rows whose cluster is settled.

    Returns
    -------
    np.ndarray
        (n,) int64, the cluster of each row, numbered from 0 in the order of their first rows.

    Raises
    ------
    ValueError
        If shapes do not fit, a vector is not finite or not of unit length, or a group is in a pair with
        itself.

    Notes
    -----
    The method and its sources are in the docstring of this module.
    """
    initial, merges = _link_clusters(vectors, distance, group, cannot_link, photo, progress)
    return _label_clusters(initial, merges)


def split_cluster(
    vectors: np.ndarray,
    distance: float,
    *,
    group: np.ndarray | None = None,
    cannot_link: Iterable[tuple[int, int]] = (),
    photo: np.ndarray | None = None,
) -> np.ndarray:
    """Split a cluster at the largest distance at which it falls apart.

    Parameters
    ----------
    vectors
        (n, d) float32, the cluster's rows.
    distance
        The largest distance to cut at, 0 to 2.
    group, cannot_link, photo
        As for `average_linkage`.

    Returns
    -------
    np.ndarray
        (n,) int64 labels, numbered as by `average_linkage`, at the largest cut that gives two clusters of at
        least two rows each; where there is none, two clusters; where there is none either, all 0.
    """
    initial, merges = _link_clusters(vectors, distance, group, cannot_link, photo, None)
    merges.sort(key=lambda merge: merge[2])
    parent = initial.copy()
    sizes = np.bincount(initial, minlength=len(initial))
    clusters, large = int((sizes > 0).sum()), int((sizes > 1).sum())
    best = (large > 1, clusters > 1, 0)
    for done, (a, b, height) in enumerate(merges, 1):
        a, b = _find_root(parent, a), _find_root(parent, b)
        large += 1 - int(sizes[a] > 1) - int(sizes[b] > 1)
        clusters -= 1
        parent[b] = a
        sizes[a] += sizes[b]
        # merges of one height are undone together by a cut
        if done == len(merges) or merges[done][2] > height + TIE:
            best = max(best, (large > 1, clusters > 1, done))
    return _label_clusters(initial, merges[: best[2]])


def _link_clusters(
    vectors: np.ndarray,
    distance: float,
    group: np.ndarray | None,
    cannot_link: Iterable[tuple[int, int]],
    photo: np.ndarray | None,
    progress: Callable[[int], None] | None,
) -> tuple[np.ndarray, list[_Merge]]:
    """Return the row that names the cluster each row starts in, and the merges in the order of the chain."""
    vectors = np.asarray(vectors, np.float32)
    if vectors.ndim != 2:
        raise ValueError(f"vectors of shape {vectors.shape}, not (n, d)")
    if not 0 <= distance <= 2:
        raise ValueError(f"a cosine distance is between 0 and 2, not {distance}")
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if not np.isfinite(norms).all():
        raise ValueError("a vector is not finite")
    if (abs(norms - 1) > 1e-3).any():
        raise ValueError("a vector is not of unit length")
    initial = np.arange(len(vectors))
    first_rows: dict[int, int] = {}
    if group is not None:
        for row in np.flatnonzero(_check_integers(group, len(vectors), "group") >= 0).tolist():
            initial[row] = first_rows.setdefault(int(group[row]), row)
    if photo is not None:
        photo = _check_integers(photo, len(vectors), "photo")
    forbidden = _map_cannot_link(first_rows, cannot_link)
    if photo is not None and len(photo):
        _forbid_within_photos(forbidden, initial, photo)
    return initial, NearestNeighborChain(vectors, norms, initial, forbidden, distance).merge_all(progress)


def _check_integers(values: np.ndarray, count: int, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (count,) or not (np.issubdtype(values.dtype, np.integer) or count == 0):
        raise ValueError(f"{name}: {count} whole numbers are needed, not {values.dtype} {values.shape}")
    return values


def _map_cannot_link(first_rows: dict[int, int], pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Return the clusters that each group's initial cluster may never merge with."""
    forbidden: dict[int, set[int]] = {}
    for a, b in pairs:
        if a == b:
            raise ValueError(f"group {a} is apart from itself")
        if a in first_rows and b in first_rows:
            forbidden.setdefault(first_rows[a], set()).add(first_rows[b])
            forbidden.setdefault(first_rows[b], set()).add(first_rows[a])
    return forbidden


def _forbid_within_photos(forbidden: dict[int, set[int]], initial: np.ndarray, photo: np.ndarray) -> None:
    """Add to the forbidden merges those of two initial clusters with faces in one photo."""
    order = np.argsort(photo, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(photo[order])) + 1):
        clusters = set(initial[rows].tolist()) if len(rows) > 1 else set()
        if len(clusters) > 1:
            for cluster in clusters:
                forbidden.setdefault(cluster, set()).update(clusters - {cluster})


def _find_root(parent: np.ndarray, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row


def _label_clusters(initial: np.ndarray, merges: Sequence[_Merge]) -> np.ndarray:
    parent = initial.copy()
    for a, b, _ in merges:
        parent[_find_root(parent, b)] = _find_root(parent, a)
    roots = np.fromiter((_find_root(parent, row) for row in range(len(parent))), np.int64, len(parent))
    _, first, inverse = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)
