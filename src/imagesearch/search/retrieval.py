"""Stage 4, retrieve: photos from Milvus, with a relaxed filter if no photo passes the whole filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from imagesearch.filters import (
    And,
    Condition,
    Contains,
    HasText,
    In,
    Not,
    has_circle,
    is_fulfilled,
    list_conjuncts,
    list_fields,
)
from imagesearch.search.answer import MAX_COUNTED, RelaxedFilter
from imagesearch.search.content import ContentMatcher
from imagesearch.search.face_search import find_photo_ids, find_photos_by_face
from imagesearch.search.nearest_days import find_nearest_days
from imagesearch.search.query import Query
from imagesearch.search.query_photos import list_own_ids
from imagesearch.search.relaxation import FilterAttempt, FilterPart, describe_date_alone, list_relaxations
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources
from imagesearch.search.scope import SearchScope
from imagesearch.search.target import SearchTarget
from imagesearch.search.union import fetch_union, is_union, list_union_attempts
from imagesearch.store import MAX_HITS, CollectionInfo, Hit, Vocabulary
from imagesearch.text import normalize

_TEXT_FIELD = "words"  # the normalized description, names and places of a photo
# The fields that ranking uses. The other fields are read only for the photos shown, which is cheaper.
RANKING_FIELDS = ("has_time", "taken_at", "latitude", "longitude")


@dataclass(frozen=True)
class RetrievedPhotos:
    """Photos from Milvus.

    Attributes
    ----------
    condition : Condition
        The whole filter, before any relaxation.
    hits_by_attempt : tuple of tuple of Hit
        The photos found with each filter that was used. There is one list unless the filter was relaxed.
    passing_count : int
        Number of photos that pass the whole filter, exact up to `MAX_COUNTED`.
    relaxed : tuple of RelaxedFilter
        The filters used instead, one for each list of photos; empty if the filter was not relaxed.
    note : str
        A note that no photo passes the whole filter; empty if at least one does.
    left_out_count : int
        Number of photos that were found and left out because they show something excluded.
    fits : dict
        If several things are joined: the combined calibrated score, by photo id.
    part_counts : dict
        In a union: the number of parts that a photo fulfils, by photo id. Empty for other strategies.
    found_itself : bool
        Whether photos of the query passed the whole filter, and were left out.
    described_ids : frozenset of int
        The photos whose description, names or places have the texts after ``text:``. They come first.
    """

    condition: Condition
    hits_by_attempt: tuple[tuple[Hit, ...], ...]
    passing_count: int
    relaxed: tuple[RelaxedFilter, ...] = ()
    note: str = ""
    part_counts: Mapping[int, int] = field(default_factory=dict)
    left_out_count: int = 0
    fits: Mapping[int, float] = field(default_factory=dict)
    described_ids: frozenset[int] = frozenset()
    found_itself: bool = False

    @property
    def hits(self) -> list[Hit]:
        """All photos, each once, those of the first filter first."""
        return list({hit.id: hit for hits in self.hits_by_attempt for hit in hits}.values())


def retrieve_photos(
    request: ParsedRequest, scope: SearchScope, target: SearchTarget, resources: SearchResources
) -> RetrievedPhotos:
    """Search with the whole filter, then with relaxed filters until one has results."""
    matcher = ContentMatcher(target, request.parsed.join, scope.collection, resources)
    own_ids = list_own_ids(request.query, resources)
    # As many more are fetched as are left out, so that the numbers of photos that pass stay the same.
    top_k = min(request.query.top_k + len(own_ids), MAX_HITS)
    request = replace(request, query=replace(request.query, top_k=top_k))
    source = _PhotoSource(request, scope.collection, target, resources, matcher, own_ids)
    found = _put_described_first(source, _retrieve(source, scope))
    fits = {photo: fit for photo, fit in matcher.fits.items() if photo not in own_ids}
    return replace(found, left_out_count=len(matcher.left_out - own_ids), fits=fits)


def _put_described_first(source: _PhotoSource, found: RetrievedPhotos) -> RetrievedPhotos:
    """Put the photos first whose description, names or places have the texts after ``text:``."""
    quoted = source.request.parsed.quoted
    if not quoted or found.relaxed or _TEXT_FIELD not in source.collection.field_types:
        return found
    has_texts = (HasText(_TEXT_FIELD, text) for text in quoted)
    top_k = source.request.query.top_k
    described, _ = _fetch_matching(source, And((found.condition, *has_texts)), top_k, 4 * top_k)
    described = source.drop_own(described)
    hits = {hit.id: hit for hit in (*described, *found.hits)}
    ids = frozenset(hit.id for hit in described)
    return replace(found, hits_by_attempt=(tuple(hits.values()),), described_ids=ids)


def _retrieve(source: _PhotoSource, scope: SearchScope) -> RetrievedPhotos:
    request, target, resources = source.request, source.target, source.resources
    required = (And((scope.required, *_require_face(target, resources))), scope.plan.required)
    parts = scope.plan.parts
    if is_union(request.query, parts):
        (whole,), *relaxations = list_union_attempts(parts, target.is_given)
        first = _try_union(source, required, whole, parts)
    else:
        (whole,), *relaxations = list_relaxations(parts, target.is_given)
        first = _try_filter(source, required, whole)
    if first.hits:
        return RetrievedPhotos(
            first.condition,
            (first.hits,),
            first.passing_count,
            part_counts=first.part_counts,
            found_itself=first.found_itself,
        )
    note = _describe_empty_result(request.query, scope, whole, first.found_itself)
    if not (target.is_given or request.query.strict) and describe_date_alone(scope.plan):
        relaxations = [[near] for near in find_nearest_days(request.parsed, scope, resources)]
    for attempts in () if request.query.strict else relaxations:
        found = [result for a in attempts if (result := _try_filter(source, required, a)).hits]
        if found:
            hits = tuple(result.hits for result in found)
            relaxed = tuple(_describe_relaxed_filter(result, resources) for result in found)
            return RetrievedPhotos(first.condition, hits, first.passing_count, relaxed, note)
    return RetrievedPhotos(
        first.condition, ((),), first.passing_count, note=note, found_itself=first.found_itself
    )


def _require_face(target: SearchTarget, resources: SearchResources) -> tuple[Condition, ...]:
    """Return the face as a condition, if photos are ranked by a text or a photo."""
    if target.face is None or target.vector is None:
        return ()
    return (In("photo_id", find_photo_ids(target.face, resources)),)


def _describe_empty_result(query: Query, scope: SearchScope, whole: FilterAttempt, found_itself: bool) -> str:
    if not (whole.description or scope.plan.exclusions) or scope.plan.is_missing_place:
        return ""  # the parser has noted that no photo was taken there
    described = describe_date_alone(scope.plan) or whole.description
    parts = (described, scope.plan.exclusions, query.fixed_filter_title)
    return f"no {'other ' if found_itself else ''}photo {' '.join(filter(None, parts))}"


# --- one filter ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _PhotoSource:
    """The values that all attempts share."""

    request: ParsedRequest
    collection: CollectionInfo
    target: SearchTarget
    resources: SearchResources
    matcher: ContentMatcher
    own_ids: frozenset[int]

    def drop_own(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the photos without those of the query."""
        return [hit for hit in hits if hit.id not in self.own_ids]


@dataclass(frozen=True)
class _AttemptResult:
    """The photos that passed a filter, and how many pass in total."""

    description: str
    condition: Condition
    hits: tuple[Hit, ...]
    passing_count: int
    part_counts: Mapping[int, int] = field(default_factory=dict)
    found_itself: bool = False


def _try_filter(
    source: _PhotoSource, required: tuple[Condition, ...], attempt: FilterAttempt
) -> _AttemptResult:
    """Return the best photos that pass. If their number is unknown, more are fetched to count them."""
    query = source.request.query
    condition = And((*required, attempt.condition))
    known_count = _get_known_count(source.collection, source.resources.vocabulary, condition)
    needs_top_only = query.sort == "score" and not query.collapse
    if known_count is not None and needs_top_only:
        hits, found = _fetch_matching(source, condition, query.top_k, 4 * query.top_k)
        count = known_count if len(hits) == query.top_k else found
    elif source.matcher.excludes and needs_top_only:
        hits, count = _fetch_matching(source, condition, query.top_k, 4 * query.top_k + MAX_COUNTED)
    else:
        limit = max(query.top_k, MAX_COUNTED + 1)
        hits, count = _fetch_matching(source, condition, limit, 2 * limit)
    others = tuple(source.drop_own(hits))
    return _AttemptResult(attempt.description, condition, others, count, found_itself=len(others) < len(hits))


def _try_union(
    source: _PhotoSource, required: tuple[Condition, ...], attempt: FilterAttempt, parts: Sequence[FilterPart]
) -> _AttemptResult:
    """Return the photos that fulfil any part, those that fulfil more of them first."""
    query = source.request.query
    limit = max(query.top_k, MAX_COUNTED + 1)

    def fetch(condition: Condition) -> tuple[Sequence[Hit], int]:
        return _fetch_matching(source, And((*required, condition)), limit, 2 * limit)

    union = fetch_union(query, parts, fetch)
    condition = And((*required, attempt.condition))
    hits, count = tuple(source.drop_own(union.hits)), union.passing_count
    found_itself = len(hits) < len(union.hits)
    return _AttemptResult(attempt.description, condition, hits, count, union.part_counts, found_itself)


def _describe_relaxed_filter(result: _AttemptResult, resources: SearchResources) -> RelaxedFilter:
    expression = resources.store.format_filter(result.condition)
    return RelaxedFilter(result.description, expression, result.passing_count)


def _get_known_count(collection: CollectionInfo, vocabulary: Vocabulary, condition: Condition) -> int | None:
    """Return how many photos pass, if it is known: for a filter of one name, and for no filter."""
    has_counts = collection.vocabulary == vocabulary.digest  # otherwise they are of another build
    match list_conjuncts(condition):
        case []:
            return collection.rows
        case [Contains("face_labels", name)] if has_counts:
            entry = vocabulary.people.get(normalize(name))
        case [Contains("place_words", name)] if has_counts:
            entry = vocabulary.places.get(name)
        case _:
            return None
    return entry.photos if entry else None


# --- calls of Milvus ----------------------------------------------------------------------------------------


def _fetch_photos(
    source: _PhotoSource, where: Condition, limit: int, extra_fields: Sequence[str] = ()
) -> tuple[list[Hit], int]:
    """Return up to ``limit`` photos that pass, best first, and the number of passing photos found."""
    query, target, store = source.request.query, source.target, source.resources.store
    ref, fields = source.collection.ref, (*RANKING_FIELDS, *extra_fields, *source.matcher.fields)

    def search(vector: np.ndarray, limit: int, where: Condition, fields: Sequence[str]) -> list[Hit]:
        return store.search(ref, vector, limit, where=where, fields=fields)

    if target.vector is not None and query.strategy == "hybrid":
        hits = _fetch_hybrid(source, where, limit, fields)
    elif target.joined is not None:
        hits = source.matcher.search_joined(where, limit, (*RANKING_FIELDS, *extra_fields), search)
    elif target.vector is not None:
        hits = search(target.vector, limit, where, fields)
    elif target.face is not None:
        hits = find_photos_by_face(target.face, ref, limit, where, query.min_score, fields, source.resources)
    else:
        few = limit if query.collapse or extra_fields or source.matcher.excludes else query.top_k
        periods = source.resources.vocabulary.periods
        newest_first = query.sort != "oldest"
        return store.list_by_date(
            ref, few, newest_first=newest_first, where=where, fields=fields, periods=periods
        )
    return hits, len(hits)


def _fetch_hybrid(source: _PhotoSource, where: Condition, limit: int, fields: Sequence[str]) -> list[Hit]:
    vector = None if source.request.names_only else source.target.vector
    return source.resources.store.search_hybrid(
        source.collection.ref,
        vector,
        source.request.bm25_text,
        limit,
        where=where,
        fields=fields,
        ranker=source.resources.config.search.ranker,
    )


def _fetch_matching(
    source: _PhotoSource, condition: Condition, limit: int, batch: int
) -> tuple[list[Hit], int]:
    """Return the best photos that pass, are within the circle, and show nothing excluded.

    Also return how many are within the circle. For a circle, the filter only checks boxes, so the rows are
    judged here; and Milvus cannot compare a photo with a second text. So further photos are fetched until
    there are enough.

    Parameters
    ----------
    batch
        How many photos are fetched first, if some can be left out.
    """
    matcher = source.matcher
    inexact = And(tuple(part for part in list_conjuncts(condition) if has_circle(part)))
    if not (inexact.conditions or matcher.excludes):
        return _fetch_photos(source, condition, limit)
    key = source.collection.ref.key
    extra = tuple(sorted(list_fields(inexact) - {key, *RANKING_FIELDS}))
    found: list[Hit] = []
    fetched: list[int] = []
    passing_count = 0
    while len(found) < limit and len(fetched) < MAX_HITS:
        batch = min(batch, MAX_HITS)
        where = And((condition, Not(In("photo_id", tuple(fetched))))) if fetched else condition
        hits, count = _fetch_photos(source, where, batch, extra)
        if inexact.conditions:
            inside = [hit for hit in hits if is_fulfilled(inexact, {**hit.fields, key: hit.id})]
            passing_count += len(inside)
        else:
            inside = hits
            passing_count = max(passing_count, len(fetched) + count)
        found += matcher.drop_excluded(inside, limit - len(found))
        fetched += [hit.id for hit in hits]
        if len(hits) < batch:
            break
        batch *= 4
    return found, passing_count
