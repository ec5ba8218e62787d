"""New faces join the nearest person, without a new clustering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imagesearch.config import Config
from imagesearch.faces.constraints import replay_edits
from imagesearch.faces.extract import FaceTable
from imagesearch.faces.linkage import ALIKE_DISTANCE
from imagesearch.faces.people import describe_settings, open_edit_log, open_resolver
from imagesearch.faces.saved_clusters import lock_clusters, read_clusters, write_clusters
from imagesearch.pipeline import Dataset


def assign_new_faces(config: Config, dataset: Dataset) -> int:
    """Add each face that was found since the last clustering to the nearest person, and store the result.

    A face joins the person with the smallest mean cosine distance, if it is below ``faces.cluster_distance``
    and the person has no other face in the photo, unless that one is alike. These are the rules of the
    clustering. All other faces, and those that the user's edits refer to, wait for the next clustering.

    Returns
    -------
    count : int
        Number of faces that have joined a person.

    Raises
    ------
    BusyError
        If another run is changing the clusters.
    """
    with lock_clusters(dataset):
        saved = read_clusters(dataset)
        if not saved.members or saved.settings != describe_settings(config):
            return 0
        resolver = open_resolver(config, dataset)
        faces, numbers = resolver.faces, saved.find_faces(resolver)[0]
        constraints = replay_edits(open_edit_log(dataset).read(), resolver)
        is_new = (faces.sizes >= config.faces.min_size) & ~constraints.rejected & (constraints.group < 0)
        is_new[list(numbers)] = False
        if not numbers or not is_new.any():
            return 0
        joined = find_nearest_people(faces, np.flatnonzero(is_new), numbers, config.faces.cluster_distance)
        if joined:
            members = {number: list(references) for number, references in saved.members.items()}
            for row, reference in zip(joined, resolver.make_references(joined), strict=True):
                members[joined[row]].append(reference)
            write_clusters(dataset, replace(saved, members=members))
        return len(joined)


def find_nearest_people(
    faces: FaceTable, rows: np.ndarray, numbers: dict[int, int], distance: float
) -> dict[int, int]:
    """Return the number of the nearest person of each face that has one, by row.

    Parameters
    ----------
    faces
        All faces.
    rows : (n,) int64
        The rows of the faces without a person.
    numbers
        The numbers of the people by row, for the other faces.
    distance
        Upper limit of the mean cosine distance from the person's faces.
    """
    people = sorted(set(numbers.values()))
    index = {number: i for i, number in enumerate(people)}
    known = np.fromiter(numbers, np.int64, len(numbers))
    owners = np.fromiter((index[number] for number in numbers.values()), np.int64, len(numbers))
    counts = np.bincount(owners, minlength=len(people))
    by_person = faces.vectors[known[np.argsort(owners, kind="stable")]]
    means = np.add.reduceat(by_person, np.cumsum(counts) - counts) / counts[:, None].astype(np.float32)
    joined: dict[int, int] = {}
    for row in rows.tolist():
        distances = 1 - means @ faces.vectors[row]
        near = np.flatnonzero(distances < distance)
        same_photo = np.flatnonzero(faces.photo_ids == faces.photo_ids[row]).tolist()
        others = [other for other in same_photo if other in numbers or other in joined]
        for candidate in near[np.argsort(distances[near], kind="stable")].tolist():
            number = people[candidate]
            own = [other for other in others if (numbers.get(other) or joined.get(other)) == number]
            if all(1 - faces.vectors[row] @ faces.vectors[other] < ALIKE_DISTANCE for other in own):
                joined[row] = number
                break
    return joined
