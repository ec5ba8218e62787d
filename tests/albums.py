"""Synthetic people with faces at fixed places of photos, for tests of figures of faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from synthetic import PLACES, make_faces, people_vectors

from imagesearch.faces import People, Person
from imagesearch.faces.constraints import Constraints
from imagesearch.faces.references import ReferenceResolver

NAMES = ("Zoë", "Maya")
"""Names of the first people, in the order of naming; the others have only numbers."""


def make_people(paths: Sequence[str], count: int = 2) -> People:
    """Make `count` people, each with a face on every photo: person i at place i of `PLACES`.

    Boxes are in pixels of photos of 1000 by 800.
    """
    vectors = people_vectors(count)
    faces = make_faces([(path, PLACES[who], vectors[who]) for path in paths for who in range(count)])
    owners = [PLACES.index(tuple(map(float, box))) for box in faces.boxes.tolist()]
    persons = [
        Person(who + 1, NAMES[who] if who < len(NAMES) else "", np.flatnonzero(np.equal(owners, who)))
        for who in range(count)
    ]
    constraints = Constraints(np.asarray(owners), np.ones(len(owners), bool), dict(enumerate(NAMES[:count])))
    return People(ReferenceResolver(faces, 0.5), persons, constraints)
