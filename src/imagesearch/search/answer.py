"""From photos found to an answer: judged, put in order, with what is shown and said of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.faces import open_edit_log
from imagesearch.features import CalibratedScores, ScoreBands, read_bands
from imagesearch.filters import Eq
from imagesearch.pipeline import Dataset
from imagesearch.query import ParsedQuery
from imagesearch.search.query import Answer, Query, SearchResult
from imagesearch.search.ranking import RankedHits, collapse_bursts, merge_rankings, sort_newest_first
from imagesearch.search.relaxation import RetrievedPhotos
from imagesearch.store import CollectionInfo, CollectionRef, Hit, Store, Vocabulary

_SHOWN = (
    *("path", "class_label", "class_score", "face_labels", "has_time", "taken_at"),
    *("address", "city", "country"),
)
# Vectors of the collection that say whether what is asked for is there, though not among those that passed.
_SAMPLE = 500


class AnswerBuilder:
    """Makes answers about one dataset.

    Parameters
    ----------
    config, dataset, store, vocabulary
        What is known of the dataset.
    """

    def __init__(self, config: Config, dataset: Dataset, store: Store, vocabulary: Vocabulary) -> None:
        self._config, self._dataset, self._store, self._vocabulary = config, dataset, store, vocabulary

    def build_answer(
        self,
        query: Query,
        reading: ParsedQuery,
        collection: CollectionInfo,
        found: RetrievedPhotos,
        vector: np.ndarray | None,
        said: Sequence[str],
        unknown: Sequence[str],
    ) -> Answer:
        """Answer a query.

        Parameters
        ----------
        query, reading
            What was asked, and how it was understood.
        collection, found
            What was searched, and what came of it.
        vector : (d,) float32, optional
            What photos were compared to.
        said, unknown
            Remarks on the query, and on names in it that nobody knows.
        """
        asked = replace(query, text=reading.text)
        verdict = self._calibrate(asked, vector, found)
        keys = [hit.id for hit in found.hits]
        fits = dict(zip(keys, verdict.calibrated.tolist(), strict=True)) if verdict else {}
        each = [self._rank(asked, hits, verdict, fits) for hits in found.hits_by_step]
        nothing = bool(verdict and found.hits and verdict.relevant_count == 0)
        alike: dict[int, int] = {}
        if query.collapse:
            ranked_keys = [hit.id for ranked in each for hit, _ in ranked]
            vectors = self._store.read_vectors(
                CollectionRef(self._config.dataset.name, query.by), ranked_keys
            )
            for i, ranked in enumerate(each):
                each[i], more = collapse_bursts(ranked, vectors)
                alike |= more
        pairs = merge_rankings(each, query.top_k)
        shown = self._read_shown_fields([hit for hit, _ in pairs], query.by)
        pairs = [(hit, fit) for hit, fit in pairs if hit.id in shown]
        results = [
            self._make_result(rank, shown[hit.id], hit.score, fit, alike.get(hit.id, 0))
            for rank, (hit, fit) in enumerate(pairs, 1)
        ]
        about = [f"nothing here looks like {reading.caption!r}"] if nothing else []
        about = [f"{line}; the nearest follow" if results else line for line in about]
        explained = bool(results or found.note or about or unknown)
        notes = (
            _describe_relaxation(found, {hit.id for hit, _ in pairs}),
            *about,
            *([] if explained else [self._explain_nothing(asked, found)]),
            *reading.notes,
            *said,
            *unknown,
            *self._list_notes(asked, collection, reading, found),
        )
        notes = (*notes, self._outdated_note)
        where = self._store.format_filter(found.condition)
        return Answer(
            query,
            reading,
            results,
            filter_expression=where,
            relaxed=found.relaxed,
            candidates=found.passing_count if where else collection.rows,
            photos=collection.rows,
            nothing_fits=nothing,
            notes=tuple(filter(None, notes)),
        )

    def _calibrate(
        self, asked: Query, vector: np.ndarray | None, found: RetrievedPhotos
    ) -> CalibratedScores | None:
        """Say what the scores mean, where that is known: for one text, by itself."""
        if not asked.is_one_text or self._bands is None:
            return None
        filtered = bool(found.relaxed or self._store.format_filter(found.condition))
        scores = [hit.score for hit in found.hits]
        return self._bands.calibrate(scores, vector, self._sample if filtered else None)

    def _rank(
        self, asked: Query, hits: Sequence[Hit], verdict: CalibratedScores | None, fits: Mapping[int, float]
    ) -> RankedHits:
        """Return a step's hits with their calibrated scores, without those that are not good enough."""
        pairs = [(hit, fits.get(hit.id)) for hit in hits]
        if asked.sort == "date":
            measured = bool(hits) and hits[0].score is not None and not asked.collapse
            most = asked.top_k if measured else len(pairs)
            pairs = sort_newest_first(_select_relevant(pairs, verdict) if verdict else pairs[:most])
        return [pair for pair in pairs if self._is_enough(asked, *pair)]

    @staticmethod
    def _is_enough(query: Query, hit: Hit, fit: float | None) -> bool:
        # The same inner product comes out some 1e-7 apart from one search path to another
        unmeasured = query.min_score is None or hit.score is None or query.strategy == "hybrid"
        loud = unmeasured or hit.score >= query.min_score - 1e-6
        return loud and (query.min_fit is None or fit is None or fit >= query.min_fit)

    def _read_shown_fields(self, hits: Sequence[Hit], by: str) -> dict[int, dict[str, Any]]:
        """Return what is shown of some photos, without those that are gone since they were found."""
        keys = [hit.id for hit in hits]
        rows = (
            self._store.read_rows(CollectionRef(self._config.dataset.name, by), keys, _SHOWN) if keys else []
        )
        return {row.id: row.fields for row in rows}

    def _make_result(
        self, rank: int, fields: dict[str, Any], score: float | None, fit: float | None, like_it: int
    ) -> SearchResult:
        taken = datetime(1970, 1, 1) + timedelta(seconds=fields["taken_at"])
        return SearchResult(
            rank=rank,
            path=fields["path"],
            score=score,
            file=self._dataset.locate_file(fields["path"]),
            class_label=fields["class_label"],
            class_score=fields["class_score"],
            people=tuple(fields["face_labels"]),
            address=fields["address"],
            city=fields["city"],
            country=fields["country"],
            taken_at=taken.isoformat() if fields["has_time"] else "",
            calibrated_score=fit,
            burst_count=like_it,
        )

    def _list_notes(
        self, asked: Query, collection: CollectionInfo, reading: ParsedQuery, found: RetrievedPhotos
    ) -> list[str]:
        """What the user should know of the collection and of what could not be done."""
        lines = []
        if collection.state != "ready":
            lines.append(
                "the collection is being updated, or that was cut short: run 05_build_collections.py"
            )
        if (reading.people.named_count or reading.people.none_of) and not self._vocabulary.people:
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
        hits, _ = self._store.list_newest(
            CollectionRef(self._config.dataset.name, by), 1, where=Eq("has_time", True)
        )
        return bool(hits)

    @staticmethod
    def _explain_nothing(asked: Query, found: RetrievedPhotos) -> str:
        least = [(asked.min_score, "scores"), (asked.min_fit, "fits with")]
        said = [f"nothing {verb} {value:g} or more" for value, verb in least if value is not None]
        if said and (found.hits or (asked.face and not asked.has_vector)):
            return said[0]
        if asked.strategy == "hybrid":
            return "no word of it is known of any photo that passes"
        if asked.has_filter or asked.face:
            return "no photo passes the filter"
        return f"no photos below {asked.folder}" if asked.folder else ""

    @functools.cached_property
    def _outdated_note(self) -> str:
        if open_edit_log(self._dataset).count() == self._vocabulary.edit_count:
            return ""
        return "names have changed since the collections were built; run 05_build_collections.py"

    @functools.cached_property
    def _bands(self) -> ScoreBands | None:
        dimension = self._store.collections.open(CollectionRef(self._config.dataset.name, "clip")).dimension
        return read_bands(self._config, self._dataset, dimension)

    @functools.cached_property
    def _sample(self) -> np.ndarray:
        return self._store.sample_vectors(CollectionRef(self._config.dataset.name, "clip"), _SAMPLE)


def _describe_relaxation(found: RetrievedPhotos, shown: set[int]) -> str:
    """Say that no photo passed, and what those that are shown are."""
    steps_shown = [
        "the nearest of all" if step.description == "anything" else step.description
        for step, hits in zip(found.relaxed, found.hits_by_step, strict=False)
        if shown & {hit.id for hit in hits}
    ]
    return f"{found.note}; these are {', then '.join(steps_shown)}" if steps_shown else found.note


def _select_relevant(pairs: RankedHits, verdict: CalibratedScores) -> RankedHits:
    """Keep what is relevant; of a relaxed search, whose hits are those of one step after another, too."""
    return [pair for pair in pairs if verdict.relevant_count and pair[0].score >= verdict.relevance_threshold]
