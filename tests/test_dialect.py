"""What differs between the versions of Milvus, and which index they get."""

from __future__ import annotations

import pytest

from imagesearch.config import IndexConfig, IndexSearchParams
from imagesearch.errors import UserError
from imagesearch.store import LITE, IndexSpec, choose_dialect, choose_index
from imagesearch.store.vector_index import check_options, choose_nlist

# --- versions of Milvus ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "is_lite", "has_bm25", "index_of_text", "index_of_list"),
    [
        ("milvus_lite-3.2.2", True, True, None, None),
        ("2.3.5", False, False, "Trie", None),
        ("v2.3.5-lite", False, False, "Trie", None),  # a real server from a package, and not Milvus Lite
        ("v2.4.15", False, False, "INVERTED", "INVERTED"),
        ("2.5.0", False, True, "INVERTED", "INVERTED"),
        ("v2.6.1-dev", False, True, "INVERTED", "INVERTED"),
        ("v3.1.0", False, True, "INVERTED", "INVERTED"),
        ("master-20261101-abcdef", False, True, "INVERTED", "INVERTED"),
    ],
)
def test_the_version_of_the_connection_determines_the_dialect(
    version: str, is_lite: bool, has_bm25: bool, index_of_text: str | None, index_of_list: str | None
) -> None:
    dialect = choose_dialect(version, "http://host:1")
    assert (dialect.is_lite, dialect.has_bm25) == (is_lite, has_bm25)
    assert dialect.lists_are_arrays is not is_lite
    assert dialect.scalar_indexes.get("VARCHAR") == index_of_text
    assert dialect.scalar_indexes.get("LIST") == index_of_list


@pytest.mark.parametrize("version", ["2.2.16", "v1.1.0"])
def test_older_servers_are_refused(version: str) -> None:
    with pytest.raises(UserError, match=r"http://host:1: Milvus .* is too old; expected Milvus 2.3 or later"):
        choose_dialect(version, "http://host:1")


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("milvus_lite-3.2.2", "DISKANN", "Milvus Lite 3.2.2 has no index type DISKANN; it has FLAT, HNSW"),
        ("2.3.5", "GPU_CAGRA", "Milvus 2.3.5 has no index type GPU_CAGRA; it has AUTOINDEX, DISKANN"),
        ("2.5.4", "IVF_RABITQ", "no index type IVF_RABITQ"),
        ("Cloud (compatible with Milvus 2.4)", "HNSW_SQ", "no index type HNSW_SQ"),
    ],
)
def test_an_index_type_of_another_version_is_refused(version: str, kind: str, expected: str) -> None:
    with pytest.raises(UserError, match=f"milvus.index.type: .*{expected}"):
        choose_index(IndexConfig(type=kind), 1000, choose_dialect(version, ""))


@pytest.mark.parametrize(
    ("version", "kind", "build", "search"),
    [
        ("2.3.5", "DISKANN", {}, {"search_list": 100}),
        ("2.3.5", "SCANN", {"nlist": 25}, {"nprobe": 8}),
        ("2.3.5", "AUTOINDEX", {}, {}),
        ("2.4.0", "GPU_CAGRA", {}, {}),
        ("2.6.0", "HNSW_SQ", {"M": 16, "efConstruction": 200}, {"ef": 512}),
        ("2.6.9", "LATER", {}, {}),
        ("3.0.0", "LATER", {}, {}),
    ],
)
def test_index_types_of_servers_and_their_options(version: str, kind: str, build: dict, search: dict) -> None:
    config = IndexConfig(type=kind, options={"sq_type": "SQ8"})
    plan = choose_index(config, 1000, choose_dialect(version, ""))
    assert plan == IndexSpec(kind, build | {"sq_type": "SQ8"})
    assert plan.make_search_params(IndexSearchParams(), 10, exhaustive=False) == search


@pytest.mark.parametrize(
    ("version", "index", "message"),
    [
        ("2.4.0", IndexConfig(options={"nlist": 0, "M": "abc"}), "options: M, nlist cannot be set here"),
        ("2.4.0", IndexConfig(search_options={"metric_type": "L2"}), "search_options: metric_type cannot be"),
        ("milvus_lite-3.2.2", IndexConfig(options={"m": 8}), "options: Milvus Lite 3.2.2 has no further"),
        ("milvus_lite-3.2.2", IndexConfig(search_options={"m": 8}), "search_options: Milvus Lite 3.2.2 has"),
    ],
)
def test_options_that_milvus_does_not_check_are_refused(
    version: str, index: IndexConfig, message: str
) -> None:
    with pytest.raises(UserError, match=f"milvus.index.{message}"):
        check_options(index, choose_dialect(version, ""))


# --- indexes -----------------------------------------------------------------------------------------------


def test_auto_depends_on_the_number_of_photos_and_the_engine() -> None:
    assert choose_index(IndexConfig(), 50_000, LITE).type == "FLAT"
    assert choose_index(IndexConfig(), 500_000, LITE).type == "HNSW"
    assert choose_index(IndexConfig(), 50_000, choose_dialect("2.5.0", "")).type == "HNSW"
    assert choose_index(IndexConfig(), 50_000_000, choose_dialect("2.5.0", "")).type == "IVF_SQ8"


def test_the_number_of_clusters_grows_with_the_square_root() -> None:
    assert [choose_nlist(n) for n in (1, 100, 10_000, 1_000_000)] == [1, 2, 256, 4000]


def test_an_exhaustive_search_includes_every_cluster() -> None:
    plan = choose_index(IndexConfig(type="IVF_FLAT"), 1_000_000, LITE)
    params = IndexSearchParams()
    assert plan.make_search_params(params, 10, exhaustive=False) == {"nprobe": 250}
    assert plan.make_search_params(params, 10, exhaustive=True) == {"nprobe": 4000}
    graph = choose_index(IndexConfig(type="HNSW"), 1000, LITE)
    assert graph.make_search_params(IndexSearchParams(ef=10), 100, exhaustive=False) == {"ef": 100}


def test_a_slightly_larger_album_keeps_its_clusters() -> None:
    plans = [choose_index(IndexConfig(type="IVF_FLAT"), n, LITE) for n in (10_000, 12_000, 100_000)]
    assert plans[0].is_compatible(plans[1]) and not plans[0].is_compatible(plans[2])
