"""What the user's decisions mean for the faces of today: who belongs together, who does not, and names.

Groups of faces can be apart for three reasons. They were *parted*, by a split: that holds for their faces
whatever group these come to be in, until somebody says that both are one person. One was *denied* to be the
other: that is a matter of the two persons, and who is taken out of the second one is free of it. Or they have
different names, for as long as they have them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from imagesearch.faces.edit_log import Decision
from imagesearch.faces.references import Anchor, Finder
from imagesearch.text import fold

_folded = functools.lru_cache(10_000)(fold)


@dataclass
class Links:
    """What the decisions mean for some faces.

    Attributes
    ----------
    group : (n,) int64
        Faces of one group belong together; -1 is a face about which nothing was decided.
    seen : (n,) bool
        Whether the user looked at the face itself.
    names : dict
        Name by group, for those that have one.
    apart : set
        Pairs of groups that are different people.
    let_go : int
        Faces that decisions do not hold for any more: their photos have changed, and show somebody else.
    """

    group: np.ndarray
    seen: np.ndarray
    names: dict[int, str] = field(default_factory=dict)
    apart: set[tuple[int, int]] = field(default_factory=set)
    let_go: int = 0


def replay(decisions: Iterable[Decision], finder: Finder) -> Links:
    """Return what some decisions, the oldest first, mean for the faces that are there.

    The newest decision about a face counts. Whoever names a cluster has seen some of its faces, and not each:
    when a later decision takes faces out of it, then of the others those that are nearer to what was taken
    out than to what is left are set free, to be clustered again. What was decided on single faces stays.
    """
    if not len(finder.faces):
        return Links(np.empty(0, np.int64), np.empty(0, bool))
    return _Replay(finder).run(decisions)


class _Replay:
    def __init__(self, finder: Finder) -> None:
        self.finder, self.vectors = finder, finder.faces.vectors
        self.group = np.full(len(self.vectors), -1, np.int64)
        self.seen = np.zeros(len(self.vectors), bool)
        self.names: dict[int, str] = {}
        self.parted: dict[int, set[int]] = {}
        """The groups that each one was parted from."""
        self.denied: dict[int, set[int]] = {}
        """The groups that each one was denied to be."""
        self.let_go: set[int] = set()
        self.numbers = itertools.count()

    def run(self, decisions: Iterable[Decision]) -> Links:
        for decision in decisions:
            getattr(self, f"_{decision.do}")(decision, [self._rows(one) for one in decision.faces])
        there = set(np.unique(self.group).tolist()) - {-1}
        named = sorted(there & set(self.names))
        told = {(min(a, b), max(a, b)) for kind in (self.parted, self.denied) for a in kind for b in kind[a]}
        return Links(
            self.group,
            self.seen,
            {group: self.names[group] for group in named},
            {pair for pair in told if there.issuperset(pair)} | set(itertools.combinations(named, 2)),
            sum(int(self.group[row]) < 0 for row in self.let_go),
        )

    def _rows(self, anchors: Iterable[Anchor]) -> np.ndarray:
        rows, let_go = self.finder.find(anchors)
        self.let_go |= let_go
        return np.unique(np.asarray([row for row in rows if row is not None], np.int64))

    # --- decisions -----------------------------------------------------------------------------------------

    def _name(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group = self._named(decision.name)
        if group is None:
            group = next(self.numbers)
            self.names[group] = decision.name
        for rows in lists:
            self._move(rows, group, decision.seen)

    def _deny(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group = self._named(decision.name)
        if group is None:
            return
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        taken = rows[self.group[rows] == group]
        left = np.setdiff1d(np.flatnonzero(self.group == group), taken)
        if len(taken) and len(left):
            self._release(left, taken)
        for row in rows.tolist():
            own = int(self.group[row])
            if own in self.names and own != group:
                continue  # it is somebody else already
            if own in (-1, group):
                own = next(self.numbers)
                self._take([row], own)
                self.seen[row] = True
            self.denied.setdefault(own, set()).add(group)

    def _merge(self, decision: Decision, lists: list[np.ndarray]) -> None:
        rows = np.concatenate(lists) if lists else np.empty(0, np.int64)
        groups = dict.fromkeys(self.group[rows].tolist())
        group = next((g for g in groups if g in self.names), next(self.numbers))
        for other in groups:
            if other not in (-1, group):
                self._join(other, group)
        self._move(rows, group, decision.seen)

    def _split(self, decision: Decision, lists: list[np.ndarray]) -> None:
        # the first part keeps the name, whether or not its photos are there today
        keeps = self._named(decision.name) if decision.name else None
        parts = []
        for position, rows in enumerate(lists):
            group = next(self.numbers)
            if position == 0 and keeps is not None:
                group = keeps
            else:
                self.seen[rows] = False
            self._take(rows, group)
            parts.append(group)
        for one, other in itertools.combinations(parts, 2):
            self._part(one, other)

    def _rename(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group, other = self._named(decision.name), self._named(decision.to)
        if group is None:
            return
        if other is not None and other != group:
            self._join(group, other)
        else:
            self.names[group] = decision.to

    def _forget(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group = self._named(decision.name)
        if group is None:
            return
        del self.names[group]
        for other in self.names:
            self._part(group, other)  # as the names said until now

    # --- moving faces between groups -----------------------------------------------------------------------

    def _named(self, name: str) -> int | None:
        folded = _folded(name)
        return next((group for group, known in self.names.items() if _folded(known) == folded), None)

    def _move(self, rows: np.ndarray, group: int, seen: bool) -> None:
        for old in set(self.group[rows].tolist()) - {-1, group}:
            taken = rows[self.group[rows] == old]
            left = np.setdiff1d(np.flatnonzero(self.group == old), taken)
            if len(left) and seen:
                self._release(left, taken)
            elif not len(left) and not (seen and old in self.names):
                # not of a name that was wrong: who is not Maya may well be Noor
                self._join(old, group)
        newcomers = self.group[rows] != group
        self.seen[rows] = seen | (self.seen[rows] & ~newcomers)
        self._take(rows, group)

    def _take(self, rows: np.ndarray | list[int], group: int) -> None:
        """Take faces out of their groups into another one, which is then apart from whom they were."""
        for old in set(self.group[rows].tolist()) - {-1, group}:
            for foe in self._foes_of_faces(old) - {group}:
                self._part(group, foe)
        self.group[rows] = group

    def _foes_of_faces(self, group: int) -> set[int]:
        """From whom faces stay apart when they leave a group."""
        foes = self.parted.get(group, set()) | self.denied.get(group, set())
        if group in self.names:
            return foes
        # without a name, whoever was denied to be them was denied to be these faces
        return foes | {other for other, whom in self.denied.items() if group in whom}

    def _part(self, one: int, other: int) -> None:
        if one != other:
            self.parted.setdefault(one, set()).add(other)
            self.parted.setdefault(other, set()).add(one)

    def _join(self, old: int, group: int) -> None:
        """Let a group become part of another, with all that was said of it."""
        self.group[self.group == old] = group
        self.names.pop(old, None)
        for kind in (self.parted, self.denied):
            kind.setdefault(group, set()).update(kind.pop(old, set()))
            for foes in kind.values():
                if old in foes:
                    foes.remove(old)
                    foes.add(group)
            kind[group].discard(group)

    def _release(self, left: np.ndarray, taken: np.ndarray) -> None:
        """Set those free that are nearer to the faces taken out than to the ones that stay."""
        sure = left[self.seen[left]]
        stays = self.vectors[sure if len(sure) else left].mean(axis=0)
        goes = self.vectors[taken].mean(axis=0)
        unsure = left[~self.seen[left]]
        # cosine, not the inner product: the mean of few faces is longer than that of many
        nearer = self.vectors[unsure] @ (_unit(goes) - _unit(stays)) > 0
        for row in unsure[nearer].tolist():
            if self._foes_of_faces(int(self.group[row])):
                self._take([row], next(self.numbers))  # free, but not to join those it was parted from
            else:
                self.group[row] = -1


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
