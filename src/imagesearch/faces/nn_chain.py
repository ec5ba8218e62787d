"""The nearest-neighbour chain of average linkage, with rows of neighbours that are computed on demand.

The docstring of ``linkage.py`` describes the method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Maximum error of a float32 product of unit vectors. Smaller differences are compared in float64.
_SLACK = 4e-6
# Similarities in float64 that differ by less are equal. Of equal ones, the lowest cluster number is taken.
TIE = 1e-12
# Maximum number of rows that one matrix product computes, and of the values that it returns (128 MB).
_BATCH_ROWS = 128
_MAX_CELLS = 32_000_000
# Maximum number of neighbours in the cache, 4 to 12 bytes each. Evicted rows are computed again if needed.
_MAX_CACHED = 32_000_000
# Maximum number of similarities that a merge of two rows computes where one row lacks them. If more are
# lacking, the merged row has upper bounds in their place.
_MAX_LOOKUPS = 1024


@dataclass(slots=True)
class _NeighborRow:
    """The neighbours of a cluster above the cut, in one version of the clusters."""

    ids: np.ndarray  # (k,) int32
    similarities: np.ndarray  # (k,) float32 or float64
    version: int
    loose: bool = False  # whether some similarities are only upper bounds


class NearestNeighborChain:
    """The nearest-neighbour chain.

    The number of a cluster is that of one of its rows. A merged cluster keeps the number of its larger part.

    Parameters
    ----------
    vectors, norms
        (n, d) float32, and the lengths of the rows, (n,) float64.
    initial
        (n,) int64, the number of each row's initial cluster.
    cannot_link
        By cluster, the clusters that it must never merge with; symmetric. Changed in place.
    distance
        The cosine distance below which clusters merge.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        norms: np.ndarray,
        initial: np.ndarray,
        cannot_link: dict[int, set[int]],
        distance: float,
    ) -> None:
        count = len(vectors)
        self.vectors, self.norms, self.cannot_link, self.distance = vectors, norms, cannot_link, distance
        self.cut = 1 - distance
        self.sums: dict[int, np.ndarray] = {}  # (d,) float64, only for clusters with more than one row
        self.sizes = np.bincount(initial, minlength=count)
        self.parent = np.arange(count)
        for row in np.flatnonzero(self.sizes[initial] > 1).tolist():
            self.sums[int(initial[row])] = self.sums.get(int(initial[row]), 0) + self._get_unit_vector(row)
        # clusters that are not settled: their numbers, their means, and the position of each cluster in both
        self.clusters = np.flatnonzero(self.sizes).astype(np.int32)
        self.means = vectors[self.clusters] / norms[self.clusters, None].astype(np.float32)
        for cluster, total in self.sums.items():
            self.means[np.searchsorted(self.clusters, cluster)] = total / self.sizes[cluster]
        self.position = np.full(count, -1, np.int32)
        self.position[self.clusters] = np.arange(len(self.clusters))
        self.active_count = len(self.clusters)
        # the version in which each cluster was last merged or settled
        self.changed = np.zeros(count, np.int64)
        self.version = 0  # incremented by every merge and every settled cluster
        self.rows: dict[int, _NeighborRow] = {}  # the cache, the most recently used row last
        self.cached_count = 0
        self.mean_length = 1.0  # mean number of neighbours in the last computed rows
        self.upcoming = iter(self.clusters.tolist())
        self.scratch = np.full(count, np.nan)
        self.merges: list[tuple[int, int, float]] = []

    def merge_all(self, progress: Callable[[int], None] | None) -> list[tuple[int, int, float]]:
        """Return all merges: the number that is kept, the one that is removed, and their distance."""
        settled = 0
        for first in self.clusters.tolist():
            # each cluster with its similarity to the previous one
            chain = [(first, -np.inf)] if self.position[first] >= 0 else []
            while chain:
                tip, link = chain[-1]
                near, similarity = self._find_nearest(tip, chain[-2][0] if len(chain) > 1 else -1)
                if len(chain) > 1 and similarity <= link + TIE:
                    chain.pop()
                    merged = self._merge_clusters(chain.pop()[0], tip, link)
                    chain = chain or [(merged, -np.inf)]
                elif max(0.0, 1 - similarity) < self.distance:  # the similarity of copies may round above 1
                    chain.append((near, similarity))
                else:
                    settled += int(self.sizes[tip])
                    self._settle_cluster(tip)
                    chain.pop()
                if progress:
                    progress(settled)
        return self.merges

    # --- similarities --------------------------------------------------------------------------------------

    def _get_unit_vector(self, row: int) -> np.ndarray:
        return self.vectors[row].astype(np.float64) / self.norms[row]

    def _get_mean_vector(self, cluster: int) -> np.ndarray:
        return (
            self.sums[cluster] / self.sizes[cluster]
            if cluster in self.sums
            else self._get_unit_vector(cluster)
        )

    def _approximate_similarities(self, cluster: int, ids: np.ndarray) -> np.ndarray:
        return self.means[self.position[ids]] @ self.means[self.position[cluster]]

    def _find_nearest(self, tip: int, before: int) -> tuple[int, float]:
        """Return the nearest cluster and its similarity, or -1 and minus infinity if there is none."""
        row = self._get_row(tip, before)
        if not len(row.ids):
            return -1, -np.inf
        if row.loose:
            self._tighten_row(tip, row)
        close = np.flatnonzero(row.similarities >= row.similarities.max() - _SLACK)
        if len(close) > 64:  # these are copies of one vector, so any of them can be taken
            close = close[np.argsort(-row.similarities[close], kind="stable")[:64]]
        ids = row.ids[close].tolist()
        mean = self._get_mean_vector(tip)
        exact = [float(mean @ self._get_mean_vector(other)) for other in ids]
        best = max(exact)
        return min(other for other, value in zip(ids, exact, strict=True) if value >= best - TIE), best

    def _tighten_row(self, tip: int, row: _NeighborRow) -> None:
        """Compute the similarities that may be the greatest, in place of their upper bounds."""
        count = 32
        while count < len(row.ids):
            top = np.argpartition(row.similarities, -count)[-count:]
            least = row.similarities[top].min()
            row.similarities[top] = self._approximate_similarities(tip, row.ids[top])
            if row.similarities[top].max() - _SLACK > least:
                return
            count *= 2
        row.similarities[:] = self._approximate_similarities(tip, row.ids)
        row.loose = False

    # --- rows of neighbours --------------------------------------------------------------------------------

    def _get_row(self, cluster: int, before: int = -1) -> _NeighborRow:
        """Return the current neighbours of a cluster. Rows that will probably be needed are computed too."""
        row = self.rows.get(cluster)
        if row is None:
            self._compute_rows(self._choose_batch(cluster, before))
            row = self.rows[cluster]
        stale = self.changed[row.ids] > row.version
        if stale.any():
            row = self._refresh_row(cluster, row, stale)
        row.version = self.version
        self._cache_row(cluster, row)
        return row

    def _refresh_row(self, cluster: int, row: _NeighborRow, stale: np.ndarray) -> _NeighborRow:
        ids = row.ids[stale]
        while not np.array_equal(parents := self.parent[ids], ids):
            ids = parents
        ids = np.unique(ids[self.position[ids] >= 0])
        ids = self._drop_forbidden(cluster, ids)
        similarities = self._approximate_similarities(cluster, ids)
        near = similarities > self.cut - _SLACK
        return _NeighborRow(
            np.concatenate([row.ids[~stale], ids[near].astype(np.int32)]),
            np.concatenate([row.similarities[~stale], similarities[near]]),
            self.version,
            row.loose,
        )

    def _drop_forbidden(self, cluster: int, ids: np.ndarray) -> np.ndarray:
        forbidden = self.cannot_link.get(cluster)
        if not forbidden:
            return ids
        return ids[np.fromiter((i not in forbidden for i in ids.tolist()), bool, len(ids))]

    def _cache_row(self, cluster: int, row: _NeighborRow) -> None:
        self._evict_row(cluster)
        self.rows[cluster] = row
        self.cached_count += len(row.ids)
        while self.cached_count > _MAX_CACHED and len(self.rows) > 1:
            self._evict_row(next(iter(self.rows)))

    def _evict_row(self, cluster: int) -> None:
        if (row := self.rows.pop(cluster, None)) is not None:
            self.cached_count -= len(row.ids)

    def _choose_batch(self, cluster: int, before: int) -> list[int]:
        """Return a cluster and others whose rows will be needed: near ones, then the next ones in order."""
        size = int(min(_BATCH_ROWS, _MAX_CELLS / len(self.means), _MAX_CACHED / 4 / self.mean_length))
        batch = {cluster: None}
        if (row := self.rows.get(before)) is not None:
            ids, similarities = row.ids, row.similarities
            top = np.argpartition(similarities, -4 * size)[-4 * size :] if len(ids) > 4 * size > 0 else ...
            ids = ids[top][np.argsort(-similarities[top], kind="stable")]
            fresh = (i for i in ids.tolist() if i not in self.rows and self.position[i] >= 0)
            batch.update(dict.fromkeys(i for _, i in zip(range(size - 1), fresh, strict=False)))
        while len(batch) < size and self.cached_count < _MAX_CACHED / 2:
            if (following := next(self.upcoming, -1)) < 0:
                break
            if following not in self.rows and self.position[following] >= 0:
                batch[following] = None
        return list(batch)

    def _compute_rows(self, batch: list[int]) -> None:
        if self.active_count < 0.8 * len(self.means):
            active = self.position[self.clusters] == np.arange(len(self.clusters))
            self.clusters, self.means = self.clusters[active], self.means[active]
            self.position[self.clusters] = np.arange(len(self.clusters))
        products = self.means[self.position[batch]] @ self.means.T
        total = 0
        for cluster, similarities in zip(reversed(batch), products[::-1], strict=True):
            positions = np.flatnonzero(similarities > self.cut - _SLACK)
            ids = self.clusters[positions]
            active = (self.position[ids] == positions) & (ids != cluster)
            ids, positions = ids[active], positions[active]
            if cluster in self.cannot_link:
                ids = self._drop_forbidden(cluster, ids)
                positions = self.position[ids]
            self._cache_row(cluster, _NeighborRow(ids, similarities[positions], self.version))
            total += len(ids)
        self.mean_length = max(1.0, total / len(batch))

    # --- changes -------------------------------------------------------------------------------------------

    def _merge_clusters(self, a: int, b: int, similarity: float) -> int:
        if (self.sizes[a], -a) < (self.sizes[b], -b):
            a, b = b, a
        rows = self._get_row(a), self._get_row(b)
        sizes = int(self.sizes[a]), int(self.sizes[b])
        self.merges.append((a, b, 1 - similarity))
        self.sums[a] = sizes[0] * self._get_mean_vector(a) + sizes[1] * self._get_mean_vector(b)
        self.sums.pop(b, None)
        self.sizes[a] += sizes[1]
        self.parent[b] = a
        self.means[self.position[a]] = self.sums[a] / self.sizes[a]
        self._settle_cluster(b)
        self.changed[a] = self.version
        self._merge_cannot_link(a, b)
        self._cache_row(a, self._merge_rows(a, b, rows, sizes))
        return a

    def _settle_cluster(self, cluster: int) -> None:
        self._evict_row(cluster)
        self.position[cluster] = -1
        self.active_count -= 1
        self.version += 1
        self.changed[cluster] = self.version

    def _merge_cannot_link(self, a: int, b: int) -> None:
        forbidden = self.cannot_link.pop(b, set())
        for other in forbidden:
            self.cannot_link[other].discard(b)
            self.cannot_link[other].add(a)
        if forbidden:
            self.cannot_link.setdefault(a, set()).update(forbidden)

    def _merge_rows(
        self, a: int, b: int, rows: tuple[_NeighborRow, _NeighborRow], sizes: tuple[int, int]
    ) -> _NeighborRow:
        """Merge two rows: the mean of two similarities; where one is lacking, it is computed or bounded."""
        (ids_a, sims_a), (ids_b, sims_b) = ((row.ids, row.similarities) for row in rows)
        shares = sizes[0] / sum(sizes), sizes[1] / sum(sizes)
        self.scratch[ids_b] = sims_b
        sims_in_b = self.scratch[ids_a]
        in_both = ~np.isnan(sims_in_b)
        self.scratch[ids_a] = np.nan
        only_in_b = ~np.isnan(self.scratch[ids_b])
        self.scratch[ids_b] = np.nan

        rest = np.concatenate([ids_a[~in_both], ids_b[only_in_b]])
        bounds = np.concatenate(
            [
                shares[0] * sims_a[~in_both] + shares[1] * self.cut,
                shares[1] * sims_b[only_in_b] + shares[0] * self.cut,
            ]
        )
        near = (bounds > self.cut - _SLACK) & (rest != a) & (rest != b)
        rest, bounds = rest[near], bounds[near]
        if a in self.cannot_link:
            self.scratch[rest] = bounds
            rest = self._drop_forbidden(a, rest)
            bounds = self.scratch[rest]
            self.scratch[ids_a] = self.scratch[ids_b] = np.nan
        few = len(rest) <= _MAX_LOOKUPS
        ids = np.concatenate([ids_a[in_both], rest])
        similarities = np.concatenate(
            [
                shares[0] * sims_a[in_both].astype(np.float64) + shares[1] * sims_in_b[in_both],
                self._approximate_similarities(a, rest) if few else bounds,
            ]
        )
        near = similarities > self.cut - _SLACK
        return _NeighborRow(
            ids[near], similarities[near], self.version, rows[0].loose or rows[1].loose or not few
        )
