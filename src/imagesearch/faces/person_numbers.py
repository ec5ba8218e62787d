"""The numbers of people: each cluster gets the number of the former person whose faces it shares most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Numbering:
    """The numbers that the faces had after a former clustering.

    Attributes
    ----------
    numbers : mapping
        Number of the person by row of the table of faces.
    is_last : bool
        Whether this was the last clustering. An older one gives its number only to a cluster with at least
        half of its faces from the former person.
    """

    numbers: Mapping[int, int]
    is_last: bool = False


def assign_numbers(
    clusters: Sequence[np.ndarray], numberings: Sequence[Numbering], next_number: int
) -> tuple[list[int], int]:
    """Return the number of each cluster, and the smallest number that was never used.

    A cluster and a former person are compared by the share of the faces of either that are in both (the
    Jaccard index). The pairs with the largest shares get their numbers first.

    Parameters
    ----------
    clusters
        The rows of each cluster.
    numberings
        The former clusterings; of two equal shares, the first one is used.
    next_number
        The smallest number that was never used before.
    """
    candidates = [
        (-share, rank, number, cluster)
        for rank, numbering in enumerate(numberings)
        for number, cluster, share in _compare_clusters(clusters, numbering)
    ]
    numbers: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, number, cluster in sorted(candidates):
        if cluster not in numbers and number not in taken:
            numbers[cluster] = number
            taken.add(number)
    # larger new clusters get smaller numbers
    for cluster in sorted(range(len(clusters)), key=lambda i: -len(clusters[i])):
        if cluster not in numbers:
            numbers[cluster] = next_number
            next_number += 1
    return [numbers[cluster] for cluster in range(len(clusters))], next_number


def _compare_clusters(clusters: Sequence[np.ndarray], numbering: Numbering) -> list[tuple[int, int, float]]:
    """Return the former number, the cluster and the Jaccard index of each pair that has faces in common."""
    sizes = Counter(numbering.numbers.values())
    pairs = []
    for cluster, rows in enumerate(clusters):
        shared = Counter(numbering.numbers[row] for row in rows.tolist() if row in numbering.numbers)
        for number, count in shared.items():
            if numbering.is_last or 2 * count >= len(rows):
                pairs.append((number, cluster, count / (sizes[number] + len(rows) - count)))
    return pairs
