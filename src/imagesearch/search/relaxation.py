"""Relaxing a filter when no photo passes it: which parts of it to give up, in which order.

`plan_filter` divides it into who, where and when; `list_relaxations` yields the steps to try;
`retrieve_photos` calls Milvus for each until some photo passes.
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
    """One part of what a sentence asks for: who, where or when.

    Attributes
    ----------
    description : str
        The part in words: ``of Maya and Noor``, ``in Goa``, ``2023``.
    condition : Condition
        What it asks of a photo.
    relaxations : tuple of FilterPart
        What to try before giving it up, the nearest first: not only these people, one of them.
    """

    description: str
    condition: Condition
    relaxations: tuple[FilterPart, ...] = ()


@dataclass(frozen=True)
class FilterPlan:
    """Who, where and when of a sentence, as far as it says so.

    Attributes
    ----------
    parts : list of FilterPart
        What may be given up.
    required : Condition
        What may not: people and places that are excluded.
    exclusions : str
        These in words.
    """

    parts: list[FilterPart]
    required: Condition = MATCH_ALL
    exclusions: str = ""

    @property
    def condition(self) -> Condition:
        """All of it."""
        return And((self.required, *(part.condition for part in self.parts)))


@dataclass(frozen=True)
class FilterAttempt:
    """One filter to try."""

    condition: Condition
    description: str


@dataclass(frozen=True)
class RetrievedPhotos:
    """The photos of each step, the filter that was asked for, and what was tried instead of it."""

    condition: Condition
    hits_by_attempt: list[list[Hit]]
    passing_count: int
    relaxed: tuple[RelaxedFilter, ...] = ()
    note: str = ""

    @property
    def hits(self) -> list[Hit]:
        """All photos, each once, those of the first step first."""
        return list({hit.id: hit for hits in self.hits_by_attempt for hit in hits}.values())


@dataclass(frozen=True)
class PhotoSource:
    """Where photos come from: a function that fetches them, the collection, and what was counted of it."""

    fetch: Fetch
    store: Store
    collection: CollectionInfo
    vocabulary: Vocabulary
    has_target: bool
    """Whether photos are compared to something, so that a search without a filter means something."""


def plan_filter(parsed: ParsedQuery) -> FilterPlan:
    """Return what a sentence asks for besides its text."""
    parts, required, exclusions = [], [], []
    people = replace(parsed.people, none_of=())
    if people:
        parts.append(_make_people_part(people))
    if parsed.people.none_of:
        # -1 is a photo in which no faces were looked for: nobody knows that she is not in it
        required += [
            *replace(PeopleClause(), none_of=parsed.people.none_of).conditions,
            Between("face_count", 0),
        ]
        exclusions.append(f"without {' or '.join(parsed.people.none_of)}")
    names = dict(parsed.place_names)
    if parsed.places:
        options = [", ".join(names.get(word, word) for word in words) for words in parsed.places]
        included = replace(parsed, not_places=())
        parts.append(FilterPart(f"in {' or '.join(options)}", And(included.place_conditions)))
    if parsed.not_places:
        excluded = replace(parsed, places=())
        required += [*excluded.place_conditions, Eq("has_gps", True)]
        exclusions.append(f"not in {' or '.join(names.get(word, word) for word in parsed.not_places)}")
    if parsed.dates:
        description = ", ".join(date.words for date in parsed.dates)
        parts.append(FilterPart(description, And(tuple(date.condition for date in parsed.dates))))
    return FilterPlan(parts, And(tuple(required)), ", ".join(exclusions))


def list_relaxations(parts: Sequence[FilterPart], has_target: bool) -> Iterator[list[FilterAttempt]]:
    """Yield what to try, the strictest first; what is tried together is shown one after another.

    All parts have to hold. If no photo passes: others may be in it where only some people were asked for;
    one of the people is enough where several were asked for together; then one part is given up, each in
    turn, the last given first; then two; and at last all, if photos are compared to something.
    Since nothing passed all parts together, the steps that give up one have no photo in common.

    Parameters
    ----------
    parts
        Who, where, when, as far as they are asked for.
    has_target
        Whether a search without any filter means something.
    """
    yield [_join_parts(parts)]
    for i, part in enumerate(parts):
        for relaxed in part.relaxations:
            yield [_join_parts([*parts[:i], relaxed, *parts[i + 1 :]])]
    for count in range(len(parts) - 1, 0, -1):
        # combinations come with the first parts first: who outlives where, where outlives when
        yield [_join_parts(kept) for kept in itertools.combinations(parts, count)]
    if parts and has_target:
        yield [FilterAttempt(MATCH_ALL, "anything")]


def _make_people_part(people: PeopleClause) -> FilterPart:
    relaxed = []
    if people.named_count and (people.only or people.count or people.other_than):
        relaxed.append(replace(people, only=False, count=None, other_than=None))
    if people.named_count > 1:
        one_of = (*people.all_of, *(name for group in people.any_of for name in group))
        relaxed.append(PeopleClause(any_of=(one_of,)))
    return FilterPart(
        _describe_people(people),
        And(people.conditions),
        tuple(FilterPart(_describe_people(clause), And(clause.conditions)) for clause in relaxed),
    )


def _describe_people(people: PeopleClause) -> str:
    return "of nobody" if people.count == (0, 0) and not people.named_count else f"of {people}"


def _join_parts(parts: Sequence[FilterPart]) -> FilterAttempt:
    texts = [part.description for part in parts]
    description = " ".join(text if text.startswith(("of ", "in ")) else f"({text})" for text in texts)
    return FilterAttempt(And(tuple(part.condition for part in parts)), description)


# --- retrieving photos --------------------------------------------------------------------------------------


def retrieve_photos(
    source: PhotoSource, query: Query, plan: FilterPlan, base_condition: Condition
) -> RetrievedPhotos:
    """Try the steps of a plan until some photo passes.

    Parameters
    ----------
    source
        Where photos come from.
    query
        Says how many photos to return, and whether the filter may be relaxed.
    plan
        Who, where and when.
    base_condition
        What options ask for: it holds in every step.
    """
    required = (base_condition, plan.required)
    (first,), *others = list_relaxations(plan.parts, source.has_target)
    (fetched,) = _fetch_attempts(source, query, required, [first])
    if fetched.hits:
        return RetrievedPhotos(fetched.condition, [fetched.hits], fetched.passing_count)
    description = " ".join(filter(None, (first.description, plan.exclusions, query.filter_summary)))
    note = f"no photo {description}" if first.description or plan.exclusions else ""
    for steps in () if query.strict else others:
        found = [step for step in _fetch_attempts(source, query, required, steps) if step.hits]
        if found:
            relaxed = tuple(
                RelaxedFilter(
                    step.description, source.store.format_filter(step.condition), step.passing_count
                )
                for step in found
            )
            return RetrievedPhotos(fetched.condition, [step.hits for step in found], 0, relaxed, note)
    return RetrievedPhotos(fetched.condition, [[]], 0, note=note)


@dataclass(frozen=True)
class _FetchedAttempt:
    """A step, with all that a photo must fulfil, and what passed."""

    description: str
    condition: Condition
    hits: list[Hit]
    passing_count: int


def _fetch_attempts(
    source: PhotoSource, query: Query, required: tuple[Condition, ...], steps: Sequence[FilterAttempt]
) -> list[_FetchedAttempt]:
    fetched = []
    for step in steps:
        condition = And((*required, step.condition))
        hits, passing_count = _fetch_photos(source, query, condition)
        fetched.append(_FetchedAttempt(step.description, condition, hits, passing_count))
    return fetched


def _fetch_photos(source: PhotoSource, query: Query, condition: Condition) -> tuple[list[Hit], int]:
    """Return the best photos that pass, and how many do: known, or counted by asking for more."""
    known = _get_known_count(source, condition)
    by_score = query.sort == "score" and not query.collapse
    if known is None or not by_score or query.criteria.circle:
        limit = max(query.top_k, MAX_COUNTED + 1)
        return _fetch_within(query.criteria.circle, source.fetch, condition, limit)
    hits, _ = source.fetch(condition, query.top_k)
    return hits, known if len(hits) == query.top_k else len(hits)


def _get_known_count(source: PhotoSource, condition: Condition) -> int | None:
    """Return how many photos pass, where that was counted when the collection was built: one name, or all."""
    match list_conjuncts(condition):
        case []:
            return source.collection.rows
        case [Contains("face_labels", name)]:
            entry = source.vocabulary.people.get(normalize(name))
        case [Contains("place_words", name)]:
            entry = source.vocabulary.places.get(name)
        case _:
            return None
    return entry.photos if entry else None


def _fetch_within(
    circle: Circle | None, fetch: Fetch, condition: Condition, top_k: int
) -> tuple[list[Hit], int]:
    """Return the best photos in a circle, and how many there are; the condition has the boxes around it.

    More are fetched, without those already seen, until there are enough or no more: all but one may lie in a
    corner of a box.
    """
    if circle is None:
        return fetch(condition, top_k)
    found: list[Hit] = []
    seen: list[int] = []
    limit = 2 * top_k
    while len(found) < top_k:
        limit = min(limit, MAX_HITS)
        hits, _ = fetch(And((condition, Not(In("photo_id", tuple(seen))))), limit)
        found += [hit for hit in hits if circle.contains(hit.fields["latitude"], hit.fields["longitude"])]
        seen += [hit.id for hit in hits]
        if len(hits) < limit:
            break
        limit *= 4
    return found[:top_k], len(found)
