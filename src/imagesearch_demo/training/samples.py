"""Training pictures: small, and drawn in chunks by a pool of processes."""

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

SIDE = 96  # pixels; input size of the small CLIP and ViT
# First word of every training seed. `make_strangers` and `make_album` use others, so that no identity and no
# picture of the training is in an album, whatever its seed.
TRAINING = 0x7EAC


@dataclass
class Samples:
    """Pictures resized to squares, uint8 (n, SIDE, SIDE, 3), and the ground truth of each in these pixels."""

    pixels: np.ndarray
    truths: list[PictureTruth]


def make_training_people(count: int, seed: int) -> list[CastMember]:
    """Make people for training, with a seed that no album uses."""
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
        Number of pictures; rounded up to a multiple of 250.
    seed : int
        The same seed gives the same pictures, with any number of workers.
    workers : int
        Number of processes.
    progress : callable
        Wraps the iterator over chunks of 250, for example tqdm.

    Returns
    -------
    Samples
    """
    jobs = [(seed, chunk, 250) for chunk in range(-(-count // 250))]
    chunks = list(map_in_processes(_draw_sample_chunk, jobs, workers, progress))
    return Samples(np.concatenate([c.pixels for c in chunks]), [t for c in chunks for t in c.truths])
