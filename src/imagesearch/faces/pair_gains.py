"""The benefit of an answer to the question whether two people are the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# At the limit, yes and no are equally probable; at this distance from it, one is 2.7 times as probable. A
# single face is usually with the right person, because that was the nearest of all: its limit is higher.
# Fitted to random face vectors, like the next but one.
_SCALE, _SINGLE_BONUS = 0.04, 0.05
# An answer that changes nothing with a higher probability than this is certain.
_CERTAIN = 0.99
# A person of one more face than this has a spread half-way between the own one and the usual one.
_USUAL_FACES = 2
# How much more a pair counts if one of the two has a name: the answer then changes what is found by name.
_NAME_WEIGHT = 10.0


class Spreads:
    """How much less alike the faces of a person are than usual; a poor photo is less like all others.

    Parameters
    ----------
    sizes, means
        (n,) and (n, d) float32, the number of faces and the mean vector of each person.
    """

    def __init__(self, sizes: np.ndarray, means: np.ndarray) -> None:
        spreads = compute_spreads(sizes, compute_squares(means))
        self._usual = float(np.median(spreads[sizes > 2])) if (sizes > 2).any() else 0.0

    def compare(self, sizes: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Return the difference of each spread from the usual one. For few faces it is nearly 0.

        `squares` are the squared lengths of the mean vectors.
        """
        return (sizes - 1) / (sizes - 1 + _USUAL_FACES) * (compute_spreads(sizes, squares) - self._usual)


def compute_gains(
    sizes: tuple[np.ndarray, np.ndarray],
    named: np.ndarray,
    excess: np.ndarray,
    is_joined: bool,
) -> np.ndarray:
    """Return the benefit of answers: the expected effect times the uncertainty.

    Parameters
    ----------
    sizes
        The numbers of faces that stay as they are, and of those whose label the answer can change.
    named
        Whether one of the two people has a name.
    excess
        The distance above the limit of the clustering, minus the spread of both people.
    is_joined
        Whether both are one person at present.

    Notes
    -----
    The effect of a merge or of a split is the number of faces whose label changes times the square root of
    the number of faces that they join or leave. This is between the number of faces and the number of pairs
    of faces that become right. The uncertainty is 1 if yes and no are equally probable, and 0 if one of them
    is certain. The benefit is 0 if the answer almost certainly changes nothing.
    """
    staying, changing = sizes
    same = 1 / (1 + np.exp((excess - _SINGLE_BONUS * (is_joined & (changing == 1))) / _SCALE))
    change = 1 - same if is_joined else same
    effect = changing * np.sqrt(staying) * np.where(change > 1 - _CERTAIN, change, 0.0)
    return effect * 4 * same * (1 - same) * np.where(named, _NAME_WEIGHT, 1.0)


def compute_means(vectors: np.ndarray, persons: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean vector of the rows of each person, which is shorter than 1 if its vectors differ."""
    means = np.empty((len(persons), vectors.shape[1]), np.float32)
    single = np.asarray([len(rows) == 1 for rows in persons], bool)
    if single.any():
        means[single] = vectors[[rows[0] for rows in persons if len(rows) == 1]]
    for position in np.flatnonzero(~single).tolist():
        means[position] = vectors[persons[position]].mean(axis=0)
    return means


def compute_squares(means: np.ndarray) -> np.ndarray:
    """Return the squared lengths of mean vectors."""
    return np.einsum("nd,nd->n", means, means, dtype=np.float64)


def compute_spreads(sizes: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the mean distance between the faces of each person, 0 for one face.

    `squares` are the squared lengths of the mean vectors.
    """
    return np.where(sizes > 1, 1 - (sizes * squares - 1) / np.maximum(sizes - 1, 1), 0.0)
