"""A query of any kind to ranked photos: one plan, and for each of its steps one call of Milvus."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

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
from imagesearch.filters import Condition, Every, Has, Is, No, OneOf, Under, leaves
from imagesearch.people import journal
from imagesearch.photos import path_below
from imagesearch.plan import plan_of, steps
from imagesearch.query import COUNTED, Answer, Query, Relaxed, Result, check_asked, check_query
from imagesearch.ranking import Ranked, collapse, newest_first, share
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
    *("address", "city", "country"),
)
# What ranking needs to know of each hit; the rest is asked of those that are shown, which is cheaper.
_RANKED_BY = ("has_time", "taken_at", "latitude", "longitude")
_MOST_HITS = 16_384  # of one search in Milvus
_UPDATING = "the collection is being updated, or that was cut short: run 05_build_collections.py"
# Vectors of the collection that say whether what is asked for is there, though not among those that passed.
_SAMPLE = 500

Fetch = Callable[[Condition, int], tuple[list[Hit], int]]
"""Returns the best photos that pass a condition, at most so many, and how many pass as far as is known."""


@dataclass(frozen=True)
class _Found:
    """What a plan came to: the filter that was asked for, the photos of each step, and what to say of it."""

    condition: Condition
    each: list[list[Hit]]
    passed: int
    relaxed: tuple[Relaxed, ...] = ()
    note: str = ""

    @property
    def hits(self) -> list[Hit]:
        """All photos, each once, those of the first step first."""
        return list({hit.id: hit for hits in self.each for hit in hits}.values())


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
        if query.strategy == "hybrid" and not replace(query, strategy="filter").is_one_text:
            query = replace(query, strategy="filter")  # BM25 wants words, and a photo has none
        collection = self._collection(query.by)
        reading = self._read(query)
        asked = replace(query, text=reading.text)
        check_asked(asked)
        criteria, unknown = query.criteria.condition(self._vocabulary)
        face = self._face(query)
        vector = self._encoder.encode(asked) if asked.has_vector else None
        among = (OneOf("photo_id", self._faces.photos_of(face)),) if face and vector is not None else ()
        always = Every((Under(path_below(query.folder, self.dataset.roots)), query.where, criteria, *among))
        fetch = self._fetch(query, vector, face)
        found = self._follow(asked, reading, always, fetch, has_source=vector is not None or face is not None)
        verdict = self._judge(asked, vector, found)
        said = [face.said] if face else []
        if face and not face.is_known and vector is None:
            said.append("the nearest faces follow")
        return self._answer(asked, query, reading, collection, found, verdict, said, unknown)

    # --- reading and planning ------------------------------------------------------------------------------

    def _read(self, query: Query) -> Reading:
        """Take a sentence apart; for the semantic strategy it is a text as it stands."""
        words = query.text.strip()
        if not words:
            return Reading()
        if query.strategy == "filter":
            return self._understood(query)
        # hybrid: names are for BM25, CLIP never learned them
        text = (self._understood(query).caption if query.strategy == "hybrid" else "") or words
        return Reading(text=self.config.search.template.replace("{text}", text), caption=text, words=words)

    def _understood(self, query: Query) -> Reading:
        return self._reader.read(query.text.strip(), query.today or date.today())

    def _follow(
        self, query: Query, reading: Reading, always: Condition, fetch: Fetch, has_source: bool
    ) -> _Found:
        """Try the steps of the plan until some photo passes."""
        plan = plan_of(reading)
        limit = max(query.top_k, COUNTED + 1)
        asked: Condition = Every()
        for position, tried in enumerate(steps(plan.parts, has_source)):
            conditions = [Every((always, plan.always, step.condition)) for step in tried]
            asked = conditions[0] if position == 0 else asked
            fetched = [self._try(query, fetch, condition, limit) for condition in conditions]
            if any(hits for hits, _ in fetched):
                break
            if position == 0:
                what = " ".join(filter(None, (tried[0].said, plan.excluded, query.narrowed)))
                note = f"no photo {what}" if tried[0].said or plan.excluded else ""
            if query.strict:
                return _Found(asked, [[]], 0, note=note)
        if position == 0 or not any(hits for hits, _ in fetched):
            return _Found(
                asked, [hits for hits, _ in fetched], fetched[0][1], note="" if fetched[0][0] else note
            )
        relaxed = tuple(
            Relaxed(step.said, self.store.expression(condition), passed)
            for step, condition, (_, passed) in zip(tried, conditions, fetched, strict=True)
            if passed
        )
        return _Found(asked, [hits for hits, _ in fetched if hits], 0, relaxed, note)

    def _try(self, query: Query, fetch: Fetch, condition: Condition, limit: int) -> tuple[list[Hit], int]:
        """Return the best photos that pass, and how many do: known, or counted by asking for more."""
        known = self._known_count(condition)
        by_score = query.sort == "score" and not query.collapse
        if known is None or not by_score or query.criteria.circle:
            return _within(query.criteria.circle, fetch, condition, limit)
        hits, _ = fetch(condition, query.top_k)
        return hits, known if len(hits) == query.top_k else len(hits)

    def _known_count(self, condition: Condition) -> int | None:
        """How many photos pass, where that was counted when the collection was built: one name, or all."""
        match leaves(condition):
            case []:
                return self.store.open(self.config.dataset.name, "clip").rows
            case [Has("face_labels", name)]:
                word = self._vocabulary.people.get(fold(name))
            case [Has("place_words", name)]:
                word = self._vocabulary.places.get(name)
            case _:
                return None
        return word.photos if word else None

    # --- where photos come from ----------------------------------------------------------------------------

    def _fetch(self, query: Query, vector: np.ndarray | None, face: KnownFace | None) -> Fetch:
        """Return what fetches photos: by a vector, by a vector and words, by a face, or by date."""
        name = self.config.dataset.name
        if vector is not None:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                if query.strategy == "hybrid":
                    ranker, words = self.config.search.ranker, fold(query.text)
                    understood = self._understood(query)
                    # of names alone CLIP knows nothing, and of dates BM25 does not
                    names_alone = not understood.caption and (understood.people.named or understood.places)
                    seen = None if names_alone else vector
                    hits = self.store.hybrid(
                        name, seen, words, limit, where=where, fields=_RANKED_BY, ranker=ranker
                    )
                else:
                    hits = self.store.search(name, query.by, vector, limit, where=where, fields=_RANKED_BY)
                return hits, len(hits)

        elif face:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                hits = self._faces.photos_like(face, query.by, limit, where, query.min_score, _RANKED_BY)
                return hits, len(hits)

        else:

            def fetch(where: Condition, limit: int) -> tuple[list[Hit], int]:
                few = limit if query.collapse or query.criteria.circle else query.top_k
                periods = self._vocabulary.periods
                return self.store.newest(name, query.by, few, where=where, fields=_RANKED_BY, periods=periods)

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

    def _judge(self, asked: Query, vector: np.ndarray | None, found: _Found) -> Verdict | None:
        """Say what the scores mean, where that is known: for one text, by itself."""
        if not asked.is_one_text or self._bands is None:
            return None
        filtered = bool(found.relaxed or self.store.expression(found.condition))
        scores = [hit.score for hit in found.hits]
        return self._bands.judge(scores, vector, self._sample if filtered else None)

    def _answer(
        self,
        asked: Query,
        query: Query,
        reading: Reading,
        collection: Collection,
        found: _Found,
        verdict: Verdict | None,
        said: Sequence[str],
        unknown: Sequence[str],
    ) -> Answer:
        keys = [hit.id for hit in found.hits]
        fits = dict(zip(keys, verdict.calibrated.tolist(), strict=True)) if verdict else {}
        each = [self._ranked(asked, hits, verdict, fits) for hits in found.each]
        nothing = bool(verdict and found.hits and verdict.relevant == 0)
        alike: dict[int, int] = {}
        if query.collapse:
            ranked_keys = [hit.id for ranked in each for hit, _ in ranked]
            vectors = self.store.vectors(self.config.dataset.name, query.by, ranked_keys)
            for i, ranked in enumerate(each):
                each[i], more = collapse(ranked, vectors)
                alike |= more
        pairs = share(each, query.top_k)
        shown = self._known_of([hit for hit, _ in pairs], query.by)
        pairs = [(hit, fit) for hit, fit in pairs if hit.id in shown]
        results = [
            self._result(rank, shown[hit.id], hit.score, fit, alike.get(hit.id, 0))
            for rank, (hit, fit) in enumerate(pairs, 1)
        ]
        about = [f"nothing here looks like {reading.caption!r}"] if nothing else []
        about = [f"{line}; the nearest follow" if results else line for line in about]
        explained = bool(results or found.note or about or unknown)
        notes = (
            _instead(found, {hit.id for hit, _ in pairs}),
            *about,
            *([] if explained else [self._why_nothing(asked, found)]),
            *reading.notes,
            *said,
            *unknown,
            *self._remarks(asked, collection, reading, found),
        )
        notes = (*notes, self._outdated)
        where = self.store.expression(found.condition)
        return Answer(
            query,
            reading,
            results,
            where=where,
            relaxed=found.relaxed,
            candidates=found.passed if where else collection.rows,
            photos=collection.rows,
            nothing_fits=nothing,
            notes=tuple(filter(None, notes)),
        )

    def _ranked(
        self, asked: Query, hits: Sequence[Hit], verdict: Verdict | None, fits: Mapping[int, float]
    ) -> Ranked:
        """Return a step's hits with their calibrated scores, without those that are not good enough."""
        pairs = [(hit, fits.get(hit.id)) for hit in hits]
        if asked.sort == "date":
            measured = bool(hits) and hits[0].score is not None and not asked.collapse
            most = asked.top_k if measured else len(pairs)
            pairs = newest_first(_relevant(pairs, verdict) if verdict else pairs[:most])
        return [pair for pair in pairs if self._is_enough(asked, *pair)]

    @staticmethod
    def _is_enough(query: Query, hit: Hit, fit: float | None) -> bool:
        # The same inner product comes out some 1e-7 apart from one search path to another
        unmeasured = query.min_score is None or hit.score is None or query.strategy == "hybrid"
        loud = unmeasured or hit.score >= query.min_score - 1e-6
        return loud and (query.min_fit is None or fit is None or fit >= query.min_fit)

    def _known_of(self, hits: Sequence[Hit], by: str) -> dict[int, dict[str, Any]]:
        """Return what is shown of some photos, without those that are gone since they were found."""
        keys = [hit.id for hit in hits]
        rows = self.store.rows(self.config.dataset.name, by, keys, _SHOWN) if keys else []
        return {row.id: row.fields for row in rows}

    def _result(
        self, rank: int, fields: dict[str, Any], score: float | None, fit: float | None, like_it: int
    ) -> Result:
        taken = datetime(1970, 1, 1) + timedelta(seconds=fields["taken_at"])
        return Result(
            rank=rank,
            path=fields["path"],
            score=score,
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

    def _remarks(self, asked: Query, collection: Collection, reading: Reading, found: _Found) -> list[str]:
        """What the user should know of the collection and of what could not be done."""
        lines = []
        if collection.state != "ready":
            lines.append(
                "the collection is being updated, or that was cut short: run 05_build_collections.py"
            )
        if (reading.people.named or reading.people.none_of) and not self._vocabulary.people:
            lines.append("nobody is known yet; have 02_cluster_faces.py and 05 been run?")
        if reading.dates and not found.hits and not self._has_times(asked.by):
            lines.append("no photo is known to have a time; have 04_extract_geo.py and 05 been run?")
        if asked.strategy == "hybrid" and asked.min_score is not None:
            lines.append("hybrid scores are sums of ranks, no similarities: the least score does not apply")
        if asked.min_fit is not None and (not asked.is_one_text or self._bands is None):
            lines.append("scores of this query are not calibrated: the least fit does not apply")
        return lines

    def _has_times(self, by: str) -> bool:
        """Whether any photo is known to have been taken at some time."""
        hits, _ = self.store.newest(self.config.dataset.name, by, 1, where=Is("has_time", True))
        return bool(hits)

    @staticmethod
    def _why_nothing(asked: Query, found: _Found) -> str:
        least = [(asked.min_score, "scores"), (asked.min_fit, "fits with")]
        said = [f"nothing {verb} {value:g} or more" for value, verb in least if value is not None]
        if said and (found.hits or (asked.face and not asked.has_vector)):
            return said[0]
        if asked.strategy == "hybrid":
            return "no word of it is known of any photo that passes"
        if asked.has_filter or asked.face:
            return "no photo passes the filter"
        return f"no photos below {asked.folder}" if asked.folder else ""

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
        dimension = self.store.open(self.config.dataset.name, "clip").dimension
        return read_bands(self.config, self.dataset, dimension)

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
        if not self.store.has_all_fields(collection):
            raise UserError(
                f"{self.store.uri}: {collection.alias} was built by another version of this program, "
                "with other fields; run 05_build_collections.py"
            )
        return collection


def _instead(found: _Found, shown: set[int]) -> str:
    """Say that no photo passed, and what those that are shown are."""
    steps_shown = [
        "the nearest of all" if step.said == "anything" else step.said
        for step, hits in zip(found.relaxed, found.each, strict=False)
        if shown & {hit.id for hit in hits}
    ]
    return f"{found.note}; these are {', then '.join(steps_shown)}" if steps_shown else found.note


def _relevant(pairs: Ranked, verdict: Verdict) -> Ranked:
    """Keep what is relevant; of a relaxed search, whose hits are those of one step after another, too."""
    return [pair for pair in pairs if verdict.relevant and pair[0].score >= verdict.kept]


def _within(circle: Circle | None, fetch: Fetch, where: Condition, top_k: int) -> tuple[list[Hit], int]:
    """Return the best photos in a circle, of which ``where`` knows the boxes around it, and how many passed.

    Asks on, without those already seen, until there are enough or no more: all but one may lie in a corner.
    """
    if circle is None:
        return fetch(where, top_k)
    found: list[Hit] = []
    seen: list[int] = []
    limit = 2 * top_k
    while len(found) < top_k:
        limit = min(limit, _MOST_HITS)
        hits, _ = fetch(Every((where, No(OneOf("photo_id", tuple(seen))))), limit)
        found += [hit for hit in hits if circle.holds(hit.fields["latitude"], hit.fields["longitude"])]
        seen += [hit.id for hit in hits]
        if len(hits) < limit:
            break
        limit *= 4
    return found[:top_k], len(found)
