"""Figures of results, people, places, vectors and evaluations; windows where there is a display, else files.

The only room that knows matplotlib, imported when the first figure is drawn.
"""

from imagesearch.figures.display import new_figure, report_saved, show
from imagesearch.figures.evaluation import captions_figure, labelled_figure, self_figure
from imagesearch.figures.geo_map import show_places
from imagesearch.figures.index_curves import index_figure
from imagesearch.figures.results import (
    answer_figure,
    classes_figure,
    contact_sheet_figure,
    copy_results,
    faces_figure,
    person_figure,
    print_answer,
    print_classes,
    print_people,
)
from imagesearch.figures.style import ACCENT, INK, QUIET, shorten
from imagesearch.figures.timeline import show_timeline
from imagesearch.figures.vector_map import show_vector_map

__all__ = [
    "ACCENT",
    "INK",
    "QUIET",
    "answer_figure",
    "captions_figure",
    "classes_figure",
    "contact_sheet_figure",
    "copy_results",
    "faces_figure",
    "index_figure",
    "labelled_figure",
    "new_figure",
    "person_figure",
    "print_answer",
    "print_classes",
    "print_people",
    "report_saved",
    "self_figure",
    "shorten",
    "show",
    "show_places",
    "show_timeline",
    "show_vector_map",
]
