"""Rows for tests of tables: the vector of each photo contains its id and a value for the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from imagesearch.pipeline import make_vector_column
from imagesearch.pipeline.processed_photo import make_processed_table
from imagesearch.pipeline.tables import Table

NOTHING = pa.table({"photo_id": pa.array([], pa.int64())})


def make_row(photo_id: int, size: int = 1, error: str | None = None) -> tuple:
    """Return a row of the table of processed photos."""
    return (photo_id, f"{photo_id}.jpg", size, 7, bytes([photo_id % 256]) * 16, 4, 3, error)


def make_vectors(*photo_ids: int, value: float = 0.0, dimension: int = 4) -> pa.Table:
    """Return a vector for each photo, with its id and a value for the run."""
    vectors = np.array([[i, value] + [0] * (dimension - 2) for i in photo_ids], np.float32)
    return pa.table({"photo_id": pa.array(photo_ids, pa.int64()), "vector": make_vector_column(vectors)})


def append_photos(table: Table, *photo_ids: int, value: float = 0.0, fingerprint: str = "A") -> None:
    found = make_vectors(*photo_ids, value=value) if photo_ids else NOTHING
    table.append(fingerprint, found, make_processed_table([make_row(i) for i in photo_ids]))


def read_content(table: Table) -> dict[int, float]:
    """Return the value that a reader gets for each photo."""
    ids, vectors = table.read_vectors(table.read_processed().values())
    assert len(set(ids.tolist())) == len(ids)
    assert all(int(vector[0]) == i for i, vector in zip(ids.tolist(), vectors, strict=True))
    return {i: float(vector[1]) for i, vector in zip(ids.tolist(), vectors, strict=True)}


def list_files(table: Table) -> list[str]:
    return sorted(file.name for file in table.folder.glob("*.p*"))


def die_at(monkeypatch: pytest.MonkeyPatch, method: str, survived: int) -> None:
    """Stop the program at some call of a method of Path, which then does nothing."""
    real, left = getattr(Path, method), [survived]

    def dying(self: Path, *args: object) -> object:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, *args)

    monkeypatch.setattr(Path, method, dying)
