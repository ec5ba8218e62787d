"""The filter of a sentence in parts, and which parts to drop when no photo passes all of them.

`plan_filter` divides the filter into people, place and date; `list_relaxations` yields the filters to try.
Nothing here calls Milvus: `retrieval` does.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from imagesearch.filters import MATCH_ALL, And, Between, Condition, Eq, Or
from imagesearch.query import DateClause, ParsedQuery, PeopleClause

_STARTS_WITH_LEAD = re.compile(
    "(?:before|after|since|until|till|up|between|from|not|prior|starting|as of|"
    "(?:newer|older|later|earlier) than) "
)


@dataclass(frozen=True)
class FilterPart:
    """One part of a sentence's filter: the people, the place or the date.

    Attributes
    ----------
    name : str
        ``who``, ``where`` or ``when``.
    description : str
        The part in words: ``of Maya and Noor``, ``in Goa``, ``2023``.
    condition : Condition
        The part as a condition on a photo's fields.
    relaxations : tuple of FilterPart
        Weaker conditions to try before the part is dropped, the strongest first. For people: others may be
        in the photo too; one of several people is enough. For a place without photos: the nearest that has
        some.
    """

    name: str
    description: str
    condition: Condition
    relaxations: tuple[FilterPart, ...] = ()

    @property
    def phrase(self) -> str:
        """The part as it follows "no photo" in a note: ``of Maya and Noor``, ``in Goa``, ``(2023)``."""
        return f"({self.description})" if self.name == "when" else self.description


@dataclass(frozen=True)
class FilterPlan:
    """A sentence's filter.

    Attributes
    ----------
    parts : tuple of FilterPart
        The parts that can be dropped, in the order people, place, date.
    required : Condition
        The part that is always kept: facts, and the people and places that the sentence excludes.
    exclusions : str
        The required part in words.
    """

    parts: tuple[FilterPart, ...]
    required: Condition = MATCH_ALL
    exclusions: str = ""

    @property
    def is_missing_place(self) -> bool:
        """Whether all that is requested is a place where no photo was taken."""
        if len(self.parts) != 1 or self.exclusions:
            return False
        return self.parts[0].name == "where" and bool(self.parts[0].relaxations)

    @property
    def condition(self) -> Condition:
        """The whole filter, before anything is dropped."""
        return And((self.required, *(part.condition for part in self.parts)))


@dataclass(frozen=True)
class FilterAttempt:
    """A filter to try, and its description."""

    condition: Condition
    description: str


ANYTHING = FilterAttempt(MATCH_ALL, "anything")


def plan_filter(parsed: ParsedQuery) -> FilterPlan:
    """Divide the filter of a sentence into parts."""
    parts, required, exclusions = [], [], []
    people, excluded_people = parsed.people.included, parsed.people.excluded
    if people:
        parts.append(_make_people_part(people))
    if excluded_people:
        # -1: no face detection was run on the photo, so it is unknown who is in it
        required += [*excluded_people.conditions, Between("face_count", 0)]
        exclusions.append(_describe_excluded(parsed.people))
    if parsed.places_phrase:
        included = replace(parsed, not_places=(), not_areas=())
        part = FilterPart("where", parsed.places_phrase, And(included.place_conditions))
        parts.append(replace(part, relaxations=_list_substitutes(parsed)))
    if parsed.excluded_places:
        excluded = replace(parsed, places=(), areas=())
        required += [*excluded.place_conditions, Eq("has_gps", True)]
        exclusions.append(f"not in {' or '.join(parsed.excluded_places)}")
    if parsed.dates:
        description = ", ".join(map(_describe_date, parsed.dates))
        parts.append(FilterPart("when", description, And(tuple(date.condition for date in parsed.dates))))
    if parsed.excluded:  # `retrieval` leaves these photos out: a filter cannot
        exclusions.append(f"without {' or '.join(repr(content.caption) for content in parsed.excluded)}")
    required += [fact.condition for fact in parsed.facts]
    exclusions += [f"({fact.words})" for fact in parsed.facts]
    return FilterPlan(tuple(parts), And(tuple(required)), ", ".join(exclusions))


def list_relaxations(parts: Sequence[FilterPart], has_target: bool) -> Iterator[list[FilterAttempt]]:
    """Yield the filters to try, the strictest first. Filters yielded together are tried together.

    The first is the whole filter. Then people are relaxed: others may be in the photo too, then one of
    several people is enough. Then one part is dropped (all choices are tried together), then two parts, and
    finally all parts, if photos are ranked by similarity. No photo passes the whole filter, so filters that
    each drop one part have no photo in common.

    Parameters
    ----------
    parts
        Those of people, place and date that the sentence has, in this order.
    has_target
        Whether photos are ranked by similarity, so that a search without a filter is meaningful.
    """
    yield [_join_parts(parts)]
    for i, part in enumerate(parts):
        for relaxed in part.relaxations:
            yield [_join_parts([*parts[:i], relaxed, *parts[i + 1 :]])]
    for count in range(len(parts) - 1, 0, -1):
        # filters that keep the people come first
        yield [_join_parts(kept) for kept in itertools.combinations(parts, count)]
    if parts and has_target:
        yield [ANYTHING]


def _list_substitutes(parsed: ParsedQuery) -> tuple[FilterPart, ...]:
    """Return the nearest places with photos, if no photo was taken at any place of the sentence."""
    substitutes = dict.fromkeys(area.substitute for area in parsed.areas if area.substitute)
    if parsed.places or not substitutes or not all(area.substitute for area in parsed.areas):
        return ()
    return (
        FilterPart(
            "where",
            " or ".join(map(str, substitutes)),
            Or(tuple(area.condition for area in substitutes)),
        ),
    )


def _describe_date(clause: DateClause) -> str:
    """Return a date in words; one of digits as ``12 October 2025``."""
    if re.search("[a-z]", clause.words) or not re.fullmatch(r"\d{4}-\d\d-\d\d", clause.dates):
        return clause.words
    return format_day(date.fromisoformat(clause.dates))


def format_day(day: date) -> str:
    """Return a day in words: ``12 October 2025``."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def describe_date_alone(plan: FilterPlan) -> str:
    """Return the date as it follows "no photo": ``of 12 October 2025``; empty if more is requested."""
    if len(plan.parts) != 1 or plan.exclusions or plan.parts[0].name != "when":
        return ""
    description = plan.parts[0].description
    return description if _STARTS_WITH_LEAD.match(description) else f"of {description}"


def _make_people_part(people: PeopleClause) -> FilterPart:
    relaxed = []
    if people.named_count and (people.only or people.count or people.other_than):
        relaxed.append(replace(people, only=False, count=None, other_than=None))
    if people.named_count > 1:
        one_of = (*people.all_of, *(name for group in people.any_of for name in group))
        relaxed.append(PeopleClause(any_of=(one_of,)))
    return replace(_make_who_part(people), relaxations=tuple(map(_make_who_part, relaxed)))


def _make_who_part(people: PeopleClause) -> FilterPart:
    return FilterPart("who", _describe_people(people), And(people.conditions))


def _describe_people(people: PeopleClause) -> str:
    return "of nobody" if people.count == (0, 0) and not people.named_count else f"of {people}"


def _describe_excluded(people: PeopleClause) -> str:
    without = f"without {' or '.join(people.none_of)}" if people.none_of else ""
    limits = str(PeopleClause(at_most=people.at_most))
    return " and ".join(filter(None, (without, f"with {limits}" if limits else "")))


def _join_parts(parts: Sequence[FilterPart]) -> FilterAttempt:
    description = " ".join(part.phrase for part in parts)
    return FilterAttempt(And(tuple(part.condition for part in parts)), description)
