"""Extraction with Ray: the same tables as without it, whatever happens to workers."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import ROOT
from ray_steps import give_order, make_step, miss_objects, refuse_file
from shared_folders import make_or_copy
from step_world import World, count_photos

from imagesearch.bucket_paths import BucketPath
from imagesearch.config import Config, load_config
from imagesearch.errors import BucketUnavailableError, UserError
from imagesearch.faces import detect_faces
from imagesearch.features import extract_features
from imagesearch.geo import extract_geo
from imagesearch.photos import Photo, PreviewCache, compute_photo_id
from imagesearch.pipeline import Dataset, StepSummary
from imagesearch.pipeline.runner import update_tables
from imagesearch.pipeline.steps import RunOptions
from imagesearch_demo.album import make_album
from imagesearch_demo.scoring import MODELS, make_demo_config

STEPS: tuple[Callable[[Config, Dataset], object], ...] = (extract_features, detect_faces, extract_geo)
TABLES = ("clip", "vit", "classes", "faces", "geo")
RAY = ("extraction.engine=ray", "extraction.workers=2")


@pytest.fixture(scope="module", autouse=True)
def _importable_steps() -> Iterator[None]:
    """Lets Ray, which is started by the first test and runs until the last, import the tests' steps."""
    with pytest.MonkeyPatch.context() as patch:
        folders = (ROOT / "tests", ROOT / "tests" / "scale", os.environ.get("PYTHONPATH"))
        patch.setenv("PYTHONPATH", os.pathsep.join(str(folder) for folder in folders if folder))
        yield


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an album of 60 photos, some of them damaged."""

    def draw_album(folder: Path) -> None:
        make_album(folder / "album", 60, seed=5713, workers=0)
        photos = sorted((folder / "album").rglob("*.jpg"))
        damage(photos[0], 0.98)
        damage(photos[1], 0.4)
        photos[2].write_bytes(b"not a photo")
        (folder / "album" / "empty.png").touch()
        make_demo_config(folder, folder / "album")

    return make_or_copy(tmp_path_factory, "ray", draw_album)


def damage(photo: Path, kept: float) -> None:
    content = photo.read_bytes()
    photo.write_bytes(content[: int(len(content) * kept)])


@pytest.fixture(scope="module")
def configs(album: Path) -> dict[str, Config]:
    """Configs of two datasets of the album, of which all steps were run: one locally, one with Ray."""
    configs = {
        "local": load_config(album / "config.yaml", ["dataset.name=local"]),
        "ray": load_config(album / "config.yaml", ["dataset.name=ray", *RAY]),
    }
    for config in configs.values():
        for run_step in STEPS:
            run_step(config, Dataset(config))
    return configs


def read_table(config: Config, name: str) -> tuple[list[tuple], pa.Table]:
    """Return the entries and the rows of a table, both in the order of the photos."""
    table = Dataset(config).open_table(name)
    processed = table.read_processed()
    entries = [(e.photo_id, e.path, e.content, e.width, e.height, e.error) for e in processed.values()]
    rows = table.read_rows(processed.values())
    order = [key for key in ("photo_id", "rank", "face") if key in rows.column_names]
    return sorted(entries), rows.sort_by([(key, "ascending") for key in order])


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_local_engine(configs: dict[str, Config], name: str) -> None:
    (entries, rows), (expected_entries, expected) = (
        read_table(configs[key], name) for key in ("ray", "local")
    )
    assert entries == expected_entries and len(entries) == 61
    assert rows.schema == expected.schema and len(rows) == len(expected) > 50
    for column in rows.column_names:
        if pa.types.is_fixed_size_list(rows.schema.field(column).type):
            found, wanted = (np.stack(t[column].to_pylist()) for t in (rows, expected))
            norms = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
            assert ((found * wanted).sum(axis=1) / norms).min() >= 0.9999, column
        else:
            assert rows[column].equals(expected[column]), column


def test_damaged_photos_have_the_reasons_of_the_local_engine(configs: dict[str, Config]) -> None:
    done = {
        key: extract_features(config, Dataset(config), retry_failed=True) for key, config in configs.items()
    }
    assert done["ray"].failed == done["local"].failed and len(done["ray"].failed) == 3


@pytest.mark.parametrize(("first", "second"), [("local", "ray"), ("ray", "local")])
def test_one_engine_continues_what_the_other_has_begun(
    configs: dict[str, Config], first: str, second: str
) -> None:
    settings = [f"dataset.name={first}", *(RAY if second == "ray" else ())]
    file = configs[first].dataset.processed.parent / "config.yaml"
    config = load_config(file, settings)
    for run_step in STEPS[:2]:
        summary = run_step(config, Dataset(config))
        assert isinstance(summary, StepSummary) and summary.new == 0
        assert (summary.unchanged, len(summary.failed)) == (58, 3)


# --- workers that die, and errors in them ------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(12)))
    return world


def run(world: World, **options) -> StepSummary:
    return world.run(make_step(world), batch_size=2, engine="ray", workers=2, **options)


@pytest.mark.parametrize("moment", ["make", "prepare", "process"])
def test_a_worker_that_is_killed_loses_nothing(world: World, moment: str) -> None:
    give_order(world, f"kill {moment}")
    assert count_photos(run(world)) == (12, 0, 0, 0, 0)
    assert not (world.data / "orders" / f"kill {moment}").exists()
    world.check()


def test_a_photo_that_kills_every_worker_ends_the_run(world: World) -> None:
    give_order(world, "always kill process")
    with pytest.raises(UserError, match=r"^Ray: "):
        run(world)
    (world.data / "orders" / "always kill process").unlink()
    assert count_photos(run(world)) == (12, 0, 0, 0, 0)


@pytest.mark.parametrize("moment", ["make", "process"])
def test_an_error_that_the_user_can_fix_is_reported_in_one_line(world: World, moment: str) -> None:
    give_order(world, f"always refuse {moment}")
    with pytest.raises(UserError, match="the model cannot be loaded") as raised:
        run(world)
    assert "\n" not in str(raised.value)


def test_a_photo_that_a_worker_cannot_store_ends_the_run_in_one_line(world: World) -> None:
    previews = PreviewCache(world.data / "previews", 256, provide_file=refuse_file)
    options = RunOptions(2, workers=2, engine="ray")
    with pytest.raises(UserError) as raised:
        update_tables([make_step(world)], world.photos, previews, options)
    reason = "objects: cannot be written (Permission denied)"
    assert str(raised.value) == f"{reason} (Ray worker on {platform.node()})"


def test_a_bucket_that_does_not_answer_does_not_stop_photos_elsewhere(world: World) -> None:
    paths = [*(f"silent/{number}.jpg" for number in range(60)), "other/0.jpg"]
    objects = [Photo(compute_photo_id(path), path, BucketPath(f"s3://{path}"), 1, 1) for path in paths]
    previews = PreviewCache(world.data / "previews", 256, provide_file=miss_objects)
    options = RunOptions(2, workers=2, engine="ray")
    with pytest.raises(BucketUnavailableError) as raised:
        update_tables([make_step(world)], [*objects, *world.photos], previews, options)
    assert "s3://silent/0.jpg: the bucket does not answer (no answer (Ray" in str(raised.value)
    assert "; 60 photos are left" in str(raised.value)
    processed = world.open_table().read_processed()
    assert processed[objects[-1].photo_id].error == "no such object" and len(processed) == 13
    world.check()


def test_a_bug_is_reported_as_one(world: World) -> None:
    give_order(world, "always fail process")
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(world)


def test_a_worker_that_computes_otherwise_ends_the_run(world: World) -> None:
    step = replace(make_step(world), compute_fingerprint=partial(str, "B"))
    with pytest.raises(UserError, match=r"colour: .*the model or its precision differs .*\(B, expected A\)"):
        world.run(step, engine="ray", workers=2)


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_a_model_that_cannot_be_loaded_is_reported_in_one_line(
    album: Path, tmp_path: Path, runtime: str
) -> None:
    shutil.copytree(MODELS / "clip", tmp_path / "clip")
    weights = tmp_path / "clip" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    settings = [f"models.clip={tmp_path / 'clip'}", f"models.runtime={runtime}", "dataset.name=bad", *RAY]
    config = load_config(album / "config.yaml", settings)
    with pytest.raises(UserError, match="cannot be loaded as a clip model") as raised:
        extract_features(config, Dataset(config), only=["clip"])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("run_step", STEPS)
def test_workers_receive_no_token(
    album: Path, monkeypatch: pytest.MonkeyPatch, run_step: Callable[[Config, Dataset], object]
) -> None:
    import ray.data
    from ray import cloudpickle

    sent: list[bytes] = []
    map_batches = ray.data.Dataset.map_batches

    def record(dataset: ray.data.Dataset, *given: object, **options: object) -> ray.data.Dataset:
        sent.append(cloudpickle.dumps((given, options)))
        if len(sent) == 2:
            raise UserError("nothing is run")
        return map_batches(dataset, *given, **options)

    monkeypatch.setattr(ray.data.Dataset, "map_batches", record)
    settings = ["milvus.token=much-too-secret", "geo.options={api_key: much-too-secret}"]
    settings += ["geo.geocoder=opencage", "dataset.name=secret", *RAY]
    config = load_config(album / "config.yaml", settings)
    assert b"much-too-secret" in cloudpickle.dumps(config)
    with pytest.raises(UserError, match="nothing is run"):
        run_step(config, Dataset(config))
    for content in sent:
        assert b"imagesearch" in content and b"much-too-secret" not in content


def test_batches_are_processed_by_two_processes(world: World) -> None:
    world.add(*(f"more {i}.png" for i in range(40)))
    run(world)
    assert len(list((world.data / "orders").glob("process-*"))) == 2
    assert f"process-{os.getpid()}" not in {file.name for file in (world.data / "orders").iterdir()}


def test_a_photo_that_a_worker_cannot_read_ends_the_run(world: World) -> None:
    folder = os.open(world.root, os.O_RDONLY)
    try:  # a folder that only this process has
        world.root = Path(f"/proc/self/fd/{folder}")
        with pytest.raises(UserError, match="can be read here but not by the Ray worker on "):
            run(world)
    finally:
        os.close(folder)
    assert not world.open_table().read_processed()


def test_a_photo_that_nobody_can_read_has_failed(world: World) -> None:
    photos = world.photos
    (world.root / "3.png").unlink()
    summary = run(world, photos=photos)
    assert list(summary.failed) == ["3.png"] and "No such file" in summary.failed["3.png"]
    assert compute_photo_id("3.png") in world.open_table().read_processed()


def test_only_this_machine_reaches_a_ray_that_was_started_here(world: World) -> None:
    import psutil

    run(world)
    listening = [
        connection.laddr.ip
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening and set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
