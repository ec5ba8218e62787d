"""From photos to tables: what every extraction step shares.

`Dataset` is one named collection of photos with its tables. A step is a `StepSpec`: a `Processor` and the
tables it fills; running it lists the photos, skips what is done, decodes ahead, processes
in batches, appends.
"""

from imagesearch.pipeline.dataset import Dataset
from imagesearch.pipeline.runner import PhotoProgress, Result, Step, Summary
from imagesearch.pipeline.tables import Seen, make_folder, vector_column, atomic_write

__all__ = [
    "Dataset",
    "PhotoProgress",
    "Result",
    "Seen",
    "Step",
    "Summary",
    "make_folder",
    "vector_column",
    "atomic_write",
]
