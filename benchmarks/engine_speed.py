"""The same searches in a Milvus Lite file, in a file that another program serves, and on a Milvus server.

    python benchmarks/engine_speed.py [--rows 50000] [--server-rows 200000] [--engine all]
        [--milvus-server PROGRAM | --uri http://...]

For each engine, the program prints the time of a build, the median and the 95th percentile of the times of
searches, their recall@10 against exact search, the memory of the client and of the server, and the throughput
of 16 clients. The table is in Markdown; all numbers are also saved as ``outputs/engines.json``. Clients and
servers are processes of their own, and are stopped at the end. Requires Linux.

PROGRAM is the command ``milvus-server``. By default, it is what IMAGESEARCH_MILVUS_SERVER names. Without a
program and without an address, the table has no server.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from bench_table import describe_machine
from engine_inputs import (
    FILTERS,
    NO_FILTER,
    OTHER_CLUSTERS,
    QUERIES,
    find_nearest,
    find_passing,
    make_queries,
    make_rows,
)

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.store import CollectionRef, CollectionSpec, Store, choose_index, fill_collection
from imagesearch.store.schema import FIELDS

ROOT = Path(__file__).parent.parent
REF = CollectionRef("bench_engines", "clip")
CLIENTS = 16
CLIENT_QUERIES = 24  # for each client: three with each filter
Measurements = dict[str, Any]


# --- processes ---------------------------------------------------------------------------------------------


@contextmanager
def start_process() -> Iterator[Callable[..., Any]]:
    """Start a process, and stop it afterwards; yield a function that calls a function in it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield lambda function, *args: pool.apply(function, args)


def read_memory(process: int) -> dict[str, int]:
    """Return the resident memory of a process and its peak, in MB."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return {name: int(lines[key].split()[0]) // 1024 for name, key in (("now", "VmRSS"), ("peak", "VmHWM"))}


served: list[Store] = []  # in the process that serves a file


def open_served(milvus: MilvusConfig) -> int:
    served.append(Store(milvus))
    served[0].collections.open(REF)
    return os.getpid()


def close_served() -> None:
    served.pop().close()


@contextmanager
def serve_file(milvus: MilvusConfig) -> Iterator[int]:
    """Open a file in another process, which serves it; yield the id of that process."""
    with start_process() as call:
        process = call(open_served, milvus)
        try:
            yield process
        finally:
            call(close_served)


@contextmanager
def run_server(program: str) -> Iterator[tuple[str, int]]:
    """Run a standalone server with an empty folder; yield its address and the id of its process."""
    os.environ["IMAGESEARCH_MILVUS_SERVER"] = program
    sys.path.append(str(ROOT / "tests"))
    from milvus_servers import run_standalone

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        run_standalone(Path(folder)) as server,
    ):
        script = server._process.pid
        children = Path(f"/proc/{script}/task/{script}/children").read_text().split()
        yield server.uri, int(children[0]) if children else script


# --- parts that run in a process of their own --------------------------------------------------------------


def fill(milvus: MilvusConfig, rows: int, dimension: int) -> Measurements:
    """Fill the collection; return its index, and the seconds with those of inserting and of indexing."""
    seconds: dict[str, float] = {}

    def measure_part(items: Iterable, total: int, label: str) -> Iterator:
        start = time.perf_counter()
        yield from items
        seconds[label] = time.perf_counter() - start

    photos = make_rows(rows, dimension)
    with Store(milvus) as store:
        dialect = store.collections.dialect
        index = choose_index(milvus.index, rows, dialect)
        store.collections.drop(REF.dataset)
        start = time.perf_counter()
        spec = CollectionSpec(REF, "random", "random", dimension, index, FIELDS["clip"])
        fill_collection(store, spec, photos, measure_part)
    seconds["all"] = time.perf_counter() - start
    return {"milvus": dialect.name, "index": index.type, "rows": rows, "seconds": seconds}


def drop(milvus: MilvusConfig) -> None:
    with Store(milvus) as store:
        store.collections.drop(REF.dataset)


@contextmanager
def open_store(milvus: MilvusConfig, level: str) -> Iterator[Store]:
    """Open a store that searches at a level of consistency, instead of that of the collection."""
    with Store(milvus) as store:
        for name in ("search", "query") if level else ():
            call = functools.partial(getattr(store._client, name), consistency_level=level)
            setattr(store._client, name, call)
        yield store


def search_alone(milvus: MilvusConfig, level: str, queries: dict[str, np.ndarray]) -> Measurements:
    """Search with all filters in turn; return the milliseconds and the results by filter, and the memory."""
    times: dict[str, list[float]] = {name: [] for name in FILTERS}
    found: dict[str, list[list[int]]] = {name: [] for name in FILTERS}
    with open_store(milvus, level) as store:
        for i in (0, *range(QUERIES)):  # the first searches are slower, and not measured
            for name, where in FILTERS.items():
                start = time.perf_counter()
                hits = store.search(REF, queries[name][i], 10, where=where)
                times[name].append(1000 * (time.perf_counter() - start))
                found[name].append([hit.id for hit in hits])
        memory = read_memory(os.getpid())
    times, found = ({name: values[1:] for name, values in lists.items()} for lists in (times, found))
    return {"times": times, "found": found, "memory": memory}


def search_together(milvus: MilvusConfig, level: str, queries: dict[str, np.ndarray]) -> Measurements:
    """Search in 16 threads, each with a connection of its own; return searches per second and times."""
    barrier = threading.Barrier(CLIENTS, timeout=120)
    names = list(FILTERS)

    def search(client: int) -> tuple[float, float, list[float], int]:
        times, errors = [], 0
        with open_store(milvus, level) as store:
            store.search(REF, queries[NO_FILTER][0], 10)
            barrier.wait()
            begin = time.perf_counter()
            for i in range(client, client + CLIENT_QUERIES):
                name, start = names[i % len(names)], time.perf_counter()
                try:
                    store.search(REF, queries[name][i % QUERIES], 10, where=FILTERS[name])
                    times.append(1000 * (time.perf_counter() - start))
                except UserError:
                    errors += 1
            end = time.perf_counter()
            barrier.wait()  # no connection is closed while others search
        return begin, end, times, errors

    with open_store(milvus, level) as store:
        # pymilvus imports scipy in its first search; two threads that do this at once can fail
        store.search(REF, queries[NO_FILTER][0], 10)
    with ThreadPoolExecutor(CLIENTS) as pool:
        begins, ends, times, errors = zip(*pool.map(search, range(CLIENTS)), strict=True)
    all_times = [value for values in times for value in values]
    rate = len(all_times) / (max(ends) - min(begins))
    return {"per second": rate, "errors": sum(errors), **compute_percentiles(all_times)}


# --- measurements ------------------------------------------------------------------------------------------


def compute_percentiles(values: list[float]) -> dict[str, float]:
    return dict(zip(("p50", "p95"), np.percentile(values or [np.nan], (50, 95)).tolist(), strict=True))


def measure_engine(
    milvus: MilvusConfig, build: Measurements, dimension: int, server: int | None, level: str = ""
) -> Measurements:
    """Search a filled collection; `server` is the id of the process that serves it, if that is known."""
    queries = make_queries(build["rows"], dimension)
    load = os.getloadavg()[0]
    with start_process() as call:
        alone = call(search_alone, milvus, level, queries)
    with start_process() as call:
        together = call(search_together, milvus, level, queries)
    memory = {"client": alone["memory"]} | ({"server": read_memory(server)} if server else {})
    filters = measure_filters(alone, make_rows(build["rows"], dimension), queries)
    return build | {"load": load, "filters": filters, "memory": memory, "clients": together}


def measure_filters(alone: Measurements, photos: Any, queries: dict[str, np.ndarray]) -> Measurements:
    """Return the number of photos that pass each filter, the times and the recall@10."""
    filters: Measurements = {}
    for name, passing in find_passing(photos).items():
        best = find_nearest(photos.vectors, passing, queries[name])
        hits = sum(len(a & set(b)) for a, b in zip(best, alone["found"][name], strict=True))
        recall = hits / sum(map(len, best)) if len(passing) else 1.0
        filters[name] = {"passing": len(passing), "recall@10": recall}
        filters[name] |= compute_percentiles(alone["times"][name])
    names = [name for name in FILTERS if name not in (NO_FILTER, OTHER_CLUSTERS)]
    times = [value for name in names for value in alone["times"][name]]
    recall = float(np.mean([filters[name]["recall@10"] for name in names]))
    return filters | {"all filters": compute_percentiles(times) | {"recall@10": recall}}


def measure_files(engine: str, rows: int, dimension: int) -> dict[str, Measurements]:
    """Fill a Milvus Lite file, and search it alone and while another process serves it."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        milvus = MilvusConfig.model_validate({"uri": "milvus.db"}, context={"base": Path(folder)})
        with start_process() as call:
            build = call(fill, milvus, rows, dimension)
        if engine != "shared":
            results["a file"] = measure_engine(milvus, build, dimension, None)
        if engine != "file":
            with serve_file(milvus) as process:
                results["the file, shared"] = measure_engine(milvus, build, dimension, process)
    return results


def measure_server(uri: str, process: int | None, rows: int, dimension: int) -> dict[str, Measurements]:
    """Fill a collection on a server, search it at two levels of consistency, and drop it."""
    milvus = MilvusConfig.model_validate({"uri": uri}, context={"base": Path()})
    try:
        with start_process() as call:
            build = call(fill, milvus, rows, dimension)
        strong = measure_engine(milvus, build, dimension, process, "Strong")
        bounded = measure_engine(milvus, build, dimension, process, "Bounded")
        return {"a server, Strong": strong, "a server, Bounded": bounded}
    finally:
        with start_process() as call:
            call(drop, milvus)


# --- output ------------------------------------------------------------------------------------------------


def format_table(engines: dict[str, Measurements]) -> str:
    """Return a table in Markdown with a column for each engine."""
    columns = {name: format_column(engine) for name, engine in engines.items()}
    titles = dict.fromkeys(title for column in columns.values() for title in column)
    rows = [[title, *(column[title] for column in columns.values())] for title in titles]
    lines = [["p50, p95; recall@10 (photos that pass)", *columns], ["---"] * (len(columns) + 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def format_column(engine: Measurements) -> dict[str, str]:
    """Return the cells of an engine by the title of their row."""

    def format_times(values: dict[str, float]) -> str:
        return f"{values['p50']:.0f}, {values['p95']:.0f} ms"

    seconds, clients = engine["seconds"], engine["clients"]
    indexing = f", {seconds['clip index']:.0f} indexing" if "clip index" in seconds else ""
    cells = {
        "Milvus": engine["milvus"].removeprefix("Milvus "),
        "photos, index": f"{engine['rows']:,}, {engine['index']}",
        "build": f"{seconds['all']:.0f} s ({seconds['clip']:.0f} inserting{indexing})",
    }
    for name, values in engine["filters"].items():
        passing = f" ({values['passing']:,})" if "passing" in values else ""
        cells[name] = f"{format_times(values)}; {values['recall@10']:.3f}{passing}"
    for side in ("client", "server"):
        memory = engine["memory"].get(side)
        cells[f"memory of the {side}, peak"] = f"{memory['now']}, {memory['peak']} MB" if memory else ""
    cells[f"{CLIENTS} clients"] = (
        f"{clients['per second']:.0f} searches/s; {format_times(clients)}; {clients['errors']} errors"
    )
    cells["load before the searches"] = f"{engine['load']:.1f}"
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000, help="photos in a file")
    parser.add_argument("--server-rows", type=int, default=200_000, help="photos on a server")
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--engine", choices=["file", "shared", "server", "all"], default="all")
    program = os.environ.get("IMAGESEARCH_MILVUS_SERVER")
    parser.add_argument("--milvus-server", metavar="PROGRAM", default=program, help="default: %(default)s")
    parser.add_argument("--uri", help="address of a running server; its memory is not measured")
    parser.add_argument("--output", type=Path, default=ROOT / "outputs" / "engines.json")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the server is stopped too
    engines: dict[str, Measurements] = {}
    if args.engine != "server":
        engines |= measure_files(args.engine, args.rows, args.dimension)
    if args.engine in ("server", "all"):
        if args.uri:
            engines |= measure_server(args.uri, None, args.server_rows, args.dimension)
        elif args.milvus_server:
            with run_server(args.milvus_server) as (uri, process):
                engines |= measure_server(uri, process, args.server_rows, args.dimension)
        else:
            print("no server was measured: expected --milvus-server, IMAGESEARCH_MILVUS_SERVER or --uri")
    print(format_table(engines))
    args.output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": describe_machine(), "engines": engines}, indent=1)
    args.output.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
