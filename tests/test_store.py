"""Collections in a real Milvus Lite: built, updated, interrupted, searched with and without filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from imagesearch.config import IndexConfig, IndexSearchParams, MilvusConfig
from imagesearch.errors import UserError
from imagesearch.filters import Contains, PathPrefix
from imagesearch.store import (
    PHOTO_FIELDS,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    IndexSpec,
    Store,
    choose_index,
    collection_updates,
)
from imagesearch.store.collection_updates import BuildReport, update_collections
from imagesearch.store.dialect import LITE, choose_dialect
from imagesearch.store.schema import FIELDS as COLLECTION_FIELDS
from imagesearch.store.schema import hash_layout

DIMENSION = 16
ALBUM = CollectionRef("album", "clip")
FIELDS = tuple(item for item in PHOTO_FIELDS if item.name in ("path", "face_labels", "year", "class_label"))


def vectors(count: int, seed: int = 0) -> np.ndarray:
    """Unit vectors in clusters, like the vectors of photos."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((50, DIMENSION))
    spread = centres[rng.integers(0, 50, count)] + 0.7 * rng.standard_normal((count, DIMENSION))
    return (spread / np.linalg.norm(spread, axis=1, keepdims=True)).astype(np.float32)


def rows(matrix: np.ndarray, **columns: list) -> CollectionRows:
    count = len(matrix)
    known = {
        "path": [f"{i:05d}.jpg" for i in range(count)],
        "face_labels": [[]] * count,
        "year": [2000] * count,
        "class_label": [""] * count,
    }
    return CollectionRows(
        pa.table({"photo_id": pa.array(range(count), pa.int64()), **(known | columns)}), matrix
    )


def spec(index: IndexSpec | None = None, **changes) -> CollectionSpec:
    plan = index or IndexSpec("FLAT", {})
    return replace(CollectionSpec(ALBUM, "some/model", "clip-1", DIMENSION, plan, FIELDS), **changes)


def settings(folder: Path, kind: str = "auto") -> MilvusConfig:
    return MilvusConfig.model_validate(
        {"uri": str(folder / "milvus.db"), "index": {"type": kind}}, context={"base": folder}
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(settings(tmp_path)) as opened:
        yield opened


def update(store: Store, target: CollectionSpec, data: CollectionRows, rebuild: bool = False) -> BuildReport:
    return update_collections(store, [(target, data)], rebuild)[target.ref.kind]


def paths(store: Store, vector: np.ndarray, limit: int = 10, **options) -> list[str]:
    return [hit.fields["path"] for hit in store.search(ALBUM, vector, limit, **options)]


# --- searching ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"])
def test_a_filter_never_loses_photos_to_an_index(tmp_path: Path, kind: str) -> None:
    count = 50_000
    matrix = vectors(count)
    numbers = np.arange(count)
    # Folders that contain 1 photo, 10 photos, 1% and 50% of the photos.
    folder = np.select(
        [numbers == 777, (numbers > 5000) & (numbers <= 5010), numbers % 100 == 7, numbers % 2 == 0],
        ["one", "ten", "percent", "half"],
        "rest",
    )
    where = [f"{name}/{i:05d}.jpg" for i, name in enumerate(folder)]
    with Store(settings(tmp_path, kind)) as store:
        plan = choose_index(IndexConfig(type=kind), count, LITE)
        update(store, spec(plan), rows(matrix, path=where))
        for name in ("one", "ten", "percent", "half"):
            inside = np.flatnonzero(folder == name)
            for query in vectors(3, seed=9):
                best = inside[np.argsort(-(matrix[inside] @ query))[:10]]
                found = [int(p.split("/")[1][:5]) for p in paths(store, query, where=PathPrefix(name))]
                assert len(found) == min(10, len(inside))
                # 8-bit codes can swap neighbours; all other results must be exact.
                assert len(set(found) & set(best)) >= len(best) - (1 if kind == "IVF_SQ8" else 0), name


def test_an_exact_search_follows_when_a_graph_can_have_missed_the_best_rows(tmp_path: Path) -> None:
    matrix = vectors(30_000)
    passing = np.random.default_rng(3).choice(len(matrix), 40, replace=False)
    folder = np.where(np.isin(np.arange(len(matrix)), passing), "few", "rest")
    where = [f"{name}/{i:05d}.jpg" for i, name in enumerate(folder)]
    with Store(settings(tmp_path, "HNSW")) as store:
        update(
            store,
            spec(choose_index(IndexConfig(type="HNSW"), len(matrix), LITE)),
            rows(matrix, path=where),
        )
    queries = vectors(20, seed=9)
    with Store(settings(tmp_path, "HNSW")) as store:  # closing the store builds the graph
        met = IndexSearchParams(ef=4096)
        lost = 0
        for query in queries:
            best = passing[np.argsort(-(matrix[passing] @ query))[:5]].tolist()
            assert [h.id for h in store.search(ALBUM, query, 5, where=PathPrefix("few"))] == best
            alone = store.search_index(ALBUM, query, 5, where=PathPrefix("few"), params=met)
            lost += len(alone) == 5 and [hit.id for hit in alone] != best
        assert lost  # the graph alone misses rows; otherwise this test checks nothing


def test_results_are_sorted_by_cosine_similarity(store: Store) -> None:
    matrix = vectors(200)
    update(store, spec(), rows(matrix))
    hits = store.search(ALBUM, matrix[5], 5)
    order = np.argsort(-(matrix @ matrix[5]))[:5]
    assert [hit.id for hit in hits] == order.tolist()
    np.testing.assert_allclose([hit.score for hit in hits], (matrix @ matrix[5])[order], atol=1e-6)


@pytest.mark.parametrize("kind", ["FLAT", "IVF_FLAT", "HNSW"])
def test_a_minimum_score_is_inclusive(tmp_path: Path, kind: str) -> None:
    matrix = vectors(3000)
    with Store(settings(tmp_path, kind)) as store:
        update(store, spec(choose_index(IndexConfig(type=kind), 3000, LITE)), rows(matrix))
        scores = np.sort(matrix @ matrix[1])[::-1]
        third = store.search(ALBUM, matrix[1], 3)[-1].score
        assert len(paths(store, matrix[1], 50, min_score=third)) == 3
        assert len(paths(store, matrix[1], 50, min_score=float(scores[3]) + 1e-4)) == 3
        assert paths(store, matrix[1], 50, min_score=1.0001) == []
        assert paths(store, matrix[1], 10, min_score=0.9, where=PathPrefix("nowhere")) == []


@pytest.mark.parametrize(
    "folder",
    ["plain", "a_b", "100%", 'quo"te', "back\\slash", "it's", "new\nline", "日本", "😀", "a b", "{x}", "$1"],
)
def test_a_folder_filter_works_with_any_name(store: Store, folder: str) -> None:
    near_misses = [f"{folder}x/1.jpg", f"x{folder}/1.jpg", "axb/1.jpg", "100x/1.jpg", f"{folder}.jpg"]
    inside = [f"{folder}/1.jpg", f"{folder}/deep/2.jpg"]
    matrix = vectors(len(near_misses) + len(inside))
    update(store, spec(), rows(matrix, path=near_misses + inside))
    assert sorted(paths(store, matrix[0], where=PathPrefix(folder))) == sorted(inside)


# --- digests that existing collections store ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "kind", "digest"),
    [
        ("milvus_lite-3.2.2", "clip", "e66129ce6395"),
        ("milvus_lite-3.2.2", "vit", "678643747dd1"),
        ("milvus_lite-3.2.2", "faces", "28dc47f14cef"),
        ("2.3.5", "clip", "2718175175d9"),
        ("2.4.0", "clip", "255110cf82ef"),
        ("2.6.0", "clip", "c2b7abb8defd"),
    ],
)
def test_existing_collections_are_not_rebuilt(version: str, kind: str, digest: str) -> None:
    key, dialect = CollectionRef("album", kind).key, choose_dialect(version, "")
    assert hash_layout(key, COLLECTION_FIELDS[kind], dialect) == digest


def test_rows_of_november_2026_have_the_same_digest() -> None:
    columns = {
        "photo_id": pa.array([7], pa.int64()),
        "path": ["a/é.jpg"],
        "face_labels": [["Maya", "Zoë"]],
        "has_gps": [True],
        "latitude": [15.25],
        "year": pa.array([2023], pa.int32()),
        "class_score": pa.array([0.75], pa.float32()),
    }
    data = CollectionRows(pa.table(columns), np.asarray([[0.6, 0.8]], np.float32))
    ((row,),) = data.iterate_batches(np.asarray([0]), 10)
    assert row["digest"] == "8e1c65eb31d31adf5d2dbb4a59d7bf61"


# --- updating ----------------------------------------------------------------------------------------------


def test_an_update_changes_only_rows_that_differ(store: Store) -> None:
    matrix = vectors(100)
    assert update(store, spec(), rows(matrix)).inserted == 100
    again = update(store, spec(), rows(matrix))
    assert (again.inserted, again.updated, again.deleted, again.unchanged) == (0, 0, 0, 100)
    years = [1999] * 3 + [2000] * 97
    changed = matrix.copy()
    changed[50] = matrix[51]
    report = update(
        store, spec(), CollectionRows(rows(changed, year=years).scalars.slice(0, 90), changed[:90])
    )
    assert (report.updated, report.deleted, report.unchanged, report.rows) == (4, 10, 86, 90)
    assert len(store.search(ALBUM, matrix[0], 100)) == 90


def test_a_different_model_index_or_field_rebuilds_the_collection(store: Store) -> None:
    data = rows(vectors(50))
    graph = spec(IndexSpec("HNSW", {"M": 8, "efConstruction": 50}))
    update(store, spec(fingerprint="clip-0"), data)
    assert update(store, graph, data).rebuilt == "different model"
    assert update(store, spec(), data).rebuilt == "different index"
    fewer = CollectionRows(data.scalars.drop_columns(["class_label"]), data.vectors)
    assert update(store, replace(spec(), fields=FIELDS[:-1]), fewer).rebuilt == "different fields"
    assert update(store, spec(), data).rebuilt == "different fields"
    assert update(store, spec(), data, rebuild=True).rebuilt == "requested"
    assert [c.name for c in store.collections.list_all()] == store.collections.client.list_collections()
    assert store.collections.list_all()[0].rows == 50 and store.collections.list_all()[0].state == "ready"


def test_rows_that_are_not_valid_are_skipped_and_named(store: Store) -> None:
    matrix = vectors(5)
    matrix[1, 3] = np.nan
    matrix[2] *= 3
    names = ["a.jpg", "nan.jpg", "long.jpg", "é" * 3000 + ".jpg", "e.jpg"]
    report = update(store, spec(), rows(matrix, path=names))
    assert report.rows == 2
    assert {path[:8]: reason for path, reason in report.skipped.items()} == {
        "nan.jpg": "its vector is not a finite unit vector",
        "long.jpg": "its vector is not a finite unit vector",
        "é" * 8: "path is longer than 4096 bytes",
    }
    with pytest.raises(ValueError, match="expected vectors of shape"):
        update(store, spec(), rows(np.eye(5, 7, dtype=np.float32)))


@pytest.mark.parametrize("rebuild", [False, True])
def test_the_next_build_completes_an_interrupted_one(
    tmp_path: Path, rebuild: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = vectors(100)
    with Store(settings(tmp_path)) as store:
        update(store, spec(), rows(matrix))
        monkeypatch.setattr(collection_updates, "_BATCH_ROWS", 10)
        real, calls = store.collections.upsert, []

        def upsert_twice(*args) -> None:
            if len(calls) == 2:
                raise KeyboardInterrupt
            calls.append(real(*args))

        monkeypatch.setattr(store.collections, "upsert", upsert_twice)
        with pytest.raises(KeyboardInterrupt):
            update(store, spec(), rows(vectors(100, seed=1)), rebuild)
    with Store(settings(tmp_path)) as store:
        assert store.collections.find(ALBUM).state == "updating"
        assert len(paths(store, matrix[0], 200)) == 100  # still searchable
        report = update(store, spec(), rows(vectors(100, seed=1)), rebuild)
        assert report.rows == 100 and store.collections.find(ALBUM).state == "ready"
        assert len(store.collections.client.list_collections()) == 1
        assert (report.inserted + report.updated, report.unchanged) == (
            80,
            20,
        )  # an interrupted build is resumed


def test_dropping_a_dataset_keeps_the_others(store: Store) -> None:
    for name in ("album", "album_clip", "other"):
        update(store, spec(ref=CollectionRef(name, "clip")), rows(vectors(5)))
    store.collections.drop("album")
    assert [c.ref.dataset for c in store.collections.list_all()] == ["album_clip", "other"]
    with pytest.raises(
        UserError, match="no clip collection of dataset 'album'; existing datasets: album_clip, other"
    ):
        store.search(ALBUM, vectors(1)[0], 3)


def test_a_collection_of_another_program_is_refused(store: Store) -> None:
    store.collections.client.create_collection("album_clip", dimension=4)
    with pytest.raises(UserError, match="another program created album_clip"):
        store.search(ALBUM, vectors(1)[0], 3)


# --- arrays ----------------------------------------------------------------------------------------------


def test_lists_can_be_stored_as_arrays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server, which Milvus Lite replaces here."""
    monkeypatch.setattr(store.collections, "dialect", replace(LITE, lists_are_arrays=True))
    graph = spec(IndexSpec("HNSW", {"M": 16, "efConstruction": 100}))
    matrix = vectors(300)
    names = [f"{'in' if i % 3 else 'out'}/{i}.jpg" for i in range(300)]
    people = [["Maya", "Noor"] if i < 5 else [] for i in range(300)]
    data = rows(matrix, path=names, face_labels=people)
    assert update(store, graph, data).inserted == 300
    assert update(store, graph, data).unchanged == 300
    assert all(path.startswith("out/") for path in paths(store, matrix[0], where=PathPrefix("out")))
    hits = store.search(ALBUM, matrix[3], 300, where=Contains("face_labels", "Noor"), fields=("face_labels",))
    assert sorted(hit.id for hit in hits) == [0, 1, 2, 3, 4]
    assert list(hits[0].fields["face_labels"]) == ["Maya", "Noor"]
