"""Several steps in one call: from a folder of photos to collections that can be searched.

`run_steps` runs steps 01, 02, 04 and 05 in order. Step 03, naming people, requires a person. `History` lists
and undoes all decisions of step 03, about people and trips. `update_names` writes the names to the
collections. `read_overview` lists what a dataset consists of. `watch_photos` keeps the collections up to
date until it is ended.
"""

from imagesearch.workflow.history import History
from imagesearch.workflow.overview import DatasetOverview, FailedPhoto, measure_sizes, read_overview
from imagesearch.workflow.run_steps import RunSummary, run_steps
from imagesearch.workflow.update_names import update_names
from imagesearch.workflow.watch import BatchSummary, WatchTiming, watch_photos

__all__ = [
    "BatchSummary",
    "DatasetOverview",
    "FailedPhoto",
    "History",
    "RunSummary",
    "WatchTiming",
    "measure_sizes",
    "read_overview",
    "run_steps",
    "update_names",
    "watch_photos",
]
