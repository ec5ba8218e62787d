"""Runs of the scripts with Ray: what ends them, what they leave behind, and how the next run goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, World
from ray_steps import give_order, make_step
from step_world import World as StepWorld
from step_world import count_photos

from imagesearch.errors import UserError

RAY = ("--set", "extraction.engine=ray")

_RUN = """
import sys
from pathlib import Path
import ray_steps, step_world
from imagesearch.pipeline import runner
runner._PHOTOS_A_SHARD = 2

def progress(photos, total):
    for number, photo in enumerate(photos):
        if number == 6:
            print("six", flush=True)
        yield photo

world = step_world.World.__new__(step_world.World)
world.root, world.data = Path(sys.argv[1]) / "photos", Path(sys.argv[1]) / "data"
step = ray_steps.make_step(world)
world.run(step, batch_size=2, engine="ray", workers=2, progress=progress)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_after_the_end_of_the_driver_nothing_runs_and_the_next_run_goes_on(
    tmp_path: Path, end: signal.Signals
) -> None:
    world = StepWorld(tmp_path)
    world.add(*(f"{i}.png" for i in range(40)))
    give_order(world, "slow process")
    folders = (ROOT / "src", ROOT / "tests", ROOT / "tests" / "scale")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, "-c", _RUN, str(tmp_path)]
    options = {"env": environment, "stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:
        assert process.stdout is not None and process.stdout.readline() == "six\n"
        # two agents notice only after half a minute or more that Ray has ended
        family = psutil.Process(process.pid).children(recursive=True)
        started = [one for one in family if not one.name().endswith("Agent")]
        commands = [" ".join(one.cmdline()) for one in started]
        if end == signal.SIGINT:  # Ctrl-C in a terminal is sent to all processes
            os.killpg(process.pid, end)
        else:
            process.send_signal(end)
    assert len(started) > 4
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
    folders_of_ray = {match for p in commands for match in re.findall(r"/\S*/ray-\w{8}", p)}
    assert folders_of_ray
    if end == signal.SIGINT:
        assert not any(Path(folder).exists() for folder in folders_of_ray)
    (world.data / "orders" / "slow process").unlink()
    new, unchanged, *_ = count_photos(world.run(make_step(world)))
    assert new + unchanged == 40 and 4 <= unchanged < 40
    world.check()


def test_an_address_that_does_not_answer_is_reported(world: World) -> None:
    world.add("a.png", 1)
    address = "extraction.ray_address=127.0.0.1:1"
    done = world.run("01_extract_features.py", *RAY, "--set", address, code=2, process=True)
    assert "127.0.0.1:1 does not answer (Connection refused)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_address_of_something_else_is_reported(world: World) -> None:
    world.add("a.png", 1)
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    ) as server:
        try:
            port = server.stdout.readline().split("port ")[1].split()[0]
            address = f"extraction.ray_address=127.0.0.1:{port}"
            done = world.run("01_extract_features.py", *RAY, "--set", address, code=2, process=True)
        finally:
            server.kill()
    assert f"127.0.0.1:{port}" in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_no_other_ray_is_joined_than_that_of_the_config(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("a.png", 1)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert "1 new" in world.run("04_extract_geo.py", *RAY, process=True).stdout


def test_a_missing_package_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("a.png", 1)
    monkeypatch.setitem(sys.modules, "ray", None)
    done = world.run("01_extract_features.py", *RAY, code=2)
    assert 'pip install -e ".[scale]"' in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("address", ["", "auto", "127.0.0.1:6379", "head.local:6379"])
def test_an_address_is_accepted(world: World, address: str) -> None:
    assert world.config(f"extraction.ray_address={address!r}").extraction.ray_address == address


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:0", "6379"])
def test_another_address_is_refused(world: World, address: str) -> None:
    with pytest.raises(UserError, match=r"extraction\.ray_address: expected a host and a port"):
        world.config(f"extraction.ray_address={address!r}")
