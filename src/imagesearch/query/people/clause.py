"""Builds the people clause: who must be in a photo, who must not, and how many people.

All people of a list are required, except alternatives joined by *or*. *or* binds tighter than *and*:
"maya and noor or kim" requires Maya, and Noor or Kim. A comma means the next *and* or *or* of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from imagesearch.query.clauses import PeopleClause, make_neutral_phrase
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import JOINERS, NEGATIONS, ONLY, split_set
from imagesearch.query.mentions import LEADS, Mention
from imagesearch.query.people.limits import ALL_BUT_ONE

_ADDS = split_set("and with & plus")
# Leads that the caption does not keep.
_DROPPED_BEFORE_PERSON = ONLY | {"the", "both", "either"}
_DROPPED_BEFORE_NEGATED = _DROPPED_BEFORE_PERSON | NEGATIONS | JOINERS | {"of"}
_DROPPED_BEFORE_LIST = JOINERS | {"of", "by"}
_DROPPED_BEFORE_NEGATED_COUNT = NEGATIONS | JOINERS
_MAX_LIMITED = 10  # maximum number of names in a limit, because all their combinations become conditions


@dataclass(frozen=True)
class _PeopleList:
    """People named one after the other: "maya, noor or kim".

    Attributes
    ----------
    groups
        The names of each person. The names of one group are alternatives.
    named
        The number of people who must be in the photo.
    at_most
        See `PeopleClause`.
    """

    mentions: tuple[Mention, ...]
    groups: tuple[tuple[str, ...], ...]
    named: int
    at_most: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class _Count:
    """The number of people that a sentence states.

    Attributes
    ----------
    limits
        Minimum and maximum; None if there are none.
    excluded
        A number that must not be met; None if there is none.
    start
        The position of the first token of the number; -1 if there is none.
    """

    limits: tuple[int, int | None] | None = None
    excluded: int | None = None
    start: int = -1


def build_people(
    mentions: Sequence[Mention], people: Gazetteer
) -> tuple[PeopleClause, set[int], dict[int, str]]:
    """Build the clause from the mentions of people, of numbers of people, and of *alone*.

    Returns
    -------
    clause
    leads
        Positions of tokens that lead to a person or a number, and that the caption does not keep.
    neutral_phrases
        Maps the position of a token to the words that replace it in the caption: "a person".
    """
    named = [mention for mention in mentions if mention.span.kind == "person"]
    all_lists = _apply_limits(_group_lists(named, people), mentions)
    lists = [people_list for people_list in all_lists if people_list.groups]
    count, count_leads = _combine_counts(mentions, lists)
    groups = dict.fromkeys(group for people_list in lists for group in people_list.groups)
    only = bool(groups) and _excludes_others(mentions, count)
    clause = PeopleClause(
        all_of=tuple(group[0] for group in groups if len(group) == 1),
        any_of=tuple(group for group in groups if len(group) > 1),
        none_of=_list_negated(named, people),
        only=only,
        count=None if only else count.limits,
        other_than=count.excluded,
        at_most=tuple(dict.fromkeys(limit for people_list in all_lists for limit in people_list.at_most)),
    )
    leads = count_leads | _find_person_leads(named) | _find_list_leads(all_lists)
    return clause, leads, _make_neutral_phrases(lists, count)


def exclude_others(people: PeopleClause) -> PeopleClause:
    """Return a clause that excludes people who are not named: "without cars or people"."""
    if people.named_count:
        return replace(people, only=True, count=None)
    return replace(people, count=(0, 0))


def _excludes_others(mentions: Sequence[Mention], count: _Count) -> bool:
    """Whether nobody but the people named may be in a photo. A number overrides *only* and *alone*."""
    if count.limits is not None:
        return count.limits == (0, 0)
    return any(mention.is_only or mention.span.kind == "alone" for mention in mentions)


def _list_negated(named: Sequence[Mention], people: Gazetteer) -> tuple[str, ...]:
    names = (name for mention in named if mention.is_negated for name in _list_names(mention, people))
    return tuple(dict.fromkeys(names))


def _list_names(mention: Mention, people: Gazetteer) -> tuple[str, ...]:
    """Return the names of a mention as the user writes them."""
    entries = people.entries
    return tuple(entries[key].name if key in entries else key for key in mention.span.keys)


def _find_person_leads(named: Sequence[Mention]) -> set[int]:
    """Return the leads of people that the caption does not keep, whether they are in a list or negated."""
    leads: set[int] = set()
    for mention in named:
        leads |= mention.find_leads(_DROPPED_BEFORE_NEGATED if mention.is_negated else _DROPPED_BEFORE_PERSON)
    return leads


# --- lists of people ---------------------------------------------------------------------------------------


def _group_lists(named: Sequence[Mention], people: Gazetteer) -> list[_PeopleList]:
    """Return the lists of people who are not negated. A list ends where more than leads follow a person."""
    lists: list[list[Mention]] = []
    for mention in named:
        if mention.is_negated:
            continue
        if lists and mention.follows(lists[-1][-1]):
            lists[-1].append(mention)
        else:
            lists.append([mention])
    grouped = [(tuple(members), _group_alternatives(members, people)) for members in lists]
    return [_PeopleList(members, groups, len(groups)) for members, groups in grouped]


def _apply_limits(lists: Sequence[_PeopleList], mentions: Sequence[Mention]) -> list[_PeopleList]:
    """Apply each limit to the list that directly follows it, or else to the last list before it."""
    lists = list(lists)
    for mention in mentions:
        if mention.span.kind != "limit":
            continue
        following = [n for n, one in enumerate(lists) if one.mentions[0].previous == mention.span]
        before = [n for n, one in enumerate(lists) if one.mentions[-1].index < mention.index]
        if following:
            lists[following[0]] = _limit_list(lists[following[0]], mention.span.count)
        elif before:
            lists[before[-1]] = _limit_list(lists[before[-1]], mention.span.count, ends_list=True)
    return lists


def _limit_list(
    people_list: _PeopleList, limits: tuple[int, int | None], ends_list: bool = False
) -> _PeopleList:
    """Limit how many of the people of a list may be in the photo.

    A limit that ends a list applies to the last alternatives of the list, if there are any: "maya and kim or
    zoe but not both" requires Maya.
    """
    alternatives = [group for group in people_list.groups if len(group) > 1]
    limited = (alternatives[-1],) if alternatives and ends_list else people_list.groups
    names = tuple(dict.fromkeys(name for group in limited for name in group))
    if not 1 < len(names) <= _MAX_LIMITED:
        return people_list
    low, high = limits
    high = len(names) - 1 if high == ALL_BUT_ONE else high
    low = min(low, len(names))
    # at least two of three people: one of each two
    groups = combinations(names, len(names) - low + 1) if low else ()
    others = [group for group in people_list.groups if group not in limited]
    at_most = ((high, names),) if high is not None and high < len(names) else ()
    return _PeopleList(people_list.mentions, (*others, *groups), len(others) + low, at_most)


def _group_alternatives(members: Sequence[Mention], people: Gazetteer) -> tuple[tuple[str, ...], ...]:
    """Return the names of the people in a list; those that are alternatives to each other as one group."""
    joiners: list[str] = []
    for mention in reversed(members):
        joiner = _get_joiner(mention)
        joiners.append((joiners[-1] if joiners else "and") if joiner == "," else joiner)
    groups: list[tuple[str, ...]] = []
    for mention, joiner in zip(members, reversed(joiners), strict=True):
        names = _list_names(mention, people)
        if groups and joiner == "or":
            groups[-1] = tuple(dict.fromkeys((*groups[-1], *names)))
        else:
            groups.append(names)
    return tuple(dict.fromkeys(groups))


def _get_joiner(mention: Mention) -> str:
    if "or" in mention.words or "/" in mention.words:
        return "or"
    return "," if mention.words == (",",) else "and"


def _find_list_leads(lists: Sequence[_PeopleList]) -> set[int]:
    """Return the leads in and between lists that the caption does not keep."""
    leads: set[int] = set()
    for n, people_list in enumerate(lists):
        first, *others = people_list.mentions
        if n or first.previous_kind == "count":
            leads |= first.find_leads(_DROPPED_BEFORE_LIST)
        for mention in others:
            leads |= mention.find_leads(LEADS)
    return leads


# --- numbers of people -------------------------------------------------------------------------------------


def _combine_counts(mentions: Sequence[Mention], lists: Sequence[_PeopleList]) -> tuple[_Count, set[int]]:
    """Return the number of people, and the leads that the caption does not keep. The last number is used."""
    count = _Count()
    leads: set[int] = set()
    for mention in mentions:
        if mention.span.kind != "count":
            continue
        if mention.is_negated:
            count = _negate_count(count, mention)
            leads |= mention.find_leads(_DROPPED_BEFORE_NEGATED_COUNT)
            continue
        named = _count_named([names for names in lists if names.mentions[0].index < mention.index])
        if named and count.limits is None and _adds_people(mention):
            leads |= mention.find_leads(JOINERS)
        else:
            named = 0
        count = _set_count(count, mention, named)
    return count, leads


def _set_count(count: _Count, mention: Mention, named: int) -> _Count:
    """Take the limits of a mention, and add the number of people named before it."""
    low, high = mention.span.count
    start = mention.span.start if count.start < 0 and low > 0 else count.start
    return replace(count, limits=(low + named, None if high is None else high + named), start=start)


def _adds_people(mention: Mention) -> bool:
    """Whether a number counts people besides those named: "maya and two people", "two other people"."""
    follows_person = mention.previous_kind == "person"
    adds = mention.span.counts_others or (follows_person and not _ADDS.isdisjoint(mention.words))
    return adds and mention.span.count[1] != 0


def _negate_count(count: _Count, mention: Mention) -> _Count:
    """Apply *not* to a number: "not more than two people" is at most two."""
    start = mention.span.start
    low, high = mention.span.count
    if high is None:
        return replace(count, limits=(min(1, max(low - 1, 0)), max(low - 1, 0)), start=start)
    if low < high or high == 0:
        return replace(count, limits=(high + 1, None), start=start)
    return replace(count, excluded=low, start=start)


def _count_named(lists: Sequence[_PeopleList]) -> int:
    """Count the people named, each group of alternatives as one person."""
    return sum(people_list.named for people_list in lists)


# --- the caption -------------------------------------------------------------------------------------------


def _make_neutral_phrases(lists: Sequence[_PeopleList], count: _Count) -> dict[int, str]:
    """Return the words that replace all people, by the position of the first person or of the number."""
    named = _count_named(lists)
    uncounted = (named, named) if named or count.excluded is None else (1, None)
    low, high = count.limits or uncounted
    if not lists:
        return {count.start: make_neutral_phrase(low, high)} if count.start >= 0 else {}
    low = max(low, named)
    phrase = make_neutral_phrase(low, low if high is not None else None)
    first, last = lists[0].mentions[0], lists[0].mentions[-1]
    has_text = last.span.is_possessive and last.precedes_text  # "maya's dog" is "a person with dog"
    return {first.span.start: f"{phrase} with" if has_text else phrase}
