"""The constraints that the user's edits put on the clustering of faces, and the names of people.

Faces of one group must be in one cluster (must-link). Two groups cannot be in one cluster (cannot-link) for
one of these reasons:

- A split *separated* them. This constraint applies to these faces even if they
  move to other groups, until an edit merges the two groups.
- The user *denied* that the first group is the person of the second group. This constraint concerns the two
  people: it no longer applies to a face that leaves the second group.
- The user said that two people without names *differ*. This separates all faces of one from all faces of the
  other, but the faces of one person need not stay together.
- They have different names. If a name is removed later, the groups stay separated. An ignored group is
  separated from all named groups in the same way.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from imagesearch.decisions import list_effective
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.references import FaceReference, ReferenceResolver
from imagesearch.text import normalize

# Maximum number of faces of a person that are separated one by one; see `_apply_differ`.
_MAX_SEPARATED = 100
_normalize_cached = functools.lru_cache(10_000)(normalize)


@dataclass
class Constraints:
    """Constraints on the faces of a table, and the names of people.

    Attributes
    ----------
    group : (n,) int64
        Must-link constraints: the number of each face's group, or -1 for a face without a group.
    confirmed : (n,) bool
        Whether the user looked at the face itself, not only at its cluster.
    names : dict
        Name by group, for the groups that have one.
    cannot_link : set
        Pairs of groups that cannot be in one cluster.
    rejected : (n,) bool
        Whether the user rejected the face: it is not a face, and is not clustered.
    ignored : set
        The groups of people that are left out of figures, counts and searches.
    released : int
        Number of faces whose edits no longer apply, because a changed photo now shows a different person.
    """

    group: np.ndarray
    confirmed: np.ndarray
    names: dict[int, str] = field(default_factory=dict)
    cannot_link: set[tuple[int, int]] = field(default_factory=set)
    released: int = 0
    rejected: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    ignored: set[int] = field(default_factory=set)


def replay_edits(edits: Sequence[Edit], resolver: ReferenceResolver) -> Constraints:
    """Convert edits, the oldest first, to constraints on the faces of a table. Undone edits are left out.

    A newer edit of a face overrides an older one. A user who names a cluster has looked at some of its faces,
    but not at all of them. So when a later edit removes faces from the cluster, unconfirmed faces that are
    nearer to the removed faces than to the remaining ones are released, to be clustered again. Confirmed
    faces are never released.
    """
    if not len(resolver.faces):
        return Constraints(np.empty(0, np.int64), np.empty(0, bool))
    replay = _EditReplay(resolver)
    for index in list_effective(edits):
        replay.apply_edit(edits[index])
    return replay.make_constraints()


class _EditReplay:
    """The groups of faces, updated by each edit in order."""

    def __init__(self, resolver: ReferenceResolver) -> None:
        self.resolver, self.vectors = resolver, resolver.faces.vectors
        self.group = np.full(len(self.vectors), -1, np.int64)
        self.confirmed = np.zeros(len(self.vectors), bool)
        self.names: dict[int, str] = {}
        self.separated: dict[int, set[int]] = {}
        """For each group, the groups that it must stay separate from."""
        self.denied: dict[int, set[int]] = {}
        """For each group, the groups of the people that it is not, according to the user."""
        self.released: set[int] = set()
        self.rejected = np.zeros(len(self.vectors), bool)
        self.ignored: set[int] = set()
        self.new_groups = itertools.count()

    def apply_edit(self, edit: Edit) -> None:
        appliers = {
            "name": self._apply_name,
            "deny": self._apply_deny,
            "differ": self._apply_differ,
            "merge": self._apply_merge,
            "split": self._apply_split,
            "rename": self._apply_rename,
            "forget": self._apply_forget,
            "reject": self._apply_reject,
            "ignore": self._apply_ignore,
            "restore": self._apply_restore,
        }
        if edit.action in appliers:  # not those that mark photos
            appliers[edit.action](edit, [self._find_rows(references) for references in edit.faces])

    def make_constraints(self) -> Constraints:
        present = set(np.unique(self.group).tolist()) - {-1}
        named = sorted(present & set(self.names))
        ignored = present & self.ignored
        pairs = set(itertools.combinations(named, 2))
        pairs |= {(min(pair), max(pair)) for pair in itertools.product(named, ignored) if pair[0] != pair[1]}
        for one, other in self._list_separations():
            if one in present and other in present:
                pairs.add((min(one, other), max(one, other)))
        return Constraints(
            self.group,
            self.confirmed,
            {group: self.names[group] for group in named},
            pairs,
            sum(int(self.group[row]) < 0 for row in self.released - set(np.flatnonzero(self.rejected))),
            self.rejected,
            ignored,
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
        self.ignored.discard(group)  # a person who is named is in use again
        for rows in lists:
            if not edit.confirmed:
                self.ignored -= set(self.group[rows].tolist())
            self._move_faces(rows, group, edit.confirmed)

    def _apply_deny(self, edit: Edit, lists: list[np.ndarray]) -> None:
        denied = self._find_group(edit.name)
        if denied is None:
            return
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        removed = rows[self.group[rows] == denied]
        remaining = np.setdiff1d(np.flatnonzero(self.group == denied), removed)
        if len(removed) and len(remaining):
            self._release_faces(remaining, removed)
        for row in rows.tolist():
            group = int(self.group[row])
            if group in self.names and group != denied:
                continue  # already has the name of another person
            if group in (-1, denied):
                group = next(self.new_groups)
                self._assign_group([row], group)
                self.confirmed[row] = True
            self.denied.setdefault(group, set()).add(denied)

    def _apply_differ(self, edit: Edit, lists: list[np.ndarray]) -> None:
        """Separate the faces of two people.

        Each face without a group gets a group of its own, because the faces of one of the two need not be one
        person. If these are many, they become one group: otherwise there are too many pairs.
        """
        one, other = lists
        leaving = one[(self.group[one] < 0) | np.isin(self.group[one], self.group[other])]
        self.confirmed[leaving] = edit.confirmed
        for rows in (leaving, other[self.group[other] < 0]):
            for part in rows[:, None] if len(rows) <= _MAX_SEPARATED else [rows]:
                self._assign_group(part, next(self.new_groups))
        groups = (np.unique(self.group[rows]).tolist() for rows in (one, other))
        for pair in itertools.product(*groups):
            self._separate_groups(*pair)

    def _apply_merge(self, edit: Edit, lists: list[np.ndarray]) -> None:
        rows = np.concatenate(lists) if lists else np.empty(0, np.int64)
        merged = dict.fromkeys(self.group[rows].tolist())
        group = next((g for g in merged if g in self.names), next(self.new_groups))
        for other in merged:
            if other not in (-1, group):
                self._join_groups(other, group)
        self._move_faces(rows, group, edit.confirmed)

    def _apply_split(self, edit: Edit, lists: list[np.ndarray]) -> None:
        # the first part keeps the name, even if its photos are missing
        named = self._find_group(edit.name) if edit.name else None
        parts = []
        for position, rows in enumerate(lists):
            group = next(self.new_groups)
            if position == 0 and named is not None:
                group = named
            else:
                self.confirmed[rows] = False
            self._assign_group(rows, group)
            parts.append(group)
        for one, other in itertools.combinations(parts, 2):
            self._separate_groups(one, other)

    def _apply_rename(self, edit: Edit, lists: list[np.ndarray]) -> None:
        group, other = self._find_group(edit.name), self._find_group(edit.new_name)
        if group is None:
            return
        self.ignored -= {group, other}
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
            # replaces the constraint that groups with different names cannot be linked
            self._separate_groups(group, other)

    def _apply_reject(self, edit: Edit, lists: list[np.ndarray]) -> None:
        for rows in lists:
            self.group[rows] = -1
            self.confirmed[rows] = False
            self.rejected[rows] = True

    def _apply_ignore(self, edit: Edit, lists: list[np.ndarray]) -> None:
        group = self._find_group(edit.name) if edit.name else None
        if group is None:
            group = next(self.new_groups)
        for rows in lists:
            self._move_faces(rows, group, edit.confirmed)
        self.ignored.add(group)

    def _apply_restore(self, edit: Edit, lists: list[np.ndarray]) -> None:
        if not edit.confirmed:  # a whole person, or what is not a face
            self.ignored.discard(self._find_group(edit.name) if edit.name else None)
            for rows in lists:
                self.rejected[rows] = False
                self.ignored -= set(self.group[rows].tolist())
            return
        # single faces leave their person, who stays ignored
        rows, *others = lists
        staying = {group for part in others for group in self.group[part].tolist()} & self.ignored
        for row in rows.tolist():
            group = next(self.new_groups)
            self._assign_group([row], group)
            self.confirmed[row] = True
            for other in staying:
                self._separate_groups(group, other)

    # --- moving faces between groups -----------------------------------------------------------------------

    def _find_group(self, name: str) -> int | None:
        normalized = _normalize_cached(name)
        for group, other in self.names.items():
            if _normalize_cached(other) == normalized:
                return group
        return None

    def _move_faces(self, rows: np.ndarray, group: int, confirmed: bool) -> None:
        for old in set(self.group[rows].tolist()) - {-1, group}:
            removed = rows[self.group[rows] == old]
            remaining = np.setdiff1d(np.flatnonzero(self.group == old), removed)
            if len(remaining) and confirmed:
                self._release_faces(remaining, removed)
            elif not len(remaining) and not (confirmed and old in self.names):
                # if the name is corrected, the old group's constraints are not transferred: they are about
                # the wrong person
                self._join_groups(old, group)
        is_new = self.group[rows] != group
        self.confirmed[rows] = confirmed | (self.confirmed[rows] & ~is_new)
        self._assign_group(rows, group)

    def _assign_group(self, rows: np.ndarray | list[int], group: int) -> None:
        """Assign faces to another group, which inherits the cannot-link constraints of their old groups."""
        for old in set(self.group[rows].tolist()) - {-1, group}:
            for other in self._get_cannot_link(old) - {group}:
                self._separate_groups(group, other)
        self.group[rows] = group
        self.rejected[rows] = False

    def _get_cannot_link(self, group: int) -> set[int]:
        """Return the groups that a face cannot be linked with after it leaves a group."""
        cannot_link = self.separated.get(group, set()) | self.denied.get(group, set())
        if group in self.names:
            return cannot_link
        # if the group has no name, a denial is about its faces, so it is inherited
        return cannot_link | {other for other, groups in self.denied.items() if group in groups}

    def _separate_groups(self, one: int, other: int) -> None:
        if one != other:
            self.separated.setdefault(one, set()).add(other)
            self.separated.setdefault(other, set()).add(one)

    def _join_groups(self, old: int, group: int) -> None:
        """Join the group `old` into another group, with all its constraints."""
        self.group[self.group == old] = group
        self.names.pop(old, None)
        if old in self.ignored and group not in self.names:
            self.ignored.add(group)
        self.ignored.discard(old)
        for relation in (self.separated, self.denied):
            relation.setdefault(group, set()).update(relation.pop(old, set()))
            for others in relation.values():
                if old in others:
                    others.remove(old)
                    others.add(group)
            relation[group].discard(group)

    def _release_faces(self, remaining: np.ndarray, removed: np.ndarray) -> None:
        """Release unconfirmed faces that are nearer to the removed faces than to the remaining ones."""
        confirmed = remaining[self.confirmed[remaining]]
        mean_remaining = self.vectors[confirmed if len(confirmed) else remaining].mean(axis=0)
        mean_removed = self.vectors[removed].mean(axis=0)
        unconfirmed = remaining[~self.confirmed[remaining]]
        # compares cosines, not inner products: the mean of few vectors is longer than that of many
        direction = _normalize_vector(mean_removed) - _normalize_vector(mean_remaining)
        nearer = self.vectors[unconfirmed] @ direction > 0
        for row in unconfirmed[nearer].tolist():
            if self._get_cannot_link(int(self.group[row])):
                # gets a group of its own, which keeps the cannot-link constraints
                self._assign_group([row], next(self.new_groups))
            else:
                self.group[row] = -1


def _normalize_vector(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
