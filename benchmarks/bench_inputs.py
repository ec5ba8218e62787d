"""The inputs of bench.py, each made when a row first requires it, and timing of programs and functions."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from make_photos import link_photos, make_photos

from imagesearch.config import Config, load_config
from imagesearch.features import extract
from imagesearch.features.score_calibration import save_reference_texts
from imagesearch.pipeline import Dataset, make_vector_column
from imagesearch.pipeline.processed_photo import make_processed_row, make_processed_table

SCRIPTS = Path(__file__).parent.parent / "scripts"
BENCH = Path(__file__).parent / "bench.py"
# A measurement that takes longer than this is done once; shorter ones three times.
_LONG_SECONDS = 30.0
_FILES_IN_FOLDER = 500
_ROWS_IN_SHARD = 50_000


@dataclass(frozen=True)
class Run:
    """One run of a program: wall time, CPU time and peak memory, and what it printed."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


def read_busy_seconds() -> float:
    """Return the CPU seconds that all programs of this machine have used; 0 on systems other than Linux."""
    try:
        first_line = Path("/proc/stat").read_text("utf-8").partition("\n")[0]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, first_line.split()[1:])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class OtherWork:
    """The share of the cores that other programs use from its creation on."""

    def __init__(self) -> None:
        self.start = self._read()

    def _read(self) -> tuple[float, float]:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return time.perf_counter(), read_busy_seconds() - own

    def measure_share(self) -> float:
        """Return the share until now, 0 to 1."""
        (start, used_before), (end, used) = self.start, self._read()
        return max(0.0, used - used_before) / ((end - start) * (os.cpu_count() or 1))


def run_program(*command: str | Path) -> Run:
    """Run Python with some arguments, and measure it.

    Raises
    ------
    RuntimeError
        If the program fails.
    """
    # Bytecode is cached, as for a user.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *map(str, command)], stdout=output, stderr=errors, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"{Path(command[0]).name}: exit {process.returncode}: {errors.read()[-400:]}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read())


def run_part(name: str, *arguments: str | Path) -> dict:
    """Run one of the functions of bench_parts.py in a new process; return what it prints."""
    return json.loads(run_program(BENCH.with_name("bench_parts.py"), name, *arguments).output)


def repeat_alternately(
    calls: dict[str, Callable[[], float]], repeats: int = 3, warm_up: bool = False
) -> dict[str, list[float]]:
    """Call functions in turn, and return the numbers they return; if a call is slow, there is one round."""
    if warm_up:
        for call in calls.values():
            call()
    values: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        slowest = 0.0
        for name, call in calls.items():
            start = time.perf_counter()
            values[name].append(call())
            slowest = max(slowest, time.perf_counter() - start)
        if slowest > _LONG_SECONDS:
            break
    return values


class Inputs:
    """Photos, models, albums and tables in one folder; what is there already is used again.

    Parameters
    ----------
    folder
        The folder.
    photos
        The sources of the photos, or None for a drawn album.
    models
        A folder of full-size models, or None to make them.
    quick
        Use fewer photos and rows.
    """

    def __init__(self, folder: Path, photos: Path | None, models: Path | None, quick: bool) -> None:
        self.folder, self.source, self.quick = folder.absolute(), photos, quick
        self._models = models
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["IMAGESEARCH_CACHE"] = str(self.folder / "cache")

    @functools.cached_property
    def models(self) -> Path:
        """The folder of the full-size models, which are already converted."""
        folder = self._models or self.folder / "models"
        if not (folder / "vit").is_dir():
            run_program(BENCH.with_name("full_size_models.py"), folder)
        self._warm_up(folder)
        return folder

    def _warm_up(self, models: Path) -> None:
        """Run step 01 once, so that the models are converted, and their files hashed and in memory."""
        photos = self.link("vga", 2)
        self.run_step_01(photos, models)
        shutil.rmtree(photos)

    @functools.cached_property
    def photos(self) -> Path:
        """The folder with the folders ``jpeg``, ``heic``, ``heic_full`` and ``vga``."""
        folder = self.folder / "photos"
        if not folder.is_dir():
            unfinished = self.folder / "photos.part"
            shutil.rmtree(unfinished, ignore_errors=True)
            make_photos(unfinished, self.source).rename(folder)
        return folder

    def list_originals(self, kind: str) -> list[Path]:
        """Return the different photos of a kind."""
        return sorted((self.photos / kind).iterdir())

    def link(self, kind: str, count: int) -> Path:
        """Return a folder with some number of photos of a kind."""
        folder = self.folder / f"{kind}_{count}"
        shutil.rmtree(folder, ignore_errors=True)
        return link_photos(self.list_originals(kind), folder, count)

    def run_step_01(self, photos: Path, models: Path, *options: str) -> Run:
        """Run step 01 on a folder of photos as a new dataset, and delete the dataset."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            config = write_config(Path(name), photos, models)
            run = run_program(SCRIPTS / "01_extract_features.py", "-c", config, "--json", *options)
        summary = json.loads(run.output)
        if summary["failed"] or not summary["new"]:
            raise RuntimeError(f"step 01: {summary['new']} new photos, failed: {summary['failed']}")
        return run

    @functools.cached_property
    def demo_album(self) -> Path:
        """The config of a small built album with the demo's models."""
        folder = self.folder / "demo"
        if not (folder / "milvus.db").exists():
            from imagesearch_demo.album import make_album
            from imagesearch_demo.scoring import build_album, make_demo_config

            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            truth = make_album(folder / "album", 48, workers=0)
            build_album(make_demo_config(folder, folder / "album"), truth)
        return folder / "config.yaml"

    @functools.cached_property
    def full_size_album(self) -> Path:
        """The config of the same photos, built with the full-size CLIP."""
        folder = self.folder / "demo_full"
        config = folder / "config.yaml"
        if not (folder / "milvus.db").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            write_config(folder, self.demo_album.parent / "album", self.models)
            run_program(SCRIPTS / "01_extract_features.py", "-c", config, "--only", "clip")
            run_program(SCRIPTS / "04_extract_geo.py", "-c", config, "--no-show")
            run_program(SCRIPTS / "05_build_collections.py", "-c", config, "--no-show")
        return config

    def make_processed_dataset(
        self, models: Path, count: int, dimension: int, kinds: tuple[str, ...]
    ) -> Path:
        """Return the config of a dataset whose photos, tiny files, are all in the tables of step 01."""
        folder = self.folder / f"processed_{count}_{dimension}"
        if (folder / "done").exists():
            return folder / "config.yaml"
        shutil.rmtree(folder, ignore_errors=True)
        for i in range(count):
            if i % _FILES_IN_FOLDER == 0:
                (folder / "photos" / f"{i // _FILES_IN_FOLDER:04d}").mkdir(parents=True)
            (folder / "photos" / f"{i // _FILES_IN_FOLDER:04d}" / f"{i:06d}.jpg").write_bytes(b"x")
        config = write_config(folder, folder / "photos", models)
        write_tables(load_config(config), dimension, kinds)
        (folder / "done").touch()
        return config


def get_demo_models() -> Path:
    """Return the folder of the demo's models."""
    from imagesearch_demo.scoring import MODELS

    return MODELS


def write_config(folder: Path, photos: Path, models: Path) -> Path:
    """Write a config file; return it."""
    settings = {
        "dataset": {"name": "bench", "images": str(photos), "processed": "processed"},
        "models": {kind: str(models / kind) for kind in ("clip", "vit")},
        "milvus": {"uri": "milvus.db"},
    }
    file = folder / "config.yaml"
    file.write_text(json.dumps(settings), "utf-8")  # JSON is YAML
    return file


def write_tables(config: Config, dimension: int, kinds: tuple[str, ...]) -> None:
    """Write the tables that step 01 would have written, with random vectors."""
    dataset = Dataset(config)
    steps = {"clip": extract._make_clip_step, "vit": extract._make_vit_step}
    save_reference_texts(config, dataset)
    rng = np.random.default_rng(0)
    for start in range(0, len(dataset.photos), _ROWS_IN_SHARD):
        photos = dataset.photos[start : start + _ROWS_IN_SHARD]
        vectors = rng.standard_normal((len(photos), dimension), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        ids = pa.array([photo.photo_id for photo in photos], pa.int64())
        rows = pa.table({"photo_id": ids, "vector": make_vector_column(vectors)})
        seen = make_processed_table(
            [make_processed_row(photo, f"{photo.photo_id:016x}".encode(), 4032, 3024) for photo in photos]
        )
        for kind in kinds:
            step = steps[kind](config, dataset)
            for table in step.tables:
                table.append(step.fingerprint, rows, seen)
