"""Detect faces, cluster them into people, and apply the user's edits of these people (steps 02 and 03).

`detect_faces` writes the table ``faces`` with InsightFace. `cluster_people` clusters the faces by average
linkage and writes ``clusters.parquet``. `PeopleEditor` appends the user's edits (name, merge, split, ...) to
``people.jsonl``; every later clustering follows them as must-link and cannot-link constraints.
Start with ``people.py``. The meaning of edits is in ``constraints.py``, the clustering in ``linkage.py``.
"""

from imagesearch.faces.answers import SHOWN_FACES, store_no, store_yes
from imagesearch.faces.assignment import assign_new_faces
from imagesearch.faces.csv_import import import_names
from imagesearch.faces.detector import DetectedFace, FaceDetector, get_pack_id
from imagesearch.faces.edit_history import list_decisions, list_first_lines
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.extract import compute_face_id, detect_faces, make_detector, shrink_for_detection
from imagesearch.faces.face_boxes import FaceBoxReader
from imagesearch.faces.marking import (
    check_marked_name,
    import_marks,
    make_photo_finder,
    mark_absent,
    mark_present,
)
from imagesearch.faces.marks import MarkedName
from imagesearch.faces.merging import merge_as
from imagesearch.faces.name_checks import find_near_name, looks_like_command, stands_for_no_name
from imagesearch.faces.people import (
    People,
    Person,
    cluster_people,
    count_faces,
    load_people,
    open_edit_log,
)
from imagesearch.faces.suggestions import Side, Suggester, Suggestion
from imagesearch.faces.xmp_names import XmpExport, export_xmp_names, import_xmp_names

__all__ = [
    "SHOWN_FACES",
    "DetectedFace",
    "Edit",
    "FaceBoxReader",
    "FaceDetector",
    "MarkedName",
    "People",
    "PeopleEditor",
    "Person",
    "Side",
    "Suggester",
    "Suggestion",
    "XmpExport",
    "assign_new_faces",
    "check_marked_name",
    "cluster_people",
    "compute_face_id",
    "count_faces",
    "detect_faces",
    "export_xmp_names",
    "find_near_name",
    "get_pack_id",
    "import_marks",
    "import_names",
    "import_xmp_names",
    "list_decisions",
    "list_first_lines",
    "load_people",
    "looks_like_command",
    "make_detector",
    "make_photo_finder",
    "mark_absent",
    "mark_present",
    "merge_as",
    "open_edit_log",
    "shrink_for_detection",
    "stands_for_no_name",
    "store_no",
    "store_yes",
]
