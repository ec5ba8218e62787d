"""The benefit of an answer to the question whether two people are the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# At the limit, yes and no are equally probable; at this distance from it, one is 2.7 times as probable. Fitted
# with the next two to random face vectors. A single face is usually with the right person, because that was
# the nearest of all: its limit is higher.
_SCALE, _SINGLE_BONUS = 0.04, 0.05
# A person of one more face than this has a spread half-way between the own one and the usual one.
_USUAL_FACES = 2
# How much more a pair counts if one of the two has a name: the answer then changes what is found by name.
_NAME_WEIGHT = 4.0


class Spreads:
    """How much less alike the faces of a person are than usual; a poor photo is less like all others.

    Parameters
    ----------
    rows
        The rows of the faces of each person.
    means
        (n, d) float32, the mean vector of each person.
    """

    def __init__(self, rows: Sequence[np.ndarray], means: np.ndarray) -> None:
        sizes, spreads = _compute_spreads(rows, means)
        self._usual = float(np.median(spreads[sizes > 2])) if (sizes > 2).any() else 0.0

    def measure(self, rows: Sequence[np.ndarray], means: np.ndarray) -> np.ndarray:
        """Return the difference of each spread from the usual one. For few faces it is nearly 0."""
        sizes, spreads = _compute_spreads(rows, means)
        return (sizes - 1) / (sizes - 1 + _USUAL_FACES) * (spreads - self._usual)


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
    is certain.
    """
    staying, changing = sizes
    same = 1 / (1 + np.exp((excess - _SINGLE_BONUS * (is_joined & (changing == 1))) / _SCALE))
    effect = changing * np.sqrt(staying) * (1 - same if is_joined else same)
    return effect * 4 * same * (1 - same) * np.where(named, _NAME_WEIGHT, 1.0)


def compute_means(vectors: np.ndarray, rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean vector of each list of rows, which is shorter than 1 if its vectors differ."""
    if not rows:
        return np.empty((0, vectors.shape[1]), np.float32)
    sizes = np.asarray([len(part) for part in rows])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.add.reduceat(vectors[np.concatenate(rows)], starts, axis=0) / sizes[:, None].astype(np.float32)


def _compute_spreads(rows: Sequence[np.ndarray], means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of faces of each person, and the mean distance between them; 0 for one face."""
    sizes = np.asarray([len(part) for part in rows], np.float64)
    squares = np.einsum("nd,nd->n", means, means, dtype=np.float64)
    return sizes, np.where(sizes > 1, 1 - (sizes * squares - 1) / np.maximum(sizes - 1, 1), 0.0)
