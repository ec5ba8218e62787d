"""Trains the small face recogniser in ArcFace's format. Importing this module loads torch.

It is trained on crops of drawn faces. They are aligned as in InsightFace, by landmarks with the same error as
those of the detector. The loss is a margin loss over the identities (CosFace, arXiv:1801.09414); its
classifier is not saved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as nnf

from imagesearch_demo.drawing import (
    BACK_LIGHT,
    FRONT_LIGHT,
    SKIES,
    TIMES,
    Canvas,
    Identity,
    Rng,
    choose_identity,
    choose_mood,
    choose_outfit,
    clear,
    draw_person,
    make_sibling,
    map_in_processes,
)
from imagesearch_demo.training.samples import TRAINING
from imagesearch_demo.training.train_detector import ResidualBlock, export_onnx, make_block

CROP_SIDE = 112
# The positions of the five landmarks in a 112 x 112 crop for ArcFace.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# The error of the detector's landmarks, as a share of the distance between the eyes. A recogniser trained on
# exact landmarks is much worse on detected ones.
JITTER = 0.10
MARGIN, SCALE = 0.30, 24.0


class Recogniser(nn.Module):
    """Convolutions down to 7 x 7, a depthwise layer, and 512 outputs that are not normalised."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            make_block(3, 20, 2),
            make_block(20, 32, 2),
            ResidualBlock(32),
            make_block(32, 64, 2),
            ResidualBlock(64),
            make_block(64, 112, 2),
            ResidualBlock(112),
        )
        self.pool = nn.Sequential(nn.Conv2d(112, 112, 7, groups=112, bias=False), nn.BatchNorm2d(112))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(112, 512, bias=False), nn.BatchNorm1d(512))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (n, 512) for pixels (n, 3, 112, 112) in -1..1."""
        return self.head(self.pool(self.body(pixels)))


def compute_alignment(marks: np.ndarray) -> np.ndarray:
    """Return the similarity transform (2, 3) from five landmarks to the template (Umeyama 1991)."""
    a, b = marks - marks.mean(axis=0), TEMPLATE - TEMPLATE.mean(axis=0)
    # With complex numbers, rotation and scaling are one multiplication.
    za, zb = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    turn = np.vdot(za, zb) / np.vdot(za, za)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, TEMPLATE.mean(axis=0) - linear @ marks.mean(axis=0)])


def align_face(image: Image.Image, marks: np.ndarray) -> np.ndarray:
    """Return the aligned crop, uint8 (112, 112, 3)."""
    forth = np.vstack([compute_alignment(marks), (0, 0, 1)])
    back = np.linalg.inv(forth)[:2].ravel().tolist()
    return np.asarray(
        image.transform((CROP_SIDE, CROP_SIDE), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
    )


def draw_face_crop(rng: Rng, identity: Identity) -> np.ndarray:
    """Draw an aligned crop of a face with a random mood, light, size and background."""
    r = float(np.exp(rng.uniform(np.log(17), np.log(90))))
    canvas = Canvas(round(4.6 * r), round(4.4 * r), 1.0, 2)
    time_of_day = TIMES[rng.choice(3, p=(0.5, 0.25, 0.25))]
    _draw_background(canvas, rng, time_of_day)
    light = np.array(FRONT_LIGHT[time_of_day]) * rng.uniform(0.92, 1.06) * rng.uniform(0.97, 1.03, 3)
    canvas.light = tuple(np.sqrt(light) if rng.random() < 0.1 else light)
    outfit = choose_outfit(rng)
    _, marks = draw_person(canvas, 2.3 * r, 2.0 * r, r, identity, choose_mood(rng), outfit)
    image = canvas.finish(rng, rng.uniform(2, 5), rng.uniform(-0.04, 0.04), rng.uniform(0.88, 1.06))
    if rng.random() < 0.5:  # imitates JPEG compression and reduced previews
        small = rng.uniform(0.5, 1.0)
        size = image.size
        image = image.resize(
            (max(24, round(size[0] * small)), max(24, round(size[1] * small))), Image.Resampling.BILINEAR
        )
        marks = marks * (image.width / size[0], image.height / size[1])
    eyes = np.linalg.norm(marks[1] - marks[0])
    # One part of the detector's error moves all five landmarks, another part each of them; it varies by face.
    spread = JITTER * eyes * 0.7 * rng.uniform(0.4, 1.5)
    marks = marks + rng.normal(0, spread, marks.shape) + rng.normal(0, spread, 2)
    return align_face(image, marks)


def _draw_background(canvas: Canvas, rng: Rng, time_of_day: str) -> None:
    canvas.fill_gradient(0, canvas.h, SKIES[time_of_day][rng.integers(3)])
    canvas.light = BACK_LIGHT[time_of_day]
    for _ in range(rng.integers(2, 9)):
        colour = tuple(int(v) for v in rng.integers(30, 240, 3))
        x, y = rng.uniform(0, canvas.w), rng.uniform(0, canvas.h)
        rx, ry = rng.uniform(0.05, 0.6, 2) * canvas.w
        if rng.random() < 0.5:
            canvas.ellipse(x, y, rx, ry, clear(colour, int(rng.integers(80, 255))))
        else:
            canvas.rectangle(x - rx, y - ry, x + rx, y + ry, clear(colour, int(rng.integers(80, 255))))


def make_training_identities(count: int, seed: int) -> list[Identity]:
    """Make identities; every fourth is a sibling of the one before, so that look-alikes are distinguished."""
    rng = np.random.default_rng([TRAINING, seed, 6])
    people: list[Identity] = []
    while len(people) < count:
        people.append(choose_identity(rng))
        if len(people) % 4 == 3:
            people.append(make_sibling(people[-1], int(rng.integers(2**31)), 0.35))
    return people[:count]


def _draw_crop_chunk(job: tuple[int, int, list[Identity], int]) -> np.ndarray:
    seed, first, people, each = job
    rng = np.random.default_rng([TRAINING, seed, 7, first])
    return np.stack([draw_face_crop(rng, identity) for identity in people for _ in range(each)])


def draw_face_crops(people: list[Identity], each: int, seed: int, workers: int = 2) -> np.ndarray:
    """Draw crops, uint8 (len(people) * each, 112, 112, 3), person by person."""
    jobs = [(seed, i, people[i : i + 25], each) for i in range(0, len(people), 25)]
    return np.concatenate(list(map_in_processes(_draw_crop_chunk, jobs, workers)))


def _augment_crops(rng: Rng, crops: np.ndarray) -> torch.Tensor:
    """Shift by up to three pixels, vary exposure and tint; normalise to -1..1, channels first."""
    out = np.zeros(crops.shape, dtype=np.float32)
    for i, crop in enumerate(crops):
        dx, dy = rng.integers(-3, 4, 2)
        out[i] = np.roll(crop, (dy, dx), axis=(0, 1))
    out *= (
        rng.uniform(0.88, 1.12, (len(crops), 1, 1, 1)) * rng.uniform(0.97, 1.03, (len(crops), 1, 1, 3))
    ).astype(np.float32)
    return torch.from_numpy(((out - 127.5) / 127.5).transpose(0, 3, 1, 2).copy())


def train_recogniser(
    seed: int, identities: int = 2000, each: int = 20, epochs: int = 6, batch: int = 128, workers: int = 2,
    log: Callable = print,
) -> Recogniser:  # fmt: skip
    """Draw crops and train a recogniser from scratch; the same seed gives the same result."""
    crops = draw_face_crops(make_training_identities(identities, seed), each, seed, workers)
    owners = np.repeat(np.arange(identities), each)
    rng = np.random.default_rng([TRAINING, seed, 8])
    torch.manual_seed(seed)
    net = Recogniser().train().to(memory_format=torch.channels_last)
    centres = nn.Parameter(torch.randn(identities, 512) * 0.05)
    steps = epochs * (len(crops) // batch)
    groups = [{"params": net.parameters()}, {"params": [centres]}]
    optimizer = torch.optim.AdamW(groups, 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps, pct_start=0.1)
    started, order = time.perf_counter(), np.empty(0, dtype=np.int64)
    for step in range(steps):
        if len(order) < batch:
            order = rng.permutation(len(crops))
        rows, order = order[:batch], order[batch:]
        pixels = _augment_crops(rng, crops[rows]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            vectors = net(pixels)
        cosines = nnf.normalize(vectors.float()) @ nnf.normalize(centres).T
        labels = torch.from_numpy(owners[rows])
        # The margin grows from 0, because a small network does not learn with the full margin at the start.
        margin = MARGIN * min(1.0, step / (0.3 * steps))
        logits = SCALE * (cosines - margin * nnf.one_hot(labels, identities))
        loss = nnf.cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            hit = (cosines.argmax(dim=1) == labels).float().mean().item()
            log(f"recogniser {step + 1}/{steps}  loss {loss.item():.3f}  right {hit:.2f}  "
                f"{(time.perf_counter() - started) / 60:.1f} min")  # fmt: skip
    return net.eval()


def save_recogniser(net: Recogniser, file: Path) -> None:
    """Save the recogniser in the format that `FaceAnalysis` loads: fixed 112 x 112 input, one output."""
    net = net.to(memory_format=torch.contiguous_format)
    export_onnx(net, torch.zeros(1, 3, CROP_SIDE, CROP_SIDE), file, False, ["embedding"])
