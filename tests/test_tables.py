"""A table keeps its entries and rows, at whatever point the program that writes it is killed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_rows import NOTHING, append_photos, die_at, list_files, make_row, make_vectors, read_content

from imagesearch.errors import UserError
from imagesearch.pipeline import ProcessedPhoto, make_vector_column
from imagesearch.pipeline import tables as tables_module
from imagesearch.pipeline.processed_photo import make_processed_table
from imagesearch.pipeline.tables import Table


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "year=2023 [é] #1" / "clip")


def test_what_is_written_is_read(table: Table) -> None:
    append_photos(table, 1, 2)
    append_photos(table, 3, fingerprint="B")
    processed = table.read_processed()
    assert processed[1] == ProcessedPhoto(1, "1.jpg", 1, 7, b"\1" * 16, 4, 3, None, 1, "A")
    assert processed[3].fingerprint == "B"
    assert read_content(table) == {1: 0, 2: 0, 3: 0}
    read = table.read_rows(processed.values())
    assert read is not None and read.column_names == ["photo_id", "vector"]
    assert read["photo_id"].to_pylist() == [1, 2, 3]
    assert list(table.read_processed(pa.array([2], pa.int64()))) == [2]


def test_a_table_that_does_not_exist_is_empty(table: Table) -> None:
    assert table.read_processed() == {} and table.read_rows([]) is None
    ids, vectors = table.read_vectors([])
    assert len(ids) == 0 and vectors.shape[0] == 0 and vectors.dtype == np.float32
    assert not table.folder.exists()


def test_only_what_is_asked_for_is_read(table: Table) -> None:
    append_photos(table, 1, 2, 3)
    processed = table.read_processed()
    assert table.read_vectors([processed[2]])[0].tolist() == [2]
    assert table.read_rows([processed[3]], ["photo_id"]).to_pydict() == {"photo_id": [3]}


def test_the_newest_entry_wins(table: Table) -> None:
    append_photos(table, 1, 2, value=1)
    append_photos(table, 2, 3, value=2)
    assert read_content(table) == {1: 1, 2: 2, 3: 2}
    table.append("A", NOTHING, make_processed_table([make_row(3, error="broken")]))
    assert table.read_processed()[3].error == "broken"
    assert read_content(table) == {1: 1, 2: 2}


def test_errors_are_those_of_the_newest_entries(table: Table) -> None:
    assert table.read_errors() == {}
    table.append(
        "A", NOTHING, make_processed_table([make_row(1, error="broken"), make_row(2, error="empty")])
    )
    append_photos(table, 1, 3)
    table.append("A", NOTHING, make_processed_table([make_row(2, error="too large"), make_row(3)]))
    assert table.read_errors() == {2: "too large"}


def test_the_tenth_shard_is_newer_than_the_ninth_and_the_millionth_than_the_rest(table: Table) -> None:
    for value in range(12):
        append_photos(table, 1, value=value)
    for kind in ("rows", "seen"):
        (table.folder / f"{kind}-000012.parquet").rename(table.folder / f"{kind}-1000000.parquet")
    assert read_content(table) == {1: 11}
    append_photos(table, 1, value=99)
    assert read_content(table) == {1: 99}


def test_photos_with_no_row_one_or_many(table: Table) -> None:
    found = pa.table({"photo_id": pa.array([2, 3, 3], pa.int64()), "box": [1, 2, 3]})
    table.append("A", found, make_processed_table([make_row(1), make_row(2), make_row(3)]))
    table.append("A", NOTHING, make_processed_table([make_row(4)]))
    assert set(table.read_processed()) == {1, 2, 3, 4}
    assert table.read_rows(table.read_processed().values(), ["photo_id", "box"]).to_pydict() == {
        "photo_id": [2, 3, 3],
        "box": [1, 2, 3],
    }
    assert table.read_rows([table.read_processed()[4]], ["photo_id", "box"]) is None


def test_rows_of_photos_that_were_not_seen_do_not_count(table: Table) -> None:
    table.append("A", make_vectors(1, 2), make_processed_table([make_row(1)]))
    assert read_content(table) == {1: 0}


# --- kills -------------------------------------------------------------------------------------------------


def test_what_a_kill_left_is_ignored_and_cleaned(table: Table) -> None:
    append_photos(table, 1)
    good = list_files(table)
    for name in ("rows-000002.parquet", "rows-000003.part", "seen-000003.part"):
        (table.folder / name).write_bytes(b"half")
    assert read_content(table) == {1: 0}
    with table.lock():
        assert list_files(table) == good
    (table.folder / "rows-000002.parquet").write_bytes(b"half")
    append_photos(table, 2)
    assert read_content(table) == {1: 0, 2: 0}


@pytest.mark.parametrize("survived", [0, 1])
def test_a_kill_between_the_files_of_a_shard_loses_that_shard_only(
    table: Table, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    append_photos(table, 1)
    with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patch:
        die_at(patch, "replace", survived)
        append_photos(table, 1, 2, value=5)
    assert read_content(table) == {1: 0}
    with table.lock():
        append_photos(table, 2, value=6)
    assert read_content(table) == {1: 0, 2: 6}


# --- rows under new ids ------------------------------------------------------------------------------------


def test_rows_can_be_had_under_other_ids(table: Table) -> None:
    found = pa.table({"photo_id": pa.array([2, 1, 2], pa.int64()), "box": [1, 2, 3]})
    table.append("A", found, make_processed_table([make_row(1), make_row(2)]))
    table.append("A", NOTHING, make_processed_table([make_row(3)]))
    processed = table.read_processed()
    copied = table.copy_rows([(processed[2], 20), (processed[3], 30), (processed[1], 10)])
    assert copied.to_pydict() == {"photo_id": [20, 10, 20], "box": [1, 2, 3]}


# --- memory ------------------------------------------------------------------------------------------------


def test_reading_vectors_copies_them_once(table: Table) -> None:
    dimension, photos, shards = 512, 2_500, 8
    vectors = np.random.default_rng(0).random((photos, dimension), np.float32)
    for shard in range(shards):
        ids = range(shard * photos, (shard + 1) * photos)
        found = pa.table({"photo_id": pa.array(ids, pa.int64()), "vector": make_vector_column(vectors)})
        table.append("A", found, make_processed_table([make_row(i) for i in ids]))
    processed = list(table.read_processed().values())
    size = shards * vectors.nbytes  # 41 MB
    gc.collect()
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    peaks = []
    load = Table._load_shard

    def watched(self: Table, *args: object) -> pa.Table:
        loaded = load(self, *args)
        peaks.append(pool.bytes_allocated() - before)
        return loaded

    tracemalloc.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Table, "_load_shard", watched)
            ids, matrix = table.read_vectors(processed)
        python_peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert matrix.nbytes == size and matrix.dtype == np.float32 and len(set(ids.tolist())) == len(processed)
    assert (matrix[-photos:] == vectors).all()
    assert python_peak < 1.2 * size  # the result itself; a list of floats would be 8 times as much
    assert python_peak + max(peaks) < 2 * size  # and a few shards at a time, not the table


def test_a_column_of_vectors_is_not_copied() -> None:
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.shares_memory(make_vector_column(vectors).flatten().to_numpy(), vectors)


def test_a_file_that_vanishes_while_files_are_listed_does_not_empty_the_table(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_photos(table, 1)
    append_photos(table, 2)
    expected, scan, calls = table.list_versions(), os.scandir, []

    class Vanished:
        name = "seen-000009.parquet"

        def stat(self) -> None:
            raise FileNotFoundError

    @contextmanager
    def scan_once_with_another(folder: Path) -> Iterator[list]:
        calls.append(folder)
        with scan(folder) as entries:
            yield [*entries, *([Vanished()] if len(calls) == 1 else [])]

    monkeypatch.setattr(os, "scandir", scan_once_with_another)
    assert table.list_versions() == expected and len(expected) == len(calls) == 2


def test_vectors_take_no_more_room_than_their_numbers(table: Table) -> None:
    vectors = np.random.default_rng(1).normal(size=(512, 512)).astype(np.float32)
    rows = pa.table({"photo_id": pa.array(range(512)), "vector": make_vector_column(vectors)})
    table.append("A", rows, make_processed_table([make_row(photo_id) for photo_id in range(512)]))
    (file,) = table.folder.glob("rows-*.parquet")
    assert file.stat().st_size < 1.05 * vectors.nbytes
    assert np.array_equal(table.read_vectors(table.read_processed().values())[1], vectors)


# --- others ------------------------------------------------------------------------------------------------

_TRY_TO_LOCK = """
import sys
from pathlib import Path
from imagesearch.errors import UserError
from imagesearch.pipeline.tables import Table
try:
    with Table(Path(sys.argv[1])).lock():
        print("locked")
except UserError as error:
    print(error)
"""


def test_a_second_process_cannot_write(table: Table) -> None:
    def other() -> str:
        command = [sys.executable, "-c", _TRY_TO_LOCK, str(table.folder)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with table.lock():
        assert "another run is writing here" in other()
    assert other() == "locked"


def test_a_lock_is_given_back_after_an_error(table: Table) -> None:
    with pytest.raises(ZeroDivisionError), table.lock():
        raise ZeroDivisionError
    with table.lock(), pytest.raises(UserError), Table(table.folder).lock():
        pass


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("rows", "gone"),
        *((kind, damage) for kind in ("rows", "seen") for damage in ("empty", "half", "text")),
    ],
)
def test_a_damaged_file_is_named(table: Table, kind: str, damage: str) -> None:
    append_photos(table, *range(1, 50))
    processed = table.read_processed()
    file = table.folder / f"{kind}-000001.parquet"
    whole = file.read_bytes()
    file.write_bytes({"half": whole[: len(whole) // 2], "text": b"hello" * 50}.get(damage, b""))
    if damage == "gone":
        file.unlink()
    with pytest.raises(UserError, match=r"(rows|seen)-000001\.parquet: cannot be read.*run the step again"):
        table.read_processed() if kind == "seen" else table.read_vectors(processed.values())


@given(
    actions=st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["row", "none", "error"])), max_size=4),
            st.booleans(),
        ),
        max_size=12,
    ),
    living=st.sets(st.integers(0, 6)),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_table_is_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory,
    actions: list[tuple[str, list[tuple[int, str]], bool]],
    living: set[int],
) -> None:
    """Whatever is appended and compacted in whatever order, a reader gets what a dictionary would hold."""
    table = Table(tmp_path_factory.mktemp("model") / "t")
    model: dict[int, tuple[str, str, int]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables_module, "_MANY_SHARDS", 2)
        patch.setattr(tables_module, "_PHOTOS_IN_COMPACTED_SHARD", 2)
        for turn, (fingerprint, photos, compact) in enumerate(actions):
            outcomes = dict(photos)
            found = [i for i, outcome in outcomes.items() if outcome == "row"]
            rows = [make_row(i, error="x" if o == "error" else None) for i, o in outcomes.items()]
            vectors = make_vectors(*found, value=turn) if found else NOTHING
            table.append(fingerprint, vectors, make_processed_table(rows))
            model |= {i: (outcome, fingerprint, turn) for i, outcome in outcomes.items()}
            if compact:
                table.compact(living, "A")
                if len(table._list_shards()) == 0:
                    assert not {i for i, (_, f, _) in model.items() if f == "A" and i in living}
        live = {i: m for i, m in model.items() if m[1] == "A" and i in living}
        processed = {i: s for i, s in table.read_processed().items() if s.fingerprint == "A" and i in living}
        assert {i: s.error is None for i, s in processed.items()} == {
            i: m[0] != "error" for i, m in live.items()
        }
        ids, vectors = table.read_vectors(processed.values())
        assert dict(zip(ids.tolist(), vectors[:, 1].tolist() if len(ids) else [], strict=True)) == {
            i: turn for i, (outcome, _, turn) in live.items() if outcome == "row"
        }
