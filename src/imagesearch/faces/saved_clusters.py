"""The file ``clusters.parquet``: the faces of each person at the last clustering, and the numbers in use."""

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

# Keys of the file's metadata; they are older than the names of the fields.
_NEXT_NUMBER_KEY, _EDIT_COUNT_KEY = b"imagesearch.next", b"imagesearch.decisions"


@dataclass(frozen=True)
class SavedClusters:
    """The last clustering.

    Attributes
    ----------
    members : dict
        References to the faces of each person, by the person's number; also to faces of photos that are
        missing.
    next_number : int
        The next number that was never used.
    edit_count : int
        How many of the user's edits were applied.
    """

    members: dict[int, list[FaceReference]] = field(default_factory=dict)
    next_number: int = 1
    edit_count: int = 0

    @classmethod
    def read(cls, file: Path) -> SavedClusters:
        """Read what `write` wrote; without a file there are none.

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
        """Write the clusters in place of older ones."""
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
        """Find the faces that are in the table.

        Returns
        -------
        numbers : dict
            The person's number of each face, by row.
        missing : dict
            References to faces that are not in the table, by number.
        """
        numbers: dict[int, int] = {}
        missing: dict[int, list[FaceReference]] = {}
        for number, references in self.members.items():
            for reference, row in zip(references, resolver.resolve(references)[0], strict=True):
                if row is not None:
                    # two may be found in one: a copy that is gone, in the photo that it was a copy of
                    numbers.setdefault(row, number)
                else:
                    missing.setdefault(number, []).append(reference)
        return numbers, missing

    def update(
        self, clusters: Sequence[np.ndarray], edit_count: int, resolver: ReferenceResolver
    ) -> SavedClusters:
        """Return the next state: new clusters, and the faces that are missing for the time being.

        Each new cluster has the number that most of its faces had; a number goes to its largest part.

        Parameters
        ----------
        clusters
            The rows of each.
        edit_count
            How many of the user's edits were applied.
        resolver
            Of the faces.
        """
        numbers, members = self.find_faces(resolver)
        assigned, next_number = self._assign_numbers(clusters, numbers)
        for number, rows in zip(assigned, clusters, strict=True):
            members[number] = [*resolver.make_references(rows.tolist()), *members.get(number, ())]
        return SavedClusters(members, next_number, edit_count)

    def _assign_numbers(
        self, clusters: Sequence[np.ndarray], old_numbers: dict[int, int]
    ) -> tuple[list[int], int]:
        """Return the number of each cluster, and the next one that was never used."""
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
        # the larger a new cluster, the smaller its number
        for cluster in sorted(range(len(clusters)), key=lambda i: -len(clusters[i])):
            if cluster not in numbers:
                numbers[cluster] = next_number
                next_number += 1
        return [numbers[cluster] for cluster in range(len(clusters))], next_number
