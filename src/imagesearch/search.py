"""A query of any kind to ranked photos: one plan, and for each of its steps one call of Milvus."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime, timedelta

from imagesearch.by_face import FaceSearch, KnownFace
from imagesearch.config import Config
from imagesearch.content import STEPS
from imagesearch.criteria import Circle
from imagesearch.dataset import Dataset
from imagesearch.encoders import model_id
from imagesearch.errors import UserError
from imagesearch.faces import pack_id
from imagesearch.filters import Condition, Every, No, OneOf, Under
from imagesearch.photos import path_below
from imagesearch.query import Answer, Query, Result, check_query
from imagesearch.schema import Collection, Hit
from imagesearch.store import Store
from imagesearch.vectors import QueryEncoder
from imagesearch.vocabulary import Vocabulary

_SHOWN = (
    *("path", "class_label", "class_score", "face_labels", "has_time", "taken_at"),
    *("city", "country", "latitude", "longitude"),
)
_MOST_HITS = 16_384  # of one search in Milvus

Fetch = Callable[[Condition, int], list[Hit]]
"""Returns the best photos that pass a condition, at most so many."""


class Searcher:
    """Answers queries about one dataset; the models are loaded when first needed, and stay.

    Parameters
    ----------
    config, dataset, store
        What to search, and where it is.
    """

    def __init__(self, config: Config, dataset: Dataset, store: Store) -> None:
        self.config, self.dataset, self.store = config, dataset, store
        self._encoder, self._faces = QueryEncoder(config, store), FaceSearch(config, store)

    def search(self, query: Query) -> Answer:
        """Answer a query.

        Raises
        ------
        UserError
            If the query is empty or contradicts itself, its photo cannot be read, there is no such
            collection, or it was built with another model than the config names.
        """
        check_query(query)
        collection = self._collection(query.by)
        condition, unknown = query.criteria.condition(self._vocabulary)
        where = Every((Under(path_below(query.folder, self.dataset.roots)), query.where, condition))
        face = self._face(query)
        hits = _within(query.criteria.circle, self._fetch(query, face), where, query.top_k)
        results = [self._result(rank, hit) for rank, hit in enumerate(hits, 1)]
        note = self._note(query, collection, len(results)) if not unknown else ""
        said = face.said if face else ""
        return Answer(query, results, "; ".join(filter(None, (said, *unknown, note))))

    # --- where photos come from ----------------------------------------------------------------------------

    def _fetch(self, query: Query, face: KnownFace | None) -> Fetch:
        """Return what fetches photos: by a vector, by a face, or by date."""
        name = self.config.dataset.name
        if query.has_vector:
            vector = self._encoder.encode(query)
            among = OneOf("photo_id", self._faces.photos_of(face)) if face else Every()

            def fetch(where: Condition, limit: int) -> list[Hit]:
                both = Every((among, where))
                least = query.min_score
                return self.store.search(
                    name, query.by, vector, limit, where=both, min_score=least, fields=_SHOWN
                )

        elif face:

            def fetch(where: Condition, limit: int) -> list[Hit]:
                return self._faces.photos_like(face, query.by, limit, where, query.min_score, _SHOWN)

        else:

            def fetch(where: Condition, limit: int) -> list[Hit]:
                periods = self._vocabulary.periods
                return self.store.newest(name, query.by, limit, where=where, fields=_SHOWN, periods=periods)

        return fetch

    def _face(self, query: Query) -> KnownFace | None:
        if not query.face:
            return None
        self._collection("faces")
        return self._faces.read(query.face)

    def _result(self, rank: int, hit: Hit) -> Result:
        fields = hit.fields
        taken = datetime(1970, 1, 1) + timedelta(seconds=fields["taken_at"])
        return Result(
            rank=rank,
            path=fields["path"],
            score=hit.score,
            file=self.dataset.file(fields["path"]),
            class_label=fields["class_label"],
            class_score=fields["class_score"],
            people=tuple(fields["face_labels"]),
            taken_at=taken.isoformat() if fields["has_time"] else "",
            city=fields["city"],
            country=fields["country"],
        )

    # --- details -------------------------------------------------------------------------------------------

    @functools.cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self.dataset.folder)

    def _collection(self, kind: str) -> Collection:
        """Open a collection that was built with the model the config names, or say what to do."""
        collection = self.store.open(self.config.dataset.name, kind)
        name = getattr(self.config.models, kind)
        wanted = pack_id(name) if kind == "faces" else model_id(kind, name)
        if collection.fingerprint != wanted:
            raise UserError(
                f"models.{kind}: the config names {name} ({wanted}), the collection was "
                f"built with {collection.model} ({collection.fingerprint}); "
                f"set it back, or run {STEPS[kind]} and 05_build_collections.py"
            )
        return collection

    def _note(self, query: Query, collection: Collection, found: int) -> str:
        if collection.state != "ready":
            return "the collection is being updated, or that was cut short: run 05_build_collections.py"
        if found:
            return ""
        if query.min_score is not None and (query.has_vector or query.face):
            return f"nothing scores {query.min_score:g} or more"
        if query.has_filter:
            return "no photo passes the filter"
        return f"no photos below {query.folder}" if query.folder else "the collection is empty"


def _within(circle: Circle | None, fetch: Fetch, where: Condition, top_k: int) -> list[Hit]:
    """Return the best photos in a circle, of which ``where`` knows the boxes around it.

    Asks on, without those already seen, until there are enough or no more: all but one may lie in a corner.
    """
    if circle is None:
        return fetch(where, top_k)
    found: list[Hit] = []
    seen: list[int] = []
    limit = 2 * top_k
    while len(found) < top_k:
        limit = min(limit, _MOST_HITS)
        hits = fetch(Every((where, No(OneOf("photo_id", tuple(seen))))), limit)
        found += [hit for hit in hits if circle.holds(hit.fields["latitude"], hit.fields["longitude"])]
        seen += [hit.id for hit in hits]
        if len(hits) < limit:
            break
        limit *= 4
    return found[:top_k]
