"""Step 05: collections in Milvus, built from the tables, and every search in them.

Knows pymilvus and Milvus Lite, imported when a connection is opened. The only room that does I/O for a query,
and the only one in which filters are written down.
"""

from imagesearch.store.build import build_collections, fill_collection, names_wait
from imagesearch.store.schema import (
    ARROW_TYPES,
    MOST_HITS,
    PHOTO_FIELDS,
    STEPS,
    Collection,
    Hit,
    Rows,
    Spec,
    join_list,
)
from imagesearch.store.store import Store
from imagesearch.store.vector_index import IndexPlan, plan_index
from imagesearch.store.vocabulary import Vocabulary, Word, count_words, nearest

__all__ = [
    "ARROW_TYPES",
    "MOST_HITS",
    "PHOTO_FIELDS",
    "STEPS",
    "Collection",
    "Hit",
    "IndexPlan",
    "Rows",
    "Spec",
    "Store",
    "Vocabulary",
    "Word",
    "build_collections",
    "count_words",
    "fill_collection",
    "join_list",
    "names_wait",
    "nearest",
    "plan_index",
]
