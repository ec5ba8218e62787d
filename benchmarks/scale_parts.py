"""Runs each part of a scale benchmark in a process of its own, and measures its CPU seconds and memory."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parent.parent / "outputs" / "scale.jsonl"
Part = Callable[[int, Path], None]
"""A part gets the number of rows and an empty folder."""


def read_status(name: str) -> int:
    """Return a value of this process in MB: ``VmRSS``, the resident memory, or ``VmHWM``, its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))


def report(what: str, rows: int, **values: Any) -> None:
    """Print a result as JSON."""
    print(json.dumps({"what": what, "rows": rows} | values), flush=True)


@contextmanager
def measure(what: str, rows: int) -> Iterator[dict[str, Any]]:
    """Report the seconds of a block, and the memory that it kept and that it needed at most, in MB.

    Further values can be added to the dict that is yielded.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts at the present value
    values: dict[str, Any] = {}
    before, start, cpu = read_status("VmRSS"), time.perf_counter(), _read_cpu_seconds()
    yield values
    values |= {"CPU s": round(_read_cpu_seconds() - cpu, 2), "s": round(time.perf_counter() - start, 2)}
    values |= {"kept MB": read_status("VmRSS") - before, "needed MB": read_status("VmHWM") - before}
    report(what, rows, **values)


def _read_cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run_parts(description: str, parts: Mapping[str, Part], rows: Mapping[str, list[int]]) -> None:
    """Run the parts that the command line names, each with each of its numbers of rows.

    What they report is printed, and appended to a file.

    Parameters
    ----------
    description
        Of the program.
    parts
        The parts by name.
    rows
        The default numbers of rows of each part.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(parts)}; default: all")
    parser.add_argument("--rows", type=int, nargs="+", help="of one part, instead of its default numbers")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if unknown := set(args.parts) - set(parts):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    if args.rows and len(args.parts) != 1:
        parser.error("--rows: expected one part; the numbers of rows differ by part")
    if args.here:
        with tempfile.TemporaryDirectory() as folder:
            parts[args.parts[0]](args.rows[0], Path(folder))
        return
    args.output.parent.mkdir(exist_ok=True)
    for name in args.parts or parts:
        for count in args.rows or rows[name]:
            _run_part([sys.executable, sys.argv[0], name, "--here", "--rows", str(count)], args.output)


def _run_part(command: list[str], output: Path) -> None:
    """Run a part in a process of its own; print what it reports, and append it to a file."""
    with (
        output.open("a", encoding="utf-8") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process,
    ):
        for line in process.stdout or ():
            print(line, end="", flush=True)
            file.write(line)
    if process.returncode:
        sys.exit(process.returncode)
