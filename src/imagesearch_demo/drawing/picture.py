"""One picture: its specification, its drawing, and the ground truth of where everything is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from imagesearch_demo.drawing.canvas import Canvas, Pen
from imagesearch_demo.drawing.identities import CastMember
from imagesearch_demo.drawing.people import FEET, choose_mood, choose_outfit, draw_person
from imagesearch_demo.drawing.randomness import Rng
from imagesearch_demo.drawing.scenes import SCENES
from imagesearch_demo.drawing.sky import FRONT_LIGHT, TIMES, Stage
from imagesearch_demo.drawing.things import PAINTS, THINGS

Box = tuple[float, float, float, float]
LONG, SHORT = 640, 480


@dataclass(frozen=True)
class PictureSpec:
    """The content of a picture; `seed` determines everything else."""

    scene: str
    time: str
    things: tuple[tuple[str, str], ...]  # (kind, colour)
    people: tuple[CastMember, ...]
    seed: int
    framing: str = "mid"  # size of the people: close, mid or far
    upright: bool = False


@dataclass(frozen=True)
class PictureTruth:
    """The ground truth of a drawn picture. Boxes are x1, y1, x2, y2 and landmarks (5, 2), in pixels."""

    scene: str
    time: str
    things: list[dict] = field(default_factory=list)  # kind, colour, box
    people: list[dict] = field(default_factory=list)  # name, box, landmarks


def can_show(kind: str, scene: str) -> bool:
    """Return whether a kind of thing can be in a scene: boats need water, and parties have no cars."""
    if scene == "party":
        return kind not in ("boat", "car", "tent", "kite")
    return THINGS[kind].where != "water" or scene in ("beach", "harbour", "lake")


def choose_things(rng: Rng, scene: str, count: int, kinds: tuple[str, ...]) -> tuple:
    """Choose `count` things of different kinds that can be in the scene, as pairs (kind, colour)."""
    options = [kind for kind in kinds if can_show(kind, scene)]
    # Boats have higher odds where there is water; otherwise they would be rare.
    odds = np.array([4.0 if THINGS[kind].where == "water" else 1.0 for kind in options])
    chosen = rng.choice(options, size=min(count, len(options)), replace=False, p=odds / odds.sum())
    return tuple((str(k), str(rng.choice(THINGS[str(k)].colours))) for k in chosen)


def choose_spec(
    rng: Rng,
    people: list[CastMember],
    kinds: tuple[str, ...] = tuple(THINGS),
    crowd: float = 0.55,
) -> PictureSpec:
    """Choose a random picture: scene, time of day, things and, with probability `crowd`, some `people`."""
    scene, time = str(rng.choice(list(SCENES))), str(rng.choice(TIMES, p=(0.46, 0.27, 0.27)))
    heads = (
        int(rng.choice((1, 2, 3, 4), p=(0.55, 0.27, 0.12, 0.06))) if people and rng.random() < crowd else 0
    )
    # Most pictures without people have a thing; crowded pictures have at most one.
    odds = {0: (0.08, 0.67, 0.25), 1: (0.28, 0.60, 0.12), 2: (0.40, 0.60, 0.0)}.get(heads, (0.75, 0.25, 0.0))
    things = choose_things(rng, scene, int(rng.choice(3, p=odds)), kinds)
    shown = rng.choice(len(people), size=min(heads, len(people)), replace=False) if heads else ()
    return PictureSpec(scene, time, things, tuple(people[i] for i in shown), int(rng.integers(2**31)),
                choose_framing(rng, heads, len(things)), rng.random() < 0.12)  # fmt: skip


def choose_framing(rng: Rng, heads: int, things: int) -> str:
    """Choose how large people are drawn: smaller if there is more to show."""
    if heads > 2 or (heads == 2 and things):
        return str(rng.choice(("mid", "far"), p=(0.6, 0.4)))
    return str(rng.choice(("close", "mid", "far"), p=(0.3, 0.45, 0.25)))


def draw_picture(
    spec: PictureSpec, scale: float = 1.0, supersample: int = 2
) -> tuple[Image.Image, PictureTruth]:
    """Draw a picture.

    Parameters
    ----------
    spec : PictureSpec
        The content. The same specification gives the same pixels.
    scale : float
        1.0 gives 640 x 480 (480 x 640 if `spec.upright`).
    supersample : int
        Antialiasing factor; 1 is fast, and enough if the picture is reduced afterwards.

    Returns
    -------
    image : PIL.Image.Image
        RGB.
    truth : PictureTruth
        Boxes and landmarks are in pixels of `image`.
    """
    rng = np.random.default_rng(spec.seed)
    size = (SHORT, LONG) if spec.upright else (LONG, SHORT)
    canvas = Canvas(*size, scale, supersample)
    stage = SCENES[spec.scene](canvas, rng, spec.time)
    light = np.array(FRONT_LIGHT[spec.time]) * rng.uniform(0.92, 1.06) * rng.uniform(0.97, 1.03, 3)
    if spec.scene == "party":  # lamps are lit indoors
        light = np.sqrt(light)
    canvas.light = tuple(float(v) for v in light)
    heads = _choose_head_sizes(rng, spec)
    heights = [_choose_thing_height(rng, kind, spec) for kind, _ in spec.things]
    widths = [3.1 * r for r in heads] + [
        h * THINGS[k].aspect for h, (k, _) in zip(heights, spec.things, strict=True)
    ]
    centres = _spread_centres(rng, widths, canvas.w)
    things = [
        _draw_thing(canvas, rng, stage, kind, colour, x, height)
        for (kind, colour), x, height in zip(spec.things, centres[len(heads) :], heights, strict=True)
    ]
    people = _draw_people(canvas, rng, stage, spec, heads, centres[: len(heads)])
    image = canvas.finish(rng, rng.uniform(2, 5), rng.uniform(-0.04, 0.04), rng.uniform(0.93, 1.06))
    for item in things + people:
        item["box"] = _clip_box(item["box"], scale, image.size)
    for person in people:
        person["landmarks"] = (np.array(person["landmarks"]) * scale).round(2).tolist()
    return image, PictureTruth(spec.scene, spec.time, things, people)


def _clip_box(box: Box, scale: float, size: tuple[int, int]) -> list[float]:
    limits = (size[0], size[1], size[0], size[1])
    return [round(float(min(max(v * scale, 0), limit)), 2) for v, limit in zip(box, limits, strict=True)]


def _choose_head_sizes(rng: Rng, spec: PictureSpec) -> list[float]:
    low, high = {"close": (0.125, 0.19), "mid": (0.062, 0.10), "far": (0.036, 0.058)}[spec.framing]
    if len(spec.people) > 1 and spec.framing == "close":
        high = 0.145
    base = rng.uniform(low, high) * SHORT
    if len(spec.people) * 3.1 * base > SHORT:
        base = SHORT / len(spec.people) / 3.1
    return [base * rng.uniform(0.92, 1.06) for _ in spec.people]


def _choose_thing_height(rng: Rng, kind: str, spec: PictureSpec) -> float:
    """Choose a third to half of the picture's height, or less if a wide thing has to share the width."""
    thing = THINGS[kind]
    height = rng.uniform(0.36, 0.50) * SHORT * thing.size
    room = (SHORT if spec.upright else LONG) * (0.62 if len(spec.things) + len(spec.people) < 3 else 0.46)
    return min(height, room / thing.aspect)


def _spread_centres(rng: Rng, widths: list[float], total: float) -> list[float]:
    """Spread centres over the width in random order; without enough room, all overlap equally."""
    if not widths:
        return []
    order = rng.permutation(len(widths))
    spare = total - sum(widths)
    gaps = rng.dirichlet(np.ones(len(widths) + 1)) * spare if spare > 0 else np.zeros(len(widths) + 1)
    squeeze = 1.0 if spare > 0 else total / sum(widths)
    centres, x = [0.0] * len(widths), 0.0
    for place, index in enumerate(order):
        x += gaps[place]
        centres[index] = x + widths[index] * squeeze / 2
        x += widths[index] * squeeze
    return centres


def _draw_thing(
    canvas: Canvas, rng: Rng, stage: Stage, kind: str, colour: str, x: float, height: float
) -> dict:
    thing = THINGS[kind]
    half = height * thing.aspect / 2
    x = float(np.clip(x, half + 3, max(half + 3, canvas.w - half - 3)))
    if thing.where == "air":
        top = rng.uniform(6, max(8.0, stage.air[1] - height * 0.5))
        foot = min(top + height, canvas.h - 8)
    else:
        low, high = stage.water if thing.where == "water" and stage.water else stage.ground
        foot = max(rng.uniform(low, high), height + 6)
        canvas.glow(x, foot, half * 1.1, height * 0.07, (20, 18, 34), 110)
    lean = rng.normal(0, 0.10) if thing.where == "air" else rng.normal(0, 0.02)
    pen = Pen(canvas, x, foot, height, float(lean), bool(rng.random() < 0.5))
    thing.draw(pen, PAINTS[colour])
    return {"kind": kind, "colour": colour, "box": pen.compute_box()}


def _draw_people(
    canvas: Canvas,
    rng: Rng,
    stage: Stage,
    spec: PictureSpec,
    heads: list[float],
    centres: list[float],
) -> list[dict]:
    shown = []
    for person, r, x in sorted(zip(spec.people, heads, centres, strict=True), key=lambda item: item[1]):
        mood, outfit = choose_mood(rng), choose_outfit(rng, alone=len(spec.people) == 1)
        x = float(np.clip(x, 1.5 * r, canvas.w - 1.5 * r))
        if spec.framing == "far":
            y = rng.uniform(*stage.ground) - FEET * r
            canvas.glow(x, y + FEET * r, 1.5 * r, 0.3 * r, (20, 18, 34), 120)
        elif spec.framing == "mid":
            y = canvas.h * rng.uniform(0.96, 1.16) - FEET * r
        else:
            y = canvas.h * rng.uniform(0.42, 0.54)
        y = float(np.clip(y, 1.75 * r, canvas.h - 1.3 * r))
        box, landmarks = draw_person(canvas, x, y, r, person.identity, mood, outfit)
        shown.append({"name": person.name, "box": box, "landmarks": landmarks.tolist()})
    return shown
