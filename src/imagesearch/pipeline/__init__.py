"""From photos to tables: what every extraction step shares.

`Dataset` is one named collection of photos with its tables. A step is a `StepSpec`: a processor and the
tables it fills. Running it lists the photos, skips those that are done, decodes ahead, processes in batches
and appends to the tables.
"""

from imagesearch.pipeline.dataset import Dataset
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.steps import BatchOutput, StepSpec
from imagesearch.pipeline.summary import StepSummary
from imagesearch.pipeline.tables import ProcessedPhoto, make_vector_column

__all__ = [
    "BatchOutput",
    "Dataset",
    "ProcessedPhoto",
    "Progress",
    "StepSpec",
    "StepSummary",
    "make_vector_column",
]
