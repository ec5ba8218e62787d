"""A program that has a Milvus Lite file open, for tests of several programs: a command per line of input.

python store_program.py DATABASE
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from test_store import ALBUM, rows, spec, vectors

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.store import CollectionRef, IndexSpec, Store
from imagesearch.store.collection_updates import update_collections


def open_store(database: str | Path) -> Store:
    return Store(MilvusConfig.model_validate({"uri": str(database)}, context={"base": Path.cwd()}))


class Program:
    """The commands; each returns a value for JSON."""

    def __init__(self, database: str) -> None:
        self.store = open_store(database)

    def search(self, seed: int, limit: int = 5) -> list[int]:
        hits = self.store.search(ALBUM, vectors(1, seed)[0], limit)
        return [hit.id for hit in hits]

    def build(self, dataset: str, count: int, seed: int = 0, rebuild: bool = False) -> dict[str, float]:
        """Build a collection; return the count, and when the build started and ended."""
        ref = CollectionRef(dataset, "clip")
        matrix = vectors(count, seed)
        start = time.time()
        contents = [(replace(spec(), ref=ref), rows(matrix))]
        report = update_collections(self.store, contents, rebuild, before_ready=lambda: time.sleep(0.1) or "")
        return {"rows": report["clip"].rows, "start": start, "end": time.time()}

    def build_graph(self, count: int) -> int:
        graph = spec(IndexSpec("HNSW", {"M": 16, "efConstruction": 100}))
        return update_collections(self.store, [(graph, rows(vectors(count)))])["clip"].rows

    def upsert_forever(self, file: str) -> None:
        """Upsert single rows; write the key of each acknowledged row to a file."""
        collection = spec(ref=CollectionRef("log", "clip"))
        update_collections(self.store, [(collection, rows(vectors(1)))])
        matrix = vectors(100_000)
        with Path(file).open("a") as stream:
            for key in range(1, len(matrix)):
                (batch,) = rows(matrix).iterate_batches(np.asarray([key]), 1)
                self.store.collections.upsert("log_clip", collection, batch)
                stream.write(f"{key}\n")
                stream.flush()

    def read_keys(self, dataset: str = "album") -> list[int]:
        return [hit.id for hit in self.store.read_all_rows(CollectionRef(dataset, "clip"))]

    def count_slowly(self, seconds: float) -> int:
        """Read all rows of several batches, with a pause after the first row."""
        keys = []
        for hit in self.store.read_all_rows(ALBUM):
            if not keys:
                print('"reading"', flush=True)
                time.sleep(seconds)
            keys.append(hit.id)
        assert keys == sorted(set(keys))
        return len(keys)

    def is_opener(self) -> bool:
        return self.store.collections.client._connection.server is not None

    def fork(self) -> int:
        """Start a process that ends only when it is killed; return its id."""
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
        return child

    def close(self) -> None:
        self.store.close()

    def fail(self) -> None:
        raise KeyboardInterrupt


def main() -> None:
    try:
        program = Program(sys.argv[1])
    except UserError as error:
        print(json.dumps(str(error)), flush=True)
        return
    print('"ready"', flush=True)
    for line in sys.stdin:
        name, *args = json.loads(line)
        result: Any = getattr(program, name)(*args)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
