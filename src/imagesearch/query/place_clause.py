"""Builds the place clause: where a photo must be taken, and where not.

Several places are alternatives. But in "anjuna, goa", where Goa contains Anjuna, a photo must be in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import JOINERS, NEGATIONS, PLACE_LEADS
from imagesearch.query.mentions import Mention

_ALTERNATIVES = frozenset(("or", "and", "&", "/", "to"))


@dataclass(frozen=True)
class PlaceClause:
    """Where a photo must be taken, and where not.

    Attributes
    ----------
    any_of
        Alternatives. All words of one alternative must be among the photo's ``place_words``.
    none_of
        Words that must not be among them.
    names
        Pairs of a place word and its display name: ``("goa", "Goa (state)")``.
    """

    any_of: tuple[tuple[str, ...], ...]
    none_of: tuple[str, ...]
    names: tuple[tuple[str, str], ...]


def build_places(mentions: Sequence[Mention], places: Gazetteer) -> tuple[PlaceClause, set[int]]:
    """Build the clause from the mentions of places.

    Returns
    -------
    clause
    leads
        Positions of tokens that lead to a place, and that the caption does not keep.
    """
    mentions = [mention for mention in mentions if mention.span.kind == "place"]
    any_of = _list_alternatives([mention for mention in mentions if not mention.is_negated], places)
    none_of = tuple(
        dict.fromkeys(key for mention in mentions if mention.is_negated for key in mention.span.keys)
    )
    keys = dict.fromkeys([*(key for alternative in any_of for key in alternative), *none_of])
    names = tuple((key, _format_name(key, places)) for key in keys if key in places.entries)
    leads = set[int]().union(*map(_find_leads, mentions))
    return PlaceClause(any_of, none_of, names), leads


def _format_name(key: str, places: Gazetteer) -> str:
    entry = places.entries[key]
    return f"{entry.name} ({entry.kind})" if entry.kind else entry.name


def _list_alternatives(mentions: Sequence[Mention], places: Gazetteer) -> tuple[tuple[str, ...], ...]:
    any_of: list[tuple[str, ...]] = []
    last: list[int] = []  # indices of the alternatives of the last mention
    for mention in mentions:
        keys = mention.span.keys
        if last and _completes(mention, any_of[last[-1]][-1], places):
            for i in last:
                if keys[0] not in any_of[i]:
                    any_of[i] = (*any_of[i], keys[0])
        else:
            any_of += [(key,) for key in keys if (key,) not in any_of]
            last = [any_of.index((key,)) for key in keys]
    return tuple(any_of)


def _completes(mention: Mention, last: str, places: Gazetteer) -> bool:
    """Whether a photo must be in a place and the last one, because one contains the other.

    After a comma, only a larger place completes a smaller one.
    """
    if mention.previous_kind == "place" and not _ALTERNATIVES.isdisjoint(mention.words):
        return False
    key = mention.span.keys[0]
    is_listed = "," in mention.words
    return key == last or places.contains(key, last) or (not is_listed and places.contains(last, key))


def _find_leads(mention: Mention) -> set[int]:
    """Return the tokens that only lead to a place: "in", "in the", "and in", but not "on the"."""
    leads: set[int] = set()
    has_place_lead = False
    for n in reversed(range(len(mention.leads))):
        word, before = mention.leads[n].word, mention.leads[n - 1].word if n else ""
        if word in PLACE_LEADS:
            if has_place_lead:
                break
            has_place_lead = True
        elif not _only_leads(word, before, mention):
            break
        leads.add(mention.leads[n].span.start)
    return leads


def _only_leads(word: str, before: str, mention: Mention) -> bool:
    if word == "on":
        return not mention.precedes_text
    if word in JOINERS:
        return mention.follows_entity or mention.is_negated
    return word == "of" or word in NEGATIONS or (word == "the" and before in PLACE_LEADS)
