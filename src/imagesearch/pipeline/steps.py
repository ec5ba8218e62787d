"""What a step is: a processor and the tables it fills; how its run is set up, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from imagesearch.photos import DecodedPhoto, Photo
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.tables import Table


class Processor(Protocol):
    """What a step does with photos: a model and its pre-processing, for example.

    It is made only when there are photos to process. It says how large it needs them; if both sides are 0,
    photos are not decoded.
    """

    min_short_side: int
    """Pixels that the shorter side of a photo must have at least; 0 for any."""

    min_long_side: int
    """Pixels that the longer side must have at least; 0 for any."""

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> Any:
        """Turn one photo into an input of `process`; called in many threads at once."""

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        """Turn a batch of inputs into rows."""


@dataclass(frozen=True)
class BatchOutput:
    """Rows for each of a step's tables, by name; and a reason for each photo that could not be processed."""

    rows: dict[str, pa.Table]
    errors: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StepSpec:
    """A processor and the tables it fills.

    ``fingerprint`` stands for everything that decides the numbers; it is known without making the processor.
    """

    name: str
    tables: tuple[Table, ...]
    fingerprint: str
    make_processor: Callable[[], Processor]


@dataclass(frozen=True)
class RunOptions:
    """How steps are run.

    Attributes
    ----------
    batch_size : int
        Photos in one forward pass.
    workers : int or "auto"
        Decoding threads; ``"auto"`` for one per core.
    retry_failed : bool
        Process unchanged photos again that failed before.
    progress : Progress or None
        Wraps the stream of photos as they are done, with their number; for a progress bar.
    """

    batch_size: int
    workers: int | str = "auto"
    retry_failed: bool = False
    progress: Progress | None = None


@dataclass
class StepSummary:
    """How a run went; counts are of photos.

    ``new`` ones are those processed in this run; ``gone`` ones are not there any more, while the tables
    still have them in case they come back.
    """

    new: int = 0
    unchanged: int = 0
    moved: int = 0
    gone: int = 0
    seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    """Reason by path: of this run, and of earlier runs for photos that have not changed since."""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def __str__(self) -> str:
        counts = f"{self.new} new, {self.unchanged} unchanged, {self.moved} moved, {self.gone} gone"
        rate = f", {self.new / self.seconds:.1f} photos/s" if self.new and self.seconds > 0.5 else ""
        return f"{counts}, {len(self.failed)} failed{rate}"
