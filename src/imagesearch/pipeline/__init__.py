"""From photos to tables: what every extraction step shares.

`Dataset` is one named collection of photos with its tables. A step is a `StepSpec`: a `Processor` and the
tables it fills; running it lists the photos, skips what is done, decodes ahead, processes
in batches, appends.
"""

from imagesearch.pipeline.dataset import Dataset
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.runner import BatchOutput, PhotoProgress, StepSpec, StepSummary
from imagesearch.pipeline.tables import ProcessedPhoto, make_vector_column

__all__ = [
    "BatchOutput",
    "Dataset",
    "PhotoProgress",
    "ProcessedPhoto",
    "Progress",
    "StepSpec",
    "StepSummary",
    "make_vector_column",
]
