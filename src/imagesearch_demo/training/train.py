"""Trains the demo's three models, one after the other. Imports torch, through the networks' modules."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from imagesearch_demo.training.samples import draw_samples
from imagesearch_demo.training.train_clip import save_clip, train_clip
from imagesearch_demo.training.train_detector import save_detector, train_detector
from imagesearch_demo.training.train_recogniser import save_recogniser, train_recogniser
from imagesearch_demo.training.train_vit import save_vit, train_vit

PICTURES = 18_000


def train_models(
    folder: Path, names: Sequence[str], seed: int = 0, log: Callable[[str], None] = print
) -> dict[str, float]:
    """Train models from nothing and write each when it is ready.

    Parameters
    ----------
    folder : Path
        Gets `clip/`, `vit/` and `faces/`.
    names : sequence of str
        Which of these.
    seed : int
        Settles pictures, weights and order: same seed and same machine, same models.
    log : callable
        Takes a line of progress.

    Returns
    -------
    dict
        Minutes per model; `pictures` is the drawing shared by CLIP and ViT.
    """
    torch.set_num_threads(2)
    minutes, clock = {}, time.perf_counter()

    def log_minutes(name: str) -> None:
        nonlocal clock
        minutes[name], clock = round((time.perf_counter() - clock) / 60, 1), time.perf_counter()
        log(f"{name}: {minutes[name]} min")

    if {"clip", "vit"} & set(names):
        log(f"drawing {PICTURES} pictures")
        samples = draw_samples(PICTURES, seed)
        log_minutes("pictures")
    if "clip" in names:
        save_clip(*train_clip(samples, seed, log=log), folder / "clip")
        log_minutes("clip")
    if "vit" in names:
        save_vit(train_vit(samples, seed, log=log), folder / "vit")
        log_minutes("vit")
    if "faces" in names:
        save_detector(train_detector(seed, log=log), folder / "faces" / "det_drawn.onnx")
        save_recogniser(train_recogniser(seed, log=log), folder / "faces" / "rec_drawn.onnx")
        log_minutes("faces")
    return minutes
