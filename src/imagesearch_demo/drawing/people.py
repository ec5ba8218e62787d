"""Draws people: heads with hair, beard and glasses, and bodies with clothes and a pose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagesearch_demo.drawing.canvas import Canvas, Colour, Pen, bezier, clear, mix, shade, smooth
from imagesearch_demo.drawing.hair import draw_back_hair, draw_beard, draw_front_hair
from imagesearch_demo.drawing.identities import Identity
from imagesearch_demo.drawing.randomness import Rng

CLOTHES: tuple[Colour, ...] = (
    (206, 72, 70), (66, 116, 176), (236, 186, 80), (88, 150, 110), (132, 92, 158), (240, 238, 232),
    (62, 66, 82),
    (224, 138, 96), (120, 176, 190), (196, 120, 150),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((58, 72, 108), (70, 66, 70), (150, 128, 100), (96, 104, 84), (120, 84, 76))


@dataclass(frozen=True)
class Mood:
    """The expression and direction of a face, which change from picture to picture.

    Attributes
    ----------
    smile : float
        -0.3 (serious) to 1 (broad).
    open_mouth : float
        0 (closed) to 1 (laughing).
    yaw, pitch : float
        Direction of the face, -1 to 1 (right, down).
    tilt : float
        Tilt of the head in radians, clockwise.
    gaze : float
        Direction of the eyes, -1 to 1.
    lids : float
        Opening of the eyes, 0.55 to 1.
    """

    smile: float = 0.6
    open_mouth: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    tilt: float = 0.0
    gaze: float = 0.0
    lids: float = 1.0


@dataclass(frozen=True)
class Outfit:
    """Clothes and pose of one picture."""

    shirt: Colour
    trousers: Colour
    pattern: str
    arms: str


def choose_mood(rng: Rng) -> Mood:
    """Choose a random mood; most are friendly and upright."""
    return Mood(
        smile=float(np.clip(rng.normal(0.55, 0.35), -0.3, 1.0)),
        open_mouth=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.35 else 0.0,
        yaw=float(np.clip(rng.normal(0, 0.45), -1, 1)),
        pitch=float(np.clip(rng.normal(0, 0.4), -1, 1)),
        tilt=float(np.clip(rng.normal(0, 0.13), -0.38, 0.38)),
        gaze=float(rng.uniform(-1, 1)),
        lids=float(rng.uniform(0.75, 1.0)),
    )


def choose_outfit(rng: Rng, alone: bool = True) -> Outfit:
    """Choose random clothes and a pose; raised arms only if `alone`, because they can hide other faces."""
    return Outfit(
        shirt=CLOTHES[rng.integers(len(CLOTHES))],
        trousers=TROUSERS[rng.integers(len(TROUSERS))],
        pattern=str(rng.choice(["plain", "plain", "stripes", "dots", "collar"])),
        arms=str(rng.choice(["down", "down", "hips", "wave", "cheer"][: 5 if alone else 3])),
    )


def make_head_outline(identity: Identity, n: int = 60) -> np.ndarray:
    """Make the head's outline (n, 2) in head units: x right, y down, chin at about (0, 1)."""
    t = np.linspace(0, 2 * math.pi, n, endpoint=False)
    x, y = np.cos(t), np.sin(t)
    x = np.sign(x) * np.abs(x) ** 0.86 * identity.width
    low = np.clip(y, 0, 1)
    return np.stack([x * (1 - identity.jaw * low**1.6), y * (1 + 0.06 * identity.chin * low**3)], axis=1)


def draw_head(
    pen: Pen, identity: Identity, mood: Mood
) -> tuple[tuple[float, float, float, float], np.ndarray]:
    """Draw a head at the pen, without the hair behind it, which `draw_back_hair` draws before the body.

    Returns
    -------
    box : tuple of float
        x1, y1, x2, y2 of the face, forehead to chin, without hair and ears, in picture units.
    landmarks : numpy.ndarray
        (5, 2): eyes, nose, mouth corners, in picture units; the left one in the picture is first.
    """
    yaw, pitch = mood.yaw * 0.13, mood.pitch * 0.07
    skin, edge = identity.skin, make_head_outline(identity)
    for s in (-1, 1):
        x = s * identity.width * 0.97 - yaw * 0.6
        pen.ellipse(x, 0.06 - pitch * 0.5, identity.ear * 0.85, identity.ear * 1.25, shade(skin, 0.92))
        pen.ellipse(x, 0.06 - pitch * 0.5, identity.ear * 0.45, identity.ear * 0.75, shade(skin, 0.78))
    pen.polygon(edge, skin)
    box_pen = Pen(
        pen.canvas, pen.x, pen.y, pen.scale, pen.angle, pen.flip, [pen.place(edge * (1, 0.93) + (0, 0.07))]
    )
    pen.glow(0.34 * identity.width, 0.36, 0.52 * identity.width, 0.55, shade(skin, 0.72), 60)
    pen.glow(-0.25, -0.42, 0.45, 0.30, mix(skin, (255, 255, 255), 0.5), 60)
    blush = mix(skin, (232, 84, 84), 0.55)
    for s in (-1, 1):
        pen.glow(
            s * 0.44 * identity.width / 0.8 + yaw,
            0.30 + pitch,
            0.20,
            0.14,
            blush,
            round(70 + 70 * identity.cheeks),
        )
    if identity.freckles > 0.05:
        for i in range(14):
            x, y = (i % 7 - 3) * 0.125 + 0.03 * (i // 7), 0.20 + 0.06 * math.sin(i * 2.4) + 0.05 * (i // 7)
            pen.ellipse(
                x + yaw,
                y + pitch,
                0.02,
                0.018,
                clear(mix(skin, (150, 70, 30), 0.6), round(190 * identity.freckles)),
            )
    draw_beard(pen, identity, edge, yaw, pitch)
    eyes = [_draw_eye(pen, identity, mood, side, yaw, pitch) for side in (-1, 1)]
    nose = _draw_nose(pen, identity, yaw, pitch)
    corners = _draw_mouth(pen, identity, mood, yaw, pitch)
    draw_front_hair(pen, identity, edge, yaw)
    if identity.glasses != "none":
        _draw_glasses(pen, identity, eyes)
    marks = pen.place([*eyes, nose, *corners])
    if pen.flip:
        marks = marks[[1, 0, 2, 4, 3]]
    return box_pen.compute_box(), marks


def _draw_eye(
    pen: Pen, identity: Identity, mood: Mood, side: int, yaw: float, pitch: float
) -> tuple[float, float]:
    far = 1 - 0.16 * side * mood.yaw  # the eye on the side that the face turns to looks narrower
    r = identity.eye_size
    x, y = side * identity.eye_gap * (1 - 0.04 * abs(mood.yaw)) + yaw * 1.25, -identity.eye_height + pitch
    turn = -side * identity.eye_slant * 0.5
    rx, ry = r * 1.08 * far, r * mood.lids
    pen.ellipse(x, y, rx, ry, (253, 252, 250), turn)
    gaze = mood.gaze * r * 0.24 + yaw * 0.2
    iris = min(r * 0.70, ry * 0.92)
    pen.ellipse(x + gaze, y, iris * far, iris, identity.iris)
    pen.ellipse(x + gaze, y, iris * 0.55 * far, iris * 0.55, (18, 16, 20))
    pen.ellipse(x + gaze - r * 0.24, y - iris * 0.36, r * 0.2, r * 0.2, (255, 255, 255))
    lid = mix(shade(identity.skin, 0.35), (30, 20, 24), 0.5)
    c, s = math.cos(turn), math.sin(turn)
    arch = [(-1.12, 0.16), (-0.5, -1.22), (0.5, -1.22), (1.12, 0.16)]
    pen.curve([(x + u * rx * c - v * ry * s, y + u * rx * s + v * ry * c) for u, v in arch], lid, 0.038)
    if identity.lip > 0.55:  # lashes at the outer corner
        ox, oy = x + side * rx * 1.05, y - ry * 0.1 - identity.eye_slant * 0.05
        for k in (0.0, 0.5):
            pen.line([(ox - side * k * 0.06, oy - k * 0.06), (ox + side * (0.09 - k * 0.05),
                                                              oy - 0.07 - k * 0.05)],
                     lid, 0.026, ends=False)  # fmt: skip
    brow_y, tilt = y - r * 1.25 - 0.12 - 0.03 * mood.smile, identity.brow_tilt * 0.22
    brow = (
        mix(identity.hair_colour, (40, 30, 30), 0.35)
        if identity.style not in ("scarf", "turban")
        else (52, 38, 34)
    )
    pen.curve([(x - r * 1.25, brow_y + tilt * side * 0.5 + 0.02), (x, brow_y - 0.09),
               (x + r * 1.25, brow_y - tilt * side * 0.5 + 0.02)],
              brow, identity.brow)  # fmt: skip
    return x, y


def _draw_nose(pen: Pen, identity: Identity, yaw: float, pitch: float) -> tuple[float, float]:
    x, y = yaw * 1.75, 0.05 + identity.nose_length + pitch * 1.3
    dark = shade(identity.skin, 0.76)
    w = identity.nose_width
    pen.glow(x, y + 0.01, w * 1.3, w * 0.9, dark, 120)
    pen.curve(
        [(x - w, y - 0.03), (x - w * 0.6, y + w * 0.75), (x + w * 0.6, y + w * 0.75), (x + w, y - 0.03)],
        dark,
        0.036,
    )
    pen.ellipse(
        x - w * 0.25, y - w * 0.25, w * 0.36, w * 0.30, clear(mix(identity.skin, (255, 255, 255), 0.6), 130)
    )
    return x, y


def _draw_mouth(
    pen: Pen, identity: Identity, mood: Mood, yaw: float, pitch: float
) -> list[tuple[float, float]]:
    w = identity.mouth_width * (0.92 + 0.16 * max(0.0, mood.smile))
    x, y = yaw * 1.35, 0.53 + 0.25 * (identity.nose_length - 0.22) + pitch
    lift = 0.13 * mood.smile
    corners = [(x - w, y - lift * 0.6), (x + w, y - lift * 0.6)]
    lips = mix(shade(identity.skin, 0.62), (188, 52, 62), 0.25 + 0.5 * identity.lip)
    sag = y + lift * 1.1
    if mood.open_mouth > 0:
        deep = sag + 0.10 + 0.20 * mood.open_mouth
        upper = bezier([corners[0], (x, sag - 0.02), corners[1]])
        lower = bezier([corners[1], (x + w * 0.55, deep + 0.06), (x - w * 0.55, deep + 0.06), corners[0]])
        hole = np.concatenate([upper, lower])
        pen.polygon(hole, (112, 34, 40))
        pen.ellipse(x, sag + (deep - sag) * 0.62, w * 0.36, (deep - sag) * 0.16, (222, 104, 106))
        inner = slice(2, -2)
        pen.polygon(np.concatenate([upper[inner], (upper[inner] + (0, 0.06))[::-1]]), (252, 250, 246))
        pen.line(np.concatenate([hole, hole[:1]]), lips, 0.03 + 0.02 * identity.lip, ends=False)
    else:
        if identity.lip > 0.5:
            upper = bezier([corners[0], (x, sag - 0.06), corners[1]])
            lower = bezier([corners[1], (x, sag + 0.16), corners[0]])
            pen.polygon(np.concatenate([upper, lower]), lips)
        pen.curve([corners[0], (x, sag + 0.06), corners[1]], shade(lips, 0.74), 0.04)
    for s, (cx, cy) in zip((-1, 1), corners, strict=True):
        pen.curve(
            [(cx + s * 0.015, cy - 0.045), (cx + s * 0.035, cy), (cx + s * 0.01, cy + 0.04)],
            shade(identity.skin, 0.72),
            0.024,
        )
    return corners


def _draw_glasses(pen: Pen, identity: Identity, eyes: list[tuple[float, float]]) -> None:
    r, colour = max(0.2, identity.eye_size * 1.5), identity.frame
    (lx, ly), (rx, ry) = eyes
    for x, y in eyes:
        if identity.glasses == "round":
            rim = (
                np.stack(
                    [np.cos(np.linspace(0, 2 * math.pi, 30)), np.sin(np.linspace(0, 2 * math.pi, 30))], axis=1
                )
                * r
            )
        elif identity.glasses == "square":
            corners = smooth([(-1.1, -0.72), (1.1, -0.72), (1.0, 0.78), (-1.0, 0.78)], 2) * r
            rim = np.concatenate([corners, corners[:1]])
        else:
            t = np.linspace(0, math.pi, 18)
            rim = np.stack([np.cos(t), np.sin(t) * 0.8], axis=1) * r
        pen.polygon(rim + np.array((x, y + 0.01)), (235, 245, 255, 46))
        pen.line(rim + np.array((x, y + 0.01)), colour, 0.05, ends=False)
    pen.line(
        [(lx + r * 0.95, ly - 0.04), ((lx + rx) / 2, ly - 0.09), (rx - r * 0.95, ry - 0.04)], colour, 0.045
    )
    pen.line([(lx - r, ly - 0.04), (-identity.width * 0.98, ly - 0.06)], colour, 0.045)
    pen.line([(rx + r, ry - 0.04), (identity.width * 0.98, ry - 0.06)], colour, 0.045)


def draw_person(
    canvas: Canvas,
    x: float,
    y: float,
    head: float,
    identity: Identity,
    mood: Mood,
    outfit: Outfit,
) -> tuple[tuple[float, float, float, float], np.ndarray]:
    """Draw a person whose head's centre is at (x, y); the body is below it.

    Parameters
    ----------
    canvas : Canvas
        The canvas to draw on.
    x, y, head : float
        Centre and half the height of the head, in picture units.
    identity, mood, outfit
        Features, expression and clothes.

    Returns
    -------
    box, landmarks
        As returned by `draw_head`.
    """
    draw_back_hair(Pen(canvas, x, y, head, mood.tilt), identity, mood.yaw * 0.13)
    _draw_body(Pen(canvas, x, y, head), identity, outfit)
    return draw_head(Pen(canvas, x, y, head, mood.tilt), identity, mood)


FEET = 6.0  # distance of the feet below the centre of the head, in head units


def _draw_body(pen: Pen, identity: Identity, outfit: Outfit) -> None:
    shirt, dark, skin = outfit.shirt, shade(outfit.shirt, 0.78), identity.skin
    for s in (-1, 1):
        pen.line(
            [(s * 0.36, 3.5), (s * 0.40, 5.75)],
            shade(outfit.trousers, 1.0 if s < 0 else 0.85),
            0.62,
            ends=False,
        )
        pen.ellipse(s * 0.47, 5.86, 0.40, 0.17, (58, 50, 52))
    pen.polygon(
        smooth([(-0.72, 3.1), (0.72, 3.1), (0.74, 4.1), (0.05, 4.2), (-0.05, 4.2), (-0.74, 4.1)], 1),
        outfit.trousers,
    )
    _draw_arms(pen, outfit.arms, shirt, skin)
    pen.polygon(smooth([(-0.42, 1.14), (0.42, 1.14), (1.02, 1.36), (1.06, 1.9), (0.80, 3.55), (-0.80, 3.55),
                        (-1.06, 1.9), (-1.02, 1.36)], 2), shirt)  # fmt: skip
    if outfit.pattern == "stripes":
        for y in (1.72, 2.12, 2.52, 2.92):
            half = 0.94 - 0.09 * (y - 1.5)
            pen.line([(-half, y), (half, y)], mix(shirt, (255, 255, 255), 0.55), 0.13, ends=False)
    elif outfit.pattern == "dots":
        for i in range(15):
            pen.ellipse(
                (i % 5 - 2) * 0.36 + 0.12 * (i // 5 % 2),
                1.75 + 0.5 * (i // 5),
                0.075,
                0.075,
                mix(shirt, (255, 255, 255), 0.6),
            )
    pen.polygon([(0.62, 1.4), (0.92, 1.5), (0.98, 1.9), (0.74, 3.40), (0.50, 3.50)], clear(dark, 90))
    pen.polygon(
        smooth([(-0.27, 0.7), (0.27, 0.7), (0.30, 1.22), (0, 1.42), (-0.30, 1.22)], 1), shade(skin, 0.84)
    )
    if outfit.pattern == "collar":
        for s in (-1, 1):
            pen.polygon(
                [(s * 0.02, 1.52), (s * 0.30, 1.14), (s * 0.56, 1.30), (s * 0.34, 1.62)],
                mix(shirt, (255, 255, 255), 0.4),
            )


def _draw_arms(pen: Pen, pose: str, shirt: Colour, skin: Colour) -> None:
    paths = {
        "down": ([(-0.90, 1.62), (-1.16, 2.5), (-1.06, 3.4)], [(0.90, 1.62), (1.16, 2.5), (1.06, 3.4)]),
        "wave": ([(-0.90, 1.62), (-1.16, 2.5), (-1.06, 3.4)], [(0.90, 1.62), (1.62, 1.5), (1.86, 0.5)]),
        "hips": ([(-0.90, 1.62), (-1.62, 2.4), (-0.80, 3.0)], [(0.90, 1.62), (1.62, 2.4), (0.80, 3.0)]),
        "cheer": ([(-0.90, 1.62), (-1.62, 1.4), (-1.90, 0.4)], [(0.90, 1.62), (1.62, 1.4), (1.90, 0.4)]),
    }[pose]
    for path in paths:
        shoulder, elbow, hand = (np.array(p) for p in path)
        pen.line([elbow, hand], skin, 0.32)
        pen.line([shoulder, elbow, elbow + (hand - elbow) * 0.25], shade(shirt, 0.90), 0.44)
        pen.ellipse(hand[0], hand[1], 0.21, 0.23, skin)
