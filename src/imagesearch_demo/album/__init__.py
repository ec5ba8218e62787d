"""The drawn album: journeys of a few friends as photos with EXIF, and the truth about them beside it."""

from imagesearch_demo.album.captions import (
    SCENE_NOUNS,
    SCENE_PLACES,
    THING_WORDS,
    TIME_WORDS,
    Caption,
    is_true,
    list_facts,
    make_near_miss,
    make_nonsense,
    make_pointed_caption,
    make_random_caption,
    make_thing_phrase,
)
from imagesearch_demo.album.truth_file import load_truth
from imagesearch_demo.album.writer import ABSENT, get_truth_path, make_album

__all__ = [
    "ABSENT",
    "SCENE_NOUNS",
    "SCENE_PLACES",
    "THING_WORDS",
    "TIME_WORDS",
    "Caption",
    "get_truth_path",
    "is_true",
    "list_facts",
    "load_truth",
    "make_album",
    "make_near_miss",
    "make_nonsense",
    "make_pointed_caption",
    "make_random_caption",
    "make_thing_phrase",
]
