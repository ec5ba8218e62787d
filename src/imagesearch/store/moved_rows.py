"""Which rows of collections belong to photos that were moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

from imagesearch.faces import compute_face_id
from imagesearch.pipeline import Dataset
from imagesearch.store.schema import CollectionRows

MoveFinder = Callable[[str, CollectionRows], Mapping[int, int]]
_MORE_POSITIONS = 10  # of faces in a moved photo


def find_moved_rows(dataset: Dataset, kind: str, rows: CollectionRows) -> dict[int, int]:
    """Return the new keys of the rows of moved photos in a collection by their old keys."""
    steps = dataset.read_moves(kind)
    photos = Counter(rows.scalars["photo_id"].to_pylist())
    pairs = [(old, new) for old in steps if (new := _follow_moves(old, steps, photos)) is not None]
    if kind == "faces":
        # positions without a row are of faces with low scores, and of hidden ones
        pairs = [
            (compute_face_id(old, position), compute_face_id(new, position))
            for old, new in pairs
            for position in range(2 * photos[new] + _MORE_POSITIONS)
        ]
    return dict(pairs)


def _follow_moves(photo: int, steps: Mapping[int, int], photos: Collection[int]) -> int | None:
    """Return the present id of a photo that has moved once or several times; None if it is gone."""
    passed = set()
    while photo in steps and photo not in passed and photo not in photos:
        passed.add(photo)
        photo = steps[photo]
    return photo if passed and photo in photos else None
