"""Scenes in town: city, street, harbour, and a party indoors; `c` is the canvas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagesearch_demo.drawing.canvas import Canvas, Colour, clear, close_below, make_ridge, mix, shade
from imagesearch_demo.drawing.randomness import Rng
from imagesearch_demo.drawing.scenes_nature import draw_round_tree, draw_water
from imagesearch_demo.drawing.sky import BACK_LIGHT, SKIES, Stage, draw_lamp, draw_sky

_WARM = ((255, 214, 128), (255, 232, 170), (255, 196, 110))


@dataclass(frozen=True)
class Facade:
    """The front of a building, in picture units (y grows downwards); `foot` is its lower edge."""

    left: float
    foot: float
    width: float
    height: float
    colour: Colour

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """The upper edge, where the roof begins."""
        return self.foot - self.height


def _draw_windows(
    c: Canvas, rng: Rng, box: tuple[float, float, float, float], pitch: tuple[float, float], time: str
) -> None:
    """Draw a grid of windows in a box x0, y0, x1, y1; at sunset and night some of them are lit."""
    x0, y0, x1, y1 = box
    lit_share = {"day": 0.0, "sunset": 0.3, "night": 0.58}[time]
    glass, light = (150, 184, 208), c.light
    for y in np.arange(y0 + pitch[1] * 0.6, y1 - pitch[1] * 0.7, pitch[1]):
        for x in np.arange(x0 + pitch[0] * 0.4, x1 - pitch[0] * 0.7, pitch[0]):
            on = rng.random() < lit_share
            c.light = (1.0, 1.0, 1.0) if on else light
            colour = _WARM[rng.integers(3)] if on else shade(glass, rng.uniform(0.7, 1.15))
            c.rectangle(x, y, x + pitch[0] * 0.52, y + pitch[1] * 0.56, colour)
    c.light = light


def draw_city(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw a skyline of towers beyond a river, seen from a promenade."""
    hz = c.h * rng.uniform(0.54, 0.60)
    draw_sky(c, rng, time, hz)
    for depth, colour in ((0, (164, 182, 206)), (1, (122, 138, 164)), (2, (88, 98, 124))):
        x = -20.0
        while x < c.w + 10:
            width = rng.uniform(28, 62) * (1 + 0.15 * depth)
            height = rng.uniform(0.16, 0.44) * c.h * (1.05 - 0.18 * depth)
            tower = Facade(x, hz, width, height, shade(colour, rng.uniform(0.85, 1.2)))
            _draw_tower(c, rng, tower, depth, time)
            x += width + rng.uniform(-4, 10)
    if time == "night":
        c.veil(hz - 120, hz, (250, 170, 110), 0, 60)
    bank = hz + (c.h - hz) * 0.34
    draw_water(c, rng, hz, bank, (104, 134, 158), (70, 100, 128), time)
    if time == "night":
        light, c.light = c.light, (1.0, 1.0, 1.0)
        for x, t, w in rng.random((46, 3)):
            y = hz + 3 + (bank - hz) * t
            c.line([(x * c.w - 3 - 7 * w, y), (x * c.w + 3 + 7 * w, y)], (255, 210, 130, 120), 2)
        c.light = light
    c.fill_gradient(bank, c.h, ((176, 172, 168), (138, 134, 134)))
    for y in (0.1, 0.3, 0.6):
        c.line([(0, bank + (c.h - bank) * y), (c.w, bank + (c.h - bank) * y)], (112, 108, 110, 130), 1.5)
    for i in range(-9, 10):
        c.line([(c.w / 2 + i * 44, bank), (c.w / 2 + i * 120, c.h)], (112, 108, 110, 130), 1.5)
    for y in (bank - 20, bank - 10):
        c.line([(0, y), (c.w, y)], (66, 70, 80), 2.5)
    for x in np.arange(10, c.w, 26):
        c.line([(x, bank - 21), (x, bank + 3)], (66, 70, 80), 2.5)
    for x in (0.04, 0.96):
        c.line([(x * c.w, bank + 6), (x * c.w, bank - 96)], (52, 56, 66), 4)
        if time == "day":
            c.ellipse(x * c.w, bank - 100, 8, 8, (232, 232, 226))
        else:
            draw_lamp(c, x * c.w, bank - 100, 46, alpha=110)
    return Stage((bank + 26, c.h * 0.97), (c.h * 0.05, hz * 0.55))


def _draw_tower(c: Canvas, rng: Rng, tower: Facade, depth: int, time: str) -> None:
    left, right, top, foot = tower.left, tower.right, tower.top, tower.foot
    width, height, colour = tower.width, tower.height, tower.colour
    c.rectangle(left, top, right, foot, colour)
    c.rectangle(left + width * 0.72, top, right, foot, shade(colour, 0.78))
    roof = rng.random()
    if roof < 0.25:
        c.rectangle(left + width * 0.2, foot - height * 1.08, left + width * 0.7, top, shade(colour, 0.9))
    elif roof < 0.4:
        middle = left + width / 2
        c.line([(middle, top), (middle, foot - height * 1.16)], shade(colour, 0.7), 2)
    elif roof < 0.52:
        gable = [(left, top), (left + width / 2, top - width * 0.6), (right, top)]
        c.polygon(gable, shade(colour, 0.85))
    if depth or time != "day":
        pitch = (9.5, 12) if depth == 2 else (8.5, 11)
        _draw_windows(c, rng, (left + 3, top + 3, right, foot), pitch, time)


def draw_street(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw a street in perspective: houses on both sides, pavement, lamps, a tree or two."""
    hz, vx = c.h * rng.uniform(0.48, 0.54), c.w * rng.uniform(0.42, 0.58)
    draw_sky(c, rng, time, hz)
    c.fill_gradient(hz, c.h, ((150, 148, 150), (112, 112, 118)))
    c.mottle(rng, hz, c.h, (70, 70, 78), 90, (6, 3))
    for side in (-1, 1):
        edge = c.w / 2 + side * c.w / 2
        c.polygon([(vx, hz), (edge - side * c.w * 0.10, c.h), (edge + side * 300, c.h)], (198, 190, 178))
        c.line([(vx, hz), (edge - side * c.w * 0.10, c.h)], (232, 226, 214), 4)
        _draw_houses(c, rng, vx, hz, side, time)
    for i in range(7):
        t0, t1 = (i / 7) ** 1.8, ((i + 0.5) / 7) ** 1.8
        y0, y1 = hz + (c.h - hz) * t0, hz + (c.h - hz) * t1
        drift = c.w / 2 - vx
        c.polygon([(vx + drift * t0 - 5 * t0, y0), (vx + drift * t0 + 5 * t0, y0),
                   (vx + drift * t1 + 8 * t1, y1), (vx + drift * t1 - 8 * t1, y1)],
                  (238, 234, 220))  # fmt: skip
    for side in (-1, 1):
        for t in (0.16, 0.34, 0.7):
            x, y = vx + side * c.w * 0.60 * t, hz + (c.h - hz) * t * 0.9
            if t > 0.2 and side * 0.5 + rng.random() > 0.6:
                draw_round_tree(c, rng, x, y, 210 * t + 20, (86, 140, 78))
            else:
                _draw_street_lamp(c, x, y, 210 * t, -side, time)
    return Stage((hz + (c.h - hz) * 0.42, c.h * 0.97), (c.h * 0.06, hz * 0.62))


def _draw_houses(c: Canvas, rng: Rng, vx: float, hz: float, side: int, time: str) -> None:
    """Draw houses that become smaller towards the vanishing point, from far to near."""
    paints = (
        (222, 132, 104),
        (236, 200, 140),
        (170, 190, 198),
        (206, 158, 150),
        (226, 220, 204),
        (158, 178, 150),
    )
    cuts = [0.07, 0.13, 0.23, 0.42, 0.75, 1.35]
    reach = c.w * 0.62
    for near, far in zip(cuts[:0:-1], cuts[-2::-1], strict=True):
        tall = rng.uniform(0.74, 1.02) * c.h * 0.92
        x0, x1 = vx + side * reach * far, vx + side * reach * near
        foot = [hz + (c.h - hz) * 0.62 * t for t in (far, near)]
        top = [hz - tall * t for t in (far, near)]
        paint = shade(
            paints[rng.integers(len(paints))], rng.uniform(0.86, 1.04) * (1.0 if side < 0 else 0.86)
        )
        c.polygon([(x0, top[0]), (x1, top[1]), (x1, foot[1]), (x0, foot[0])], paint)
        c.polygon([(x0, top[0] - 8 * far), (x1, top[1] - 8 * near), (x1, top[1] + 14 * near),
                   (x0, top[0] + 14 * far)],
                  shade(paint, 0.66))  # fmt: skip
        _draw_house_front(c, rng, (x0, x1), top, foot, paint, time)


def _draw_house_front(c: Canvas, rng: Rng, x: tuple, top: list, foot: list, paint: Colour, time: str) -> None:
    """Draw windows and a shop front in the perspective of the house's front."""
    lit_share, light = {"day": 0.0, "sunset": 0.3, "night": 0.6}[time], c.light

    def locate(u: float, v: float) -> tuple[float, float]:
        y0, y1 = top[0] + (foot[0] - top[0]) * v, top[1] + (foot[1] - top[1]) * v
        return x[0] + (x[1] - x[0]) * u, y0 + (y1 - y0) * u

    for row in range(4):
        v0, v1 = (0.10 + 0.2 * row, 0.23 + 0.2 * row) if row < 3 else (0.73, 1.0)
        for u in (0.14, 0.44, 0.72):
            on = rng.random() < lit_share
            c.light = (1.0, 1.0, 1.0) if on else light
            glass = _WARM[rng.integers(3)] if on else shade((116, 148, 172), rng.uniform(0.75, 1.2))
            if row == 3 and u == 0.44:
                glass, c.light = shade(paint, 0.5), light
            c.polygon([locate(u, v0), locate(u + 0.15, v0), locate(u + 0.15, v1), locate(u, v1)], glass)
            if row < 3:
                c.light = light
                c.line([locate(u - 0.02, v1), locate(u + 0.17, v1)], shade(paint, 1.25), 2)
    c.light = light


def _draw_street_lamp(c: Canvas, x: float, y: float, tall: float, side: int, time: str) -> None:
    c.line([(x, y), (x, y - tall), (x + side * tall * 0.16, y - tall)], (50, 54, 62), max(1.5, tall * 0.025))
    if time == "day":
        c.ellipse(x + side * tall * 0.16, y - tall, tall * 0.04, tall * 0.03, (240, 240, 230))
    else:
        draw_lamp(c, x + side * tall * 0.16, y - tall, tall * 0.4, alpha=120)


def draw_harbour(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw coloured houses and a lighthouse across the water; a stone quay in front."""
    hz, quay = c.h * rng.uniform(0.44, 0.50), c.h * rng.uniform(0.70, 0.75)
    draw_sky(c, rng, time, hz)
    c.polygon(close_below(make_ridge(rng, c.w, hz, 84, 1.0), hz), (132, 152, 158))
    paints = ((204, 88, 72), (240, 196, 92), (236, 232, 222), (94, 142, 160), (226, 150, 90), (140, 168, 122))
    light_x, x = c.w * rng.choice((0.1, 0.9)), -10.0
    while x < c.w:
        width, height = rng.uniform(36, 56), rng.uniform(46, 82)
        if abs(x + width / 2 - light_x) > 52:
            house = Facade(x, hz + 4, width, height, paints[rng.integers(len(paints))])
            _draw_gabled_house(c, rng, house, time)
        x += width + rng.uniform(-1, 5)
    _draw_lighthouse(c, light_x, hz + 6, c.h * 0.34, time)
    c.rectangle(0, hz + 2, c.w, hz + 11, (120, 112, 108))
    draw_water(c, rng, hz + 10, quay, (72, 116, 140), (40, 84, 112), time)
    for y0, y1, colour in ((quay, quay + 16, (120, 114, 110)), (quay + 16, c.h, (166, 158, 150))):
        c.rectangle(0, y0, c.w, y1, colour)
    c.veil(quay + 16, c.h, (110, 100, 96), 0, 110)
    for row in range(6):
        y = quay + 16 + (c.h - quay - 16) * (row / 6) ** 1.3
        c.line([(0, y), (c.w, y)], (110, 102, 98, 150), 1.6)
        for x in np.arange(-20 + 25 * (row % 2), c.w + 40, 54 + 6 * row):
            c.line([(x, y), (x, y + 12 + 4 * row)], (110, 102, 98, 120), 1.4)
    c.mottle(rng, quay, c.h, (90, 84, 82), 90, (7, 4))
    for x in (0.12, 0.5, 0.88):
        c.rectangle(x * c.w - 6, quay - 14, x * c.w + 6, quay + 6, (58, 60, 66))
        c.ellipse(x * c.w, quay - 14, 9, 4.5, (84, 86, 94))
    return Stage((quay + 34, c.h * 0.97), (c.h * 0.06, hz * 0.62), (hz + 40, quay - 14))


def _draw_gabled_house(c: Canvas, rng: Rng, house: Facade, time: str) -> None:
    left, right, top, foot = house.left, house.right, house.top, house.foot
    width, colour = house.width, house.colour
    c.rectangle(left, top, right, foot, colour)
    c.rectangle(left + width * 0.82, top, right, foot, shade(colour, 0.8))
    middle = left + width / 2
    c.polygon([(left - 3, top), (middle, top - width * 0.56), (right + 3, top)], (110, 76, 70))
    c.polygon([(left + 3, top), (middle, top - width * 0.46), (right - 3, top)], shade(colour, 0.94))
    _draw_windows(c, rng, (left + 4, top, right - 2, foot), (12.5, 19), time)


def _draw_lighthouse(c: Canvas, x: float, foot: float, tall: float, time: str) -> None:
    for i in range(5):
        w0, w1 = 17 - 1.6 * i, 17 - 1.6 * (i + 1)
        y0, y1 = foot - tall * 0.8 * i / 5, foot - tall * 0.8 * (i + 1) / 5
        paint = (214, 70, 62) if i % 2 else (244, 242, 236)
        c.polygon([(x - w0, y0), (x - w1, y1), (x + w1, y1), (x + w0, y0)], paint)
        c.polygon([(x + w0 * 0.35, y0), (x + w1 * 0.35, y1), (x + w1, y1), (x + w0, y0)], shade(paint, 0.8))
    top = foot - tall * 0.8
    c.rectangle(x - 12, top - 3, x + 12, top, (60, 60, 70))
    c.rectangle(x - 7, top - 17, x + 7, top - 3, (250, 236, 180))
    c.polygon([(x - 10, top - 17), (x, top - 28), (x + 10, top - 17)], (196, 62, 56))
    if time != "day":
        draw_lamp(c, x, top - 10, 60, (255, 236, 180), 130)


def draw_party(c: Canvas, rng: Rng, time: str) -> Stage:
    """Draw a room with bunting, lights, a window that shows the time of day, and confetti on the floor."""
    floor = c.h * rng.uniform(0.62, 0.68)
    walls = ((238, 206, 190), (206, 214, 232), (236, 224, 196), (214, 226, 210), (230, 208, 226))
    wall = walls[rng.integers(len(walls))]
    dim = {"day": 1.0, "sunset": 0.92, "night": 0.80}[time]
    c.light = (dim, dim * (1.0 if time == "day" else 0.95), dim * (1.0 if time == "day" else 0.88))
    c.fill_gradient(0, floor, (shade(wall, 0.86), wall, shade(wall, 1.08)))
    for x in np.arange(0, c.w, 26):
        c.rectangle(x, 0, x + 13, floor, clear(shade(wall, 0.93), 90))
    _draw_room_window(c, rng, c.w * rng.uniform(0.22, 0.78), c.h * 0.32, time)
    c.fill_gradient(floor, c.h, ((178, 124, 84), (146, 98, 66)))
    for t in (0.06, 0.2, 0.42, 0.72):
        c.line([(0, floor + (c.h - floor) * t), (c.w, floor + (c.h - floor) * t)], (112, 72, 48, 150), 2)
    c.rectangle(0, floor - 9, c.w, floor + 2, (246, 242, 236))
    c.polygon([(c.w * 0.16, c.h * 0.78), (c.w * 0.84, c.h * 0.78), (c.w * 0.96, c.h), (c.w * 0.04, c.h)],
              clear(mix((186, 84, 92), (84, 112, 160), rng.random()), 190))  # fmt: skip
    _draw_bunting(c, rng)
    for x, y, pick in rng.random((70, 3)):
        paint = ((240, 90, 90), (250, 200, 70), (90, 170, 230), (120, 200, 120), (220, 120, 210))[
            int(pick * 5)
        ]
        px, py = x * c.w, floor + 6 + (c.h - floor) * y
        c.polygon([(px, py), (px + 5, py + 1), (px + 4, py + 3.5), (px - 1, py + 2.5)], paint)
    if time != "day":
        c.light = BACK_LIGHT["day"]
        c.glow(c.w / 2, 0, c.w * 0.7, c.h * 0.6, (255, 214, 150), 60)
        c.light = (dim, dim, dim)
    return Stage((floor + 50, c.h * 0.99), (c.h * 0.14, c.h * 0.5))


def _draw_room_window(c: Canvas, rng: Rng, x: float, y: float, time: str) -> None:
    w, h = 54, 66
    sky = SKIES[time][rng.integers(3)]
    c.rectangle(x - w - 7, y - h - 7, x + w + 7, y + h + 7, (246, 242, 236))
    light, c.light = c.light, (1.0, 1.0, 1.0)
    steps = 14
    for i in range(steps):
        t = i / steps * (len(sky) - 1)
        colour = mix(sky[int(t)], sky[min(int(t) + 1, len(sky) - 1)], t % 1)
        c.rectangle(x - w, y - h + 2 * h * i / steps, x + w, y - h + 2 * h * (i + 1) / steps, colour)
    c.light = BACK_LIGHT[time]
    for dx, tall in ((-54, 34), (-26, 52), (4, 26), (24, 44)):
        c.rectangle(x + dx, y + h - tall, x + dx + 26, y + h, (96, 112, 140))
    c.light = light
    c.rectangle(x - 3, y - h, x + 3, y + h, (246, 242, 236))
    c.rectangle(x - w, y - 3, x + w, y + 3, (246, 242, 236))
    for side in (-1, 1):
        c.polygon([(x + side * (w + 16), y - h - 16), (x + side * (w - 14), y - h - 16),
                   (x + side * (w - 2), y + h + 14), (x + side * (w + 18), y + h + 14)],
                  (206, 112, 104))  # fmt: skip


def _draw_bunting(c: Canvas, rng: Rng) -> None:
    paints = ((232, 86, 84), (250, 196, 72), (80, 162, 214), (108, 188, 118), (196, 110, 190), (246, 140, 80))
    for top, sag in ((c.h * 0.03, c.h * 0.10), (c.h * 0.09, c.h * 0.07)):
        t = np.linspace(0, 1, 24)
        rope = np.stack([t * c.w, top + sag * np.sin(math.pi * ((2 * t) % 1.0001))], axis=1)
        c.line(rope, (250, 246, 238), 2)
        for i in range(len(rope) - 1):
            (x0, y0), (x1, y1) = rope[i], rope[i + 1]
            c.polygon(
                [(x0 + 2, y0), (x1 - 2, y1), ((x0 + x1) / 2, (y0 + y1) / 2 + 26)], paints[(i + int(top)) % 6]
            )
    for x in np.linspace(0.04, 0.96, 12):
        draw_lamp(c, x * c.w, c.h * 0.02 + 7 * abs(math.sin(x * 9)), 17, alpha=70)
