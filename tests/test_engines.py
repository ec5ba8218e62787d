"""The same album in every kind of Milvus: a file, also one that another program has open, and servers.

The standalone server takes part if IMAGESEARCH_MILVUS_SERVER names its program, as `make test-server` does.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from conftest import BuiltAlbum
from milvus_servers import STANDALONE, run_lite_server, run_standalone
from store_processes import PROGRAM, Process

from imagesearch.config import Config, load_config
from imagesearch.pipeline import Dataset
from imagesearch.query import Criteria
from imagesearch.search import Query, Searcher
from imagesearch.search.request import parse_query
from imagesearch.search.target import encode_target
from imagesearch.store import CollectionRef, Store, build_collections
from imagesearch.store.hybrid_search import WordRanking
from imagesearch.text import normalize
from imagesearch_demo.scoring import rename_person

ENGINES = ["file", "shared file", "lite server", *(["standalone"] if STANDALONE else [])]
TODAY = date(2026, 2, 11)
CLIP = CollectionRef("album", "clip")


class Engine(NamedTuple):
    """The album of `built_album` in one Milvus."""

    name: str
    config: Config
    truth: dict

    def search(self, store: Store, query: Query) -> list[tuple[str, float | None]]:
        answer = Searcher(self.config, Dataset(self.config), store).search(query)
        return [(hit.path, None if hit.score is None else round(hit.score, 4)) for hit in answer.results]


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, built_album: BuiltAlbum, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    shutil.copytree(built_album.folder, folder / "album", ignore=shutil.ignore_patterns("milvus.db*"))
    file = folder / "album" / "config.yaml"
    with ExitStack() as servers:
        uri = "milvus.db"
        if request.param == "shared file":
            opener = Process(PROGRAM, folder / "album" / uri)
            assert opener.receive() == "ready"
            servers.callback(opener.end)
        elif request.param == "lite server":
            uri = servers.enter_context(run_lite_server(folder))
        elif request.param == "standalone":
            uri = servers.enter_context(run_standalone(folder / "server")).uri
        config = load_config(file, [f"milvus.uri='{uri}'"])
        with Store(config.milvus) as store:
            build_collections(config, Dataset(config), store)
        yield Engine(request.param, config, built_album.truth)


@pytest.fixture
def store(engine: Engine) -> Iterator[Store]:
    with Store(engine.config.milvus) as opened:
        yield opened


def list_queries(engine: Engine) -> list[Query]:
    photos = [Path(photo["path"]) for photo in engine.truth["photos"]]
    people = sorted({face["name"] for photo in engine.truth["photos"] for face in photo["people"]})
    places = sorted({photo["city"] for photo in engine.truth["photos"] if photo.get("city")})
    texts = ["a red boat", "snow", "a dog", *people[:3], *(f"{people[0]} in {place}" for place in places[:3])]
    texts += [f"{people[0]} and {people[1]}", f"{people[1]} without {people[2]}", "in 2023", "last summer"]
    texts += [f"a boat not in {places[0]}", f"{people[0]} in {places[0]} in march 1987"]
    root = Dataset(engine.config).roots[0]
    return [
        *(Query(text=text, today=TODAY) for text in texts),
        *(Query(text="a photo", criteria=c) for c in (Criteria(faces=2), Criteria(has_gps=True))),
        Query(criteria=Criteria(without=(people[0],), any_person=True), top_k=30),
        Query(criteria=Criteria(places=(places[0],), after="2019")),
        Query(criteria=Criteria(near="15.5,73.8", radius=100)),
        Query(text="water", sort="date", top_k=5),
        Query(text="water", collapse=True),
        Query(images=(root / photos[0],)),
        Query(images=(root / photos[1],), by="vit"),
        Query(images=(root / photos[2], root / photos[3])),
        *(Query(text=f"{text} on a beach", strategy="union", today=TODAY) for text in (people[0], places[0])),
        Query(text=f"{people[0]} in {places[0]} or 2020", strategy="union", today=TODAY, top_k=30),
        Query(text="night", plus=("snow",), minus=("a dog",)),
        Query(face=root / next(p["path"] for p in engine.truth["photos"] if p["people"])),
        Query(text="a boat", folder=str(photos[0].parent)),
    ]


@pytest.fixture(scope="module")
def expected(built_album: BuiltAlbum) -> list[list[tuple[str, float | None]]]:
    """The answers of the album's own Milvus Lite file."""
    config = load_config(built_album.config_file)
    own = Engine("own", config, built_album.truth)
    with Store(config.milvus) as store:
        return [own.search(store, query) for query in list_queries(own)]


def test_every_engine_returns_the_same_photos_in_the_same_order(
    engine: Engine, store: Store, expected: list[list[tuple[str, float | None]]]
) -> None:
    for query, answer in zip(list_queries(engine), expected, strict=True):
        assert [path for path, _ in engine.search(store, query)] == [path for path, _ in answer], query
    assert sum(map(bool, expected)) > len(expected) - 3  # nearly all queries have results


def test_hybrid_returns_the_best_five(engine: Engine, store: Store, built_album: BuiltAlbum) -> None:
    config = load_config(built_album.config_file)
    with Store(config.milvus) as reference:
        searcher = Searcher(config, Dataset(config), reference)
        ranking = WordRanking(reference.collections, reference.collections.open(CLIP))
        for text in [query.text for query in list_queries(engine) if query.text]:
            query = Query(text=text, strategy="hybrid", today=TODAY, top_k=5)
            ranges = compute_score_ranges(searcher, ranking, query)
            paths = {hit.id: hit.fields["path"] for hit in reference.read_rows(CLIP, [*ranges], ("path",))}
            found = {path for path, _ in engine.search(store, query)}
            assert len(found) == min(5, len(ranges)), text
            least = min(high for key, (_, high) in ranges.items() if paths[key] in found)
            others = [low for key, (low, _) in ranges.items() if paths[key] not in found]
            assert least >= max(others, default=0) - 1e-9, text


def compute_score_ranges(
    searcher: Searcher, ranking: WordRanking, query: Query
) -> dict[int, tuple[float, float]]:
    """Return the lowest and highest fused score of each photo; equal BM25 scores have no fixed order."""
    request = parse_query(query, searcher.resources)
    ranges: dict[int, tuple[float, float]] = {}
    keys, scores = ranking.rank(normalize(request.query.text))
    for key, score in zip(keys.tolist(), scores.round(5), strict=True):
        places = (np.count_nonzero(scores.round(5) >= score), 1 + np.count_nonzero(scores.round(5) > score))
        ranges[key] = (1 / (60 + places[0]), 1 / (60 + places[1]))
    vector = None if request.names_only else encode_target(request, searcher.resources).vector
    hits = [] if vector is None else searcher.resources.store.search(CLIP, vector, 200)
    for place, hit in enumerate(hits, start=1):
        low, high = ranges.get(hit.id, (0.0, 0.0))
        ranges[hit.id] = (low + 1 / (60 + place), high + 1 / (60 + place))
    return ranges


def test_a_second_build_changes_nothing_and_a_rebuild_replaces_all(engine: Engine, store: Store) -> None:
    dataset = Dataset(engine.config)
    for report in build_collections(engine.config, dataset, store).values():
        assert (report.inserted, report.updated, report.deleted, report.rebuilt) == (0, 0, 0, "")
        assert report.unchanged == report.rows > 0
    before = {c.ref: c for c in store.collections.list_all()}
    reports = build_collections(engine.config, dataset, store, rebuild=True)
    after = {c.ref: c for c in store.collections.list_all()}
    assert after.keys() == before.keys() and len(after) == 3
    assert all(after[ref].name != before[ref].name and after[ref].state == "ready" for ref in after)
    assert {kind: report.rebuilt for kind, report in reports.items()} == dict.fromkeys(reports, "requested")
    names = set(store.collections.client.list_collections())
    assert not names & {collection.name for collection in before.values()}


def test_searches_go_on_during_a_rebuild(engine: Engine, store: Store) -> None:
    failures: list[BaseException] = []
    answers: set[tuple] = set()
    done = threading.Event()

    def keep_searching() -> None:
        try:
            with Store(engine.config.milvus) as own:
                while not done.is_set():
                    answers.add(tuple(engine.search(own, Query(text="a red boat"))))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=keep_searching)
    thread.start()
    try:
        for _ in range(2):
            build_collections(engine.config, Dataset(engine.config), store, rebuild=True)
    finally:
        done.set()
        thread.join()
    assert not failures
    assert len(answers) == 1 and len(answers.pop()) == 10


def test_a_renamed_person_is_found_by_the_new_name(engine: Engine) -> None:
    person = sorted({face["name"] for photo in engine.truth["photos"] for face in photo["people"]})[0]
    with Store(engine.config.milvus) as store:
        photos = {
            path for path, _ in engine.search(store, Query(criteria=Criteria(people=(person,)), top_k=99))
        }
    try:
        rename_person(engine.config, person, "Ottilie")
        with Store(engine.config.milvus) as store:
            query = Query(criteria=Criteria(people=("Ottilie",)), top_k=99)
            assert {path for path, _ in engine.search(store, query)} == photos != set()
    finally:
        rename_person(engine.config, "Ottilie", person)


def test_an_interrupted_build_is_completed_by_the_next(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, collections = Dataset(engine.config), store.collections
    alias = collections.find(CLIP)
    assert alias is not None
    upsert = collections.upsert

    def insert_half(name: str, spec, rows) -> None:
        upsert(name, spec, rows[: len(rows) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(collections, "upsert", insert_half)
    with pytest.raises(KeyboardInterrupt):
        build_collections(engine.config, dataset, store, rebuild=True)
    monkeypatch.undo()
    current = collections.find(CLIP)
    assert current is not None and current.name == alias.name  # the old collection still answers
    assert engine.search(store, Query(text="a red boat"))
    report = build_collections(engine.config, dataset, store, rebuild=True)["clip"]
    assert report.unchanged == report.rows // 2  # these were there
    assert report.inserted == report.rows - report.unchanged
    assert len(collections.list_all()) == 3 and not collections.list_unfinished("album")


def test_dropping_removes_the_collections_of_one_dataset(engine: Engine, store: Store) -> None:
    other = engine.config.model_copy(
        update={"dataset": engine.config.dataset.model_copy(update={"name": "other"})}
    )
    shutil.copytree(engine.config.dataset.folder, other.dataset.folder, dirs_exist_ok=True)
    build_collections(other, Dataset(other), store)
    assert len(store.collections.list_all()) == 6
    assert len(store.collections.drop("other")) == 3
    assert {c.ref.dataset for c in store.collections.list_all()} == {"album"}
    assert engine.search(store, Query(text="a red boat"))
