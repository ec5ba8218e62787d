"""Which words are English, by the table ``english_words.tsv``: 90,000 words of SCOWL and their plurals.

Rare words that are also first names, such as maya, are not among them.

``scripts/data/make_words.py`` makes the table, ``english_words.LICENSE.txt`` has its licence. It is read when
the first word is looked up that no list of `lexicon` has.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from imagesearch.query.lexicon import COMMON, split_set
from imagesearch.text import find_sorted_line

_TABLE = Path(__file__).with_name("english_words.tsv")
# Proper names that are neither people nor in the table of places: feasts, brands, sights, languages.
_PROPER = split_set("""
adidas airbus aldi alexa alps amazon android apple arabic arsenal asian asia audi african africa american
america bayern bavaria barbie batman bentley bengali bible big bluetooth bmw boeing bollywood brexit british
broadway buddha buddhist burj byzantine canadian canon caribbean catholic celtic chevrolet chinese christian
christmas claus cocacola coke colosseum cypriot czech danish diwali disney disneyland dropbox ducati dutch
easter egyptian eid eiffel english esso euro europe european everest facebook fanta ferrari fiat finnish ford
french fuji fujifilm gameboy german ghibli gmail google gopro gothic greek halloween hanukkah harley
hasselblad heineken hello hindi hindu hollywood holi hogwarts honda huawei hyundai ikea imax indian instagram
insta iphone ipad irish islamic israeli italian jaguar japanese jedi jeep jewish kawasaki khalifa kia kindle
kinder kodak korean kremlin lamborghini latin latino lego leica lexus linkedin londoner louvre macbook mardi
marvel maserati mazda mcdonald mcdonalds mediterranean mercedes mexican microsoft mickey minecraft minolta
mitsubishi mona monopoly mormon moroccan moscow moslem muslim navratri netflix nike nikon nintendo nissan
nokia norse norwegian notre dame nutella olympic olympics olympus opel pacific atlantic panasonic pepsi
peruvian peugeot playmobil playstation pokemon polish polaroid porsche portuguese pride puma quran ramadan
rapunzel renault rolex roman romanian russian sagrada samsung santa saturn jupiter scandinavian scottish
sigma skoda skype smart snapchat snoopy sony spanish spiderman spotify starbucks subaru superman sushi suzuki
swedish swiss taj mahal tamil tesla thai thanksgiving tiktok titanic toblerone toyota trevi tupperware
turkish twitter ubuntu ukrainian unesco valentine valentines velcro vespa victorian vietnamese viking vikings
volkswagen volvo vw walmart welsh whatsapp wifi wii windows xbox xmas yamaha yiddish youtube zara zeppelin zen
zoom zumba nyc usa uk uae dslr gps jpg jpeg png heic pdf selfies hdr bbq atm suv rv dj tv cd dvd vip diy
""")


def find_word_level(word: str) -> Literal["everyday", "rare", ""]:
    """Return how common an English word is, given in lower case; empty if it is no English word."""
    if word in _PROPER or (word in COMMON and not word.endswith("es")):  # COMMON has invented plurals too
        return "everyday"
    level = _find_in_table(word)
    if not level and len(word) > 4 and word.endswith("s") and not word.endswith("ss"):
        level = _find_in_table(word[:-1])
    return level


def is_everyday(word: str) -> bool:
    """Whether a word of a sentence is everyday English, or too short to be anything else."""
    return len(word) < 3 or find_word_level(word) == "everyday"


@functools.lru_cache(maxsize=8192)
def _find_in_table(word: str) -> Literal["everyday", "rare", ""]:
    """Find the line of a word; those of rare words end with ``-``."""
    rest = find_sorted_line(_load_table(), word.encode())
    return "" if rest is None else "rare" if rest else "everyday"


@functools.cache
def _load_table() -> bytes:
    return _TABLE.read_bytes()
