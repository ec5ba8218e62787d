"""From prepared photos to results: a step's processor processes a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from imagesearch.photos import Photo
from imagesearch.pipeline.decode_ahead import PreparedPhoto
from imagesearch.pipeline.processed_photo import make_processed_row
from imagesearch.pipeline.steps import ActiveStep, BatchOutput


@dataclass(frozen=True)
class ProcessedBatch:
    """Photos that one step has processed.

    Attributes
    ----------
    step : str
        The step's name.
    entries : list of tuple
        The entry of each photo, from `make_processed_row`; that of a photo that failed has the reason.
    rows : dict of str to pyarrow.Table
        Rows by the name of the step's table; empty if all photos failed before they reached the processor.
    """

    step: str
    entries: list[tuple]
    rows: dict[str, pa.Table]


@dataclass(frozen=True)
class EngineResult:
    """What an engine has finished since its last result.

    Attributes
    ----------
    photos : int
        The number of photos that are done, for the progress bar.
    batches : list of ProcessedBatch
        The batches that are done. A photo can be done before its batch is.
    damaged : dict of str to str
        What is missing, by path, of the damaged photos that were decoded in part.
    unavailable : dict of str to str
        The reason, by path, for photos that could not be fetched. They are in no batch.
    unseen : list of Photo
        Photos whose files the process that decodes cannot read.
    host : str
        The name of the machine of that process; empty for this one.
    """

    photos: int
    batches: list[ProcessedBatch]
    damaged: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    unseen: list[Photo] = field(default_factory=list)
    host: str = ""


def process_batch(step: ActiveStep, batch: Sequence[PreparedPhoto]) -> ProcessedBatch:
    """Process the photos of a batch that were prepared, and return their rows and the entries of all."""
    name = step.spec.name
    usable = [prepared for prepared in batch if name not in prepared.errors]
    output = BatchOutput({})
    if usable:
        ids = [prepared.photo.photo_id for prepared in usable]
        output = step.processor.process(ids, [prepared.inputs[name] for prepared in usable])
    entries = [
        make_processed_row(
            prepared.photo,
            prepared.content,
            prepared.width,
            prepared.height,
            prepared.errors.get(name) or output.errors.get(prepared.photo.photo_id),
        )
        for prepared in batch
    ]
    return ProcessedBatch(name, entries, output.rows)


def list_damaged(batch: Sequence[PreparedPhoto]) -> dict[str, str]:
    """Return what is missing, by path, of the photos of a batch that were decoded in part."""
    return {prepared.photo.path: prepared.remark for prepared in batch if prepared.remark}


def list_unavailable(batch: Sequence[PreparedPhoto]) -> dict[str, str]:
    """Return the reason, by path, for the photos of a batch that could not be fetched."""
    return {prepared.photo.path: prepared.unavailable for prepared in batch if prepared.unavailable}
