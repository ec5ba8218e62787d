"""Pairs of people that the clustering is least sure of, in the order in which an answer helps most.

A pair is two people whose distance is near ``faces.cluster_distance``, or a person and some of the person's
own faces that are only just alike enough. The order is that of `compute_gains`. Pairs that have an answer
already are left out: people with different names, people that the user's edits keep apart, faces that an edit
holds together, and people who are in one photo together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagesearch.faces.pair_gains import Spreads, compute_gains, compute_means, compute_squares
from imagesearch.faces.people import People
from imagesearch.faces.person_parts import find_parts

# The clustering is unsure of pairs whose distance differs by less than this from its own limit.
_WINDOW = 0.2
# Maximum number of pairs whose distance is computed, at all and at once, and of those that are kept.
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
        how = "below" if self.distance < self.limit else "above"
        return f"two people at present; the distance is {how} the limit of {self.limit:.2f}"

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
    """Two sides by their positions in the list of sides, or one and some of its faces, if `part` is given."""

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
        self._faces, self._limit, self._group = people.faces, limit, people.constraints.group
        counts = np.bincount(self._group + 1)
        self._held_together = np.where(counts[self._group + 1] > 1, self._group, -1)
        self._place = np.zeros(len(self._group), np.int64)
        for person in people.persons:
            self._place[person.rows] = np.arange(1, len(person.rows) + 1)
        # those with a name first, then those with the most faces: only they are compared with all others
        ordered = sorted(people.persons, key=lambda person: (not person.name, -len(person.rows)))
        self._sides = [Side(person.number, person.name, person.rows) for person in ordered]
        rows = [side.rows for side in self._sides]
        self._means = compute_means(self._faces.vectors, rows)
        self._sizes = np.asarray([len(part) for part in rows])
        self._usual = Spreads(self._sizes, self._means)
        self._spreads = self._usual.compare(self._sizes, compute_squares(self._means))
        self._separated: dict[int, set[int]] = {}
        for pair in people.constraints.cannot_link:
            for a, b in (pair, pair[::-1]):
                self._separated.setdefault(a, set()).add(b)
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
        self._take_pair()

    def accept(self) -> None:
        """Take the answer yes to the present question into account."""
        pair = self._take_pair()
        one, other = self._sides[pair.one], self._sides[pair.other]
        if pair.part is None:
            merged = replace(one, rows=np.concatenate([one.rows, other.rows]))
            self._replace_sides({pair.one: [merged], pair.other: [merged]})
        elif not one.name:  # all faces are held together now
            pairs = tuple(p for p in self._state.pairs if p.part is None or p.one != pair.one)
            self._state = replace(self._state, pairs=pairs)

    def refuse(self) -> None:
        """Take the answer no to the present question into account."""
        pair = self._take_pair()
        if pair.part is None:
            self._state = replace(self._state, apart=self._state.apart | {(pair.one, pair.other)})
            return
        side = self._sides[pair.one]
        rest = replace(side, rows=side.rows[~np.isin(side.rows, pair.part.rows)])
        self._replace_sides({pair.one: [rest, pair.part]})

    def go_back(self) -> None:
        """Take the last answer back: the question before is the present one again."""
        self._state = self._former.pop()

    # --- the present pairs ---------------------------------------------------------------------------------

    def _take_pair(self) -> _Pair:
        """Remove the present pair, and those before it, which are not allowed."""
        self._former.append(self._state)
        pairs = self._state.pairs
        position = next(i for i, pair in enumerate(pairs) if self._is_allowed(pair))
        self._state = replace(self._state, pairs=pairs[position + 1 :])
        return pairs[position]

    def _list_suggestions(self) -> Iterator[Suggestion]:
        for pair in self._state.pairs:
            if self._is_allowed(pair):
                one, other = self._sides[pair.one], pair.part or self._sides[pair.other]
                if pair.part:
                    one = replace(one, rows=one.rows[~np.isin(one.rows, other.rows)])
                yield Suggestion(one, other, pair.distance, pair.gain, self._limit)

    def _is_allowed(self, pair: _Pair) -> bool:
        """Whether a pair has no answer yet."""
        one, other = self._sides[pair.one], pair.part or self._sides[pair.other]
        rows = one.rows[~np.isin(one.rows, other.rows)] if pair.part else one.rows
        if np.isin(self._faces.photo_ids[rows], self._faces.photo_ids[other.rows]).any():
            return False
        if pair.part:
            return True
        if (one.name and other.name) or {(pair.one, pair.other), (pair.other, pair.one)} & self._state.apart:
            return False
        groups = set(self._group[other.rows].tolist())
        return not any(groups & self._separated.get(group, set()) for group in self._group[rows].tolist())

    def _replace_sides(self, replaced: dict[int, list[Side]]) -> None:
        """Replace sides by new ones. The new sides of one old side stay apart, and inherit what it is not."""
        state, new = self._state, list({id(s): s for sides in replaced.values() for s in sides}.values())
        numbers = {id(side): number for number, side in enumerate(new, len(self._sides))}
        successors = {old: [numbers[id(side)] for side in sides] for old, sides in replaced.items()}
        apart = {
            (a, b)
            for one, other in state.apart
            for a in successors.get(one, [one])
            for b in successors.get(other, [other])
        }
        apart |= {(a, b) for sides in successors.values() for a in sides for b in sides if a < b}
        means = compute_means(self._faces.vectors, [side.rows for side in new])
        sizes = np.asarray([len(side.rows) for side in new])
        spreads = self._usual.compare(sizes, compute_squares(means))
        self._sides += new
        self._means = np.vstack([self._means, means])
        self._sizes = np.concatenate([self._sizes, sizes])
        self._spreads = np.concatenate([self._spreads, spreads])
        alive = state.alive - set(replaced) | set(numbers.values())
        pairs = [pair for pair in state.pairs if pair.one in alive and pair.other in alive]
        for number in numbers.values():
            pairs += self._find_pairs_of(number, alive)
        if len(replaced) == 1:  # else two people are held together now
            pairs += self._find_joined(
                [number for number in numbers.values() if not self._sides[number].places]
            )
        self._state = _State(alive, _sort_pairs(pairs), frozenset(apart))

    # --- finding pairs -------------------------------------------------------------------------------------

    def _find_pairs(self) -> list[_Pair]:
        """Find pairs of people, and of people and single faces, whose distance is near the limit."""
        count = len(self._sides)
        compared = sum(bool(side.name) or len(side.rows) > 1 for side in self._sides)
        compared = min(max(compared, 1), count, _MAX_CELLS // max(count, 1) + 1)
        step = max(1, _BLOCK_CELLS // max(count, 1))
        found: list[_Pair] = []
        for start in range(0, compared, step):
            # each pair once: with the sides after its own
            distances = 1 - self._means[start : min(start + step, compared)] @ self._means[start:].T
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
        """Return the best pairs of sides. The first side of each has a name, or more faces."""
        sizes = self._sizes
        named = np.asarray([bool(side.name) for side in self._sides])
        is_first = np.where(named[ones] == named[others], sizes[ones] >= sizes[others], named[ones])
        ones, others = np.where(is_first, ones, others), np.where(is_first, others, ones)
        excess = distances - self._limit - (self._spreads[ones] + self._spreads[others]) / 2
        gains = compute_gains((sizes[ones], sizes[others]), named[ones], excess, is_joined=False)
        return [
            _Pair(int(ones[i]), int(others[i]), float(distances[i]), float(gains[i]))
            for i in np.argsort(-gains, kind="stable")[:_MAX_PAIRS].tolist()
        ]

    def _find_joined(self, numbers: Sequence[int]) -> list[_Pair]:
        """Find faces of people whose distance from the other faces of the same person is near the limit."""
        persons = [self._sides[number].rows for number in numbers]
        parts = list(find_parts(self._faces.vectors, persons, self._held_together, self._limit - _WINDOW))
        if not parts:
            return []
        sides = [self._sides[numbers[part.position]] for part in parts]
        changing = np.asarray([len(part.places) for part in parts])
        sizes = np.asarray([len(side.rows) for side in sides]) - changing, changing
        squares = np.asarray([part.squares for part in parts]).T
        own, rest = self._usual.compare(sizes[1], squares[1]), self._usual.compare(sizes[0], squares[0])
        spread = np.where(changing == 1, rest, (own + rest) / 2)  # one face has no spread
        excess = np.asarray([part.distance for part in parts]) - self._limit - spread
        gains = compute_gains(sizes, np.asarray([bool(side.name) for side in sides]), excess, is_joined=True)
        found = []
        for part, side, gain in zip(parts, sides, gains.tolist(), strict=True):
            rows = side.rows[part.places]
            other, number = (
                Side(side.number, "", rows, tuple(self._place[rows].tolist())),
                numbers[part.position],
            )
            found.append(_Pair(number, number, part.distance, gain, other))
        return list(_sort_pairs(found))


def _sort_pairs(pairs: Sequence[_Pair]) -> tuple[_Pair, ...]:
    useful = (pair for pair in pairs if pair.gain > 0)
    return tuple(sorted(useful, key=lambda pair: -pair.gain)[:_MAX_PAIRS])
