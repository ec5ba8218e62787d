"""Hair, scarves and beards of the drawn people."""

from __future__ import annotations

import math

import numpy as np

from imagesearch_demo.drawing.canvas import Pen, bezier, mix, shade, smooth
from imagesearch_demo.drawing.identities import Identity

_LONG = ("long", "wavy", "bob")


def draw_back_hair(pen: Pen, identity: Identity, yaw: float) -> None:
    """Draw the hair behind the head: long hair, buns, the back of a scarf. Call it before the body."""
    colour, w = shade(identity.hair_colour, 0.80), identity.width
    v = 0.10 + 0.14 * identity.volume
    if identity.style in ("long", "wavy"):
        foot = 1.75 if identity.style == "long" else 1.55
        side = [
            (w + v, -0.3),
            (w + v * 1.5, 0.5),
            (w + v * 0.9, 1.1),
            (w + v * 1.3, foot),
            (0.35, foot + 0.1),
        ]
        shape = [(-x, y) for x, y in side[::-1]] + [(-w * 0.7, -1.05 - v), (w * 0.7, -1.05 - v)] + side
        pen.polygon(smooth(shape, 3 if identity.style == "long" else 2), colour)
        if identity.style == "wavy":
            for s in (-1, 1):
                for i in range(5):
                    pen.ellipse(
                        s * (w + v * 0.95), 0.05 + 0.36 * i, 0.23 + 0.05 * identity.volume, 0.25, colour
                    )
    elif identity.style == "bob":
        shape = [(-w - v * 1.4, 0.62), (-w - v * 1.5, -0.3), (-w * 0.6, -1.06 - v), (w * 0.6, -1.06 - v),
                 (w + v * 1.5, -0.3), (w + v * 1.4, 0.62), (w * 0.6, 0.86), (-w * 0.6, 0.86)]  # fmt: skip
        pen.polygon(smooth(shape, 2), colour)
    elif identity.style == "afro":
        for a in np.linspace(-0.25, math.pi + 0.25, 13):
            pen.ellipse((w + 0.22) * math.cos(a), -0.30 - 0.80 * math.sin(a), 0.36 + v, 0.36 + v, colour)
        pen.ellipse(0, -0.45, w + 0.34, 0.85 + v, colour)
    elif identity.style == "bun":
        pen.ellipse(yaw * -0.8, -1.22, 0.33 + v, 0.31 + v, colour)
        pen.ellipse(yaw * -0.8 - 0.08, -1.30, 0.16, 0.13, shade(identity.hair_colour, 1.15))
    elif identity.style == "ponytail":
        tail = bezier([(w * 0.5, -0.8), (w + 0.65, -0.75), (w + 0.55, 0.3), (w + 0.40, 1.05)], 20)
        pen.line(tail, colour, 0.34 + v)
    elif identity.style == "pigtails":
        for s in (-1, 1):
            for i in range(5):
                pen.ellipse(
                    s * (w + 0.16 + 0.03 * i),
                    0.30 + 0.26 * i,
                    0.21 - 0.022 * i,
                    0.18,
                    shade(colour, 1 - 0.1 * (i % 2)),
                )
            pen.ellipse(s * (w + 0.14), 0.18, 0.10, 0.08, (226, 84, 96))
    elif identity.style == "scarf":
        shape = [(-w - 0.20, -0.4), (-w * 0.6, -1.16), (w * 0.6, -1.16), (w + 0.20, -0.4), (w + 0.22, 0.5),
                 (0.92, 1.65), (-0.92, 1.65), (-w - 0.22, 0.5)]  # fmt: skip
        pen.polygon(smooth(shape, 2), colour)


def _make_cap(edge: np.ndarray, lift: float, low: float, hairline: list[tuple[float, float]]) -> np.ndarray:
    """Make the outline of hair: `edge` above `low`, moved outwards by `lift` and closed by a hairline."""
    top = edge[edge[:, 1] < low]
    angle = (np.arctan2(top[:, 1], top[:, 0]) - math.pi / 2) % (2 * math.pi)
    top = top[np.argsort(angle)]  # from the left temple over the crown to the right temple
    return np.concatenate([top * (1 + lift * 0.7) - (0, lift * 0.55), np.array(hairline)])


def _make_hairline(identity: Identity, low: float, yaw: float) -> list[tuple[float, float]]:
    w, y = identity.width, -0.46
    if identity.fringe == "straight":
        return [(w * 0.93, low), (w * 0.80, y + 0.16), (w * 0.4, y + 0.19), (yaw, y + 0.20),
                (-w * 0.4, y + 0.19), (-w * 0.80, y + 0.16), (-w * 0.93, low)]  # fmt: skip
    if identity.fringe == "swept":
        line = bezier([(w * 0.84, y + 0.30), (w * 0.3, y + 0.20), (-w * 0.2, y - 0.02), (-w * 0.5, y - 0.28)])
        return [(w * 0.93, low), *map(tuple, line), (-w * 0.80, y + 0.12), (-w * 0.93, low)]
    if identity.fringe == "parted":
        right = bezier([(w * 0.86, y + 0.26), (w * 0.55, y - 0.02), (yaw + 0.02, y - 0.36)], 8)
        left = bezier([(yaw - 0.02, y - 0.36), (-w * 0.55, y - 0.02), (-w * 0.86, y + 0.26)], 8)
        return [(w * 0.93, low), *map(tuple, right), *map(tuple, left), (-w * 0.93, low)]
    return [(w * 0.93, low), (w * 0.74, y - 0.02), (w * 0.4, y - 0.20), (yaw, y - 0.22), (-w * 0.4, y - 0.20),
            (-w * 0.74, y - 0.02), (-w * 0.93, low)]  # fmt: skip


def draw_front_hair(pen: Pen, identity: Identity, edge: np.ndarray, yaw: float) -> None:
    """Draw the hair over the forehead. Call it after the face."""
    style, colour, w = identity.style, identity.hair_colour, identity.width
    shine = mix(colour, (255, 255, 255), 0.22)
    if style == "bald":
        pen.ellipse(-0.26, -0.66, 0.16, 0.09, mix(identity.skin, (255, 255, 255), 0.45), -0.5)
        return
    if style == "scarf":
        _draw_scarf(pen, identity)
        return
    if style == "turban":
        _draw_turban(pen, identity)
        return
    lift = {"buzz": 0.02, "afro": 0.10, "curls": 0.10, "side": 0.10, "quiff": 0.08}.get(
        style, 0.06
    ) + 0.06 * identity.volume
    low = {"buzz": -0.10, "side": 0.0, "quiff": -0.05, "spiky": -0.08}.get(style, 0.10)
    pen.polygon(
        _make_cap(edge, lift if style != "buzz" else 0.025, low, _make_hairline(identity, low, yaw)),
        colour,
    )
    if style in _LONG:
        for s in (-1, 1):
            lock = [
                (s * w * 0.80, -0.52),
                (s * (w + 0.10), -0.4),
                (s * (w + 0.13), 0.72),
                (s * w * 0.93, 0.70),
                (s * w * 0.90, 0.0),
            ]
            pen.polygon(smooth(lock, 2), colour)
    elif style == "quiff":
        pen.polygon(smooth([(-w * 0.72, -0.62), (-w * 0.86, -1.02), (-0.2, -1.34 - 0.16 * identity.volume),
                            (w * 0.74, -1.22), (w * 0.84, -0.78), (w * 0.3, -0.62)], 3), colour)  # fmt: skip
    elif style == "spiky":
        tips = np.linspace(-0.95, 0.95, 7)
        spikes = [(-w * 0.93, -0.36)]
        for i, t in enumerate(tips):
            spikes.append((t * w * 1.14, -1.26 - 0.22 * identity.volume + 0.34 * t * t))
            if i < 6:
                mid = (t + tips[i + 1]) / 2
                spikes.append((mid * w * 0.96, -0.98 + 0.28 * mid * mid))
        pen.polygon([*spikes, (w * 0.93, -0.36), (0, -0.62)], colour)
    elif style in ("curls", "afro"):
        r = 0.19 + 0.06 * identity.volume
        for i, a in enumerate(np.linspace(0.12, math.pi - 0.12, 9)):
            tone = shade(colour, 0.92 if i % 2 else 1.06)
            pen.ellipse(w * 0.98 * math.cos(a), -0.26 - 0.78 * math.sin(a), r, r, tone)
        if style == "curls":
            for x in (-0.36, -0.1, 0.16, 0.40):
                pen.ellipse(
                    x * w / 0.8, -0.70 + 0.1 * abs(x), r * 0.86, r * 0.8, shade(colour, 1.0 + 0.12 * (x > 0))
                )
    if style not in ("buzz", "curls", "afro"):
        pen.curve(
            [(-w * 0.56, -0.80), (-w * 0.2, -1.0 - lift * 0.5), (w * 0.25, -0.98 - lift * 0.4)], shine, 0.055
        )


def _draw_scarf(pen: Pen, identity: Identity) -> None:
    colour, w = identity.hair_colour, identity.width
    t = np.linspace(0, 2 * math.pi, 50)
    outer = np.stack([(w + 0.17) * np.cos(t), -0.02 + 1.20 * np.sin(t)], axis=1)
    inner = np.stack([w * 0.90 * np.cos(t), 0.08 + 0.83 * np.sin(t)], axis=1)
    pen.polygon(np.concatenate([outer, inner[::-1]]), colour)
    for s in (-1, 1):
        pen.curve(
            [(s * w * 0.5, -1.0), (s * (w + 0.12), -0.3), (s * (w + 0.02), 0.6)], shade(colour, 0.82), 0.035
        )
    pen.polygon(
        smooth(
            [
                (-w * 0.9, 0.62),
                (0, 1.0),
                (w * 0.9, 0.62),
                (w + 0.12, 1.3),
                (0.3, 1.72),
                (-0.5, 1.66),
                (-w - 0.12, 1.3),
            ],
            2,
        ),
        colour,
    )
    pen.curve([(-w * 0.8, 0.95), (0, 1.3), (w * 0.85, 0.9)], shade(colour, 0.8), 0.04)
    pen.curve([(-w * 0.7, 1.2), (0.1, 1.55), (w * 0.9, 1.15)], shade(colour, 0.8), 0.04)
    pen.curve([(-w * 0.6, -0.92), (-0.1, -1.14), (w * 0.4, -1.02)], shade(colour, 1.25), 0.05)


def _draw_turban(pen: Pen, identity: Identity) -> None:
    colour, w = identity.hair_colour, identity.width
    pen.polygon(smooth([(-w - 0.10, -0.32), (-w - 0.18, -0.85), (-0.4, -1.42), (0.4, -1.42),
                        (w + 0.18, -0.85), (w + 0.10, -0.32), (w * 0.5, -0.50), (0, -0.66),
                        (-w * 0.5, -0.50)], 3), colour)  # fmt: skip
    for i in range(4):
        y = -0.62 - 0.2 * i
        pen.curve([(-w - 0.06 + 0.08 * i, y + 0.14), (-0.1, y - 0.34), (w * 0.85 - 0.14 * i, y - 0.05)],
                  shade(colour, 0.80 if i % 2 else 1.14), 0.04)  # fmt: skip
    pen.polygon([(0, -0.72), (0.12, -0.98), (0, -1.06), (-0.12, -0.98)], shade(colour, 1.3))


def draw_beard(pen: Pen, identity: Identity, edge: np.ndarray, yaw: float, pitch: float) -> None:
    """Draw beard and moustache. Call it before the mouth."""
    if identity.beard == "none":
        return
    grey = identity.style in ("scarf", "turban", "bald")
    colour = (54, 42, 38) if grey else mix(identity.hair_colour, (50, 36, 30), 0.25)
    x, y, w = yaw * 1.3, 0.36 + 0.25 * (identity.nose_length - 0.22) + pitch, identity.width
    if identity.beard in ("full", "stubble"):
        low = edge[edge[:, 1] > 0.16]
        low = low[
            np.argsort(-np.arctan2(low[:, 1], low[:, 0]))
        ]  # left cheek under the chin to the right cheek
        grow = 1.07 if identity.beard == "full" else 1.0
        upper = [
            (w * 0.80, 0.34),
            (w * 0.52, 0.46),
            (x + 0.22, y + 0.06),
            (x, y),
            (x - 0.22, y + 0.06),
            (-w * 0.52, 0.46),
            (-w * 0.80, 0.34),
        ]
        fill = (*colour, 90) if identity.beard == "stubble" else colour
        pen.polygon(np.concatenate([low * (1.0, grow), upper]), fill)
    if identity.beard in ("moustache", "goatee"):
        shape = [
            (x - 0.38, y + 0.14),
            (x - 0.20, y - 0.02),
            (x, y + 0.02),
            (x + 0.20, y - 0.02),
            (x + 0.38, y + 0.14),
            (x, y + 0.13),
        ]
        pen.polygon(smooth(shape, 2), colour)
    if identity.beard == "goatee":
        pen.polygon(
            smooth([(x - 0.20, 0.76), (x + 0.20, 0.76), (x + 0.13, 1.08), (x - 0.13, 1.08)], 2), colour
        )
