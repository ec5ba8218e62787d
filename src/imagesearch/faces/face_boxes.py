"""The boxes of single faces, read from the table of faces; usable from several threads."""

from __future__ import annotations

from threading import Lock

import numpy as np

from imagesearch.pipeline import Dataset


class FaceBoxReader:
    """Finds the box of a photo's n-th face. All boxes are read once for each version of the table.

    Parameters
    ----------
    dataset
        The dataset.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._lock = Lock()
        self._versions: list[list] | None = None
        self._photo_ids = np.empty(0, np.int64)
        self._positions = np.empty(0, np.int64)
        self._boxes = np.empty((0, 4), np.float32)

    def find(self, photo_id: int, position: int) -> np.ndarray | None:
        """Return left, top, right, bottom in pixels of the upright photo, (4,) float32; None without a face.

        Parameters
        ----------
        photo_id
            The photo.
        position
            The position of the face among those of its photo, as the table has it: 0 is the largest.
        """
        if self._dataset.imported is not None:
            return None
        with self._lock:
            self._refresh()
            first, end = np.searchsorted(self._photo_ids, (photo_id, photo_id + 1))
            rows = first + np.flatnonzero(self._positions[first:end] == position)
            return self._boxes[rows[0]] if len(rows) else None

    def _refresh(self) -> None:
        table = self._dataset.open_table("faces")
        versions = table.list_versions()
        if versions == self._versions:
            return
        rows = table.read_rows(table.read_processed().values(), ["photo_id", "face", "box"])
        self._versions = versions
        if rows is None or "face" not in rows.column_names:
            self._photo_ids = self._photo_ids[:0]
            return
        rows = rows.sort_by("photo_id")
        self._photo_ids = rows["photo_id"].to_numpy()
        self._positions = rows["face"].to_numpy()
        self._boxes = rows["box"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, 4)
