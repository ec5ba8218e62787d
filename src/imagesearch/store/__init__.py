"""Step 05: collections in Milvus, built from the tables, and every search in them.

Knows pymilvus and Milvus Lite, imported when a connection is opened. The only room that does I/O for a query,
and the only one in which filters are written down.
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
    join_list,
)
from imagesearch.store.store import Store
from imagesearch.store.vector_index import IndexSpec, choose_index
from imagesearch.store.vocabulary import Vocabulary, VocabularyEntry, count_names, suggest_names

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
    "count_names",
    "fill_collection",
    "has_pending_edits",
    "join_list",
    "suggest_names",
]
