"""Exact average linkage of unit vectors without an all-pairs matrix; with must-link and cannot-link pairs.

Without constraints the labels are those of scikit-learn's `AgglomerativeClustering` with
``metric="cosine", linkage="average"`` and the same `distance_threshold`: average linkage is UPGMA [1]_.

The similarity of two clusters of unit vectors is their mean pairwise cosine, ``S_a . S_b / (n_a n_b)``, with
the sums S of their vectors. It is *reducible*: the similarity of a merged cluster to a third cluster is a
weighted mean of the similarities of its two parts, so it is never greater than the greater of them. Two facts
follow:

- The nearest-neighbour chain [2]_ is exact. It follows nearest neighbours until two clusters are each other's
  nearest, and merges these at once. The result is the same as that of always merging the nearest pair of all.
- A pair below the cut can be dropped. Only a merge with a cluster whose pair is above the cut can lift it
  above the cut again. So the row of neighbours of a cluster is short.

Rows are computed on demand, many in one matrix product with the clusters that are not settled yet. When too
many are cached, the least recently used ones are evicted. So memory is bounded, however many faces one person
has.

A forbidden pair has similarity minus infinity, and a merged cluster inherits the forbidden pairs of its
parts. The inequality above then still holds, so the chain still equals greedy merging. Like any agglomeration
under cannot-link constraints, it may stop although another order of merges would lead to fewer clusters [3]_.

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

# Two faces of one photo are of one person, twice in it, if their cosine distance is below this: the photo is
# a collage, or has a mirror. In the demo album different people of one photo have distances of at least 0.62,
# and two of three pairs of faces of one person, in any two photos, have less than 0.25.
ALIKE_DISTANCE = 0.25

_Merge = tuple[int, int, float]
"""One row of each of the two clusters, and their distance."""


def cluster_vectors(
    vectors: np.ndarray,
    distance: float,
    *,
    group: np.ndarray | None = None,
    cannot_link: Iterable[tuple[int, int]] = (),
    photo: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Cluster unit vectors by average linkage on the cosine distance, cut at a distance.

    Parameters
    ----------
    vectors
        (n, d) float32, rows of unit length.
    distance
        Clusters merge while their mean pairwise cosine distance is below it; 0 to 2.
    group
        (n,) int64. Must-link: rows with the same number are in one cluster. -1 means no group.
    cannot_link
        Pairs of groups that are never in one cluster. Numbers that are not in `group` are ignored.
    photo
        (n,) int64. Two rows of one photo are never in one cluster, unless they are in one group, or their
        distance is below `ALIKE_DISTANCE`: the same person twice, in a collage or a mirror. A chain of such
        rows in the photo counts too: the first and the last face of a strip can be less alike.
    progress
        Called repeatedly with the number of rows whose cluster is final.

    Returns
    -------
    np.ndarray
        (n,) int64, the cluster of each row, numbered from 0 in the order of their first rows.

    Raises
    ------
    ValueError
        If a shape or `distance` is invalid, a vector is not finite or not of unit length, or a group is
        paired with itself.

    Notes
    -----
    The docstring of this module describes the method and its sources.
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
    """Split a cluster by the cut at the largest distance that gives more than one cluster.

    Parameters
    ----------
    vectors
        (n, d) float32, the rows of the cluster.
    distance
        The largest distance to cut at, 0 to 2.
    group, cannot_link, photo
        As in `cluster_vectors`.

    Returns
    -------
    np.ndarray
        (n,) int64 labels, numbered as in `cluster_vectors`. The cut is the largest that gives at least two
        clusters of two or more rows each. If there is none, it is the largest that gives at least two
        clusters. If there is none either, all labels are 0.
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
        # a cut undoes all merges of one height together
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
    """Return the initial cluster of each row (the number of its first row), and the merges of the chain."""
    vectors = np.asarray(vectors, np.float32)
    if vectors.ndim != 2:
        raise ValueError(f"vectors: expected shape (n, d), got {vectors.shape}")
    if not 0 <= distance <= 2:
        raise ValueError(f"distance: expected a cosine distance between 0 and 2, got {distance}")
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if not np.isfinite(norms).all():
        raise ValueError("vectors: at least one is not finite")
    if (abs(norms - 1) > 1e-3).any():
        raise ValueError("vectors: at least one is not of unit length")
    initial = np.arange(len(vectors))
    first_rows: dict[int, int] = {}
    if group is not None:
        for row in np.flatnonzero(_check_integers(group, len(vectors), "group") >= 0).tolist():
            initial[row] = first_rows.setdefault(int(group[row]), row)
    if photo is not None:
        photo = _check_integers(photo, len(vectors), "photo")
    forbidden = _map_cannot_link(first_rows, cannot_link)
    if photo is not None and len(photo):
        _forbid_within_photos(forbidden, initial, photo, vectors)
    return initial, NearestNeighborChain(vectors, norms, initial, forbidden, distance).merge_all(progress)


def _check_integers(values: np.ndarray, count: int, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (count,) or not (np.issubdtype(values.dtype, np.integer) or count == 0):
        raise ValueError(f"{name}: expected {count} integers, got {values.dtype} of shape {values.shape}")
    return values


def _map_cannot_link(first_rows: dict[int, int], pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Return, by the initial cluster of each group, the clusters that it must never merge with."""
    forbidden: dict[int, set[int]] = {}
    for a, b in pairs:
        if a == b:
            raise ValueError(f"cannot_link: group {a} is paired with itself")
        if a in first_rows and b in first_rows:
            forbidden.setdefault(first_rows[a], set()).add(first_rows[b])
            forbidden.setdefault(first_rows[b], set()).add(first_rows[a])
    return forbidden


def _forbid_within_photos(
    forbidden: dict[int, set[int]], initial: np.ndarray, photo: np.ndarray, vectors: np.ndarray
) -> None:
    """Forbid merges of initial clusters that have faces in the same photo, unless these are alike."""
    order = np.argsort(photo, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(photo[order])) + 1):
        if len(rows) < 2:
            continue
        are_different = ~_connect(vectors[rows] @ vectors[rows].T > 1 - ALIKE_DISTANCE)
        for a, b in zip(*(initial[rows[side]].tolist() for side in np.nonzero(are_different)), strict=True):
            if a != b:
                forbidden.setdefault(a, set()).add(b)


def _connect(pairs: np.ndarray) -> np.ndarray:
    """Return, for a symmetric matrix of pairs, which rows are connected by a chain of pairs; (n, n) bool."""
    connected = pairs | np.eye(len(pairs), dtype=bool)
    while (longer := connected.astype(np.float32) @ connected > 0).sum() > connected.sum():
        connected = longer
    return connected


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
