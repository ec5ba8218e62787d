"""Step 05: builds collections in Milvus from the tables of steps 01 to 04, and searches them.

Start with `build_collections` in ``build.py`` and the class `Store` in ``store.py``, which runs all searches.
``schema.py`` has the fields of a collection, and ``records.py`` their values.
``collection_updates.py`` writes rows; ``collections.py`` lists, opens, creates and drops collections.
``vocabulary.py`` has the names in a dataset.
Only this package uses pymilvus and Milvus Lite, which it imports when a connection is opened.
"""

from imagesearch.store.build import build_collections, check_before_build, has_pending_edits
from imagesearch.store.built_state import UnbuiltChanges, UnbuiltChangesFinder
from imagesearch.store.collection_updates import BuildReport, fill_collection
from imagesearch.store.dataset_trips import find_dataset_trips, list_trips, name_trip, undo_trip_name
from imagesearch.store.dialect import LITE, Dialect, choose_dialect
from imagesearch.store.drop import drop_dataset, list_drop_targets
from imagesearch.store.file_names import split_file_name
from imagesearch.store.list_columns import get_columns, mark_element, read_list_columns
from imagesearch.store.npy_files import NpyVectors, read_npy_vectors
from imagesearch.store.npy_import import build_imported
from imagesearch.store.photo_facts import PhotoFacts, PhotoFactsBuilder
from imagesearch.store.schema import (
    ARROW_TYPES,
    MAX_HITS,
    PHOTO_FIELDS,
    STEP_SCRIPTS,
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    Hit,
)
from imagesearch.store.store import Store, check_milvus, detect_dialect
from imagesearch.store.vector_index import IndexSpec, choose_index
from imagesearch.store.vocabulary import (
    Vocabulary,
    VocabularyColumn,
    VocabularyEntry,
    VocabularyTrip,
    list_named,
    suggest_names,
)

__all__ = [
    "ARROW_TYPES",
    "LITE",
    "MAX_HITS",
    "PHOTO_FIELDS",
    "STEP_SCRIPTS",
    "BuildReport",
    "CollectionInfo",
    "CollectionRef",
    "CollectionRows",
    "CollectionSpec",
    "Dialect",
    "Hit",
    "IndexSpec",
    "NpyVectors",
    "PhotoFacts",
    "PhotoFactsBuilder",
    "Store",
    "UnbuiltChanges",
    "UnbuiltChangesFinder",
    "Vocabulary",
    "VocabularyColumn",
    "VocabularyEntry",
    "VocabularyTrip",
    "build_collections",
    "build_imported",
    "check_before_build",
    "check_milvus",
    "choose_dialect",
    "choose_index",
    "detect_dialect",
    "drop_dataset",
    "fill_collection",
    "find_dataset_trips",
    "get_columns",
    "has_pending_edits",
    "list_drop_targets",
    "list_named",
    "list_trips",
    "mark_element",
    "name_trip",
    "read_list_columns",
    "read_npy_vectors",
    "split_file_name",
    "suggest_names",
    "undo_trip_name",
]
