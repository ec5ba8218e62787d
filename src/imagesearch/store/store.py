"""Searching collections: by vectors, exactly and approximately, by words, by date, always under a filter."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from imagesearch.config import IndexSearchParams, MilvusConfig
from imagesearch.errors import UserError
from imagesearch.filters import MATCH_ALL, And, Between, Condition, Eq, In, format_filter, get_bounds
from imagesearch.store.client import search_hybrid
from imagesearch.store.collections import Collections
from imagesearch.store.schema import (
    LIST_FIELDS,
    MAX_HITS,
    WORDS_INDEX,
    CollectionInfo,
    CollectionRef,
    Hit,
    split_list,
)

_ROWS_A_BATCH = 5_000
# Of 100,000 rows of which 20 pass a filter a graph searched with ef 4,096 met 10 or more, but of the best 10
# only 8.6; where a hundred are met, in 1% of the rows, 9.95.
_ENOUGH_MET = 100
_FEW = 300  # photos that are ordered here rather than looked for by their dates
_HYBRID_DEPTH = 200  # of each of the two rankings that are fused


@dataclass(frozen=True)
class _IndexSearch:
    """One search, with everything settled."""

    collection: CollectionInfo
    vector: np.ndarray
    limit: int
    where: str
    min_score: float | None
    fields: tuple[str, ...]
    params: IndexSearchParams


class Store:
    """Searches in the collections of Milvus Lite or a server; a context manager.

    Parameters
    ----------
    milvus
        ``uri``, ``token`` and search parameters from the config.

    Attributes
    ----------
    collections : Collections
        Which there are, and how they are built.

    Raises
    ------
    UserError
        If the server does not answer, or another process has the file open.
    """

    def __init__(self, milvus: MilvusConfig) -> None:
        self.collections = Collections(milvus)
        self.uri = milvus.uri
        self._client = self.collections.client
        self._search_params = milvus.index.search_params

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; of Milvus Lite the file too, when its compaction has ended."""
        self.collections.close()

    def search(
        self,
        ref: CollectionRef,
        vector: np.ndarray,
        limit: int,
        *,
        where: Condition = MATCH_ALL,
        min_score: float | None = None,
        fields: Sequence[str] = ("path",),
        params: IndexSearchParams | None = None,
        widen: bool = True,
    ) -> list[Hit]:
        """Return the rows nearest to a vector, best first.

        No filter loses a row to an approximate index: when one gives fewer hits than asked for, or a graph
        meets so few of the rows that pass a filter that it need not have met the best ones, the search is
        repeated exactly over the rows that pass.

        Parameters
        ----------
        vector : (d,) float32
            Of unit length, so that the inner product is the cosine.
        limit
            At most so many.
        where
            What the rows must fulfil.
        min_score
            Leave out lower scores.
        fields
            To return with each hit.
        params
            Of the index, in place of the config's.
        widen
            False gives what the index alone finds, filter or not: for measuring what that would lose.
        """
        # The same inner product comes out some 1e-7 apart from one search path to another
        least = None if min_score is None else min_score - 1e-6
        limit = min(limit, MAX_HITS)
        written = self.format_filter(where)
        params = params or self._search_params
        collection = self.collections.open(ref)
        index = collection.index
        in_graph = widen and bool(written) and not (index.is_exact or index.has_clusters)
        depth = max(limit, _ENOUGH_MET) if in_graph else limit
        query = _IndexSearch(collection, vector, depth, written, least, tuple(fields), params)
        hits = self._search_index(query, exhaustive=widen and bool(written))
        if not widen or len(hits) == depth or index.is_exact or collection.rows == 0:
            return hits[:limit]
        if index.has_clusters:
            return hits if written else self._search_index(query, exhaustive=True)
        if least is not None:
            # Few above the score, or few found? An answer that is full without the score means: few above it.
            full = self._search_index(replace(query, min_score=None), exhaustive=in_graph)
            if len(full) == depth:
                return [hit for hit in full if hit.score >= least][:limit]
        return self._search_exactly(replace(query, limit=limit))

    def search_hybrid(
        self,
        ref: CollectionRef,
        vector: np.ndarray | None,
        words: str,
        limit: int,
        *,
        where: Condition = MATCH_ALL,
        fields: Sequence[str] = ("path",),
        ranker: str = "rrf",
    ) -> list[Hit]:
        """Return photos by a CLIP vector and by the words known of them (BM25), fused inside Milvus.

        Parameters
        ----------
        vector : (d,) float32, optional
            Of unit length; without it words alone decide.
        words
            Folded, as the photos' are.
        ranker
            ``"rrf"``, reciprocal rank fusion, or ``"weighted"``, half and half of both scores.

        Returns
        -------
        hits : list of Hit
            With fused scores, which are no similarities.

        Raises
        ------
        UserError
            If this server has no BM25 function.
        """
        if not self.collections.dialect.has_bm25:
            raise UserError(
                f"{self.uri}: this server has no BM25 function (Milvus has it from 2.5 on); "
                "use --strategy filter"
            )
        collection = self.collections.open(ref)
        depth = min(max(limit, _HYBRID_DEPTH), MAX_HITS)
        by_vector = [] if vector is None else [("embedding", np.asarray(vector, np.float32), "IP")]
        found = search_hybrid(
            self._client,
            collection.alias,
            [*by_vector, (WORDS_INDEX, words, "BM25")],
            depth,
            self.format_filter(where),
            ranker,
            limit,
            list(fields),
        )
        return [
            Hit(hit["photo_id"], float(hit["distance"]), _select_fields(hit["entity"], fields))
            for hit in found
        ]

    def list_newest(
        self,
        ref: CollectionRef,
        limit: int,
        *,
        where: Condition = MATCH_ALL,
        fields: Sequence[str] = (),
        periods: Sequence[int] = (),
    ) -> tuple[list[Hit], int]:
        """Return the photos that pass a filter, newest first, those of unknown time last; without scores.

        Milvus Lite cannot order what it returns. So all that pass are ordered here, if they are few; else it
        is asked for one stretch of time after another, back from the newest that can pass.

        Parameters
        ----------
        periods
            Times that part the photos into stretches of some 500, the newest first.

        Returns
        -------
        hits : list of Hit
        passed : int
            How many pass the filter, exactly if it is no more than 300.
        """
        collection = self.collections.open(ref)
        found = self._find_passing(collection, where, _FEW + 1)
        keys = (
            _sort_newest(found, limit)
            if len(found) <= _FEW
            else self._walk_back(collection, where, limit, periods)
        )
        return self.read_rows(ref, keys, fields), len(found)

    def _walk_back(
        self, collection: CollectionInfo, where: Condition, limit: int, periods: Sequence[int]
    ) -> list[int]:
        """Return the keys of the newest photos that pass, looked for stretch by stretch."""
        low, high = get_bounds(where, "taken_at")
        edges = [high, *(time for time in periods if low < time < high), low]
        keys: list[int] = []
        at, width = 0, 1
        while at < len(edges) - 1 and len(keys) < limit:
            end = min(at + width, len(edges) - 1)
            limits = (None if math.isinf(edge) else edge for edge in (edges[end], edges[at]))
            stretch = And((where, Eq("has_time", True), Between("taken_at", *limits)))
            found = self._find_passing(collection, stretch, MAX_HITS if width == 1 else _FEW + 1)
            if len(found) > _FEW and width > 1:
                width = 1
                continue
            keys += _sort_newest(found, limit - len(keys))
            # over a long time without photos in long strides
            at, width = end, 1 if found else 2 * width
        if len(keys) < limit:
            undated = self._find_passing(collection, And((where, Eq("has_time", False))), MAX_HITS)
            keys += _sort_newest(undated, limit - len(keys))
        return keys

    def _find_passing(
        self, collection: CollectionInfo, where: Condition, most: int
    ) -> list[tuple[int, float]]:
        """Return key and time of photos that pass a filter, at most so many; which ones is Milvus' choice."""
        fields = ["has_time", "taken_at"]
        if collection.index.is_exact:
            # Milvus Lite passes a filter four times as fast for a search, whatever is looked for
            axis = np.eye(1, collection.dimension, dtype=np.float32)[0]
            hits = self.search(collection.ref, axis, most, where=where, fields=fields)
            rows = [(hit.id, hit.fields) for hit in hits]
        else:
            key, written = collection.ref.key, self.format_filter(where)
            found = self._client.query(
                collection.alias, filter=written, output_fields=[key, *fields], limit=most
            )
            rows = [(row[key], row) for row in found]
        return [(key, row["taken_at"] if row["has_time"] else -math.inf) for key, row in rows]

    def read_rows(
        self,
        ref: CollectionRef,
        keys: Sequence[int],
        fields: Sequence[str],
        where: Condition = MATCH_ALL,
    ) -> list[Hit]:
        """Return the rows of some keys that pass a filter, in the order of the keys; without scores."""
        collection = self.collections.open(ref)
        key = ref.key
        found: dict[int, dict[str, Any]] = {}
        for start in range(0, len(keys), _ROWS_A_BATCH):
            these = In(key, tuple(keys[start : start + _ROWS_A_BATCH]))
            written = self.format_filter(And((these, where)))
            rows = self._client.query(collection.alias, filter=written, output_fields=[key, *fields])
            found |= {row[key]: _select_fields(row, fields) for row in rows}
        return [Hit(k, None, found[k]) for k in keys if k in found]

    def read_all_rows(self, ref: CollectionRef, fields: Sequence[str] = ()) -> Iterator[Hit]:
        """Yield all rows with some of their fields, in the order Milvus keeps them; without scores."""
        key = ref.key
        for row in self.collections.iterate_rows(self.collections.open(ref).alias, [key, *fields]):
            yield Hit(row[key], None, _select_fields(row, fields))

    def format_filter(self, where: Condition) -> str:
        """Write a condition as this engine wants it; empty where everything passes."""
        return format_filter(where, lists_are_arrays=self.collections.dialect.lists_are_arrays)

    def read_vectors(self, ref: CollectionRef, keys: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of some rows, (d,) float32, by key."""
        hits = self.read_rows(ref, keys, ("embedding",))
        return {hit.id: np.asarray(hit.fields["embedding"], np.float32) for hit in hits}

    def sample_vectors(self, ref: CollectionRef, size: int) -> np.ndarray:
        """Return the vectors of some ``size`` rows, (n, d) float32; which rows is Milvus' choice."""
        self.collections.open(ref)
        rows = self._client.query(ref.alias, limit=size, output_fields=["embedding"])
        return np.asarray([row["embedding"] for row in rows], np.float32)

    def _search_index(self, query: _IndexSearch, exhaustive: bool) -> list[Hit]:
        index = query.collection.index
        params: dict[str, Any] = dict(index.search_params(query.params, query.limit, exhaustive))
        if query.min_score is not None:
            params["radius"] = query.min_score
        found = self._client.search(
            query.collection.alias,
            data=[np.asarray(query.vector, np.float32)],
            anns_field="embedding",
            limit=query.limit,
            filter=query.where,
            search_params={"metric_type": "IP", "params": params},
            output_fields=list(query.fields),
        )[0]
        key = query.collection.ref.key
        return [
            Hit(hit[key], float(hit["distance"]), _select_fields(hit["entity"], query.fields))
            for hit in found
        ]

    def _search_exactly(self, query: _IndexSearch) -> list[Hit]:
        """Score every row that passes the filter; only the best so far are kept in memory."""
        key = query.collection.ref.key
        fields = [key, "embedding", *query.fields]
        best: list[Hit] = []
        for row in self._query_rows(query.collection.alias, fields, query.where):
            score = float(np.dot(np.asarray(row["embedding"], np.float32), query.vector))
            if query.min_score is None or score >= query.min_score:
                best.append(Hit(row[key], score, _select_fields(row, query.fields)))
            if len(best) > 2 * query.limit:
                best = sorted(best, key=lambda hit: -hit.score)[: query.limit]
        return sorted(best, key=lambda hit: -hit.score)[: query.limit]

    def _query_rows(self, name: str, fields: Sequence[str], where: str) -> Iterable[dict[str, Any]]:
        """Return the rows that pass a filter."""
        # One request where that suffices, as it nearly always does: an iterator takes 0.2 s to set up
        rows = self._client.query(name, filter=where, output_fields=list(fields), limit=_ROWS_A_BATCH)
        return self.collections.iterate_rows(name, fields, where) if len(rows) == _ROWS_A_BATCH else rows


# --- details -----------------------------------------------------------------------------------------------


def _select_fields(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return some fields of a row, with lists as lists whatever they are kept as."""
    fields = {name: row[name] for name in names}
    for name in LIST_FIELDS & fields.keys():
        value = fields[name]
        fields[name] = split_list(value) if isinstance(value, str) else list(value)
    return fields


def _sort_newest(photos: Sequence[tuple[int, float]], limit: int) -> list[int]:
    """Return the keys of the newest photos, given with their times."""
    return [key for key, _ in heapq.nsmallest(limit, photos, lambda photo: (-photo[1], photo[0]))]
