"""How good the results are: metrics, and evaluations against labels, captions, the photos themselves.

Also the trade-off of an approximate index between recall and time, measured on the user's own vectors.
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
