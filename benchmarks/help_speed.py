"""Time that each script takes to print its help, compared with starting Python and importing argparse.

    python benchmarks/help_speed.py

Both alternate, so that other work on the machine affects both equally. The program prints medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

SCRIPTS = sorted((Path(__file__).parent.parent / "scripts").glob("[0-9]*.py"))


def measure_seconds(*arguments: str) -> float:
    """Run Python with `arguments` once; return the wall time."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{'script':<26} help ms  bare ms  help / bare")
    for script in SCRIPTS:
        pairs = [
            (measure_seconds(str(script), "--help"), measure_seconds("-c", "import argparse"))
            for _ in range(rounds)
        ]
        spent, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"{script.stem:<26} {spent * 1000:7.0f} {bare * 1000:8.0f} {spent / bare:12.2f}")


if __name__ == "__main__":
    main()
