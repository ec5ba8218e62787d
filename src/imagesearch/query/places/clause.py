"""Builds the place clause: where a photo must be taken, and where not.

Several places are alternatives. But in "anjuna, goa", where Goa contains Anjuna, a photo must be in both, and
in "near banff in canada" too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagesearch.filters import And, Condition, Contains, Or
from imagesearch.query.clauses import Area
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import JOINERS, NEGATIONS, PLACE_LEADS
from imagesearch.query.mentions import Mention
from imagesearch.store import VocabularyEntry

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
    areas, not_areas
        Regions and circles: further alternatives, and areas where it must not be taken.
    """

    any_of: tuple[tuple[str, ...], ...]
    none_of: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    areas: tuple[Area, ...] = ()
    not_areas: tuple[Area, ...] = ()


def build_places(mentions: Sequence[Mention], places: Gazetteer) -> tuple[PlaceClause, set[int]]:
    """Build the clause from the mentions of places and areas.

    Returns
    -------
    clause
    leads
        Positions of tokens that lead to a place, and that the caption does not keep.
    """
    mentions = [mention for mention in mentions if mention.span.kind in ("place", "area")]
    groups = _group_adjacent([mention for mention in mentions if not mention.is_negated])
    in_groups = {mention.index for group in groups for mention in group}
    single = [mention for mention in mentions if not mention.is_negated and mention.index not in in_groups]
    any_of = _list_alternatives([mention for mention in single if mention.span.kind == "place"], places)
    areas = [area for mention in single for area in mention.span.areas]
    areas += [_join_areas(group, places) for group in groups]
    negated = [mention for mention in mentions if mention.is_negated]
    none_of = tuple(dict.fromkeys(key for mention in negated for key in mention.span.keys))
    not_areas = [area for mention in negated for area in mention.span.areas]
    keys = dict.fromkeys([*(key for alternative in any_of for key in alternative), *none_of])
    names = tuple((key, _format_name(key, places)) for key in keys if key in places.entries)
    leads = set[int]().union(*map(_find_leads, mentions))
    return PlaceClause(any_of, none_of, names, tuple(areas), tuple(not_areas)), leads


def _group_adjacent(mentions: Sequence[Mention]) -> list[list[Mention]]:
    """Return the mentions that follow each other without *or*, an area among them: "near banff in canada"."""
    groups: list[list[Mention]] = []
    for mention in mentions:
        is_joined = "," in mention.words or not _ALTERNATIVES.isdisjoint(mention.words)
        if groups and not is_joined and mention.follows(groups[-1][-1]):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return [group for group in groups if len(group) > 1 and any(m.span.kind == "area" for m in group)]


def _join_areas(group: Sequence[Mention], places: Gazetteer) -> Area:
    """Return the area in which all of a group of places and areas lie."""
    alternatives = _list_alternatives([mention for mention in group if mention.span.kind == "place"], places)
    names = [", ".join(_format_name(key, places) for key in keys) for keys in alternatives]
    in_place = tuple(And(tuple(Contains("place_words", key) for key in keys)) for keys in alternatives)
    conditions: list[Condition] = [Or(in_place)] if in_place else []
    parts = [" or ".join(names)] if names else []
    for areas in (mention.span.areas for mention in group if mention.span.kind == "area"):
        conditions.append(Or(tuple(area.condition for area in areas)))
        parts.append(" or ".join(area.name for area in areas))
    substitutes = [area.substitute for mention in group for area in mention.span.areas if area.substitute]
    return Area(
        ", ".join(parts), And(tuple(conditions)), "in" if names else "", next(iter(substitutes), None)
    )


def _format_name(key: str, places: Gazetteer) -> str:
    entry = places.entries.get(key, VocabularyEntry(key, 0))
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
