"""The pipeline that runs the extraction steps: photos in, tables on disk out.

Start with ``runner.py``. Its function `update_tables` is the loop that steps 01, 02 and 04 share: list the
photos, skip those that are done, decode ahead, process in batches, append to the tables.

- `Dataset` is one named collection of photos with its tables. A step calls `Dataset.update_tables`.
- `StepSpec` describes a step: the tables it fills, and the processor that fills them.
- ``tables.py`` reads and writes a table's files.
"""

from imagesearch.pipeline.dataset import Dataset
from imagesearch.pipeline.imported import ImportedVectors
from imagesearch.pipeline.memory import KnownResults, ProcessMemory
from imagesearch.pipeline.processed_photo import ProcessedPhoto
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.roots import (
    FolderChange,
    OtherFoldersError,
    choose_roots,
    join_names,
    load_roots,
)
from imagesearch.pipeline.steps import BatchOutput, ProcessorCache, StepSpec, count_cores
from imagesearch.pipeline.summary import StepSummary
from imagesearch.pipeline.table_columns import make_vector_column
from imagesearch.pipeline.tables import Table
from imagesearch.pipeline.thumbnails import ThumbnailSummary, make_thumbnails
from imagesearch.pipeline.typed_photos import find_photo_file

__all__ = [
    "BatchOutput",
    "Dataset",
    "FolderChange",
    "ImportedVectors",
    "KnownResults",
    "OtherFoldersError",
    "ProcessMemory",
    "ProcessedPhoto",
    "ProcessorCache",
    "Progress",
    "StepSpec",
    "StepSummary",
    "Table",
    "ThumbnailSummary",
    "choose_roots",
    "count_cores",
    "find_photo_file",
    "join_names",
    "load_roots",
    "make_thumbnails",
    "make_vector_column",
]
