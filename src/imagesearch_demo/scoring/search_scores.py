"""Evaluation of the search by sentence on an album with a known ground truth."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.pipeline import Progress
from imagesearch.search import Answer, Query, Searcher, plan_filter
from imagesearch.store import CollectionRef, Store
from imagesearch_demo.scoring.presence_queries import UNKNOWN_IN_SCENE, PresenceQuery, make_presence_queries
from imagesearch_demo.scoring.questions import Question, make_questions
from imagesearch_demo.scoring.trip_questions import make_trip_questions

TOP = 10

# The minimum of each value, and the maximum of one.
MIN_SEARCH_SCORES = {
    "sentences.precision": 0.90,
    "sentences.exact_filter": 0.97,
    "sentences.exact_filter_detected": 0.97,
    "sentences.relaxation_said": 1.0,
    "nothing_fits.said_when_absent": 0.85,
    "trips.exact_filter_detected": 0.97,
}
MAX_SEARCH_SCORES = {"nothing_fits.said_when_present": 0.05}


def ignore_progress(items: Iterable, total: int, unit: str = "photo", label: str | None = None) -> Iterable:
    """Return the items without showing progress."""
    return items


@dataclass(frozen=True)
class QuestionOutcome:
    """A question and its answer.

    Attributes
    ----------
    candidates
        The photos that pass the filter of the answer.
    is_detected
        Whether the stored faces give the same candidates of the question as the ground truth. If not, even
        the right filter is not exact: a face is missing, wrongly detected, or has no name or a wrong one.
    """

    question: Question
    answer: Answer
    candidates: frozenset[str]
    is_detected: bool

    @property
    def precision(self) -> float | None:
        """Precision of the first min(10, n) results, for n relevant photos; None if there are none."""
        relevant = self.question.relevant
        paths = [result.path for result in self.answer.results]
        return compute_precision(paths, relevant) if relevant else None

    @property
    def is_exact(self) -> bool:
        """Whether exactly the expected photos pass the filter."""
        return self.candidates == self.question.candidates

    @property
    def reports_relaxation(self) -> bool:
        """Whether the answer reports that no photo passes and, if it has results, the relaxed filters."""
        reports_none = any(note.startswith("no photo ") for note in self.answer.notes)
        return reports_none and bool(self.answer.relaxed) == bool(self.answer.results)


def compute_precision(found: Sequence[str], relevant: frozenset[str]) -> float:
    """Return the precision of the first min(10, n) results, for n > 0 relevant photos."""
    depth = min(TOP, len(relevant))
    return sum(path in relevant for path in found[:depth]) / depth


def ask_questions(
    searcher: Searcher,
    questions: Sequence[Question],
    strategy: str = "filter",
    progress: Progress = ignore_progress,
) -> list[QuestionOutcome]:
    """Search for each question, and return the outcomes."""
    store = searcher.resources.store
    collection = CollectionRef(searcher.resources.config.dataset.name, "clip")
    faces = _read_faces(store, collection)
    outcomes = []
    for question in progress(questions, len(questions), "sentence"):
        query = Query(text=question.text, today=question.today, top_k=TOP, strategy=strategy)
        answer = searcher.search(query)
        condition = plan_filter(answer.parsed).condition
        hits, _ = store.list_by_date(collection, max(1, answer.photos), where=condition, fields=("path",))
        candidates = frozenset(hit.fields["path"] for hit in hits)
        is_detected = question.find_candidates(faces) == question.candidates
        outcomes.append(QuestionOutcome(question, answer, candidates, is_detected))
    return outcomes


def _read_faces(store: Store, collection: CollectionRef) -> dict[str, list[str]]:
    """Return the stored name of each face, "" for a face without a name, by the path of the photo."""
    rows = max(1, store.collections.open(collection).rows)
    hits, _ = store.list_by_date(collection, rows, fields=("path", "face_labels", "face_count"))
    faces = {}
    for fields in (hit.fields for hit in hits):
        labels = fields["face_labels"]
        faces[fields["path"]] = [*labels, *[""] * (fields["face_count"] - len(labels))]
    return faces


def choose_presence_queries(truth: dict, count: int, seed: int = 0) -> list[PresenceQuery]:
    """Return `count` queries about what an album shows, and `count` about what it does not show.

    Not included are queries that require leaving photos out of the album, unknown things in a known scene,
    and "winter" and "the alps", which are scenes in captions, but a season and a region in a search.
    """
    rng = np.random.default_rng([seed, 0xAB5E])
    by_kind: dict[tuple[bool, str], list[PresenceQuery]] = {}
    for query in make_presence_queries(rng, truth, each=count // 4 + 10):
        is_filter = "winter" in query.text or "alps" in query.text
        if not query.without and query.kind != UNKNOWN_IN_SCENE and not is_filter:
            by_kind.setdefault((query.is_present, query.kind), []).append(query)
    chosen = []
    for is_present in (True, False):
        kinds = [queries for (present, _), queries in by_kind.items() if present == is_present]
        most = max(map(len, kinds), default=0)
        turns = [queries[i] for i in range(most) for queries in kinds if i < len(queries)]
        chosen += turns[:count]
    return chosen


def judge_presence_queries(
    searcher: Searcher, queries: Sequence[PresenceQuery], progress: Progress = ignore_progress
) -> list[bool]:
    """Return for each query whether the search reports that nothing fits."""
    return [
        searcher.search(Query(text=query.text)).nothing_fits
        for query in progress(queries, len(queries), "sentence")
    ]


def summarize_outcomes(outcomes: Sequence[QuestionOutcome]) -> dict[str, float]:
    """Return the values of answered questions; NaN if there are no questions for a value.

    Returns
    -------
    dict
        ``sentences.precision`` is the mean precision of the first min(10, n) results, over the sentences with
        n > 0 relevant photos. ``sentences.exact_filter`` is the share of the sentences with candidates whose
        filter exactly these candidates pass. ``sentences.detected`` is the share of these sentences that the
        stored faces give the same candidates as the ground truth, and ``sentences.exact_filter_detected`` is
        ``exact_filter`` over them. ``sentences.relaxation_said`` is the share of the sentences without
        candidates whose answer reports that no photo passes.
    """
    answerable = [outcome for outcome in outcomes if outcome.question.candidates]
    precisions = [outcome.precision for outcome in outcomes if outcome.precision is not None]
    return {
        "sentences.precision": _compute_mean(precisions),
        "sentences.exact_filter": _compute_mean([o.is_exact for o in answerable]),
        "sentences.exact_filter_detected": _compute_mean([o.is_exact for o in answerable if o.is_detected]),
        "sentences.detected": _compute_mean([o.is_detected for o in answerable]),
        "sentences.relaxation_said": _compute_mean(
            [o.reports_relaxation for o in outcomes if not o.question.candidates]
        ),
    }


@dataclass(frozen=True)
class SearchEvaluation:
    """The outcomes of a search evaluation.

    Attributes
    ----------
    outcomes
        The outcomes of the questions.
    verdicts
        The presence queries, each with whether the search reports that nothing fits.
    trip_outcomes
        The outcomes of the sentences about trips.
    """

    outcomes: list[QuestionOutcome]
    verdicts: list[tuple[PresenceQuery, bool]]
    trip_outcomes: Sequence[QuestionOutcome] = ()

    @property
    def values(self) -> dict[str, float]:
        """The values of `summarize_outcomes`, and how often the search reports that nothing fits.

        ``nothing_fits.said_when_present`` and ``nothing_fits.said_when_absent`` are shares of the presence
        queries; NaN if there are none. ``trips.exact_filter`` and ``trips.exact_filter_detected`` are as
        those of ``sentences``, of the sentences about trips.
        """
        of_trips = [outcome.is_exact for outcome in self.trip_outcomes]
        detected = [outcome.is_exact for outcome in self.trip_outcomes if outcome.is_detected]
        nothing_fits = {
            is_present: [nothing for query, nothing in self.verdicts if query.is_present == is_present]
            for is_present in (True, False)
        }
        return summarize_outcomes(self.outcomes) | {
            "nothing_fits.said_when_present": _compute_mean(nothing_fits[True]),
            "nothing_fits.said_when_absent": _compute_mean(nothing_fits[False]),
            "trips.exact_filter": _compute_mean(of_trips),
            "trips.exact_filter_detected": _compute_mean(detected),
        }


def evaluate_search(
    searcher: Searcher, truth: dict, count: int = 200, seed: int = 0, progress: Progress = ignore_progress
) -> SearchEvaluation:
    """Measure the search on a built album whose people have their true names.

    Parameters
    ----------
    searcher
        The searcher of the album.
    truth
        The ground truth, as returned by `imagesearch_demo.album.make_album`.
    count
        Number of sentences. Half as many queries each are about what the album shows and does not show, and
        half as many sentences are about trips.
    seed
        The same seed gives the same sentences and queries.
    progress
        Wraps the sentences as they run.
    """
    queries = choose_presence_queries(truth, count // 2, seed)
    nothing_fits = judge_presence_queries(searcher, queries, progress)
    outcomes = ask_questions(searcher, make_questions(truth, count, seed), progress=progress)
    of_trips = ask_questions(searcher, make_trip_questions(truth, count // 2, seed), progress=progress)
    return SearchEvaluation(outcomes, list(zip(queries, nothing_fits, strict=True)), of_trips)


def _compute_mean(values: Sequence[float | bool]) -> float:
    return round(statistics.mean(map(float, values)), 4) if values else float("nan")
