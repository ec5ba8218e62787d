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
    """Photos, an hour apart but for a burst of three; Ana on all but one, Bo on 200, Cy on 201, Di on 5."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "photos").mkdir()
    (folder / "photos" / "one.png").touch()
    file = folder / "config.yaml"
    file.write_text("dataset: {name: made, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n")
    on = {"Ana": COUNT - 1, "Bo": 200, "Cy": 201, "Di": 5}
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


words = st.sampled_from(
    ["ana", "bo", "not", "without", "only", "goa", "in", "and", "or", "two people", "2020", "may", "last",
     "summer", '"', "'", "\\", "%", "_", "|", "(", "person:", "place:", "text:", "🎂", "\n", "a beach"]
) | st.text(max_size=8)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(words, max_size=12).map(" ".join), st.booleans(), st.sampled_from(["filter", "semantic"]))
def test_milvus_takes_whatever_filter_a_sentence_becomes(
    made: Searcher, text: str, strict: bool, strategy: str
) -> None:
    try:
        answer = made.search(Query(text=text, strict=strict, strategy=strategy, today=TODAY, top_k=3))
    except UserError as error:
        assert "nothing to search for" in str(error) or "not valid UTF-8" in str(error)
        return
    assert answer.results or answer.notes
    json.dumps(answer.to_dict())
