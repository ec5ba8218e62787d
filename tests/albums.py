"""People made of numbers, for sheets of faces: who is where on photos of plain colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from synthetic import PLACES, make_faces, people_vectors

from imagesearch.faces import People, Person
from imagesearch.faces.constraints import Constraints
from imagesearch.faces.references import ReferenceResolver

NAMES = ("Zoë", "Maya")
"""In the order in which they were named; the others are numbered."""


def make_people(paths: Sequence[str], count: int = 2) -> People:
    """Return so many people, each with a face on every photo: the one of place i of `PLACES`.

    Boxes are in pixels of photos of 1000 by 800.
    """
    vectors = people_vectors(count)
    faces = make_faces([(path, PLACES[who], vectors[who]) for path in paths for who in range(count)])
    whose = [PLACES.index(tuple(map(float, box))) for box in faces.boxes.tolist()]
    persons = [
        Person(who + 1, NAMES[who] if who < len(NAMES) else "", np.flatnonzero(np.equal(whose, who)))
        for who in range(count)
    ]
    constraints = Constraints(np.asarray(whose), np.ones(len(whose), bool), dict(enumerate(NAMES[:count])))
    return People(ReferenceResolver(faces, 0.5), persons, constraints)
