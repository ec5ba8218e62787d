"""Phrases that are replaced next to a name or a number: "anyone other than" becomes "without"."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

from imagesearch.geo import MAX_REGION_WORDS, REGION_WORDS, find_region
from imagesearch.query.clauses import NUMBER_WORDS
from imagesearch.query.gazetteer import Gazetteer, KnownNames
from imagesearch.query.lexicon import COMMON, PHOTOS
from imagesearch.query.times.slots import MONTH_NAMES
from imagesearch.query.tokenizer import Sentence, Token

_PHOTOS = "|".join(sorted(PHOTOS))
_NOBODY = "(?:nobody|no one|noone|none)"
_ANYBODY = r"(?:(?:every|any|some)(?:one|body|thing))"
_OTHER = "(?:other than|apart from|aside from)"
_NOT = "(?:(?:do|does|did) not|dont|doesnt|didnt)"
_HAS = "(?:show|have|has|include|contain|feature|want|like)"
_HIDE = "(?:exclude|hide|omit|skip|remove|leave out)"
_OF = "(?:of|with|from|in|at|showing|where)"
_MARKS = r"[?!,()\[\]{}]"

# Replaced before the name of a person or a place, a month or a year.
_TO_NAME = [
    (rf"{_NOBODY}(?: else)? (?:but|except|besides|{_OTHER})", "only"),
    (rf"(?:any|every|some)where (?:else )?(?:but|except|{_OTHER})(?: in)?", "not in"),
    (rf"(?:{_ANYBODY}(?: else)? )?{_OTHER}|{_ANYBODY} (?:else )?(?:but|except)(?: for)?", "without"),
    ("rather than|instead of|w / o|without any", "without"),
    ("w /", "with"),
    (rf"{_HIDE}(?: (?:all|any|the|my))*(?: (?:{_PHOTOS}) {_OF})?", "without"),
    (rf"(?:(?:which|that|who|where) )?{_NOT} {_HAS}(?: me)?(?: any)?(?: (?:{_PHOTOS}) {_OF})?", "without"),
    (rf"(?:no|not|without)(?: (?:any|an?|the))? (?:{_PHOTOS}) {_OF}", "without"),
    (
        rf"(?:except|excluding|minus|without|but not|not)(?: for)?(?: the| all)? (?:those|ones|{_PHOTOS})"
        r"(?: taken)? (?:from|in|at|of|with)",
        "without",
    ),
    ("not (?:only|just|merely)", ""),
    (rf"(?:{_MARKS} ){{0,4}}(?P<as>or|and)(?: (?:maybe|perhaps|possibly|else))?(?: [(\[{{]){{0,4}}", "{as}"),
]  # fmt: skip
# Replaced after the name of a person.
_AFTER_PERSON = [
    (
        "(?:(?:is|was|are|were) )?not alone|(?:, )?(?:and|with|plus) "
        "(?:some(?:one|body)(?: else)?|(?:some )?others|(?:some )?(?:other|more) people|company|"
        "another (?:person|one)|(?:at least )?one more(?: person)?|at least one other(?: person)?)",
        "with at least one other person",
    ),
]  # fmt: skip
# Removed after the name of a person; *without* is inserted before the name.
ABSENT = re.compile(
    r"(?:(?:is|are) (?:not|missing|absent)|isnt|arent|(?:does|do) not appear|(?:doesnt|dont) appear)"
    r"(?: (?:there|in it|in them|visible|around))?(?= [^a-z]|$)"
)
# Replaced before a number.
_TO_COUNT = [("not (?:fewer|less) than", "at least"), ("not (?:at most|up to|only|just)", "more than")]
# Replaced anywhere; the patterns include the words after the phrase.
_TO_PHOTOS = [
    ("not (?:taken|shot|made)(?= (?:in|at|on|during|before|after|since|near) )", "not"),
    (
        rf"{_HIDE}(?: (?:all|any|the|my))*"
        rf"(?= (?:screen ?shots?|panoramas?|group (?:{_PHOTOS})|unrated)(?: |$))",
        "without",
    ),
    (rf"(?:the |my |our )?all(?= (?:{_PHOTOS})(?: (?:of|from|with|in|at|taken)|$))", ""),
]
# Replaced if the vocabulary has the country.
COUNTRIES = (
    (
        re.compile(r"the (?:usa?|u \. s \.(?: a \.)?|states)(?= |$)|us(?= |$)|u \. s \.(?= |$)"),
        "united states",
    ),
    (re.compile(r"the (?:uk|u \. k \.)(?= |$)"), "united kingdom"),
)
# Two to four letters with dots: "d.c."
INITIALS = re.compile(r"[a-z] \. [a-z](?: \. [a-z]){0,2}(?: \.)?(?= |$)")

_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(rf"\d+|{'|'.join(NUMBER_WORDS[1:])}")


def is_name(tokens: Sequence[Token], i: int, names: KnownNames) -> bool:
    """Whether a person, place, month or year is named at a token, possibly after *in* or *the*."""
    while i < len(tokens) - 1 and tokens[i].norm in ("in", "at", "from", "the"):
        i += 1
    if i >= len(tokens):
        return False
    token = tokens[i]
    if token.kind == "prefix":
        return token.norm in ("person", "place")
    if token.norm in MONTH_NAMES or _YEAR.fullmatch(token.norm):
        return True
    if names.people.match_exact(tokens, i) is not None:
        return True
    place = names.places.match_exact(tokens, i)
    if place is not None:
        return token.norm not in COMMON or place.end > i + 1
    words = [token.norm for token in tokens[i : i + MAX_REGION_WORDS]]
    counts = range(len(words), 0, -1) if token.norm in REGION_WORDS else ()
    return any(find_region(words[:count]) for count in counts)


def find_person_ending_at(tokens: Sequence[Token], end: int, people: Gazetteer) -> int | None:
    """Return the start of a person's name that ends directly before a position; None if there is none."""
    for start in range(max(0, end - 4), end):
        match = people.match_exact(tokens, start)
        if match is not None and match.end == end:
            return start
    return None


# Whether a phrase from one position to another is in the context that its rule requires.
_Condition = Callable[[Sentence, int, int, KnownNames], bool]


def _precedes_name(sentence: Sentence, start: int, end: int, names: KnownNames) -> bool:
    return is_name(sentence.tokens, end, names)


def _follows_person(sentence: Sentence, start: int, end: int, names: KnownNames) -> bool:
    return find_person_ending_at(sentence.tokens, start, names.people) is not None


def _precedes_number(sentence: Sentence, start: int, end: int, names: KnownNames) -> bool:
    return _NUMBER.match(sentence.text, sentence.starts[end]) is not None


def _is_anywhere(sentence: Sentence, start: int, end: int, names: KnownNames) -> bool:
    return True


_RULES: list[tuple[str, str, _Condition]] = [
    (rf"(?:{text})(?= |$)", replacement, applies)
    for rules, applies in (
        (_TO_NAME, _precedes_name),
        (_AFTER_PERSON, _follows_person),
        (_TO_COUNT, _precedes_number),
        (_TO_PHOTOS, _is_anywhere),
    )
    for text, replacement in rules
]
# Matches wherever a rule may match. One match excludes most words.
ANY_PHRASE = re.compile("|".join(text for text, _, _ in _RULES))


@functools.cache
def compile_phrase_rules() -> list[tuple[re.Pattern[str], str, _Condition]]:
    """Return the rules, compiled at the first sentence that has one of their phrases."""
    return [(re.compile(text), replacement, applies) for text, replacement, applies in _RULES]
