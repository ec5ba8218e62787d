"""Pairs of people whose faces are similar enough for one cluster, and why they are not in one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imagesearch.faces.constraints import Constraints
from imagesearch.faces.extract import FaceTable

if TYPE_CHECKING:
    from imagesearch.faces.people import Person


@dataclass(frozen=True)
class SimilarPair:
    """Two people whose faces are similar enough for one cluster.

    Attributes
    ----------
    people : tuple of Person
        The two people.
    distance : float
        The mean cosine distance between their faces.
    reason : str
        Why they are not one person; for a pair that is not decided, also what to do.
    is_decided : bool
        Whether the user's edits keep them apart.
    """

    people: tuple[Person, Person]
    distance: float
    reason: str
    is_decided: bool = False

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of both people."""
        return frozenset(person.number for person in self.people)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        labels = [person.label for person in self.people]
        return {"labels": labels, "distance": round(self.distance, 4), "reason": self.reason}

    def __str__(self) -> str:
        one, other = (person.label for person in self.people)
        return f"{one} and {other} look alike (mean distance {self.distance:.2f}); {self.reason}"


def find_similar_pairs(
    faces: FaceTable, persons: Sequence[Person], constraints: Constraints, distance: float
) -> list[SimilarPair]:
    """Find pairs of people that have edited faces and are similar enough to be one cluster."""
    known = [person for person in persons if (constraints.group[person.rows] >= 0).any()]
    if not known:
        return []
    means = np.stack([faces.vectors[person.rows].mean(axis=0) for person in known])
    distances = 1 - means @ means.T
    pairs = np.argwhere(np.triu(distances < distance, 1))
    return [_make_pair(faces, constraints, known[i], known[j], float(distances[i, j])) for i, j in pairs]


def _make_pair(
    faces: FaceTable, constraints: Constraints, one: Person, other: Person, distance: float
) -> SimilarPair:
    groups = (set(constraints.group[person.rows].tolist()) for person in (one, other))
    if any((min(pair), max(pair)) in constraints.cannot_link for pair in itertools.product(*groups)):
        return SimilarPair((one, other), distance, "kept apart by your edits", is_decided=True)
    reason = "the next clustering may merge them"
    if np.isin(faces.photo_ids[one.rows], faces.photo_ids[other.rows]).any():
        reason = (
            "kept apart because both are in one photo; if they are one person, use "
            f"--merge {one.number} {other.number}, otherwise --not {one.number}={other.number}"
        )
    return SimilarPair((one, other), distance, reason)
