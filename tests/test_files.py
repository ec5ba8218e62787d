"""Atomic writing of files."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT, run_here
from drawn import Drawn
from people_rows import copy_world

from imagesearch.errors import UserError
from imagesearch.files import append_json_lines, atomic_write


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


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").mkdir()
    reason = "table.parquet: cannot be written .Is a directory"
    with pytest.raises(UserError, match=reason), atomic_write(tmp_path / "table.parquet") as unfinished:
        unfinished.write_text("rows")
    with pytest.raises(UserError, match=reason):
        append_json_lines(tmp_path / "table.parquet", ["{}"])
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("script", "args", "name"),
    [
        ("00_run_steps.py", [], "clusters.parquet"),
        ("02_cluster_faces.py", [], "faces/.lock"),
        ("02_cluster_faces.py", [], ".clusters.lock"),
        ("03_name_people.py", ["--name", "1=Maya", "--no-show"], "people.jsonl"),
        ("04_extract_geo.py", [], ".geo.lock"),
        ("04_extract_geo.py", [], "addresses.parquet"),
        ("05_build_collections.py", [], ".build.lock"),
        ("05_build_collections.py", [], "vocabulary.json"),
    ],
)
def test_a_step_names_the_file_that_it_cannot_write(
    twelve_photos: Drawn, tmp_path: Path, script: str, args: list[str], name: str
) -> None:
    drawn = copy_world(twelve_photos, tmp_path)
    file = drawn.dataset().folder / name
    file.unlink(missing_ok=True)
    file.mkdir()  # root can write to every folder
    done = run_here([str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *args], drawn.folder)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"{file}: cannot be " in done.stderr.splitlines()[-1]
