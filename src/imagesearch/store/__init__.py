"""Step 05: collections in Milvus, built from the tables, and every search in them.

Knows pymilvus and Milvus Lite, imported when a connection is opened. `Collections` lists, finds, opens,
creates and drops collections; `Store` searches them. Only this room hands filters to Milvus.
"""

from imagesearch.store.build import BuildReport, build_collections, fill_collection, has_pending_edits
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
from imagesearch.store.store import Store
from imagesearch.store.vector_index import IndexSpec, choose_index
from imagesearch.store.vocabulary import Vocabulary, VocabularyEntry, suggest_names

__all__ = [
    "ARROW_TYPES",
    "MAX_HITS",
    "PHOTO_FIELDS",
    "STEP_SCRIPTS",
    "BuildReport",
    "CollectionInfo",
    "CollectionRef",
    "CollectionRows",
    "CollectionSpec",
    "Hit",
    "IndexSpec",
    "Store",
    "Vocabulary",
    "VocabularyEntry",
    "build_collections",
    "choose_index",
    "fill_collection",
    "has_pending_edits",
    "suggest_names",
]
