"""Make a full-size face pack with random weights: the shapes of SCRFD-10GF and of ArcFace's ResNet-50.

The models need as much time and memory as those of InsightFace's ``buffalo_l``, but they are not trained.
`full_size_models.py` saves them as ONNX files. The detector finds two faces at fixed places in every photo.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, relu

# The centers of the two faces, as cells (row, column) of the detector's grid of stride 32.
_FACE_CELLS = ((5, 6), (9, 13))
_FACE_RADIUS = 2.5  # half the side of a box, in cells
_STRIDES, _ANCHORS, _GRID = (8, 16, 32), 2, 20


def make_face_pack(folder: Path, seed: int = 0) -> Path:
    """Save a detector (det_10g.onnx) and a recogniser (w600k_r50.onnx) with random weights."""
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    outputs = [f"{kind}_{stride}" for kind in ("score", "box", "landmarks") for stride in _STRIDES]
    _export(_Detector(), torch.rand(1, 3, 640, 640), folder / "det_10g.onnx", outputs, {})
    axes = {"input": {0: "batch"}, "embedding": {0: "batch"}}
    _export(_make_recogniser(), torch.rand(1, 3, 112, 112), folder / "w600k_r50.onnx", ["embedding"], axes)
    return folder


def _export(model, example, file: Path, outputs: list[str], dynamic_axes: dict) -> None:
    torch.onnx.export(
        model.eval(),
        (example,),
        str(file),
        input_names=["input"],
        output_names=outputs,
        dynamic_axes=dynamic_axes,
        opset_version=17,
        dynamo=False,
    )


def _convolve(inputs: int, outputs: int, stride: int = 1, size: int = 3):
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class _ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = _convolve(inputs, outputs, stride), _convolve(outputs, outputs)
        self.stride = stride
        self.shortcut = _convolve(inputs, outputs, size=1) if inputs != outputs or stride > 1 else None

    def forward(self, x):
        residual = avg_pool2d(x, self.stride) if self.stride > 1 else x
        residual = self.shortcut(residual) if self.shortcut else residual
        return relu(self.second(relu(self.first(x))) + residual)


class _Detector(nn.Module):
    """The layers of SCRFD-10GF (Guo et al., 2021).

    A photo of 640 x 640 pixels takes 13.3 billion multiplications.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fixed = _make_fixed_outputs()
        stem = [_convolve(3, 28, 2), nn.ReLU(), _convolve(28, 28), nn.ReLU(), _convolve(28, 56), nn.ReLU()]
        self.stem = nn.Sequential(*stem, nn.MaxPool2d(3, 2, 1))
        widths, self.stages = (56, 88, 88, 224), nn.ModuleList()
        inputs = 56
        for outputs, depth, stride in zip(widths, (3, 4, 2, 3), (1, 2, 2, 2), strict=True):
            blocks = [_ResidualBlock(inputs, outputs, stride)]
            blocks += [_ResidualBlock(outputs, outputs, 1) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))
            inputs = outputs
        self.lateral = nn.ModuleList(nn.Conv2d(width, 56, 1) for width in widths[1:])
        self.smooth = nn.ModuleList(nn.Conv2d(56, 56, 3, padding=1) for _ in _STRIDES)
        self.down = nn.ModuleList(nn.Conv2d(56, 56, 3, 2, 1) for _ in _STRIDES[1:])
        self.join = nn.ModuleList(nn.Conv2d(56, 56, 3, padding=1) for _ in _STRIDES[1:])
        self.heads = nn.ModuleList(
            nn.Sequential(*(m for i in range(3) for m in (_convolve(80 if i else 56, 80), nn.ReLU())))
            for _ in _STRIDES
        )
        self.outputs = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(80, _ANCHORS * n, 3, padding=1) for n in (1, 4, 10)) for _ in _STRIDES
        )

    def forward(self, x):
        x, maps = self.stages[0](self.stem(x)), []
        for stage in self.stages[1:]:
            x = stage(x)
            maps.append(x)
        maps = [lateral(m) for lateral, m in zip(self.lateral, maps, strict=True)]
        for i in (1, 0):
            maps[i] = maps[i] + interpolate(maps[i + 1], scale_factor=2.0, mode="nearest")
        maps = [smooth(m) for smooth, m in zip(self.smooth, maps, strict=True)]
        for i in (1, 2):
            maps[i] = self.join[i - 1](maps[i] + self.down[i - 1](maps[i - 1]))
        features = [head(m) for head, m in zip(self.heads, maps, strict=True)]
        results = [[output(f) for output in self.outputs[i]] for i, f in enumerate(features)]
        flat = [[_flatten(r[kind], n) for r in results] for kind, n in enumerate((1, 4, 10))]
        # no anchor reaches a minimum score, except those of the fixed faces
        flat[0] = [0.2 * torch.sigmoid(m) for m in flat[0]]
        for kind, (mask, values) in zip(flat, self.fixed, strict=True):
            kind[2] = kind[2] * mask + values
        return tuple(m for kind in flat for m in kind)


def _flatten(output, numbers: int):
    return output.permute(0, 2, 3, 1).reshape(-1, numbers)


def _make_fixed_outputs():
    """Return masks and values that replace the outputs of stride 32 at the fixed faces."""
    rows = [_ANCHORS * (row * _GRID + column) for row, column in _FACE_CELLS]
    # eyes, nose and corners of the mouth, relative to the center, as shares of half the side
    landmarks = torch.tensor([[-0.42, -0.36], [0.42, -0.36], [0, 0.06], [-0.34, 0.48], [0.34, 0.48]])
    fixed = []
    score, box = torch.tensor([0.9]), torch.full((4,), _FACE_RADIUS)
    for values in (score, box, _FACE_RADIUS * landmarks.reshape(-1)):
        mask = torch.ones(_GRID * _GRID * _ANCHORS, len(values))
        added = torch.zeros_like(mask)
        mask[rows], added[rows] = 0, values
        fixed.append((mask, added))
    return fixed


class _IResNetBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(inputs),
            _convolve(inputs, outputs),
            nn.PReLU(outputs),
            _convolve(outputs, outputs, stride),
        )
        self.shortcut = _convolve(inputs, outputs, stride, 1) if stride > 1 else None

    def forward(self, x):
        return self.layers(x) + (self.shortcut(x) if self.shortcut else x)


def _make_recogniser():
    """Return a network with the layers of ArcFace's ResNet-50 (Deng et al., 2019)."""
    layers, inputs = [_convolve(3, 64), nn.PReLU(64)], 64
    for outputs, depth in zip((64, 128, 256, 512), (3, 4, 14, 3), strict=True):
        for i in range(depth):
            layers.append(_IResNetBlock(inputs, outputs, 2 if i == 0 else 1))
            inputs = outputs
    layers += [nn.BatchNorm2d(512), nn.Flatten(), nn.Linear(512 * 7 * 7, 512), nn.BatchNorm1d(512)]
    return nn.Sequential(*layers)
