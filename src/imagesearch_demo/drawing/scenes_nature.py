"""Outdoor scenes: beach, mountains, forest, desert, snow, lake, meadow, savanna.

Each function draws a scene at a time of day on the canvas `c`, and returns the `Stage` for things and people.
"""

from __future__ import annotations

import math

import numpy as np

from imagesearch_demo.drawing.canvas import Canvas, Colour, clear, close_below, make_ridge, mix, shade
from imagesearch_demo.drawing.randomness import Rng
from imagesearch_demo.drawing.sky import Stage, draw_sky


def draw_conifer(c: Canvas, x: float, y: float, height: float, colour: Colour, snow: bool = False) -> None:
    """Draw a fir of four tiers, lit from the left; `snow` lies on its branches."""
    c.rectangle(x - height * 0.025, y - height * 0.12, x + height * 0.025, y, (78, 56, 44))
    for i in range(4):
        top, foot = y - height * (1 - i * 0.2), y - height * (0.60 - i * 0.165)
        half = height * (0.13 + 0.055 * i)
        c.polygon([(x, top), (x + half, foot), (x - half, foot)], shade(colour, 0.80))
        c.polygon([(x, top), (x + half * 0.1, foot), (x - half, foot)], colour)
        if snow:
            c.polygon([(x, top), (x + half * 0.5, foot - height * 0.06),
                       (x - half * 0.66, foot - height * 0.05)],
                      (240, 246, 252))  # fmt: skip


def draw_round_tree(c: Canvas, rng: Rng, x: float, y: float, height: float, colour: Colour) -> None:
    """Draw a broad-leaved tree: trunk, shadow and a crown of lit leaves."""
    c.glow(x + height * 0.1, y, height * 0.42, height * 0.07, (20, 40, 20), 70)
    c.polygon([(x - height * 0.04, y), (x - height * 0.025, y - height * 0.5),
               (x + height * 0.025, y - height * 0.5), (x + height * 0.045, y)], (98, 70, 50))  # fmt: skip
    for dark, spread in ((0.72, 0.0), (0.88, -0.04), (1.0, -0.08), (1.14, -0.12)):
        for _ in range(6):
            dx, dy = rng.normal(spread, 0.12), rng.normal(-0.66 + spread, 0.09)
            r = height * rng.uniform(0.12, 0.19) * (1.2 - dark * 0.35)
            c.ellipse(x + dx * height, y + dy * height, r * 1.15, r, shade(colour, dark))


def draw_grass(
    c: Canvas, rng: Rng, y0: float, y1: float, colour: Colour, n: int = 120, tall: float = 9
) -> None:
    """Draw blades of grass over a band of ground, longer towards the viewer."""
    for x, t, lean, tone in rng.random((n, 4)):
        y = y0 + (y1 - y0) * t
        length = tall * (0.4 + 0.9 * t)
        c.line(
            [(x * c.w, y), (x * c.w + (lean - 0.5) * length, y - length)],
            shade(colour, 0.75 + 0.5 * tone),
            1.3,
        )


def draw_water(c: Canvas, rng: Rng, y0: float, y1: float, far: Colour, near: Colour, time: str) -> None:
    """Draw water with ripples and glitter: `far` and the sky's colour in the distance, `near` in front."""
    sky = {"day": (150, 206, 236), "sunset": (255, 186, 140), "night": (70, 92, 150)}[time]
    light, c.light = c.light, (1.0, 1.0, 1.0)
    lit = [tuple(round(v * f) for v, f in zip(colour, light, strict=True)) for colour in (far, near)]
    c.fill_gradient(y0, y1, (mix(lit[0], sky, 0.5), mix(lit[0], sky, 0.14), lit[1]))
    glint = {"day": (255, 255, 255), "sunset": (255, 226, 160), "night": (190, 206, 255)}[time]
    for x, t, w, a in rng.random((70, 4)):
        y = y0 + (y1 - y0) * t * t
        half = (5 + 26 * w) * (0.3 + t)
        c.line([(x * c.w - half, y), (x * c.w + half, y)], clear(glint, round(25 + 75 * a)), 1 + 1.2 * t)
    c.light = light


def draw_beach(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw sea, foam, sand and a palm."""
    hz, shore = c.h * rng.uniform(0.36, 0.44), c.h * rng.uniform(0.55, 0.62)
    draw_sky(c, rng, time, hz)
    if rng.random() < 0.5:
        land = make_ridge(rng, c.w, hz, 34, 1.2)
        land[:, 1] = hz - (hz - land[:, 1]) * np.clip((land[:, 0] / c.w - rng.uniform(0.3, 0.6)) * 3, 0, 1)
        c.polygon(close_below(land, hz), (104, 138, 132))
    draw_water(c, rng, hz, shore + 16, (40, 146, 176), (92, 204, 200), time)
    edge = make_ridge(rng, c.w, shore + 10, 14, 1.5, 0.35)
    sand = mix((238, 214, 162), (226, 196, 148), rng.random())
    c.polygon(close_below(edge, c.h), mix(sand, (150, 140, 120), 0.42))
    c.line(edge, (255, 255, 255), 5)
    c.line(edge - (0, 7), (255, 255, 255, 120), 2.5)
    c.polygon(close_below(edge + np.array((0, 9)), c.h), sand)
    c.veil(shore + 30, c.h, shade(sand, 0.72), 0, 120)
    c.mottle(rng, shore + 22, c.h, shade(sand, 0.7), 110, (9, 4))
    for x, t in rng.random((40, 2)):
        y = shore + 26 + (c.h - shore - 26) * t
        c.ellipse(x * c.w, y, 1.5 + 2 * t, 0.8 + t, shade(sand, 0.8 if t > 0.5 else 1.4))
    if rng.random() < 0.75:
        side = rng.choice((-1, 1))
        _draw_palm(
            c, rng, c.w / 2 + side * c.w * rng.uniform(0.40, 0.48), c.h * rng.uniform(0.66, 0.74), -side
        )
    return Stage((shore + 46, c.h * 0.97), (c.h * 0.06, hz), (hz + 20, shore - 4))


def _draw_palm(c: Canvas, rng: Rng, x: float, y: float, lean: int) -> None:
    height = c.h * rng.uniform(0.46, 0.58)
    t = np.linspace(0, 1, 12)
    trunk = np.stack([x + lean * 46 * t**1.7, y - height * t], axis=1)
    c.glow(x + lean * 20, y, 60, 8, (60, 40, 20), 90)
    for i in range(11):
        c.line(trunk[i : i + 2], shade((146, 112, 78), 0.85 + 0.25 * (i % 2)), 13 - 0.6 * i)
    top = trunk[-1]
    for angle in np.linspace(-0.35, math.pi + 0.35, 9) + rng.normal(0, 0.08, 9):
        u = np.linspace(0, 1, 10)
        length = height * rng.uniform(0.36, 0.46)
        spine = top + np.stack(
            [np.cos(angle) * length * u, -np.sin(angle) * length * u + 0.55 * length * u**2], 1
        )
        width = (length * 0.11 * np.sin(np.pi * np.clip(u + 0.06, 0, 1)))[:, None] * (0.25, 1.0)
        green = shade((58, 132, 74), rng.uniform(0.72, 1.15))
        c.polygon(np.concatenate([spine, (spine + width)[::-1]]), green)
        c.line(spine, shade(green, 0.7), 1.6)
    for dx in (-6, 3, 9):
        c.ellipse(top[0] + dx, top[1] + 6, 5.5, 6, (112, 76, 48))


def draw_mountains(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw snow-capped peaks above green foothills and firs."""
    hz = c.h * rng.uniform(0.58, 0.66)
    draw_sky(c, rng, time, hz)
    c.polygon(close_below(make_ridge(rng, c.w, hz - 30, 90, 1.6, 0.55), hz + 30), (158, 182, 212))
    for x in np.linspace(0.08, 0.92, 4) + rng.normal(0, 0.06, 4):
        _draw_peak(c, rng, x * c.w, hz + 20, c.h * rng.uniform(0.34, 0.54))
    c.veil(hz - 90, hz + 20, (214, 228, 240), 0, 110)
    hill = make_ridge(rng, c.w, hz + 26, 46, 1.3)
    c.polygon(close_below(hill, c.h), (76, 124, 84))
    for i in rng.choice(len(hill), 16, replace=False):
        draw_conifer(c, hill[i, 0], hill[i, 1] + 14, rng.uniform(24, 44), (42, 92, 70))
    near = make_ridge(rng, c.w, hz + 66, 26, 0.9)
    c.polygon(close_below(near, c.h), (112, 160, 82))
    c.veil(hz + 70, c.h, (50, 88, 46), 0, 130)
    c.mottle(rng, hz + 66, c.h, (60, 104, 54), 150, (8, 4))
    draw_grass(c, rng, hz + 80, c.h, (116, 166, 84), 90)
    return Stage((hz + 92, c.h * 0.97), (c.h * 0.05, hz * 0.6))


def _draw_peak(c: Canvas, rng: Rng, x: float, foot: float, height: float) -> None:
    half, top = height * rng.uniform(0.62, 0.85), foot - height
    rock = mix((116, 126, 150), (134, 132, 142), rng.random())
    c.polygon([(x - half, foot), (x, top), (x + half, foot)], rock)
    spine = [
        (x, top),
        (x + half * 0.10, foot - height * 0.62),
        (x - half * 0.06, foot - height * 0.34),
        (x, foot),
    ]
    c.polygon([*spine, (x + half, foot)], shade(rock, 0.70))
    drop = height * rng.uniform(0.34, 0.46)
    w = half * drop / height
    zig = [(x - w, top + drop), (x - w * 0.55, top + drop * 0.72), (x - w * 0.25, top + drop * 1.06),
           (x + w * 0.15, top + drop * 0.74), (x + w * 0.5, top + drop * 1.0),
           (x + w * 0.95, top + drop)]  # fmt: skip
    c.polygon([(x, top), *zig[::-1]], (246, 250, 255))
    c.polygon([(x, top), (x + w * 0.15, top + drop * 0.74), (x + w * 0.5, top + drop),
               (x + w * 0.95, top + drop)],
              (196, 212, 234))  # fmt: skip


def draw_forest(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw trunks in mist, a canopy, ferns and a path."""
    ground = c.h * rng.uniform(0.56, 0.64)
    draw_sky(c, rng, time, ground, clouds=False)
    c.veil(0, ground + 10, (150, 190, 140), 200, 240)
    for depth in (0.25, 0.5, 0.8):
        bark = mix((150, 186, 150), (72, 56, 46), depth)
        for x in np.linspace(0, 1, 8) + rng.normal(0, 0.05, 8):
            w, foot = 3 + 13 * depth, ground + 36 * (depth - 0.25)
            c.polygon([(x * c.w - w, foot), (x * c.w - 0.7 * w, -5), (x * c.w + 0.7 * w, -5),
                       (x * c.w + w, foot)],
                      bark)  # fmt: skip
            c.rectangle(x * c.w + 0.25 * w, -5, x * c.w + 0.72 * w, foot, clear(shade(bark, 0.7), 130))
        leaf = mix((150, 196, 128), (44, 100, 56), depth)
        for x, y, r, tone in rng.random((34, 4)):
            r = 20 + 30 * r
            c.ellipse(x * c.w, (y * 0.30 - 0.02) * c.h * (1.25 - 0.35 * depth), r * 1.4, r * 0.8,
                      clear(shade(leaf, 0.82 + 0.4 * tone), 200))  # fmt: skip
    if time != "night":
        beam = (255, 246, 196) if time == "day" else (255, 196, 130)
        for x in rng.uniform(0.1, 0.9, 4):
            c.polygon(
                [(x * c.w, 0), (x * c.w + 40, 0), (x * c.w - 60, ground), (x * c.w - 130, ground)],
                (*beam, 34),
            )
    c.fill_gradient(ground, c.h, ((104, 142, 78), (64, 98, 52)))
    mid = c.w * rng.uniform(0.35, 0.65)
    c.polygon([(mid - 22, ground), (mid + 22, ground), (mid + 150, c.h), (mid - 150, c.h)], (158, 128, 92))
    c.mottle(rng, ground, c.h, (46, 72, 36), 170, (9, 5))
    for x, t in rng.random((26, 2)):
        if abs(x * c.w - mid) > 60 + 110 * t:
            _draw_fern(c, x * c.w, ground + 12 + (c.h - ground) * t, 12 + 22 * t)
    return Stage((ground + 42, c.h * 0.97), (c.h * 0.16, ground * 0.7))


def _draw_fern(c: Canvas, x: float, y: float, size: float) -> None:
    for angle in (-1.1, -0.55, 0.0, 0.55, 1.1):
        tip = (x + math.sin(angle) * size, y - math.cos(angle) * size)
        c.polygon([(x - 1.5, y), (x + math.sin(angle) * size * 0.5 - 3, y - size * 0.55), tip, (x + 2, y)],
                  (58, 120, 62) if angle < 0.2 else (44, 98, 52))  # fmt: skip


def draw_desert(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw dunes with a lit and a shadowed side."""
    hz = c.h * rng.uniform(0.46, 0.54)
    draw_sky(c, rng, time, hz + 20, clouds=rng.random() < 0.4)
    tones = ((244, 202, 140), (236, 176, 108), (228, 156, 88), (220, 146, 80))
    for i, tone in enumerate(tones):
        y = hz + 24 + i * (c.h - hz) * 0.17
        crest = make_ridge(rng, c.w, y, 58 - 6 * i, 0.7 + 0.25 * rng.random(), 0.18)
        c.polygon(close_below(crest, c.h), tone)
        top = int(np.argmin(crest[:, 1]))
        lee = crest[top : min(top + 46, len(crest))]
        u = np.linspace(0, 1, len(lee))
        fall = lee + np.stack([40 * np.sin(np.pi * u), 64 * np.sin(np.pi * u**0.8) ** 1.2], axis=1)
        c.polygon(np.concatenate([lee, fall[::-1]]), clear(shade(tone, 0.66), 150))
    c.veil(hz + 100, c.h, (150, 84, 44), 0, 70)
    c.mottle(rng, hz + 40, c.h, (176, 110, 58), 90, (14, 3))
    for i in range(9):
        y = c.h * (0.78 + 0.026 * i)
        wave = make_ridge(rng, c.w, y, 6, 3, 0.3)
        c.line(wave, (176, 108, 58, 90), 1.6)
    return Stage((hz + (c.h - hz) * 0.44, c.h * 0.97), (c.h * 0.06, hz * 0.85))


def draw_snow(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw white hills, firs with snow, a cabin and snowflakes."""
    hz = c.h * rng.uniform(0.48, 0.56)
    draw_sky(c, rng, time, hz, clouds=False)
    c.veil(0, hz, (206, 216, 228), 120, 190)
    c.light = {"day": (1.0, 1.0, 1.0), "sunset": (1.0, 0.83, 0.80), "night": (0.36, 0.43, 0.68)}[time]
    c.polygon(close_below(make_ridge(rng, c.w, hz + 8, 60, 1.2), c.h), (214, 226, 240))
    hill = make_ridge(rng, c.w, hz + 34, 40, 0.9)
    c.polygon(close_below(hill, c.h), (228, 237, 247))
    for i in sorted(rng.choice(len(hill), 13, replace=False)):
        draw_conifer(c, hill[i, 0], hill[i, 1] + 16, rng.uniform(46, 104), (66, 104, 98), snow=True)
    if rng.random() < 0.5:
        _draw_cabin(c, c.w * rng.uniform(0.2, 0.8), hz + 44, time)
    near = make_ridge(rng, c.w, hz + 76, 24, 0.8)
    c.polygon(close_below(near, c.h), (240, 246, 252))
    c.veil(hz + 90, c.h, (176, 198, 226), 0, 120)
    c.mottle(rng, hz + 70, c.h, (186, 206, 232), 130, (18, 7))
    for x, y, r in rng.random((110, 3)):
        c.ellipse(x * c.w, y * c.h, 0.8 + 2.2 * r, 0.8 + 2.2 * r, (255, 255, 255, 190))
    return Stage((hz + 100, c.h * 0.97), (c.h * 0.06, hz * 0.8))


def _draw_cabin(c: Canvas, x: float, y: float, time: str) -> None:
    c.rectangle(x - 34, y - 34, x + 34, y, (124, 84, 62))
    for i in range(4):
        c.line([(x - 34, y - 8 * i - 4), (x + 34, y - 8 * i - 4)], (96, 64, 48), 1.5)
    c.polygon([(x - 44, y - 30), (x, y - 64), (x + 44, y - 30)], (246, 250, 255))
    c.rectangle(x + 14, y - 66, x + 22, y - 44, (110, 90, 86))
    light, c.light = c.light, (1.0, 1.0, 1.0)
    for dx in (-20, 8):
        c.rectangle(
            x + dx, y - 24, x + dx + 12, y - 12, (255, 214, 130) if time != "day" else (150, 186, 206)
        )
    c.light = light


def draw_lake(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw still water that mirrors wooded hills, with reeds and a pier."""
    hz, shore = c.h * rng.uniform(0.42, 0.48), c.h * rng.uniform(0.68, 0.74)
    draw_sky(c, rng, time, hz)
    layers = (
        (make_ridge(rng, c.w, hz, 110, 1.3), (142, 168, 186)),
        (make_ridge(rng, c.w, hz, 62, 1.8), (82, 124, 104)),
    )
    for line, colour in layers:
        c.polygon(close_below(line, hz), colour)
    firs = [(x * c.w, rng.uniform(24, 46)) for x in rng.random(24)]
    for x, tall in firs:
        draw_conifer(c, x, hz + 2, tall, (52, 98, 76))
    draw_water(c, rng, hz, shore, (84, 138, 158), (46, 96, 124), time)
    for line, colour in layers:
        mirror = np.stack([line[:, 0], hz + (hz - line[:, 1]) * 0.8], axis=1)
        c.polygon(close_below(mirror, hz), clear(shade(colour, 0.8), 130))
    for x, tall in firs:
        c.polygon([(x - tall * 0.2, hz), (x + tall * 0.2, hz), (x, hz + tall * 0.8)], (36, 74, 66, 120))
    bank = make_ridge(rng, c.w, shore, 16, 1.2, 0.4)
    c.polygon(close_below(bank, c.h), (126, 152, 82))
    c.veil(shore, c.h, (66, 88, 44), 0, 140)
    c.mottle(rng, shore, c.h, (70, 96, 50), 150, (8, 4))
    if rng.random() < 0.6:
        _draw_pier(c, c.w * rng.uniform(0.2, 0.8), shore + 10, hz + (shore - hz) * 0.45)
    for x in np.concatenate([rng.uniform(0, 0.2, 14), rng.uniform(0.8, 1, 14)]) * c.w:
        tall = rng.uniform(26, 60)
        c.line([(x, shore + 14), (x + rng.normal(0, 5), shore + 14 - tall)], (84, 116, 58), 2)
        c.ellipse(x, shore + 12 - tall * 0.9, 2.4, 7, (112, 78, 48))
    return Stage((shore + 34, c.h * 0.97), (c.h * 0.06, hz * 0.75), (hz + 34, shore - 12))


def _draw_pier(c: Canvas, x: float, near: float, far: float) -> None:
    c.polygon([(x - 34, near), (x + 34, near), (x + 15, far), (x - 15, far)], (158, 122, 86))
    for t in np.linspace(0, 1, 9):
        y, half = near + (far - near) * t, 34 - 19 * t
        c.line([(x - half, y), (x + half, y)], (112, 84, 58), 1.8)
    for t in (0.3, 0.65, 1.0):
        for side in (-1, 1):
            px, py = x + side * (34 - 19 * t), near + (far - near) * t
            c.line([(px, py - 9), (px, py + 10)], (96, 70, 50), 4)


def draw_meadow(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw green hills, trees, a fence, and flowers of many colours."""
    hz = c.h * rng.uniform(0.44, 0.52)
    draw_sky(c, rng, time, hz)
    for i, tone in enumerate(((150, 190, 134), (132, 190, 92), (116, 182, 74))):
        c.polygon(close_below(make_ridge(rng, c.w, hz + 10 + 34 * i, 48, 0.9 + 0.2 * i, 0.25), c.h), tone)
        for x in rng.random(3 - i):
            if i < 2:
                draw_round_tree(c, rng, x * c.w, hz + 14 + 30 * i, 34 + 34 * i, (86, 146, 74))
    if rng.random() < 0.6:
        draw_round_tree(c, rng, c.w * rng.choice((0.1, 0.9)), hz + 92, c.h * 0.42, (84, 150, 66))
    c.veil(hz + 90, c.h, (64, 124, 40), 0, 130)
    c.mottle(rng, hz + 70, c.h, (74, 132, 46), 130, (9, 4))
    if rng.random() < 0.6:
        _draw_fence(c, hz + 84)
    draw_grass(c, rng, hz + 80, c.h, (122, 186, 72), 130)
    petals = ((250, 250, 246), (248, 214, 70), (232, 92, 96), (186, 130, 214), (246, 150, 186))
    for x, t, pick in rng.random((110, 3)):
        y, r = hz + 84 + (c.h - hz - 84) * t, 1.3 + 2.6 * t
        colour = petals[int(pick * len(petals))]
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            c.ellipse(x * c.w + dx * r, y + dy * r, r * 0.9, r * 0.9, colour)
        c.ellipse(x * c.w, y, r * 0.7, r * 0.7, (244, 196, 60))
    return Stage((hz + 104, c.h * 0.97), (c.h * 0.05, hz * 0.8))


def _draw_fence(c: Canvas, y: float) -> None:
    for dy in (-24, -12):
        c.line([(0, y + dy), (c.w, y + dy + 4)], (188, 160, 124), 4)
    for x in np.arange(12, c.w, 62):
        c.rectangle(x, y - 33, x + 7, y + 3, (170, 140, 104))
        c.rectangle(x + 5, y - 33, x + 7, y + 3, (136, 108, 80))


def draw_savanna(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw golden grass, acacias and a distant mountain."""
    hz = c.h * rng.uniform(0.48, 0.55)
    draw_sky(c, rng, time, hz)
    x = c.w * rng.uniform(0.2, 0.8)
    c.polygon([(x - 210, hz), (x - 60, hz - 72), (x + 50, hz - 76), (x + 230, hz)], (146, 152, 172))
    c.polygon([(x - 68, hz - 68), (x - 60, hz - 72), (x + 50, hz - 76), (x + 64, hz - 66), (x + 20, hz - 60),
               (x - 10, hz - 66), (x - 36, hz - 58)], (240, 244, 248))  # fmt: skip
    c.fill_gradient(hz, c.h, ((216, 188, 112), (206, 164, 78), (158, 116, 54)))
    c.mottle(rng, hz + 8, c.h, (140, 104, 48), 150, (8, 4))
    for x, size in zip(rng.random(6), np.sort(rng.uniform(0.3, 1.5, 6)), strict=True):
        _draw_acacia(c, rng, x * c.w, hz + 14 + 34 * size, 78 * size)
    draw_grass(c, rng, hz + 40, c.h, (222, 184, 100), 190, 14)
    return Stage((hz + 84, c.h * 0.97), (c.h * 0.05, hz * 0.7))


def _draw_acacia(c: Canvas, rng: Rng, x: float, y: float, height: float) -> None:
    c.glow(x, y, height * 0.7, height * 0.07, (50, 34, 10), 90)
    fork = (x + height * rng.normal(0, 0.06), y - height * 0.52)
    c.line([(x, y), fork], (92, 68, 48), height * 0.07)
    for dx in (-0.42, -0.14, 0.16, 0.44):
        c.line([fork, (x + dx * height, y - height * 0.86)], (92, 68, 48), height * 0.035)
    for tone, dy in ((0.75, 0.0), (1.0, -0.05), (1.2, -0.09)):
        for dx in rng.uniform(-0.6, 0.6, 8):
            c.ellipse(x + dx * height, y - height * (0.9 - dy * 0.4) + dy * height, height * 0.24,
                      height * 0.075, shade((104, 128, 62), tone))  # fmt: skip
