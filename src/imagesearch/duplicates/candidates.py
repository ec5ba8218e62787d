"""Selects the pairs of photos that may be copies, without comparing all pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

# Copies have nearly equal vectors: at least 0.9 for crops. Only the most similar photos are compared.
MIN_COSINE = 0.8
MAX_NEIGHBOURS = 12
_EXHAUSTIVE = 2_048  # up to this number of vectors, all pairs are computed
_CELLS_EACH = 3  # cells that a vector belongs to, so that neighbours near a border share one
_BLOCK = 2_048  # rows of a block of similarities
_BANDS, _BAND_BITS = 4, 16
_MAX_BUCKET = 64  # larger buckets are of flat images, whose hashes mean nothing


def find_similar_vectors(
    vectors: np.ndarray, min_cosine: float = MIN_COSINE, max_neighbours: int = MAX_NEIGHBOURS
) -> dict[tuple[int, int], float]:
    """Return pairs of similar vectors.

    Many vectors are first divided into cells, as an IVF index does, and compared within cells: the time grows
    with n^1.5.

    Parameters
    ----------
    vectors : (n, d) float32
        Of unit length.
    min_cosine
        Minimum cosine of a pair.
    max_neighbours
        Maximum number of pairs that a row contributes, its most similar ones.

    Returns
    -------
    pairs : dict
        The cosine, by the pair of rows, the smaller one first.
    """
    pairs: dict[tuple[int, int], float] = {}
    for members in _divide_into_cells(vectors):
        for start in range(0, len(members), _BLOCK):
            block = members[start : start + _BLOCK]
            similarities = vectors[block] @ vectors[members].T
            similarities[np.arange(len(block)), start + np.arange(len(block))] = -1  # itself
            count = min(max_neighbours, len(members) - 1)
            if count < 1:
                continue
            nearest = np.argpartition(-similarities, count - 1, axis=1)[:, :count]
            values = np.take_along_axis(similarities, nearest, axis=1)
            for row, column in np.argwhere(values >= min_cosine):
                one, other = int(block[row]), int(members[nearest[row, column]])
                pairs[min(one, other), max(one, other)] = float(values[row, column])
    return pairs


def _divide_into_cells(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of each cell; a row belongs to several cells."""
    if len(vectors) <= _EXHAUSTIVE:
        yield np.arange(len(vectors))
        return
    cells = round(math.sqrt(len(vectors)))
    # random vectors as centres give cells of more equal sizes than k-means does
    centres = vectors[np.random.default_rng(0).choice(len(vectors), cells, replace=False)]
    nearest = np.concatenate(
        [
            np.argpartition(-(vectors[start : start + _BLOCK] @ centres.T), _CELLS_EACH - 1, axis=1)[
                :, :_CELLS_EACH
            ]
            for start in range(0, len(vectors), _BLOCK)
        ]
    )
    order = np.argsort(nearest.ravel(), kind="stable")
    bounds = np.searchsorted(nearest.ravel()[order], np.arange(cells + 1))
    for cell in range(cells):
        yield order[bounds[cell] : bounds[cell + 1]] // _CELLS_EACH


def find_similar_hashes(hashes: Sequence[int], max_distance: int) -> set[tuple[int, int]]:
    """Return pairs of rows whose hashes have an equal band and differ in at most ``max_distance`` bits.

    Hashes that differ in fewer than four bits always have an equal band.
    """
    bits = np.asarray(hashes, np.uint64)
    pairs: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        keys = (bits >> np.uint64(band * _BAND_BITS)) & np.uint64(2**_BAND_BITS - 1)
        order = np.argsort(keys, kind="stable")
        bounds = np.flatnonzero(np.diff(keys[order])) + 1
        for bucket in np.split(order, bounds):
            if 1 < len(bucket) <= _MAX_BUCKET:
                rows = np.sort(bucket)
                distances = np.bitwise_count(bits[rows][:, None] ^ bits[rows])
                found = np.argwhere(np.triu(distances <= max_distance, 1))
                pairs.update((int(rows[i]), int(rows[j])) for i, j in found)
    return pairs


def measure_hash_distance(one: int, other: int) -> int:
    """Return the number of bits that differ."""
    return (one ^ other).bit_count()
