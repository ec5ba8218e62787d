"""Builds the date clauses: when a photo must be taken.

All clauses must hold. Dates joined by *or* form one clause, as do dates of one family joined by *and* or a
comma: "in may and june".
"""

from __future__ import annotations

from collections.abc import Sequence

from imagesearch.filters import Or
from imagesearch.query.clauses import DateClause
from imagesearch.query.lexicon import JOINERS, NEGATIONS
from imagesearch.query.mentions import Mention
from imagesearch.query.times.trip_days import iterate_trips
from imagesearch.query.times.values import negate
from imagesearch.query.tokenizer import Token, join_texts

_LIST_WORDS = frozenset(("and", ",", "&", "/"))
_DROPPED_BEFORE_NEGATED = NEGATIONS | JOINERS


def build_dates(
    mentions: Sequence[Mention], tokens: Sequence[Token]
) -> tuple[tuple[DateClause, ...], set[int]]:
    """Build the clauses from the mentions of dates.

    Returns
    -------
    clauses
    leads
        Positions of tokens that lead to a date, and that the caption does not keep.
    """
    mentions = [mention for mention in mentions if mention.span.kind == "date"]
    clauses: list[DateClause] = []
    last_family = ""
    for mention in mentions:
        clause, family = _make_clause(mention, tokens)
        if clauses and _is_alternative(mention, family, last_family):
            clause = _join_alternatives(clauses.pop(), clause)
        clauses.append(clause)
        last_family = family
    leads = set[int]().union(*map(_find_leads, mentions))
    return tuple(dict.fromkeys(clauses)), leads


def _make_clause(mention: Mention, tokens: Sequence[Token]) -> tuple[DateClause, str]:
    """Return the clause of one date, and the family of the date; ``not`` if it is negated."""
    match = mention.span.date
    assert match is not None and match.reference is not None
    time, text = match.reference, match.words or join_texts(tokens[match.core : mention.span.end])
    if mention.is_negated:
        return DateClause(f"not {text}", negate(time.condition), time.dates), "not"
    trips = tuple(dict.fromkeys(iterate_trips(time)))
    return DateClause(text, time.condition, time.dates, trips), time.family


def _is_alternative(mention: Mention, family: str, last_family: str) -> bool:
    """Whether a date is joined to the last one by *or*, or by *and* to one of its family."""
    if mention.is_negated or mention.previous_kind != "date":
        return False
    is_joined = last_family == family != "open" and _LIST_WORDS.issuperset(mention.words)
    return "or" in mention.words or is_joined


def _join_alternatives(first: DateClause, second: DateClause) -> DateClause:
    dates = ", ".join(filter(None, (first.dates, second.dates)))
    words, condition = f"{first.words} or {second.words}", Or((first.condition, second.condition))
    return DateClause(words, condition, dates, (*first.trips, *second.trips))


def _find_leads(mention: Mention) -> set[int]:
    if mention.is_negated:
        return mention.find_leads(_DROPPED_BEFORE_NEGATED)
    return mention.find_leads(JOINERS) if mention.follows_entity else set()
