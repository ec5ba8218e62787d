"""From processed batches to shards: collects the rows of one step, and appends them to its tables."""

from __future__ import annotations

import time

import pyarrow as pa

from imagesearch.pipeline.batches import ProcessedBatch
from imagesearch.pipeline.processed_photo import make_processed_table
from imagesearch.pipeline.steps import StepSpec


class ShardWriter:
    """Collects the batches of one step into shards.

    Parameters
    ----------
    spec
        Its tables receive the shards.
    """

    def __init__(self, spec: StepSpec) -> None:
        self.spec = spec
        self._rows: list[dict[str, pa.Table]] = []
        self._entries: list[tuple] = []
        self._appended_at = time.monotonic()

    def add(self, batch: ProcessedBatch) -> None:
        """Add the entries and rows of a batch to the shard."""
        self._entries += batch.entries
        if batch.rows:
            self._rows.append(batch.rows)

    def is_due(self, photos: int, seconds: float) -> bool:
        """Whether the shard has at least ``photos`` photos, or is not empty and older than ``seconds``."""
        is_overdue = time.monotonic() - self._appended_at > seconds
        return len(self._entries) >= photos or (is_overdue and bool(self._entries))

    def append_shard(self) -> None:
        """Append the shard to the step's tables, if it has any photos, and start the next one."""
        if self._entries:
            entries = make_processed_table(self._entries)
            for table in self.spec.tables:
                pieces = [rows[table.name] for rows in self._rows]
                no_rows = pa.table({"photo_id": pa.array([], pa.int64())})
                # A batch without any result may lack columns that other batches have.
                rows = pa.concat_tables(pieces, promote_options="default") if pieces else no_rows
                table.append(self.spec.fingerprint, rows, entries)
        self._rows, self._entries, self._appended_at = [], [], time.monotonic()
