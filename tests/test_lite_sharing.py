"""Several programs with one Milvus Lite file: real processes, a real Milvus Lite."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from pymilvus.exceptions import MilvusException
from store_processes import StartProgram, find_nearest
from store_program import open_store
from test_store import ALBUM, rows, spec, vectors

from imagesearch.errors import UserError
from imagesearch.store import CollectionRef
from imagesearch.store.collection_updates import update_collections
from imagesearch.store.lite_client import LiteClient
from imagesearch.store.lite_server import read_address

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets and signals")


# --- two programs ------------------------------------------------------------------------------------------


def test_a_second_program_finds_the_same_while_the_first_has_the_file_open(
    database: Path, start: StartProgram
) -> None:
    first, second = start(database), start(database)
    assert (first.run("is_opener"), second.run("is_opener")) == (True, False)
    answers = [(first.run("search", seed), second.run("search", seed)) for seed in range(3)]
    assert all(one == two and len(one) == 5 for one, two in answers)
    assert answers[0][0] == find_nearest(database, 0)  # a third program


def test_two_spellings_of_a_path_are_one_file(database: Path, start: StartProgram) -> None:
    start(database)
    link = database.parent / "link.db"
    link.symlink_to(database, target_is_directory=True)
    for spelling in (link, Path(os.path.relpath(database)), database.parent / "x" / ".." / database.name):
        assert len(find_nearest(spelling, 1)) == 5


def test_two_stores_of_one_program_share_a_server(database: Path, start: StartProgram) -> None:
    with open_store(database) as one:
        address = read_address(database)
        with open_store(database) as two:
            assert one.search(ALBUM, vectors(1)[0], 5) == two.search(ALBUM, vectors(1)[0], 5)
        assert len(one.search(ALBUM, vectors(1)[0], 5)) == 5
        assert read_address(database) == address  # the server was not closed
        assert start(database).run("is_opener") is False
    assert start(database).run("is_opener") is True


def test_rows_that_one_program_writes_are_found_by_the_other(database: Path, start: StartProgram) -> None:
    first, second = start(database), start(database)
    assert second.run("build", "other", 50)["rows"] == 50
    assert first.run("read_keys", "other") == list(range(50))
    assert second.run("build", "album", 310)["rows"] == 310
    assert len(first.run("read_keys")) == 310


# --- the opener ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_program_goes_on_when_the_one_that_opened_the_file_ends(
    database: Path, start: StartProgram, end: str
) -> None:
    first, second = start(database), start(database)
    expected = second.run("search", 3)
    if end == "close":
        first.run("close")
    else:
        first.kill()
    began = time.monotonic()
    assert second.run("search", 3) == expected
    assert time.monotonic() - began < 2
    assert second.run("is_opener") is True
    assert start(database).run("search", 3) == expected


def test_two_programs_go_on_together_when_the_opener_is_killed(database: Path, start: StartProgram) -> None:
    opener, *others = start(database), start(database), start(database)
    expected = others[0].run("search", 3)
    opener.kill()
    for other in others:
        other.send("search", 3)
    assert [other.receive() for other in others] == [expected] * 2
    assert sorted(other.run("is_opener") for other in others) == [False, True]


def test_no_acknowledged_row_is_lost_when_the_opener_is_killed(
    database: Path, start: StartProgram, tmp_path: Path
) -> None:
    first, writer, reader = start(database), start(database), start(database)
    log = tmp_path / "acknowledged.txt"
    writer.send("upsert_forever", str(log))
    for wanted in (20, 50):
        deadline = time.monotonic() + 20
        while not log.exists() or len(log.read_text().splitlines()) < wanted:
            assert time.monotonic() < deadline and writer.process.poll() is None
            time.sleep(0.01)
        first.kill()
    writer.kill()
    acknowledged = {int(line) for line in log.read_text().splitlines()}
    assert len(acknowledged) >= 50
    assert acknowledged <= set(reader.run("read_keys", "log"))


@pytest.mark.parametrize("end", ["close", "kill"])
def test_reading_all_rows_neither_loses_nor_repeats_any_when_the_opener_ends(
    database: Path, start: StartProgram, end: str
) -> None:
    first, second = start(database), start(database)
    assert first.run("build", "album", 12_000)["rows"] == 12_000  # three batches
    second.send("count_slowly", 1.0)
    assert second.receive() == "reading"
    if end == "close":
        first.run("close")
    else:
        first.kill()
    assert second.receive() == 12_000


def test_a_build_goes_on_when_the_opener_is_killed(database: Path, start: StartProgram) -> None:
    first, second = start(database), start(database)
    second.send("build", "other", 12_000)
    time.sleep(0.7)
    first.kill()
    assert second.receive()["rows"] == 12_000
    assert second.run("read_keys", "other") == list(range(12_000))
    assert second.run("search", 3) == find_nearest(database, 3)


def test_calls_in_progress_are_completed_when_the_opener_closes(database: Path, start: StartProgram) -> None:
    first, second = start(database), start(database)
    second.send("build", "other", 12_000)
    time.sleep(0.7)
    first.run("close")
    assert second.receive()["rows"] == 12_000
    assert second.run("read_keys", "other") == list(range(12_000))


def test_what_a_program_does_not_close_is_closed_at_its_end(database: Path, start: StartProgram) -> None:
    program = start(database)
    address = read_address(database)
    program.run("build", "other", 20)
    program.send("fail")
    assert "KeyboardInterrupt" in program.end()
    assert not database.with_name("milvus.db.address").exists()
    assert not Path(address.uri.removeprefix("unix:")).parent.exists()
    assert start(database).run("read_keys", "other") == list(range(20))


@posix_only
def test_a_forked_process_leaves_the_file_to_its_parent(database: Path, start: StartProgram) -> None:
    store = open_store(database)
    child = os.fork()
    if not child:
        try:
            store.close()
            time.sleep(60)
        finally:
            os._exit(0)
    try:
        assert len(store.search(ALBUM, vectors(1)[0], 5)) == 5
        assert start(database).run("is_opener") is False
        store.close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@posix_only
def test_a_forked_process_does_not_hold_the_lock_of_its_killed_parent(
    database: Path, start: StartProgram
) -> None:
    parent = start(database)
    child = parent.run("fork")
    try:
        parent.kill()
        assert start(database).run("is_opener") is True
    finally:
        os.kill(child, signal.SIGKILL)


# --- writing -----------------------------------------------------------------------------------------------


def test_builds_of_two_datasets_wait_for_each_other(database: Path, start: StartProgram) -> None:
    first, second = start(database), start(database)
    programs = {"one": first, "two": second}
    for dataset, program in programs.items():
        program.send("build", dataset, 20_000)
    built = [program.receive() for program in programs.values()]
    assert [result["rows"] for result in built] == [20_000] * 2
    assert len(first.run("read_keys", "one")) == len(first.run("read_keys", "two")) == 20_000
    messages = [program.end() for program in programs.values()]
    assert sorted(messages) == [
        "",
        f"{database}: waiting until another program has finished writing\n",
    ]


def test_a_search_does_not_wait_for_a_writer(database: Path, start: StartProgram) -> None:
    reader = start(database)
    with open_store(database) as store, store.collections.client.lock_for_writing():
        began = time.monotonic()
        assert len(reader.run("search", 1)) == 5
        assert time.monotonic() - began < 1


def test_the_lock_for_writing_excludes_programs_and_threads_and_can_be_nested(
    database: Path, start: StartProgram
) -> None:
    order = []
    with open_store(database) as store:
        client = store.collections.client

        def write() -> None:
            with client.lock_for_writing():
                order.append("thread")

        with client.lock_for_writing(), client.lock_for_writing():
            thread = threading.Thread(target=write)
            thread.start()
            program = start(database)
            program.send("build", "other", 10)
            time.sleep(0.5)
            order.append("first")
        thread.join()
        assert program.receive()["rows"] == 10
    assert order == ["first", "thread"]


def test_the_lock_of_a_killed_writer_is_free(database: Path, start: StartProgram) -> None:
    writer = start(database)
    writer.send("build", "other", 50_000)
    time.sleep(1)
    writer.kill()
    began = time.monotonic()
    program = start(database)
    assert program.run("build", "third", 10)["rows"] == 10
    assert time.monotonic() - began < 10
    assert program.end() == ""


def test_dropping_waits_for_a_build(database: Path, start: StartProgram) -> None:
    builder = start(database)
    with open_store(database) as store:
        builder.send("build", "other", 20_000)
        time.sleep(1)
        dropped = store.collections.drop("other")
        built = builder.receive()
        assert dropped == ["other_clip__1"] and built["rows"] == 20_000
        assert store.collections.find(CollectionRef("other", "clip")) is None


# --- interrupted calls -------------------------------------------------------------------------------------


def interrupt(client: LiteClient, name: str, *, completed: bool) -> None:
    """Let the next call of a method lose its connection, before or after the server has completed it."""
    import grpc

    class Lost(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNAVAILABLE

    pymilvus = client._connection.client
    real = getattr(pymilvus, name)

    def call(*args, **options) -> None:
        if completed:
            real(*args, **options)
        raise Lost

    setattr(pymilvus, name, call)


@pytest.mark.parametrize("completed", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        *("create_collection", "upsert", "delete", "flush", "load_collection", "create_alias", "alter_alias"),
        *("drop_collection", "alter_collection_properties", "query_iterator", "query"),
    ],
)
def test_an_interrupted_call_of_a_build_is_repeated(tmp_path: Path, name: str, completed: bool) -> None:
    if name not in ("create_collection", "create_alias"):
        with open_store(tmp_path / "milvus.db") as first:  # the next one does not know its digests
            update_collections(first, [(spec(), rows(vectors(30)))])
    with open_store(tmp_path / "milvus.db") as store:
        client = store.collections.client
        connection = client._connection
        interrupt(client, name, completed=completed)
        rebuild = name in ("alter_alias", "drop_collection")
        report = update_collections(store, [(spec(), rows(vectors(20, seed=1)))], rebuild)["clip"]
        assert client._connection is not connection  # the call was interrupted
        assert (report.rows, [hit.id for hit in store.read_all_rows(ALBUM)]) == (20, list(range(20)))
        assert [collection.name for collection in store.collections.list_all()] == client.list_collections()


def test_a_collection_with_rows_is_not_dropped_by_a_repeated_creation(tmp_path: Path) -> None:
    with open_store(tmp_path / "milvus.db") as store:
        update_collections(store, [(spec(), rows(vectors(30)))])
        interrupt(store.collections.client, "create_collection", completed=False)
        with pytest.raises(MilvusException, match="already exists"):
            store.collections.create(spec(), "album_clip__1")
        assert len(list(store.read_all_rows(ALBUM))) == 30


def test_a_collection_that_was_half_created_or_half_dropped_is_removed(database: Path) -> None:
    for name in ("other_clip__1", "third_clip__1"):
        (database / "collections" / name / "wal").mkdir(parents=True)
    with open_store(database) as store:
        update_collections(store, [(spec(ref=CollectionRef("other", "clip")), rows(vectors(10)))])
        assert len(store.collections.list_all()) == 2
    assert not (database / "collections" / "third_clip__1").exists()


def test_threads_open_a_collection_once(database: Path) -> None:
    for _ in range(3):
        with open_store(database) as store:
            milvus = store.collections.client._connection.server._database
            barrier, opened = threading.Barrier(8), []

            def open_collection(milvus=milvus, barrier=barrier, opened=opened) -> None:
                barrier.wait()
                opened.append(milvus.get_collection("album_clip"))

            threads = [threading.Thread(target=open_collection) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(opened) == 8 and len(set(map(id, opened))) == 1


def test_a_store_can_be_closed_twice_while_another_uses_the_file(database: Path) -> None:
    with open_store(database) as store:
        address = read_address(database)
        other = open_store(database)
        other.close()
        other.close()
        assert len(store.search(ALBUM, vectors(1)[0], 5)) == 5
        assert read_address(database) == address  # the server was not closed
        with pytest.raises(UserError, match="the connection is closed"):
            other.search(ALBUM, vectors(1)[0], 5)
