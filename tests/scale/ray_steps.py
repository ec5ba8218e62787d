"""Steps for tests of Ray: their processors do what a test asks for, in the processes of Ray."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from step_world import ColourProcessor, World

from imagesearch.bucket_paths import get_bucket
from imagesearch.errors import UserError
from imagesearch.photos import DecodedPhoto, Photo, PhotoError, UnavailablePhotoError
from imagesearch.pipeline import BatchOutput, StepSpec


class ObedientProcessor(ColourProcessor):
    """Does what the names of the files in a folder say, in the process of Ray that reaches the moment.

    ``kill process`` is done once, ``always kill process`` each time, and ``slow process`` delays each time.
    """

    def __init__(self, orders: Path) -> None:
        super().__init__()
        self.orders = orders
        self.obey("make")

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> np.ndarray:
        self.obey("prepare")
        return super().prepare(photo, decoded)

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        self.obey("process")
        (self.orders / f"process-{os.getpid()}").touch()
        return super().process(photo_ids, inputs)

    def obey(self, moment: str) -> None:
        if (self.orders / f"slow {moment}").exists():
            time.sleep(0.3)
        for name, act in (("kill", kill), ("refuse", refuse), ("fail", fail)):
            if (self.orders / f"always {name} {moment}").exists():
                act()
            try:
                (self.orders / f"{name} {moment}").unlink()
            except FileNotFoundError:
                continue
            act()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise UserError("the model cannot be loaded")


def fail() -> None:
    raise ZeroDivisionError("a bug")


@contextmanager
def refuse_file(photo: Photo) -> Iterator[Photo]:
    """Refuse to open a photo, in place of `PreviewCache.provide_file`."""
    raise UserError("objects: cannot be written (Permission denied)")
    yield photo


@contextmanager
def miss_objects(photo: Photo) -> Iterator[Photo]:
    """Open a photo, in place of `PreviewCache.provide_file`; the bucket ``silent`` does not answer."""
    bucket = get_bucket(photo.file)
    if bucket == "silent":
        raise UnavailablePhotoError("no answer")
    if bucket:
        raise PhotoError("no such object")
    yield photo


def make_step(world: World, fingerprint: str = "A") -> StepSpec:
    """Return a step whose orders are files of the folder ``orders``."""
    orders = world.data / "orders"
    orders.mkdir(parents=True, exist_ok=True)
    return StepSpec("colour", (world.open_table(),), fingerprint, partial(ObedientProcessor, orders))


def give_order(world: World, order: str) -> None:
    """Give an order, such as ``kill process``, to the first process that reaches this moment."""
    make_step(world)
    (world.data / "orders" / order).touch()
