"""A plan is followed: one call of Milvus for each filter to try, until some photo passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagesearch.filters import Condition, Every, Contains, No, OneOf, leaves
from imagesearch.query import Circle
from imagesearch.search.plan import Plan, Step, steps
from imagesearch.search.query import COUNTED, Query, Relaxed
from imagesearch.store import MOST_HITS, Collection, Hit, Store, Vocabulary
from imagesearch.text import fold

Fetch = Callable[[Condition, int], tuple[list[Hit], int]]
"""Returns the best photos that pass a condition, at most so many, and how many pass as far as is known."""


@dataclass(frozen=True)
class Found:
    """What a plan came to: the filter that was asked for, the photos of each step, and what to say of it."""

    condition: Condition
    each: list[list[Hit]]
    passed: int
    relaxed: tuple[Relaxed, ...] = ()
    note: str = ""

    @property
    def hits(self) -> list[Hit]:
        """All photos, each once, those of the first step first."""
        return list({hit.id: hit for hits in self.each for hit in hits}.values())


class Follower:
    """Follows plans in one collection.

    Parameters
    ----------
    store, collection, vocabulary
        Where photos are looked for, and what was counted of them when it was built.
    """

    def __init__(self, store: Store, collection: Collection, vocabulary: Vocabulary) -> None:
        self._store, self._collection, self._vocabulary = store, collection, vocabulary

    def follow(self, query: Query, plan: Plan, always: Condition, fetch: Fetch, has_source: bool) -> Found:
        """Try the steps of a plan until some photo passes.

        Parameters
        ----------
        query
            Says how many are wanted, and whether anything may be loosened.
        plan
            Who, where and when.
        always
            What holds in every step.
        fetch
            Where photos come from.
        has_source
            Whether photos are compared to something, so that a search without a filter means something.
        """
        first, *others = steps(plan.parts, has_source)
        conditions, fetched = self._fetch_all(query, plan, always, fetch, first)
        asked, (hits, passed) = conditions[0], fetched[0]
        if hits:
            return Found(asked, [hits], passed)
        what = " ".join(filter(None, (first[0].said, plan.excluded, query.narrowed)))
        note = f"no photo {what}" if first[0].said or plan.excluded else ""
        for tried in () if query.strict else others:
            conditions, fetched = self._fetch_all(query, plan, always, fetch, tried)
            some = [step for step in zip(tried, conditions, fetched, strict=True) if step[2][0]]
            if some:
                relaxed = tuple(
                    Relaxed(step.said, self._store.expression(condition), passed)
                    for step, condition, (_, passed) in some
                )
                return Found(asked, [hits for _, _, (hits, _) in some], 0, relaxed, note)
        return Found(asked, [[]], 0, note=note)

    def _fetch_all(
        self, query: Query, plan: Plan, always: Condition, fetch: Fetch, tried: Sequence[Step]
    ) -> tuple[list[Condition], list[tuple[list[Hit], int]]]:
        conditions = [Every((always, plan.always, step.condition)) for step in tried]
        return conditions, [self._try(query, fetch, condition) for condition in conditions]

    def _try(self, query: Query, fetch: Fetch, condition: Condition) -> tuple[list[Hit], int]:
        """Return the best photos that pass, and how many do: known, or counted by asking for more."""
        known = self._known_count(condition)
        by_score = query.sort == "score" and not query.collapse
        if known is None or not by_score or query.criteria.circle:
            return _within(query.criteria.circle, fetch, condition, max(query.top_k, COUNTED + 1))
        hits, _ = fetch(condition, query.top_k)
        return hits, known if len(hits) == query.top_k else len(hits)

    def _known_count(self, condition: Condition) -> int | None:
        """How many photos pass, where that was counted when the collection was built: one name, or all."""
        match leaves(condition):
            case []:
                return self._collection.rows
            case [Contains("face_labels", name)]:
                word = self._vocabulary.people.get(fold(name))
            case [Contains("place_words", name)]:
                word = self._vocabulary.places.get(name)
            case _:
                return None
        return word.photos if word else None


def _within(circle: Circle | None, fetch: Fetch, where: Condition, top_k: int) -> tuple[list[Hit], int]:
    """Return the best photos in a circle, of which ``where`` knows the boxes around it, and how many passed.

    Asks on, without those already seen, until there are enough or no more: all but one may lie in a corner.
    """
    if circle is None:
        return fetch(where, top_k)
    found: list[Hit] = []
    seen: list[int] = []
    limit = 2 * top_k
    while len(found) < top_k:
        limit = min(limit, MOST_HITS)
        hits, _ = fetch(Every((where, No(OneOf("photo_id", tuple(seen))))), limit)
        found += [hit for hit in hits if circle.holds(hit.fields["latitude"], hit.fields["longitude"])]
        seen += [hit.id for hit in hits]
        if len(hits) < limit:
            break
        limit *= 4
    return found[:top_k], len(found)
