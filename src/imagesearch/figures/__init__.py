"""Draw figures of results, people, places, vectors and evaluations; show them in a window or save them.

A ``draw_*`` function returns a matplotlib figure. A ``show_*`` function draws one and shows it in a window,
or saves it to a file if there is no display. Each module draws one kind of figure. Start with ``display.py``
(windows and files), ``style.py`` (colours and fonts) and ``viewer.py`` (a window with pages of photos).
Only this package uses matplotlib, which is imported when the first figure is drawn.
"""

from imagesearch.figures.display import can_open_window, create_figure, report_figure_path, show_figure
from imagesearch.figures.evaluation import draw_captions_report, draw_labelled_report, draw_self_report
from imagesearch.figures.geo_map import draw_geo_map, show_geo_map
from imagesearch.figures.grids import (
    Tile,
    draw_classifications,
    draw_contact_sheet,
    draw_photo_with_faces,
    draw_result_grid,
)
from imagesearch.figures.index_curves import draw_index_report
from imagesearch.figures.same_people import ask_same
from imagesearch.figures.show_duplicates import show_duplicates
from imagesearch.figures.show_people import show_people, show_person, show_photo_faces
from imagesearch.figures.show_results import copy_results, draw_answer, show_answer, show_classifications
from imagesearch.figures.style import ACCENT, INK, QUIET, shorten_text
from imagesearch.figures.timeline import show_timeline
from imagesearch.figures.vector_map import show_vector_map

__all__ = [
    "ACCENT",
    "INK",
    "QUIET",
    "Tile",
    "ask_same",
    "can_open_window",
    "copy_results",
    "create_figure",
    "draw_answer",
    "draw_captions_report",
    "draw_classifications",
    "draw_contact_sheet",
    "draw_geo_map",
    "draw_index_report",
    "draw_labelled_report",
    "draw_photo_with_faces",
    "draw_result_grid",
    "draw_self_report",
    "report_figure_path",
    "shorten_text",
    "show_answer",
    "show_classifications",
    "show_duplicates",
    "show_figure",
    "show_geo_map",
    "show_people",
    "show_person",
    "show_photo_faces",
    "show_timeline",
    "show_vector_map",
]
