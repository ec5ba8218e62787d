"""A query of any kind to ranked photos: one plan, and for each of its steps one call of Milvus."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import date

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import get_pack_id
from imagesearch.features import get_model_id
from imagesearch.filters import And, Condition, In, PathPrefix
from imagesearch.photos import make_path_prefix
from imagesearch.pipeline import Dataset
from imagesearch.query import ParsedQuery, SentenceParser
from imagesearch.search.answer import AnswerBuilder
from imagesearch.search.face_search import FaceSearcher, QueryFace
from imagesearch.search.query import Answer, Query, check_parsed_query, check_query
from imagesearch.search.query_vector import QueryEncoder
from imagesearch.search.relaxation import Fetch, PhotoSource, plan_filter, retrieve_photos
from imagesearch.store import STEP_SCRIPTS, CollectionInfo, CollectionRef, Hit, Store, Vocabulary
from imagesearch.text import normalize

# What ranking needs to know of each hit; the rest is asked of those that are shown, which is cheaper.
_RANKED_BY = ("has_time", "taken_at", "latitude", "longitude")


class Searcher:
    """Answers queries about one dataset; the models are loaded when first needed, and stay.

    Parameters
    ----------
    config, dataset, store
        What to search, and where it is.
    """

    def __init__(self, config: Config, dataset: Dataset, store: Store) -> None:
        self.config, self.dataset, self.store = config, dataset, store
        self._encoder, self._faces = QueryEncoder(config, store), FaceSearcher(config, store)

    def search(self, query: Query) -> Answer:
        """Answer a query.

        Raises
        ------
        UserError
            If the query is empty or contradicts itself, its photo cannot be read, there is no such
            collection, or it was built with another model than the config names.
        """
        check_query(query)
        if query.strategy == "hybrid" and not replace(query, strategy="filter").is_one_text:
            query = replace(query, strategy="filter")  # BM25 wants words, and a photo has none
        reading = self._parse(query)
        asked = replace(query, text=reading.text)
        if not asked.has_vector and self._has_only("vit"):
            query = replace(query, by="vit")  # which photos there are, either collection knows
        collection = self._open_collection(query.by)
        check_parsed_query(asked)
        criteria, unknown = query.criteria.make_condition(self._vocabulary)
        face = self._read_face(query)
        vector = self._encoder.encode(asked) if asked.has_vector else None
        among = (In("photo_id", self._faces.find_photo_ids(face)),) if face and vector is not None else ()
        always = And(
            (PathPrefix(make_path_prefix(query.folder, self.dataset.roots)), query.where, criteria, *among)
        )
        compares = vector is not None or face is not None
        fetch = self._make_fetch(query, vector, face)
        source = PhotoSource(fetch, self.store, collection, self._vocabulary, compares)
        found = retrieve_photos(source, asked, plan_filter(reading), always)
        said = [face.said] if face else []
        if face and not face.is_known and vector is None:
            said.append("the nearest faces follow")
        return self._answer_builder.build_answer(query, reading, collection, found, vector, said, unknown)

    # --- reading -------------------------------------------------------------------------------------------

    def _parse(self, query: Query) -> ParsedQuery:
        """Take a sentence apart; for the semantic strategy it is a text as it stands."""
        words = query.text.strip()
        if not words:
            return ParsedQuery()
        if query.strategy == "filter":
            return self._parse_sentence(query)
        # hybrid: names are for BM25, CLIP never learned them
        text = (self._parse_sentence(query).caption if query.strategy == "hybrid" else "") or words
        return ParsedQuery(
            text=self.config.search.template.replace("{text}", text), caption=text, words=words
        )

    def _parse_sentence(self, query: Query) -> ParsedQuery:
        return self._parser.parse(query.text.strip(), query.today or date.today())

    # --- where photos come from ----------------------------------------------------------------------------

    def _make_fetch(self, query: Query, vector: np.ndarray | None, face: QueryFace | None) -> Fetch:
        """Return what fetches photos: by a vector, by a vector and words, by a face, or by date."""
        name = self.config.dataset.name
        if vector is not None:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                if query.strategy == "hybrid":
                    ranker, words = self.config.search.ranker, normalize(query.text)
                    understood = self._parse_sentence(query)
                    # of names alone CLIP knows nothing, and of dates BM25 does not
                    names_alone = not understood.caption and (
                        understood.people.named_count or understood.places
                    )
                    seen = None if names_alone else vector
                    hits = self.store.search_hybrid(
                        CollectionRef(name, "clip"),
                        seen,
                        words,
                        limit,
                        where=where,
                        fields=_RANKED_BY,
                        ranker=ranker,
                    )
                else:
                    hits = self.store.search(
                        CollectionRef(name, query.by), vector, limit, where=where, fields=_RANKED_BY
                    )
                return hits, len(hits)

        elif face:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                hits = self._faces.find_photos(face, query.by, limit, where, query.min_score, _RANKED_BY)
                return hits, len(hits)

        else:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                few = limit if query.collapse or query.criteria.circle else query.top_k
                periods = self._vocabulary.periods
                return self.store.list_newest(
                    CollectionRef(name, query.by), few, where=where, fields=_RANKED_BY, periods=periods
                )

        return fetch

    def _read_face(self, query: Query) -> QueryFace | None:
        if not query.face:
            return None
        self._open_collection("faces")
        return self._faces.read_face(query.face)

    # --- what is kept warm ---------------------------------------------------------------------------------

    @functools.cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self.dataset.folder)

    @functools.cached_property
    def _parser(self) -> SentenceParser:
        return SentenceParser(self._vocabulary, self.config.search.template)

    @functools.cached_property
    def _answer_builder(self) -> AnswerBuilder:
        return AnswerBuilder(self.config, self.dataset, self.store, self._vocabulary)

    def _has_only(self, kind: str) -> bool:
        """Whether the dataset has one of the two collections of photos, and it is this."""
        return [
            k
            for k in ("clip", "vit")
            if self.store.collections.find(CollectionRef(self.config.dataset.name, k))
        ] == [kind]

    def _open_collection(self, kind: str) -> CollectionInfo:
        """Open a collection that was built with the model the config names, or say what to do."""
        collection = self.store.collections.open(CollectionRef(self.config.dataset.name, kind))
        name = getattr(self.config.models, kind)
        wanted = get_pack_id(name) if kind == "faces" else get_model_id(kind, name)
        if collection.fingerprint != wanted:
            raise UserError(
                f"models.{kind}: the config names {name} ({wanted}), the collection was "
                f"built with {collection.model} ({collection.fingerprint}); "
                f"set it back, or run {STEP_SCRIPTS[kind]} and 05_build_collections.py"
            )
        if not self.store.collections.has_all_fields(collection):
            raise UserError(
                f"{self.store.uri}: {collection.alias} was built by another version of this program, "
                "with other fields; run 05_build_collections.py"
            )
        return collection
