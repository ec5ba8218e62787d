"""Steps 02 and 03: detecting faces, clustering them into people, and the user's edits of these people.

Knows InsightFace and ONNX Runtime, imported when faces are first detected. Writes the table ``faces``,
``clusters.parquet`` and the user's edits, ``people.jsonl``.
"""

from imagesearch.faces.csv_import import import_names
from imagesearch.faces.detector import FaceDetector, get_pack_id
from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.extract import detect_faces, make_detector, shrink_for_detection
from imagesearch.faces.people import People, Person, cluster_people, load_people, open_edit_log
from imagesearch.faces.references import box_iou

__all__ = [
    "FaceDetector",
    "People",
    "PeopleEditor",
    "Person",
    "box_iou",
    "cluster_people",
    "detect_faces",
    "get_pack_id",
    "import_names",
    "load_people",
    "make_detector",
    "open_edit_log",
    "shrink_for_detection",
]
