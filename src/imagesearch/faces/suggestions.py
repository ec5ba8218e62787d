"""Pairs of people that the clustering is least sure of, in the order in which an answer helps most.

A pair is two people who are not much less alike than `faces.cluster_distance`, or a person and some of the
person's own faces, which are only just alike enough. The benefit of an answer is the number of faces whose
label it probably changes; see `_compute_gains`. Pairs that have an answer already are left out: people with
different names, people that the user's edits keep apart, faces that an edit holds together, and people who
are in one photo together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagesearch.faces.people import People
from imagesearch.faces.person_parts import find_parts

# The clustering is unsure of pairs whose distance differs by less than this from its own limit.
_WINDOW = 0.2
# At the limit, both answers are equally probable; at this distance from it, one is 2.7 times as probable.
_SCALE = 0.05
# How much more a pair counts if one of the two has a name: the answer then changes what is found by name.
_NAME_WEIGHT = 4.0
# Maximum number of pairs whose distance is computed, and of those that are kept: bounds for large datasets.
_MAX_CELLS, _BLOCK_CELLS, _MAX_PAIRS = 100_000_000, 8_000_000, 2000


@dataclass(frozen=True)
class Side:
    """One side of a question: a person, or some faces of a person.

    Attributes
    ----------
    number : int
        The person's number.
    name : str
        The person's name. Empty if there is none, and for some of a person's faces.
    rows : (n,) int64
        Rows of the faces in the table of faces, those of the best quality first.
    places : tuple of int
        For some faces of a person, their positions among the person's faces, from 1.
    """

    number: int
    name: str
    rows: np.ndarray
    places: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """``Maya``, ``person 3``, ``3.7``, or ``12 faces of person 3``."""
        if len(self.places) == 1:
            return f"{self.number}.{self.places[0]}"
        if self.places:
            return f"{len(self.places)} faces of person {self.number}"
        return self.name or f"person {self.number}"

    @property
    def selector(self) -> str:
        """The person or the faces as options of script 03 select them: ``3``, or ``3.7,3.9``."""
        return ",".join(f"{self.number}.{place}" for place in self.places) or str(self.number)


@dataclass(frozen=True)
class Suggestion:
    """A question: are these the same person?

    Attributes
    ----------
    one, other : Side
        The two sides. If one of them has a name, it is the first.
    distance : float
        The mean cosine distance between the faces of one side and those of the other.
    gain : float
        The benefit of an answer, by which suggestions are ordered.
    limit : float
        The distance below which the clustering merges people.
    """

    one: Side
    other: Side
    distance: float
    gain: float
    limit: float

    @property
    def is_joined(self) -> bool:
        """Whether both sides are one person at present."""
        return bool(self.other.places)

    @property
    def reason(self) -> str:
        """Why the pair is suggested."""
        if self.is_joined:
            return f"one person at present, but hardly alike: the limit is {self.limit:.2f}"
        how = "below" if self.distance < self.limit else "just above" if self._is_near else "above"
        return f"two people at present; the distance is {how} the limit of {self.limit:.2f}"

    @property
    def _is_near(self) -> bool:
        return abs(self.distance - self.limit) < _SCALE

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        sides = [
            {"number": s.number, "label": s.label, "select": s.selector, "faces": len(s.rows)}
            for s in (self.one, self.other)
        ]
        return {
            "sides": sides,
            "distance": round(self.distance, 4),
            "gain": round(self.gain, 3),
            "one_person": self.is_joined,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class _Pair:
    """Two sides by their positions in the list of sides; a person and some of its faces, if `part` is given."""

    one: int
    other: int
    distance: float
    gain: float
    part: Side | None = None


@dataclass(frozen=True)
class _State:
    """What answers change. It is replaced, never changed, so that an answer can be taken back."""

    alive: frozenset[int]
    pairs: tuple[_Pair, ...]
    apart: frozenset[tuple[int, int]] = frozenset()


class Suggester:
    """Finds the next question, and takes the answers into account without a new clustering.

    Parameters
    ----------
    people
        The people of the last clustering.
    limit
        The distance below which the clustering merges people.
    """

    def __init__(self, people: People, limit: float) -> None:
        self._faces, self._limit = people.faces, limit
        self._constraints = people.constraints
        self._sides = [Side(person.number, person.name, person.rows) for person in people.persons]
        # those with a name first, then those with the most faces: only they are compared with all others
        self._sides.sort(key=lambda side: (not side.name, -len(side.rows)))
        self._means = _compute_means(people.faces.vectors, [side.rows for side in self._sides])
        self._separated: dict[int, set[int]] = {}
        for pair in people.constraints.cannot_link:
            for a, b in (pair, pair[::-1]):
                self._separated.setdefault(a, set()).add(b)
        self._photos: dict[int, set[int]] = {}
        self._groups: dict[int, set[int]] = {}
        everybody = range(len(self._sides))
        pairs = [*self._find_pairs(), *self._find_joined(everybody)]
        self._state = _State(frozenset(everybody), _sort_pairs(pairs))
        self._former: list[_State] = []

    def find_next(self) -> Suggestion | None:
        """Return the question whose answer helps most; None if there is none."""
        return next(self._list_suggestions(), None)

    def list_suggestions(self, count: int) -> list[Suggestion]:
        """Return the next questions, as long as none is answered."""
        return [suggestion for _, suggestion in zip(range(count), self._list_suggestions(), strict=False)]

    def skip(self) -> None:
        """Leave the present question without an answer."""
        pair, state = self._take_pair()
        self._state = replace(state, pairs=tuple(p for p in state.pairs if p is not pair))

    def accept(self) -> None:
        """Take the answer yes to the present question into account."""
        pair, state = self._take_pair()
        if pair.part is not None:
            # what an edit holds together is not suggested again; the faces that got a name alone are few
            is_single = bool(self._sides[pair.one].name)
            left_out = [pair] if is_single else [p for p in state.pairs if p.part and p.one == pair.one]
            self._state = replace(state, pairs=tuple(p for p in state.pairs if p not in left_out))
            return
        one, other = self._sides[pair.one], self._sides[pair.other]
        merged = replace(one, rows=np.concatenate([one.rows, other.rows]))
        self._replace_sides(state, {pair.one: [merged], pair.other: [merged]})

    def refuse(self) -> None:
        """Take the answer no to the present question into account."""
        pair, state = self._take_pair()
        if pair.part is None:
            apart = state.apart | {(pair.one, pair.other)}
            self._state = replace(state, pairs=tuple(p for p in state.pairs if p is not pair), apart=apart)
            return
        side = self._sides[pair.one]
        rest = replace(side, rows=np.setdiff1d(side.rows, pair.part.rows))
        self._replace_sides(state, {pair.one: [rest, pair.part]})
        if not self._constraints.names:
            return

    def go_back(self) -> None:
        """Take the last answer back: the question before is the present one again."""
        self._state = self._former.pop()

    # --- the present pairs ---------------------------------------------------------------------------------

    def _take_pair(self) -> tuple[_Pair, _State]:
        """Return the present pair, and the state without the pairs before it, which are not allowed."""
        self._former.append(self._state)
        pair = next(pair for pair in self._state.pairs if self._is_allowed(pair))
        position = self._state.pairs.index(pair)
        return pair, replace(self._state, pairs=self._state.pairs[position:])

    def _list_suggestions(self) -> Iterator[Suggestion]:
        for pair in self._state.pairs:
            if self._is_allowed(pair):
                one, other = self._sides[pair.one], pair.part or self._sides[pair.other]
                if pair.part:
                    one = replace(one, rows=one.rows[~np.isin(one.rows, pair.part.rows)])
                yield Suggestion(one, other, pair.distance, pair.gain, self._limit)

    def _is_allowed(self, pair: _Pair) -> bool:
        """Whether a pair has no answer yet."""
        if pair.part is not None:
            rest = np.setdiff1d(self._sides[pair.one].rows, pair.part.rows)
            photos = self._faces.photo_ids
            return not np.isin(photos[pair.part.rows], photos[rest]).any()
        one, other = pair.one, pair.other
        if (one, other) in self._state.apart or (other, one) in self._state.apart:
            return False
        if self._sides[one].name and self._sides[other].name:
            return False
        if not self._get_photos(one).isdisjoint(self._get_photos(other)):
            return False
        groups = self._get_groups(other)
        return not any(groups & self._separated.get(group, set()) for group in self._get_groups(one))

    def _get_photos(self, side: int) -> set[int]:
        if side not in self._photos:
            self._photos[side] = set(self._faces.photo_ids[self._sides[side].rows].tolist())
        return self._photos[side]

    def _get_groups(self, side: int) -> set[int]:
        if side not in self._groups:
            self._groups[side] = set(self._constraints.group[self._sides[side].rows].tolist()) - {-1}
        return self._groups[side]

    def _replace_sides(self, state: _State, replaced: dict[int, list[Side]]) -> None:
        """Replace sides by new ones; the new sides of one side stay apart, as do those of separated sides."""
        new = list({id(side): side for sides in replaced.values() for side in sides}.values())
        first = len(self._sides)
        numbers = {id(side): number for number, side in enumerate(new, first)}
        successors = {old: [numbers[id(side)] for side in sides] for old, sides in replaced.items()}
        apart = {
            (a, b)
            for pair in state.apart
            for a in successors.get(pair[0], [pair[0]])
            for b in successors.get(pair[1], [pair[1]])
        }
        apart |= {(a, b) for sides in successors.values() for a in sides for b in sides if a < b}
        self._sides += new
        self._means = np.vstack([self._means, _compute_means(self._faces.vectors, [s.rows for s in new])])
        alive = state.alive - set(replaced) | set(numbers.values())
        kept = [p for p in state.pairs if p.one in alive and p.other in alive]
        found = [pair for number in numbers.values() for pair in self._find_pairs_of(number, alive)]
        joined = self._find_joined([number for number in numbers.values() if not self._sides[number].places])
        self._state = _State(alive, _sort_pairs([*kept, *found, *joined]), frozenset(apart))

    # --- finding pairs -------------------------------------------------------------------------------------

    def _find_pairs(self) -> list[_Pair]:
        """Find pairs of people, and of people and single faces, whose distance is near the limit."""
        count = len(self._sides)
        compared = sum(bool(side.name) or len(side.rows) > 1 for side in self._sides)
        compared = min(max(compared, 2), count, _MAX_CELLS // max(count, 1) + 1)
        step = max(1, _BLOCK_CELLS // max(count, 1))
        found: list[_Pair] = []
        for start in range(0, compared, step):
            stop = min(start + step, compared)
            # each pair once: with the sides after its own
            distances = 1 - self._means[start:stop] @ self._means[start:].T
            ones, others = np.nonzero(np.triu(distances < self._limit + _WINDOW, 1))
            found += self._make_pairs(ones + start, others + start, distances[ones, others])
            found = list(_sort_pairs(found))
        return found

    def _find_pairs_of(self, number: int, alive: frozenset[int]) -> list[_Pair]:
        others = np.asarray(sorted(alive - {number}), np.int64)
        distances = 1 - self._means[others] @ self._means[number]
        near = distances < self._limit + _WINDOW
        return self._make_pairs(np.full(near.sum(), number), others[near], distances[near])

    def _make_pairs(self, ones: np.ndarray, others: np.ndarray, distances: np.ndarray) -> list[_Pair]:
        """Return pairs of sides; the first one has a name, or more faces."""
        sizes = np.asarray([len(side.rows) for side in self._sides])
        named = np.asarray([bool(side.name) for side in self._sides])
        is_first = np.where(named[ones] == named[others], sizes[ones] >= sizes[others], named[ones])
        ones, others = np.where(is_first, ones, others), np.where(is_first, others, ones)
        gains = self._compute_gains(sizes[others], named[ones], distances, is_joined=False)
        best = np.argsort(-gains, kind="stable")[:_MAX_PAIRS]
        return [
            _Pair(int(ones[i]), int(others[i]), float(distances[i]), float(gains[i])) for i in best.tolist()
        ]

    def _find_joined(self, numbers: Sequence[int]) -> list[_Pair]:
        """Find faces of people whose distance from the other faces of the same person is near the limit."""
        found = []
        rows = [self._sides[number].rows for number in numbers]
        parts = find_parts(self._faces.vectors, rows, self._constraints.group, self._limit - _WINDOW)
        for position, places, distance in parts:
            number = numbers[position]
            side = self._sides[number]
            part = Side(side.number, "", side.rows[places], tuple((places + 1).tolist()))
            is_named = np.asarray([bool(side.name)])
            size = np.asarray([min(len(places), len(side.rows) - len(places))])
            gain = self._compute_gains(size, is_named, np.asarray([distance]), is_joined=True)
            found.append(_Pair(number, number, distance, float(gain[0]), part))
        return found

    def _compute_gains(
        self, changed: np.ndarray, named: np.ndarray, distances: np.ndarray, is_joined: bool
    ) -> np.ndarray:
        """Return the benefit of answers: the expected number of faces whose label changes x the uncertainty.

        The uncertainty is 1 if yes and no are equally probable, and 0 if one of them is certain.
        """
        same = 1 / (1 + np.exp((distances - self._limit) / _SCALE))
        change = 1 - same if is_joined else same
        return changed * change * 4 * same * (1 - same) * np.where(named, _NAME_WEIGHT, 1.0)


def _sort_pairs(pairs: Sequence[_Pair]) -> tuple[_Pair, ...]:
    return tuple(sorted(pairs, key=lambda pair: -pair.gain)[:_MAX_PAIRS])


def _compute_means(vectors: np.ndarray, rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean vector of each list of rows, which is shorter than 1 if its vectors differ."""
    if not rows:
        return np.empty((0, vectors.shape[1]), np.float32)
    sizes = np.asarray([len(part) for part in rows])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.add.reduceat(vectors[np.concatenate(rows)], starts, axis=0) / sizes[:, None].astype(np.float32)
