"""The rows of a collection that a process keeps, so that its next build makes only rows that have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.store.schema import ARROW_TYPES, CollectionRows, CollectionSpec

RowFields = dict[str, Any]
_BLOCK_ROWS = 5_000  # that are dicts at the same time; a row takes some kB as a dict, and 0.4 as columns


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
        inputs: Iterable[tuple],
        make_row: Callable[..., RowFields],
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
            All that a row and its vector depend on, for each row.
        make_row
            Returns the fields of the row at a position, from the position and its inputs; fields that are
            unknown can be left out.
        vectors : (n, d) float32
            The vectors.
        """
        before = self._inputs if self._fields == spec.fields else {}
        keys, changed = ids.tolist(), {}
        for position, (key, given) in enumerate(zip(keys, inputs, strict=True)):
            if before.get(key) != given:
                changed[position] = given
        positions = np.fromiter(changed, np.int64, len(changed))
        pieces = [make_scalars(spec, ids[:0], [])]
        for start in range(0, len(positions), _BLOCK_ROWS):
            block = positions[start : start + _BLOCK_ROWS]
            rows = [make_row(position, *changed[position]) for position in block.tolist()]
            pieces.append(make_scalars(spec, ids[block], rows))
        scalars = pa.concat_tables(pieces).combine_chunks()
        if self._scalars is not None and len(changed) < len(keys):
            scalars = _insert_rows(self._scalars, scalars, ids, positions)
        new = {keys[position]: given for position, given in changed.items()}
        self._fields, self._scalars = spec.fields, scalars
        self._inputs = {key: new.get(key) or before[key] for key in keys}
        self._digests = {k: d for k, d in self._digests.items() if k in self._inputs and k not in new}
        return CollectionRows(scalars, vectors, digests=self._digests)


def _insert_rows(old: pa.Table, new: pa.Table, ids: np.ndarray, positions: np.ndarray) -> pa.Table:
    """Return the new rows at some positions, and the old ones at all others, in the order of the ids."""
    is_old = np.ones(len(ids), bool)
    is_old[positions] = False
    old_ids = old.column(0).to_numpy()
    by_id = np.argsort(old_ids)
    order = np.empty(len(ids), np.int64)
    order[positions] = np.arange(len(positions)) + len(old)
    order[is_old] = by_id[np.searchsorted(old_ids, ids[is_old], sorter=by_id)]
    joined = pa.concat_tables([old, new])
    if not np.array_equal(order, np.arange(len(joined))):  # photos of a new shard are the last ones
        joined = joined.take(pa.array(order))
    return joined.combine_chunks()


def make_scalars(spec: CollectionSpec, ids: np.ndarray, rows: list[RowFields]) -> pa.Table:
    """Return a table of keys and scalar fields; a field without a value has its ``unknown`` value."""
    columns = {spec.ref.key: pa.array(ids)}
    for field in spec.fields:
        values = [row.get(field.name, field.unknown) for row in rows]
        columns[field.name] = pa.array(values, ARROW_TYPES[field.type])
    return pa.table(columns)
