"""The numbers of people: each cluster gets the number of the former person whose faces it shares most.

A person with a name keeps the number, also if another person got most of the faces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.text import normalize


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
    clusters: Sequence[np.ndarray],
    numberings: Sequence[Numbering],
    next_number: int,
    kept: Mapping[int, int] | None = None,
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
    kept
        The numbers by cluster that are decided already; see `find_kept_numbers`.
    """
    candidates = [
        (-share, rank, number, cluster)
        for rank, numbering in enumerate(numberings)
        for number, cluster, share in _compare_clusters(clusters, numbering)
    ]
    numbers = dict(kept or {})
    taken = set(numbers.values())
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


def find_kept_numbers(
    clusters: Sequence[np.ndarray],
    numbers: Mapping[int, int],
    names: Sequence[str],
    former_names: Mapping[int, str],
) -> dict[int, int]:
    """Return the number of each cluster whose person had a name before, and has the same name now.

    Parameters
    ----------
    clusters
        The rows of each cluster.
    numbers
        Number of the person by row at the last clustering.
    names
        The name of each cluster; empty for a person without a name, which has no number here.
    former_names
        The names at the last clustering, by number.
    """
    kept: dict[int, int] = {}
    normalized = {number: normalize(name) for number, name in former_names.items() if name}
    for cluster, name in enumerate(names):
        shared = Counter(numbers[row] for row in clusters[cluster].tolist() if row in numbers)
        same = [number for number in shared if name and normalized.get(number) == normalize(name)]
        if same:
            kept[cluster] = max(same, key=lambda number: (shared[number], -number))
    return kept


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
