"""The photos of a query: where they are on the disk, and which photos of the dataset they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from imagesearch.errors import name_option
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import find_photo_file
from imagesearch.search.query import Query
from imagesearch.search.resources import SearchResources


def locate_photos(query: Query, resources: SearchResources) -> Query:
    """Return a query with the files of its photos, however their names were typed.

    Raises
    ------
    UserError
        If no photo, or more than one, has such a name.
    """
    images = tuple(locate_photo(file, resources, name_option("--image", "image")) for file in query.images)
    face = locate_photo(query.face, resources, name_option("--face", "face")) if query.face else None
    return replace(query, images=images, face=face)


def locate_photo(typed: str | Path, resources: SearchResources, option: str = "") -> Path:
    """Return the file of a photo; see `imagesearch.pipeline.find_photo_file`."""

    def list_collection() -> Iterator[str]:
        ref = resources.get_collection_ref("clip")
        return (row.fields["path"] for row in resources.store.read_all_rows(ref, ("path",)))

    # imported vectors have no tables
    list_paths = None if resources.dataset.imported is None else list_collection
    return find_photo_file(typed, resources.dataset, option=option, list_paths=list_paths)


def list_own_ids(query: Query, resources: SearchResources) -> frozenset[int]:
    """Return the ids that the photos of a query have in the dataset, if they are not to be shown.

    They are the ids of paths: an exact copy with another path is another photo. A photo that is not in the
    dataset has none, or one that no photo has.
    """
    if query.with_itself:
        return frozenset()
    files = (*query.images, query.face) if query.face else query.images
    return frozenset(compute_photo_id(p) for file in files for p in resources.dataset.list_paths_of(file))
