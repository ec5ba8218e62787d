"""The time from a photo's last byte until a search finds it, while 01_extract_features.py --watch is running.

    python benchmarks/watch_speed.py FOLDER [--photos 240 50000] [--arrivals 5]

Each album is a drawn one. Its rows are repeated in all tables, with noise in the vectors, and its files are
hard links. For each arrival, a new photo is written into the album, and the program searches until it is
found. Prints the median seconds, also of the batches alone, and of the start; the CPU seconds of the watch,
in which the searches run too; and the load of the machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from web_album import DRAWN, name_copy

from imagesearch.config import Config, load_config
from imagesearch.faces import cluster_people
from imagesearch.filters import Eq
from imagesearch.geo import extract_geo
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import Dataset, make_vector_column
from imagesearch.pipeline.processed_photo import make_processed_table
from imagesearch.pipeline.tables import Table
from imagesearch.store import CollectionRef, Store, build_collections
from imagesearch_demo.album import make_album
from imagesearch_demo.scoring import build_album, make_demo_config

_TABLES = ("clip", "vit", "classes", "faces", "geo")
_COPIES_A_SHARD = 40
_POLL_SECONDS = 0.25  # between two searches, which run in the process of the watch
_NOISE = 0.35  # length of the noise in a vector, which has length 1


def make_large_album(folder: Path, photos: int) -> Config:
    """Make an album with tables and collections of so many photos, unless it is there; return its config."""
    ready = folder / "ready"
    if ready.exists():
        return load_config(folder / "config.yaml")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    truth = make_album(folder / "album", DRAWN, seed=6101)
    config = make_demo_config(folder, folder / "album")
    build_album(config, truth)
    repeat_files(Dataset(config), photos // DRAWN)
    repeat_tables(Dataset(config), photos // DRAWN)
    dataset = Dataset(config)
    print(f"{time.strftime('%X')} {len(dataset.photos)} photos", flush=True)
    extract_geo(config, dataset)  # the addresses
    cluster_people(config, dataset)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)
    ready.touch()
    return config


def repeat_files(dataset: Dataset, copies: int) -> None:
    """Make the files of the copies by hard links."""
    root = dataset.roots[0]
    for photo in list(dataset.photos):
        for number in range(1, copies):
            file = root / name_copy(photo.path, number)
            file.parent.mkdir(parents=True, exist_ok=True)
            os.link(photo.file, file)


def repeat_tables(dataset: Dataset, copies: int) -> None:
    """Append the entries and rows of the copies to all tables, with noise in their vectors."""
    rng = np.random.default_rng(6)
    for name in _TABLES:
        table = dataset.open_table(name)
        entries = list(table.read_processed().values())
        rows = table.read_rows(entries)
        for start in range(1, copies, _COPIES_A_SHARD):
            numbers = range(start, min(start + _COPIES_A_SHARD, copies))
            _append_copies(table, entries, rows, numbers, rng)


def _append_copies(
    table: Table, entries: list, rows: pa.Table | None, numbers: range, rng: np.random.Generator
) -> None:
    seen, pieces = [], []
    for number in numbers:
        new_ids = {}
        for entry in entries:
            path = name_copy(entry.path, number)
            new_ids[entry.photo_id] = compute_photo_id(path)
            # not the hash of the drawn photo: a photo of the album would be found by its content
            content = compute_photo_id(path).to_bytes(8, "big") * 2
            seen.append((new_ids[entry.photo_id], path, entry.size, entry.mtime_ns, content,
                         entry.width, entry.height, entry.error))  # fmt: skip
        ids = pa.array([new_ids[i] for i in rows["photo_id"].to_pylist()], pa.int64())
        piece = rows.set_column(rows.column_names.index("photo_id"), "photo_id", ids)
        for column in ("vector", "embedding"):
            if column in piece.column_names:
                noisy = _add_noise(piece[column], rng)
                piece = piece.set_column(piece.column_names.index(column), column, noisy)
        pieces.append(piece)
    table.append(entries[0].fingerprint, pa.concat_tables(pieces), make_processed_table(seen))


def _add_noise(column: pa.ChunkedArray, rng: np.random.Generator) -> pa.Array:
    combined = column.combine_chunks()
    size = combined.type.list_size
    vectors = combined.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    noisy = vectors + rng.standard_normal(vectors.shape, dtype=np.float32) * (_NOISE / np.sqrt(size))
    return make_vector_column(noisy / np.linalg.norm(noisy, axis=1, keepdims=True))


def measure_arrivals(config: Config, config_file: Path, arrivals: int) -> dict[str, float]:
    """Start the watch, write photos one by one, and return the median seconds until a search finds one."""
    script = Path(__file__).parent.parent / "scripts" / "01_extract_features.py"
    command = [sys.executable, str(script), "-c", str(config_file), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as watch:
        start = time.perf_counter()
        print(watch.stdout.readline(), end="", flush=True)
        first = time.perf_counter() - start
        root, waits, batches, cpu, loads = config.dataset.images[0], [], [], [], []
        source = next(root.glob("*/IMG_*.jpg"))
        with Store(config.milvus) as store:
            vector = next(iter(store.sample_vectors(CollectionRef(config.dataset.name, "clip"), 1)))
            for number in range(arrivals):
                file = root / f"arrival_{time.time_ns()}.jpg"
                write_new_photo(source, file, number)
                start, cpu_before = time.perf_counter(), read_cpu_seconds(watch.pid)
                while not is_found(store, config, vector, file.name):
                    time.sleep(_POLL_SECONDS)
                waits.append(time.perf_counter() - start)
                line = watch.stdout.readline()
                while "1 new" not in line:  # the faces were clustered anew before
                    line = watch.stdout.readline()
                batches.append(float(line.rpartition(", ")[2].split()[0]))
                cpu.append(read_cpu_seconds(watch.pid) - cpu_before)
                loads.append(os.getloadavg()[0])
                values = f"{waits[-1]:.1f} s, {cpu[-1]:.1f} s of CPU, load {loads[-1]:.1f}"
                print(f"{values}: {line}", end="", flush=True)
        watch.terminate()  # not SIGINT, which programs in the background of a shell ignore
    medians = {"found": waits, "batch": batches, "cpu": cpu, "load": loads}
    return {"first": first} | {name: statistics.median(values) for name, values in medians.items()}


def read_cpu_seconds(process: int) -> float:
    """Return the CPU seconds that a process has used, on Linux; what other programs use is not included."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_new_photo(source: Path, file: Path, number: int) -> None:
    """Write a copy of a photo, with its metadata, that differs in some pixels."""
    with Image.open(source) as image:
        exif = image.getexif()
        image.paste((number, 0, time.time_ns() % 256), (0, 0, 16, 16))
        image.save(file, quality=90, exif=exif)


def is_found(store: Store, config: Config, vector: np.ndarray, name: str) -> bool:
    """Whether a search of a vector finds the photo, with its path as the filter."""
    return bool(store.search(CollectionRef(config.dataset.name, "clip"), vector, 1, where=Eq("path", name)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, nargs="+", default=[DRAWN, 50_000])
    parser.add_argument("--arrivals", type=int, default=5)
    args = parser.parse_args()
    results = {}
    for photos in args.photos:
        folder = args.folder / str(photos)
        config = make_large_album(folder, photos)
        results[photos] = measure_arrivals(config, folder / "config.yaml", args.arrivals)
    smallest = results[min(results)]["found"]
    for photos, result in results.items():
        print(
            f"{photos:,} photos: found after {result['found']:.1f} s (median of {args.arrivals}, "
            f"{result['found'] / smallest:.1f} times the smallest album), batch {result['batch']:.1f} s, "
            f"{result['cpu']:.1f} s of CPU, load {result['load']:.1f}, start {result['first']:.1f} s"
        )


if __name__ == "__main__":
    main()
