"""The twelve scenes by name: the possible backgrounds of a picture."""

from __future__ import annotations

from collections.abc import Callable

from imagesearch_demo.drawing import scenes_nature, scenes_town
from imagesearch_demo.drawing.canvas import Canvas
from imagesearch_demo.drawing.randomness import Rng
from imagesearch_demo.drawing.sky import Stage

SCENES: dict[str, Callable[[Canvas, Rng, str], Stage]] = {
    "beach": scenes_nature.draw_beach,
    "city": scenes_town.draw_city,
    "desert": scenes_nature.draw_desert,
    "forest": scenes_nature.draw_forest,
    "harbour": scenes_town.draw_harbour,
    "lake": scenes_nature.draw_lake,
    "meadow": scenes_nature.draw_meadow,
    "mountains": scenes_nature.draw_mountains,
    "party": scenes_town.draw_party,
    "savanna": scenes_nature.draw_savanna,
    "snow": scenes_nature.draw_snow,
    "street": scenes_town.draw_street,
}
