"""The programs behind docs/scale.md, each part with few rows: they call functions that change."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

MEASURED = {"CPU s", "s", "kept MB", "needed MB"}
# What each part reports, in this order.
REPORTS = {
    "scale_tables": {
        "tables": [
            "read_content_hashes",
            "list_paths",
            "read_processed",
            "read_current_entries",
            "read_vectors, 8 dimensions",
            "find_pending_work, nothing new",
        ],
        "compaction": [
            "append, 512 dimensions",
            "compact, 512 dimensions",
            "append, 512 dimensions",
            "compact, 69 shards of 512 photos more",
        ],
        "append": ["append 20 shards of 512 photos, to so many shards"],
        "walk": ["list_photos, first", "list_photos"],
        "start": ["list_photos and find_pending_work, nothing new"],
        "rows": ["read_locations", "collect_rows", "make and hash all rows"],
    },
    "scale_names": {
        "count": ["count_vocabulary", "count_names of people, one on each photo", "split_periods"],
        "file": ["Vocabulary.write", "Vocabulary.read"],
        "sentences": [
            "SentenceParser",
            *(
                f"{what}: {kind}"
                for kind in (
                    "known names",
                    "names of the vocabulary",
                    "mistyped names",
                    "partial names",
                    "no names",
                )
                for what in ("first sentence", "a sentence")
            ),
        ],
        "words": ["WordRanking, without reading the rows", "one BM25 query of three words"],
        "people": ["ReferenceResolver", "EditLog.read", "replay_edits"],
    },
}
ROWS = {"people": 100}  # with 20 faces each; all others: 1,000


@pytest.mark.parametrize(("program", "part"), [(name, part) for name in REPORTS for part in REPORTS[name]])
def test_a_part_reports_what_it_measures(
    program: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    measure_part = importlib.import_module(program).PARTS[part]
    rows = ROWS.get(part, 1_000)
    measure_part(rows, tmp_path)
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["what"] for result in results] == REPORTS[program][part]
    for result in results:
        kind = result["what"].partition(":")[0]
        expected = {"append, 512 dimensions": {"CPU s", "disk MB"}, "a sentence": {"CPU ms, median"}}
        assert expected.get(kind, MEASURED) <= result.keys()


@pytest.mark.parametrize("program", REPORTS)
def test_each_part_has_a_number_of_rows_and_an_expected_report(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module(program)
    assert module.PARTS.keys() == module.ROWS.keys() == REPORTS[program].keys()


def test_a_program_runs_parts_in_processes_and_saves_what_they_report(tmp_path: Path) -> None:
    output = tmp_path / "new" / "scale.jsonl"
    command = [sys.executable, ROOT / "benchmarks" / "scale_tables.py", "walk", "--rows", "10", "20"]
    command += ["--output", output]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert output.read_text("utf-8") == done.stdout
    assert [json.loads(line)["photos"] for line in done.stdout.splitlines()] == [10, 10, 20, 20]


def test_a_part_that_fails_ends_the_program(tmp_path: Path) -> None:
    output = tmp_path / "scale.jsonl"
    command = [sys.executable, ROOT / "benchmarks" / "scale_tables.py", "walk", "--rows", "0"]
    command += ["--output", output]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "no photos" in done.stderr
