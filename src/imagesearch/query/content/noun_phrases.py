"""Words that decide where a noun phrase of a caption ends, and which phrases a conjunction joins."""

from __future__ import annotations

from collections.abc import Sequence

from imagesearch.query.lexicon import ADJECTIVES, EMPTY, NOUNS, NOUNS_IN_ING, split_set

DETERMINERS = split_set(
    "a an the one two three four five six seven eight nine ten some several many few another my our his her "
    "their this that these those"
)
ANDS = split_set("and & + plus")
ORS = split_set("or nor /")
CONJUNCTIONS = ANDS | ORS
# Prepositions that can lead to the scene of a photo. "of" and "for" stay within a phrase.
SCENE_LEADS = split_set(
    "on in at near by under during inside outside beside behind over along through around across above "
    "below among beneath from against between before after beyond upon within while when where"
)
# Words that describe the next word, so that "and" after one of them joins no two things.
DESCRIBING = ADJECTIVES | split_set(
    "red green blue yellow orange pink purple brown black white grey gray gold golden silver beige turquoise "
    "big large small little tiny huge tall short long wide narrow new old young light dark bright cold hot "
    "warm cool wet dry fresh high low deep clean dirty empty full fast slow soft hard rough smooth sweet "
    "sour salty spicy beautiful pretty ugly cute funny angry sad tired quiet loud calm cloudy foggy round "
    "square flat wooden stone striped curly blonde tropical rural urban modern ancient famous local public "
    "private northern southern eastern western indoor outdoor male female adult male single double several "
    "many few one two three four five six seven eight nine ten very more less"
)
# Two words with a conjunction that are one thing. Either order.
_PAIRS = """
black white, salt pepper, fish chips, bread butter, rock roll, mac cheese, macaroni cheese, bed breakfast,
thunder lightning, cup saucer, bow arrow, bride groom, butter jelly, butter jam, bacon eggs, ham eggs,
ham cheese, hide seek, skull crossbones, skull bones, stars stripes, gin tonic, arts crafts, arts craft,
knife fork, nuts bolts, hammer sickle, tom jerry, horse carriage, horse cart, horse buggy, beauty beast,
bangers mash, rice beans, rice peas, cheese wine, milk cookies, cookies cream, strawberries cream,
meat potatoes, pen paper, bits pieces, odds ends, trick treat, rain shine, life death, war peace, law order,
lost found, needle thread, cat mouse, cops robbers, ladies gentlemen, mix match, surf turf, smoke mirrors,
hugs kisses, oil vinegar, pins needles, snakes ladders, dungeons dragons, soap water, hook eye, cream sugar,
vinegar salt, burger fries, pots pans, dead alive
"""
_FIXED_PAIRS = frozenset(frozenset(pair.split()) for pair in _PAIRS.split(","))
_BARE_NOUNS = NOUNS - DESCRIBING


def is_fixed_pair(left: str, right: str) -> bool:
    """Whether two words with a conjunction between them are one thing: "fish and chips"."""
    return frozenset((left, right)) in _FIXED_PAIRS


def is_noun(word: str) -> bool:
    """Whether a word is one of the everyday nouns; verb forms and adjectives are not."""
    return word in _BARE_NOUNS and (not word.endswith("ing") or word in NOUNS_IN_ING)


def has_content(words: Sequence[str]) -> bool:
    """Whether a phrase has a word that describes something."""
    return any(word not in EMPTY and any(map(str.isalnum, word)) for word in words)
