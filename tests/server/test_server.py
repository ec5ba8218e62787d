"""A standalone Milvus server, also down, slow, or killed in the middle of a build; see `make test-server`."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BuiltAlbum, run_here
from milvus_servers import StandaloneServer

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionRef, Store, build_collections

ROOT = Path(__file__).parent.parent.parent
CLIP = CollectionRef("album", "clip")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    server = StandaloneServer(tmp_path_factory.mktemp("milvus"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def running(server: StandaloneServer) -> StandaloneServer:
    if not server.is_running:
        server.start()
    return server


@pytest.fixture(scope="module")
def album(built_album: BuiltAlbum, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the album with CLIP vectors alone, because each collection takes a server ten seconds."""
    folder = tmp_path_factory.mktemp("album")
    ignored = shutil.ignore_patterns("milvus.db*", "vit", "classes", "faces", "*people*", "clusters*")
    shutil.copytree(built_album.folder, folder, ignore=ignored, dirs_exist_ok=True)
    return folder


def load(album: Path, server: StandaloneServer, *settings: str) -> Config:
    return load_config(album / "config.yaml", [f"milvus.uri={server.uri}", "milvus.timeout=90", *settings])


def build(config: Config, rebuild: bool = False):
    with Store(config.milvus) as store:
        return build_collections(config, Dataset(config), store, rebuild)["clip"]


def run(album: Path, server: StandaloneServer, script: str, *args: str):
    options = ["-c", str(album / "config.yaml"), "--set", f"milvus.uri={server.uri}", *args]
    return run_here([str(ROOT / "scripts" / script), *options], album)


def list_tables(album: Path) -> list[Path]:
    """List the tables of the steps, which no build writes; 05 writes what it has built."""
    return [file for file in (album / "processed").rglob("*.parquet") if file.name != "built.parquet"]


def test_scripts_work_on_a_server_and_back_on_a_file(album: Path, running: StandaloneServer) -> None:
    before = {file: file.stat().st_mtime_ns for file in list_tables(album)}
    step_05 = [str(ROOT / "scripts/05_build_collections.py"), "-c", str(album / "config.yaml")]
    copied = run_here([*step_05, "--to", running.uri], album)
    assert copied.returncode == 0, copied.stderr
    on_server = run(album, running, "06_search.py", "a boat", "--json", "--no-show")
    assert on_server.returncode == 0, on_server.stderr
    listed = run(album, running, "05_build_collections.py", "--list")
    assert "album" in listed.stdout and "ready" in listed.stdout
    local = run_here(step_05, album)
    assert local.returncode == 0, local.stderr
    search = [
        str(ROOT / "scripts/06_search.py"),
        "-c",
        str(album / "config.yaml"),
        "a boat",
        "--json",
        "--no-show",
    ]
    on_file = run_here(search, album)
    paths = [[hit["path"] for hit in json.loads(done.stdout)["results"]] for done in (on_server, on_file)]
    assert paths[0] == paths[1] and len(paths[0]) == 10
    assert {file: file.stat().st_mtime_ns for file in list_tables(album)} == before
    dropped = run(album, running, "05_build_collections.py", "--drop", "--yes")
    assert "dropped album_clip" in dropped.stdout
    missing = run(album, running, "06_search.py", "a boat", "--no-show")
    assert missing.returncode == 2 and "run 05_build_collections.py" in missing.stderr


@pytest.mark.parametrize("kind", ["IVF_FLAT", "IVF_SQ8", "HNSW", "SCANN", "AUTOINDEX", "DISKANN"])
def test_each_index_type_of_the_server_finds_the_photo_itself(
    album: Path, running: StandaloneServer, kind: str
) -> None:
    config = load(album, running, f"milvus.index.type={kind}")
    build(config)
    with Store(config.milvus) as store:
        assert store.collections.open(CLIP).index.type == kind
        for key, vector in store.read_vectors(CLIP, read_keys(store)[:10]).items():
            assert store.search(CLIP, vector, 1)[0].id == key


def read_keys(store: Store) -> list[int]:
    return [hit.id for hit in store.read_all_rows(CLIP)]


def test_other_replicas_and_levels_do_not_lock_out_a_loaded_collection(
    album: Path, running: StandaloneServer
) -> None:
    rows = build(load(album, running)).rows
    settings = ("milvus.replicas=2", "milvus.consistency=Strong")
    with Store(load(album, running, *settings).milvus) as store:
        assert len(read_keys(store)) == rows
    assert build(load(album, running, *settings)).unchanged == rows


def test_a_database_that_does_not_exist_costs_one_line(album: Path, running: StandaloneServer) -> None:
    done = run(album, running, "06_search.py", "a boat", "--no-show", "--set", "milvus.database=nowhere")
    assert done.returncode == 2 and "nowhere" in done.stderr and done.stderr.count("\n") == 1


def test_a_server_that_is_down_costs_one_line(album: Path, running: StandaloneServer) -> None:
    running.stop()
    start = time.monotonic()
    done = run(album, running, "06_search.py", "a boat", "--no-show")
    assert done.returncode == 2 and time.monotonic() - start < 20
    assert "the Milvus server does not answer" in done.stderr and done.stderr.count("\n") == 1


def test_a_server_that_hangs_costs_one_line(album: Path, running: StandaloneServer) -> None:
    build(load(album, running))
    with Store(load(album, running, "milvus.timeout=5").milvus) as store:
        vector = next(iter(store.read_vectors(CLIP, read_keys(store)[:1]).values()))
        running.send_signal(signal.SIGSTOP)
        try:
            start = time.monotonic()
            with pytest.raises(UserError, match="search failed on the Milvus server"):
                store.search(CLIP, vector, 1)
            assert time.monotonic() - start < 15
        finally:
            running.send_signal(signal.SIGCONT)
        assert store.search(CLIP, vector, 1)  # the same connection goes on


def test_a_build_survives_a_restart_of_the_server(album: Path, running: StandaloneServer) -> None:
    config = load(album, running)
    old = build(config).rows
    with Store(config.milvus) as store:
        upsert = store.collections.upsert
        restarts: list[threading.Thread] = []

        def upsert_after_kill(*args) -> None:
            if not restarts:
                running.stop()
                restarts.append(threading.Thread(target=running.start))
                restarts[0].start()
            upsert(*args)

        store.collections.upsert = upsert_after_kill  # type: ignore[method-assign]
        report = build_collections(config, Dataset(config), store, rebuild=True)["clip"]
        restarts[0].join()
    assert report.rows == report.inserted == old


def test_after_a_kill_the_old_collection_answers_and_the_next_build_completes(
    album: Path, running: StandaloneServer
) -> None:
    config = load(album, running)
    rows = build(config).rows
    with Store(load(album, running, "milvus.timeout=5").milvus) as store:
        name = store.collections.open(CLIP).name
        upsert = store.collections.upsert

        def kill_after_upsert(*args) -> None:
            upsert(*args)
            running.stop()

        store.collections.upsert = kill_after_upsert  # type: ignore[method-assign]
        with pytest.raises(UserError, match="failed on the Milvus server") as caught:
            build_collections(config, Dataset(config), store, rebuild=True)
        assert "\n" not in str(caught.value)
    running.start()
    with Store(config.milvus) as store:
        assert store.collections.open(CLIP).name == name
        assert len(read_keys(store)) == rows
    report = build(config, rebuild=True)
    assert report.rows == rows
    with Store(config.milvus) as store:
        assert store.collections.open(CLIP).name != name
        assert len(store.collections.client.list_collections()) == 1
