"""What the user's edits mean for the faces of a table: who belongs together, who does not, and names.

Groups of faces are kept apart for three reasons. They were *separated*, by a split: that holds for their
faces whatever group these come to be in, until an edit says that both are one person. One was *denied* to be
the other: that concerns the two persons, and a face taken out of the second one is free of it. Or they have
different names, for as long as they have them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from imagesearch.faces.edit_log import Edit
from imagesearch.faces.references import FaceReference, ReferenceResolver
from imagesearch.text import normalize

_normalize_cached = functools.lru_cache(10_000)(normalize)


@dataclass
class Constraints:
    """What the edits mean for the faces of a table.

    Attributes
    ----------
    group : (n,) int64
        Faces of one group belong together; -1 is a face that no edit is about.
    confirmed : (n,) bool
        Whether the user looked at the face itself.
    names : dict
        Name by group, for those that have one.
    cannot_link : set
        Pairs of groups that are different people.
    released : int
        Faces that edits do not hold for any more: their photos have changed, and show another person.
    """

    group: np.ndarray
    confirmed: np.ndarray
    names: dict[int, str] = field(default_factory=dict)
    cannot_link: set[tuple[int, int]] = field(default_factory=set)
    released: int = 0


def replay_edits(edits: Iterable[Edit], resolver: ReferenceResolver) -> Constraints:
    """Return what some edits, the oldest first, mean for the faces of a table.

    The newest edit about a face counts. A user who names a cluster has seen some of its faces, and not each:
    when a later edit takes faces out of it, then of the others those that are nearer to what was taken
    out than to what is left are released, to be clustered again. Edits of single faces stay.
    """
    if not len(resolver.faces):
        return Constraints(np.empty(0, np.int64), np.empty(0, bool))
    replay = _EditReplay(resolver)
    for edit in edits:
        replay.apply_edit(edit)
    return replay.make_constraints()


class _EditReplay:
    """The groups of faces while edits are applied to them, one after the other."""

    def __init__(self, resolver: ReferenceResolver) -> None:
        self.resolver, self.vectors = resolver, resolver.faces.vectors
        self.group = np.full(len(self.vectors), -1, np.int64)
        self.confirmed = np.zeros(len(self.vectors), bool)
        self.names: dict[int, str] = {}
        self.separated: dict[int, set[int]] = {}
        """The groups that each one was separated from."""
        self.denied: dict[int, set[int]] = {}
        """The groups that each one was denied to be."""
        self.released: set[int] = set()
        self.new_groups = itertools.count()

    def apply_edit(self, edit: Edit) -> None:
        # by the verbs of the file, which are older than the names of these methods
        appliers = {
            "name": self._apply_name,
            "deny": self._apply_deny,
            "merge": self._apply_merge,
            "split": self._apply_split,
            "rename": self._apply_rename,
            "forget": self._apply_forget,
        }
        appliers[edit.action](edit, [self._find_rows(references) for references in edit.faces])

    def make_constraints(self) -> Constraints:
        present = set(np.unique(self.group).tolist()) - {-1}
        named = sorted(present & set(self.names))
        pairs = set(itertools.combinations(named, 2))
        for one, other in self._list_separations():
            if one in present and other in present:
                pairs.add((min(one, other), max(one, other)))
        return Constraints(
            self.group,
            self.confirmed,
            {group: self.names[group] for group in named},
            pairs,
            sum(int(self.group[row]) < 0 for row in self.released),
        )

    def _list_separations(self) -> Iterator[tuple[int, int]]:
        for relation in (self.separated, self.denied):
            for one, others in relation.items():
                for other in others:
                    yield one, other

    def _find_rows(self, references: Iterable[FaceReference]) -> np.ndarray:
        rows, released = self.resolver.resolve(references)
        self.released |= released
        return np.unique(np.asarray([row for row in rows if row is not None], np.int64))

    # --- edits ---------------------------------------------------------------------------------------------

    def _apply_name(self, edit: Edit, lists: list[np.ndarray]) -> None:
        group = self._find_group(edit.name)
        if group is None:
            group = next(self.new_groups)
            self.names[group] = edit.name
        for rows in lists:
            self._move_faces(rows, group, edit.confirmed)

    def _apply_deny(self, edit: Edit, lists: list[np.ndarray]) -> None:
        denied = self._find_group(edit.name)
        if denied is None:
            return
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        taken = rows[self.group[rows] == denied]
        left = np.setdiff1d(np.flatnonzero(self.group == denied), taken)
        if len(taken) and len(left):
            self._release_faces(left, taken)
        for row in rows.tolist():
            group = int(self.group[row])
            if group in self.names and group != denied:
                continue  # another person already
            if group in (-1, denied):
                group = next(self.new_groups)
                self._take_faces([row], group)
                self.confirmed[row] = True
            self.denied.setdefault(group, set()).add(denied)

    def _apply_merge(self, edit: Edit, lists: list[np.ndarray]) -> None:
        rows = np.concatenate(lists) if lists else np.empty(0, np.int64)
        merged = dict.fromkeys(self.group[rows].tolist())
        group = next((g for g in merged if g in self.names), next(self.new_groups))
        for other in merged:
            if other not in (-1, group):
                self._join_groups(other, group)
        self._move_faces(rows, group, edit.confirmed)

    def _apply_split(self, edit: Edit, lists: list[np.ndarray]) -> None:
        # the first part keeps the name, also while its photos are missing
        named = self._find_group(edit.name) if edit.name else None
        parts = []
        for position, rows in enumerate(lists):
            group = next(self.new_groups)
            if position == 0 and named is not None:
                group = named
            else:
                self.confirmed[rows] = False
            self._take_faces(rows, group)
            parts.append(group)
        for one, other in itertools.combinations(parts, 2):
            self._separate_groups(one, other)

    def _apply_rename(self, edit: Edit, lists: list[np.ndarray]) -> None:
        group, other = self._find_group(edit.name), self._find_group(edit.new_name)
        if group is None:
            return
        if other is not None and other != group:
            self._join_groups(group, other)
        else:
            self.names[group] = edit.new_name

    def _apply_forget(self, edit: Edit, lists: list[np.ndarray]) -> None:
        group = self._find_group(edit.name)
        if group is None:
            return
        del self.names[group]
        for other in self.names:
            self._separate_groups(group, other)  # as their names did until now

    # --- moving faces between groups -----------------------------------------------------------------------

    def _find_group(self, name: str) -> int | None:
        normalized = _normalize_cached(name)
        for group, other in self.names.items():
            if _normalize_cached(other) == normalized:
                return group
        return None

    def _move_faces(self, rows: np.ndarray, group: int, confirmed: bool) -> None:
        for old in set(self.group[rows].tolist()) - {-1, group}:
            taken = rows[self.group[rows] == old]
            left = np.setdiff1d(np.flatnonzero(self.group == old), taken)
            if len(left) and confirmed:
                self._release_faces(left, taken)
            elif not len(left) and not (confirmed and old in self.names):
                # not a group whose name was wrong: what holds for Maya need not hold for Noor
                self._join_groups(old, group)
        newcomers = self.group[rows] != group
        self.confirmed[rows] = confirmed | (self.confirmed[rows] & ~newcomers)
        self._take_faces(rows, group)

    def _take_faces(self, rows: np.ndarray | list[int], group: int) -> None:
        """Take faces out of their groups into another one, which is then apart from whom they were."""
        for old in set(self.group[rows].tolist()) - {-1, group}:
            for other in self._get_cannot_link(old) - {group}:
                self._separate_groups(group, other)
        self.group[rows] = group

    def _get_cannot_link(self, group: int) -> set[int]:
        """Return the groups that faces stay apart from when they leave a group."""
        cannot_link = self.separated.get(group, set()) | self.denied.get(group, set())
        if group in self.names:
            return cannot_link
        # groups denied to be a person without a name were denied to be these faces
        return cannot_link | {other for other, groups in self.denied.items() if group in groups}

    def _separate_groups(self, one: int, other: int) -> None:
        if one != other:
            self.separated.setdefault(one, set()).add(other)
            self.separated.setdefault(other, set()).add(one)

    def _join_groups(self, old: int, group: int) -> None:
        """Make a group part of another, with all constraints of it."""
        self.group[self.group == old] = group
        self.names.pop(old, None)
        for relation in (self.separated, self.denied):
            relation.setdefault(group, set()).update(relation.pop(old, set()))
            for others in relation.values():
                if old in others:
                    others.remove(old)
                    others.add(group)
            relation[group].discard(group)

    def _release_faces(self, left: np.ndarray, taken: np.ndarray) -> None:
        """Release the faces that are nearer to the faces taken out than to the ones that stay."""
        confirmed = left[self.confirmed[left]]
        mean_left = self.vectors[confirmed if len(confirmed) else left].mean(axis=0)
        mean_taken = self.vectors[taken].mean(axis=0)
        unconfirmed = left[~self.confirmed[left]]
        # cosine, not the inner product: the mean of few faces is longer than that of many
        direction = _normalize_vector(mean_taken) - _normalize_vector(mean_left)
        nearer = self.vectors[unconfirmed] @ direction > 0
        for row in unconfirmed[nearer].tolist():
            if self._get_cannot_link(int(self.group[row])):
                # free, but not to join those it was separated from
                self._take_faces([row], next(self.new_groups))
            else:
                self.group[row] = -1


def _normalize_vector(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
