"""The search itself: six stages, from a query to an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from imagesearch.config import Config
from imagesearch.errors import ServerUnavailableError
from imagesearch.pipeline import Dataset
from imagesearch.search.answer import Answer
from imagesearch.search.judgement import judge_photos
from imagesearch.search.presentation import present_answer
from imagesearch.search.query import Query
from imagesearch.search.query_models import QueryModels
from imagesearch.search.query_photos import locate_photo
from imagesearch.search.ranked_photos import RankedPhotos
from imagesearch.search.request import parse_query
from imagesearch.search.resources import SearchResources
from imagesearch.search.retrieval import retrieve_photos
from imagesearch.search.scope import resolve_scope
from imagesearch.search.target import SearchTarget, encode_target
from imagesearch.store import Store

T = TypeVar("T")


class Searcher:
    """Answers queries about one dataset.

    Models are loaded when a query first needs them, and are reused by the next queries.

    Parameters
    ----------
    config
        The config, with the models.
    dataset
        The dataset to search.
    store
        An open connection to Milvus, with the collections of the dataset.
    models
        The models that encode queries; by default the config's.
    """

    def __init__(
        self, config: Config, dataset: Dataset, store: Store, models: QueryModels | None = None
    ) -> None:
        self.resources = SearchResources(config, dataset, store, models)

    def search(self, query: Query) -> Answer:
        """Answer a query.

        If another program has built the collections or edited people since the last query, the new data is
        used. A search that fails because a collection is replaced at the same time is repeated.

        Raises
        ------
        UserError
            If the query is empty or contradictory, if its photo cannot be read, or if the dataset has no
            collection that was built with the config's model.
        """
        return self._repeat_if_outdated(lambda: self._answer(query))

    def rank(self, query: Query) -> RankedPhotos:
        """Rank the photos that a query finds, to read them in parts. It raises what `search` raises."""
        return self._repeat_if_outdated(lambda: self._rank(query)[0])

    def _repeat_if_outdated(self, work: Callable[[], T]) -> T:
        """Call a function with the present collections, and once more if they were replaced meanwhile."""
        self.resources.refresh()
        try:
            return work()
        except ServerUnavailableError:
            raise
        except Exception:
            if not self.resources.is_outdated():
                raise
        self.resources.discard()
        return work()

    def find_photo(self, typed: str | Path) -> Path:
        """Return the file of a photo that is given by a path as results have it, or by its file name.

        Raises
        ------
        UserError
            If no photo, or more than one, has such a name.
        """
        self.resources.refresh()
        return locate_photo(typed, self.resources)

    def _answer(self, query: Query) -> Answer:
        """Run the six stages."""
        ranked, target = self._rank(query)
        return present_answer(ranked.request, ranked.scope, target, ranked.judged, self.resources)

    def _rank(self, query: Query) -> tuple[RankedPhotos, SearchTarget]:
        """Run all stages but the last."""
        resources = self.resources
        request = parse_query(query, resources)
        scope = resolve_scope(request, resources)
        target = encode_target(request, resources)
        retrieved = retrieve_photos(request, scope, target, resources)
        judged = judge_photos(request, scope, target, retrieved, resources)
        return RankedPhotos(request, scope, judged, resources), target
