"""Answering queries of any kind: parsing, encoding, retrieving photos, building the answer."""

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
from imagesearch.search.answer import AnswerBuilder, AnswerInput
from imagesearch.search.face_search import FaceSearcher, QueryFace
from imagesearch.search.query import Answer, Query, check_query, check_visual_query
from imagesearch.search.query_vector import QueryEncoder
from imagesearch.search.relaxation import Fetch, PhotoSource, plan_filter, retrieve_photos
from imagesearch.store import STEP_SCRIPTS, CollectionInfo, CollectionRef, Hit, Store, Vocabulary
from imagesearch.text import normalize

# What ranking needs of each hit; the other fields are read for those that are shown, which is cheaper.
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
            query = replace(query, strategy="filter")  # BM25 ranks by a text, and a photo has none
        parsed = self._parse(query)
        if not replace(query, text=parsed.text).has_vector and self._has_only("vit"):
            query = replace(query, by="vit")  # which photos there are, either collection knows
        visual_query = replace(query, text=parsed.text)
        collection = self._open_collection(query.by)
        check_visual_query(visual_query)
        criteria, criteria_notes = query.criteria.make_condition(self._vocabulary)
        face = self._read_face(query)
        vector = self._encoder.encode(visual_query) if visual_query.has_vector else None
        folder = PathPrefix(make_path_prefix(query.folder, self.dataset.roots))
        has_face = (In("photo_id", self._faces.find_photo_ids(face)),) if face and vector is not None else ()
        source = PhotoSource(
            fetch=self._make_fetch(query, collection.ref, vector, face),
            store=self.store,
            collection=collection,
            vocabulary=self._vocabulary,
            has_target=vector is not None or face is not None,
        )
        base_condition = And((folder, query.where, criteria, *has_face))
        photos = retrieve_photos(source, query, plan_filter(parsed), base_condition)
        retrieval = AnswerInput(
            query=query,
            visual_query=visual_query,
            parsed=parsed,
            collection=collection,
            photos=photos,
            vector=vector,
            face_notes=_list_face_notes(face, vector),
            criteria_notes=criteria_notes,
        )
        return self._answer_builder.build_answer(retrieval)

    # --- reading the query ---------------------------------------------------------------------------------

    def _parse(self, query: Query) -> ParsedQuery:
        """Parse a sentence; for the semantic strategy it is a text as it stands."""
        sentence = query.text.strip()
        if not sentence:
            return ParsedQuery()
        if query.strategy == "filter":
            return self._parse_sentence(query)
        # hybrid: names are for BM25, CLIP never learned them
        caption = self._parse_sentence(query).caption if query.strategy == "hybrid" else ""
        caption = caption or sentence
        text = self.config.search.template.replace("{text}", caption)
        return ParsedQuery(text=text, caption=caption, words=sentence)

    def _parse_sentence(self, query: Query) -> ParsedQuery:
        return self._parser.parse(query.text.strip(), query.today or date.today())

    def _read_face(self, query: Query) -> QueryFace | None:
        if not query.face:
            return None
        self._open_collection("faces")
        return self._faces.read_face(query.face)

    # --- where photos come from ----------------------------------------------------------------------------

    def _make_fetch(
        self, query: Query, ref: CollectionRef, vector: np.ndarray | None, face: QueryFace | None
    ) -> Fetch:
        """Return what fetches photos: by a vector, by a vector and words, by a face, or by date."""
        if vector is not None and query.strategy == "hybrid":
            return self._make_hybrid_fetch(query, ref, vector)
        if vector is not None:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                hits = self.store.search(ref, vector, limit, where=where, fields=_RANKED_BY)
                return hits, len(hits)

        elif face:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                hits = self._faces.find_photos(face, ref, limit, where, query.min_score, _RANKED_BY)
                return hits, len(hits)

        else:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                few = limit if query.collapse or query.criteria.circle else query.top_k
                periods = self._vocabulary.periods
                return self.store.list_newest(ref, few, where=where, fields=_RANKED_BY, periods=periods)

        return fetch

    def _make_hybrid_fetch(self, query: Query, ref: CollectionRef, vector: np.ndarray) -> Fetch:
        parsed, text = self._parse_sentence(query), normalize(query.text)
        # of names alone CLIP knows nothing, and of dates BM25 does not
        names_alone = not parsed.caption and (parsed.people.named_count or parsed.places)
        target, ranker = None if names_alone else vector, self.config.search.ranker

        def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
            hits = self.store.search_hybrid(
                ref, target, text, limit, where=where, fields=_RANKED_BY, ranker=ranker
            )
            return hits, len(hits)

        return fetch

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
        refs = [CollectionRef(self.config.dataset.name, other) for other in ("clip", "vit")]
        return [ref.kind for ref in refs if self.store.collections.find(ref)] == [kind]

    def _open_collection(self, kind: str) -> CollectionInfo:
        """Open a collection, if it was built with the model that the config names.

        Raises
        ------
        UserError
            If it was built with another model, or with other fields.
        """
        collection = self.store.collections.open(CollectionRef(self.config.dataset.name, kind))
        name = getattr(self.config.models, kind)
        expected = get_pack_id(name) if kind == "faces" else get_model_id(kind, name)
        if collection.fingerprint != expected:
            raise UserError(
                f"models.{kind}: the config names {name} ({expected}), the collection was "
                f"built with {collection.model} ({collection.fingerprint}); "
                f"set it back, or run {STEP_SCRIPTS[kind]} and 05_build_collections.py"
            )
        if not self.store.collections.has_all_fields(collection):
            raise UserError(
                f"{self.store.uri}: {collection.ref.alias} was built by another version of this program, "
                "with other fields; run 05_build_collections.py"
            )
        return collection


def _list_face_notes(face: QueryFace | None, vector: np.ndarray | None) -> list[str]:
    """Return remarks on the face in a query, given the vector that photos are compared to."""
    if face is None:
        return []
    return [face.note] if face.is_known or vector is not None else [face.note, "the nearest faces follow"]
