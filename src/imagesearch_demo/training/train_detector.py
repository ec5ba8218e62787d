"""Trains the small face detector in SCRFD's format (arXiv:2105.04714). Importing this module loads torch.

InsightFace expects this format: the input is (RGB - 127.5) / 128, with any size divisible by 32. The nine
outputs are scores, boxes and landmarks, each for the strides 8, 16 and 32. Each output is 2-D, with two
consecutive rows for each cell. Scores are after the sigmoid. Distances and offsets are in units of the
stride, from the corner (x * stride, y * stride) of the cell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as nnf

from imagesearch_demo.drawing import Rng, choose_spec, draw_picture, map_in_processes
from imagesearch_demo.training.samples import TRAINING, make_training_people

STRIDES = (8, 16, 32)
# The face sizes of the two rows of a cell, in pixels of the detector's input.
ANCHOR_SIZES = ((14, 24), (40, 68), (115, 196))
INPUT_SIDE = 256  # size of training crops; the exported network accepts any size


def make_block(inside: int, outside: int, stride: int) -> nn.Sequential:
    """Make a 3 x 3 convolution from `inside` to `outside` channels, with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


class ResidualBlock(nn.Module):
    """Two convolutions with a shortcut connection."""

    def __init__(self, width: int):
        super().__init__()
        self.first = make_block(width, width, 1)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a tensor of the same shape."""
        return nnf.relu(x + self.second(self.first(x)))


class Detector(nn.Module):
    """A backbone with outputs at strides 8, 16 and 32, a small top-down pyramid, one head per level."""

    def __init__(self, neck: int = 40):
        super().__init__()
        widths = (48, 72, 96)
        self.stem = nn.Sequential(make_block(3, 16, 2), make_block(16, 24, 2))
        self.stages = nn.ModuleList(
            nn.Sequential(make_block(i, o, 2), ResidualBlock(o))
            for i, o in zip((24, 48, 72), widths, strict=True)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(w, neck, 1) for w in widths)
        self.heads = nn.ModuleList(
            nn.Sequential(make_block(neck, neck, 1), nn.Conv2d(neck, 30, 1)) for _ in STRIDES
        )
        for head in self.heads:
            nn.init.normal_(head[1].weight, std=0.01)
            nn.init.zeros_(head[1].bias)
            with torch.no_grad():
                head[1].bias[[0, 15]] = -4.0  # low initial scores: faces are rare

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return, per level, (n, height * width * 2, 15): score logit, 4 distances, 10 landmark offsets."""
        x, taps = self.stem(pixels), []
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        merged = [lateral(tap) for lateral, tap in zip(self.lateral, taps, strict=True)]
        for i in (1, 0):
            merged[i] = merged[i] + nnf.interpolate(merged[i + 1], scale_factor=2.0, mode="nearest")
        levels = []
        for head, feature, sizes, stride in zip(self.heads, merged, ANCHOR_SIZES, STRIDES, strict=True):
            raw = head(feature).permute(0, 2, 3, 1).reshape(feature.shape[0], -1, 2, 15)
            unit = torch.tensor([s / stride for s in sizes]).view(1, 1, 2, 1)
            distances = raw[..., 1:5].clamp(-3, 3).exp() * unit / 2
            levels.append(torch.cat([raw[..., :1], distances, raw[..., 5:] * unit], dim=-1).flatten(1, 2))
        return levels


class ExportedDetector(nn.Module):
    """The detector in InsightFace's format: one picture as input, nine 2-D outputs."""

    def __init__(self, net: Detector):
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return scores, boxes and landmarks, each for the strides 8, 16 and 32."""
        levels = [level.reshape(-1, 15) for level in self.net(pixels)]
        return (
            *(v[:, :1].sigmoid() for v in levels),
            *(v[:, 1:5] for v in levels),
            *(v[:, 5:] for v in levels),
        )


def make_anchors(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return corners (n, 2), sizes (n,) and strides (n,) of all rows for a square input."""
    corners, sizes, strides = [], [], []
    for stride, pair in zip(STRIDES, ANCHOR_SIZES, strict=True):
        cells = side // stride
        grid = np.stack(np.mgrid[:cells, :cells][::-1], axis=-1).reshape(-1, 2) * stride
        corners.append(np.repeat(grid, 2, axis=0))
        sizes.append(np.tile(pair, len(grid)))
        strides.append(np.full(2 * len(grid), stride))
    return np.concatenate(corners), np.concatenate(sizes), np.concatenate(strides)


def assign_anchors(boxes: np.ndarray, anchors: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the index of the face that each row should detect, -1 for none, -2 to ignore; int64 (n,)."""
    corners, sizes, strides = anchors
    owner = np.full(len(corners), -1, dtype=np.int64)
    for index, (x1, y1, x2, y2) in enumerate(boxes):
        size = np.sqrt(max(1.0, (x2 - x1) * (y2 - y1)))
        away = np.abs(corners - ((x1 + x2) / 2, (y1 + y2) / 2)).max(axis=1)
        octaves = np.abs(np.log2(size / sizes))
        near = away <= np.maximum(0.55 * strides, 0.22 * size)
        owner[(away <= 0.5 * size) & (octaves < 1.0) & (owner == -1)] = -2
        owner[near & (octaves < 0.55)] = index
    return owner


def _draw_picture_chunk(job: tuple[int, int, int]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Draw pictures with their face boxes (k, 4) and landmarks (k, 5, 2), at half size."""
    seed, chunk, count = job
    rng = np.random.default_rng([TRAINING, seed, 4, chunk])
    people, drawn = make_training_people(600, seed), []
    for _ in range(count):
        image, truth = draw_picture(choose_spec(rng, people, crowd=0.9), 0.5, 2)
        boxes = np.array([p["box"] for p in truth.people], dtype=np.float32).reshape(-1, 4)
        marks = np.array([p["landmarks"] for p in truth.people], dtype=np.float32).reshape(-1, 5, 2)
        drawn.append((np.asarray(image), boxes, marks))
    return drawn


def _crop_view(rng: Rng, sample: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crop a part of a picture at a random scale into a black square; half of the crops are mirrored."""
    pixels, boxes, marks = sample
    zoom = float(np.exp(rng.uniform(np.log(0.72), np.log(1.9))))
    height, width = round(pixels.shape[0] * zoom), round(pixels.shape[1] * zoom)
    filter_ = Image.Resampling.BILINEAR
    x0 = rng.integers(0, max(1, width - INPUT_SIDE + 1)) if width > INPUT_SIDE else 0
    y0 = rng.integers(0, max(1, height - INPUT_SIDE + 1)) if height > INPUT_SIDE else 0
    w, h = min(INPUT_SIDE, width), min(INPUT_SIDE, height)
    source = (
        x0 / zoom,
        y0 / zoom,
        min(pixels.shape[1], (x0 + w) / zoom),
        min(pixels.shape[0], (y0 + h) / zoom),
    )
    part = np.asarray(Image.fromarray(pixels).resize((int(w), int(h)), filter_, box=source))
    boxes, marks = boxes * zoom - (x0, y0, x0, y0), marks * zoom - (x0, y0)
    if rng.random() < 0.5:
        part = part[:, ::-1]
        boxes = np.stack([w - boxes[:, 2], boxes[:, 1], w - boxes[:, 0], boxes[:, 3]], axis=1)
        marks = np.stack([w - marks[..., 0], marks[..., 1]], axis=-1)[:, [1, 0, 2, 4, 3]]
    canvas = np.zeros((INPUT_SIDE, INPUT_SIDE, 3), dtype=np.float32)
    gain = rng.uniform(0.85, 1.12) * rng.uniform(0.95, 1.05, 3)
    canvas[: part.shape[0], : part.shape[1]] = np.clip(part * gain + rng.normal(0, 2.5, part.shape), 0, 255)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    # A face with its centre outside the crop is not a target, because too little of it is visible.
    kept = ((centres > 0) & (centres < (part.shape[1], part.shape[0]))).all(axis=1)
    return (canvas - 127.5) / 128, boxes[kept], marks[kept]


def _make_targets(boxes: np.ndarray, marks: np.ndarray, anchors: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return the face index (n,) and the regression targets (n, 14) of each row, in units of the stride."""
    corners, _, strides = anchors
    owner, target = assign_anchors(boxes, anchors), np.zeros((len(corners), 14), dtype=np.float32)
    mine = owner >= 0
    if mine.any():
        b, m, c, s = boxes[owner[mine]], marks[owner[mine]], corners[mine], strides[mine][:, None]
        target[mine, :2], target[mine, 2:4] = (c - b[:, :2]) / s, (b[:, 2:] - c) / s
        target[mine, 4:] = ((m - c[:, None]) / s[..., None]).reshape(-1, 10)
    return owner, target


def compute_detection_loss(
    out: torch.Tensor, owner: torch.Tensor, target: torch.Tensor, unit: torch.Tensor
) -> torch.Tensor:
    """Compute the focal loss of scores, the GIoU loss of boxes and the smooth L1 loss of landmarks.

    Parameters
    ----------
    out : torch.Tensor
        (n, rows, 15), the levels concatenated.
    owner : torch.Tensor
        (n, rows), as returned by `assign_anchors`.
    target : torch.Tensor
        (n, rows, 14).
    unit : torch.Tensor
        (rows,), the face size of each row in units of its stride.
    """
    mine, judged = owner >= 0, owner != -2
    count = mine.sum().clamp(min=1)
    logits = out[..., 0]
    truth, score = mine.float(), logits.sigmoid()
    miss = (score - truth).abs() ** 2
    focal = (0.5 * miss * nnf.binary_cross_entropy_with_logits(logits, truth, reduction="none"))[judged].sum()
    guess, aim = out[..., 1:5][mine].clamp(min=1e-3), target[..., :4][mine]
    sizes = unit.expand(out.shape[0], -1)[mine]
    near, far = torch.minimum(guess, aim), torch.maximum(guess, aim)
    overlap = (near[:, 0] + near[:, 2]).clamp(min=0) * (near[:, 1] + near[:, 3]).clamp(min=0)
    area = ((v[:, 0] + v[:, 2]) * (v[:, 1] + v[:, 3]) for v in (guess, aim))
    union = sum(area) - overlap
    hull = (far[:, 0] + far[:, 2]) * (far[:, 1] + far[:, 3])
    giou = overlap / union - (hull - union) / hull
    marks = nnf.smooth_l1_loss(out[..., 5:][mine] / sizes[:, None], target[..., 4:][mine] / sizes[:, None],
                               reduction="none", beta=0.05).sum(dim=1)  # fmt: skip
    return (focal + (2 * (1 - giou) + marks).sum()) / count


def train_detector(
    seed: int,
    pictures: int = 3000,
    steps: int = 1500,
    batch: int = 16,
    workers: int = 2,
    log: Callable = print,
) -> Detector:
    """Draw pictures and train a detector from scratch; the same seed gives the same result."""
    jobs = [(seed, chunk, 100) for chunk in range(pictures // 100)]
    samples = [sample for chunk in map_in_processes(_draw_picture_chunk, jobs, workers) for sample in chunk]
    rng = np.random.default_rng([TRAINING, seed, 5])
    torch.manual_seed(seed)
    net, anchors = Detector().train(), make_anchors(INPUT_SIDE)
    unit = torch.tensor(anchors[1] / anchors[2], dtype=torch.float32)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps, pct_start=0.1)
    started = time.perf_counter()
    net = net.to(memory_format=torch.channels_last)
    for step in range(steps):
        views = [_crop_view(rng, samples[i]) for i in rng.integers(0, len(samples), batch)]
        pixels = torch.from_numpy(np.stack([v[0] for v in views]).transpose(0, 3, 1, 2).astype(np.float32))
        owner, target = (
            np.stack(v) for v in zip(*(_make_targets(b, m, anchors) for _, b, m in views), strict=True)
        )
        out = torch.cat(net(pixels.contiguous(memory_format=torch.channels_last)), dim=1)
        loss = compute_detection_loss(out, torch.from_numpy(owner), torch.from_numpy(target), unit)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            minutes = (time.perf_counter() - started) / 60
            log(f"detector {step + 1}/{steps}  loss {loss.item():.3f}  {minutes:.1f} min")
    return net.eval()


def export_onnx(net: nn.Module, example: torch.Tensor, file: Path, dynamic: bool, outputs: list[str]) -> None:
    """Save one self-contained ONNX file; with `dynamic`, height and width are variable."""
    file.parent.mkdir(parents=True, exist_ok=True)
    free = partial(torch.export.Dim, min=2, max=64)
    shapes = ({2: 32 * free("rows"), 3: 32 * free("columns")},) if dynamic else None
    torch.onnx.export(
        net.eval(), (example,), file, dynamo=True, opset_version=18, external_data=False,
        dynamic_shapes=shapes,
        input_names=["input.1"], output_names=outputs, verbose=False,
    )  # fmt: skip
    _strip_metadata(file)


def _strip_metadata(file: Path) -> None:
    """Remove the metadata that the exporter adds: stack traces with paths of this machine."""
    import onnx

    model = onnx.load(file)
    graph = model.graph
    parts = [model, graph, *model.functions]
    parts += [*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in parts:
        for field in ("metadata_props", "doc_string"):
            part.ClearField(field)
    onnx.save(model, file)


def save_detector(net: Detector, file: Path) -> None:
    """Save the detector in the format that `FaceAnalysis` loads."""
    names = [f"{output}_{stride}" for output in ("score", "bbox", "kps") for stride in STRIDES]
    net = net.to(memory_format=torch.contiguous_format)
    export_onnx(ExportedDetector(net), torch.zeros(1, 3, 320, 256), file, True, names)
