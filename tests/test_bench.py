"""The program of ``make bench``, with its cheapest row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_bench_prints_a_row_and_saves_it_beside_those_of_an_earlier_run(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    output.write_text(json.dumps({"measurements": {"cold": {"rows": []}}}))
    options = ["--quick", "--only", "help", "--work", tmp_path / "work", "--output", output]
    command = [sys.executable, ROOT / "benchmarks" / "bench.py", *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "06 --help" in done.stdout
    measurements = json.loads(output.read_text())["measurements"]
    assert set(measurements) == {"cold", "help"}
    (row,) = measurements["help"]["rows"]
    assert row["ratio"] > 0.5
