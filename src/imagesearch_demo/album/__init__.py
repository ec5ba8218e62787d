"""The drawn album: journeys of a few friends as photos with EXIF, and the truth about them beside it."""

from imagesearch_demo.album.captions import (
    SCENE_NOUNS,
    SCENE_PLACES,
    THING_WORDS,
    TIME_WORDS,
    Caption,
    facts_of,
    matches,
    near_miss,
    nonsense,
    pointed_caption,
    random_caption,
    thing_phrase,
)
from imagesearch_demo.album.truth_file import load_truth
from imagesearch_demo.album.writer import ABSENT, make_album, truth_path

__all__ = [
    "ABSENT",
    "SCENE_NOUNS",
    "SCENE_PLACES",
    "THING_WORDS",
    "TIME_WORDS",
    "Caption",
    "facts_of",
    "load_truth",
    "make_album",
    "matches",
    "near_miss",
    "nonsense",
    "pointed_caption",
    "random_caption",
    "thing_phrase",
    "truth_path",
]
