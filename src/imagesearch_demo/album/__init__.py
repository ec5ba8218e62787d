"""The drawn album: photos of the journeys of a few friends, with EXIF metadata, and their ground truth.

Start with `make_album`, which plans and draws an album and writes the ground truth beside its folder;
`read_truth` reads it again. `load_truth` validates a file that a user gives. The format of the file is
described in `writer`.

A `Caption` claims facts about a picture. The ``make_*_caption`` functions make captions for training and
evaluation, and `match_captions` finds the pictures that they are true of.
"""

from imagesearch_demo.album.captions import (
    SCENE_NOUNS,
    SCENE_PLACES,
    THING_WORDS,
    TIME_WORDS,
    Caption,
    add_article,
    list_album_facts,
    list_facts,
    make_near_miss,
    make_nonsense_word,
    make_pointed_caption,
    make_random_caption,
    make_thing_phrase,
    match_captions,
)
from imagesearch_demo.album.truth_file import load_truth
from imagesearch_demo.album.writer import ABSENT_KINDS, get_truth_path, make_album, read_truth

__all__ = [
    "ABSENT_KINDS",
    "SCENE_NOUNS",
    "SCENE_PLACES",
    "THING_WORDS",
    "TIME_WORDS",
    "Caption",
    "add_article",
    "get_truth_path",
    "list_album_facts",
    "list_facts",
    "load_truth",
    "make_album",
    "make_near_miss",
    "make_nonsense_word",
    "make_pointed_caption",
    "make_random_caption",
    "make_thing_phrase",
    "match_captions",
    "read_truth",
]
