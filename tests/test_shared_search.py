"""Searches that stay open while other programs build the collections and name people."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, run_here
from drawn import Drawn, picture_of
from people_rows import build, copy_world

import imagesearch
from imagesearch.search import Query, Searcher
from imagesearch.store import Store

NEW_NAMES = "names have changed since the collections were built; run 05_build_collections.py"


@pytest.fixture(scope="module")
def processed(twelve_photos: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    drawn = copy_world(twelve_photos, tmp_path_factory.mktemp("shared"))
    build(drawn)
    return drawn


@pytest.fixture
def drawn(processed: Drawn, tmp_path: Path) -> Drawn:
    return copy_world(processed, tmp_path)


def run(drawn: Drawn, script: str, *args: str) -> None:
    """Run a script in a process of its own, as another program than the open search."""
    command = [sys.executable, ROOT / "scripts" / script, "-c", drawn.config_file, *args]
    done = subprocess.run(command, cwd=drawn.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def run_in_tests(drawn: Drawn, script: str, *args: str) -> None:
    """Run a script in the process of the tests, which is another one than that of a `Conversation`."""
    done = run_here([str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *args], drawn.folder)
    assert done.returncode == 0, done.stderr


class Conversation:
    """06_search.py, which waits for queries."""

    def __init__(self, drawn: Drawn) -> None:
        command = [ROOT / "scripts" / "06_search.py", "-c", drawn.config_file, "--json", "-k", "50"]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=drawn.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def search(self, text: str) -> dict:
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                return json.loads("".join(lines))
        raise AssertionError("the conversation has ended")


@pytest.fixture
def conversation(drawn: Drawn) -> Iterator[Conversation]:
    conversation = Conversation(drawn)
    yield conversation
    conversation.process.stdin.close()
    assert conversation.process.wait(30) == 0
    conversation.process.stdout.close()


def test_a_conversation_finds_new_photos_and_names_of_other_programs(
    drawn: Drawn, conversation: Conversation
) -> None:
    first = conversation.search("a person")
    assert len(first["results"]) == 12 and NEW_NAMES not in first["notes"]
    picture_of("Noor", seed=40)[0].save(drawn.photos / "noor40.png")
    for script in ("01_extract_features.py", "02_cluster_faces.py", "04_extract_geo.py"):
        run_in_tests(drawn, script)
    assert len(conversation.search("a person")["results"]) == 12
    run_in_tests(drawn, "05_build_collections.py")
    after = conversation.search("a person")
    assert len(after["results"]) == 13 and after["notes"] == first["notes"]

    run_in_tests(drawn, "03_name_people.py", "--name", "1=Rosalind", "--no-show", "--no-build")
    assert NEW_NAMES in conversation.search("a person")["notes"]
    run_in_tests(drawn, "05_build_collections.py")
    named = conversation.search("rosalind")
    assert NEW_NAMES not in named["notes"]
    assert named["results"] and all("Rosalind" in hit["people"] for hit in named["results"])

    run_in_tests(drawn, "05_build_collections.py", "--rebuild")
    assert conversation.search("rosalind")["results"] == named["results"]


def test_a_library_notices_that_a_collection_is_rebuilt(drawn: Drawn) -> None:
    with imagesearch.open_library(drawn.config_file) as library:
        assert library.search("a person", top_k=50).candidates == 12
        picture_of("Noor", seed=40)[0].save(drawn.photos / "noor40.png")
        run(drawn, "00_run_steps.py")
        assert len(library.search("a person", top_k=50).results) == 13


def test_the_note_of_an_update_ends_with_the_update(drawn: Drawn) -> None:
    config = drawn.config()
    with Store(config.milvus) as store, Store(config.milvus) as other:
        searcher = Searcher(config, drawn.dataset(), store)
        for state, is_noted in (("updating", True), ("ready", False)):
            properties = {"imagesearch.state": state}
            other.collections.client.alter_collection_properties("album_clip__1", properties)
            notes = searcher.search(Query(text="a person")).notes
            assert any("is being updated" in note for note in notes) is is_noted


def test_a_search_is_repeated_if_a_collection_is_dropped_during_it(drawn: Drawn) -> None:
    config, dataset = drawn.config(), drawn.dataset()
    with Store(config.milvus) as store, Store(config.milvus) as other:
        searcher = Searcher(config, dataset, store)
        expected = searcher.search(Query(text="a person", top_k=5)).results
        real = store.search

        def search_during_rebuild(*args, **options) -> list:
            store.search = real
            other.collections.drop("album")
            try:
                return real(*args, **options)
            finally:
                build(drawn)

        store.search = search_during_rebuild
        assert searcher.search(Query(text="a person", top_k=5)).results == expected
        assert store.search is real


def test_an_error_of_a_query_is_not_repeated(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    config = drawn.config()
    with Store(config.milvus) as store:
        searcher = Searcher(config, drawn.dataset(), store)
        searcher.search(Query(text="a person"))
        calls = []

        def fail(*args, **options) -> None:
            calls.append(args)
            raise ZeroDivisionError

        monkeypatch.setattr(store, "search", fail)
        with pytest.raises(ZeroDivisionError):
            searcher.search(Query(text="a person"))
        assert len(calls) == 1
