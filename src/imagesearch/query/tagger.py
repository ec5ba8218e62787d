"""Divides a sentence into tagged spans: people, places, dates, numbers of people, and plain words.

Scans the tokens from left to right. At each word, the rules are tried in a fixed order: regions and
distances, dates, phrases such as "two people", exact names, places that the album lacks, guessed names. The
first rule that returns a tag decides where the span ends and what it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from imagesearch.query.facts.order import may_have_order, tag_order
from imagesearch.query.facts.rules import may_have_facts, tag_fact, tag_file
from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.guess_rules import may_be_guessed, tag_guess
from imagesearch.query.lexicon import COMMON
from imagesearch.query.name_rules import tag_name, tag_prefix
from imagesearch.query.people.counts import match_request, tag_phrase
from imagesearch.query.people.limits import tag_limit
from imagesearch.query.places.distance_rules import tag_distance
from imagesearch.query.places.region_rules import tag_region
from imagesearch.query.places.world_rules import tag_world_place
from imagesearch.query.tags import Position, Tag, TaggedSentence, TaggedSpan
from imagesearch.query.times.engine import match_date
from imagesearch.query.times.rules import tag_date
from imagesearch.query.tokenizer import Sentence
from imagesearch.query.unknown_names import find_unknown_name

Rule = Callable[[Position], Tag | None]
# Limits for one sentence, so that long texts are parsed quickly.
_MAX_GUESSES = 24  # words that may be partial or mistyped names
_MAX_UNKNOWN = 8  # names of people who are not known
_MAX_DATES = 40  # dates that are parsed, including those that are tagged as names
_MAX_TOKENS = 1200  # words and marks that are tagged; CLIP encodes about 75 tokens


def tag_sentence(sentence: Sentence, names: KnownNames, today: date) -> TaggedSentence:
    """Return the spans of a sentence, and notes on words that were not taken literally."""
    tokens = sentence.tokens
    i = match_request(sentence)
    spans = [TaggedSpan("ignored", 0, i)] if i else []
    notes, not_understood, unknown = [], [], []
    if len(tokens) > _MAX_TOKENS:
        notes.append(f"only the first {_MAX_TOKENS} words and marks were read")
    rules = _choose_rules(sentence, names)
    guesses_left, dates_left = _MAX_GUESSES, _MAX_DATES
    while i < min(len(tokens), _MAX_TOKENS):
        at = _look_up(sentence, i, names, today, spans, dates_left)
        tag = _apply_rules(at, rules) or tag_world_place(at)
        if tag is None and guesses_left > 0 and may_be_guessed(at):
            guesses_left -= at.token.norm not in COMMON
            tag = tag_guess(at)
        if tag is None:
            tag = Tag(TaggedSpan("word", i, i + 1))
            unknown += [name] if len(unknown) < _MAX_UNKNOWN and (name := find_unknown_name(at)) else []
        spans.append(tag.span)
        notes += tag.notes
        not_understood += tag.not_understood
        dates_left = at.dates_left - tag.dates_ahead
        i = tag.span.end
    if i < len(tokens):
        spans.append(TaggedSpan("ignored", i, len(tokens)))
    return TaggedSentence(tokens, tuple(spans), tuple(notes), tuple(not_understood), tuple(unknown))


def _look_up(
    sentence: Sentence,
    i: int,
    names: KnownNames,
    today: date,
    spans: Sequence[TaggedSpan],
    dates_left: int,
) -> Position:
    """Find the exact names and the date that start at a token."""
    person = place = date_match = None
    if sentence.tokens[i].kind == "word":
        person = names.people.match_exact(sentence.tokens, i)
        place = names.places.match_exact(sentence.tokens, i)
    if sentence.tokens[i].kind in ("word", "mark") and dates_left > 0:
        date_match = match_date(sentence, i, today, names.feasts, names.trips)
    dates_left -= date_match is not None
    return Position(sentence, i, names, today, spans, person, place, date_match, dates_left)


def _choose_rules(sentence: Sentence, names: KnownNames) -> list[Rule]:
    """Return the rules for words, in the order in which they are tried, without those that cannot apply."""
    rules: list[Rule] = [tag_region, tag_distance, tag_date, tag_limit, tag_phrase]
    rules += [tag_order] if may_have_order(sentence) else []
    rules += [tag_fact] if may_have_facts(sentence, names) else []
    return [*rules, tag_name]


def _apply_rules(at: Position, rules: Sequence[Rule]) -> Tag | None:
    """Return the tag of the first rule that applies, not including guesses."""
    kind = at.token.kind
    if kind == "prefix":
        return tag_prefix(at)
    if kind == "file":
        return tag_file(at)
    if kind == "quote":
        return tag_world_place(at) or Tag(TaggedSpan(kind, at.i, at.i + 1))
    if kind != "word":
        return (tag_date(at) if kind == "mark" else None) or Tag(TaggedSpan(kind, at.i, at.i + 1))
    return next((tag for rule in rules if (tag := rule(at))), None)
