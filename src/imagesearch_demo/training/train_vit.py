"""Trains the small ViT, which classifies the scene. Importing this module loads torch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as nnf
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from imagesearch_demo.drawing import SCENES
from imagesearch_demo.training.samples import SIDE, TRAINING, Samples
from imagesearch_demo.training.train_clip import augment_pictures, make_parameter_groups


def make_vit_config() -> ViTConfig:
    """Return the network's config: 4 layers of width 96, half a million parameters; labels are the scenes."""
    names = list(SCENES)
    return ViTConfig(
        hidden_size=96, intermediate_size=288, num_hidden_layers=4, num_attention_heads=4, image_size=SIDE,
        patch_size=16, id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)},
    )  # fmt: skip


def train_vit(
    samples: Samples, seed: int, steps: int = 700, batch: int = 128, log: Callable[[str], None] = print
) -> ViTForImageClassification:
    """Train the ViT from scratch; the same seed gives the same result."""
    rng = np.random.default_rng([TRAINING, seed, 9])
    torch.manual_seed(seed)
    labels = np.array([list(SCENES).index(truth.scene) for truth in samples.truths])
    model = ViTForImageClassification(make_vit_config()).train()
    groups = make_parameter_groups(model, 1e-3)[:2]
    optimizer = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [g["lr"] for g in groups], steps, pct_start=0.06
    )
    started = time.perf_counter()
    for step in range(steps):
        rows = rng.integers(0, len(labels), batch)
        pixels, _ = augment_pictures(rng, samples.pixels[rows], None)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(pixel_values=pixels).logits
        truth = torch.from_numpy(labels[rows])
        loss = nnf.cross_entropy(logits.float(), truth, label_smoothing=0.05)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            right = (logits.argmax(dim=1) == truth).float().mean().item()
            minutes = (time.perf_counter() - started) / 60
            log(f"vit {step + 1}/{steps}  loss {loss.item():.3f}  right {right:.2f}  {minutes:.1f} min")
    return model.eval()


def save_vit(model: ViTForImageClassification, folder: Path) -> None:
    """Save a folder that `AutoModelForImageClassification` and `AutoImageProcessor` load."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    ViTImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
