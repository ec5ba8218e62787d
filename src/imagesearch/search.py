"""A query of any kind to ranked photos: one plan, and for each of its steps one call of Milvus."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from imagesearch.by_face import FaceSearch, KnownFace
from imagesearch.calibration import read_bands
from imagesearch.config import Config
from imagesearch.content import STEPS
from imagesearch.criteria import Circle
from imagesearch.dataset import Dataset
from imagesearch.encoders import model_id
from imagesearch.errors import UserError
from imagesearch.faces import pack_id
from imagesearch.filters import Condition, Every, No, OneOf, Under
from imagesearch.people import journal
from imagesearch.photos import path_below
from imagesearch.plan import Step, parts_of, steps
from imagesearch.query import COUNTED, Answer, Query, Result, check_query
from imagesearch.ranking import collapse, newest_first
from imagesearch.reading import Reading
from imagesearch.relevance import Bands, Verdict
from imagesearch.schema import Collection, Hit
from imagesearch.sentence import SentenceReader
from imagesearch.store import Store
from imagesearch.vectors import QueryEncoder
from imagesearch.vocabulary import Vocabulary
from imagesearch.words import fold

_SHOWN = (
    *("path", "class_label", "class_score", "face_labels", "has_time", "taken_at"),
    *("address", "city", "country", "latitude", "longitude"),
)
_MOST_HITS = 16_384  # of one search in Milvus
# Vectors of the collection that say whether what is asked for is there, though not among those that passed.
_SAMPLE = 500

Fetch = Callable[[Condition, int], list[Hit]]
"""Returns the best photos that pass a condition, at most so many."""


@dataclass(frozen=True)
class _Found:
    """What a plan came to: the photos, the filter they passed, and what was tried instead."""

    hits: list[Hit]
    condition: Condition
    relaxed: tuple[str, ...] = ()
    note: str = ""


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
        reading = self._read(query)
        criteria, unknown = query.criteria.condition(self._vocabulary)
        always = Every((Under(path_below(query.folder, self.dataset.roots)), query.where, criteria))
        face = self._face(query)
        asked = replace(query, text=reading.text)
        vector = self._encoder.encode(asked) if asked.has_vector else None
        fetch = self._fetch(query, vector, face)
        found = self._follow(asked, reading, always, fetch, has_source=vector is not None or face is not None)
        verdict = self._judge(asked, vector, found)
        said = [face.said] if face else []
        if face and not face.is_known and vector is None:
            said.append("the nearest faces follow")
        return self._answer(query, reading, collection, found, verdict, said, unknown)

    # --- reading and planning ------------------------------------------------------------------------------

    def _read(self, query: Query) -> Reading:
        """Take a sentence apart; for the other strategies it is a text as it stands."""
        if query.strategy == "filter" and query.text.strip():
            return self._reader.read(query.text, query.today or date.today())
        words = query.text.strip()
        text = self.config.search.template.format(text=words) if words else ""
        return Reading(text=text, caption=words, words=words)

    def _follow(
        self, query: Query, reading: Reading, always: Condition, fetch: Fetch, has_source: bool
    ) -> _Found:
        """Try the steps of the plan until some photo passes."""
        parts = parts_of(reading)
        limit = max(query.top_k, COUNTED + 1)
        first: Step | None = None
        for tried in steps(parts, has_source):
            first = first or tried[0]
            conditions = [Every((always, step.condition)) for step in tried]
            each = [_within(query.criteria.circle, fetch, condition, limit) for condition in conditions]
            if any(each) or query.strict or not parts:
                break
        hits = list({hit.id: hit for hits in each for hit in hits}.values())
        if tried[0] is first or not hits:
            where = Every((always, first.condition))
            return _Found(hits, where, note=f"no photo {first.said}" if parts and not hits else "")
        shown = [step.said for step, some in zip(tried, each, strict=True) if some]
        return _Found(
            hits,
            next(condition for condition, some in zip(conditions, each, strict=True) if some),
            tuple(shown),
            f"no photo {first.said}; these are {', then '.join(shown)}",
        )

    # --- where photos come from ----------------------------------------------------------------------------

    def _fetch(self, query: Query, vector: np.ndarray | None, face: KnownFace | None) -> Fetch:
        """Return what fetches photos: by a vector, by a vector and words, by a face, or by date."""
        name = self.config.dataset.name
        if vector is not None:
            among = OneOf("photo_id", self._faces.photos_of(face)) if face else Every()

            def fetch(where: Condition, limit: int) -> list[Hit]:
                both = Every((among, where))
                if query.strategy == "hybrid":
                    ranker = self.config.search.ranker
                    words = fold(query.text)
                    return self.store.hybrid(
                        name, vector, words, limit, where=both, fields=_SHOWN, ranker=ranker
                    )
                return self.store.search(name, query.by, vector, limit, where=both, fields=_SHOWN)

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
        if self.store.find(self.config.dataset.name, "faces") is None:
            raise UserError(
                "--face: no faces were looked for yet; run 02_cluster_faces.py and 05_build_collections.py"
            )
        self._collection("faces")
        return self._faces.read(query.face)

    # --- from hits to an answer ----------------------------------------------------------------------------

    def _judge(self, query: Query, vector: np.ndarray | None, found: _Found) -> Verdict | None:
        """Say what the scores mean, where that is known: for one text, by itself."""
        of_one_text = query.text and not (query.image or query.plus or query.minus)
        if not of_one_text or query.by != "clip" or query.strategy == "hybrid" or self._bands is None:
            return None
        filtered = bool(self.store.expression(found.condition))
        return self._bands.judge(
            [hit.score for hit in found.hits], vector, self._sample if filtered else None
        )

    def _answer(
        self,
        query: Query,
        reading: Reading,
        collection: Collection,
        found: _Found,
        verdict: Verdict | None,
        said: Sequence[str],
        unknown: Sequence[str],
    ) -> Answer:
        fits = verdict.calibrated.tolist() if verdict else [None] * len(found.hits)
        relevant = verdict.relevant if verdict and not found.relaxed else len(found.hits)
        pairs = list(zip(found.hits, fits, strict=True))
        nothing = bool(verdict and pairs and verdict.relevant == 0)
        if query.sort == "date":
            pairs = newest_first(pairs[: relevant if verdict else query.top_k])
        pairs = [pair for pair in pairs if self._is_enough(query, *pair)]
        alike = {}
        if query.collapse:
            vectors = self.store.vectors(self.config.dataset.name, query.by, [hit.id for hit, _ in pairs])
            pairs, alike = collapse(pairs, vectors)
        results = [
            self._result(rank, hit, fit, alike.get(hit.id, 0))
            for rank, (hit, fit) in enumerate(pairs[: query.top_k], 1)
        ]
        about = [f"nothing here looks like {reading.caption!r}; the nearest follow"] if nothing else []
        notes = (found.note, *reading.notes, *said, *unknown, *about, self._outdated)
        return Answer(
            query,
            reading,
            results,
            where=self.store.expression(found.condition),
            relaxed=found.relaxed,
            candidates=len(found.hits) if self.store.expression(found.condition) else collection.rows,
            photos=collection.rows,
            nothing_fits=nothing,
            notes=tuple(filter(None, (*notes, *self._remarks(query, collection, bool(results or unknown))))),
        )

    @staticmethod
    def _is_enough(query: Query, hit: Hit, fit: float | None) -> bool:
        # The same inner product comes out some 1e-7 apart from one search path to another
        loud = query.min_score is None or hit.score is None or hit.score >= query.min_score - 1e-6
        return loud and (query.min_fit is None or fit is None or fit >= query.min_fit)

    def _result(self, rank: int, hit: Hit, fit: float | None, like_it: int) -> Result:
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
            address=fields["address"],
            city=fields["city"],
            country=fields["country"],
            taken_at=taken.isoformat() if fields["has_time"] else "",
            fit=fit,
            like_it=like_it,
        )

    def _remarks(self, query: Query, collection: Collection, found: bool) -> list[str]:
        if collection.state != "ready":
            return ["the collection is being updated, or that was cut short: run 05_build_collections.py"]
        if found:
            return []
        if query.min_score is not None or query.min_fit is not None:
            least = [(query.min_score, "scores"), (query.min_fit, "fits with")]
            return [f"nothing {verb} {value:g} or more" for value, verb in least if value is not None]
        if query.has_filter:
            return ["no photo passes the filter"]
        return [f"no photos below {query.folder}" if query.folder else ""]

    # --- what is kept warm ---------------------------------------------------------------------------------

    @functools.cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self.dataset.folder)

    @functools.cached_property
    def _outdated(self) -> str:
        if journal(self.dataset).count() == self._vocabulary.decisions:
            return ""
        return "names have changed since the collections were built; run 05_build_collections.py"

    @functools.cached_property
    def _reader(self) -> SentenceReader:
        return SentenceReader(self._vocabulary, self.config.search.template)

    @functools.cached_property
    def _bands(self) -> Bands | None:
        return read_bands(self.config, self.dataset)

    @functools.cached_property
    def _sample(self) -> np.ndarray:
        return self.store.sample(self.config.dataset.name, "clip", _SAMPLE)

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
