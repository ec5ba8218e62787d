"""The file ``clusters.parquet``: the faces of each person at the last clustering, by the person's number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.errors import UserError
from imagesearch.faces.references import FaceReference, ReferenceResolver
from imagesearch.files import atomic_write
from imagesearch.pipeline import make_vector_column

# Keys of the file's metadata. They are fixed, so that existing files stay readable.
_NEXT_NUMBER_KEY, _EDIT_COUNT_KEY = b"imagesearch.next", b"imagesearch.decisions"


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
    """

    members: dict[int, list[FaceReference]] = field(default_factory=dict)
    next_number: int = 1
    edit_count: int = 0

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
            columns = [table[name].to_pylist() for name in ("path", "content", "box", "person")]
            members: dict[int, list[FaceReference]] = {}
            for path, content, box, number in zip(*columns, strict=True):
                members.setdefault(number, []).append((path, content, tuple(box)))
            metadata = table.schema.metadata
            return cls(members, int(metadata[_NEXT_NUMBER_KEY]), int(metadata.get(_EDIT_COUNT_KEY, 0)))
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise UserError(
                f"{file}: cannot be read ({error}); remove it and run 02_cluster_faces.py"
            ) from None

    def write(self, file: Path) -> None:
        """Write the file, replacing an older one."""
        pairs = [(number, face) for number, faces in self.members.items() for face in faces]
        table = pa.table(
            {
                "person": pa.array([number for number, _ in pairs], pa.int32()),
                "path": pa.array([path for _, (path, _, _) in pairs], pa.string()),
                "content": pa.array([content for _, (_, content, _) in pairs], pa.string()),
                "box": make_vector_column(
                    np.asarray([box for _, (_, _, box) in pairs], np.float32).reshape(-1, 4)
                ),
            }
        )
        metadata = {
            _NEXT_NUMBER_KEY: str(self.next_number).encode(),
            _EDIT_COUNT_KEY: str(self.edit_count).encode(),
        }
        with atomic_write(file) as unfinished:
            pq.write_table(table.replace_schema_metadata(metadata), unfinished, compression="zstd")

    def find_faces(
        self, resolver: ReferenceResolver
    ) -> tuple[dict[int, int], dict[int, list[FaceReference]]]:
        """Find the saved faces in the table of faces.

        Returns
        -------
        numbers : dict
            The person's number by row, for each face in the table.
        missing : dict
            References to the faces that are not in the table, by the person's number.
        """
        numbers: dict[int, int] = {}
        missing: dict[int, list[FaceReference]] = {}
        for number, references in self.members.items():
            for reference, row in zip(references, resolver.resolve(references)[0], strict=True):
                if row is not None:
                    # two references may lead to one face: that of a deleted copy leads to the original photo
                    numbers.setdefault(row, number)
                else:
                    missing.setdefault(number, []).append(reference)
        return numbers, missing

    def update(
        self, clusters: Sequence[np.ndarray], edit_count: int, resolver: ReferenceResolver
    ) -> SavedClusters:
        """Return the new clusters with their numbers, plus the faces that are missing at present.

        Each cluster gets the number that most of its faces had. If several clusters have faces with this
        number, it goes to the cluster with the most of them.

        Parameters
        ----------
        clusters
            The rows of each cluster.
        edit_count
            Number of the user's edits that were applied.
        resolver
            Resolver of the table of faces.
        """
        numbers, members = self.find_faces(resolver)
        assigned, next_number = self._assign_numbers(clusters, numbers)
        for number, rows in zip(assigned, clusters, strict=True):
            members[number] = [*resolver.make_references(rows.tolist()), *members.get(number, ())]
        return SavedClusters(members, next_number, edit_count)

    def _assign_numbers(
        self, clusters: Sequence[np.ndarray], old_numbers: dict[int, int]
    ) -> tuple[list[int], int]:
        """Return the number of each cluster, and the smallest number that was never used."""
        shared: Counter[tuple[int, int]] = Counter()
        for cluster, rows in enumerate(clusters):
            shared.update((old_numbers[row], cluster) for row in rows.tolist() if row in old_numbers)
        numbers: dict[int, int] = {}
        taken: set[int] = set()
        for (number, cluster), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
            if cluster not in numbers and number not in taken:
                numbers[cluster] = number
                taken.add(number)
        next_number = self.next_number
        # larger new clusters get smaller numbers
        for cluster in sorted(range(len(clusters)), key=lambda i: -len(clusters[i])):
            if cluster not in numbers:
                numbers[cluster] = next_number
                next_number += 1
        return [numbers[cluster] for cluster in range(len(clusters))], next_number
