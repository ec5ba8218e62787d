"""From prepared photos to shards: a batch for a step's processor, and its rows for the step's tables."""

from __future__ import annotations

import time

import pyarrow as pa

from imagesearch.pipeline.decode_ahead import PreparedPhoto
from imagesearch.pipeline.processed_photo import make_processed_row, make_processed_table
from imagesearch.pipeline.steps import ActiveStep, BatchOutput


class ShardWriter:
    """Collects the photos of one step into batches, and the rows of its batches into shards.

    Parameters
    ----------
    step
        Its processor processes the batches; its tables receive the shards.
    """

    def __init__(self, step: ActiveStep) -> None:
        self.step = step
        self.batch: list[PreparedPhoto] = []
        self._outputs: list[BatchOutput] = []
        self._entries: list[tuple] = []
        self._appended_at = time.monotonic()

    def add(self, prepared: PreparedPhoto) -> None:
        """Add a photo to the batch, or, if it failed, only its entry to the shard."""
        if prepared.unavailable:
            return
        error = prepared.errors.get(self.step.spec.name)
        if error is None:
            self.batch.append(prepared)
        else:
            self._add_entry(prepared, error)

    def process_batch(self) -> None:
        """Process the photos of the batch, if there are any, and add their rows to the shard."""
        if not self.batch:
            return
        batch, self.batch = self.batch, []
        inputs = [prepared.inputs[self.step.spec.name] for prepared in batch]
        output = self.step.processor.process([prepared.photo.photo_id for prepared in batch], inputs)
        self._outputs.append(output)
        for prepared in batch:
            self._add_entry(prepared, output.errors.get(prepared.photo.photo_id))

    def is_due(self, photos: int, seconds: float) -> bool:
        """Whether the shard has at least ``photos`` photos, or is not empty and older than ``seconds``."""
        is_overdue = time.monotonic() - self._appended_at > seconds
        return len(self._entries) >= photos or (is_overdue and bool(self._entries))

    def append_shard(self) -> None:
        """Append the shard to the step's tables, if it has any photos, and start the next one."""
        if self._entries:
            entries = make_processed_table(self._entries)
            for table in self.step.spec.tables:
                pieces = [output.rows[table.name] for output in self._outputs]
                no_rows = pa.table({"photo_id": pa.array([], pa.int64())})
                # A batch without any result may lack columns that other batches have.
                rows = pa.concat_tables(pieces, promote_options="default") if pieces else no_rows
                table.append(self.step.spec.fingerprint, rows, entries)
        self._outputs, self._entries, self._appended_at = [], [], time.monotonic()

    def _add_entry(self, prepared: PreparedPhoto, error: str | None) -> None:
        row = make_processed_row(prepared.photo, prepared.content, prepared.width, prepared.height, error)
        self._entries.append(row)
