"""Tags what is known of photos, "5 star photos", "taken with an iphone", and builds their conditions."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from imagesearch.filters import Or
from imagesearch.query.clauses import PhotoFact
from imagesearch.query.facts.camera_phrases import read_camera_photos
from imagesearch.query.facts.phrases import (
    ANYWHERE,
    AT_PHRASE_END,
    BEFORE_NAMES,
    TRIGGERS,
    FoundFact,
    Rule,
    is_date,
    make_file_fact,
)
from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.lexicon import JOINERS, PHOTOS, PLACE_LEADS, split_set
from imagesearch.query.mentions import LEADS, Mention
from imagesearch.query.phrase_rewrites import is_name
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import Sentence

_LIST_WORDS = frozenset(("and", "or", ",", "&", "/", "the", "in"))
_ENDINGS = JOINERS | PLACE_LEADS | split_set(
    "of with by on taken shot made captured rated since before after without not that which please"
)  # fmt: skip
_CERTAIN_ENDINGS = split_set(
    "taken shot captured rated since before after without not that which where please selfie selfies group "
    "portrait landscape vertical horizontal square panorama panoramas panoramic screenshot screenshots "
    "geotagged added indexed imported uploaded"
)
_SHOWING = re.compile(r"(?:(?:that|which) shows?|showing)(?= )")


@functools.cache
def _compile_rules() -> list[tuple[re.Pattern[str], Rule, str]]:
    """Return the rules, compiled at the first sentence that may have facts."""
    return [
        (re.compile(rf"(?:{pattern})(?= |$)"), rule, followed_by)
        for rules, followed_by in ((ANYWHERE, "any"), (BEFORE_NAMES, "names"), (AT_PHRASE_END, "ending"))
        for pattern, rule in rules
    ]


def may_have_facts(sentence: Sentence, names: KnownNames) -> bool:
    """Whether a sentence has a word that facts have. Most have none, and need no further rule."""
    words = {token.norm for token in sentence.tokens}
    has_word = not (TRIGGERS.isdisjoint(words) and names.cameras.words.isdisjoint(words))
    return has_word or "\0" in sentence.text  # a null character may be a file name


def tag_fact(at: Position) -> Tag | None:
    """Tag a fact, unless a name is as long."""
    for pattern, rule, followed_by in _compile_rules():
        match = pattern.match(at.sentence.text, at.sentence.starts[at.i])
        found = match and rule(at, match)
        if match is None or found is None:
            continue
        end = found.end or at.sentence.find_token(match.end() + 1)
        if followed_by == "any" or _ends_phrase(at, end, followed_by == "names"):
            return _make_tag(at, found, end)
    found_camera = read_camera_photos(at)
    return _make_tag(at, FoundFact(*found_camera), found_camera[1]) if found_camera else None


def _make_tag(at: Position, found: FoundFact, end: int) -> Tag | None:
    if any(name and name.end >= end for name in (at.person, at.place)):
        return None
    span = TaggedSpan("fact", at.i, skip_photos(at, end), fact=found.fact)
    return Tag(span, (found.note,) if found.note else ())


def tag_file(at: Position) -> Tag:
    """Tag a file name."""
    return Tag(TaggedSpan("fact", at.i, at.i + 1, fact=make_file_fact(at.token.text)))


def skip_photos(at: Position, end: int) -> int:
    """Return the position after "photos" and "photos that show", if these words follow."""
    if at.get_norm(end) not in PHOTOS:
        return end
    shows = _SHOWING.match(at.sentence.text, at.sentence.starts[end + 1])
    return at.sentence.find_token(shows.end() + 1) if shows else end + 1


def _ends_phrase(at: Position, end: int, precedes_name: bool) -> bool:
    """Whether the words up to a position do not describe the next word.

    Parameters
    ----------
    precedes_name
        Whether a preposition or a joiner must lead to a name.
    """
    if end >= len(at.tokens) or at.tokens[end].kind != "word":
        return True
    word = at.tokens[end].norm
    if word in PHOTOS or word in _CERTAIN_ENDINGS or word in at.names.cameras.words:
        return True
    if is_date(at, end):
        return True
    if word not in _ENDINGS:
        return is_name(at.tokens, end, at.names)
    return not precedes_name or is_name(at.tokens, end + 1, at.names) or is_name(at.tokens, end, at.names)


# --- the facts of a sentence --------------------------------------------------------------------------------


def build_facts(mentions: Sequence[Mention]) -> tuple[tuple[PhotoFact, ...], set[int]]:
    """Build the facts, which must all hold, from their mentions.

    Returns
    -------
    facts
    leads
        Positions of tokens that lead to a fact, and that the caption does not keep.
    """
    groups: list[list[PhotoFact]] = []
    leads: set[int] = set()
    for mention in mentions:
        if (fact := mention.span.fact) is None:
            continue
        leads |= mention.find_leads(LEADS)
        fact = fact.negated if mention.is_negated else fact
        if groups and mention.previous_kind == "fact" and _is_alternative(mention, fact, groups[-1][-1]):
            groups[-1].append(fact)
        else:
            groups.append([fact])
    return tuple(dict.fromkeys(map(_join_alternatives, groups))), leads


def _join_alternatives(facts: Sequence[PhotoFact]) -> PhotoFact:
    facts = tuple(dict.fromkeys(facts))
    if len(facts) == 1:
        return facts[0]
    words = " or ".join(fact.words for fact in facts)
    return PhotoFact(words, Or(tuple(fact.condition for fact in facts)), facts[-1].family)


def _is_alternative(mention: Mention, fact: PhotoFact, last: PhotoFact) -> bool:
    """Whether a fact is joined to the last one by *or*, or by another word to one of its family."""
    if mention.is_negated:
        return False
    if "or" in mention.words:
        return True
    # "vertical panoramas" are both, but two file names are two photos
    is_list = bool(mention.words) or fact.family == "name"
    return is_list and fact.family == last.family and _LIST_WORDS.issuperset(mention.words)
