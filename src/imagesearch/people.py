"""Step 02, second half: faces to people, by clustering and by what the user decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.clustering import average_linkage
from imagesearch.config import Config
from imagesearch.dataset import Dataset
from imagesearch.decisions import Anchor, Finder, Journal, Links, replay
from imagesearch.detection import Faces, read_faces
from imagesearch.errors import UserError
from imagesearch.tables import make_folder, vector_column
from imagesearch.words import clean, fold

_NEXT = b"imagesearch.next"
# Beyond this many pixels a larger face is no better to look at.
_LARGE_FACE = 160.0


@dataclass(frozen=True)
class Person:
    """Somebody: a cluster of faces, named or not.

    Attributes
    ----------
    number : int
        Stays the same for as long as the faces stay together.
    name : str
        Empty until the user gives one.
    rows : (n,) int64
        Of the faces in `Faces`, the best ones to look at first.
    """

    number: int
    name: str
    rows: np.ndarray

    @property
    def label(self) -> str:
        """The name, or ``person 12``."""
        return self.name or f"person {self.number}"


@dataclass(frozen=True)
class People:
    """Everybody in a dataset's photos.

    Attributes
    ----------
    faces : Faces
    persons : list of Person
        Those with most faces first.
    links : Links
        What the user decided.
    unclustered : int
        Faces too small or too uncertain to tell whose they are.
    waiting : int
        Faces found since the last clustering.
    alike : list
        Pairs of labels whose faces would be one cluster had the user not decided otherwise, and their mean
        cosine distance.
    """

    faces: Faces
    persons: list[Person]
    links: Links
    unclustered: int = 0
    waiting: int = 0
    alike: list[tuple[str, str, float]] = field(default_factory=list)

    def unnamed(self, least: int) -> list[Person]:
        """Return those without a name who have at least so many faces, those with most first."""
        return [person for person in self.persons if not person.name and len(person.rows) >= least]

    def photos(self, person: Person) -> int:
        """Count the photos somebody is in."""
        return len(np.unique(self.faces.photo_ids[person.rows]))

    def notes(self) -> list[str]:
        """Return what the user should know, a line each."""
        lines = [
            f"{a} and {b} look alike (mean distance {distance:.2f}); kept apart by what you decided"
            for a, b, distance in self.alike
        ]
        if self.waiting:
            lines.append(
                f"{self.waiting} faces were found since the last clustering; run 02_cluster_faces.py"
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        persons = [
            {
                "number": person.number,
                "name": person.name,
                "label": person.label,
                "faces": len(person.rows),
                "photos": self.photos(person),
            }
            for person in self.persons
        ]
        alike = [{"labels": [a, b], "distance": round(distance, 4)} for a, b, distance in self.alike]
        return {"faces": len(self.faces), "unclustered": self.unclustered, "people": persons, "alike": alike}

    def __str__(self) -> str:
        often = sum(len(person.rows) > 1 for person in self.persons)
        named = sum(bool(person.name) for person in self.persons)
        return (
            f"{len(self.faces)} faces: {often} people seen more than once, {len(self.persons) - often} once; "
            f"{named} have names; {self.unclustered} faces are too small to tell"
        )

    def labels(self) -> tuple[list[str], np.ndarray]:
        """Return each face's label, "" where it has none, and its person's number or -1."""
        labels, numbers = [""] * len(self.faces), np.full(len(self.faces), -1, np.int64)
        for person in self.persons:
            numbers[person.rows] = person.number
            for row in person.rows.tolist():
                labels[row] = person.label
        return labels, numbers

    def find(self, reference: str) -> Person:
        """Return the person of a number, a name or ``person 12``.

        Raises
        ------
        UserError
            If there is none.
        """
        wanted = clean(reference)
        for person in self.persons:
            # a number as it is: folded, -1 would be 1
            if wanted == str(person.number) or (
                fold(wanted) in (fold(person.label), f"person {person.number}")
            ):
                return person
        names = ", ".join(person.name for person in self.persons if person.name)
        there = f"named are {names}" if names else "nobody is named yet"
        raise UserError(f"{reference}: nobody has this number or name; {there}, see 03_name_people.py")


# --- clustering --------------------------------------------------------------------------------------------


def cluster_people(config: Config, dataset: Dataset) -> People:
    """Cluster the faces of a dataset by average linkage, obeying the user's decisions, and keep the result.

    Faces of one photo are different people, unless the user said otherwise. Faces below ``faces.min_size``
    are left out, unless the user said whose they are.
    """
    faces = read_faces(dataset)
    links = replay(journal(dataset).read(), faces)
    rows = np.flatnonzero((faces.sizes >= config.faces.min_size) | (links.group >= 0))
    labels = average_linkage(
        faces.vectors[rows],
        config.faces.cluster_distance,
        group=links.group[rows],
        apart=links.apart,
        photo=faces.photo_ids[rows],
    )
    clusters = [rows[labels == label] for label in range(labels.max(initial=-1) + 1)]
    numbers, following = _carry_on(clusters, _read_clusters(dataset), Finder(faces))
    _write_clusters(dataset, faces, clusters, numbers, following)
    return _people(config, faces, links, dict(zip(numbers, clusters, strict=True)))


def load_people(config: Config, dataset: Dataset) -> People:
    """Return the people of the last clustering, by the names they have now."""
    faces = read_faces(dataset)
    links = replay(journal(dataset).read(), faces)
    kept, finder = _read_clusters(dataset), Finder(faces)
    number_of: dict[int, int] = {}
    for anchor, number in kept.members:
        if (row := finder.row(anchor)) is not None:
            # two may be found in one: a copy that is gone, in the photo that it was a copy of
            number_of.setdefault(row, number)
    clusters: dict[int, list[int]] = {}
    for row, number in number_of.items():
        clusters.setdefault(number, []).append(row)
    return _people(config, faces, links, {n: np.unique(rows) for n, rows in clusters.items()})


def journal(dataset: Dataset) -> Journal:
    """Return the file of the user's decisions about a dataset's faces."""
    return Journal(dataset.folder / "people.jsonl")


def _people(config: Config, faces: Faces, links: Links, clusters: dict[int, np.ndarray]) -> People:
    quality = faces.scores * np.minimum(faces.sizes, _LARGE_FACE)
    persons = []
    for number, rows in clusters.items():
        named = Counter(g for g in links.group[rows].tolist() if g in links.names)
        name = links.names[named.most_common(1)[0][0]] if named else ""
        persons.append(Person(number, name, rows[np.argsort(-quality[rows], kind="stable")]))
    persons.sort(key=lambda person: (-len(person.rows), person.number))
    clustered = sum(len(person.rows) for person in persons)
    small = int((faces.sizes < config.faces.min_size).sum())
    return People(
        faces,
        persons,
        links,
        unclustered=len(faces) - clustered,
        waiting=max(0, len(faces) - clustered - small),
        alike=_alike(faces, persons, links, config.faces.cluster_distance),
    )


def _alike(
    faces: Faces, persons: Sequence[Person], links: Links, distance: float
) -> list[tuple[str, str, float]]:
    """Find the decided-on people whose clusters are near enough to be one."""
    known = [person for person in persons if (links.group[person.rows] >= 0).any()]
    if not known:
        return []
    means = np.stack([faces.vectors[person.rows].mean(axis=0) for person in known])
    distances = 1 - means @ means.T
    pairs = np.argwhere(np.triu(distances < distance, 1))
    return [(known[i].label, known[j].label, float(distances[i, j])) for i, j in pairs]


# --- the clusters on disk ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Clusters:
    """The last clustering: whose each face was, and the next number that was never used."""

    members: list[tuple[Anchor, int]]
    following: int


def _clusters_file(dataset: Dataset) -> Path:
    return dataset.folder / "clusters.parquet"


def _read_clusters(dataset: Dataset) -> _Clusters:
    file = _clusters_file(dataset)
    if not file.is_file():
        return _Clusters([], 1)
    try:
        table = pq.read_table(file)
        columns = [table[name].to_pylist() for name in ("path", "content", "box", "person")]
        members = [((path, content, tuple(box)), n) for path, content, box, n in zip(*columns, strict=True)]
        return _Clusters(members, int(table.schema.metadata[_NEXT]))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UserError(f"{file}: cannot be read ({error}); remove it and run 02_cluster_faces.py") from None


def _write_clusters(
    dataset: Dataset, faces: Faces, clusters: Sequence[np.ndarray], numbers: Sequence[int], following: int
) -> None:
    rows = np.concatenate([np.empty(0, np.int64), *clusters])
    persons = np.repeat(np.asarray(numbers, np.int32), [len(cluster) for cluster in clusters])
    anchors = Finder(faces).anchors(rows.tolist())
    table = pa.table(
        {
            "face_id": pa.array(faces.ids[rows]),
            "person": pa.array(persons),
            "path": pa.array([path for path, _, _ in anchors], pa.string()),
            "content": pa.array([content for _, content, _ in anchors], pa.string()),
            "box": vector_column(np.asarray([box for _, _, box in anchors], np.float32).reshape(-1, 4)),
        }
    ).replace_schema_metadata({_NEXT: str(following).encode()})
    file = _clusters_file(dataset)
    make_folder(file.parent)
    unfinished = file.with_suffix(".part")
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(file)


def _carry_on(clusters: Sequence[np.ndarray], last: _Clusters, finder: Finder) -> tuple[list[int], int]:
    """Give each cluster the number that most of its faces had; a number goes to its largest part.

    Returns
    -------
    numbers : list of int
    following : int
        The next number that was never used.
    """
    cluster_of = {row: i for i, rows in enumerate(clusters) for row in rows.tolist()}
    shared: Counter[tuple[int, int]] = Counter()
    for anchor, number in last.members:
        row = finder.row(anchor)
        if row in cluster_of:
            shared[number, cluster_of[row]] += 1
    numbers: dict[int, int] = {}
    taken: set[int] = set()
    for (number, cluster), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if cluster not in numbers and number not in taken:
            numbers[cluster] = number
            taken.add(number)
    following = last.following
    # the larger a new cluster, the smaller its number
    for cluster in sorted(range(len(clusters)), key=lambda i: -len(clusters[i])):
        if cluster not in numbers:
            numbers[cluster] = following
            following += 1
    return [numbers[cluster] for cluster in range(len(clusters))], following
