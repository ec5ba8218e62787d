"""Parts of people that are only just alike enough: two halves of a person, or one face and all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

# Maximum number of people that are divided into halves, and of rounds that move faces between the halves.
_MAX_DIVIDED, _MAX_ROUNDS = 500, 8
# Minimum number of faces of a half.
_MIN_HALF = 2

_Part = tuple[int, np.ndarray, float]
"""The position of a person, the places of the part among the person's faces from 0, and the distance."""


def find_parts(
    vectors: np.ndarray, persons: Sequence[np.ndarray], group: np.ndarray, minimum: float
) -> Iterator[_Part]:
    """Find parts of people whose mean cosine distance from the rest is at least `minimum`.

    Parameters
    ----------
    vectors
        (n, d) float32, the vectors of all faces.
    persons
        The rows of the faces of each person.
    group
        (n,) int64, the must-link group of each face, or -1. Faces of a group are never divided.
    minimum
        The least distance of a part from the rest.
    """
    several = [position for position, rows in enumerate(persons) if len(rows) > 1]
    spreads = []
    for position in several:
        rows = persons[position]
        own, count = vectors[rows], len(rows)
        total = own.sum(axis=0)
        # without the face itself
        distances = 1 - (own @ total - 1) / (count - 1)
        spreads.append(float(distances.mean()))
        free = np.flatnonzero((group[rows] < 0) & (distances >= minimum))
        for place in free[-1:] if count == 2 else free:
            yield position, np.asarray([place]), float(distances[place])
    sizes = np.asarray([len(persons[position]) for position in several])
    most = np.argsort(-sizes * np.asarray(spreads), kind="stable")[:_MAX_DIVIDED]
    for i in most.tolist():
        position = several[i]
        rows = persons[position]
        if len(rows) >= 2 * _MIN_HALF and (half := _divide(vectors[rows], group[rows])) is not None:
            means = vectors[rows[half]].mean(axis=0), vectors[rows[~half]].mean(axis=0)
            if (distance := float(1 - means[0] @ means[1])) >= minimum:
                yield position, np.flatnonzero(half), distance


def _divide(vectors: np.ndarray, group: np.ndarray) -> np.ndarray | None:
    """Divide faces into two halves by 2-means; return which are in the smaller one, or None.

    The faces of one group are together in the other half.
    """
    grouped = group >= 0
    if len(np.unique(group[grouped])) > 1:
        return None
    mean = vectors[grouped if grouped.any() else slice(None)].mean(axis=0)
    first = vectors[np.argmin(np.where(grouped, np.inf, vectors @ mean))]
    second = mean if grouped.any() else vectors[np.argmin(vectors @ first)]
    half = (vectors @ (first - second) > 0) & ~grouped
    for _ in range(_MAX_ROUNDS):
        if not half.any() or half.all():
            return None
        axis = vectors[half].mean(axis=0) - vectors[~half].mean(axis=0)
        # the point between the two means, so that a short mean of unlike faces is no disadvantage
        middle = (vectors[half].mean(axis=0) + vectors[~half].mean(axis=0)) @ axis / 2
        moved = (vectors @ axis > middle) & ~grouped
        if (moved == half).all():
            break
        half = moved
    if not grouped.any() and 2 * half.sum() > len(half):
        half = ~half
    return half if min(half.sum(), (~half).sum()) >= _MIN_HALF else None
