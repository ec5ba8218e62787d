"""Which words are first names of people: by the table ``first_names.tsv``, and of those that are words too.

``scripts/data/make_words.py`` makes the table. It is read when the first unknown word is looked up.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from imagesearch.query.lexicon import split_set
from imagesearch.text import find_sorted_line

_TABLE = Path(__file__).with_name("first_names.tsv")
# English words that are names wherever a name is expected: "tom in goa".
_USUALLY_NAMES = split_set("""
alexa barb ben bernie bill billy bob bobby brad carol chad charlie chuck colleen dan dolly don donna earl ed
eddy eve fanny frank fred gene glen hank harry homer jack jackie jake jane jen jerry jill jim jimmy joe john
josh kate ken kylie larry lee lilly lou maria martin mary matt meg mickey mike mona nick noel pam pat patsy
patty penny pete peter phil phoebe randy rhea rick rob roger ron rosie sally sam sherry steve sue tad ted
terry tim toby tom tommy tony troy victor zack
""")
# These are names if they are capitalized, or next to another name: "Mark on a bike", "anna and mark".
_OFTEN_NAMES = split_set("""
angelic beau beryl brandy brook brooks buck bud buddy carmen carmine chance chase christian clement cliff coy
curt dale dean derrick dick dirk drew duke ebony eddy emery ernest esther faith foster freeman garland garnet
grace grant guy harley hazel hector hope hunter israel jade jarred jasper jay jewel joy junior kit lance lane
laurel luther marina mark marlin mason max melody mercedes mercy merry miles norm olive page perry piper
porter prudence ray rich rocky rod roman rusty sandy savannah scarlet sol sonny sterling stormy tanner
trinity valentine viola wade walker ward warren will
""")
# So are these in the middle of a sentence: the first word of a caption is often capitalized.
_THINGS = split_set("""
amber angel april art august aurora autumn basil blossom candy cherry clay coral crystal dahlia daisy dawn
destiny diamond dove easter emerald fern flora forest ginger glory harmony heath heather heaven herb honey
ice india iris ivory ivy jasmine june lily lotus love magnolia maple marble may misty moon myrtle olympia
opal page pansy patience peach pearl poppy raven reed river robin rose rosemary rosy ruby saffron sage sierra
silver skye star storm summer sunny sunshine swan velvet violet viva willow winter wren
""")

NameKind = Literal["name", "often", "thing", ""]


def find_name_kind(word: str) -> NameKind:
    """Return which kind of first name an English word in lower case is; empty if it is none."""
    if word in _USUALLY_NAMES:
        return "name"
    if word in _OFTEN_NAMES:
        return "often"
    return "thing" if word in _THINGS else ""


def is_first_name(word: str) -> bool:
    """Whether a normalized word is a first name."""
    return word in _USUALLY_NAMES or (
        word.isascii() and find_sorted_line(_load_table(), word.encode()) is not None
    )


@functools.lru_cache(maxsize=1024)
def is_like_first_name(word: str) -> bool:
    """Whether a normalized word is a first name, or differs from one by one typing error."""
    if is_first_name(word):
        return True
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    names = [name for name in _load_table().decode().split() if abs(len(name) - len(word)) < 2]
    return len(word) > 3 and process.extractOne(word, names, scorer=OSA.distance, score_cutoff=1) is not None


@functools.cache
def _load_table() -> bytes:
    return _TABLE.read_bytes()
