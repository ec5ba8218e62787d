"""The file ``clusters.parquet``: the faces of each person at the last clustering, by the person's number.

The file also has the numbers of former clusterings. A person who is in no cluster at present, because a
threshold was tried or people were merged, gets the former number when the cluster is back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.errors import UserError, describe_error
from imagesearch.faces.person_numbers import Numbering, assign_numbers, find_kept_numbers
from imagesearch.faces.references import FaceReference, ReferenceResolver
from imagesearch.files import FileVersion, atomic_write, get_file_version, lock_file, make_folder
from imagesearch.pipeline import Dataset, make_vector_column

# Keys of the file's metadata. They are fixed, so that existing files stay readable.
_NEXT_NUMBER_KEY, _EDIT_COUNT_KEY = b"imagesearch.next", b"imagesearch.decisions"
_SETTINGS_KEY = b"imagesearch.settings"
# In place of settings: the last number of each face whose person lost its number.
_RETIRED = "retired"
# Number of settings whose numbers are kept, besides the present ones.
_MAX_FORMER = 8

_Members = dict[int, list[FaceReference]]
_Numbers = dict[int, int]
"""Number of the person by row of the table of faces."""


@dataclass(frozen=True)
class SavedClusters:
    """The last clustering.

    Attributes
    ----------
    members : dict
        References to the faces of each person, by the person's number. Includes faces of missing photos.
    next_number : int
        The smallest number that was never used.
    edit_count : int
        Number of the user's edits that were applied.
    settings : str
        The settings of the clustering; empty in files of earlier versions.
    former : dict
        The members of the last clustering with each of some other settings, by these settings, the oldest
        first; and under ``retired`` those of numbers that are no longer in use.
    """

    members: _Members = field(default_factory=dict)
    next_number: int = 1
    edit_count: int = 0
    settings: str = ""
    former: dict[str, _Members] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> SavedClusters:
        """Read the file; if it does not exist, there are no clusters.

        Raises
        ------
        UserError
            If the file is damaged.
        """
        if not file.is_file():
            return cls()
        try:
            table = pq.read_table(file)
            metadata = table.schema.metadata
            settings, *keys = json.loads(metadata.get(_SETTINGS_KEY, b'[""]'))
            columns = [table[name].to_pylist() for name in ("path", "content", "box", "person")]
            columns.append(table["former"].to_pylist() if keys else [[]] * len(table))
            members: _Members = {}
            former: dict[str, _Members] = {key: {} for key in keys}
            for path, content, box, number, former_numbers in zip(*columns, strict=True):
                reference = (path, content, tuple(box))
                if number is not None:
                    members.setdefault(number, []).append(reference)
                for key, other in zip(keys, former_numbers, strict=True):
                    if other:
                        former[key].setdefault(other, []).append(reference)
            edit_count = int(metadata.get(_EDIT_COUNT_KEY, 0))
            return cls(members, int(metadata[_NEXT_NUMBER_KEY]), edit_count, settings, former)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise UserError(
                f"{file}: cannot be read ({describe_error(error)}); remove it and run 02_cluster_faces.py"
            ) from None

    def write(self, file: Path) -> None:
        """Write the file, replacing an older one."""
        pairs: list[tuple[int | None, FaceReference]] = [
            (number, face) for number, faces in self.members.items() for face in faces
        ]
        known = {face for _, face in pairs}
        former_numbers: dict[FaceReference, list[int]] = {}
        for position, members in enumerate(self.former.values()):
            for number, faces in members.items():
                for face in faces:
                    former_numbers.setdefault(face, [0] * len(self.former))[position] = number
        pairs += [(None, face) for face in former_numbers if face not in known]
        none = [0] * len(self.former)
        table = pa.table(
            {
                "person": pa.array([number for number, _ in pairs], pa.int32()),
                "path": pa.array([path for _, (path, _, _) in pairs], pa.string()),
                "content": pa.array([content for _, (_, content, _) in pairs], pa.string()),
                "box": make_vector_column(
                    np.asarray([box for _, (_, _, box) in pairs], np.float32).reshape(-1, 4)
                ),
                "former": pa.array(
                    [former_numbers.get(face, none) for _, face in pairs], pa.list_(pa.int32())
                ),
            }
        )
        metadata = {
            _NEXT_NUMBER_KEY: str(self.next_number).encode(),
            _EDIT_COUNT_KEY: str(self.edit_count).encode(),
            _SETTINGS_KEY: json.dumps([self.settings, *self.former]).encode(),
        }
        with atomic_write(file) as unfinished:
            pq.write_table(table.replace_schema_metadata(metadata), unfinished, compression="zstd")

    def find_faces(self, resolver: ReferenceResolver) -> tuple[_Numbers, _Members]:
        """Find the saved faces in the table of faces.

        Returns
        -------
        numbers : dict
            The person's number by row, for each face in the table.
        missing : dict
            References to the faces that are not in the table, by the person's number.
        """
        return _find_members(self.members, resolver)

    def update(
        self,
        clusters: Sequence[np.ndarray],
        edit_count: int,
        resolver: ReferenceResolver,
        settings: str = "",
        names: Sequence[str] = (),
        former_names: Mapping[int, str] | None = None,
    ) -> SavedClusters:
        """Return the new clusters with their numbers, plus the faces that are missing at present.

        Each cluster gets the number of the person whose faces it shares most: at the last clustering, at the
        last one with the same settings, or at another former one. A number goes to one cluster only, and a
        person with a name keeps the number, however few of the faces stay.

        Parameters
        ----------
        clusters
            The rows of each cluster.
        edit_count
            Number of the user's edits that were applied.
        resolver
            Resolver of the table of faces.
        settings
            The settings of the new clustering.
        names, former_names
            The name of each cluster, and of each number at the last clustering; empty for a person without
            a name.
        """
        located: dict[FaceReference, int | None] = {}
        numbers, missing = _find_members(self.members, resolver, located)
        former = {key: _find_members(members, resolver, located) for key, members in self.former.items()}
        others = [key for key in reversed(former) if key != settings]
        owned = find_kept_numbers(clusters, numbers, names, former_names or {})
        preferred = [Numbering(former[settings][0])] if settings in former else []
        preferred += [Numbering(numbers, is_last=True), *(Numbering(former[key][0]) for key in others)]
        assigned, next_number = assign_numbers(clusters, preferred, self.next_number, owned)
        if self.settings != settings:
            former.pop(self.settings, None)
            former[self.settings] = (numbers, missing)  # the newest
        former.pop(settings, None)
        retired, missing_retired = former.pop(_RETIRED, ({}, {}))
        retired |= {row: number for row, number in numbers.items() if number not in assigned}
        retired = {row: number for row, number in retired.items() if number not in assigned}
        former = dict(list(former.items())[-_MAX_FORMER:])
        former[_RETIRED] = (retired, missing_retired)
        present = {
            row: number for number, rows in zip(assigned, clusters, strict=True) for row in rows.tolist()
        }
        rows = list(present.keys() | set().union(*(found for found, _ in former.values())))
        references = dict(zip(rows, resolver.make_references(rows), strict=True))
        members = _make_members(present, missing, references)
        kept = {key: _make_members(*found, references) for key, found in former.items()}
        return SavedClusters(members, next_number, edit_count, settings, kept)


@dataclass
class _KnownClusters:
    """The clusters that were read or written last, and the version of the file."""

    version: FileVersion | None = None
    clusters: SavedClusters = field(default_factory=SavedClusters)


def read_clusters(dataset: Dataset) -> SavedClusters:
    """Return a dataset's clusters; see `SavedClusters.read`."""
    file, known = get_clusters_file(dataset), dataset.recall(_KnownClusters)
    version = get_file_version(file)
    if version is None or version != known.version:
        known.clusters, known.version = SavedClusters.read(file), version
    return known.clusters


def write_clusters(dataset: Dataset, clusters: SavedClusters) -> None:
    """Write a dataset's clusters; they are locked (`lock_clusters`)."""
    file, known = get_clusters_file(dataset), dataset.recall(_KnownClusters)
    clusters.write(file)
    known.clusters, known.version = clusters, get_file_version(file)


def get_clusters_file(dataset: Dataset) -> Path:
    """Return the file of a dataset's clusters."""
    return dataset.folder / "clusters.parquet"


@contextmanager
def lock_clusters(dataset: Dataset) -> Iterator[None]:
    """Prevent that two runs change a dataset's clusters at the same time.

    Raises
    ------
    BusyError
        If another run is changing them.
    """
    make_folder(dataset.folder)
    busy = (
        f"{dataset.folder}: another run of 02 or 03 is clustering the faces; your edits are stored; "
        "run this again to apply them"
    )
    with lock_file(dataset.folder / ".clusters.lock", busy):
        yield


def _find_members(
    members: _Members,
    resolver: ReferenceResolver,
    located: dict[FaceReference, int | None] | None = None,
) -> tuple[_Numbers, _Members]:
    """Find the faces of people in the table of faces; see `SavedClusters.find_faces`.

    `located` has the rows of the references that were found before; the others are added.
    """
    numbers: _Numbers = {}
    missing: _Members = {}
    for number, references in members.items():
        if located is None:
            rows = resolver.resolve(references)[0]
        else:
            new = [reference for reference in references if reference not in located]
            located.update(zip(new, resolver.resolve(new)[0], strict=True))
            rows = [located[reference] for reference in references]
        for reference, row in zip(references, rows, strict=True):
            if row is not None:
                # two references may lead to one face: that of a deleted copy leads to the original photo
                numbers.setdefault(row, number)
            else:
                missing.setdefault(number, []).append(reference)
    return numbers, missing


def _make_members(numbers: _Numbers, missing: _Members, references: dict[int, FaceReference]) -> _Members:
    """Return references to the faces of each person: those in the table of faces, and the missing ones."""
    members: _Members = {}
    for row, number in numbers.items():
        members.setdefault(number, []).append(references[row])
    for number, faces in missing.items():
        members.setdefault(number, []).extend(faces)
    return members
