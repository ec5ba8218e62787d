"""A million photos on a standalone Milvus server: inserting, indexes, memory, disk, searches and recall.

    python benchmarks/scale_server.py [--rows 1000000] [--index IVF_SQ8 HNSW] [--milvus-server PROGRAM]

The rows are those of `engine_speed.py`, made and inserted in parts, so that the program itself needs little
memory. Each index is built over the same rows, one after the other. The results are printed as soon as they
are known, one JSON object a line, and appended to ``outputs/scale_server.jsonl``. Wall times depend on other
work on the machine, so the CPU seconds of the server are beside them. Requires Linux; a million rows need
6 GB of memory and 15 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from engine_inputs import FILTERS, OTHER_CLUSTERS, QUERIES, describe_vectors, find_passing
from engine_speed import read_memory, run_server

from imagesearch.config import IndexConfig, IndexSearchParams, MilvusConfig
from imagesearch.filters import Condition
from imagesearch.store import CollectionRef, CollectionRows, CollectionSpec, Store, choose_index
from imagesearch.store.schema import FIELDS, CollectionInfo
from imagesearch.store.vector_index import IndexSpec
from imagesearch.store.vector_search import VectorQuery, search_nearest

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "outputs" / "scale_server.jsonl"
REF = CollectionRef("bench_scale", "clip")
DIMENSION, CLUSTERS, NOISE = 512, 400, 0.9
PART_ROWS, BATCH_ROWS = 50_000, 5_000
QUERY_PART = 2**40  # far from the positions of all rows, so that no query is a row
USED = ("no filter", OTHER_CLUSTERS, "a person", "a place", "a person in a place", "a rare person")
# Parameters of searches without a filter, besides the defaults of the config.
OTHER_PARAMS: dict[str, list[dict[str, int]]] = {
    "HNSW": [{"ef": 64}, {"ef": 1024}],
    "IVF_SQ8": [{"nprobe": 16}, {"nprobe": 64}, {"nprobe": 1024}],
}


def save(**values: Any) -> None:
    """Print a result, and append it to the file of results."""
    line = json.dumps({"load": round(os.getloadavg()[0], 1)} | values)
    print(line, flush=True)
    with OUTPUT.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


# --- the server --------------------------------------------------------------------------------------------


class ServerCosts:
    """The memory, CPU seconds and disk of a server, from the id of its process and its folder."""

    def __init__(self, process: int, folder: Path) -> None:
        self.process, self.folder = process, folder

    def read_cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reset_peak(self) -> None:
        Path(f"/proc/{self.process}/clear_refs").write_text("5")

    def read_memory(self) -> dict[str, int]:
        """Return the resident memory and its peak since the last reset, in MB."""
        return {f"server MB, {name}": value for name, value in read_memory(self.process).items()}

    def measure_disk(self) -> dict[str, int]:
        """Return the MB of the files in the server's folder, by kind of data."""
        sizes = {"disk MB, all": 0, "disk MB, inserted": 0, "disk MB, index": 0}
        for parent, _, names in os.walk(self.folder):
            for name in names:
                try:
                    size = (Path(parent) / name).lstat().st_blocks * 512
                except FileNotFoundError:
                    continue
                sizes["disk MB, all"] += size
                for kind, part in (("inserted", "insert_log"), ("index", "index_files")):
                    sizes[f"disk MB, {kind}"] += size if part in parent else 0
        return {name: size // 2**20 for name, size in sizes.items()}


class Stopwatch:
    """Measures the seconds of this program and of the server since it was made."""

    def __init__(self, costs: ServerCosts) -> None:
        self._costs, self._start = costs, time.perf_counter()
        self._client, self._server = time.process_time(), costs.read_cpu_seconds()

    def read(self) -> dict[str, float]:
        return {
            "seconds": round(time.perf_counter() - self._start, 1),
            "client CPU s": round(time.process_time() - self._client, 1),
            "server CPU s": round(self._costs.read_cpu_seconds() - self._server, 1),
        }


# --- rows --------------------------------------------------------------------------------------------------


def make_part(first: int, rows: int) -> CollectionRows:
    """Make some rows in the clusters that all rows share."""
    centres = np.random.default_rng(0).standard_normal((CLUSTERS, DIMENSION), dtype=np.float32)
    rng = np.random.default_rng([1, first])
    vectors = NOISE * rng.standard_normal((rows, DIMENSION), dtype=np.float32)
    vectors += centres[rng.integers(0, CLUSTERS, rows)]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return describe_vectors(vectors, first, first)


def iterate_parts(rows: int) -> Iterator[CollectionRows]:
    for first in range(0, rows, PART_ROWS):
        yield make_part(first, min(PART_ROWS, rows - first))


def make_queries() -> dict[str, np.ndarray]:
    """Return the queries of each filter: from the clusters of the rows, and for one set from others."""
    near = make_part(QUERY_PART, QUERIES).vectors
    others = np.random.default_rng(2).standard_normal((QUERIES, DIMENSION), dtype=np.float32)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    return {name: others if name == OTHER_CLUSTERS else near for name in USED}


def insert_rows(store: Store, spec: CollectionSpec, rows: int) -> Iterator[tuple[int, CollectionRows]]:
    """Insert all rows; yield the position of the first row of each inserted part, and the part."""
    first = 0
    for part in iterate_parts(rows):
        for batch in part.iterate_batches(np.arange(len(part.vectors)), BATCH_ROWS):
            store.collections.upsert(f"{REF.alias}__1", spec, batch)
        yield first, part
        first += len(part.vectors)


class ExactSearch:
    """The ten nearest rows of each query by exact search, over parts of the rows."""

    def __init__(self, queries: dict[str, np.ndarray]) -> None:
        self._queries = queries
        self.passing = dict.fromkeys(queries, 0)
        self._best: dict[str, list[list[tuple[float, int]]]] = {
            name: [[] for _ in vectors] for name, vectors in queries.items()
        }

    def add(self, first: int, part: CollectionRows) -> None:
        """Compare the queries with the rows of a part that pass their filter."""
        found = find_passing(part)
        for name, queries in self._queries.items():
            positions = found[name]
            self.passing[name] += len(positions)
            scores = queries @ part.vectors[positions].T
            for best, row in zip(self._best[name], scores, strict=True):
                order = np.argsort(-row)[:10]
                best += zip(row[order].tolist(), (first + positions[order]).tolist(), strict=True)
                best[:] = sorted(best, reverse=True)[:10]

    def compute_recall(self, name: str, found: list[list[int]]) -> float:
        """Return the share of the nearest rows that a search has found."""
        nearest = [{key for _, key in best} for best in self._best[name]]
        hits = sum(len(best & set(keys)) for best, keys in zip(nearest, found, strict=True))
        return hits / max(1, sum(map(len, nearest)))


# --- measurements ------------------------------------------------------------------------------------------


def fill(store: Store, costs: ServerCosts, rows: int, exact: ExactSearch) -> None:
    """Insert the rows into a new collection with a FLAT index, which takes no time to build."""
    spec = CollectionSpec(REF, "random", "random", DIMENSION, IndexSpec("FLAT", {}), FIELDS["clip"])
    store.collections.create(spec, f"{REF.alias}__1")
    inserted, watch, apart = 0, Stopwatch(costs), {"seconds": 0.0, "client CPU s": 0.0}
    for first, part in insert_rows(store, spec, rows):
        exact_watch = Stopwatch(costs)
        exact.add(first, part)
        used = exact_watch.read()
        apart = {name: value + used[name] for name, value in apart.items()}
        inserted = first + len(part.vectors)
        if inserted % 250_000 == 0 or inserted == rows:
            values = watch.read()  # exact search is no part of inserting
            values |= {name: round(values[name] - value, 1) for name, value in apart.items()}
            save(what="insert", rows=inserted, **values, **costs.read_memory())
    start = Stopwatch(costs)
    store.collections.flush(f"{REF.alias}__1")
    save(what="flush", rows=inserted, **start.read(), **costs.read_memory(), **costs.measure_disk())
    store.collections.publish(REF, f"{REF.alias}__1")


def build_index(store: Store, costs: ServerCosts, index: IndexSpec, rows: int) -> None:
    """Replace the vector index of the loaded collection."""
    client, name = store.collections.client, f"{REF.alias}__1"
    client.release_collection(name)
    client.drop_index(name, "embedding")
    before = costs.measure_disk()
    costs.reset_peak()
    watch, indexes = Stopwatch(costs), client.prepare_index_params()
    indexes.add_index("embedding", index_type=index.type, metric_type="IP", params=index.build)
    client.create_index(name, indexes, sync=False)
    done, reported = 0, 0
    while done < rows:
        time.sleep(1)
        state = client.describe_index(name, "embedding")
        if state.get("state") == "Failed":
            save(what="index", type=index.type, failed=str(state))
            return
        # Milvus 2.3.5 counts pending rows of segments that were merged into others too.
        done = int(state.get("indexed_rows") or 0)
        if done - reported >= rows // 10:
            reported = done
            save(what="index so far", type=index.type, indexed=done, **watch.read(), **costs.read_memory())
    values = watch.read() | costs.read_memory() | {"build": index.build, "state": str(state)}
    save(what="index", type=index.type, rows=done, **values, **costs.measure_disk(), before=before)
    watch = Stopwatch(costs)
    costs.reset_peak()
    client.load_collection(name)
    save(what="load", type=index.type, **watch.read(), **costs.read_memory())


def search(
    store: Store, collection: CollectionInfo, vector: np.ndarray, where: Condition, params: IndexSearchParams
) -> list[int]:
    expression = store.format_filter(where)
    query = VectorQuery(collection, vector, 10, expression, params)
    return [hit.id for hit in search_nearest(store.collections, query)]


def measure_searches(store: Store, costs: ServerCosts, index: IndexSpec, exact: ExactSearch) -> None:
    """Search with each filter, and without a filter with other parameters."""
    collection = replace(store.collections.open(REF), index=index)
    default = IndexSearchParams()
    runs = [(name, default, {}) for name in USED]
    for values in OTHER_PARAMS.get(index.type, []):
        runs += [(name, default.model_copy(update=values), values) for name in USED[:2]]
    queries = make_queries()
    for name, params, values in runs:
        found, times = [], []
        search(store, collection, queries[name][0], FILTERS[name], params)
        watch = Stopwatch(costs)
        for vector in queries[name]:
            start = time.perf_counter()
            found.append(search(store, collection, vector, FILTERS[name], params))
            times.append(1000 * (time.perf_counter() - start))
        p50, p95 = np.percentile(times, (50, 95)).round(1).tolist()
        recall, cpu = exact.compute_recall(name, found), watch.read()["server CPU s"]
        result = {"ms p50": p50, "ms p95": p95, "server CPU ms": round(1000 * cpu / QUERIES, 1)}
        result |= {"recall@10": round(recall, 3), "passing": exact.passing[name]}
        save(what="search", type=index.type, filter=name, params=values, **result)
    save(what="after searches", type=index.type, **costs.read_memory())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--index", nargs="+", default=["IVF_SQ8", "HNSW"], help="types, in this order")
    program = os.environ.get("IMAGESEARCH_MILVUS_SERVER")
    parser.add_argument("--milvus-server", metavar="PROGRAM", default=program, help="default: %(default)s")
    args = parser.parse_args()
    if not args.milvus_server:
        parser.error("give --milvus-server; `make test-server` installs one")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the server is stopped too
    OUTPUT.parent.mkdir(exist_ok=True)
    with run_server(args.milvus_server) as (uri, process):
        folder = Path(f"/proc/{process}/cwd").readlink()
        costs = ServerCosts(process, folder)
        save(what="start", server=process, folder=str(folder), rows=args.rows, **costs.read_memory())
        milvus = MilvusConfig.model_validate({"uri": uri, "timeout": 600}, context={"base": Path()})
        with Store(milvus) as store:
            exact = ExactSearch(make_queries())
            fill(store, costs, args.rows, exact)
            for kind in args.index:
                index = choose_index(IndexConfig(type=kind), args.rows, store.collections.dialect)
                build_index(store, costs, index, args.rows)
                measure_searches(store, costs, index, exact)


if __name__ == "__main__":
    main()
