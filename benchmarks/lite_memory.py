"""Memory, file size and time of Milvus Lite by the number of photos; each step runs in a separate process.

python benchmarks/lite_memory.py [--rows 1000 10000 50000] [--dimension 512]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from store_speed import make_clustered_vectors, make_rows

from imagesearch.config import MilvusConfig
from imagesearch.store import LITE, CollectionRef, CollectionSpec, Store, choose_index, fill_collection


def make_settings(folder: Path) -> MilvusConfig:
    """Return settings for Milvus Lite in a folder, with an exact index."""
    values = {"uri": "bench.db", "index": {"type": "FLAT"}}
    return MilvusConfig.model_validate(values, context={"base": folder})


def measure_filling(folder: Path, rows: int, dimension: int) -> None:
    """Fill a collection, and print the time."""
    milvus = make_settings(folder)
    vectors = make_clustered_vectors(rows, dimension)
    plan = choose_index(milvus.index, rows, LITE)
    spec = CollectionSpec(CollectionRef("bench", "clip"), "random", "random", dimension, plan)
    start = time.perf_counter()
    with Store(milvus) as store:
        fill_collection(store, spec, make_rows(vectors, 2000))
    print(f"{time.perf_counter() - start:.1f} s to fill", end=", ", flush=True)


def measure_search(folder: Path, rows: int, dimension: int) -> None:
    """Open and search the collection, and print times and peak memory."""
    start = time.perf_counter()
    with Store(make_settings(folder)) as store:
        times = []
        for query in make_clustered_vectors(20, dimension, seed=1):
            begin = time.perf_counter()
            store.search(CollectionRef("bench", "clip"), query, 10)
            times.append(1000 * (time.perf_counter() - begin))
            if len(times) == 1:
                print(f"{time.perf_counter() - start:.1f} s to open and search once", end=", ")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{statistics.median(times):.0f} ms per search, {peak:.2f} GB peak", end=", ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--step", choices=["fill", "search"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        {"fill": measure_filling, "search": measure_search}[args.step](
            args.folder, args.rows[0], args.dimension
        )
        return
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{rows:,} photos", end=": ", flush=True)
            for step in ("fill", "search"):
                options = ["--rows", str(rows), "--dimension", str(args.dimension), "--folder", folder]
                subprocess.run([sys.executable, __file__, "--step", step, *options], check=True)
            size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
            print(f"{size / 1e6:.0f} MB on disk")


if __name__ == "__main__":
    main()
