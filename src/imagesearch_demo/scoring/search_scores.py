"""How well a search by sentence answers, measured on an album whose truth is known."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.config import Config
from imagesearch.pipeline import Dataset
from imagesearch.search import Answer, Query, Searcher, plan_filter
from imagesearch.store import CollectionRef, Store
from imagesearch_demo.scoring.presence_queries import ASIDE, Sentence, make_sentences
from imagesearch_demo.scoring.questions import Question, make_questions

TOP = 10

# What each figure must reach, and what one must not exceed.
TARGETS = {
    "sentences.precision": 0.90,
    "sentences.exact_filter": 0.97,
    "sentences.relaxation_said": 1.0,
    "nothing_fits.said_when_absent": 0.85,
}
MOST = {"nothing_fits.said_when_present": 0.05}

Progress = Callable[[Iterable, int, str], Iterable]


def ignore_progress(stream: Iterable, total: int, unit: str) -> Iterable:
    """Show no progress."""
    return stream


@dataclass(frozen=True)
class Outcome:
    """A question, how it was answered, and which photos its filter let pass."""

    question: Question
    answer: Answer
    passed: frozenset[str]

    @property
    def precision(self) -> float | None:
        """Of the first min(10, n) results, where n photos are right; None where none is."""
        right = self.question.answer
        return compute_precision([result.path for result in self.answer.results], right) if right else None

    @property
    def is_exact(self) -> bool:
        """Whether the filter let pass just the photos that it should."""
        return self.passed == self.question.passing

    @property
    def says_relaxed(self) -> bool:
        """Whether the answer says that no photo passes; what it shows instead, it must name."""
        said = any(note.startswith("no photo ") for note in self.answer.notes)
        return said and bool(self.answer.relaxed) == bool(self.answer.results)


def compute_precision(found: Sequence[str], right: frozenset[str]) -> float:
    """Return how many of the first min(10, n) photos found are right, where n > 0 are."""
    wanted = min(TOP, len(right))
    return sum(path in right for path in found[:wanted]) / wanted


def ask_question(
    searcher: Searcher,
    asked: Sequence[Question],
    strategy: str = "filter",
    progress: Progress = ignore_progress,
) -> list[Outcome]:
    """Ask a search some questions."""
    store, name = searcher.store, searcher.config.dataset.name
    outcomes = []
    for question in progress(asked, len(asked), "sentence"):
        query = Query(text=question.text, today=question.today, top_k=TOP, strategy=strategy)
        answer = searcher.search(query)
        condition = plan_filter(answer.parsed).condition
        hits, _ = store.list_newest(
            CollectionRef(name, "clip"), max(1, answer.photos), where=condition, fields=("path",)
        )
        outcomes.append(Outcome(question, answer, frozenset(hit.fields["path"] for hit in hits)))
    return outcomes


def score_presence(truth: dict, count: int, seed: int = 0) -> list[Sentence]:
    """Return sentences about what an album shows, and as many about what it does not.

    Left out are those for which photos would have to be left out of the album, things never learned in a
    scene that is there, and "winter", which is a scene to a caption and a season to a search.
    """
    rng = np.random.default_rng([seed, 0xAB5E])
    by_kind: dict[tuple[bool, str], list[Sentence]] = {}
    for sentence in make_sentences(rng, truth, each=count // 4 + 10):
        if not sentence.without and sentence.kind != ASIDE and "winter" not in sentence.text:
            by_kind.setdefault((sentence.there, sentence.kind), []).append(sentence)
    chosen = []
    for there in (True, False):
        kinds = [found for (is_there, _), found in by_kind.items() if is_there == there]
        most = max(map(len, kinds), default=0)
        turns = [found[i] for i in range(most) for found in kinds if i < len(found)]
        chosen += turns[:count]
    return chosen


def says_nothing_fits(
    searcher: Searcher, asked: Sequence[Sentence], progress: Progress = ignore_progress
) -> list[bool]:
    """Return for each sentence whether the search says that nothing fits."""
    sentences = progress(asked, len(asked), "sentence")
    return [searcher.search(Query(text=sentence.text)).nothing_fits for sentence in sentences]


def summarize(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the figures of answered questions."""
    precisions = [outcome.precision for outcome in outcomes if outcome.precision is not None]
    return {
        "sentences.precision": _mean(precisions),
        "sentences.exact_filter": _mean([o.is_exact for o in outcomes if o.question.passing]),
        "sentences.relaxation_said": _mean([o.says_relaxed for o in outcomes if not o.question.passing]),
    }


@dataclass(frozen=True)
class AnsweredQuestions:
    """What a search was asked, and how it answered.

    Attributes
    ----------
    outcomes
        Of the questions.
    said
        Each sentence about what is there or not, and whether the search said that nothing fits.
    """

    outcomes: list[Outcome]
    said: list[tuple[Sentence, bool]]

    @property
    def figures(self) -> dict[str, float]:
        """The figures that `evaluate_search` returns; NaN where nothing was asked."""
        return summarize(self.outcomes) | {
            "nothing_fits.said_when_present": _mean([nothing for s, nothing in self.said if s.there]),
            "nothing_fits.said_when_absent": _mean([nothing for s, nothing in self.said if not s.there]),
        }


def answer_questions(
    searcher: Searcher, truth: dict, count: int = 200, seed: int = 0, progress: Progress = ignore_progress
) -> AnsweredQuestions:
    """Ask a search what `evaluate_search` measures; parameters are explained there."""
    asked = score_presence(truth, count // 2, seed)
    said = says_nothing_fits(searcher, asked, progress)
    outcomes = ask_question(searcher, make_questions(truth, count, seed), progress=progress)
    return AnsweredQuestions(outcomes, list(zip(asked, said, strict=True)))


def evaluate_search(
    config: Config, dataset: Dataset, store: Store, truth: dict, count: int = 200, seed: int = 0
) -> dict[str, float]:
    """Measure the search of an album that was built, and whose people have their true names.

    Parameters
    ----------
    config, dataset, store
        The album.
    truth
        About it, of `album.make_album`.
    count, seed
        How many sentences, and which; half as many each about what is there and what is not.

    Returns
    -------
    dict
        ``sentences.precision``: mean precision of the first min(10, n) results over the sentences that n > 0
        photos answer; ``sentences.exact_filter``: share of the sentences that some photo passes by the truth
        whose filter lets pass just these; ``sentences.relaxation_said``: share of the others of which the
        answer says so; ``nothing_fits.said_when_present`` and ``nothing_fits.said_when_absent``.
    """
    return answer_questions(Searcher(config, dataset, store), truth, count, seed).figures


def _mean(values: Sequence[float | bool]) -> float:
    return round(statistics.mean(map(float, values)), 4) if values else float("nan")
