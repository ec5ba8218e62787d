"""Step 02 and 03: detecting faces, clustering them into people, and what the user decided about them.

Knows InsightFace and ONNX Runtime, imported when faces are first detected. Writes the table ``faces``,
``clusters.parquet`` and the user's decisions, ``people.jsonl``.
"""

from imagesearch.faces.csv_import import name_from_csv
from imagesearch.faces.detector import FaceFinder, pack_id
from imagesearch.faces.editor import Editor
from imagesearch.faces.extract import detect_faces, finder_of, shrink
from imagesearch.faces.people import People, Person, cluster_people, journal, load_people
from imagesearch.faces.references import overlap

__all__ = [
    "Editor",
    "FaceFinder",
    "People",
    "Person",
    "cluster_people",
    "detect_faces",
    "finder_of",
    "journal",
    "load_people",
    "name_from_csv",
    "overlap",
    "pack_id",
    "shrink",
]
