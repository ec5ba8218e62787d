"""The parts into which a person is split, and which of them keeps the name."""

from __future__ import annotations

import numpy as np

from imagesearch.faces.linkage import split_cluster
from imagesearch.faces.people import People, Person


def split_person(people: People, person: Person, distance: float) -> list[np.ndarray]:
    """Split a person where the faces are least similar; return the rows of each part.

    The first part keeps the name: it has the most confirmed, then the most named faces.

    Parameters
    ----------
    people
        The people.
    person
        The person to split.
    distance
        The distance below which the clustering merges people.
    """
    constraints = people.constraints
    labels = split_cluster(
        people.faces.vectors[person.rows],
        distance,
        group=np.where(constraints.confirmed, constraints.group, -1)[person.rows],
        photo=people.faces.photo_ids[person.rows],
    )
    parts = [person.rows[labels == label] for label in range(labels.max() + 1)]
    larger = [rows for rows in parts if len(rows) > 1]
    named = np.isin(constraints.group, list(constraints.names))
    return sorted(
        larger if len(larger) > 1 else parts,
        key=lambda rows: (-(named & constraints.confirmed)[rows].sum(), -named[rows].sum(), -len(rows)),
    )
