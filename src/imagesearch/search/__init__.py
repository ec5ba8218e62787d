"""From a `Query` to an `Answer`. Start reading at `Searcher.search`: one function, six stages.

=========  =================================  ==========================================
stage      function                           returns
=========  =================================  ==========================================
parse      `request.parse_query`              the sentence as people, places, dates, text
resolve    `scope.resolve_scope`              the collection and the filter
encode     `target.encode_target`             the vector or face to compare photos with
retrieve   `retrieval.retrieve_photos`        photos from Milvus, with a relaxed filter if none passes
judge      `judgement.judge_photos`           which of them are relevant, in which order
present    `presentation.present_answer`      the `Answer`
=========  =================================  ==========================================

Each stage returns a frozen dataclass. `SearchResources` contains the models and the Milvus connection, and is
passed to every stage.
"""

from imagesearch.search.answer import Answer, SearchResult
from imagesearch.search.face_search import crop_query_faces, get_min_face_score
from imagesearch.search.photo_details import (
    Neighbour,
    PhotoDetails,
    find_neighbours,
    read_details_by_id,
    read_photo_details,
)
from imagesearch.search.prompt import parse_prompt_line
from imagesearch.search.query import Query, check_query
from imagesearch.search.query_models import QueryModels
from imagesearch.search.ranked_photos import RankedPhotos
from imagesearch.search.relaxation import plan_filter
from imagesearch.search.resources import SearchResources
from imagesearch.search.searcher import Searcher

__all__ = [
    "Answer",
    "Neighbour",
    "PhotoDetails",
    "Query",
    "QueryModels",
    "RankedPhotos",
    "SearchResources",
    "SearchResult",
    "Searcher",
    "check_query",
    "crop_query_faces",
    "find_neighbours",
    "get_min_face_score",
    "parse_prompt_line",
    "plan_filter",
    "read_details_by_id",
    "read_photo_details",
]
