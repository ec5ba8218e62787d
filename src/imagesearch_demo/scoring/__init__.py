"""Evaluation against the ground truth of a drawn album: of the models, the search by sentence, and all steps.

Start with one of the three evaluations:

- `evaluate_models`: the three small models on the photos of an album.
- `evaluate_search`: the search, with generated sentences whose relevant photos are known.
- `evaluate_truth`: faces, places, times and sentences of a dataset; ``08_evaluate.py --truth`` runs it.

`build_album` runs the steps on an album, so that it can be searched.
"""

from imagesearch_demo.scoring.face_vectors import make_face_vectors
from imagesearch_demo.scoring.model_scores import (
    MIN_MODEL_SCORES,
    MODELS,
    evaluate_models,
    make_evaluation_album,
    read_photos,
)
from imagesearch_demo.scoring.presence_queries import UNKNOWN_IN_SCENE, PresenceQuery, make_presence_queries
from imagesearch_demo.scoring.questions import Question, make_questions, rename_in_truth
from imagesearch_demo.scoring.search_scores import (
    TOP,
    ask_questions,
    compute_precision,
    evaluate_search,
    summarize_outcomes,
)
from imagesearch_demo.scoring.searchable_album import build_album, make_demo_config, rename_person
from imagesearch_demo.scoring.truth_charts import draw_truth_report
from imagesearch_demo.scoring.truth_report import evaluate_truth

__all__ = [
    "MIN_MODEL_SCORES",
    "MODELS",
    "TOP",
    "UNKNOWN_IN_SCENE",
    "PresenceQuery",
    "Question",
    "ask_questions",
    "build_album",
    "compute_precision",
    "draw_truth_report",
    "evaluate_models",
    "evaluate_search",
    "evaluate_truth",
    "make_demo_config",
    "make_evaluation_album",
    "make_face_vectors",
    "make_presence_queries",
    "make_questions",
    "read_photos",
    "rename_in_truth",
    "rename_person",
    "summarize_outcomes",
]
