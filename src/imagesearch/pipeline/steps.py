"""A step of the extraction: a processor and the tables it fills; and the options of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import pyarrow as pa

from imagesearch.config import ExtractionConfig
from imagesearch.photos import DecodedPhoto, Photo
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.tables import Table


class Processor(Protocol):
    """Turns photos into rows, for example with a model and its preprocessing.

    A processor is made only when there are photos to process. It declares the size of pixels it requires; if
    both sides are 0, photos are not decoded for it.
    """

    min_short_side: int
    """Minimum number of pixels of a photo's shorter side; 0 for any."""

    min_long_side: int
    """Minimum number of pixels of a photo's longer side; 0 for any."""

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> Any:
        """Turn one photo into an input of `process`; called in many threads at once."""

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        """Turn a batch of inputs into rows."""


@dataclass(frozen=True)
class BatchOutput:
    """The results for one batch of photos.

    Attributes
    ----------
    rows : dict of str to pyarrow.Table
        Rows by the name of the step's table.
    errors : dict of int to str
        The reason, by photo id, for each photo that could not be processed.
    """

    rows: dict[str, pa.Table]
    errors: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StepSpec:
    """A step: its tables, and a function that makes the processor that fills them.

    ``fingerprint`` identifies everything that decides the values in the tables, such as the model and its
    input size. It is known without making the processor. When it changes, all photos are processed again.

    With the engine ``ray``, ``make_processor`` and ``compute_fingerprint`` are called in other processes, so
    they must not contain anything secret. ``compute_fingerprint`` returns the fingerprint that the processor
    has there; None if it is the same everywhere. ``uses_gpu`` is whether the processor computes on a GPU if
    there is one.
    """

    name: str
    tables: tuple[Table, ...]
    fingerprint: str
    make_processor: Callable[[], Processor]
    compute_fingerprint: Callable[[], str] | None = None
    uses_gpu: bool = False


@dataclass(frozen=True)
class ActiveStep:
    """A step that has photos to process in this run, with its processor.

    ``missing`` has the ids of these photos.
    """

    spec: StepSpec
    missing: set[int]
    processor: Processor


@dataclass(frozen=True)
class RunOptions:
    """The options of a run.

    Attributes
    ----------
    batch_size : int
        Number of photos in one forward pass.
    workers : int or "auto"
        Number of decoding threads; ``"auto"`` for one per core.
    retry_failed : bool
        Process unchanged photos again that failed before.
    progress : Progress or None
        Wraps the photos of the run, for a progress bar.
    engine : str
        ``"local"`` or ``"ray"``.
    ray_address : str
        The Ray cluster; empty starts Ray on this machine.
    transfers : int
        Number of photos in buckets that are read at the same time; 0 if there are none.
    """

    batch_size: int
    workers: int | str = "auto"
    retry_failed: bool = False
    progress: Progress | None = None
    engine: str = "local"
    ray_address: str = ""
    transfers: int = 0

    @classmethod
    def from_config(
        cls, config: ExtractionConfig, batch_size: int | None, retry_failed: bool, progress: Progress | None
    ) -> Self:
        """Return the options of a config; ``batch_size`` replaces its own."""
        return cls(
            batch_size or config.batch_size,
            config.workers,
            retry_failed,
            progress,
            config.engine,
            config.ray_address,
        )

    @property
    def threads(self) -> int:
        """The number of decoding threads."""
        return self.workers if isinstance(self.workers, int) else os.cpu_count() or 1


class ProcessorCache:
    """Keeps the processors of steps, with their models, for the next run of this process."""

    def __init__(self) -> None:
        self._processors: dict[tuple[str, str], Processor] = {}

    def keep_processor(self, step: StepSpec) -> StepSpec:
        """Return a step that makes its processor only once for each fingerprint."""

        def make_processor() -> Processor:
            key = step.name, step.fingerprint
            if key not in self._processors:
                self._processors[key] = step.make_processor()
            return self._processors[key]

        return replace(step, make_processor=make_processor)


def count_cores() -> int:
    """Return the number of CPU cores that models of this process may use.

    It is the value of the environment variable ``OMP_NUM_THREADS``, which the actors of the engine ``ray``
    have, or all cores of the machine.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return int(limit) if limit.isdecimal() and int(limit) else os.cpu_count() or 1


@contextmanager
def lock_tables(steps: Sequence[StepSpec]) -> Iterator[None]:
    """Lock all tables of some steps against other processes."""
    with ExitStack() as stack:
        for step in steps:
            for table in step.tables:
                stack.enter_context(table.lock())
        yield


def compact_tables(steps: Sequence[StepSpec], photos: Sequence[Photo]) -> None:
    """Merge the shards of the steps' tables where they are many; drop the rows of other photos."""
    for step in steps:
        for table in step.tables:
            table.compact((photo.photo_id for photo in photos), step.fingerprint)
