"""Several programs with one Milvus Lite file: real processes, a real Milvus Lite."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from store_program import open_store
from test_store import ALBUM, rows, spec, vectors

from imagesearch.errors import UserError
from imagesearch.store import CollectionRef
from imagesearch.store.build import update_collections
from imagesearch.store.lite_server import read_address

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets and signals")
PROGRAM = Path(__file__).with_name("store_program.py")
PYMILVUS = """
import sys, pymilvus
client = pymilvus.MilvusClient(sys.argv[1])
print('"ready"', flush=True)
sys.stdin.read()
"""


class Process:
    """A running program with pipes; commands and answers are lines of JSON."""

    def __init__(self, *command: str | Path) -> None:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen([sys.executable, *map(str, command)], text=True, **pipes)

    def send(self, *command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the program ended: {self.process.stderr.read()}")
        return json.loads(line)

    def run(self, *command: Any) -> Any:
        self.send(*command)
        return self.receive()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> str:
        """End the input; return what the program wrote to stderr."""
        _, errors = self.process.communicate(timeout=30)
        return errors


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs that open a database, and ends them after the test."""
    processes = []

    def start_program(database: Path, *command: str, wait: bool = True) -> Process:
        process = Process(*(command or (PROGRAM,)), database)
        processes.append(process)
        if wait:
            assert process.receive() == "ready"
        return process

    yield start_program
    for process in processes:
        process.kill()
        for stream in (process.process.stdin, process.process.stdout, process.process.stderr):
            stream.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a collection of 300 photos."""
    file = tmp_path / "milvus.db"
    with open_store(file) as store:
        update_collections(store, [(spec(), rows(vectors(300)))])
    return file


def find_nearest(database: Path, seed: int) -> list[int]:
    with open_store(database) as store:
        return [hit.id for hit in store.search(ALBUM, vectors(1, seed)[0], 5)]


# --- two programs ------------------------------------------------------------------------------------------


def test_a_second_program_finds_the_same_while_the_first_has_the_file_open(
    database: Path, start: Start
) -> None:
    first, second = start(database), start(database)
    assert (first.run("is_opener"), second.run("is_opener")) == (True, False)
    answers = [(first.run("search", seed), second.run("search", seed)) for seed in range(3)]
    assert all(one == two and len(one) == 5 for one, two in answers)
    assert answers[0][0] == find_nearest(database, 0)  # a third program


def test_two_spellings_of_a_path_are_one_file(database: Path, start: Start) -> None:
    start(database)
    link = database.parent / "link.db"
    link.symlink_to(database, target_is_directory=True)
    for spelling in (link, Path(os.path.relpath(database)), database.parent / "x" / ".." / database.name):
        assert len(find_nearest(spelling, 1)) == 5


def test_two_stores_of_one_program_share_a_server(database: Path, start: Start) -> None:
    with open_store(database) as one:
        with open_store(database) as two:
            assert one.search(ALBUM, vectors(1)[0], 5) == two.search(ALBUM, vectors(1)[0], 5)
        assert len(one.search(ALBUM, vectors(1)[0], 5)) == 5
        assert start(database).run("is_opener") is False
    assert start(database).run("is_opener") is True


def test_rows_that_one_program_writes_are_found_by_the_other(database: Path, start: Start) -> None:
    first, second = start(database), start(database)
    assert second.run("build", "other", 50)["rows"] == 50
    assert first.run("read_keys", "other") == list(range(50))
    assert second.run("build", "album", 310)["rows"] == 310
    assert len(first.run("read_keys")) == 310


# --- the opener ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_program_goes_on_when_the_one_that_opened_the_file_ends(
    database: Path, start: Start, end: str
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


def test_two_programs_go_on_together_when_the_opener_is_killed(database: Path, start: Start) -> None:
    opener, *others = start(database), start(database), start(database)
    expected = others[0].run("search", 3)
    opener.kill()
    for other in others:
        other.send("search", 3)
    assert [other.receive() for other in others] == [expected] * 2
    assert sorted(other.run("is_opener") for other in others) == [False, True]


def test_no_acknowledged_row_is_lost_when_the_opener_is_killed(
    database: Path, start: Start, tmp_path: Path
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
    database: Path, start: Start, end: str
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


def test_a_build_goes_on_when_the_opener_is_killed(database: Path, start: Start) -> None:
    first, second = start(database), start(database)
    second.send("build", "other", 12_000)
    time.sleep(0.7)
    first.kill()
    assert second.receive()["rows"] == 12_000
    assert second.run("read_keys", "other") == list(range(12_000))
    assert second.run("search", 3) == find_nearest(database, 3)


def test_calls_in_progress_are_completed_when_the_opener_closes(database: Path, start: Start) -> None:
    first, second = start(database), start(database)
    second.send("build", "other", 12_000)
    time.sleep(0.7)
    first.run("close")
    assert second.receive()["rows"] == 12_000
    assert second.run("read_keys", "other") == list(range(12_000))


def test_what_a_program_does_not_close_is_closed_at_its_end(database: Path, start: Start) -> None:
    program = start(database)
    address = read_address(database)
    program.run("build", "other", 20)
    program.send("fail")
    assert "KeyboardInterrupt" in program.end()
    assert not database.with_name("milvus.db.address").exists()
    assert not Path(address.uri.removeprefix("unix:")).parent.exists()
    assert start(database).run("read_keys", "other") == list(range(20))


@posix_only
def test_a_forked_process_leaves_the_file_to_its_parent(database: Path, start: Start) -> None:
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
        store.close()  # the child, which is still running, does not hold the lock
        assert start(database).run("is_opener") is True
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# --- the address file --------------------------------------------------------------------------------------


@posix_only
def test_only_this_user_can_connect(database: Path, start: Start) -> None:
    start(database)
    file = database.with_name("milvus.db.address")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    folder = Path(read_address(database).uri.removeprefix("unix:")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix_only
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="requires Linux")
def test_the_opener_has_no_tcp_port(database: Path, start: Start) -> None:
    program = start(database)
    program.run("search", 1)
    files = Path(f"/proc/{program.process.pid}/fd").iterdir()
    open_files = {str(file.readlink()) for file in files if file.is_symlink()}
    tables = "".join(Path("/proc/net", name).read_text() for name in ("tcp", "tcp6"))
    sockets = [line.split() for line in tables.splitlines()]
    listening = {f"socket:[{columns[9]}]" for columns in sockets if columns[3] == "0A"}
    assert any(file.startswith("socket:") for file in open_files)
    assert not open_files & listening


def test_a_call_without_the_token_is_rejected(database: Path, start: Start) -> None:
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    start(database)
    address = read_address(database)
    with pytest.raises(MilvusException, match="illegal connection params"):
        MilvusClient(address.uri, token="guess", timeout=3)
    assert MilvusClient(address.uri, token=address.token, timeout=3).list_collections()


def test_the_address_of_a_killed_process_is_ignored_and_its_socket_removed(
    database: Path, start: Start
) -> None:
    killed = start(database)
    killed.kill()
    folder = Path(read_address(database).uri.removeprefix("unix:")).parent
    assert folder.exists()
    began = time.monotonic()
    assert start(database).run("is_opener") is True
    assert time.monotonic() - began < 5
    assert not folder.exists()


@pytest.mark.parametrize("content", ["", "garbage", "[]", "{}", '{"uri": 5}', "\udcff"])
def test_a_damaged_address_file_is_replaced(database: Path, start: Start, content: str) -> None:
    file = database.with_name("milvus.db.address")
    file.write_text(content, errors="surrogateescape")
    assert len(find_nearest(database, 1)) == 5
    file.write_text(content, errors="surrogateescape")
    with open_store(database):
        assert read_address(database).process == os.getpid()
        assert start(database).run("is_opener") is False


@posix_only
@pytest.mark.parametrize("is_locked", [False, True])
def test_the_socket_of_another_program_is_not_used(
    database: Path, start: Start, tmp_path_factory: pytest.TempPathFactory, is_locked: bool
) -> None:
    killed = start(database)
    killed.kill()
    file = database.with_name("milvus.db.address")
    values = json.loads(file.read_text())
    path = Path(values["uri"].removeprefix("unix:"))
    shutil.rmtree(path.parent)
    path.parent.mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(path))
        foreign.listen()
        if is_locked:
            start(database, "-c", PYMILVUS)
            began = time.monotonic()
            with pytest.raises(UserError, match="another process has it open"):
                open_store(database)
            assert time.monotonic() - began < 9
        else:
            began = time.monotonic()
            assert len(find_nearest(database, 1)) == 5
            assert time.monotonic() - began < 3
            assert path.exists()
    shutil.rmtree(path.parent)


def test_a_copy_of_a_database_is_not_mistaken_for_the_open_one(database: Path, start: Start) -> None:
    start(database).run("search", 1)
    copy = database.parent / "copy.db"
    shutil.copytree(database, copy)
    shutil.copy2(database.with_name("milvus.db.address"), database.with_name("copy.db.address"))
    start(copy, "-c", PYMILVUS)  # has the copy open, without an address
    with pytest.raises(UserError, match="another process has it open"):
        open_store(copy)


def test_a_program_with_pymilvus_alone_does_not_share(database: Path, start: Start) -> None:
    pymilvus = start(database, "-c", PYMILVUS)
    began = time.monotonic()
    with pytest.raises(
        UserError, match=r"milvus\.db: cannot be opened: another process has it open"
    ) as error:
        open_store(database)
    assert time.monotonic() - began < 5 and "\n" not in str(error.value)
    threading.Timer(1.0, pymilvus.process.stdin.close).start()  # it ends while another program waits
    assert len(find_nearest(database, 1)) == 5


def test_programs_that_start_at_the_same_moment_share(database: Path, start: Start) -> None:
    programs = [start(database, wait=False) for _ in range(4)]
    assert [program.receive() for program in programs] == ["ready"] * 4
    assert sorted(program.run("is_opener") for program in programs) == [False, False, False, True]


# --- writing -----------------------------------------------------------------------------------------------


def test_builds_of_two_datasets_wait_for_each_other(database: Path, start: Start) -> None:
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


def test_a_search_does_not_wait_for_a_writer(database: Path, start: Start) -> None:
    reader = start(database)
    with open_store(database) as store, store.collections.client.lock_for_writing():
        began = time.monotonic()
        assert len(reader.run("search", 1)) == 5
        assert time.monotonic() - began < 1


def test_the_lock_for_writing_excludes_programs_and_threads_and_can_be_nested(
    database: Path, start: Start
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


def test_the_lock_of_a_killed_writer_is_free(database: Path, start: Start) -> None:
    writer = start(database)
    writer.send("build", "other", 50_000)
    time.sleep(1)
    writer.kill()
    began = time.monotonic()
    program = start(database)
    assert program.run("build", "third", 10)["rows"] == 10
    assert time.monotonic() - began < 10
    assert program.end() == ""


def test_dropping_waits_for_a_build(database: Path, start: Start) -> None:
    builder = start(database)
    with open_store(database) as store:
        builder.send("build", "other", 20_000)
        time.sleep(1)
        dropped = store.collections.drop("other")
        built = builder.receive()
        assert dropped == ["other_clip__1"] and built["rows"] == 20_000
        assert store.collections.find(CollectionRef("other", "clip")) is None
