"""Step 02, second part: clusters faces into people, following the user's edits."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError, name_option
from imagesearch.faces.constraints import Constraints, replay_edits
from imagesearch.faces.edit_log import Edit, EditLog, needs_clustering
from imagesearch.faces.extract import FaceTable, read_faces
from imagesearch.faces.linkage import cluster_vectors
from imagesearch.faces.marks import MarkedName, add_marks
from imagesearch.faces.references import KnownResolver, ReferenceResolver
from imagesearch.faces.saved_clusters import SavedClusters, lock_clusters, read_clusters, write_clusters
from imagesearch.faces.similar_pairs import SimilarPair, find_similar_pairs
from imagesearch.pipeline import Dataset
from imagesearch.text import clean_text, normalize
from imagesearch.text_table import format_count

# Stands for the number of a person, in place of a person, for detections that are not faces.
NO_FACES = 0
# Above this size in pixels, a larger face is not preferred.
_LARGE_FACE = 160.0


@dataclass(frozen=True)
class Person:
    """A person: a cluster of faces, named or not.

    Attributes
    ----------
    number : int
        Stays the same in later clusterings, as long as the faces stay together.
    name : str
        Empty for a person without a name.
    rows : (n,) int64
        Rows of the faces in the `FaceTable`, those of the best quality first.
    """

    number: int
    name: str
    rows: np.ndarray

    @property
    def label(self) -> str:
        """The name, or ``person 12``."""
        return self.name or (f"person {self.number}" if self.number != NO_FACES else "not a face")


@dataclass(frozen=True)
class People:
    """All people in a dataset's photos.

    Attributes
    ----------
    resolver : ReferenceResolver
        Maps references to faces to rows of the table of faces.
    persons : list of Person
        The people, those with the most faces first, without those that the user ignores.
    constraints : Constraints
        The constraints that the user's edits put on the clustering.
    unclustered : int
        Number of faces that are too small to be clustered.
    waiting : int
        Number of faces found since the last clustering.
    outdated : bool
        Whether there are edits that require a new clustering.
    similar_pairs : list of SimilarPair
        Pairs of people whose faces are similar enough for one cluster.
    ignored : list of Person
        The people that the user ignores: they are in no figure, count or collection.
    marked : tuple of MarkedName
        The names that the user put on photos without a face.
    """

    resolver: ReferenceResolver
    persons: list[Person]
    constraints: Constraints
    unclustered: int = 0
    waiting: int = 0
    outdated: bool = False
    similar_pairs: list[SimilarPair] = field(default_factory=list)
    ignored: list[Person] = field(default_factory=list)
    marked: tuple[MarkedName, ...] = ()

    @property
    def faces(self) -> FaceTable:
        """The faces of the dataset's photos."""
        return self.resolver.faces

    @property
    def cast(self) -> tuple[str, ...]:
        """The names of all named people, in the order in which they were named; then those without faces."""
        present = {person.name for person in self.persons}
        named = [name for _, name in sorted(self.constraints.names.items()) if name in present]
        return (*named, *(marked.name for marked in self.marked if marked.name not in present))

    @property
    def hidden(self) -> np.ndarray:
        """Whether each face is not a face, or is that of an ignored person; (n,) bool."""
        hidden = np.zeros(len(self.faces), bool)
        hidden[np.flatnonzero(self.constraints.rejected)] = True
        for person in self.ignored:
            hidden[person.rows] = True
        return hidden

    def is_hidden(self, person: Person) -> bool:
        """Whether a person is ignored, or stands for what is not a face."""
        return any(person.number == other.number for other in self.list_hidden())

    def list_hidden(self) -> list[Person]:
        """Return the ignored people, and last, under the number 0, the detections that are not faces."""
        rejected = np.flatnonzero(self.constraints.rejected)
        return [*self.ignored, Person(NO_FACES, "", rejected)] if len(rejected) else self.ignored

    def swap_hidden(self) -> People:
        """Return the ignored people, and what is not a face, in place of the others, for a figure of them."""
        rejected = np.zeros_like(self.constraints.rejected)
        constraints = replace(self.constraints, rejected=rejected)
        return replace(self, persons=self.list_hidden(), ignored=[], constraints=constraints)

    def list_unnamed(self, min_faces: int) -> list[Person]:
        """Return the people without a name and with at least `min_faces` faces, by number of faces."""
        return [person for person in self.persons if not person.name and len(person.rows) >= min_faces]

    def count_photos(self, person: Person) -> int:
        """Count the photos a person is in, also those that are only marked with the name."""
        marked = self.find_marked(person.name)
        return len(np.unique(self.faces.photo_ids[person.rows])) + (len(marked.photos) if marked else 0)

    def find_marked(self, name: str) -> MarkedName | None:
        """Return the photos that are marked with a name, in any spelling; None if there are none."""
        key = normalize(name)
        return next((marked for marked in self.marked if normalize(marked.name) == key), None)

    def list_marked_only(self) -> list[MarkedName]:
        """Return the names on photos that no person with faces has."""
        named = {person.name for person in self.persons}
        return [marked for marked in self.marked if marked.name not in named]

    def list_notes(self, former: People | None = None, verbose: bool = False) -> list[str]:
        """Return the notes to the user, one line each.

        Parameters
        ----------
        former
            The people before the edits of this run. Two people who look alike, and whom an edit of this run
            keeps apart, are named; those of earlier edits are not.
        verbose
            Name all people who look alike.
        """
        known = {pair.numbers for pair in former.similar_pairs if pair.is_decided} if former else None
        return [
            str(pair)
            for pair in self.similar_pairs
            if verbose or not pair.is_decided or (known is not None and pair.numbers not in known)
        ] + self.list_pending()

    def list_pending(self) -> list[str]:
        """Return the notes about what remains to be done, one line each."""
        lines = []
        if self.constraints.released:
            lines.append(
                format_count(
                    self.constraints.released, "face in a changed photo looks", "faces in changed photos look"
                )
                + " like another person, and the edits no longer apply; see 03_name_people.py"
            )
        if self.waiting:
            lines.append(
                f"{format_count(self.waiting, 'face was', 'faces were')} found since the last clustering; "
                "run 02_cluster_faces.py"
            )
        if self.outdated:
            lines.append("some edits are not applied to the clusters yet; run 02_cluster_faces.py")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "faces": int((~self.hidden).sum()),
            "unclustered": self.unclustered,
            "people": [self._describe_person(person) for person in self.persons],
            "alike": [pair.to_dict() for pair in self.similar_pairs],
            "ignored": [self._describe_person(person) for person in self.ignored],
            "not_faces": int(self.constraints.rejected.sum()),
            "marked": [marked.to_dict(self.faces) for marked in self.marked if marked.photos],
        }

    def _describe_person(self, person: Person) -> dict[str, Any]:
        return {
            "number": person.number,
            "name": person.name,
            "label": person.label,
            "faces": len(person.rows),
            "photos": self.count_photos(person),
        }

    def __str__(self) -> str:
        often = sum(len(person.rows) > 1 for person in self.persons)
        named = sum(bool(person.name) for person in self.persons)
        small = format_count(
            self.unclustered, "face is too small to cluster", "faces are too small to cluster"
        )
        seen = f"{format_count(often, 'person', 'people')} seen more than once"
        faces = int((~self.hidden).sum())
        return (
            f"{format_count(faces, 'face')}: {seen}, {len(self.persons) - often} once; "
            f"{format_count(named, 'has a name', 'have names')}; {small}{self._count_hidden()}"
        )

    def _count_hidden(self) -> str:
        """Return how many people are ignored, detections are not faces, and names are marked, if any."""
        ignored, rejected = len(self.ignored), int(self.constraints.rejected.sum())
        counts = [f"{ignored} {'person is' if ignored == 1 else 'people are'} ignored"] if ignored else []
        counts += [f"{rejected} {'is not a face' if rejected == 1 else 'are not faces'}"] if rejected else []
        marked = [name for name in self.marked if name.photos]
        counts += [f"{format_count(len(marked), 'name is', 'names are')} marked on photos"] if marked else []
        return "".join(f"; {count}" for count in counts)

    def label_faces(self) -> tuple[list[str], np.ndarray]:
        """Return the label of each face ("" if it has none) and the number of its person (-1 if none)."""
        labels, numbers = [""] * len(self.faces), np.full(len(self.faces), -1, np.int64)
        for person in self.persons:
            numbers[person.rows] = person.number
            for row in person.rows.tolist():
                labels[row] = person.label
        return labels, numbers

    def find_number(self, number: int) -> Person | None:
        """Return the person with a number; None if there is none, or if it is ignored."""
        return next((person for person in self.persons if person.number == number), None)

    def find_person(self, selector: str) -> Person:
        """Return the person with a number, a name, or a label such as ``person 12``; also an ignored one.

        Raises
        ------
        UserError
            If there is none.
        """
        text = clean_text(selector)
        normalized = normalize(text)
        # a number is compared without normalization, which would turn -1 into 1
        number = normalized.removeprefix("person ") if normalized.startswith("person ") else text
        for person in (*self.persons, *self.list_hidden()):
            if number == str(person.number) or (person.name and normalize(person.name) == normalized):
                return person
        if self.find_marked(text):
            marked = name_option("photos marked with --present", "marked photos")
            raise UserError(f"{selector}: has no face, only {marked}")
        names = ", ".join(person.name for person in self.persons if person.name)
        known = f"the names are {names}" if names else "there are no names yet"
        known += name_option(", see 03_name_people.py", "")
        raise UserError(f"{selector}: nobody has this number or name; {known}")


# --- clustering --------------------------------------------------------------------------------------------


def cluster_people(config: Config, dataset: Dataset, progress: Callable[[int], None] | None = None) -> People:
    """Cluster the faces of a dataset by average linkage, following the user's edits, and store the result.

    Faces in one photo are different people, unless they are alike or an edit merges them. Faces smaller than
    ``faces.min_size`` are not clustered, unless an edit refers to them.

    Parameters
    ----------
    config, dataset
        The settings, and the faces.
    progress
        See `cluster_vectors`. If it raises an error, nothing is stored.

    Raises
    ------
    UserError
        If another run is clustering the faces.
    """
    with lock_clusters(dataset):
        return _run_clustering(config, dataset, progress)


def _run_clustering(config: Config, dataset: Dataset, progress: Callable[[int], None] | None) -> People:
    resolver = open_resolver(config, dataset)
    faces, edits = resolver.faces, open_edit_log(dataset).read()
    constraints = replay_edits(edits, resolver)
    is_large = (faces.sizes >= config.faces.min_size) & ~constraints.rejected
    rows = np.flatnonzero(is_large | (constraints.group >= 0))
    labels = cluster_vectors(
        faces.vectors[rows],
        config.faces.cluster_distance,
        group=constraints.group[rows],
        cannot_link=constraints.cannot_link,
        photo=faces.photo_ids[rows],
        progress=progress,
    )
    clusters = [rows[labels == label] for label in range(labels.max(initial=-1) + 1)]
    saved = read_clusters(dataset)
    settings, names = describe_settings(config), [_find_name(constraints, rows) for rows in clusters]
    saved = saved.update(clusters, len(edits), resolver, settings, names, _list_names(saved, edits, resolver))
    write_clusters(dataset, saved)
    return add_marks(_make_people(config, resolver, constraints, saved), edits)


def describe_settings(config: Config) -> str:
    """Return the settings that change the clusters; numbers of people are kept for each of them."""
    faces = config.faces
    sizes = f"{faces.cluster_distance:g} {faces.min_size:g} {faces.min_score:g} {faces.det_size}"
    return f"{sizes} {config.models.faces}"


def _list_names(saved: SavedClusters, edits: Sequence[Edit], resolver: ReferenceResolver) -> dict[int, str]:
    """Return the name of each number before the first edit that the new clustering applies."""
    new = range(min(saved.edit_count, len(edits)), len(edits))
    skipped = bisect.bisect_left(
        new, True, key=lambda index: needs_clustering(edits[: index + 1], saved.edit_count)
    )
    constraints = replay_edits(edits[: new.start + skipped], resolver)
    rows_by_number: dict[int, list[int]] = {}
    for row, number in saved.find_faces(resolver)[0].items():
        rows_by_number.setdefault(number, []).append(row)
    return {number: _find_name(constraints, np.array(rows)) for number, rows in rows_by_number.items()}


def load_people(config: Config, dataset: Dataset) -> People:
    """Return the people of the last clustering, with their current names."""
    resolver = open_resolver(config, dataset)
    edits, saved = open_edit_log(dataset).read(), read_clusters(dataset)
    people = _make_people(config, resolver, replay_edits(edits, resolver), saved)
    outdated = bool(people.persons or people.list_hidden()) and needs_clustering(edits, saved.edit_count)
    return add_marks(replace(people, outdated=outdated), edits)


def count_faces(config: Config, dataset: Dataset) -> dict[int, int]:
    """Return the number of faces of each photo by photo id, without those that the user left out."""
    people = load_people(config, dataset)
    ids, counts = np.unique(people.faces.photo_ids[~people.hidden], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def open_resolver(config: Config, dataset: Dataset) -> ReferenceResolver:
    """Return the resolver of references to a dataset's faces."""
    return dataset.recall(KnownResolver).get(read_faces(dataset), config.faces.cluster_distance)


def open_edit_log(dataset: Dataset) -> EditLog:
    """Return the edit log of a dataset."""
    return EditLog(dataset.folder / "people.jsonl")


def _make_people(
    config: Config, resolver: ReferenceResolver, constraints: Constraints, saved: SavedClusters
) -> People:
    faces = resolver.faces
    rows_by_number: dict[int, list[int]] = {}
    for row, number in saved.find_faces(resolver)[0].items():
        if not constraints.rejected[row]:
            rows_by_number.setdefault(number, []).append(row)
    quality = faces.scores * np.minimum(faces.sizes, _LARGE_FACE)
    unclustered = ~constraints.rejected
    persons, ignored = [], []
    for number, members in rows_by_number.items():
        rows = np.unique(members)
        unclustered[rows] = False
        group = _find_decided_group(constraints, rows)
        name, rows = constraints.names.get(group, ""), rows[np.argsort(-quality[rows], kind="stable")]
        (ignored if group in constraints.ignored else persons).append(Person(number, name, rows))
    for people in (persons, ignored):
        people.sort(key=lambda person: (-len(person.rows), person.number))
    small = faces.sizes < config.faces.min_size
    return People(
        resolver,
        persons,
        constraints,
        unclustered=int((unclustered & small).sum()),
        waiting=int((unclustered & ~small).sum()),
        similar_pairs=find_similar_pairs(faces, persons, constraints, config.faces.cluster_distance),
        ignored=ignored,
    )


def _find_decided_group(constraints: Constraints, rows: np.ndarray) -> int:
    """Return the group with a name, or that is ignored, of most of some faces; -1 if there is none."""
    decided = constraints.names.keys() | constraints.ignored
    groups = Counter(group for group in constraints.group[rows].tolist() if group in decided)
    return groups.most_common(1)[0][0] if groups else -1


def _find_name(constraints: Constraints, rows: np.ndarray) -> str:
    return constraints.names.get(_find_decided_group(constraints, rows), "")
