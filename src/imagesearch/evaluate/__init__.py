"""Step 08: evaluations of models, collections and indexes, and the metrics that they use.

Start with the ``evaluate_*`` functions. Each takes the `Config`, runs one evaluation and returns a report. A
report prints as a table, and its ``to_dict()`` returns what ``--json`` prints.

- `evaluate_labelled`: photos search photos of the same category; precision@k and mAP.
- `evaluate_captions`: captions search photos and photos search captions; recall@k and median rank.
- `evaluate_self`: each photo searches for itself in its collection; hits@k and recall.
- `evaluate_index`: a vector index against exact search; recall@10 and time, and a recommended setting.
"""

from imagesearch.evaluate.captions import CaptionsReport, evaluate_captions
from imagesearch.evaluate.index_report import RECALL_TARGET, IndexCurve, IndexReport
from imagesearch.evaluate.index_tuning import evaluate_index
from imagesearch.evaluate.labelled import CategoryRanking, LabelledReport, evaluate_labelled
from imagesearch.evaluate.metrics import compare_clusterings, compute_recall_at, interpolate_precision
from imagesearch.evaluate.self_retrieval import SelfReport, evaluate_self
from imagesearch.evaluate.temporary_collection import use_temporary_milvus

__all__ = [
    "RECALL_TARGET",
    "CaptionsReport",
    "CategoryRanking",
    "IndexCurve",
    "IndexReport",
    "LabelledReport",
    "SelfReport",
    "compare_clusterings",
    "compute_recall_at",
    "evaluate_captions",
    "evaluate_index",
    "evaluate_labelled",
    "evaluate_self",
    "interpolate_precision",
    "use_temporary_milvus",
]
