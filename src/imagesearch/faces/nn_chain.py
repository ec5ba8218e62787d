"""The nearest-neighbour chain of average linkage, on rows of neighbours that are computed on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# A float32 product of unit vectors is this exact at least; what lies closer together is compared in float64.
_SLACK = 4e-6
# Similarities in float64 that differ by less are equal: the cluster with the lowest number goes first.
TIE = 1e-12
# Rows computed in one matrix product, and numbers that it may return: 128 MB at most.
_BATCH = 128
_CELLS = 32_000_000
# Neighbours kept at a time, at 4 to 12 bytes each. What falls out is computed again if it is needed.
_KEPT = 32_000_000
# A merge looks up at most this many similarities that it does not know; it bounds the others from above.
_LOOKED_UP = 1024


@dataclass(slots=True)
class _NeighborRow:
    """A cluster's neighbours above the cut, as they were at a time."""

    ids: np.ndarray  # (k,) int32
    sims: np.ndarray  # (k,) float32 or float64
    time: int
    loose: bool = False  # some of the similarities are upper bounds


class NearestNeighborChain:
    """The nearest-neighbour chain. A cluster goes by the number of one of its rows: of its larger part's."""

    def __init__(
        self,
        vectors: np.ndarray,
        norms: np.ndarray,
        start: np.ndarray,
        cannot_link: dict[int, set[int]],
        distance: float,
    ) -> None:
        count = len(vectors)
        self.vectors, self.norms, self.cannot_link, self.distance = vectors, norms, cannot_link, distance
        self.cut = 1 - distance
        self.sums: dict[int, np.ndarray] = {}  # (d,) float64, of clusters with more than one row
        self.sizes = np.bincount(start, minlength=count)
        self.parent = np.arange(count)
        for row in np.flatnonzero(self.sizes[start] > 1).tolist():
            self.sums[int(start[row])] = self.sums.get(int(start[row]), 0) + self._unit_vector(row)
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
        self.rows: dict[int, _NeighborRow] = {}  # the most recently used last
        self.kept = 0
        self.usual = 1.0  # neighbours in a row
        self.ahead = iter(self.slots.tolist())
        self.scratch = np.full(count, np.nan)
        self.merges: list[tuple[int, int, float]] = []

    def link(self, progress: Callable[[int], None] | None) -> list[tuple[int, int, float]]:
        settled = 0
        for first in self.slots.tolist():
            chain = [(first, -np.inf)] if self.place[first] >= 0 else []
            while chain:
                tip, link = chain[-1]
                near, similarity = self._find_nearest(tip, chain[-2][0] if len(chain) > 1 else -1)
                if len(chain) > 1 and similarity <= link + TIE:
                    chain.pop()
                    merged = self._merge_clusters(chain.pop()[0], tip, link)
                    chain = chain or [(merged, -np.inf)]
                elif max(0.0, 1 - similarity) < self.distance:  # rounding may lift a copy above 1
                    chain.append((near, similarity))
                else:
                    settled += int(self.sizes[tip])
                    self._settle_cluster(tip)
                    chain.pop()
                    if progress:
                        progress(settled)
        return self.merges

    # --- similarities --------------------------------------------------------------------------------------

    def _unit_vector(self, row: int) -> np.ndarray:
        return self.vectors[row].astype(np.float64) / self.norms[row]

    def _mean_vector(self, slot: int) -> np.ndarray:
        return self.sums[slot] / self.sizes[slot] if slot in self.sums else self._unit_vector(slot)

    def _approximate_similarities(self, slot: int, ids: np.ndarray) -> np.ndarray:
        return self.means[self.place[ids]] @ self.means[self.place[slot]]

    def _find_nearest(self, tip: int, before: int) -> tuple[int, float]:
        """The nearest cluster and its similarity; -1 and minus infinity if there is none."""
        row = self._get_row(tip, before)
        if not len(row.ids):
            return -1, -np.inf
        if row.loose:
            self._tighten_row(tip, row)
        close = np.flatnonzero(row.sims >= row.sims.max() - _SLACK)
        if len(close) > 64:  # copies of one vector: any of them will do
            close = close[np.argsort(-row.sims[close], kind="stable")[:64]]
        ids = row.ids[close].tolist()
        mean = self._mean_vector(tip)
        exact = [float(mean @ self._mean_vector(other)) for other in ids]
        best = max(exact)
        return min(other for other, value in zip(ids, exact, strict=True) if value >= best - TIE), best

    def _tighten_row(self, tip: int, row: _NeighborRow) -> None:
        """Look up the similarities that may be the greatest."""
        count = 32
        while count < len(row.ids):
            top = np.argpartition(row.sims, -count)[-count:]
            least = row.sims[top].min()
            row.sims[top] = self._approximate_similarities(tip, row.ids[top])
            if row.sims[top].max() - _SLACK > least:
                return
            count *= 2
        row.sims[:] = self._approximate_similarities(tip, row.ids)
        row.loose = False

    # --- rows of neighbours --------------------------------------------------------------------------------

    def _get_row(self, slot: int, before: int = -1) -> _NeighborRow:
        """A cluster's neighbours as they are now; where they must be computed, those of likely others too."""
        row = self.rows.get(slot)
        if row is None:
            self._compute_rows(self._choose_batch(slot, before))
            row = self.rows[slot]
        stale = self.changed[row.ids] > row.time
        if stale.any():
            row = self._refresh_row(slot, row, stale)
        row.time = self.time
        self._cache_row(slot, row)
        return row

    def _refresh_row(self, slot: int, row: _NeighborRow, stale: np.ndarray) -> _NeighborRow:
        ids = row.ids[stale]
        while not np.array_equal(up := self.parent[ids], ids):
            ids = up
        ids = np.unique(ids[self.place[ids] >= 0])
        ids = self._drop_forbidden(slot, ids)
        sims = self._approximate_similarities(slot, ids)
        near = sims > self.cut - _SLACK
        return _NeighborRow(
            np.concatenate([row.ids[~stale], ids[near].astype(np.int32)]),
            np.concatenate([row.sims[~stale], sims[near]]),
            self.time,
            row.loose,
        )

    def _drop_forbidden(self, slot: int, ids: np.ndarray) -> np.ndarray:
        foes = self.cannot_link.get(slot)
        if not foes:
            return ids
        return ids[np.fromiter((i not in foes for i in ids.tolist()), bool, len(ids))]

    def _cache_row(self, slot: int, row: _NeighborRow) -> None:
        self._evict_row(slot)
        self.rows[slot] = row
        self.kept += len(row.ids)
        while self.kept > _KEPT and len(self.rows) > 1:
            self._evict_row(next(iter(self.rows)))

    def _evict_row(self, slot: int) -> None:
        if (row := self.rows.pop(slot, None)) is not None:
            self.kept -= len(row.ids)

    def _choose_batch(self, slot: int, before: int) -> list[int]:
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

    def _compute_rows(self, wanted: list[int]) -> None:
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
            if slot in self.cannot_link:
                ids = self._drop_forbidden(slot, ids)
                at = self.place[ids]
            self._cache_row(slot, _NeighborRow(ids, line[at], self.time))
            total += len(ids)
        self.usual = max(1.0, total / len(wanted))

    # --- changes -------------------------------------------------------------------------------------------

    def _merge_clusters(self, a: int, b: int, similarity: float) -> int:
        if (self.sizes[a], -a) < (self.sizes[b], -b):
            a, b = b, a
        rows = self._get_row(a), self._get_row(b)
        sizes = int(self.sizes[a]), int(self.sizes[b])
        self.merges.append((a, b, 1 - similarity))
        self.sums[a] = sizes[0] * self._mean_vector(a) + sizes[1] * self._mean_vector(b)
        self.sums.pop(b, None)
        self.sizes[a] += sizes[1]
        self.parent[b] = a
        self.means[self.place[a]] = self.sums[a] / self.sizes[a]
        self._settle_cluster(b)
        self.changed[a] = self.time
        self._merge_cannot_link(a, b)
        self._cache_row(a, self._merge_rows(a, b, rows, sizes))
        return a

    def _settle_cluster(self, slot: int) -> None:
        self._evict_row(slot)
        self.place[slot] = -1
        self.live -= 1
        self.time += 1
        self.changed[slot] = self.time

    def _merge_cannot_link(self, a: int, b: int) -> None:
        foes = self.cannot_link.pop(b, set())
        for foe in foes:
            self.cannot_link[foe].discard(b)
            self.cannot_link[foe].add(a)
        if foes:
            self.cannot_link.setdefault(a, set()).update(foes)

    def _merge_rows(
        self, a: int, b: int, rows: tuple[_NeighborRow, _NeighborRow], sizes: tuple[int, int]
    ) -> _NeighborRow:
        """The row of two merged: the mean where both know a similarity; else it is looked up or bounded."""
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
        if a in self.cannot_link:
            self.scratch[one] = bounds
            one = self._drop_forbidden(a, one)
            bounds = self.scratch[one]
            self.scratch[ids_a] = self.scratch[ids_b] = np.nan
        few = len(one) <= _LOOKED_UP
        ids = np.concatenate([ids_a[both], one])
        sims = np.concatenate(
            [
                share[0] * sims_a[both].astype(np.float64) + share[1] * other[both],
                self._approximate_similarities(a, one) if few else bounds,
            ]
        )
        near = sims > self.cut - _SLACK
        return _NeighborRow(ids[near], sims[near], self.time, rows[0].loose or rows[1].loose or not few)
