"""Drawn pictures: scenes, things and people in vector shapes, with the ground truth of where everything is.

Start with `draw_picture`: it takes a `PictureSpec` and returns the image and its `PictureTruth`. The same
specification gives the same pixels. The ``choose_*`` functions make random specifications. `CAST` has the
people of the demo, `make_strangers` makes others. This room does not import the other rooms of the demo.
"""

from imagesearch_demo.drawing.canvas import Canvas, clear
from imagesearch_demo.drawing.identities import (
    CAST,
    CastMember,
    Identity,
    choose_identity,
    make_sibling,
    make_strangers,
)
from imagesearch_demo.drawing.people import choose_mood, choose_outfit, draw_person
from imagesearch_demo.drawing.picture import (
    PictureSpec,
    PictureTruth,
    can_show,
    choose_framing,
    choose_spec,
    choose_things,
    draw_picture,
)
from imagesearch_demo.drawing.process_pool import map_in_processes
from imagesearch_demo.drawing.randomness import Rng, pick_option
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
    "CastMember",
    "Identity",
    "PictureSpec",
    "PictureTruth",
    "Rng",
    "can_show",
    "choose_framing",
    "choose_identity",
    "choose_mood",
    "choose_outfit",
    "choose_spec",
    "choose_things",
    "clear",
    "draw_person",
    "draw_picture",
    "make_sibling",
    "make_strangers",
    "map_in_processes",
    "pick_option",
]
