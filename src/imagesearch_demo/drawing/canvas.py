"""`Canvas` and `Pen`: shapes, gradients, shadows and grain in picture units, at any resolution.

Shapes have the same names as in Pillow's ImageDraw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from imagesearch_demo.drawing.randomness import Rng

Colour = tuple[int, ...]  # (r, g, b) or (r, g, b, alpha), 0..255
Light = tuple[float, float, float]

# Unit circles as polygons, by their number of corners.
_CIRCLES = {n: np.linspace(0.0, 2 * math.pi, n, endpoint=False) for n in (12, 20, 32, 56)}
_CIRCLES = {n: np.stack([np.cos(t), np.sin(t)], axis=1) for n, t in _CIRCLES.items()}


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """Return the colour between `a` and `b` at the fraction `t`."""
    return tuple(round(x + (y - x) * t) for x, y in zip(a[:3], b[:3], strict=True))


def shade(colour: Colour, factor: float) -> Colour:
    """Return a darker (factor < 1) or lighter (factor > 1, towards white) variant of a colour."""
    return mix((0, 0, 0), colour, factor) if factor <= 1 else mix(colour, (255, 255, 255), factor - 1)


def clear(colour: Colour, alpha: int) -> Colour:
    """Return the colour with an alpha, 0 (invisible) to 255."""
    return (*colour[:3], alpha)


class Canvas:
    """A picture that is being drawn.

    Parameters
    ----------
    width, height : int
        Size in picture units (640 x 480, or 480 x 640 upright). All drawing is in these units.
    scale : float
        Pixels of the finished picture per unit.
    supersample : int
        Factor by which it is drawn larger than the finished picture, for antialiasing.
    """

    def __init__(self, width: int = 640, height: int = 480, scale: float = 1.0, supersample: int = 2):
        self.w, self.h, self.supersample = width, height, supersample
        self.pixels_per_unit = scale * supersample
        size = (round(width * scale) * supersample, round(height * scale) * supersample)
        self.image = Image.new("RGB", size)
        self.light: Light = (1.0, 1.0, 1.0)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def apply_light(self, colour: Colour) -> Colour:
        """Return the colour as it looks under the current light of the canvas."""
        rgb = tuple(min(255, round(c * f)) for c, f in zip(colour[:3], self.light, strict=True))
        return (*rgb, *colour[3:])

    def polygon(self, points: np.ndarray | Sequence, colour: Colour) -> None:
        """Fill a polygon; points are (n, 2) in units."""
        flat = (np.asarray(points, dtype=np.float64) * self.pixels_per_unit).ravel().tolist()
        self._draw.polygon(flat, fill=self.apply_light(colour))

    def line(self, points: np.ndarray | Sequence, colour: Colour, width: float) -> None:
        """Draw a line with round joints; width in units, at least one pixel."""
        flat = (np.asarray(points, dtype=np.float64) * self.pixels_per_unit).ravel().tolist()
        pixels = max(1, round(width * self.pixels_per_unit))
        joint = "curve" if pixels > 2 else None
        self._draw.line(flat, fill=self.apply_light(colour), width=pixels, joint=joint)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an upright ellipse around (x, y)."""
        k = self.pixels_per_unit
        box = ((x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k)
        self._draw.ellipse(box, fill=self.apply_light(colour))

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        k = self.pixels_per_unit
        if x1 > x0 and y1 > y0:
            self._draw.rectangle((x0 * k, y0 * k, x1 * k, y1 * k), fill=self.apply_light(colour))

    def fill_gradient(self, y0: float, y1: float, stops: Sequence[Colour]) -> None:
        """Fill the band between two heights with evenly spaced colour stops, top to bottom."""
        top, bottom = round(y0 * self.pixels_per_unit), round(y1 * self.pixels_per_unit)
        if bottom <= top:
            return
        colours = np.array([self.apply_light(colour) for colour in stops], dtype=np.float64)[:, :3]
        t = np.linspace(0, len(stops) - 1, bottom - top)
        column = np.stack([np.interp(t, range(len(stops)), colours[:, i]) for i in range(3)], axis=1)
        band = Image.fromarray(column.round().astype(np.uint8)[:, None, :])
        self.image.paste(band.resize((self.image.width, bottom - top), Image.Resampling.NEAREST), (0, top))

    def veil(self, y0: float, y1: float, colour: Colour, alpha0: int, alpha1: int) -> None:
        """Draw haze over a band: one colour whose alpha changes from `alpha0` (top) to `alpha1` (bottom)."""
        top, bottom = round(y0 * self.pixels_per_unit), round(y1 * self.pixels_per_unit)
        if bottom <= top:
            return
        column = np.linspace(alpha0, alpha1, bottom - top).round().astype(np.uint8)[:, None]
        mask = Image.fromarray(column).resize((self.image.width, bottom - top), Image.Resampling.NEAREST)
        self.image.paste(self.apply_light(colour)[:3], (0, top), mask)

    def mottle(
        self,
        rng: Rng,
        y0: float,
        y1: float,
        colour: Colour,
        alpha: int,
        cell: tuple[float, float] = (6, 3),
    ) -> None:
        """Draw irregular soft patches of about `cell` units over a band (sand, grass, water)."""
        top, bottom = round(y0 * self.pixels_per_unit), round(y1 * self.pixels_per_unit)
        if bottom <= top:
            return
        shape = (max(2, round((y1 - y0) / cell[1])), max(2, round(self.w / cell[0])))
        noise = rng.random(shape, dtype=np.float32)
        noise = Image.fromarray((noise * noise * alpha).astype(np.uint8))
        mask = noise.resize((self.image.width, bottom - top), Image.Resampling.BILINEAR)
        self.image.paste(self.apply_light(colour)[:3], (0, top), mask)

    def glow(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: int) -> None:
        """Fill a soft ellipse, strongest in the middle: a shadow, a lamp's halo, a blush."""
        steps = 22 if max(rx, ry) > 60 else 8  # with few steps, the rings of large halos are visible
        for i in range(steps):
            r = (1 - i / steps) ** 1.3
            self.ellipse(x, y, rx * r, ry * r, clear(colour, max(1, round(alpha * 1.9 / steps))))

    def finish(self, rng: Rng, grain: float = 4.0, warmth: float = 0.0, exposure: float = 1.0) -> Image.Image:
        """Reduce to the final size and add the effects of a camera: exposure, vignette and film grain.

        Returns
        -------
        PIL.Image.Image
            RGB, `scale` pixels per unit.
        """
        image = self.image.reduce(self.supersample) if self.supersample > 1 else self.image
        pixels = np.asarray(image, dtype=np.float32)
        height, width = pixels.shape[:2]
        y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
        vignette = 1.0 - 0.08 * (y[:, None] ** 2 + x[None, :] ** 2)
        gain = np.float32(exposure) * np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32)
        noise = rng.standard_normal((height, width), dtype=np.float32) * np.float32(grain)
        pixels = pixels * (vignette[..., None] * gain) + noise[..., None]
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@dataclass
class Pen:
    """Draws in the coordinates of a figure: x to the right, y down, origin at the figure's anchor.

    `scale` is in picture units per figure unit and `angle` in radians clockwise; `flip` mirrors left and
    right. `points` collects the points that were drawn, from which `compute_box` gets the box of the figure.
    """

    canvas: Canvas
    x: float
    y: float
    scale: float
    angle: float = 0.0
    flip: bool = False
    points: list[np.ndarray] = field(default_factory=list)

    def place(self, points: np.ndarray | Sequence) -> np.ndarray:
        """Convert figure coordinates (n, 2) to picture units (n, 2)."""
        p = np.array(points, dtype=np.float64).reshape(-1, 2)
        if self.flip:
            p[:, 0] = -p[:, 0]
        c, s = math.cos(self.angle), math.sin(self.angle)
        turned = np.stack([p[:, 0] * c - p[:, 1] * s, p[:, 0] * s + p[:, 1] * c], axis=1)
        return turned * self.scale + (self.x, self.y)

    def polygon(self, points: np.ndarray | Sequence, colour: Colour) -> None:
        """Fill a polygon."""
        placed = self.place(points)
        self.points.append(placed)
        self.canvas.polygon(placed, colour)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, turn: float = 0.0) -> None:
        """Fill an ellipse, turned by `turn` radians."""
        radius = max(rx, ry) * self.scale * self.canvas.pixels_per_unit
        unit = _CIRCLES[12 if radius < 4 else 20 if radius < 14 else 32 if radius < 60 else 56]
        p = unit * (rx, ry)
        if turn:
            c, s = math.cos(turn), math.sin(turn)
            p = np.stack([p[:, 0] * c - p[:, 1] * s, p[:, 0] * s + p[:, 1] * c], axis=1)
        self.polygon(p + np.array((x, y)), colour)

    def glow(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: int) -> None:
        """Fill a soft ellipse (blush, shading); not part of the figure's box."""
        before = len(self.points)
        steps = 9 if max(rx, ry) * self.scale * self.canvas.pixels_per_unit > 24 else 4
        for i in range(steps):
            r = (1 - i / steps) ** 0.8
            self.ellipse(x, y, rx * r, ry * r, clear(colour, max(1, round(alpha * 1.1 / steps))))
        del self.points[before:]

    def line(self, points: np.ndarray | Sequence, colour: Colour, width: float, ends: bool = True) -> None:
        """Draw a line of `width` figure units with round joints and, if `ends`, round ends."""
        placed = self.place(points)
        self.points.append(placed)
        self.canvas.line(placed, colour, width * self.scale)
        if ends and width * self.scale * self.canvas.pixels_per_unit > 3 and len(colour) == 3:
            r = width * self.scale / 2
            for x, y in (placed[0], placed[-1]):
                self.canvas.ellipse(x, y, r, r, colour)

    def curve(self, points: Sequence, colour: Colour, width: float, ends: bool = True) -> None:
        """Draw a smooth line along a Bezier curve of three or four control points."""
        self.line(bezier(points), colour, width, ends)

    def compute_box(self) -> tuple[float, float, float, float]:
        """Return the bounding box (x1, y1, x2, y2), in picture units, of everything drawn so far."""
        points = np.concatenate(self.points)
        (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
        return float(x1), float(y1), float(x2), float(y2)


def bezier(points: Sequence, n: int = 14) -> np.ndarray:
    """Return points (n, 2) along the Bezier curve of three or four control points."""
    p = np.asarray(points, dtype=np.float64)
    t = np.linspace(0, 1, n)[:, None]
    while len(p) > 1:  # de Casteljau's algorithm for all parameters at once
        p = [p[i] * (1 - t) + p[i + 1] * t for i in range(len(p) - 1)]
    return p[0]


def smooth(points: Sequence, rounds: int = 2) -> np.ndarray:
    """Round off the corners of a closed polygon (Chaikin's corner cutting)."""
    p = np.asarray(points, dtype=np.float64)
    for _ in range(rounds):
        q = np.roll(p, -1, axis=0)
        p = np.stack([0.75 * p + 0.25 * q, 0.25 * p + 0.75 * q], axis=1).reshape(-1, 2)
    return p


def make_ridge(
    rng: Rng, width: float, y: float, height: float, peaks: float, roughness: float = 0.5
) -> np.ndarray:
    """Make a hilly line across the picture, as points (n, 2); `roughness` adds smaller hills."""
    x = np.linspace(-4, width + 4, 90)
    line = np.zeros_like(x)
    total = 0.0
    for octave in range(5):
        weight = roughness**octave
        phase, stretch = rng.uniform(0, 2 * math.pi), rng.uniform(0.8, 1.25)
        line += weight * np.sin(2 * math.pi * peaks * 2**octave * stretch * x / width + phase)
        total += weight
    return np.stack([x, y - height * (line / total + 1) / 2], axis=1)


def close_below(line: np.ndarray, bottom: float) -> np.ndarray:
    """Return the polygon between a line and a height below it."""
    return np.concatenate([line, [(line[-1, 0], bottom), (line[0, 0], bottom)]])
