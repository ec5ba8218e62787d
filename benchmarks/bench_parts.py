"""Parts of the program that bench.py measures, each in a process of its own.

    python benchmarks/bench_parts.py NAME ARGUMENT ...

NAME is the end of the name of a function ``run_...``. It prints one JSON object.
"""

from __future__ import annotations

import functools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def run_ceiling(photos: str, models: str) -> None:
    """Print the CPU seconds for a photo: decoding, and CLIP by each runtime."""
    from imagesearch.features import ClipEncoder
    from imagesearch.photos import decode_photo

    def measure(call: Callable[[], object]) -> float:
        start = time.process_time()
        call()
        return time.process_time() - start

    files, seconds = sorted(Path(photos).iterdir()), {}
    for library in ("openvino", "torch"):
        encoder = ClipEncoder(f"{models}/clip", library=library)

        def prepare(encoder=encoder) -> list:
            photos = (decode_photo(file, encoder.input_side).image for file in files)
            return [encoder.preprocess(photo) for photo in photos]

        inputs = (prepare() * 32)[:32]  # the first call also reads the files to memory
        encoder.encode_images(inputs)
        if library == "openvino":
            seconds["decode"] = statistics.median(measure(prepare) for _ in range(3)) / len(files)
        encode = functools.partial(encoder.encode_images, inputs)
        seconds[library] = statistics.median(measure(encode) for _ in range(5)) / 32
    print(json.dumps(seconds))


def run_unchanged_split(config_file: str) -> None:
    """Print the seconds of the parts of step 01 for photos that are all unchanged."""
    start = time.perf_counter()
    from imagesearch.config import load_config
    from imagesearch.features import extract_features
    from imagesearch.pipeline import Dataset

    config = load_config(Path(config_file))
    dataset = Dataset(config)
    loaded = time.perf_counter()
    len(dataset.photos)
    listed = time.perf_counter()
    extract_features(config, dataset)
    parts = {"importing": loaded - start, "listing": listed - loaded}
    print(json.dumps(parts | {"comparing": time.perf_counter() - listed}))


def run_build(config_file: str) -> None:
    """Build the collections of a dataset in a new database; print the seconds."""
    from imagesearch.config import load_config
    from imagesearch.pipeline import Dataset
    from imagesearch.store import Store, build_collections

    with tempfile.TemporaryDirectory() as folder:
        config = load_config(Path(config_file), [f"milvus.uri={folder}/milvus.db"])
        start = time.perf_counter()
        with Store(config.milvus) as store:
            build_collections(config, Dataset(config), store)
            print(json.dumps({"seconds": time.perf_counter() - start}))


def run_sentences(models: str, rows: str) -> None:
    """Print the milliseconds of searches by sentence and of their parts."""
    from sentence_search import measure_times

    print(json.dumps(measure_times(Path(models), int(rows), 50)))


if __name__ == "__main__":
    globals()[f"run_{sys.argv[1]}"](*sys.argv[2:])
