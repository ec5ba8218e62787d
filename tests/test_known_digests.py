"""A process keeps the digests of the rows that it wrote; a build of another program makes them useless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_store import ALBUM, rows, settings, spec, vectors

from imagesearch.store import Store
from imagesearch.store.collection_updates import update_collections


def build(store: Store, year: int, **columns: Any) -> tuple[int, int, int]:
    data = rows(vectors(20), year=[year] * 20, **columns)
    report = update_collections(store, [(spec(), data)])["clip"]
    return report.inserted, report.updated, report.unchanged


def read_years(store: Store) -> set[int]:
    return {hit.fields["year"] for hit in store.read_all_rows(ALBUM, ["year"])}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collections whose digests were read from Milvus."""
    from imagesearch.store.collections import Collections

    names: list[str] = []
    original = Collections.iterate_rows

    def iterate(self, name: str, fields, expression: str = ""):
        if "digest" in fields:
            names.append(name)
        return original(self, name, fields, expression)

    monkeypatch.setattr(Collections, "iterate_rows", iterate)
    return names


def test_the_next_build_of_a_process_reads_no_digests(tmp_path: Path, reads: list[str]) -> None:
    with Store(settings(tmp_path)) as store:
        assert build(store, 2000) == (20, 0, 0)
        assert build(store, 2000) == (0, 0, 20)
        assert build(store, 2001) == (0, 20, 0)
        assert reads == []
    with Store(settings(tmp_path)) as store:
        assert build(store, 2001) == (0, 0, 20)
        assert len(reads) == 1


def test_a_build_of_another_program_is_noticed(tmp_path: Path, reads: list[str]) -> None:
    with Store(settings(tmp_path)) as one, Store(settings(tmp_path)) as other:
        build(one, 2000)
        build(other, 2001)
        assert build(one, 2000) == (0, 20, 0)
        assert read_years(one) == {2000}
        assert len(reads) == 2


def test_an_interrupted_build_makes_the_next_one_read_the_digests(tmp_path: Path, reads: list[str]) -> None:
    with Store(settings(tmp_path)) as store:
        build(store, 2000)

        def fail() -> str:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            data = rows(vectors(20), year=[2001] * 20)
            update_collections(store, [(spec(), data)], before_ready=fail)
        assert build(store, 2000) == (0, 20, 0)
        assert read_years(store) == {2000} and len(reads) == 1
