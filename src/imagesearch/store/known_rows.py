"""The rows of a collection that a process keeps, so that its next build makes only rows that have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.store.schema import ARROW_TYPES, CollectionRows, CollectionSpec

RowFields = dict[str, Any]


class KnownRows:
    """The scalar fields of a collection's rows, with the inputs they were made from, and their digests."""

    def __init__(self) -> None:
        self._fields: tuple = ()
        self._inputs: dict[int, tuple] = {}
        self._scalars: pa.Table | None = None
        self._digests: dict[int, str] = {}

    def update(
        self,
        spec: CollectionSpec,
        ids: np.ndarray,
        inputs: Sequence[tuple],
        make_row: Callable[[int], RowFields],
        vectors: np.ndarray,
    ) -> CollectionRows:
        """Return the rows of a collection.

        Parameters
        ----------
        spec
            The collection.
        ids : (n,) int64
            The keys of its rows.
        inputs
            All that a row and its vector depend on.
        make_row
            Returns the fields of the row at a position; fields that are unknown can be left out.
        vectors : (n, d) float32
            The vectors.
        """
        before = self._inputs if self._fields == spec.fields else {}
        keys = ids.tolist()
        is_new = np.fromiter(
            (before.get(key) != given for key, given in zip(keys, inputs, strict=True)), bool, len(keys)
        )
        changed = np.flatnonzero(is_new)
        scalars = make_scalars(spec, ids[changed], [make_row(position) for position in changed.tolist()])
        if self._scalars is not None and len(changed) < len(keys):
            rows = {key: row for row, key in enumerate(before)}
            # new rows are behind the old ones, in the order of the keys
            order = np.empty(len(keys), np.int64)
            order[changed] = np.arange(len(changed)) + len(self._scalars)
            kept = np.flatnonzero(~is_new)
            order[kept] = [rows[keys[position]] for position in kept.tolist()]
            scalars = pa.concat_tables([self._scalars, scalars]).take(pa.array(order)).combine_chunks()
        self._fields, self._inputs = spec.fields, dict(zip(keys, inputs, strict=True))
        self._scalars = scalars
        new = set(ids[changed].tolist())
        self._digests = {k: d for k, d in self._digests.items() if k in self._inputs and k not in new}
        return CollectionRows(scalars, vectors, digests=self._digests)


def make_scalars(spec: CollectionSpec, ids: np.ndarray, rows: list[RowFields]) -> pa.Table:
    """Return a table of keys and scalar fields; a field without a value has its ``unknown`` value."""
    columns = {spec.ref.key: pa.array(ids)}
    for field in spec.fields:
        values = [row.get(field.name, field.unknown) for row in rows]
        columns[field.name] = pa.array(values, ARROW_TYPES[field.type])
    return pa.table(columns)
