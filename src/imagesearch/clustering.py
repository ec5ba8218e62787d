"""Exact average linkage of unit vectors without an all-pairs matrix, with pairs that must or must not meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

# A float32 product of unit vectors is this exact at least; what lies closer together is compared in float64.
_SLACK = 4e-6
# Similarities in float64 that differ by less are equal: the cluster with the lowest row goes first.
_TIE = 1e-12
# Rows computed in one matrix product, and numbers that it may return: 128 MB.
_BATCH = 256
_CELLS = 32_000_000
# Neighbours kept at a time, at 4 to 12 bytes each. What falls out is computed again if it is needed.
_KEPT = 32_000_000
# A merge looks up at most this many similarities that it does not know; it bounds the others from above.
_LOOKED_UP = 1024
_FOREST = tuple[np.ndarray, list[tuple[int, int, float]]]


def average_linkage(
    vectors: np.ndarray,
    distance: float,
    *,
    group: np.ndarray | None = None,
    apart: Iterable[tuple[int, int]] = (),
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
    apart
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
        If shapes do not fit, a vector is not finite or not of unit length, or a group is apart from itself.

    Notes
    -----
    Without constraints the labels are those of scikit-learn's `AgglomerativeClustering` with
    ``metric="cosine", linkage="average"`` and this `distance_threshold`: average linkage is UPGMA [1]_.

    The mean pairwise cosine of two clusters of unit vectors is ``S_a . S_b / (n_a n_b)`` with their sums S.
    It is *reducible*: a merged cluster is as near to a third as the mean of its two parts is, so never nearer
    than the nearer of them. Two things follow. Following nearest neighbours until two clusters are each
    other's nearest, and merging these at once, gives what merging the nearest pair of all gives: the
    nearest-neighbour chain [2]_. And a pair below the cut can be forgotten, since nothing lifts it above
    the cut again but another pair that is above it: so a cluster's row of neighbours is short. Rows are computed
    on demand, many in one matrix product with the clusters not yet settled, and the least recently used
    are dropped when they are too many: memory is bounded however many faces one person has.

    A forbidden pair has similarity minus infinity, and what is merged inherits what was forbidden to its
    parts. The greatest of two and minus infinity keep the inequality above, so that the chain still equals
    greedy merging, which as any agglomeration under cannot-link constraints may end before it need [3]_.

    References
    ----------
    .. [1] R. R. Sokal and C. D. Michener, "A statistical method for evaluating systematic relationships",
       University of Kansas Science Bulletin 38, 1958.
    .. [2] F. Murtagh, "A survey of recent advances in hierarchical clustering algorithms", The Computer
       Journal 26(4), 1983.
    .. [3] I. Davidson and S. S. Ravi, "Agglomerative hierarchical clustering with constraints: theoretical
       and empirical results", PKDD 2005.
    """
    start, merges = _forest(vectors, distance, group, apart, photo, progress)
    return _labels(start, merges)


def tighter(
    vectors: np.ndarray,
    start: float,
    *,
    group: np.ndarray | None = None,
    apart: Iterable[tuple[int, int]] = (),
    photo: np.ndarray | None = None,
) -> np.ndarray:
    """Split a cluster at the loosest cut at which it falls apart.

    Parameters
    ----------
    vectors
        (n, d) float32, the cluster's rows.
    start
        The cut to come down from, 0 to 2.
    group, apart, photo
        As for `average_linkage`.

    Returns
    -------
    np.ndarray
        (n,) int64 labels, numbered as by `average_linkage`, at the loosest cut that gives two clusters of at
        least two rows each; where there is none, two clusters; where there is none either, all 0.
    """
    forest, merges = _forest(vectors, start, group, apart, photo, None)
    merges.sort(key=lambda merge: merge[2])
    parent = forest.copy()
    sizes = np.bincount(forest, minlength=len(forest))
    clusters, large = int((sizes > 0).sum()), int((sizes > 1).sum())
    best = (large > 1, clusters > 1, 0)
    for done, (a, b, height) in enumerate(merges, 1):
        a, b = _root(parent, a), _root(parent, b)
        large += 1 - int(sizes[a] > 1) - int(sizes[b] > 1)
        clusters -= 1
        parent[b] = a
        sizes[a] += sizes[b]
        # merges of one height are undone together by a cut
        if done == len(merges) or merges[done][2] > height + _TIE:
            best = max(best, (large > 1, clusters > 1, done))
    return _labels(forest, merges[: best[2]])


def _forest(
    vectors: np.ndarray,
    distance: float,
    group: np.ndarray | None,
    apart: Iterable[tuple[int, int]],
    photo: np.ndarray | None,
    progress: Callable[[int], None] | None,
) -> _FOREST:
    """The row that each row starts merged with, and the merges: two rows and the distance of their clusters."""
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
    start = np.arange(len(vectors))
    groups: dict[int, int] = {}
    if group is not None:
        for row in np.flatnonzero(_numbers(group, len(vectors), "group") >= 0).tolist():
            start[row] = groups.setdefault(int(group[row]), row)
    foes = _foes(start, groups, apart, None if photo is None else _numbers(photo, len(vectors), "photo"))
    return start, _Chain(vectors, norms, start, foes, distance).run(progress)


def _numbers(values: np.ndarray, count: int, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (count,) or not (np.issubdtype(values.dtype, np.integer) or count == 0):
        raise ValueError(f"{name}: {count} whole numbers are needed, not {values.dtype} {values.shape}")
    return values


def _foes(
    start: np.ndarray, groups: dict[int, int], apart: Iterable[tuple[int, int]], photo: np.ndarray | None
) -> dict[int, set[int]]:
    """For each start cluster, the ones that it may never meet."""
    foes: dict[int, set[int]] = {}
    for a, b in apart:
        if a == b:
            raise ValueError(f"group {a} is apart from itself")
        if a in groups and b in groups:
            foes.setdefault(groups[a], set()).add(groups[b])
            foes.setdefault(groups[b], set()).add(groups[a])
    if photo is None or not len(photo):
        return foes
    order = np.argsort(photo, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(photo[order])) + 1):
        together = set(start[rows].tolist()) if len(rows) > 1 else set()
        if len(together) > 1:
            for a in together:
                foes.setdefault(a, set()).update(together - {a})
    return foes


def _root(parent: np.ndarray, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row


def _labels(start: np.ndarray, merges: Sequence[tuple[int, int, float]]) -> np.ndarray:
    parent = start.copy()
    for a, b, _ in merges:
        parent[_root(parent, b)] = _root(parent, a)
    roots = np.fromiter((_root(parent, row) for row in range(len(parent))), np.int64, len(parent))
    _, first, inverse = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


@dataclass(slots=True)
class _Row:
    """A cluster's neighbours above the cut, as they were at a time."""

    ids: np.ndarray  # (k,) int32
    sims: np.ndarray  # (k,) float32 or float64
    time: int
    loose: bool = False  # some of the similarities are upper bounds


class _Chain:
    """The nearest-neighbour chain. A cluster goes by the number of one of its rows: of its larger part's."""

    def __init__(
        self,
        vectors: np.ndarray,
        norms: np.ndarray,
        start: np.ndarray,
        foes: dict[int, set[int]],
        distance: float,
    ) -> None:
        count = len(vectors)
        self.vectors, self.norms, self.foes, self.distance = vectors, norms, foes, distance
        self.cut = 1 - distance
        self.sums: dict[int, np.ndarray] = {}  # (d,) float64, of clusters with more than one row
        self.sizes = np.bincount(start, minlength=count)
        self.first = np.arange(count)
        self.parent = np.arange(count)
        for row in np.flatnonzero(self.sizes[start] > 1).tolist():
            self.sums[int(start[row])] = self.sums.get(int(start[row]), 0) + self._unit(row)
        # the clusters not yet settled: their numbers, their means, and where in these each cluster is
        self.slots = np.flatnonzero(self.sizes).astype(np.int32)
        self.means = vectors[self.slots] / norms[self.slots, None].astype(np.float32)
        for slot, total in self.sums.items():
            self.means[np.searchsorted(self.slots, slot)] = total / self.sizes[slot]
        self.place = np.full(count, -1, np.int32)
        self.place[self.slots] = np.arange(len(self.slots))
        self.live = len(self.slots)
        self.changed = np.zeros(count, np.int64)  # when each cluster last merged or was settled
        self.time = 0
        self.rows: dict[int, _Row] = {}  # the most recently used last
        self.kept = 0
        self.usual = 1.0  # neighbours in a row
        self.ahead = iter(self.slots.tolist())
        self.scratch = np.full(count, np.nan)
        self.merges: list[tuple[int, int, float]] = []

    def run(self, progress: Callable[[int], None] | None) -> list[tuple[int, int, float]]:
        settled = 0
        for first in self.slots.tolist():
            chain = [(first, -np.inf)] if self.place[first] >= 0 else []
            while chain:
                tip, link = chain[-1]
                near, similarity = self._nearest(tip, chain[-2][0] if len(chain) > 1 else -1)
                if len(chain) > 1 and similarity <= link + _TIE:
                    chain.pop()
                    merged = self._merge(chain.pop()[0], tip, link)
                    chain = chain or [(merged, -np.inf)]
                elif 1 - similarity < self.distance:
                    chain.append((near, similarity))
                else:
                    settled += int(self.sizes[tip])
                    self._settle(tip)
                    chain.pop()
                    if progress:
                        progress(settled)
        return self.merges

    # --- similarities --------------------------------------------------------------------------------------

    def _unit(self, row: int) -> np.ndarray:
        return self.vectors[row].astype(np.float64) / self.norms[row]

    def _mean(self, slot: int) -> np.ndarray:
        return self.sums[slot] / self.sizes[slot] if slot in self.sums else self._unit(slot)

    def _approximate(self, slot: int, ids: np.ndarray) -> np.ndarray:
        return self.means[self.place[ids]] @ self.means[self.place[slot]]

    def _nearest(self, tip: int, before: int) -> tuple[int, float]:
        """The nearest cluster and its similarity; -1 and minus infinity if there is none."""
        row = self._row(tip, before)
        if not len(row.ids):
            return -1, -np.inf
        if row.loose:
            self._tighten(tip, row)
        close = np.flatnonzero(row.sims >= row.sims.max() - _SLACK)
        if len(close) > 64:  # copies of one vector: any of them will do
            close = close[np.argsort(-row.sims[close], kind="stable")[:64]]
        ids = row.ids[close].tolist()
        mean = self._mean(tip)
        exact = [float(mean @ self._mean(other)) for other in ids]
        best = max(exact)
        ties = [other for other, value in zip(ids, exact, strict=True) if value >= best - _TIE]
        return min(ties, key=lambda other: self.first[other]), best

    def _tighten(self, tip: int, row: _Row) -> None:
        """Look up the similarities that may be the greatest."""
        count = 32
        while count < len(row.ids):
            top = np.argpartition(row.sims, -count)[-count:]
            least = row.sims[top].min()
            row.sims[top] = self._approximate(tip, row.ids[top])
            if row.sims[top].max() - _SLACK > least:
                return
            count *= 2
        row.sims[:] = self._approximate(tip, row.ids)
        row.loose = False

    # --- rows of neighbours --------------------------------------------------------------------------------

    def _row(self, slot: int, before: int = -1) -> _Row:
        """A cluster's neighbours as they are now; where they must be computed, those of likely others too."""
        row = self.rows.get(slot)
        if row is None:
            self._compute(self._batch(slot, before))
            row = self.rows[slot]
        stale = self.changed[row.ids] > row.time
        if stale.any():
            row = self._renewed(slot, row, stale)
        row.time = self.time
        self._keep(slot, row)
        return row

    def _renewed(self, slot: int, row: _Row, stale: np.ndarray) -> _Row:
        ids = row.ids[stale]
        while not np.array_equal(up := self.parent[ids], ids):
            ids = up
        ids = np.unique(ids[self.place[ids] >= 0])
        ids = self._allowed(slot, ids)
        sims = self._approximate(slot, ids)
        near = sims > self.cut - _SLACK
        return _Row(
            np.concatenate([row.ids[~stale], ids[near].astype(np.int32)]),
            np.concatenate([row.sims[~stale], sims[near]]),
            self.time,
            row.loose,
        )

    def _allowed(self, slot: int, ids: np.ndarray) -> np.ndarray:
        foes = self.foes.get(slot)
        if not foes:
            return ids
        return ids[np.fromiter((i not in foes for i in ids.tolist()), bool, len(ids))]

    def _keep(self, slot: int, row: _Row) -> None:
        self._drop(slot)
        self.rows[slot] = row
        self.kept += len(row.ids)
        while self.kept > _KEPT and len(self.rows) > 1:
            self._drop(next(iter(self.rows)))

    def _drop(self, slot: int) -> None:
        if (row := self.rows.pop(slot, None)) is not None:
            self.kept -= len(row.ids)

    def _batch(self, slot: int, before: int) -> list[int]:
        """A cluster and others whose rows will be asked for: near ones, and then the next in order."""
        room = int(min(_BATCH, _CELLS / len(self.means), _KEPT / 4 / self.usual))
        wanted = {slot: None}
        if (row := self.rows.get(before)) is not None:
            ids, sims = row.ids, row.sims
            top = np.argpartition(sims, -4 * room)[-4 * room :] if len(ids) > 4 * room > 0 else ...
            ids = ids[top][np.argsort(-sims[top], kind="stable")]
            fresh = (i for i in ids.tolist() if i not in self.rows and self.place[i] >= 0)
            wanted.update(dict.fromkeys(i for _, i in zip(range(room - 1), fresh, strict=False)))
        while len(wanted) < room and self.kept < _KEPT / 2:
            if (following := next(self.ahead, -1)) < 0:
                break
            if following not in self.rows and self.place[following] >= 0:
                wanted[following] = None
        return list(wanted)

    def _compute(self, wanted: list[int]) -> None:
        if self.live < 0.8 * len(self.means):
            alive = self.place[self.slots] == np.arange(len(self.slots))
            self.slots, self.means = self.slots[alive], self.means[alive]
            self.place[self.slots] = np.arange(len(self.slots))
        lines = self.means[self.place[wanted]] @ self.means.T
        total = 0
        for slot, line in zip(reversed(wanted), lines[::-1], strict=True):
            at = np.flatnonzero(line > self.cut - _SLACK)
            ids = self.slots[at]
            alive = (self.place[ids] == at) & (ids != slot)
            ids, at = ids[alive], at[alive]
            if slot in self.foes:
                ids = self._allowed(slot, ids)
                at = self.place[ids]
            self._keep(slot, _Row(ids, line[at], self.time))
            total += len(ids)
        self.usual = max(1.0, total / len(wanted))

    # --- changes -------------------------------------------------------------------------------------------

    def _merge(self, a: int, b: int, similarity: float) -> int:
        if (self.sizes[a], -self.first[a]) < (self.sizes[b], -self.first[b]):
            a, b = b, a
        rows = self._row(a), self._row(b)
        sizes = int(self.sizes[a]), int(self.sizes[b])
        self.merges.append((a, b, 1 - similarity))
        self.sums[a] = sizes[0] * self._mean(a) + sizes[1] * self._mean(b)
        self.sums.pop(b, None)
        self.sizes[a] += sizes[1]
        self.first[a] = min(self.first[a], self.first[b])
        self.parent[b] = a
        self.means[self.place[a]] = self.sums[a] / self.sizes[a]
        self._settle(b)
        self.changed[a] = self.time
        self._merge_foes(a, b)
        self._keep(a, self._merged_row(a, b, rows, sizes))
        return a

    def _settle(self, slot: int) -> None:
        self._drop(slot)
        self.place[slot] = -1
        self.live -= 1
        self.time += 1
        self.changed[slot] = self.time

    def _merge_foes(self, a: int, b: int) -> None:
        foes = self.foes.pop(b, set())
        for foe in foes:
            self.foes[foe].discard(b)
            self.foes[foe].add(a)
        if foes:
            self.foes.setdefault(a, set()).update(foes)

    def _merged_row(self, a: int, b: int, rows: tuple[_Row, _Row], sizes: tuple[int, int]) -> _Row:
        """The row of two merged: means of the similarities in both rows, those in one looked up or bounded."""
        (ids_a, sims_a), (ids_b, sims_b) = ((row.ids, row.sims) for row in rows)
        share = sizes[0] / sum(sizes), sizes[1] / sum(sizes)
        self.scratch[ids_b] = sims_b
        other = self.scratch[ids_a]
        both = ~np.isnan(other)
        self.scratch[ids_a] = np.nan
        only_b = ~np.isnan(self.scratch[ids_b])
        self.scratch[ids_b] = np.nan

        one = np.concatenate([ids_a[~both], ids_b[only_b]])
        bounds = np.concatenate(
            [share[0] * sims_a[~both] + share[1] * self.cut, share[1] * sims_b[only_b] + share[0] * self.cut]
        )
        near = (bounds > self.cut - _SLACK) & (one != a) & (one != b)
        one, bounds = one[near], bounds[near]
        if a in self.foes:
            self.scratch[one] = bounds
            one = self._allowed(a, one)
            bounds = self.scratch[one]
            self.scratch[ids_a] = self.scratch[ids_b] = np.nan
        few = len(one) <= _LOOKED_UP
        ids = np.concatenate([ids_a[both], one])
        sims = np.concatenate(
            [
                share[0] * sims_a[both].astype(np.float64) + share[1] * other[both],
                self._approximate(a, one) if few else bounds,
            ]
        )
        near = sims > self.cut - _SLACK
        return _Row(ids[near], sims[near], self.time, rows[0].loose or rows[1].loose or not few)
