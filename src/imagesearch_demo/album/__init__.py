"""Makes the drawn album: journeys of a few friends as photos with EXIF, and the truth about them beside it.

Stands on the drawing. Knows the truth file, and what captions can say about a picture.
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
