"""Draws pictures for training, small and many at a time by a pool of processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from imagesearch_demo.drawing import (
    CastMember,
    PictureTruth,
    choose_identity,
    choose_spec,
    draw_picture,
    map_in_processes,
)

SIDE = 96  # pixels; what the small CLIP and ViT look at
# First word of every training seed. `make_strangers` and `make_album` use another, so that no identity and no
# picture of training can turn up in an album, whatever its seed.
TRAINING = 0x7EAC


@dataclass
class Samples:
    """Pictures squashed to SIDE x SIDE, uint8 (n, SIDE, SIDE, 3), and the truth of each in those pixels."""

    pixels: np.ndarray
    truths: list[PictureTruth]


def make_training_people(count: int, seed: int) -> list[CastMember]:
    """Make people for training: an endless stream that no album draws from."""
    rng = np.random.default_rng([TRAINING, seed, 1])
    return [CastMember(f"T{i}", choose_identity(rng)) for i in range(count)]


def _draw_sample_chunk(job: tuple[int, int, int]) -> Samples:
    seed, chunk, count = job
    rng = np.random.default_rng([TRAINING, seed, 2, chunk])
    people = make_training_people(200, seed)
    pixels, truths = np.empty((count, SIDE, SIDE, 3), dtype=np.uint8), []
    for i in range(count):
        image, truth = draw_picture(choose_spec(rng, people, crowd=0.45), scale=0.5, supersample=1)
        squash = (SIDE / image.width, SIDE / image.height) * 2
        for item in truth.things + truth.people:
            item["box"] = [v * s for v, s in zip(item["box"], squash, strict=True)]
        pixels[i] = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        truths.append(truth)
    return Samples(pixels, truths)


def draw_samples(count: int, seed: int, workers: int = 2, progress: Callable = iter) -> Samples:
    """Draw training pictures.

    Parameters
    ----------
    count : int
        How many; rounded up to a multiple of 250.
    seed : int
        Same seed, same pictures, however many workers.
    workers : int
        Processes.
    progress : callable
        Wraps the iterator over chunks of 250, tqdm for instance.

    Returns
    -------
    Samples
    """
    jobs = [(seed, chunk, 250) for chunk in range(-(-count // 250))]
    chunks = list(map_in_processes(_draw_sample_chunk, jobs, workers, progress))
    return Samples(np.concatenate([c.pixels for c in chunks]), [t for c in chunks for t in c.truths])
