"""Atomic writing of files."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imagesearch.files import atomic_write


def test_unfinished_files_are_removed_after_a_day(tmp_path: Path) -> None:
    old, young, other = (tmp_path / f"{name}.part" for name in ("note [1].12", "note [1].13", "note 1.14"))
    for part in (old, young, other):
        part.write_text("half")
    for part in (old, other):
        os.utime(part, (time.time() - 25 * 3600,) * 2)
    with atomic_write(tmp_path / "note [1].json") as unfinished:
        unfinished.write_text("{}")
        assert sorted(tmp_path.glob("*.part")) == sorted([young, other, unfinished])
    assert (tmp_path / "note [1].json").read_text() == "{}"


def test_two_threads_can_write_the_same_file(tmp_path: Path) -> None:
    both = threading.Barrier(2)

    def write(text: str) -> None:
        with atomic_write(tmp_path / "note.json") as unfinished:
            unfinished.write_text(text)
            both.wait(10)
            assert unfinished.read_text() == text

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["one", "two"]))
    assert [file.name for file in tmp_path.iterdir()] == ["note.json"]
