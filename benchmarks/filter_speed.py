"""Time of searches with filters for people, places or times, compared with the bare Milvus call.

    python benchmarks/filter_speed.py --rows 50000

The bare call has the same filter. Both alternate, so that other work on the machine affects both equally. The
program prints medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
from store_speed import make_clustered_vectors

from imagesearch.config import Config, load_config
from imagesearch.pipeline import Dataset
from imagesearch.query import Criteria
from imagesearch.search import Query, Searcher, SearchResources
from imagesearch.store import (
    ARROW_TYPES,
    LITE,
    PHOTO_FIELDS,
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    Store,
    build,
    choose_index,
    fill_collection,
)

QUERIES = {
    "a person": Criteria(people=("Ana",)),
    "two people": Criteria(people=("Ana", "Bo")),
    "without somebody": Criteria(without=("Ana",)),
    "a place": Criteria(places=("goa",)),
    "a person in a place": Criteria(people=("Bo",), places=("goa",)),
    "a summer": Criteria(after="2023-06-01", before="2023-09-01"),
    "somebody rare": Criteria(people=("Cy",)),
}


def make_photo_rows(vectors: np.ndarray, seed: int = 0, first: int = 0) -> CollectionRows:
    """Make photos of 24 years: Ana on a third, Bo on a tenth, Cy on one in 5,000; a twentieth in Goa.

    The ids of the photos begin with ``first``.
    """
    rng = np.random.default_rng(seed)
    count = len(vectors)
    chances = {"Ana": 1 / 3, "Bo": 0.1, "Cy": 1 / 5000}
    is_on = {name: rng.random(count) < chance for name, chance in chances.items()}
    known: dict[str, list] = {
        "path": [f"{i // 500}/{i}.jpg" for i in range(first, first + count)],
        "face_labels": [[name for name in is_on if is_on[name][i]] for i in range(count)],
        "face_count": rng.integers(0, 5, count).tolist(),
        "place_words": [["goa", "india"] if is_goa else ["rome"] for is_goa in rng.random(count) < 0.05],
        "has_time": (rng.random(count) < 0.95).tolist(),
        "taken_at": rng.integers(946_684_800, 1_704_067_200, count).tolist(),
    }
    columns = {"photo_id": pa.array(range(first, first + count), pa.int64())}
    for item in PHOTO_FIELDS:
        columns[item.name] = pa.array(known.get(item.name, [item.unknown] * count), ARROW_TYPES[item.type])
    return CollectionRows(pa.table(columns), vectors)


class UncheckedResources(SearchResources):
    """Resources that do not check which model a collection was built with."""

    def open_collection(self, kind: str) -> CollectionInfo:
        return self.store.collections.open(self.get_collection_ref(kind))


class ConstantEncoder:
    """A text encoder without a model: it encodes every text as the same vector."""

    vector: np.ndarray

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        return np.stack([self.vector] * len(texts))


def make_unchecked_searcher(config: Config, dataset: Dataset, store: Store) -> Searcher:
    """Return a searcher for a collection of random vectors."""
    searcher = Searcher(config, dataset, store)
    searcher.resources = UncheckedResources(config, dataset, store)
    return searcher


def build_photo_collection(config: Config, store: Store, rows: int, dimension: int) -> None:
    """Build the collection and its vocabulary."""
    data = make_photo_rows(make_clustered_vectors(rows, dimension))
    plan = choose_index(config.milvus.index, rows, LITE)
    ref = CollectionRef(config.dataset.name, "clip")
    spec = CollectionSpec(ref, "random", "random", dimension, plan)
    dataset = Dataset(config)
    dataset.folder.mkdir(parents=True)
    fill_collection(store, spec, data)
    build._count_vocabulary(dataset, [(spec, data)]).write(dataset.folder)


def measure_queries(rows: int, dimension: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return the median milliseconds and their ratio for each query."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photos").mkdir()
        (Path(folder) / "photos" / "one.png").touch()
        file = Path(folder) / "config.yaml"
        file.write_text("dataset: {name: bench, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n")
        config = load_config(file)
        with Store(config.milvus) as store:
            build_photo_collection(config, store, rows, dimension)
            searcher = make_unchecked_searcher(config, Dataset(config), store)
            searcher.resources.models = SimpleNamespace(clip=ConstantEncoder())
            return {
                name: measure_query(searcher, criteria, dimension, repeats)
                for name, criteria in QUERIES.items()
            }


def measure_query(searcher: Searcher, criteria: Criteria, dimension: int, repeats: int) -> dict[str, float]:
    where = searcher.resources.store.format_filter(criteria.make_condition(searcher.resources.vocabulary)[0])
    times: dict[str, list[float]] = {"bare call": [], "search": [], "list, newest first": []}
    encoder = searcher.resources.models.clip
    for encoder.vector in make_clustered_vectors(repeats, dimension, seed=1):

        def search_bare() -> object:
            return searcher.resources.store._client.search(
                "bench_clip",
                data=[encoder.vector],
                anns_field="embedding",
                limit=10,
                filter=where,
                search_params={"metric_type": "IP"},
                output_fields=["path"],
            )

        times["bare call"].append(measure_milliseconds(search_bare))
        times["search"].append(
            measure_milliseconds(lambda: searcher.search(Query(text="x", criteria=criteria)))
        )
        times["list, newest first"].append(
            measure_milliseconds(lambda: searcher.search(Query(criteria=criteria)))
        )
    medians = {name: statistics.median(values) for name, values in times.items()}
    return medians | {"ratio": medians["search"] / medians["bare call"]}


def measure_milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = measure_queries(args.rows, args.dimension, args.repeats)
    if args.json:
        print(json.dumps(result, indent=2))
        return
    names = list(next(iter(result.values())))
    print(f"{'ms':<22}" + "".join(f"{name:>20}" for name in names))
    for query, values in result.items():
        print(f"{query:<22}" + "".join(f"{values[name]:>20.2f}" for name in names))


if __name__ == "__main__":
    main()
