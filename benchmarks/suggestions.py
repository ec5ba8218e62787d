"""How many wrong pairs of faces are repaired by answers to `03 --suggest`, by the order of the questions.

    python benchmarks/suggestions.py [--faces 1000] [--seeds 10] [--speed 50000]

Faces are clustered; then questions are answered by the truth: yes if most faces of both sides are of one
person. The program prints the pairwise F1 before, after 5 and after 10 answers: in the order of imagesearch,
by distance from the limit alone, and at random, all from the same pairs. "Growing" are people of whom a third
grows up, so that their faces change with time, and a quarter has a sibling. `--speed` measures the time to
find the questions instead.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from imagesearch.faces import Person, Suggester
from imagesearch.faces.constraints import Constraints
from imagesearch.faces.linkage import cluster_vectors
from imagesearch_demo.scoring import make_face_vectors

# The constants in pair_gains.py were chosen with the seeds from 0; these are others.
FIRST_SEED = 100
ORDERS = ("benefit", "distance", "random")


def make_growing_people(people: int, seed: int, dimension: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Return face vectors of people, of whom a third grows up, and the person of each face."""
    rng = np.random.default_rng([0x6120, seed])

    def make_directions(count: int) -> np.ndarray:
        drawn = rng.standard_normal((count, dimension))
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    identities, young = make_directions(people), make_directions(people)
    siblings = np.arange(0, people // 4 * 2, 2)
    identities[siblings + 1] = 0.6**0.5 * identities[siblings] + 0.4**0.5 * identities[siblings + 1]
    person = np.repeat(np.arange(people), np.minimum(200, (rng.pareto(0.9, people) * 3 + 1).astype(int)))
    youth = np.where(person % 3 == 0, rng.random(len(person)), 0)[:, None]
    vectors = identities[person] + youth * young[person]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors += rng.lognormal(np.log(0.85), 0.35, len(person))[:, None] * make_directions(len(person))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), person


def make_people(vectors: np.ndarray, labels: np.ndarray) -> SimpleNamespace:
    """Return clusters in place of `People`: each face is in a photo of its own, and there are no edits."""
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    persons = [
        Person(number, "", rows) for number, rows in enumerate(sorted(parts, key=lambda r: -len(r)), 1)
    ]
    constraints = Constraints(np.full(len(labels), -1), np.zeros(len(labels), bool))
    faces = SimpleNamespace(vectors=vectors, photo_ids=np.arange(len(labels)))
    return SimpleNamespace(faces=faces, persons=persons, constraints=constraints)


class OrderedSuggester(Suggester):
    """The same pairs in another order."""

    def __init__(self, people: SimpleNamespace, limit: float, order: str, seed: int) -> None:
        self._order, self._rng = order, np.random.default_rng(seed)
        super().__init__(people, limit)
        self._sort_again()

    def accept(self) -> None:
        super().accept()
        self._sort_again()

    def refuse(self) -> None:
        super().refuse()
        self._sort_again()

    def _sort_again(self) -> None:
        if self._order != "benefit":
            pairs = self._state.pairs
            near = [abs(pair.distance - self._limit) for pair in pairs]
            keys = self._rng.random(len(pairs)) if self._order == "random" else np.asarray(near)
            ordered = tuple(pairs[i] for i in np.argsort(keys, kind="stable").tolist())
            self._state = replace(self._state, pairs=ordered)


def compute_f1(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return the pairwise F1 of a clustering."""

    def count_pairs(*columns: np.ndarray) -> int:
        counts = np.unique(np.stack(columns), axis=1, return_counts=True)[1]
        return int((counts * (counts - 1) // 2).sum())

    return 2 * count_pairs(labels, truth) / (count_pairs(labels) + count_pairs(truth))


def measure_answers(
    vectors: np.ndarray, truth: np.ndarray, limit: float, order: str, seed: int = 0
) -> Iterator[float]:
    """Yield the pairwise F1 before the first answer, and after each of ten."""
    labels = cluster_vectors(vectors, limit)
    suggester = OrderedSuggester(make_people(vectors, labels), limit, order, seed)
    for _ in range(10):
        yield compute_f1(labels, truth)
        if (suggestion := suggester.find_next()) is None:
            continue
        one, other = suggestion.one.rows, suggestion.other.rows
        if np.bincount(truth[one]).argmax() == np.bincount(truth[other]).argmax():
            labels[other] = labels[one[0]]
            suggester.accept()
        else:
            if suggestion.is_joined:
                labels[other] = labels.max() + 1
            suggester.refuse()
    yield compute_f1(labels, truth)


def measure_speed(faces: int) -> None:
    vectors, truth = make_face_vectors(faces)
    rng = np.random.default_rng(0)
    scattered = np.where(rng.random(faces) < 0.3, truth.max() + 1 + np.arange(faces), truth)
    for name, labels in (("people", truth), ("people and single faces", scattered)):
        people = make_people(vectors, labels)
        start, used = time.perf_counter(), time.process_time()
        found = len(Suggester(people, 0.6).list_suggestions(10))
        seconds, cpu = time.perf_counter() - start, time.process_time() - used
        print(f"{faces} faces, {len(people.persons)} {name}: {found} questions", end=" ")
        print(f"in {seconds:.1f} s, {cpu:.1f} s of CPU time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--speed", type=int, metavar="FACES")
    args = parser.parse_args()
    if args.speed:
        measure_speed(args.speed)
        return
    print(f"{'faces':<12} {'limit':>5}  {'order':<9} {'before':>7} {'after 5':>7} {'after 10':>8}")
    for name, limit in (("random", 0.5), ("random", 0.6), ("growing", 0.45), ("growing", 0.5)):
        for order in ORDERS:
            scores = []
            for seed in range(FIRST_SEED, FIRST_SEED + args.seeds):
                made = make_growing_people(args.faces // 25, seed) if name == "growing" else None
                vectors, truth = made or make_face_vectors(args.faces, seed=seed)
                scores.append(list(measure_answers(vectors, truth, limit, order, seed)))
            before, five, ten = np.mean(scores, axis=0)[[0, 5, 10]]
            print(f"{name:<12} {limit:>5}  {order:<9} {before:>7.4f} {five:>7.4f} {ten:>8.4f}", flush=True)


if __name__ == "__main__":
    main()
