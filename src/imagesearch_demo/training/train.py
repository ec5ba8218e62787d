"""Trains the three models of the demo, one after the other. Importing this module loads torch."""

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
    """Train models from scratch, and save each one when its training is finished.

    Parameters
    ----------
    folder : Path
        Target folder of `clip/`, `vit/` and `faces/`.
    names : sequence of str
        The models to train, of "clip", "vit" and "faces".
    seed : int
        Determines pictures, weights and order. The same seed on the same machine gives the same models.
    log : callable
        Function that receives lines of progress.

    Returns
    -------
    dict
        Minutes for each model; `pictures` is the drawing of the pictures for CLIP and ViT.
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
