"""Random unit vectors with a distribution like that of face vectors, to measure and test clustering."""

from __future__ import annotations

import numpy as np


def make_face_vectors(
    count: int, dimension: int = 512, largest: int = 0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Make random face vectors.

    People belong to families that look alike, and each person has one to several hundred faces. The faces
    differ in quality. One in fifty is so poor that it is closer to the mean of all faces than to its person,
    which makes it a neighbour of many faces.

    Parameters
    ----------
    count
        Number of faces.
    dimension
        Dimension of the vectors.
    largest
        Number of faces of one additional large cluster; they are included in `count`.
    seed
        The same seed gives the same faces.

    Returns
    -------
    vectors : (count, dimension) float32
        Unit vectors in random order.
    person : (count,) int64
        The person of each face.
    """
    rng = np.random.default_rng([0xFACE, seed])
    sizes = [largest] if largest else []
    while (left := count - sum(sizes)) > 0:
        sizes.append(min(left, 600, int(rng.pareto(0.9)) + 1))
    people = len(sizes)

    def make_directions(number: int) -> np.ndarray:
        drawn = rng.standard_normal((number, dimension), dtype=np.float32)
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    common = make_directions(1)
    families = make_directions(people // 4 + 1)[rng.integers(0, people // 4 + 1, people)]
    likeness = rng.uniform(0.2, 0.7, (people, 1)).astype(np.float32)
    identities = np.sqrt(likeness) * families + np.sqrt(1 - likeness) * make_directions(people) + 0.3 * common
    person = rng.permutation(np.repeat(np.arange(people), sizes))
    noise = rng.lognormal(-0.25, 0.35, (count, 1)).astype(np.float32)
    vectors = make_directions(count)
    vectors *= noise
    poor = (rng.random((count, 1)) < 0.02).astype(np.float32)
    vectors += (1 - 0.6 * poor) * identities[person] + 0.8 * poor * common
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, person
