"""The fourteen kinds of things, in several colours.

Each function draws a thing with the pen `p`: one unit tall, and standing on (0, 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from imagesearch_demo.drawing.canvas import Colour, Pen, bezier, clear, mix, shade, smooth

PAINTS: dict[str, Colour] = {
    "red": (214, 40, 44),
    "orange": (244, 134, 28),
    "yellow": (250, 212, 44),
    "green": (46, 150, 70),
    "blue": (36, 98, 206),
    "purple": (134, 62, 170),
    "white": (244, 244, 240),
    "black": (40, 40, 46),
    "brown": (126, 80, 48),
}
_BRIGHT = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
_FUR = ("black", "white", "brown", "orange")
_DARK: Colour = (44, 44, 52)


@dataclass(frozen=True)
class ThingKind:
    """A kind of thing: its drawing function, its colours, and where it is placed.

    Attributes
    ----------
    draw : callable
        Function of a pen and a colour.
    colours : tuple of str
        Names in `PAINTS`.
    where : {'ground', 'air', 'water'}
        The part of a scene that it is placed in.
    aspect : float
        Width over height.
    size : float
        Usual height relative to other things; 1 is a third to a half of the picture's height.
    """

    draw: Callable[[Pen, Colour], None]
    colours: tuple[str, ...]
    where: str
    aspect: float
    size: float = 1.0


def draw_dog(p: Pen, paint: Colour) -> None:
    """Draw a dog in profile with a floppy ear, a collar and a raised tail."""
    dark, light = shade(paint, 0.72), mix(paint, (255, 250, 240), 0.45)
    p.line(bezier([(0.52, -0.50), (0.74, -0.56), (0.76, -0.86)]), paint, 0.09)
    for x, tone in ((-0.28, dark), (0.46, dark), (-0.40, paint), (0.34, paint)):
        p.line([(x, -0.36), (x - 0.01, -0.05)], tone, 0.13)
        p.ellipse(x - 0.04, -0.04, 0.095, 0.05, light)
    p.polygon(smooth([(-0.52, -0.62), (-0.2, -0.66), (0.3, -0.64), (0.58, -0.58), (0.56, -0.3), (0.2, -0.26),
                      (-0.2, -0.26), (-0.5, -0.3)], 3), paint)  # fmt: skip
    p.glow(0.03, -0.34, 0.42, 0.07, (0, 0, 0), 50)
    p.polygon(
        smooth([(-0.68, -0.92), (-0.38, -0.90), (-0.26, -0.5), (-0.52, -0.42), (-0.62, -0.6)], 2), paint
    )
    p.polygon(smooth([(-0.86, -0.92), (-0.62, -1.0), (-0.40, -0.96), (-0.36, -0.74), (-0.58, -0.66),
                      (-0.9, -0.66), (-1.0, -0.74), (-0.96, -0.82)], 2), paint)  # fmt: skip
    p.polygon(
        smooth([(-0.92, -0.80), (-0.74, -0.78), (-0.72, -0.68), (-0.92, -0.66), (-0.99, -0.73)], 2), light
    )
    p.polygon(
        smooth([(-0.52, -0.99), (-0.36, -0.96), (-0.30, -0.66), (-0.44, -0.60), (-0.50, -0.76)], 2), dark
    )
    p.ellipse(-0.97, -0.79, 0.055, 0.045, _DARK)
    p.ellipse(-0.70, -0.86, 0.042, 0.048, (20, 20, 24))
    p.ellipse(-0.712, -0.875, 0.014, 0.016, (255, 255, 255))
    p.line(bezier([(-0.92, -0.69), (-0.84, -0.66), (-0.76, -0.69)]), _DARK, 0.018)
    p.line([(-0.60, -0.56), (-0.36, -0.60)], (224, 60, 60) if paint[0] < 180 else (46, 108, 190), 0.06)


def draw_cat(p: Pen, paint: Colour) -> None:
    """Draw a sitting cat from the front, with its tail curled to the side."""
    dark, light = shade(paint, 0.72), mix(paint, (255, 250, 240), 0.5)
    p.line(bezier([(0.2, -0.06), (0.62, -0.02), (0.62, -0.36), (0.44, -0.44)]), dark, 0.09)
    p.polygon(
        smooth([(-0.16, -0.62), (0.16, -0.62), (0.3, -0.3), (0.34, 0.0), (-0.34, 0.0), (-0.3, -0.3)], 3),
        paint,
    )
    p.ellipse(0, -0.28, 0.13, 0.22, light)
    for x in (-0.11, 0.11):
        p.line([(x, -0.3), (x, -0.05)], shade(paint, 0.9), 0.1)
        p.ellipse(x, -0.035, 0.085, 0.04, light)
    for s in (-1, 1):
        p.polygon([(s * 0.31, -0.70), (s * 0.30, -1.0), (s * 0.06, -0.88)], paint)
        p.polygon([(s * 0.27, -0.76), (s * 0.265, -0.93), (s * 0.12, -0.86)], (236, 164, 160))
    p.polygon(smooth([(-0.3, -0.84), (0, -0.90), (0.3, -0.84), (0.36, -0.66), (0.2, -0.52), (-0.2, -0.52),
                      (-0.36, -0.66)], 3), paint)  # fmt: skip
    for y in (-0.85, -0.80):
        p.line([(-0.05, y), (0.05, y)], dark, 0.022)
    p.ellipse(0, -0.605, 0.12, 0.07, light)
    for s in (-1, 1):
        p.ellipse(s * 0.14, -0.71, 0.066, 0.068, (188, 214, 92))
        p.ellipse(s * 0.14, -0.71, 0.024, 0.058, (20, 20, 24))
        p.ellipse(s * 0.14 - 0.02, -0.735, 0.016, 0.018, (255, 255, 255))
        for dy in (-0.02, 0.03):
            p.line(
                [(s * 0.12, -0.61 + dy / 2), (s * 0.42, -0.63 + dy * 2)], (236, 232, 226), 0.01, ends=False
            )
    p.polygon([(-0.035, -0.645), (0.035, -0.645), (0, -0.605)], (226, 122, 128))
    p.line(bezier([(-0.07, -0.575), (-0.02, -0.55), (0, -0.60)]), dark, 0.016)
    p.line(bezier([(0.07, -0.575), (0.02, -0.55), (0, -0.60)]), dark, 0.016)


def draw_car(p: Pen, paint: Colour) -> None:
    """Draw a small round car from the side."""
    p.polygon(smooth([(-0.62, -0.56), (-0.36, -0.96), (0.34, -0.96), (0.66, -0.56)], 2), paint)
    glass = (178, 214, 232)
    p.polygon([(-0.48, -0.58), (-0.29, -0.87), (-0.03, -0.88), (-0.03, -0.58)], glass)
    p.polygon([(0.05, -0.58), (0.05, -0.88), (0.29, -0.87), (0.50, -0.58)], glass)
    p.polygon([(-0.36, -0.60), (-0.22, -0.86), (-0.14, -0.86), (-0.28, -0.60)], (226, 242, 250))
    p.polygon(smooth([(-1.02, -0.52), (-0.6, -0.62), (0.6, -0.62), (0.98, -0.54), (1.04, -0.2), (0.96, -0.13),
                      (-0.98, -0.13), (-1.05, -0.22)], 2), paint)  # fmt: skip
    p.polygon([(-1.0, -0.26), (1.0, -0.26), (0.97, -0.14), (-0.97, -0.14)], shade(paint, 0.68))
    p.polygon(
        [(-0.94, -0.52), (0.92, -0.54), (0.94, -0.48), (-0.96, -0.46)], mix(paint, (255, 255, 255), 0.4)
    )
    p.line([(0.01, -0.60), (0.01, -0.2)], shade(paint, 0.6), 0.016)
    p.line([(0.09, -0.46), (0.19, -0.46)], (226, 228, 232), 0.03)
    p.ellipse(-0.96, -0.42, 0.055, 0.075, (255, 244, 190))
    p.ellipse(0.97, -0.42, 0.035, 0.07, (220, 60, 52))
    for x in (-0.58, 0.58):
        p.ellipse(x, -0.2, 0.225, 0.22, shade(paint, 0.45))
        p.ellipse(x, -0.18, 0.185, 0.18, (36, 36, 42))
        p.ellipse(x, -0.18, 0.095, 0.095, (196, 200, 208))
        p.ellipse(x, -0.18, 0.035, 0.035, (110, 112, 120))


def draw_boat(p: Pen, paint: Colour) -> None:
    """Draw a sailing boat: painted hull, sails with a painted stripe."""
    p.line([(-0.02, -0.24), (-0.02, -1.0)], (120, 86, 58), 0.035)
    p.polygon([*bezier([(0.02, -0.96), (0.52, -0.62), (0.60, -0.31)]), (0.02, -0.31)], (250, 247, 238))
    p.polygon([(0.02, -0.5), (0.51, -0.5), (0.58, -0.38), (0.02, -0.38)], paint)
    p.polygon([*bezier([(-0.06, -0.90), (-0.34, -0.6), (-0.46, -0.31)]), (-0.06, -0.31)], (232, 228, 218))
    p.polygon([(-0.02, -1.0), (0.16, -0.955), (-0.02, -0.915)], paint)
    p.polygon(
        smooth([(-0.74, -0.26), (0.78, -0.26), (0.6, -0.02), (0.5, 0.0), (-0.46, 0.0), (-0.58, -0.04)], 1),
        paint,
    )
    p.polygon([(-0.63, -0.09), (0.66, -0.09), (0.56, 0.0), (-0.52, 0.0)], shade(paint, 0.66))
    p.line([(-0.74, -0.255), (0.78, -0.255)], (250, 246, 236), 0.035)
    for x in (-0.3, 0.0, 0.3):
        p.ellipse(x, -0.16, 0.04, 0.04, (230, 240, 246))


def draw_bicycle(p: Pen, paint: Colour) -> None:
    """Draw a bicycle with thick painted tubes."""
    for x in (-0.48, 0.48):
        ring = np.stack(
            [np.cos(np.linspace(0, 2 * math.pi, 40)), np.sin(np.linspace(0, 2 * math.pi, 40))], axis=1
        )
        for a in np.linspace(0, math.pi, 5)[:-1]:
            dx, dy = 0.32 * math.cos(a), 0.32 * math.sin(a)
            p.line([(x - dx, -0.35 - dy), (x + dx, -0.35 - dy)], (206, 208, 214), 0.012, ends=False)
        p.line(ring * 0.325 + (x, -0.35), (40, 40, 46), 0.055, ends=False)
        p.line(ring * 0.275 + (x, -0.35), mix(paint, (255, 255, 255), 0.2), 0.03, ends=False)
    frame = [(-0.48, -0.35), (-0.20, -0.74), (0.30, -0.76), (-0.05, -0.33), (-0.48, -0.35)]
    p.line(frame, paint, 0.085)
    p.line([(-0.05, -0.33), (-0.23, -0.82)], paint, 0.085)
    p.line([(0.48, -0.35), (0.27, -0.90)], paint, 0.085)
    p.line(bezier([(0.27, -0.90), (0.30, -1.0), (0.16, -0.98), (0.10, -0.92)]), _DARK, 0.05)
    p.polygon(smooth([(-0.36, -0.88), (-0.12, -0.87), (-0.14, -0.81), (-0.33, -0.80)], 2), (76, 50, 38))
    p.ellipse(-0.05, -0.33, 0.07, 0.07, (90, 92, 100))
    p.line([(-0.11, -0.24), (0.02, -0.42)], (90, 92, 100), 0.03)
    p.polygon([(0.34, -0.92), (0.66, -0.92), (0.60, -0.70), (0.40, -0.70)], (196, 150, 96))


def draw_balloon(p: Pen, paint: Colour) -> None:
    """Draw a party balloon on a curling string."""
    p.line(
        bezier([(0, -0.38), (0.12, -0.26), (-0.12, -0.14), (0.02, 0.0)], 20),
        (236, 236, 232),
        0.016,
        ends=False,
    )
    p.polygon(smooth([(0, -1.0), (0.25, -0.93), (0.31, -0.74), (0.22, -0.52), (0, -0.40), (-0.22, -0.52),
                      (-0.31, -0.74), (-0.25, -0.93)], 3), paint)  # fmt: skip
    p.polygon([(-0.05, -0.36), (0.05, -0.36), (0, -0.43)], shade(paint, 0.75))
    p.glow(0.08, -0.58, 0.15, 0.13, (0, 0, 0), 60)
    p.glow(-0.1, -0.8, 0.11, 0.13, (255, 255, 255), 120)
    p.ellipse(-0.12, -0.84, 0.035, 0.06, (255, 255, 255, 190), 0.4)


def draw_umbrella(p: Pen, paint: Colour) -> None:
    """Draw a large open umbrella planted in the ground."""
    p.line([(0, 0.0), (0, -0.94)], (150, 112, 76), 0.03)
    t = np.linspace(math.pi, 0, 26)
    dome = np.stack([0.62 * np.cos(t), -0.52 - 0.43 * np.sin(t)], axis=1)
    scallop = [(0.62 - 1.24 * i / 24, -0.52 - 0.055 * abs(math.sin(i / 24 * 4 * math.pi))) for i in range(25)]
    p.polygon(np.concatenate([dome, scallop]), paint)
    for i, s in enumerate((-1, 1)):
        u = np.linspace(0, 1, 12)
        seam = np.stack([s * 0.33 * np.sin(u * math.pi / 2), -0.95 + 0.41 * u**1.7], axis=1)
        edge = np.stack(
            [s * 0.62 * np.sin(u * math.pi / 2), -0.95 + 0.43 * (1 - np.cos(u * math.pi / 2))], axis=1
        )
        p.polygon(
            np.concatenate([seam, edge[::-1]]),
            mix(paint, (255, 255, 255), 0.30) if i == 0 else shade(paint, 0.74),
        )
    p.ellipse(0, -0.965, 0.025, 0.035, shade(paint, 0.6))


def draw_cake(p: Pen, paint: Colour) -> None:
    """Draw a two-tier cake with icing and candles, on a stand."""
    p.polygon([(-0.14, -0.02), (0.14, -0.02), (0.07, -0.14), (-0.07, -0.14)], (226, 226, 232))
    p.ellipse(0, -0.02, 0.22, 0.03, (214, 214, 222))
    p.ellipse(0, -0.15, 0.62, 0.05, (236, 236, 242))
    cream = (252, 244, 226) if sum(paint) < 690 else (240, 178, 190)
    for half, top, foot in ((0.5, -0.44, -0.16), (0.33, -0.70, -0.44)):
        p.polygon([(-half, top), (half, top), (half, foot), (-half, foot)], paint)
        p.ellipse(0, foot, half, 0.04, paint)
        p.polygon(
            [(half * 0.55, top), (half, top), (half, foot), (half * 0.55, foot + 0.03)],
            clear(shade(paint, 0.6), 90),
        )
        p.ellipse(0, top, half, 0.05, cream)
        for i in range(7):
            x = -half + half * (2 * i + 1) / 7
            p.line([(x, top + 0.015), (x, top + 0.06 + 0.05 * (i % 2))], cream, half * 2 / 7.4)
    for x in (-0.18, 0.0, 0.18):
        p.line([(x, -0.72), (x, -0.87)], (244, 246, 250), 0.045, ends=False)
        p.glow(x, -0.92, 0.09, 0.1, (255, 220, 120), 120)
        p.polygon(smooth([(x, -1.0), (x + 0.035, -0.91), (x, -0.87), (x - 0.035, -0.91)], 2), (255, 176, 52))


def draw_kite(p: Pen, paint: Colour) -> None:
    """Draw a diamond kite with a tail of bows."""
    tail = bezier([(0.10, -0.36), (0.34, -0.24), (-0.22, -0.14), (0.06, 0.0)], 24)
    p.line(tail, (240, 238, 232), 0.016, ends=False)
    for i in (7, 13, 19):
        x, y = tail[i]
        for s in (-1, 1):
            p.polygon([(x, y), (x + s * 0.09, y - 0.05), (x + s * 0.09, y + 0.05)], paint)
    top, left, right, foot = (-0.04, -1.0), (-0.40, -0.70), (0.34, -0.76), (0.10, -0.34)
    middle = (-0.005, -0.735)
    p.polygon([top, left, foot, right], paint)
    p.polygon([top, middle, left], mix(paint, (255, 255, 255), 0.28))
    p.polygon([middle, right, foot], shade(paint, 0.72))
    p.line([top, foot], (250, 248, 240), 0.014)
    p.line([left, right], (250, 248, 240), 0.014)


def draw_ball(p: Pen, paint: Colour) -> None:
    """Draw a beach ball in one colour and white."""
    p.ellipse(0, -0.5, 0.5, 0.5, paint)
    other = (250, 250, 246) if sum(paint) < 690 else (206, 208, 214)
    for a, b in ((0.0, 0.17), (-0.42, -0.24), (0.36, 0.47)):
        u = np.linspace(-1, 1, 16)
        y = -0.5 + 0.49 * np.sin(u * math.pi / 2)
        w = np.cos(u * math.pi / 2)
        p.polygon(np.concatenate([np.stack([a * w, y], 1), np.stack([b * w, y], 1)[::-1]]), other)
    p.ellipse(0.03, -0.97, 0.07, 0.03, other)
    p.glow(0.13, -0.34, 0.32, 0.30, (0, 0, 0), 50)
    p.glow(-0.17, -0.70, 0.17, 0.16, (255, 255, 255), 110)


def draw_tent(p: Pen, paint: Colour) -> None:
    """Draw a ridge tent with an open door."""
    p.polygon([(-0.34, -1.0), (0.52, -0.88), (0.98, 0.0), (0.16, 0.0)], shade(paint, 0.70))
    p.polygon([(-0.34, -1.0), (0.20, 0.0), (-0.90, 0.0)], paint)
    p.polygon([(-0.34, -0.74), (-0.06, 0.0), (-0.60, 0.0)], (54, 48, 54))
    p.polygon([(-0.34, -0.74), (-0.60, 0.0), (-0.74, 0.0)], mix(paint, (255, 255, 255), 0.4))
    p.polygon([(-0.34, -0.74), (-0.06, 0.0), (0.06, 0.0)], mix(paint, (255, 255, 255), 0.24))
    p.line([(-0.34, -1.0), (0.52, -0.88)], mix(paint, (255, 255, 255), 0.3), 0.025)
    p.line([(-0.9, 0.0), (-1.04, 0.02)], (236, 230, 214), 0.014, ends=False)


def draw_chair(p: Pen, paint: Colour) -> None:
    """Draw a deck chair of wood and painted cloth."""
    wood = (176, 128, 82)
    p.line([(-0.44, 0.0), (0.40, -0.94)], shade(wood, 0.8), 0.055)
    p.polygon([(-0.46, -0.42), (-0.16, -0.36), (0.36, -0.98), (0.10, -1.0)], shade(paint, 0.74))
    p.polygon(bezier([(0.44, -0.94), (0.14, -0.36), (-0.30, -0.22), (-0.52, -0.40)]).tolist()
              + bezier([(-0.40, -0.48), (-0.20, -0.34), (0.06, -0.52), (0.20, -1.0)]).tolist(),
              paint)  # fmt: skip
    for a, b in (((0.36, -0.88), (-0.08, -0.36)), ((0.29, -0.93), (-0.16, -0.40))):
        p.line(
            bezier([a, ((a[0] + b[0]) / 2 - 0.02, (a[1] + b[1]) / 2 + 0.1), b]),
            (250, 248, 240),
            0.03,
            ends=False,
        )
    p.line([(0.42, 0.0), (-0.52, -0.44)], wood, 0.06)
    p.line([(0.16, -0.98), (0.44, -0.94)], wood, 0.06)


def draw_guitar(p: Pen, paint: Colour) -> None:
    """Draw a standing guitar."""
    p.polygon([(-0.032, -0.42), (0.032, -0.42), (0.028, -0.88), (-0.028, -0.88)], (104, 70, 48))
    p.polygon(smooth([(-0.05, -0.86), (0.05, -0.86), (0.065, -1.0), (-0.065, -1.0)], 1), shade(paint, 0.6))
    p.polygon(smooth([(-0.13, -0.50), (0.13, -0.50), (0.15, -0.38), (0.12, -0.30), (0.24, -0.18),
                      (0.20, -0.01), (-0.20, -0.01), (-0.24, -0.18), (-0.12, -0.30), (-0.15, -0.38)], 3),
              paint)  # fmt: skip
    p.glow(0.08, -0.12, 0.10, 0.09, (0, 0, 0), 50)
    p.ellipse(0, -0.30, 0.07, 0.07, (50, 36, 30))
    p.line([(-0.08, -0.13), (0.08, -0.13)], (80, 54, 40), 0.025)
    for x in (-0.014, 0, 0.014):
        p.line([(x, -0.13), (x, -0.92)], (240, 236, 226), 0.006, ends=False)


def draw_suitcase(p: Pen, paint: Colour) -> None:
    """Draw a suitcase with straps and stickers."""
    p.line([(-0.16, -0.82), (-0.16, -0.97), (0.16, -0.97), (0.16, -0.82)], (70, 60, 58), 0.05)
    p.polygon(smooth([(-0.62, -0.84), (0.62, -0.84), (0.64, -0.04), (-0.64, -0.04)], 1), paint)
    p.polygon([(-0.58, -0.16), (0.58, -0.16), (0.54, -0.05), (-0.54, -0.05)], shade(paint, 0.7))
    for x in (-0.36, 0.36):
        p.polygon(
            [(x - 0.06, -0.84), (x + 0.06, -0.84), (x + 0.06, -0.04), (x - 0.06, -0.04)], shade(paint, 0.55)
        )
        p.ellipse(x, -0.62, 0.05, 0.035, (222, 196, 120))
    p.ellipse(-0.04, -0.52, 0.14, 0.13, (244, 240, 226))
    p.ellipse(-0.04, -0.52, 0.09, 0.08, (214, 96, 84) if paint[0] < 200 else (70, 120, 180))
    for x in (-0.5, 0.5):
        p.ellipse(x, -0.03, 0.06, 0.035, _DARK)


THINGS: dict[str, ThingKind] = {
    "ball": ThingKind(draw_ball, ("red", "orange", "green", "blue", "purple", "yellow"), "ground", 1.0, 0.72),
    "balloon": ThingKind(
        draw_balloon, ("red", "orange", "yellow", "green", "blue", "purple", "white"), "air", 0.62, 1.0
    ),
    "bicycle": ThingKind(draw_bicycle, _BRIGHT, "ground", 1.63, 0.9),
    "boat": ThingKind(draw_boat, _BRIGHT, "water", 1.52, 1.0),
    "cake": ThingKind(
        draw_cake,
        ("red", "orange", "yellow", "green", "blue", "purple", "white", "brown"),
        "ground",
        1.24,
        0.9,
    ),
    "car": ThingKind(draw_car, _BRIGHT, "ground", 2.09, 0.8),
    "cat": ThingKind(draw_cat, _FUR, "ground", 1.0, 0.9),
    "chair": ThingKind(
        draw_chair, ("red", "orange", "yellow", "green", "blue", "purple"), "ground", 1.0, 0.9
    ),
    "dog": ThingKind(draw_dog, _FUR, "ground", 1.75, 0.85),
    "guitar": ThingKind(
        draw_guitar, ("red", "orange", "yellow", "blue", "white", "black", "brown"), "ground", 0.5, 1.1
    ),
    "kite": ThingKind(draw_kite, ("red", "orange", "yellow", "green", "blue", "purple"), "air", 0.76, 1.0),
    "suitcase": ThingKind(
        draw_suitcase, ("red", "yellow", "green", "blue", "purple", "black", "brown"), "ground", 1.3, 0.8
    ),
    "tent": ThingKind(
        draw_tent, ("red", "orange", "yellow", "green", "blue", "purple", "white"), "ground", 2.0, 0.9
    ),
    "umbrella": ThingKind(draw_umbrella, _BRIGHT, "ground", 1.26, 1.1),
}
