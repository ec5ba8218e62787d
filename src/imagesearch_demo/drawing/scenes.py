"""The twelve scenes by name: what a picture's background may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imagesearch_demo.drawing import scenes_nature, scenes_town
from imagesearch_demo.drawing.canvas import Canvas
from imagesearch_demo.drawing.sky import Stage

SCENES: dict[str, Callable[[Canvas, np.random.Generator, str], Stage]] = {
    "beach": scenes_nature.beach,
    "city": scenes_town.city,
    "desert": scenes_nature.desert,
    "forest": scenes_nature.forest,
    "harbour": scenes_town.harbour,
    "lake": scenes_nature.lake,
    "meadow": scenes_nature.meadow,
    "mountains": scenes_nature.mountains,
    "party": scenes_town.party,
    "savanna": scenes_nature.savanna,
    "snow": scenes_nature.snow,
    "street": scenes_town.street,
}
