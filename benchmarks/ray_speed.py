"""Extraction with Ray compared with extraction in one process: photos per second, and CPU time for a photo.

    python benchmarks/ray_speed.py [--images DIR] [--clip DIR] [--vit DIR] [--faces DIR] [--rounds 5]

Without DIR, an album of 240 photos is drawn and copied to 960, and the models are those of the demo. Each
round runs step 01 and the detection of step 02 with each engine, one after the other, first on a quarter of
the photos and then on all. The difference is the time of the other photos; what is left is the start of a
run: processes, packages, models. Ray is started once, by the first run, which is not measured.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from imagesearch.config import Config, load_config
from imagesearch.faces import detect_faces
from imagesearch.features import extract_features
from imagesearch.pipeline import Dataset
from imagesearch_demo.album import make_album
from imagesearch_demo.scoring import make_demo_config

MODELS = ("clip", "vit", "faces")
_SECONDS_BETWEEN_READINGS = 0.05


class CpuMeter:
    """Adds up the CPU time of this process and all processes below it, also of those that end meanwhile."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[int, float], float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read_often)

    def __enter__(self) -> CpuMeter:
        self._read()
        self._before = dict(self._seconds)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._read()
        self.seconds = sum(self._seconds.values()) - sum(self._before.values())

    def _read_often(self) -> None:
        while not self._end.wait(_SECONDS_BETWEEN_READINGS):
            self._read()

    def _read(self) -> None:
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
            try:
                times = process.cpu_times()
                self._seconds[process.pid, process.create_time()] = times.user + times.system
            except psutil.NoSuchProcess:
                continue


def measure_run(run_step: Callable, config: Config, paths: Sequence[str]) -> tuple[float, float]:
    """Return the wall time and the CPU time of a step on some photos, in seconds."""
    shutil.rmtree(config.dataset.folder, ignore_errors=True)
    with CpuMeter() as meter:
        start = time.perf_counter()
        summary = run_step(config, Dataset(config, paths=paths))
        seconds = time.perf_counter() - start
    if summary.new != len(paths):
        raise SystemExit(f"{summary}, expected {len(paths)} new")
    return seconds, meter.seconds


def measure_engines(
    run_step: Callable, configs: dict[str, Config], paths: Sequence[str], rounds: int
) -> None:
    """Print the medians of all rounds for each engine, and the ratio of the engines in the same round."""
    columns: dict[str, list[list[float]]] = {engine: [] for engine in configs}
    for number in range(rounds + 1):
        for engine, config in configs.items():
            few = len(paths) // 4
            part, part_cpu = measure_run(run_step, config, paths[:few])
            whole, whole_cpu = measure_run(run_step, config, paths)
            seconds = (whole - part) / (len(paths) - few)
            row = [part - few * seconds, 1 / seconds, 1000 * (whole_cpu - part_cpu) / (len(paths) - few)]
            if number:  # the first round warms up
                columns[engine].append(row)
    for engine, rows in columns.items():
        start, rate, cpu = (statistics.median(values) for values in zip(*rows, strict=True))
        print(
            f"{run_step.__name__:18}{engine:8}{start:8.2f} s{rate:10.1f} photos/s{cpu:10.1f} ms", flush=True
        )
    pairs = zip(columns["ray"], columns["local"], strict=True)
    ratios = zip(*([r / other for r, other in zip(*pair, strict=True)] for pair in pairs), strict=True)
    start, rate, cpu = (statistics.median(values) for values in ratios)
    print(f"{'':18}{'ratio':8}{start:8.2f}  {rate:10.2f}         {cpu:11.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=Path)
    for kind in MODELS:
        parser.add_argument(f"--{kind}", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = args.images or Path(folder) / "album"
        if args.images is None:
            make_album(images / "1", 240, seed=5713, workers=0)
            for number in range(2, 5):
                shutil.copytree(images / "1", images / str(number))
        make_demo_config(Path(folder), images)
        models = [f"models.{kind}={path.absolute()}" for kind in MODELS if (path := getattr(args, kind))]
        sizes = ["faces.det_size=640"] if args.faces else []
        configs = {
            engine: load_config(
                Path(folder) / "config.yaml",
                [*models, *sizes, f"extraction.workers={args.workers}", f"extraction.engine={engine}"],
                dataset=engine,
            )
            for engine in ("local", "ray")
        }
        paths = [photo.path for photo in Dataset(configs["local"]).photos]
        print(f"{len(paths)} photos; start of a run, photos per second, CPU time for a photo", flush=True)
        for run_step in (extract_features, detect_faces):
            measure_engines(run_step, configs, paths, args.rounds)


if __name__ == "__main__":
    main()
