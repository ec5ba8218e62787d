"""Compares two photos: whether one is a copy of the other that was re-encoded, resized or cropped a little.

The second photo is aligned with the first by an affine map. Copies differ by a scale and a shift only: two
frames of a hand-held burst are also rotated. After the alignment, copies differ everywhere a little (by the
compression) but nowhere much: in two frames, something has moved. Small photos show whether two photos can be
aligned; larger ones show a smile that became a frown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDES = (512, 1280)
"""Longer sides of the pixels compared. The larger size is used for photos that are alike at the smaller one.
Photos of different sizes are compared at the size of the smaller one."""
_COARSE_SIDE = 64  # of the first alignment, which finds the crop
# Scales tried first: a copy without a margin of 10 % on each side shows 80 % of the photo.
_SCALES = (1.0, 0.87, 1.15)
_BLOCK = 7  # pixels; the side of the blocks in which the largest difference is measured
_MARGIN = 3  # pixels left out at the border, where interpolation has no neighbours

# Measured on copies and frames of 55 real and 48 drawn photos. Copies (JPEG quality 50 to 90, a third of the
# size, crops of up to 10 % on each side) have a local difference of at most 1.3 and 0.0024 of rotation. A
# camera turned by 0.25 degrees has 0.0087; a face of 4 % of the width that stops smiling has at least 2.1.
_MAX_LOCAL_DIFFERENCE = 1.7
_MAX_BLOCK_DIFFERENCE = 16.0
_MAX_MEAN_DIFFERENCE = 3.0
_MAX_ROTATION = 0.0045
_MAX_ANISOTROPY = 0.03
_MIN_SCALE, _MAX_SCALE = 0.72, 1.4
_MIN_CONTRAST = 4.0  # standard deviation of the grey values; in flat images there is nothing to compare
_MIN_OVERLAP = 0.6
_MIN_CORRELATION = 0.88  # after the first alignment; copies have at least 0.94


@dataclass(frozen=True)
class Difference:
    """How two aligned photos differ.

    Attributes
    ----------
    mean, block : float
        Mean difference of the grey values (0 to 255), and the largest mean in a block.
    local : float
        The largest mean in a block, relative to what compression changes in a block of such contrast.
    rotation, anisotropy, scale : float
        Of the map from the one photo to the other. Rotation is the sum of the sines; anisotropy is the ratio
        of the two scales, less 1.
    overlap : float
        The part of the first photo that the second one shows.
    """

    mean: float
    block: float
    local: float
    rotation: float
    anisotropy: float
    scale: float
    overlap: float

    @property
    def is_alike(self) -> bool:
        """Whether the photos can be aligned as copies can, and differ little."""
        return (
            self.block <= _MAX_BLOCK_DIFFERENCE
            and self.mean <= _MAX_MEAN_DIFFERENCE
            and self.rotation <= _MAX_ROTATION
            and self.anisotropy <= _MAX_ANISOTROPY
            and _MIN_SCALE <= self.scale <= _MAX_SCALE
            and self.overlap >= _MIN_OVERLAP
        )

    @property
    def is_same_shot(self) -> bool:
        return self.is_alike and self.local <= _MAX_LOCAL_DIFFERENCE


def is_same_shot(load_pair: Callable[[int], tuple[Image.Image, Image.Image]]) -> bool:
    """Whether two photos are copies of one shot.

    Parameters
    ----------
    load_pair
        Returns both upright images, given the longer side in pixels that is sufficient; they may be larger.
    """
    first, second = _scale_pair(*load_pair(SIDES[0]), SIDES[0])
    found = _compare(first, second)
    if found is None or not found[0].is_alike:
        return False
    difference, matrix = found
    coarse = max(first.shape)
    if coarse < SIDES[0]:  # the smaller photo has no more pixels
        return difference.is_same_shot
    first, second = _scale_pair(*load_pair(SIDES[1]), SIDES[1])
    matrix = matrix.copy()
    matrix[:, 2] *= max(first.shape) / coarse
    return _measure_best(first, second, matrix, 15)[0].is_same_shot


def _scale_pair(one: Image.Image, other: Image.Image, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the grey values of two images, scaled to the same longer side."""
    side = min(side, max(one.size), max(other.size))
    return _scale_grey(one, side), _scale_grey(other, side)


def _scale_grey(image: Image.Image, side: int) -> np.ndarray:
    """Return the grey values, scaled so that the longer side has ``side`` pixels."""
    scale = side / max(image.size)
    width, height = (max(8, round(length * scale)) for length in image.size)
    # a reduction by averages keeps no details that the smaller copy cannot have
    method = Image.Resampling.BOX if scale < 0.5 else Image.Resampling.LANCZOS
    return np.asarray(image.convert("L").resize((width, height), method), np.float32)


def _compare(first: np.ndarray, second: np.ndarray) -> tuple[Difference, np.ndarray] | None:
    """Return how two images of grey values differ, and the map from the first to the second."""
    if min(first.std(), second.std()) < _MIN_CONTRAST:
        return None
    if first.shape == second.shape:
        matrix = _make_start(first.shape, second.shape, 1.0)
        difference = _measure_difference(first, second, matrix)
        if difference.is_same_shot:
            return difference, matrix
    matrix = _align(first, second)
    return None if matrix is None else _measure_best(first, second, matrix, 60)


def _align(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Return the 2x3 matrix that maps points of the first image to the second; None if there is none."""
    import cv2

    factors = [min(1.0, _COARSE_SIDE / max(image.shape)) for image in (first, second)]
    small = [
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        for image, factor in zip((first, second), factors, strict=True)
    ]
    found: list[tuple[float, np.ndarray]] = []
    for scale in _SCALES:
        result = _refine(*small, _make_start(small[0].shape, small[1].shape, scale), 25)
        if result:
            found.append(result)
        if result and result[0] > 0.97:
            break
    correlation, matrix = max(found, key=lambda pair: pair[0], default=(0.0, None))
    if matrix is None or correlation < _MIN_CORRELATION:
        return None
    matrix = matrix.copy()
    matrix[:, :2] *= factors[0] / factors[1]
    matrix[:, 2] /= factors[1]
    return matrix


def _make_start(shape: tuple[int, ...], other: tuple[int, ...], scale: float) -> np.ndarray:
    """Return the map that scales one image to the other's size and further by a factor about its centre."""
    x, y = scale * other[1] / shape[1], scale * other[0] / shape[0]
    shift_x, shift_y = (other[1] - x * shape[1]) / 2, (other[0] - y * shape[0]) / 2
    return np.array([[x, 0, shift_x], [0, y, shift_y]], np.float32)


def _refine(
    first: np.ndarray, second: np.ndarray, matrix: np.ndarray, iterations: int
) -> tuple[float, np.ndarray] | None:
    """Return the correlation and the map after the alignment (ECC: Evangelidis and Psarakis, 2008)."""
    import cv2

    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, 1e-5)
    start = matrix.astype(np.float32)
    try:
        return cv2.findTransformECC(first, second, start, cv2.MOTION_AFFINE, criteria, None, 3)
    except cv2.error:  # it does not converge
        return None


def _measure_best(
    first: np.ndarray, second: np.ndarray, matrix: np.ndarray, iterations: int
) -> tuple[Difference, np.ndarray]:
    """Return the difference with a map or with its refinement, whichever is smaller, and that map."""
    measured = _measure_difference(first, second, matrix), matrix
    refined = None if measured[0].is_same_shot else _refine(first, second, matrix, iterations)
    if refined is None:
        return measured
    return min(
        measured, (_measure_difference(first, second, refined[1]), refined[1]), key=lambda m: m[0].mean
    )


def _measure_difference(first: np.ndarray, second: np.ndarray, matrix: np.ndarray) -> Difference:
    import cv2

    height, width = first.shape
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(second, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(second), matrix, (width, height), flags=flags)
    kernel = np.ones((2 * _MARGIN + 1,) * 2, np.uint8)
    mask = cv2.erode((inside > 0.999).astype(np.uint8), kernel) > 0
    mask[:_MARGIN] = mask[-_MARGIN:] = mask[:, :_MARGIN] = mask[:, -_MARGIN:] = False
    rotation = float(abs(matrix[0, 1]) + abs(matrix[1, 0]))
    anisotropy = float(abs(matrix[0, 0] / matrix[1, 1] - 1)) if matrix[1, 1] else np.inf
    scale, overlap = float(matrix[0, 0]), float(mask.mean())
    a, b = (cv2.GaussianBlur(image, (0, 0), 1.2) for image in (first, warped))
    if overlap < _MIN_OVERLAP or min(a[mask].std(), b[mask].std()) < _MIN_CONTRAST:
        return Difference(np.inf, np.inf, np.inf, rotation, anisotropy, scale, overlap)
    gain = float(np.clip(a[mask].std() / b[mask].std(), 0.8, 1.25))  # a copy can be a little lighter
    difference = np.abs(a - a[mask].mean() - gain * (b - b[mask].mean()))
    difference[~mask] = 0
    blocks = _average_blocks(difference)
    contrast = np.sqrt(np.maximum(_measure_variance(a), _measure_variance(b)))
    local = float((blocks / (2 + 0.35 * contrast)).max())
    mean, block = float(difference[mask].mean()), float(blocks.max())
    return Difference(mean, block, local, rotation, anisotropy, scale, overlap)


def _average_blocks(image: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.boxFilter(image, cv2.CV_32F, (_BLOCK, _BLOCK))


def _measure_variance(image: np.ndarray) -> np.ndarray:
    """Return the variance of the block around each pixel."""
    return np.maximum(_average_blocks(image * image) - _average_blocks(image) ** 2, 0)
