"""Light and weather: the sky of day, sunset and night, and the light of each on the scene."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch_demo.drawing.canvas import Canvas, Colour, Light, clear, mix
from imagesearch_demo.drawing.randomness import Rng

TIMES = ("day", "sunset", "night")

# Colour factors for the background, and for the things and people in front. The front is lighter at night, as
# with lamps or a flash, because the colours of things must be recognisable.
BACK_LIGHT: dict[str, Light] = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (0.98, 0.78, 0.66),
    "night": (0.27, 0.33, 0.55),
}
FRONT_LIGHT: dict[str, Light] = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.89, 0.80),
    "night": (0.70, 0.73, 0.86),
}

SKIES: dict[str, tuple[tuple[Colour, ...], ...]] = {
    "day": (
        ((64, 140, 214), (132, 192, 236), (206, 232, 246)),
        ((52, 120, 200), (120, 178, 230), (222, 236, 240)),
        ((98, 160, 214), (158, 202, 230), (226, 238, 240)),
    ),
    "sunset": (
        ((70, 66, 128), (212, 104, 104), (250, 168, 96), (255, 220, 150)),
        ((92, 78, 140), (232, 128, 120), (255, 188, 120), (255, 226, 170)),
        ((52, 60, 118), (160, 88, 124), (244, 134, 84), (255, 198, 110)),
    ),
    "night": (
        ((6, 10, 32), (16, 26, 66), (40, 56, 104)),
        ((8, 8, 28), (22, 24, 62), (52, 50, 96)),
        ((4, 12, 34), (12, 34, 72), (34, 66, 108)),
    ),
}


@dataclass(frozen=True)
class Stage:
    """Where things and people can be placed in a scene, in picture units (y grows downwards).

    Attributes
    ----------
    ground : tuple of float
        Range of heights for feet, from far to near.
    air : tuple of float
        Range of heights for things in the air.
    water : tuple of float or None
        Range of heights for the hull of a boat; None if there is no water.
    """

    ground: tuple[float, float]
    air: tuple[float, float]
    water: tuple[float, float] | None = None


def draw_sky(c: Canvas, rng: Rng, time: str, horizon: float, clouds: bool = True) -> None:
    """Fill the sky down to `horizon`: gradient, sun or moon, stars, clouds."""
    stops = SKIES[time][rng.integers(len(SKIES[time]))]
    c.light = (1.0, 1.0, 1.0)
    c.fill_gradient(0, horizon + 2, stops)
    c.fill_gradient(horizon, c.h, stops[-1:] * 2)
    sun_x = rng.uniform(0.15, 0.85) * c.w
    if time == "night":
        _draw_stars(c, rng, horizon)
        if rng.random() < 0.7:
            _draw_moon(c, sun_x, rng.uniform(0.12, 0.3) * horizon, rng.uniform(13, 19))
    elif time == "sunset":
        y = horizon * rng.uniform(0.70, 0.88)
        c.glow(sun_x, y, 190, 120, (255, 214, 140), 90)
        c.glow(sun_x, y, 70, 64, (255, 236, 190), 120)
        c.ellipse(sun_x, y, 27, 27, (255, 246, 214))
    elif rng.random() < 0.6:
        y = horizon * rng.uniform(0.14, 0.3)
        c.glow(sun_x, y, 100, 100, (255, 252, 226), 90)
        c.ellipse(sun_x, y, 21, 21, (255, 253, 236))
    if clouds:
        _draw_clouds(c, rng, time, horizon)
    c.light = BACK_LIGHT[time]


def _draw_stars(c: Canvas, rng: Rng, horizon: float) -> None:
    for x, y, r in rng.random((90, 3)):
        size = 0.5 + 1.1 * r * r
        c.ellipse(x * c.w, y * y * horizon, size, size, (255, 252, 236, round(90 + 150 * r)))


def _draw_moon(c: Canvas, x: float, y: float, r: float) -> None:
    c.glow(x, y, 4 * r, 4 * r, (214, 224, 255), 60)
    c.ellipse(x, y, r, r, (246, 244, 226))
    c.ellipse(x - 0.3 * r, y - 0.2 * r, 0.22 * r, 0.2 * r, (226, 224, 206))
    c.ellipse(x + 0.35 * r, y + 0.3 * r, 0.16 * r, 0.15 * r, (228, 226, 208))


def _draw_clouds(c: Canvas, rng: Rng, time: str, horizon: float) -> None:
    body = {"day": (255, 255, 255), "sunset": (255, 190, 168), "night": (92, 104, 150)}[time]
    belly = mix(body, {"day": (150, 176, 206), "sunset": (150, 84, 116), "night": (20, 26, 60)}[time], 0.5)
    alpha = {"day": 120, "sunset": 84, "night": 42}[time]
    for _ in range(rng.integers(1, 5)):
        x, y = rng.uniform(0, c.w), rng.uniform(0.08, 0.62) * horizon
        size = rng.uniform(18, 40) * (0.5 + 0.6 * (1 - y / horizon))
        for dx in rng.normal(0, 1.5, 7):
            r = size * rng.uniform(0.5, 1.0) / (1 + 0.25 * abs(dx))
            c.ellipse(x + dx * size, y + 0.22 * r, 1.5 * r, 0.5 * r, clear(belly, alpha // 3))
            c.ellipse(x + dx * size, y - 0.12 * r, 1.35 * r, 0.5 * r, clear(body, alpha // 2))


def draw_lamp(
    c: Canvas, x: float, y: float, r: float, colour: Colour = (255, 222, 150), alpha: int = 90
) -> None:
    """Draw a lit lamp or window with a halo of radius `r`; the light of the scene does not change it."""
    light, c.light = c.light, (1.0, 1.0, 1.0)
    c.glow(x, y, r, r, colour, alpha)
    c.ellipse(x, y, r * 0.16, r * 0.16, mix(colour, (255, 255, 255), 0.6))
    c.light = light
