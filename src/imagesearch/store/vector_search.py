"""Searching a collection by a vector: with its index, and exactly where the index may miss the best rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagesearch.config import IndexSearchParams
from imagesearch.store.collections import Collections
from imagesearch.store.schema import CollectionInfo, Hit, make_hit, select_fields

_ROWS_A_BATCH = 5_000
# Of 100,000 rows of which 20 pass a filter a graph searched with ef 4,096 met 10 or more, but of the best 10
# only 8.6; where a hundred are met, in 1% of the rows, 9.95.
_MIN_GRAPH_HITS = 100


@dataclass(frozen=True)
class VectorQuery:
    """A search by a vector, with every parameter settled; ``expression`` is the filter, empty for none."""

    collection: CollectionInfo
    vector: np.ndarray
    limit: int
    expression: str
    params: IndexSearchParams
    min_score: float | None = None
    fields: tuple[str, ...] = ("path",)


def search_nearest(collections: Collections, query: VectorQuery) -> list[Hit]:
    """Return the rows nearest to a vector, best first, whatever the index alone would miss."""
    index, is_filtered = query.collection.index, bool(query.expression)
    if not (index.is_exact or index.has_clusters):
        return _search_graph(collections, query)
    hits = search_once(collections.client, query, exhaustive=is_filtered)
    is_full = len(hits) == query.limit or query.collection.rows == 0
    if is_full or index.is_exact or is_filtered:
        return hits
    return search_once(collections.client, query, exhaustive=True)


def _search_graph(collections: Collections, query: VectorQuery) -> list[Hit]:
    """Search a graph, and exactly where it may have missed the best rows."""
    is_filtered = bool(query.expression)
    depth = max(query.limit, _MIN_GRAPH_HITS) if is_filtered else query.limit
    deep = replace(query, limit=depth)
    hits = search_once(collections.client, deep, exhaustive=is_filtered)
    if len(hits) == depth or query.collection.rows == 0:
        return hits[: query.limit]
    if query.min_score is not None:
        # Few above the score, or few found? A search that is full without the score means: few above it.
        unlimited = search_once(collections.client, replace(deep, min_score=None), exhaustive=is_filtered)
        if len(unlimited) == depth:
            return [hit for hit in unlimited if hit.score >= query.min_score][: query.limit]
    return _search_exactly(collections, query)


def search_once(client: Any, query: VectorQuery, exhaustive: bool) -> list[Hit]:
    """Return what one search of the index finds."""
    index = query.collection.index
    params: dict[str, Any] = dict(index.make_search_params(query.params, query.limit, exhaustive))
    if query.min_score is not None:
        params["radius"] = query.min_score
    rows = client.search(
        query.collection.ref.alias,
        data=[np.asarray(query.vector, np.float32)],
        anns_field="embedding",
        limit=query.limit,
        filter=query.expression,
        search_params={"metric_type": "IP", "params": params},
        output_fields=list(query.fields),
    )[0]
    return [make_hit(row, query.collection.ref.key, query.fields) for row in rows]


def _search_exactly(collections: Collections, query: VectorQuery) -> list[Hit]:
    """Score every row that passes the filter; only the best so far are kept in memory."""
    alias, key = query.collection.ref.alias, query.collection.ref.key
    best: list[Hit] = []
    for row in _query_rows(collections, alias, [key, "embedding", *query.fields], query.expression):
        score = float(np.dot(np.asarray(row["embedding"], np.float32), query.vector))
        if query.min_score is None or score >= query.min_score:
            best.append(Hit(row[key], score, select_fields(row, query.fields)))
        if len(best) > 2 * query.limit:
            best = sorted(best, key=lambda hit: -hit.score)[: query.limit]
    return sorted(best, key=lambda hit: -hit.score)[: query.limit]


def _query_rows(
    collections: Collections, alias: str, fields: list[str], expression: str
) -> Iterable[dict[str, Any]]:
    """Return the rows that pass a filter."""
    # One request where that suffices, as it nearly always does: an iterator takes 0.2 s to set up
    rows = collections.client.query(alias, filter=expression, output_fields=fields, limit=_ROWS_A_BATCH)
    if len(rows) < _ROWS_A_BATCH:
        return rows
    return collections.iterate_rows(alias, fields, expression)
