"""Answers about made-up photos: how many candidates, bursts, order, and whatever filter results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.pipeline import Dataset
from imagesearch.search import Query, Searcher, SearchResources
from imagesearch.store import (
    ARROW_TYPES,
    PHOTO_FIELDS,
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    IndexSpec,
    Store,
    Vocabulary,
    VocabularyEntry,
    fill_collection,
)

TODAY = date(2026, 2, 11)
COUNT, DIMENSION = 260, 8


class ConstantEncoder:
    """Encodes every text as the same vector."""

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        return np.eye(1, DIMENSION, dtype=np.float32).repeat(len(texts), axis=0)


class MadeResources(SearchResources):
    """Resources for a collection of made-up vectors."""

    def open_collection(self, kind: str) -> CollectionInfo:
        return self.store.collections.open(self.get_collection_ref(kind))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Photos, an hour apart, 3 in a burst; Ana on all but 1, Bo on 200, Cy on 201, Di on 5, Ed on 1."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "photos").mkdir()
    (folder / "photos" / "one.png").touch()
    file = folder / "config.yaml"
    file.write_text("dataset: {name: made, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n")
    on = {"Ana": COUNT - 1, "Bo": 200, "Cy": 201, "Di": 5, "Ed": 1}
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((COUNT, DIMENSION)).astype(np.float32)
    vectors[:3] = np.eye(DIMENSION, dtype=np.float32)[0] + 0.01 * vectors[:3]
    known: dict[str, list] = {
        "path": [f"{i}.jpg" for i in range(COUNT)],
        "face_labels": [[name for name, count in on.items() if i < count] for i in range(COUNT)],
        "face_count": [1] * COUNT,
        "has_time": [True] * COUNT,
        "taken_at": [1_600_000_000 + (20 * i if i < 3 else 3600 * i) for i in range(COUNT)],
    }
    columns = {"photo_id": pa.array(range(COUNT), pa.int64())}
    for item in PHOTO_FIELDS:
        columns[item.name] = pa.array(known.get(item.name, [item.unknown] * COUNT), ARROW_TYPES[item.type])
    rows = CollectionRows(pa.table(columns), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    config = load_config(file)
    dataset = Dataset(config)
    dataset.folder.mkdir(parents=True)
    words = {name.lower(): VocabularyEntry(name, count) for name, count in on.items()}
    Vocabulary(people=words, places={"goa": VocabularyEntry("Goa", 1, "state")}).write(dataset.folder)
    with Store(config.milvus) as store:
        plan = IndexSpec("FLAT", {})
        spec = CollectionSpec(CollectionRef("made", "clip"), "random", "random", DIMENSION, plan)
        fill_collection(store, spec, rows)
        searcher = Searcher(config, dataset, store)
        searcher.resources = MadeResources(config, dataset, store, SimpleNamespace(clip=ConstantEncoder()))
        yield searcher


@pytest.mark.parametrize(
    ("text", "candidates"), [("di", 5), ("bo", 200), ("cy", "200+"), ("ana", "200+"), ("not ana", 1)]
)
def test_candidates_are_counted_up_to_200(made: Searcher, text: str, candidates: int | str) -> None:
    for sentence in (text, f"{text} on a beach"):
        answer = made.search(Query(text=sentence))
        assert answer.to_dict()["candidates"] == candidates
        assert answer.read_as.endswith(f"— {candidates} of {COUNT} photos")
        assert len(answer.results) == min(10, answer.candidates)


def test_a_burst_is_shown_once(made: Searcher) -> None:
    answer = made.search(Query(text="a beach", collapse=True))
    assert sum(result.path in ("0.jpg", "1.jpg", "2.jpg") for result in answer.results) == 1
    assert answer.results[0].burst_count == 2 and len(answer.results) == 10
    assert all(result.burst_count == 0 for result in answer.results[1:])


def test_filters_alone_stay_newest_first_beyond_what_is_counted(made: Searcher) -> None:
    answer = made.search(Query(text="ana", top_k=250))
    assert [result.path for result in answer.results] == [f"{i}.jpg" for i in range(COUNT - 2, 8, -1)]


# --- strategy union ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "candidates", "searches"),
    [
        ("di in 2020", {}, "200+", 2),
        ("bo in 2020", {}, COUNT, 2),
        ("cy in 2020", {}, "200+", 1),
        ("cy in 2020", {"top_k": 202}, COUNT, 2),
        ("cy in 2020", {"collapse": True}, COUNT, 2),
        ("cy in 2020", {"sort": "date"}, COUNT, 2),
        ("cy in 2020", {"min_score": -1.0}, COUNT, 2),
        ("cy in goa in 2020", {}, "200+", 2),
        ("di in goa in 1999", {}, 5, 3),
    ],
)
def test_a_union_is_searched_and_counted_until_there_is_enough(
    made: Searcher,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    options: dict,
    candidates: int | str,
    searches: int,
) -> None:
    expressions, search = [], made.resources.store.search

    def search_and_note(*args, where, **rest):
        expressions.append(made.resources.store.format_filter(where))
        return search(*args, where=where, **rest)

    monkeypatch.setattr(made.resources.store, "search", search_and_note)
    answer = made.search(Query(text=f"{text} on a beach", strategy="union", **options))
    assert answer.to_dict()["candidates"] == candidates
    assert len(set(expressions)) == len(expressions) == searches
    assert len(answer.results) == min(options.get("top_k", 10), answer.candidates)


def test_a_union_of_many_photos_lists_the_newest_first(made: Searcher) -> None:
    answer = made.search(Query(text="cy in 2020", strategy="union", top_k=250))
    newest = [*range(200, -1, -1), *range(COUNT - 1, 200, -1)]
    assert [result.path for result in answer.results] == [f"{i}.jpg" for i in newest[:250]]
    assert [len(result.fulfils) for result in answer.results] == [2] * 201 + [1] * 49


@pytest.mark.parametrize("text", ["ed in 2020", "ed in 2020 on a beach"])
def test_a_burst_is_shown_once_though_its_photos_have_different_parts(made: Searcher, text: str) -> None:
    answer = made.search(Query(text=text, strategy="union", collapse=True, top_k=COUNT))
    shown = [(result.path, result.burst_count) for result in answer.results]
    assert (
        shown[0] == ("0.jpg", 2) and len(shown) == COUNT - 2 and not {"1.jpg", "2.jpg"} & dict(shown).keys()
    )


def test_by_date_the_best_of_a_union_without_calibration_are_sorted(made: Searcher) -> None:
    best = made.search(Query(text="di in 2020 on a beach", strategy="union", top_k=8)).results
    newest = made.search(Query(text="di in 2020 on a beach", strategy="union", top_k=8, sort="date")).results
    expected = sorted(best, key=lambda result: (-len(result.fulfils), -int(result.path.removesuffix(".jpg"))))
    assert [result.path for result in newest] == [result.path for result in expected]
    assert [len(result.fulfils) for result in newest] == [2] * 5 + [1] * 3


words = st.sampled_from(
    ["ana", "bo", "not", "without", "only", "goa", "in", "and", "or", "two people", "2020", "may", "last",
     "summer", '"', "'", "\\", "%", "_", "|", "(", "person:", "place:", "text:", "🎂", "\n", "a beach"]
) | st.text(max_size=8)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(words, max_size=12).map(" ".join),
    st.booleans(),
    st.sampled_from(["filter", "union", "semantic"]),
)
def test_milvus_takes_whatever_filter_a_sentence_becomes(
    made: Searcher, text: str, strict: bool, strategy: str
) -> None:
    try:
        answer = made.search(Query(text=text, strict=strict, strategy=strategy, today=TODAY, top_k=3))
    except UserError as error:
        is_refused = strict and " not understood; rephrase it" in str(error)
        assert is_refused or "nothing to search for" in str(error) or "not valid UTF-8" in str(error)
        return
    assert answer.results or answer.notes
    json.dumps(answer.to_dict())
