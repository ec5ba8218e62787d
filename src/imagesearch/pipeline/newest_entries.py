"""Finds, in arrays, which shard of a table has the newest entry of each photo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np


def group_newest(
    shards: Iterable[tuple[int, np.ndarray]], photo_ids: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the shards that have the newest entry of at least one photo, with the ids of these photos.

    Parameters
    ----------
    shards
        The number of each shard and the ids of its photos, (k,) int64, the oldest shard first. Photos whose
        newest entry is in a shard with the number 0 are left out.
    photo_ids : (n,) int64
        The photos, each once; others are left out.
    """
    numbers, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for number, some in shards:
        numbers.append(np.full(len(some), number))
        ids.append(some)
    # `np.unique` returns the first of equal ids, which is the newest if the order is reversed
    newest_ids, positions = np.unique(np.concatenate(ids)[::-1], return_index=True)
    newest = np.concatenate(numbers)[::-1][positions]
    newest[~np.isin(newest_ids, photo_ids, assume_unique=True)] = 0
    order = np.argsort(newest, kind="stable")
    for number in np.unique(newest).tolist():
        if number:
            start, end = np.searchsorted(newest, [number, number + 1], sorter=order)
            yield number, newest_ids[order[start:end]]
