"""Compaction of a table keeps exactly what lives, at whatever point it is killed."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from table_rows import NOTHING, append_photos, die_at, list_files, make_row

from imagesearch.pipeline import tables as tables_module
from imagesearch.pipeline.processed_photo import make_processed_table
from imagesearch.pipeline.tables import Table


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "clip")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five shards count as many, and two photos fill a compacted shard."""
    monkeypatch.setattr(tables_module, "_MANY_SHARDS", 5)
    monkeypatch.setattr(tables_module, "_PHOTOS_IN_COMPACTED_SHARD", 2)


def fill(table: Table) -> dict[int, float]:
    """Write nine shards with deleted and outdated photos, errors, and no rows; return what must be kept."""
    append_photos(table, 1, 2, 3, value=1)
    append_photos(table, 4, fingerprint="old")
    table.append("A", NOTHING, make_processed_table([make_row(5)]))
    append_photos(table, 2, value=2)
    table.append("A", NOTHING, make_processed_table([make_row(6, error="broken")]))
    append_photos(table, 7, value=3)
    append_photos(table, 3, fingerprint="old", value=4)
    append_photos(table, 8, value=5)
    append_photos(table, 1, value=6)
    return {1: 6, 2: 2, 7: 3}


WANTED = [1, 2, 3, 4, 5, 6, 7]


def check_compacted(table: Table, kept: dict[int, float]) -> None:
    processed = table.read_processed()
    live = {i: s for i, s in processed.items() if i in WANTED and s.fingerprint == "A"}
    assert set(live) == {*kept, 5, 6}
    assert live[6].error == "broken" and live[5].error is None
    ids, vectors = table.read_vectors(live.values())
    assert dict(zip(ids.tolist(), vectors[:, 1].tolist(), strict=True)) == kept


@pytest.mark.usefixtures("many")
def test_compaction_keeps_exactly_what_lives(table: Table) -> None:
    kept = fill(table)
    check_compacted(table, kept)
    table.compact(iter(WANTED), "A")
    check_compacted(table, kept)
    assert set(table.read_processed()) == {*kept, 5, 6}
    total = sum(len(table._load_shard("rows", shard)) for shard in table._list_shards())
    assert len(table._list_shards()) < 5 and total == len(kept)


def test_compaction_makes_no_object_for_each_photo(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "_MANY_SHARDS", 5)
    photos = 30_000
    for first in range(0, photos, 5_000):
        rows = [make_row(photo_id) for photo_id in range(first, first + 5_000)]
        table.append("A", NOTHING, make_processed_table(rows))
    tracemalloc.start()
    try:
        table.compact(range(photos), "A")
        needed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(table._list_shards()) == 1 and len(table.read_processed()) == photos
    assert needed < 150 * photos  # bytes; an entry takes about 500


@pytest.mark.usefixtures("many")
def test_a_table_all_of_whose_shards_are_empty(table: Table) -> None:
    for photo_id in range(14):
        table.append("A", NOTHING, make_processed_table([make_row(photo_id)]))
    table.compact(range(14), "A")
    assert set(table.read_processed()) == set(range(14)) and len(table._list_shards()) == 7
    assert table.read_rows(table.read_processed().values()) is None


@pytest.mark.usefixtures("many")
def test_a_table_nothing_of_which_lives(table: Table) -> None:
    fill(table)
    table.compact([], "A")
    assert list_files(table) == [] and table.read_processed() == {}


def test_few_shards_are_left_alone(table: Table) -> None:
    fill(table)
    before = list_files(table)
    table.compact(WANTED, "A")
    assert list_files(table) == before


@pytest.mark.usefixtures("many")
def test_a_compacted_table_is_not_compacted_again_however_large(table: Table) -> None:
    for photo_id in range(14):
        append_photos(table, photo_id)
    table.compact(range(14), "A")
    before = list_files(table)
    assert len(table._list_shards()) == 7  # more than many, but full
    table.compact(range(14), "A")
    assert list_files(table) == before


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("method", "calls"), [("replace", 6), ("unlink", 18)])
def test_compaction_survives_a_kill_at_any_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, calls: int
) -> None:
    for survived in range(calls):
        table = Table(tmp_path / f"{survived}")
        kept = fill(table)
        with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patch:
            die_at(patch, method, survived)
            table.compact(WANTED, "A")
        check_compacted(table, kept)
        with table.lock():
            table.compact(WANTED, "A")
        check_compacted(table, kept)


@pytest.mark.usefixtures("many")
def test_full_shards_of_which_all_is_kept_are_not_written_again(table: Table) -> None:
    for photo_id in range(14):
        append_photos(table, photo_id, value=photo_id)
    table.compact(range(14), "A")
    full = set(list_files(table))
    append_photos(table, 5, value=50)  # its shard has to be written again, and that of a photo that is gone
    for photo_id in range(14, 23):
        append_photos(table, photo_id, value=photo_id)
    wanted = set(range(23)) - {8}
    table.compact(wanted, "A")
    kept = full.intersection(list_files(table))
    assert len(full) == 14 and len(kept) == 14 - 4
    ids, vectors = table.read_vectors(table.read_processed().values())
    values = {photo_id: photo_id for photo_id in wanted} | {5: 50}
    assert dict(zip(ids.tolist(), vectors[:, 1].tolist(), strict=True)) == values


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("read", ["read_processed", "read_content_hashes", "list_paths", "read_errors"])
def test_a_compaction_during_reading_is_not_noticed(
    table: Table, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    fill(table)
    list_shards, lists = Table._list_shards, []

    def list_then_compact(self: Table) -> list[int]:
        shards = list_shards(self)
        lists.append(shards)
        if len(lists) == 1:
            Table(table.folder).compact(WANTED, "A")
        return shards

    monkeypatch.setattr(Table, "_list_shards", list_then_compact)
    found = getattr(table, read)()
    assert len(lists) > 2  # those of the compaction too
    monkeypatch.undo()
    expected = getattr(table, read)()
    assert str(found) == str(expected)
