"""Drawing: scenes, things and people in vector shapes, and the truth about where everything is."""

from imagesearch_demo.drawing.canvas import Canvas, clear
from imagesearch_demo.drawing.figures import draw_person, random_mood, random_outfit
from imagesearch_demo.drawing.people import CAST, Identity, Person, random_identity, sibling, strangers
from imagesearch_demo.drawing.picture import (
    Spec,
    Truth,
    draw_picture,
    fits,
    random_framing,
    random_spec,
    random_things,
)
from imagesearch_demo.drawing.scenes import SCENES
from imagesearch_demo.drawing.sky import BACK_LIGHT, FRONT_LIGHT, SKIES, TIMES
from imagesearch_demo.drawing.things import PAINTS, THINGS

__all__ = [
    "BACK_LIGHT",
    "CAST",
    "FRONT_LIGHT",
    "PAINTS",
    "SCENES",
    "SKIES",
    "THINGS",
    "TIMES",
    "Canvas",
    "Identity",
    "Person",
    "Spec",
    "Truth",
    "clear",
    "draw_person",
    "draw_picture",
    "fits",
    "random_framing",
    "random_identity",
    "random_mood",
    "random_outfit",
    "random_spec",
    "random_things",
    "sibling",
    "strangers",
]
