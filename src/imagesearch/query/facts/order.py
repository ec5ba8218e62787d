"""Tags the order and number of photos that a sentence requests: "oldest photo", "the last three photos"."""

from __future__ import annotations

import re

from imagesearch.query.clauses import NUMBER_WORDS, PhotoOrder
from imagesearch.query.facts.rules import skip_photos
from imagesearch.query.lexicon import PHOTOS, split_set
from imagesearch.query.phrase_rewrites import is_name
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import Sentence, join_texts

_TRIGGERS = split_set(
    "oldest earliest first newest latest last recent final chronological chronologically sorted ordered sort "
    "order"
)
_COUNTS = {name: n for n, name in enumerate(NUMBER_WORDS) if n} | {
    "eleven": 11, "twelve": 12, "a dozen": 12, "dozen": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
    "fifty": 50, "a hundred": 100, "hundred": 100, "a couple of": 2, "couple of": 2, "couple": 2,
    "a few": 3, "few": 3,
}  # fmt: skip
_PHOTO = "|".join(sorted(PHOTOS))
# Nouns that stay in the caption, or have another tag.
_MOTIF = (
    "selfies?|portraits?|panoramas?|screen ?shots?|group (?:photos?|pictures?|selfies?)|videos?|"
    rf"(?:19|20)\d\d (?:{_PHOTO})"
)
_COUNT = rf"(?!(?:19|20)\d\d )\d{{1,4}}(?! (?:- )?stars? )|{'|'.join(sorted(_COUNTS, key=len, reverse=True))}"
_START = rf"(?:(?:the|my|our|his|her|their|your|all) )*(?:(?P<before>{_COUNT}) )?"
_SUPERLATIVE = re.compile(
    rf"{_START}(?:(?P<old>oldest|earliest|(?:very )?first(?: ever)?)|"
    r"(?P<new>newest|latest|(?:very )?last|(?:most |more )?recent|most recently|final)) "
    rf"(?:(?P<after>{_COUNT}) )?(?:(?:ever|known|available|taken) )?"
    rf"(?:(?P<noun>{_PHOTO}|ones?(?= of |$))(?: ever(?= |$))?(?= |$)|(?=(?P<motif>{_MOTIF})(?: |$)))"
)
# Other words may stand before the noun only after a number or a word that means nothing else: "latest beach
# photos" and "first 5 birthday photos", but not "first birthday photos".
_BEFORE_WORDS = re.compile(
    rf"{_START}(?:(?P<old>oldest|earliest|first(?= (?:{_COUNT}) ))|"
    rf"(?P<new>newest|latest|most recent|last(?= (?:{_COUNT}) )))(?: (?P<after>{_COUNT}))?"
    rf"(?=(?: (?!of |in |with |from |at )[^ ,\0]+){{1,3}} (?P<noun>{_PHOTO})(?: |$))"
)
_SORTED = re.compile(
    r"(?:(?:sort|sorted|order|ordered|listed|shown|with|by|from|the) )*"
    r"(?:(?P<old>oldest|earliest)|(?P<new>newest|latest|most recent|last|recent))"
    rf"(?: (?:{_PHOTO}|ones?))? (?:first|to (?:the )?(?:oldest|earliest|newest|latest|most recent))(?= |$)|"
    r"(?:starting|beginning) (?:with|from) (?:the )?"
    r"(?:(?P<old2>oldest|earliest)|newest|latest|most recent)(?= |$)|"
    r"(?:in )?(?P<old3>chronological(?:ly)?(?: order)?)(?= |$)|"
    r"(?:in )?reverse chronological(?:ly)?(?: order)?(?= |$)|(?:sort|order)(?:ed)? by (?:date|time)(?= |$)"
)
_ALONE = re.compile(
    r"(?:the )?(?:(?P<old>oldest|earliest)|(?P<new>newest|latest|most recent))(?= (?:of|from|in|with) |$)"
)
_NTH = re.compile(
    rf"(?:(?:the|my|our) )?(?:second|third|fourth|fifth|2nd|3rd|[4-9]th)(?: (?:to|-))? "
    rf"(?:oldest|earliest|newest|latest|last|most recent) (?:{_PHOTO})(?= |$)"
)


def may_have_order(sentence: Sentence) -> bool:
    """Whether a sentence has a word that orders have. Most have none, and need no further rule."""
    return any(token.norm in _TRIGGERS for token in sentence.tokens)


def tag_order(at: Position) -> Tag | None:
    """Tag an order, and the noun in it: "the three oldest photos", "newest first"."""
    if at.person or at.place:
        return None
    text, start = at.sentence.text, at.sentence.starts[at.i]
    if match := _SORTED.match(text, start):
        order = PhotoOrder(newest_first=not (match["old"] or match["old2"] or match["old3"]))
        return Tag(TaggedSpan("order", at.i, at.sentence.find_token(match.end() + 1), order=order))
    if match := _NTH.match(text, start):
        end = at.sentence.find_token(match.end() + 1)
        typed = join_texts(at.tokens[at.i : end])
        return Tag(TaggedSpan("ignored", at.i, end), not_understood=(typed,))
    if at.i == 0 and (match := _ALONE.match(text)):
        end = at.sentence.find_token(match.end() + 1)
        if end == len(at.tokens) or is_name(at.tokens, end + 1, at.names):
            return Tag(TaggedSpan("order", 0, end, order=PhotoOrder(match["new"] is not None, None)))
    match = _SUPERLATIVE.match(text, start) or _BEFORE_WORDS.match(text, start)
    if match is None:
        return None
    is_noun_part = match.re is _SUPERLATIVE and match["noun"] is not None
    end = at.sentence.find_token(match.start("noun") if is_noun_part else match.end())
    end = (skip_photos(at, end) if at.get_norm(end) in PHOTOS else end + 1) if is_noun_part else end
    end += is_noun_part and at.get_norm(end) == "ever"
    return Tag(TaggedSpan("order", at.i, end, order=PhotoOrder(match["new"] is not None, _count(match))))


def _count(match: re.Match[str]) -> int | None:
    """Return how many photos are requested: one, if the noun is singular."""
    count = match["before"] or match["after"]
    if count:
        return _COUNTS.get(count) or int(count) or None
    noun = match["noun"] or match["motif"]
    return None if noun.endswith("s") else 1
