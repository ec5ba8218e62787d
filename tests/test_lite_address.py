"""How the programs that share a Milvus Lite file find each other, and nobody else."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import sys
import threading
import time
from pathlib import Path

import pytest
from store_processes import PYMILVUS, StartProgram, find_nearest
from store_program import open_store

from imagesearch.errors import UserError
from imagesearch.store.lite_server import read_address

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets and signals")


@posix_only
def test_only_this_user_can_connect(database: Path, start: StartProgram) -> None:
    start(database)
    file = database.with_name("milvus.db.address")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    folder = Path(read_address(database).uri.removeprefix("unix:")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix_only
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="requires Linux")
def test_the_opener_has_no_tcp_port(database: Path, start: StartProgram) -> None:
    program = start(database)
    program.run("search", 1)
    files = Path(f"/proc/{program.process.pid}/fd").iterdir()
    open_files = {str(file.readlink()) for file in files if file.is_symlink()}
    tables = "".join(Path("/proc/net", name).read_text() for name in ("tcp", "tcp6"))
    sockets = [line.split() for line in tables.splitlines()]
    listening = {f"socket:[{columns[9]}]" for columns in sockets if columns[3] == "0A"}
    assert any(file.startswith("socket:") for file in open_files)
    assert not open_files & listening


def test_a_call_without_the_token_is_rejected(database: Path, start: StartProgram) -> None:
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    start(database)
    address = read_address(database)
    with pytest.raises(MilvusException, match="illegal connection params"):
        MilvusClient(address.uri, token="guess", timeout=3)
    assert MilvusClient(address.uri, token=address.token, timeout=3).list_collections()


def test_the_address_of_a_killed_process_is_ignored_and_its_socket_removed(
    database: Path, start: StartProgram
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
def test_a_damaged_address_file_is_replaced(database: Path, start: StartProgram, content: str) -> None:
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
    database: Path, start: StartProgram, tmp_path_factory: pytest.TempPathFactory, is_locked: bool
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
            with pytest.raises(UserError, match="another process has it open and does not answer"):
                open_store(database)
            assert time.monotonic() - began < 12
        else:
            began = time.monotonic()
            assert len(find_nearest(database, 1)) == 5
            assert time.monotonic() - began < 3
            assert path.exists()
    shutil.rmtree(path.parent)


def test_a_copy_of_a_database_is_not_mistaken_for_the_open_one(database: Path, start: StartProgram) -> None:
    start(database).run("search", 1)
    copy = database.parent / "copy.db"
    shutil.copytree(database, copy)
    shutil.copy2(database.with_name("milvus.db.address"), database.with_name("copy.db.address"))
    start(copy, "-c", PYMILVUS)  # has the copy open, without an address
    with pytest.raises(UserError, match="another process has it open"):
        open_store(copy)


def test_a_program_with_pymilvus_alone_does_not_share(database: Path, start: StartProgram) -> None:
    pymilvus = start(database, "-c", PYMILVUS)
    began = time.monotonic()
    with pytest.raises(UserError, match=r"milvus\.db: another process has it open") as error:
        open_store(database)
    assert time.monotonic() - began < 5 and "\n" not in str(error.value)
    threading.Timer(1.0, pymilvus.process.stdin.close).start()  # it ends while another program waits
    assert len(find_nearest(database, 1)) == 5


def test_the_address_of_a_killed_process_is_not_the_one_of_a_program_with_pymilvus(
    database: Path, start: StartProgram
) -> None:
    start(database).kill()
    start(database, "-c", PYMILVUS)
    with pytest.raises(UserError, match="another process has it open and does not share it"):
        open_store(database)


def test_programs_that_start_at_the_same_moment_share(database: Path, start: StartProgram) -> None:
    programs = [start(database, wait=False) for _ in range(4)]
    assert [program.receive() for program in programs] == ["ready"] * 4
    assert sorted(program.run("is_opener") for program in programs) == [False, False, False, True]
