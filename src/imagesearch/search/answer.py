"""From retrieved photos to an answer: calibrated scores, order, what is shown of each photo, and notes."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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

_SHOWN_FIELDS = (
    *("path", "class_label", "class_score", "face_labels", "has_time", "taken_at"),
    *("address", "city", "country"),
)
# So many vectors of the collection tell whether other photos show what none that passed the filter does.
_SAMPLE_SIZE = 500


@dataclass(frozen=True)
class AnswerInput:
    """A query and what came of it in Milvus: all that its answer is made of.

    Attributes
    ----------
    query : Query
        As it was asked.
    visual_query : Query
        With only what the photos should show left of its sentence.
    parsed : ParsedQuery
        How the sentence was read.
    collection : CollectionInfo
        What was searched.
    photos : RetrievedPhotos
        What was found.
    vector : (d,) float32, optional
        What photos were compared to.
    face_notes, criteria_notes : sequence of str
        Remarks on the query's face, and on names in its criteria that no photo has.
    """

    query: Query
    visual_query: Query
    parsed: ParsedQuery
    collection: CollectionInfo
    photos: RetrievedPhotos
    vector: np.ndarray | None
    face_notes: Sequence[str]
    criteria_notes: Sequence[str]


class AnswerBuilder:
    """Makes answers about one dataset.

    Parameters
    ----------
    config, dataset, store, vocabulary
        What is known of the dataset.
    """

    def __init__(self, config: Config, dataset: Dataset, store: Store, vocabulary: Vocabulary) -> None:
        self._config, self._dataset, self._store, self._vocabulary = config, dataset, store, vocabulary
        self._clip_ref = CollectionRef(config.dataset.name, "clip")

    def build_answer(self, retrieval: AnswerInput) -> Answer:
        """Return the answer that a retrieval comes to."""
        query, photos, rows = retrieval.query, retrieval.photos, retrieval.collection.rows
        calibrated = self._calibrate_scores(retrieval)
        rankings = _rank_attempts(retrieval, calibrated)
        burst_counts: dict[int, int] = {}
        if query.collapse:
            keys = [hit.id for ranking in rankings for hit, _ in ranking]
            vectors = self._store.read_vectors(retrieval.collection.ref, keys)
            for i, ranking in enumerate(rankings):
                rankings[i], counts = collapse_bursts(ranking, vectors)
                burst_counts |= counts
        ranking = merge_rankings(rankings, query.top_k)
        shown = self._read_shown_fields(retrieval.collection.ref, ranking)
        nothing_fits = bool(calibrated and photos.hits and calibrated.relevant_count == 0)
        filter_expression = self._store.format_filter(photos.condition)
        return Answer(
            query,
            retrieval.parsed,
            self._make_results(ranking, shown, burst_counts),
            filter_expression=filter_expression,
            relaxed=photos.relaxed,
            candidates=photos.passing_count if filter_expression else rows,
            photos=rows,
            nothing_fits=nothing_fits,
            notes=self._collect_notes(retrieval, shown, nothing_fits),
        )

    # --- scores and results --------------------------------------------------------------------------------

    def _calibrate_scores(self, retrieval: AnswerInput) -> CalibratedScores | None:
        """Return what the scores mean, where that is known: for one text, by itself."""
        photos = retrieval.photos
        if not retrieval.visual_query.is_one_text or self._bands is None:
            return None
        filtered = bool(photos.relaxed or self._store.format_filter(photos.condition))
        scores = [hit.score for hit in photos.hits]
        return self._bands.calibrate(scores, retrieval.vector, self._sample if filtered else None)

    def _read_shown_fields(self, ref: CollectionRef, ranking: RankedHits) -> dict[int, dict[str, Any]]:
        """Return what is shown of some photos, without those that are gone since they were found."""
        keys = [hit.id for hit, _ in ranking]
        rows = self._store.read_rows(ref, keys, _SHOWN_FIELDS) if keys else []
        return {row.id: row.fields for row in rows}

    def _make_results(
        self, ranking: RankedHits, shown: Mapping[int, dict[str, Any]], burst_counts: Mapping[int, int]
    ) -> list[SearchResult]:
        """Return the photos that are shown, best first."""
        present = [(hit, calibrated) for hit, calibrated in ranking if hit.id in shown]
        return [
            self._make_result(rank, hit, shown[hit.id], calibrated, burst_counts.get(hit.id, 0))
            for rank, (hit, calibrated) in enumerate(present, 1)
        ]

    def _make_result(
        self, rank: int, hit: Hit, fields: dict[str, Any], calibrated: float | None, burst_count: int
    ) -> SearchResult:
        taken = datetime(1970, 1, 1) + timedelta(seconds=fields["taken_at"])
        return SearchResult(
            rank=rank,
            path=fields["path"],
            score=hit.score,
            file=self._dataset.locate_file(fields["path"]),
            class_label=fields["class_label"],
            class_score=fields["class_score"],
            people=tuple(fields["face_labels"]),
            address=fields["address"],
            city=fields["city"],
            country=fields["country"],
            taken_at=taken.isoformat() if fields["has_time"] else "",
            calibrated_score=calibrated,
            burst_count=burst_count,
        )

    @functools.cached_property
    def _bands(self) -> ScoreBands | None:
        dimension = self._store.collections.open(self._clip_ref).dimension
        return read_bands(self._config, self._dataset, dimension)

    @functools.cached_property
    def _sample(self) -> np.ndarray:
        return self._store.sample_vectors(self._clip_ref, _SAMPLE_SIZE)

    # --- notes ---------------------------------------------------------------------------------------------

    def _collect_notes(
        self, retrieval: AnswerInput, shown: Collection[int], nothing_fits: bool
    ) -> tuple[str, ...]:
        """Return what the user should know, given the ids of the photos that are shown."""
        photos, parsed = retrieval.photos, retrieval.parsed
        misfit = ""
        if nothing_fits:
            misfit = f"nothing here looks like {parsed.caption!r}{'; the nearest follow' if shown else ''}"
        explained = bool(shown or photos.note or misfit or retrieval.criteria_notes)
        notes = (
            _describe_relaxation(photos, shown),
            misfit,
            "" if explained else _explain_nothing(retrieval),
            *parsed.notes,
            *retrieval.face_notes,
            *retrieval.criteria_notes,
            *self._list_warnings(retrieval),
            self._outdated_note,
        )
        return tuple(filter(None, notes))

    def _list_warnings(self, retrieval: AnswerInput) -> list[str]:
        """Return what the user should know of the collection and of what could not be done."""
        query, parsed, ref = retrieval.visual_query, retrieval.parsed, retrieval.collection.ref
        lines = []
        if retrieval.collection.state != "ready":
            lines.append(
                "the collection is being updated, or that was cut short: run 05_build_collections.py"
            )
        if (parsed.people.named_count or parsed.people.none_of) and not self._vocabulary.people:
            lines.append("nobody is known yet; have 02_cluster_faces.py and 05 been run?")
        if parsed.dates and not retrieval.photos.hits and not self._has_times(ref):
            lines.append("no photo is known to have a time; have 04_extract_geo.py and 05 been run?")
        if query.strategy == "hybrid" and query.min_score is not None:
            lines.append("hybrid scores are sums of ranks, no similarities: the least score does not apply")
        if query.min_fit is not None and (not query.is_one_text or self._bands is None):
            lines.append("scores of this query are not calibrated: the least fit does not apply")
        return lines

    def _has_times(self, ref: CollectionRef) -> bool:
        """Whether any photo is known to have been taken at some time."""
        hits, _ = self._store.list_newest(ref, 1, where=Eq("has_time", True))
        return bool(hits)

    @functools.cached_property
    def _outdated_note(self) -> str:
        if open_edit_log(self._dataset).count() == self._vocabulary.edit_count:
            return ""
        return "names have changed since the collections were built; run 05_build_collections.py"


def _rank_attempts(retrieval: AnswerInput, calibrated: CalibratedScores | None) -> list[RankedHits]:
    """Return the hits of each step with their calibrated scores, without those that are not good enough."""
    query, photos = retrieval.visual_query, retrieval.photos
    keys = [hit.id for hit in photos.hits]
    by_key = dict(zip(keys, calibrated.calibrated.tolist(), strict=True)) if calibrated else {}
    rankings = []
    for hits in photos.hits_by_attempt:
        ranking = [(hit, by_key.get(hit.id)) for hit in hits]
        if query.sort == "date":
            ranking = _sort_by_date(query, ranking, calibrated)
        rankings.append([pair for pair in ranking if _is_good_enough(query, *pair)])
    return rankings


def _sort_by_date(query: Query, ranking: RankedHits, calibrated: CalibratedScores | None) -> RankedHits:
    """Return the relevant hits, newest first; where relevance is unknown, those that score best."""
    if calibrated:
        return sort_newest_first(_select_relevant(ranking, calibrated))
    has_scores = bool(ranking) and ranking[0][0].score is not None
    limit = query.top_k if has_scores and not query.collapse else len(ranking)
    return sort_newest_first(ranking[:limit])


def _select_relevant(ranking: RankedHits, calibrated: CalibratedScores) -> RankedHits:
    """Keep what is relevant; of a relaxed search, whose hits are those of one step after another, too."""
    least = calibrated.relevance_threshold
    return [pair for pair in ranking if calibrated.relevant_count and pair[0].score >= least]


def _is_good_enough(query: Query, hit: Hit, calibrated: float | None) -> bool:
    """Whether a hit reaches the least scores that the query asks for, as far as they apply to it."""
    # The same inner product comes out some 1e-7 apart from one search path to another
    exempt = query.min_score is None or hit.score is None or query.strategy == "hybrid"
    scores_enough = exempt or hit.score >= query.min_score - 1e-6
    return scores_enough and (query.min_fit is None or calibrated is None or calibrated >= query.min_fit)


def _describe_relaxation(photos: RetrievedPhotos, shown: Collection[int]) -> str:
    """Return that no photo passed, and what those are that are shown."""
    steps_shown = [
        "the nearest of all" if step.description == "anything" else step.description
        for step, hits in zip(photos.relaxed, photos.hits_by_attempt, strict=False)
        if any(hit.id in shown for hit in hits)
    ]
    return f"{photos.note}; these are {', then '.join(steps_shown)}" if steps_shown else photos.note


def _explain_nothing(retrieval: AnswerInput) -> str:
    """Return why there are no results."""
    query = retrieval.visual_query
    limits = [(query.min_score, "scores"), (query.min_fit, "fits with")]
    reasons = [f"nothing {verb} {value:g} or more" for value, verb in limits if value is not None]
    if reasons and (retrieval.photos.hits or (query.face and not query.has_vector)):
        return reasons[0]
    if query.strategy == "hybrid":
        return "no word of it is known of any photo that passes"
    if query.has_filter or query.face:
        return "no photo passes the filter"
    return f"no photos below {query.folder}" if query.folder else ""
