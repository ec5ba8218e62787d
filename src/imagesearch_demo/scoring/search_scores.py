"""How well a search by sentence answers, measured on an album whose truth is known."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.pipeline import Progress
from imagesearch.search import Answer, Query, Searcher, plan_filter
from imagesearch.store import CollectionRef
from imagesearch_demo.scoring.presence_queries import UNKNOWN_IN_SCENE, PresenceQuery, make_presence_queries
from imagesearch_demo.scoring.questions import Question, make_questions

TOP = 10

# What each value must reach, and what one must not exceed.
MIN_SEARCH_SCORES = {
    "sentences.precision": 0.90,
    "sentences.exact_filter": 0.97,
    "sentences.relaxation_said": 1.0,
    "nothing_fits.said_when_absent": 0.85,
}
MAX_SEARCH_SCORES = {"nothing_fits.said_when_present": 0.05}


def ignore_progress(items: Iterable, total: int, unit: str = "photo", label: str | None = None) -> Iterable:
    """Show no progress."""
    return items


@dataclass(frozen=True)
class QuestionOutcome:
    """A question, how it was answered, and which photos the filter of the answer let pass."""

    question: Question
    answer: Answer
    candidates: frozenset[str]

    @property
    def precision(self) -> float | None:
        """Of the first min(10, n) results, where n photos are relevant; None where none is."""
        relevant = self.question.relevant
        paths = [result.path for result in self.answer.results]
        return compute_precision(paths, relevant) if relevant else None

    @property
    def is_exact(self) -> bool:
        """Whether the filter let pass just the photos that it should."""
        return self.candidates == self.question.candidates

    @property
    def says_relaxed(self) -> bool:
        """Whether the answer says that no photo passes; what it shows instead, it must name."""
        says_none = any(note.startswith("no photo ") for note in self.answer.notes)
        return says_none and bool(self.answer.relaxed) == bool(self.answer.results)


def compute_precision(found: Sequence[str], relevant: frozenset[str]) -> float:
    """Return how many of the first min(10, n) photos found are relevant, where n > 0 are."""
    depth = min(TOP, len(relevant))
    return sum(path in relevant for path in found[:depth]) / depth


def ask_questions(
    searcher: Searcher,
    questions: Sequence[Question],
    strategy: str = "filter",
    progress: Progress = ignore_progress,
) -> list[QuestionOutcome]:
    """Ask a search some questions."""
    store, name = searcher.resources.store, searcher.resources.config.dataset.name
    outcomes = []
    for question in progress(questions, len(questions), "sentence"):
        query = Query(text=question.text, today=question.today, top_k=TOP, strategy=strategy)
        answer = searcher.search(query)
        condition = plan_filter(answer.parsed).condition
        hits, _ = store.list_newest(
            CollectionRef(name, "clip"), max(1, answer.photos), where=condition, fields=("path",)
        )
        candidates = frozenset(hit.fields["path"] for hit in hits)
        outcomes.append(QuestionOutcome(question, answer, candidates))
    return outcomes


def choose_presence_queries(truth: dict, count: int, seed: int = 0) -> list[PresenceQuery]:
    """Return queries about what an album shows, and as many about what it does not.

    Left out are those for which photos would have to be left out of the album, things never learned in a
    scene that is there, and "winter", which is a scene to a caption and a season to a search.
    """
    rng = np.random.default_rng([seed, 0xAB5E])
    by_kind: dict[tuple[bool, str], list[PresenceQuery]] = {}
    for query in make_presence_queries(rng, truth, each=count // 4 + 10):
        if not query.without and query.kind != UNKNOWN_IN_SCENE and "winter" not in query.text:
            by_kind.setdefault((query.is_present, query.kind), []).append(query)
    chosen = []
    for is_present in (True, False):
        kinds = [queries for (present, _), queries in by_kind.items() if present == is_present]
        most = max(map(len, kinds), default=0)
        turns = [queries[i] for i in range(most) for queries in kinds if i < len(queries)]
        chosen += turns[:count]
    return chosen


def ask_presence_queries(
    searcher: Searcher, queries: Sequence[PresenceQuery], progress: Progress = ignore_progress
) -> list[bool]:
    """Return for each query whether the search says that nothing fits."""
    return [
        searcher.search(Query(text=query.text)).nothing_fits
        for query in progress(queries, len(queries), "sentence")
    ]


def summarize_outcomes(outcomes: Sequence[QuestionOutcome]) -> dict[str, float]:
    """Return the values of answered questions, NaN where there were none.

    Returns
    -------
    dict
        ``sentences.precision``: mean precision of the first min(10, n) results over the sentences that n > 0
        photos are relevant to; ``sentences.exact_filter``: share of the sentences that some photo passes by
        the truth whose filter lets pass just these; ``sentences.relaxation_said``: share of the others of
        which the answer says so.
    """
    precisions = [outcome.precision for outcome in outcomes if outcome.precision is not None]
    return {
        "sentences.precision": _compute_mean(precisions),
        "sentences.exact_filter": _compute_mean([o.is_exact for o in outcomes if o.question.candidates]),
        "sentences.relaxation_said": _compute_mean(
            [o.says_relaxed for o in outcomes if not o.question.candidates]
        ),
    }


@dataclass(frozen=True)
class SearchEvaluation:
    """What a search was asked, and how it answered.

    Attributes
    ----------
    outcomes
        Of the questions.
    verdicts
        Each query about what is there or not, and whether the search said that nothing fits.
    """

    outcomes: list[QuestionOutcome]
    verdicts: list[tuple[PresenceQuery, bool]]

    @property
    def values(self) -> dict[str, float]:
        """Those of `summarize_outcomes`, and how often nothing was said to fit; NaN where nothing was asked.

        ``nothing_fits.said_when_present`` and ``nothing_fits.said_when_absent`` are shares of the queries.
        """
        nothing_fits = {
            is_present: [nothing for query, nothing in self.verdicts if query.is_present == is_present]
            for is_present in (True, False)
        }
        return summarize_outcomes(self.outcomes) | {
            "nothing_fits.said_when_present": _compute_mean(nothing_fits[True]),
            "nothing_fits.said_when_absent": _compute_mean(nothing_fits[False]),
        }


def evaluate_search(
    searcher: Searcher, truth: dict, count: int = 200, seed: int = 0, progress: Progress = ignore_progress
) -> SearchEvaluation:
    """Measure the search of an album that was built, and whose people have their true names.

    Parameters
    ----------
    searcher
        Of the album.
    truth
        About it, of `imagesearch_demo.album.make_album`.
    count, seed
        How many sentences, and which; half as many each about what is there and what is not.
    progress
        Wraps the sentences as they are asked.
    """
    queries = choose_presence_queries(truth, count // 2, seed)
    nothing_fits = ask_presence_queries(searcher, queries, progress)
    outcomes = ask_questions(searcher, make_questions(truth, count, seed), progress=progress)
    return SearchEvaluation(outcomes, list(zip(queries, nothing_fits, strict=True)))


def _compute_mean(values: Sequence[float | bool]) -> float:
    return round(statistics.mean(map(float, values)), 4) if values else float("nan")
