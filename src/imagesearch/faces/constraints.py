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

from imagesearch.faces.edit_log import Edit
from imagesearch.faces.references import FaceReference, ReferenceResolver
from imagesearch.text import normalize

_folded = functools.lru_cache(10_000)(normalize)


@dataclass
class Constraints:
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
    confirmed: np.ndarray
    names: dict[int, str] = field(default_factory=dict)
    cannot_link: set[tuple[int, int]] = field(default_factory=set)
    released: int = 0


def replay_edits(decisions: Iterable[Edit], finder: ReferenceResolver) -> Constraints:
    """Return what some decisions, the oldest first, mean for the faces that are there.

    The newest decision about a face counts. Whoever names a cluster has seen some of its faces, and not each:
    when a later decision takes faces out of it, then of the others those that are nearer to what was taken
    out than to what is left are set free, to be clustered again. What was decided on single faces stays.
    """
    if not len(finder.faces):
        return Constraints(np.empty(0, np.int64), np.empty(0, bool))
    return _Replay(finder).apply(decisions)


class _Replay:
    def __init__(self, finder: ReferenceResolver) -> None:
        self.finder, self.vectors = finder, finder.faces.vectors
        self.group = np.full(len(self.vectors), -1, np.int64)
        self.confirmed = np.zeros(len(self.vectors), bool)
        self.names: dict[int, str] = {}
        self.parted: dict[int, set[int]] = {}
        """The groups that each one was parted from."""
        self.denied: dict[int, set[int]] = {}
        """The groups that each one was denied to be."""
        self.released: set[int] = set()
        self.numbers = itertools.count()

    def apply(self, decisions: Iterable[Edit]) -> Constraints:
        # by the verbs of the file, which are older than the names of these methods
        appliers = {
            "name": self._apply_name,
            "deny": self._apply_deny,
            "merge": self._apply_merge,
            "split": self._apply_split,
            "rename": self._apply_rename,
            "forget": self._apply_forget,
        }
        for decision in decisions:
            apply_edit = appliers[decision.action]
            apply_edit(decision, [self._find_rows(one) for one in decision.faces])
        there = set(np.unique(self.group).tolist()) - {-1}
        named = sorted(there & set(self.names))
        told = {(min(a, b), max(a, b)) for kind in (self.parted, self.denied) for a in kind for b in kind[a]}
        return Constraints(
            self.group,
            self.confirmed,
            {group: self.names[group] for group in named},
            {pair for pair in told if there.issuperset(pair)} | set(itertools.combinations(named, 2)),
            sum(int(self.group[row]) < 0 for row in self.released),
        )

    def _find_rows(self, anchors: Iterable[FaceReference]) -> np.ndarray:
        rows, let_go = self.finder.resolve(anchors)
        self.released |= let_go
        return np.unique(np.asarray([row for row in rows if row is not None], np.int64))

    # --- decisions -----------------------------------------------------------------------------------------

    def _apply_name(self, decision: Edit, lists: list[np.ndarray]) -> None:
        group = self._find_group(decision.name)
        if group is None:
            group = next(self.numbers)
            self.names[group] = decision.name
        for rows in lists:
            self._move_faces(rows, group, decision.confirmed)

    def _apply_deny(self, decision: Edit, lists: list[np.ndarray]) -> None:
        group = self._find_group(decision.name)
        if group is None:
            return
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        taken = rows[self.group[rows] == group]
        left = np.setdiff1d(np.flatnonzero(self.group == group), taken)
        if len(taken) and len(left):
            self._release_faces(left, taken)
        for row in rows.tolist():
            own = int(self.group[row])
            if own in self.names and own != group:
                continue  # it is somebody else already
            if own in (-1, group):
                own = next(self.numbers)
                self._take_faces([row], own)
                self.confirmed[row] = True
            self.denied.setdefault(own, set()).add(group)

    def _apply_merge(self, decision: Edit, lists: list[np.ndarray]) -> None:
        rows = np.concatenate(lists) if lists else np.empty(0, np.int64)
        groups = dict.fromkeys(self.group[rows].tolist())
        group = next((g for g in groups if g in self.names), next(self.numbers))
        for other in groups:
            if other not in (-1, group):
                self._join_groups(other, group)
        self._move_faces(rows, group, decision.confirmed)

    def _apply_split(self, decision: Edit, lists: list[np.ndarray]) -> None:
        # the first part keeps the name, whether or not its photos are there today
        keeps = self._find_group(decision.name) if decision.name else None
        parts = []
        for position, rows in enumerate(lists):
            group = next(self.numbers)
            if position == 0 and keeps is not None:
                group = keeps
            else:
                self.confirmed[rows] = False
            self._take_faces(rows, group)
            parts.append(group)
        for one, other in itertools.combinations(parts, 2):
            self._separate(one, other)

    def _apply_rename(self, decision: Edit, lists: list[np.ndarray]) -> None:
        group, other = self._find_group(decision.name), self._find_group(decision.new_name)
        if group is None:
            return
        if other is not None and other != group:
            self._join_groups(group, other)
        else:
            self.names[group] = decision.new_name

    def _apply_forget(self, decision: Edit, lists: list[np.ndarray]) -> None:
        group = self._find_group(decision.name)
        if group is None:
            return
        del self.names[group]
        for other in self.names:
            self._separate(group, other)  # as the names said until now

    # --- moving faces between groups -----------------------------------------------------------------------

    def _find_group(self, name: str) -> int | None:
        folded = _folded(name)
        return next((group for group, known in self.names.items() if _folded(known) == folded), None)

    def _move_faces(self, rows: np.ndarray, group: int, seen: bool) -> None:
        for old in set(self.group[rows].tolist()) - {-1, group}:
            taken = rows[self.group[rows] == old]
            left = np.setdiff1d(np.flatnonzero(self.group == old), taken)
            if len(left) and seen:
                self._release_faces(left, taken)
            elif not len(left) and not (seen and old in self.names):
                # not of a name that was wrong: who is not Maya may well be Noor
                self._join_groups(old, group)
        newcomers = self.group[rows] != group
        self.confirmed[rows] = seen | (self.confirmed[rows] & ~newcomers)
        self._take_faces(rows, group)

    def _take_faces(self, rows: np.ndarray | list[int], group: int) -> None:
        """Take faces out of their groups into another one, which is then apart from whom they were."""
        for old in set(self.group[rows].tolist()) - {-1, group}:
            for foe in self._get_cannot_link(old) - {group}:
                self._separate(group, foe)
        self.group[rows] = group

    def _get_cannot_link(self, group: int) -> set[int]:
        """From whom faces stay apart when they leave a group."""
        foes = self.parted.get(group, set()) | self.denied.get(group, set())
        if group in self.names:
            return foes
        # without a name, whoever was denied to be them was denied to be these faces
        return foes | {other for other, whom in self.denied.items() if group in whom}

    def _separate(self, one: int, other: int) -> None:
        if one != other:
            self.parted.setdefault(one, set()).add(other)
            self.parted.setdefault(other, set()).add(one)

    def _join_groups(self, old: int, group: int) -> None:
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

    def _release_faces(self, left: np.ndarray, taken: np.ndarray) -> None:
        """Set those free that are nearer to the faces taken out than to the ones that stay."""
        sure = left[self.confirmed[left]]
        stays = self.vectors[sure if len(sure) else left].mean(axis=0)
        goes = self.vectors[taken].mean(axis=0)
        unsure = left[~self.confirmed[left]]
        # cosine, not the inner product: the mean of few faces is longer than that of many
        nearer = self.vectors[unsure] @ (_normalize_vector(goes) - _normalize_vector(stays)) > 0
        for row in unsure[nearer].tolist():
            if self._get_cannot_link(int(self.group[row])):
                self._take_faces([row], next(self.numbers))  # free, but not to join those it was parted from
            else:
                self.group[row] = -1


def _normalize_vector(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
