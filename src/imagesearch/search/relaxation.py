"""Relaxing a filter: what to look for, and what instead when no photo passes.

`plan_filter` takes who, where and when apart; `list_relaxations` says which of them to give up, in which
order; `retrieve_photos` calls Milvus for each until some photo passes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from imagesearch.filters import MATCH_ALL, And, Between, Condition, Contains, Eq, In, Not, list_conjuncts
from imagesearch.query import Circle, ParsedQuery, PeopleClause
from imagesearch.search.query import MAX_COUNTED, Query, RelaxedFilter
from imagesearch.store import MAX_HITS, CollectionInfo, Hit, Store, Vocabulary
from imagesearch.text import normalize

Fetch = Callable[[Condition, int], tuple[list[Hit], int]]
"""Returns the best photos that pass a condition, at most so many, and how many pass as far as is known."""


@dataclass(frozen=True)
class FilterPart:
    """One side of what a sentence asks for: who, where or when.

    Attributes
    ----------
    said : str
        It in words: ``of Maya and Noor``, ``in Goa``, ``2023``.
    condition : Condition
        What it asks of a photo.
    looser : tuple of Part
        What would do instead before giving it up, the nearest first: not only these people, one of them.
    """

    description: str
    condition: Condition
    relaxations: tuple[FilterPart, ...] = ()


@dataclass(frozen=True)
class FilterPlan:
    """Who, where and when of a sentence, as far as it says so.

    Attributes
    ----------
    parts : list of Part
        What may be given up.
    always : Condition
        What may not: who or what place is *not* wanted.
    excluded : str
        That in words.
    """

    parts: list[FilterPart]
    required: Condition = MATCH_ALL
    exclusions: str = ""

    @property
    def condition(self) -> Condition:
        """All of it."""
        return And((self.required, *(part.condition for part in self.parts)))


@dataclass(frozen=True)
class FilterStep:
    """One filter to try."""

    condition: Condition
    description: str


@dataclass(frozen=True)
class RetrievedPhotos:
    """What a plan came to: the filter that was asked for, the photos of each step, and what to say of it."""

    condition: Condition
    hits_by_step: list[list[Hit]]
    passing_count: int
    relaxed: tuple[RelaxedFilter, ...] = ()
    note: str = ""

    @property
    def hits(self) -> list[Hit]:
        """All photos, each once, those of the first step first."""
        return list({hit.id: hit for hits in self.hits_by_step for hit in hits}.values())


@dataclass(frozen=True)
class PhotoSource:
    """Where photos come from: a function that fetches them, the collection, and what was counted of it."""

    fetch: Fetch
    store: Store
    collection: CollectionInfo
    vocabulary: Vocabulary
    compares: bool
    """Whether photos are compared to something, so that a search without a filter means something."""


def plan_filter(reading: ParsedQuery) -> FilterPlan:
    """Return what a sentence asks for besides its text."""
    parts, always, excluded = [], [], []
    people = replace(reading.people, none_of=())
    if people:
        parts.append(_make_people_part(people))
    if reading.people.none_of:
        # -1 is a photo in which no faces were looked for: nobody knows that she is not in it
        always += [
            *replace(PeopleClause(), none_of=reading.people.none_of).conditions,
            Between("face_count", 0),
        ]
        excluded.append(f"without {' or '.join(reading.people.none_of)}")
    spelled = dict(reading.place_names)
    if reading.places:
        said = " or ".join(", ".join(spelled.get(word, word) for word in words) for words in reading.places)
        wanted = replace(reading, not_places=())
        parts.append(FilterPart(f"in {said}", And(wanted.place_conditions)))
    if reading.not_places:
        unwanted = replace(reading, places=())
        always += [*unwanted.place_conditions, Eq("has_gps", True)]
        excluded.append(f"not in {' or '.join(spelled.get(word, word) for word in reading.not_places)}")
    if reading.dates:
        said = ", ".join(when.words for when in reading.dates)
        parts.append(FilterPart(said, And(tuple(when.condition for when in reading.dates))))
    return FilterPlan(parts, And(tuple(always)), ", ".join(excluded))


def list_relaxations(parts: Sequence[FilterPart], has_text: bool) -> Iterator[list[FilterStep]]:
    """Yield what to try, the strictest first; what is tried together is shown one after another.

    All parts have to hold. If no photo passes: others may be in it where only some people were asked for;
    one of the people is enough where several were asked for together; then one part is given up, each in
    turn, the last given first; then two; and at last all, if there is a text left to compare photos to.
    Since nothing passed all parts together, the steps that give up one have no photo in common.

    Parameters
    ----------
    parts
        Who, where, when, as far as they are asked for.
    has_text
        Whether a search without any filter means something.
    """
    yield [_join_parts(parts)]
    for i, part in enumerate(parts):
        for looser in part.relaxations:
            yield [_join_parts([*parts[:i], looser, *parts[i + 1 :]])]
    for kept in range(len(parts) - 1, 0, -1):
        # combinations come with the first parts first: who outlives where, where outlives when
        yield [_join_parts(some) for some in itertools.combinations(parts, kept)]
    if parts and has_text:
        yield [FilterStep(MATCH_ALL, "anything")]


def _make_people_part(people: PeopleClause) -> FilterPart:
    looser = []
    if people.named_count and (people.only or people.count or people.other_than):
        looser.append(replace(people, only=False, count=None, other_than=None))
    if people.named_count > 1:
        one_of = (*people.all_of, *(name for group in people.any_of for name in group))
        looser.append(PeopleClause(any_of=(one_of,)))
    return FilterPart(
        _describe_people(people),
        And(people.conditions),
        tuple(FilterPart(_describe_people(p), And(p.conditions)) for p in looser),
    )


def _describe_people(people: PeopleClause) -> str:
    return "of nobody" if people.count == (0, 0) and not people.named_count else f"of {people}"


def _join_parts(parts: Sequence[FilterPart]) -> FilterStep:
    said = " ".join(part.description if part.description.startswith(("of ", "in ")) else f"({part.description})" for part in parts)
    return FilterStep(And(tuple(part.condition for part in parts)), said)


# --- following a plan --------------------------------------------------------------------------------------


def retrieve_photos(
    source: PhotoSource, query: Query, plan: FilterPlan, always: Condition
) -> RetrievedPhotos:
    """Try the steps of a plan until some photo passes.

    Parameters
    ----------
    source
        Where photos come from.
    query
        Says how many are wanted, and whether anything may be loosened.
    plan
        Who, where and when.
    always
        What holds in every step.
    """
    first, *others = list_relaxations(plan.parts, source.compares)
    conditions, fetched = _fetch_all(source, query, plan, always, first)
    asked, (hits, passed) = conditions[0], fetched[0]
    if hits:
        return RetrievedPhotos(asked, [hits], passed)
    what = " ".join(filter(None, (first[0].description, plan.exclusions, query.filter_summary)))
    note = f"no photo {what}" if first[0].description or plan.exclusions else ""
    for tried in () if query.strict else others:
        conditions, fetched = _fetch_all(source, query, plan, always, tried)
        some = [step for step in zip(tried, conditions, fetched, strict=True) if step[2][0]]
        if some:
            relaxed = tuple(
                RelaxedFilter(step.description, source.store.format_filter(condition), passed)
                for step, condition, (_, passed) in some
            )
            return RetrievedPhotos(asked, [hits for _, _, (hits, _) in some], 0, relaxed, note)
    return RetrievedPhotos(asked, [[]], 0, note=note)


def _fetch_all(
    source: PhotoSource, query: Query, plan: FilterPlan, always: Condition, tried: Sequence[FilterStep]
) -> tuple[list[Condition], list[tuple[list[Hit], int]]]:
    conditions = [And((always, plan.required, step.condition)) for step in tried]
    return conditions, [_fetch_photos(source, query, condition) for condition in conditions]


def _fetch_photos(source: PhotoSource, query: Query, condition: Condition) -> tuple[list[Hit], int]:
    """Return the best photos that pass, and how many do: known, or counted by asking for more."""
    known = _get_known_count(source, condition)
    by_score = query.sort == "score" and not query.collapse
    if known is None or not by_score or query.criteria.circle:
        return _fetch_within(
            query.criteria.circle, source.fetch, condition, max(query.top_k, MAX_COUNTED + 1)
        )
    hits, _ = source.fetch(condition, query.top_k)
    return hits, known if len(hits) == query.top_k else len(hits)


def _get_known_count(source: PhotoSource, condition: Condition) -> int | None:
    """How many photos pass, where that was counted when the collection was built: one name, or all."""
    match list_conjuncts(condition):
        case []:
            return source.collection.rows
        case [Contains("face_labels", name)]:
            word = source.vocabulary.people.get(normalize(name))
        case [Contains("place_words", name)]:
            word = source.vocabulary.places.get(name)
        case _:
            return None
    return word.photos if word else None


def _fetch_within(circle: Circle | None, fetch: Fetch, where: Condition, top_k: int) -> tuple[list[Hit], int]:
    """Return the best photos in a circle, of which ``where`` knows the boxes around it, and how many passed.

    Asks on, without those already seen, until there are enough or no more: all but one may lie in a corner.
    """
    if circle is None:
        return fetch(where, top_k)
    found: list[Hit] = []
    seen: list[int] = []
    limit = 2 * top_k
    while len(found) < top_k:
        limit = min(limit, MAX_HITS)
        hits, _ = fetch(And((where, Not(In("photo_id", tuple(seen))))), limit)
        found += [hit for hit in hits if circle.contains(hit.fields["latitude"], hit.fields["longitude"])]
        seen += [hit.id for hit in hits]
        if len(hits) < limit:
            break
        limit *= 4
    return found[:top_k], len(found)
