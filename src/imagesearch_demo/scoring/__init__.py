"""Scoring against the drawn truth: the models, the search by sentence, and all steps together."""

from imagesearch_demo.scoring.model_scores import FLOORS, evaluate, evaluation_album
from imagesearch_demo.scoring.truth_figure import truth_figure
from imagesearch_demo.scoring.truth_report import evaluate_truth

__all__ = ["FLOORS", "evaluate", "evaluate_truth", "evaluation_album", "truth_figure"]
