"""Fixtures for all tests: tiny models in the real formats, a folder of photos with a config, built albums."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pillow_heif
import pytest
import yaml
from PIL import Image
from shared_folders import make_or_copy

from imagesearch.config import Config, load_config

if TYPE_CHECKING:
    from drawn import Drawn
    from newcomer import Clone
    from store_processes import Process, StartProgram

ROOT = Path(__file__).parent.parent
# tests/server requires a standalone Milvus server, which `make test-server` installs.
# `make test-scale` installs Ray and an S3 server. `make test-services` and `make test-web` run the others,
# because `make test` would become too long.
_FOLDERS = {
    "scale": "IMAGESEARCH_TEST_SCALE",
    "server": "IMAGESEARCH_MILVUS_SERVER",
    "services": "IMAGESEARCH_TEST_SERVICES",
    "web": "IMAGESEARCH_TEST_WEB",
}
collect_ignore = [folder for folder, variable in _FOLDERS.items() if not os.environ.get(variable)]
pytest_plugins = ["web_fixtures"]
os.environ.setdefault("MPLBACKEND", "Agg")
# one thread for each process of the run: more threads than cores wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")
pillow_heif.register_heif_opener()  # to write HEIC
# converted models, shared by the processes of one test run
os.environ["IMAGESEARCH_CACHE"] = str(
    Path(tempfile.gettempdir()) / f"imagesearch-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
)
os.environ["HF_HUB_OFFLINE"] = "1"  # no test downloads anything

# The files that take longest, the longest first, so that no process of the run waits for another at the end.
# With --no-loadscope-reorder, pytest-xdist hands the files out in the order of the items.
_LONG_FILES = (
    "readme", "engines", "openvino", "demo_models", "lite_sharing", "index_tuning", "options",
    "people_scripts", "upgrade", "evaluate_truth", "scripts", "npy_files", "lite_address", "viewer",
    "content", "evaluate", "layout", "notebook", "marks", "shared_search", "people", "prompt", "geo_step",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"test_{name}": place for place, name in enumerate(_LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def draw(seed: int, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Draw coloured discs on a gradient; different seeds give clearly different pictures."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / max(size)
    picture = np.stack([x * rng.uniform(0, 255) + y * rng.uniform(0, 255) for _ in range(3)], axis=-1)
    for _ in range(4):
        left, top, radius = rng.uniform(0, 1), rng.uniform(0, height / width), rng.uniform(0.1, 0.25)
        picture[np.hypot(x - left, y - top) < radius] = rng.uniform(0, 255, 3)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of a CLIP and a ViT with random weights; different pictures have different vectors."""
    import torch
    from transformers import CLIPConfig, CLIPModel, ViTConfig, ViTForImageClassification
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = small | {"vocab_size": 514, "bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}
    vision = small | {"image_size": 32, "patch_size": 8}
    clip = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    vit = ViTForImageClassification(
        ViTConfig(**small, image_size=32, patch_size=8, num_labels=4, id2label=dict(enumerate("abcd")))
    )
    for model in (clip, vit):
        for (
            parameter
        ) in model.parameters():  # larger than initial weights, so that the vectors of pictures differ
            parameter.data += 0.2 * torch.randn_like(parameter)
    clip.save_pretrained(folder / "clip")
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder / "clip")
    byte_tokenizer().save_pretrained(folder / "clip")
    vit.save_pretrained(folder / "vit")
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder / "vit")
    return {"clip": folder / "clip", "vit": folder / "vit"}


def byte_tokenizer():
    """Return a CLIP tokenizer whose tokens are single bytes."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*letters, *(f"{c}</w>" for c in letters)])}
    return CLIPTokenizer(vocab=vocabulary | {"<|startoftext|>": 512, "<|endoftext|>": 513}, merges=[])


Done = subprocess.CompletedProcess


class World:
    """A folder with photos, a config and the output of the scripts."""

    def __init__(self, folder: Path, models: dict[str, Path]) -> None:
        self.folder = folder
        self.photos = folder / "photos"
        self.config_file = folder / "config.yaml"
        self.settings = {
            "dataset": {"name": "album", "images": "photos", "processed": "processed"},
            "models": {name: str(path) for name, path in models.items()} | {"precision": "float32"},
            "milvus": {"uri": "milvus.db"},
        }
        self.photos.mkdir()
        self.write_config()

    def write_config(self) -> None:
        self.config_file.write_text(yaml.safe_dump(self.settings), "utf-8")

    def add(self, path: str, seed: int, **options) -> Path:
        file = self.photos / path
        file.parent.mkdir(parents=True, exist_ok=True)
        draw(seed).save(file, **options)
        return file

    def config(self, *assignments: str) -> Config:
        return load_config(self.config_file, assignments)

    def run(
        self, script: str, *args: str | Path, stdin: str = "", code: int = 0, process: bool = False
    ) -> Done:
        """Run a script as a user does, and check its exit code.

        The script runs in this process, unless `process` is set: a process of its own takes some seconds to
        load torch.
        """
        command = [ROOT / "scripts" / script, "-c", self.config_file, *map(str, args)]
        if process:
            done = subprocess.run(
                [sys.executable, *command],
                cwd=self.folder,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=120,
            )
        else:
            done = run_here(list(map(str, command)), self.folder, stdin)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


def run_here(command: list[str], folder: Path, stdin: str = "", together: bool = False) -> Done:
    """Run a script in this process, with its own arguments, folder, streams and exit code.

    With ``together``, stdout contains both streams in order, as on a terminal.
    """
    outputs = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    if together:
        outputs[1] = outputs[0]
    before = sys.argv, sys.stdin, Path.cwd()
    sys.argv, sys.stdin = command, io.StringIO(stdin)
    os.chdir(folder)
    code: int | str | None = 0
    try:
        with redirect_stdout(outputs[0]), redirect_stderr(outputs[1]):
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
    except Exception:
        outputs[1].write(traceback.format_exc())
        code = 1
    finally:
        sys.argv, sys.stdin = before[:2]
        os.chdir(before[2])
    texts = [output.buffer.getvalue().decode("utf-8", "backslashreplace") for output in outputs]
    if together:
        texts[1] = ""
    return subprocess.CompletedProcess(command, code or 0, *texts)


@pytest.fixture
def world(tmp_path: Path, tiny_models: dict[str, Path]) -> World:
    """A new world without photos."""
    return World(tmp_path, tiny_models)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone after ``make demo``: the album of 240 photos, drawn once for all tests."""
    from newcomer import Clone  # imports this module

    def run_recipe(folder: Path) -> None:
        clone = Clone.make(folder)
        for line in clone.list_recipe("demo"):
            if not line.startswith("echo"):
                done = clone.run_command(line)
                assert done.returncode == 0, f"make demo: {line}\n{done.stdout}"

    return Clone(make_or_copy(tmp_path_factory, "clone", run_recipe))


class BuiltAlbum(NamedTuple):
    """The folder of a built album with the true names of its people, and its ground truth."""

    folder: Path
    truth: dict

    @property
    def config_file(self) -> Path:
        return self.folder / "config.yaml"


@pytest.fixture(scope="session")
def built_album(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlbum:
    """A built album of 64 photos, shared by all tests. A test that changes a file must copy it first."""
    from imagesearch_demo.album import make_album
    from imagesearch_demo.scoring import build_album, make_demo_config

    def build(folder: Path) -> None:
        truth = make_album(folder / "album", 64, seed=5713, workers=0)
        build_album(make_demo_config(folder, folder / "album"), truth)

    folder = make_or_copy(tmp_path_factory, "built", build)
    return BuiltAlbum(folder, json.loads((folder / "album.truth.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def twelve_photos(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Twelve processed photos with three people, shared by tests; one that changes a file must copy it."""
    from drawn import Drawn  # imports this module
    from people_rows import process_twelve_photos

    return Drawn(make_or_copy(tmp_path_factory, "twelve", process_twelve_photos))


@pytest.fixture
def start() -> Iterator[StartProgram]:
    """Starts programs that open a database, and ends them after the test."""
    from store_processes import PROGRAM, Process

    processes = []

    def start_program(database: Path, *command: str, wait: bool = True) -> Process:
        process = Process(*(command or (PROGRAM,)), database)
        processes.append(process)
        if wait:
            assert process.receive() == "ready"
        return process

    yield start_program
    for process in processes:
        process.kill()
        for stream in (process.process.stdin, process.process.stdout, process.process.stderr):
            stream.close()


@pytest.fixture
def second_device(tmp_path: Path) -> Iterator[Path]:
    """A folder on another device than `tmp_path`, in memory."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs /dev/shm: no other second device is on all machines")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a collection of 300 photos."""
    from store_program import open_store
    from test_store import rows, spec, vectors

    from imagesearch.store.collection_updates import update_collections

    file = tmp_path / "milvus.db"
    with open_store(file) as store:
        update_collections(store, [(spec(), rows(vectors(300)))])
    return file
