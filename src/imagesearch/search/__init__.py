"""From a `Query` to an `Answer`: parse, encode, one filtered vector search in Milvus, relax, judge, present.

`Searcher` answers queries about one dataset and keeps models and connection for the next one.
"""

from imagesearch.search.query import Answer, Query, SearchResult
from imagesearch.search.relaxation import plan_filter
from imagesearch.search.searcher import Searcher

__all__ = ["Answer", "Query", "SearchResult", "Searcher", "plan_filter"]
