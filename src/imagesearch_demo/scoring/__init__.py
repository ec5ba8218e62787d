"""Scoring against the drawn truth: the models, the search by sentence, and all steps together."""

from imagesearch_demo.scoring.model_scores import FLOORS, evaluate_models, make_evaluation_album
from imagesearch_demo.scoring.truth_figure import draw_truth_report
from imagesearch_demo.scoring.truth_report import evaluate_truth

__all__ = ["FLOORS", "draw_truth_report", "evaluate_models", "evaluate_truth", "make_evaluation_album"]
