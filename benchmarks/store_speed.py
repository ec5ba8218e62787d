"""Search times in Milvus Lite before and after an update of a tenth of the rows, by index type.

    python benchmarks/store_speed.py [--rows 50000] [--dimension 512] [--index FLAT IVF_FLAT HNSW]

For each filter, the program prints the median milliseconds and the recall@10 before the update, and the ratio
of the times after and before it. Searches in the two collections alternate, so that other work on the machine
affects both equally.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from imagesearch.config import IndexConfig, MilvusConfig
from imagesearch.filters import PathPrefix
from imagesearch.store import (
    ARROW_TYPES,
    LITE,
    PHOTO_FIELDS,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    Store,
    choose_index,
    fill_collection,
)

FILTERS = {"none": "", "50%": "half", "1%": "percent", "10 rows": "ten"}


def make_clustered_vectors(rows: int, dimension: int, seed: int = 0) -> np.ndarray:
    """Make unit vectors in clusters, like those of photos; (rows, dimension) float32."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((400, dimension), dtype=np.float32)
    noise = rng.standard_normal((rows, dimension), dtype=np.float32)
    vectors = centres[rng.integers(0, 400, rows)] + 0.9 * noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_rows(vectors: np.ndarray, year: int) -> CollectionRows:
    """Make rows of photos in folders that contain 10, 1% and 50% of them."""
    numbers = np.arange(len(vectors))
    conditions = [(numbers > 500) & (numbers <= 510), numbers % 100 == 7, numbers % 2 == 0]
    folders = np.select(conditions, ["ten", "percent", "half"], "rest")
    columns = {"photo_id": pa.array(numbers)}
    for item in PHOTO_FIELDS:
        columns[item.name] = pa.array([item.unknown] * len(numbers), ARROW_TYPES[item.type])
    columns["path"] = pa.array([f"{folder}/{i}.jpg" for i, folder in enumerate(folders)])
    columns["year"] = pa.array(np.where(numbers % 10 == 0, year, 2000), pa.int32())
    # fields that have a value for nearly all photos
    columns["file_name"] = pa.array([f"IMG_{i:05d}.jpg" for i in numbers])
    columns["name_words"] = pa.array([["img", f"{i:05d}"] for i in numbers])
    columns["hour"] = pa.array(numbers % 24, pa.int32())
    columns["weekday"] = pa.array(numbers % 7, pa.int32())
    columns["aspect"] = pa.array(np.where(numbers % 4, 1.5, 0.75), pa.float32())
    columns["people_count_known"] = pa.array(numbers % 3, pa.int32())
    columns["indexed_at"] = pa.array(1_764_000_000 + numbers // 100)
    return CollectionRows(pa.table(columns), vectors)


def measure_searches(
    stores: dict[str, Store], vectors: np.ndarray, queries: np.ndarray, where: str
) -> dict[str, tuple[float, float]]:
    """Return the median milliseconds and the mean recall@10 of searches by store; the stores alternate."""
    paths = make_rows(vectors, 2000).scalars["path"].to_pylist()
    inside = np.asarray([i for i, path in enumerate(paths) if not where or path.startswith(f"{where}/")])
    times: dict[str, list[float]] = {name: [] for name in stores}
    recalls: dict[str, list[float]] = {name: [] for name in stores}
    for query in queries:
        best = set(inside[np.argsort(-(vectors[inside] @ query))[:10]].tolist())
        for name, store in stores.items():
            start = time.perf_counter()
            hits = store.search(CollectionRef("bench", "clip"), query, 10, where=PathPrefix(where))
            times[name].append(1000 * (time.perf_counter() - start))
            recalls[name].append(len({hit.id for hit in hits} & best) / len(best))
    return {name: (statistics.median(times[name]), statistics.mean(recalls[name])) for name in stores}


def measure_index(kind: str, rows: int, dimension: int) -> dict:
    """Fill two identical collections, update a tenth of one, and search both."""
    vectors = make_clustered_vectors(rows, dimension)
    queries = make_clustered_vectors(20, dimension, seed=1)
    plan = choose_index(IndexConfig(type=kind), rows, LITE)
    spec = CollectionSpec(CollectionRef("bench", "clip"), "random", "random", dimension, plan)
    result: dict = {"index": kind, "build": plan.build}
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            name: MilvusConfig.model_validate(
                {"uri": f"{name}.db", "index": {"type": kind}}, context={"base": Path(folder)}
            )
            for name in ("before", "after")
        }
        for name, years in (("before", [2000]), ("after", [2000, 2001])):
            for year in years:
                start = time.perf_counter()
                with Store(settings[name]) as store:
                    report = fill_collection(store, spec, make_rows(vectors, year))
                sent = report.inserted + report.updated
                result[f"seconds to send {sent}"] = round(time.perf_counter() - start, 1)
        stores = {name: Store(milvus) for name, milvus in settings.items()}
        for store in stores.values():
            store.search(CollectionRef("bench", "clip"), queries[0], 10)
        for name, where in FILTERS.items():
            timed = measure_searches(stores, vectors, queries, where)
            (before, recall), (after, _) = timed["before"], timed["after"]
            ratio = round(after / before, 2)
            result[name] = {"ms": round(before, 1), "recall": round(recall, 3), "ratio": ratio}
        for store in stores.values():
            store.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--index", nargs="+", default=["FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"])
    args = parser.parse_args()
    for kind in args.index:
        print(json.dumps(measure_index(kind, args.rows, args.dimension)), flush=True)


if __name__ == "__main__":
    main()
