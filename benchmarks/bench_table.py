"""The table of bench.py: its rows, as text and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TITLES = ("what", "imagesearch", "baseline", "ratio", "target", "")


@dataclass
class Row:
    """A line of the table: a measured ratio and its target, if it has one."""

    what: str
    ours: str
    baseline: str
    ratio: float
    target: float | None = None
    is_maximum: bool = True
    spread: float = 0.0
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the ratio reaches its target."""
        if self.target is None:
            return ""
        is_reached = self.ratio <= self.target if self.is_maximum else self.ratio >= self.target
        return "reached" if is_reached else "MISSED"

    def to_cells(self) -> tuple[str, ...]:
        sign = "at most" if self.is_maximum else "at least"
        target = "" if self.target is None else f"{sign} {self.target:g}"
        return (self.what, self.ours, self.baseline, f"{self.ratio:.2f}", target, self.verdict)


def compute_spread(values: Iterable[float]) -> float:
    """Return the range of some values, divided by their median."""
    values = list(values)
    return (max(values) - min(values)) / statistics.median(values)


def compare(what: str, times: dict[str, list[float]], target: float | None, is_faster: bool) -> Row:
    """Return a row of the seconds of a program (first) and its baseline (second).

    The ratio is baseline / program if the program should be faster, else program / baseline.
    """
    (_, ours), (label, baseline) = times.items()
    medians = statistics.median(ours), statistics.median(baseline)
    ratio = medians[1] / medians[0] if is_faster else medians[0] / medians[1]
    spread = max(compute_spread(ours), compute_spread(baseline))
    cells = f"{medians[0]:.2f} s", f"{label}: {medians[1]:.2f} s"
    return Row(what, *cells, ratio, target, not is_faster, spread, f"{len(ours)} rounds")


def print_cells(cells: Sequence[str]) -> None:
    """Print the cells of a row in columns."""
    widths = (42, 18, 34, 7, 15, 7)
    print("".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def print_head() -> None:
    """Print the machine and the titles of the columns."""
    print(describe_machine())
    print_cells(TITLES)


def print_row(row: Row) -> None:
    """Print a row in columns, and its note below it."""
    print_cells(row.to_cells())
    spread = f"spread {row.spread:.0%}" if row.spread else ""
    if note := "; ".join(filter(None, (spread, row.note))):
        print(f"    {note}", flush=True)


def describe_machine() -> str:
    """Return the processor, its cores and the system."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def save_result(file: Path, name: str, result: Sequence[Row] | str, notes: dict[str, Any]) -> None:
    """Add the rows of a measurement, or the reason why it failed, to a JSON file, which keeps the others."""
    known: dict[str, Any] = {}
    if file.is_file():
        known = json.loads(file.read_text("utf-8"))["measurements"]
    known[name] = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **notes}
    if isinstance(result, str):
        known[name]["error"] = result
    else:
        known[name]["rows"] = [asdict(row) | {"verdict": row.verdict} for row in result]
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": describe_machine(), "measurements": known}, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", "utf-8")
