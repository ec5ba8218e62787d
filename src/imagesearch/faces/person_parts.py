"""Parts of people that are only just alike enough: two halves of a person, or one face and all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Maximum number of single faces of a person, those that are least like the others; of people that are divided
# into halves; and of rounds that move faces between the halves.
_MAX_SINGLE, _MAX_DIVIDED, _MAX_ROUNDS = 5, 500, 8
# Minimum number of faces of a half.
_MIN_HALF = 2


@dataclass(frozen=True)
class PersonPart:
    """Some faces of a person.

    Attributes
    ----------
    position : int
        The position of the person.
    places : (k,) int64
        The places of the part among the person's faces, from 0.
    distance : float
        The mean distance from the person's other faces.
    squares : tuple of float
        The squared length of the mean vector of the other faces, and of the part.
    """

    position: int
    places: np.ndarray
    distance: float
    squares: tuple[float, float]


def find_parts(
    vectors: np.ndarray, persons: Sequence[np.ndarray], group: np.ndarray, minimum: float
) -> Iterator[PersonPart]:
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
    importance: list[tuple[float, int]] = []
    for position, rows in enumerate(persons):
        if len(rows) > 1:
            distances, squares = _measure_faces(vectors[rows])
            importance.append((len(rows) * float(distances.mean()), position))
            free = np.flatnonzero((group[rows] < 0) & (distances >= minimum))
            free = free[np.argsort(-distances[free], kind="stable")[: 1 if len(rows) == 2 else _MAX_SINGLE]]
            for place in free.tolist():
                yield PersonPart(
                    position, np.asarray([place]), float(distances[place]), (float(squares[place]), 1.0)
                )
    for _, position in sorted(importance, reverse=True)[:_MAX_DIVIDED]:
        own = vectors[persons[position]]
        half = _divide(own, group[persons[position]]) if len(own) >= 2 * _MIN_HALF else None
        if half is not None:
            part, rest = own[half].mean(axis=0), own[~half].mean(axis=0)
            if (distance := float(1 - part @ rest)) >= minimum:
                squares = float(rest @ rest), float(part @ part)
                yield PersonPart(position, np.flatnonzero(half), distance, squares)


def _measure_faces(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each face's mean distance from all others, and the squared length of the others' mean."""
    total, others = vectors.sum(axis=0), len(vectors) - 1
    products = vectors @ total
    return 1 - (products - 1) / others, (total @ total - 2 * products + 1) / others**2


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
