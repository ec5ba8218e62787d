"""Searching collections: by vectors, exactly and approximately, by words, by date, always under a filter."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from imagesearch.config import IndexSearchParams, MilvusConfig
from imagesearch.errors import UserError
from imagesearch.filters import MATCH_ALL, And, Between, Condition, Eq, In, format_filter, get_bounds
from imagesearch.store.client import make_ranker, make_search_request
from imagesearch.store.collections import Collections
from imagesearch.store.schema import (
    MAX_HITS,
    WORDS_INDEX,
    CollectionInfo,
    CollectionRef,
    Hit,
    make_hit,
    select_fields,
)
from imagesearch.store.vector_search import VectorQuery, search_nearest, search_once

_ROWS_A_BATCH = 5_000
_MAX_SORTED = 300  # photos that are sorted here; more are queried period by period
_HYBRID_DEPTH = 200  # of each of the two rankings that are fused


class Store:
    """Searches the collections of Milvus Lite or a server; a context manager.

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
        """
        query = VectorQuery(
            self.collections.open(ref),
            vector,
            min(limit, MAX_HITS),
            self.format_filter(where),
            params or self._search_params,
            # the same inner product comes out some 1e-7 apart from one search path to another
            min_score=None if min_score is None else min_score - 1e-6,
            fields=tuple(fields),
        )
        return search_nearest(self.collections, query)

    def search_index(
        self,
        ref: CollectionRef,
        vector: np.ndarray,
        limit: int,
        *,
        where: Condition = MATCH_ALL,
        params: IndexSearchParams | None = None,
    ) -> list[Hit]:
        """Return what one search of the index alone finds: for measuring what a filter loses to it.

        Parameters
        ----------
        vector, limit, where, params
            As of `search`.
        """
        query = VectorQuery(
            self.collections.open(ref),
            vector,
            min(limit, MAX_HITS),
            self.format_filter(where),
            params or self._search_params,
        )
        return search_once(self.collections.client, query, exhaustive=False)

    def search_hybrid(
        self,
        ref: CollectionRef,
        vector: np.ndarray | None,
        text: str,
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
            Of unit length; without it the text alone decides.
        text
            What BM25 looks for; normalized, as the photos' words are.
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
        self.collections.open(ref)
        depth, expression = min(max(limit, _HYBRID_DEPTH), MAX_HITS), self.format_filter(where)
        requests = [make_search_request(WORDS_INDEX, text, "BM25", depth, expression)]
        if vector is not None:
            vector = np.asarray(vector, np.float32)
            requests.insert(0, make_search_request("embedding", vector, "IP", depth, expression))
        fusion = make_ranker(ranker, len(requests))
        rows = self._client.hybrid_search(
            ref.alias, requests, fusion, limit=limit, output_fields=list(fields)
        )[0]
        return [make_hit(row, ref.key, fields) for row in rows]

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

        Milvus Lite cannot sort what it returns. So all that pass are sorted here, if they are few; else it
        is queried for one period after another, back from the newest that can pass.

        Parameters
        ----------
        periods
            Times that divide the photos into periods of some 500, the newest first.

        Returns
        -------
        hits : list of Hit
        passing_count : int
            How many pass the filter, exactly if it is no more than 300.
        """
        collection = self.collections.open(ref)
        # as many as are asked for are read anyway: of 50,000 photos in 75 ms, where the periods took 1.4 s
        most = min(max(limit, _MAX_SORTED), MAX_HITS - 1)
        times = self._read_times(collection, where, most + 1)
        keys = (
            _select_newest(times, limit)
            if len(times) <= most
            else self._collect_newest(collection, where, limit, periods)
        )
        return self.read_rows(ref, keys, fields), len(times)

    def read_rows(
        self,
        ref: CollectionRef,
        keys: Sequence[int],
        fields: Sequence[str],
        where: Condition = MATCH_ALL,
    ) -> list[Hit]:
        """Return the rows of some keys that pass a filter, in the order of the keys; without scores."""
        self.collections.open(ref)
        found: dict[int, dict[str, Any]] = {}
        for start in range(0, len(keys), _ROWS_A_BATCH):
            batch = In(ref.key, tuple(keys[start : start + _ROWS_A_BATCH]))
            expression = self.format_filter(And((batch, where)))
            rows = self._client.query(ref.alias, filter=expression, output_fields=[ref.key, *fields])
            found |= {row[ref.key]: select_fields(row, fields) for row in rows}
        return [Hit(key, None, found[key]) for key in keys if key in found]

    def read_all_rows(self, ref: CollectionRef, fields: Sequence[str] = ()) -> Iterator[Hit]:
        """Yield all rows with some of their fields, in the order Milvus keeps them; without scores."""
        self.collections.open(ref)
        for row in self.collections.iterate_rows(ref.alias, [ref.key, *fields]):
            yield Hit(row[ref.key], None, select_fields(row, fields))

    def format_filter(self, where: Condition) -> str:
        """Return a condition as this engine's filter expression; empty where everything passes."""
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

    # --- listing by date -----------------------------------------------------------------------------------

    def _collect_newest(
        self, collection: CollectionInfo, where: Condition, limit: int, periods: Sequence[int]
    ) -> list[int]:
        """Return the keys of the newest photos that pass, period by period."""
        low, high = get_bounds(where, "taken_at")
        edges = [high, *(time for time in periods if low < time < high), low]
        keys: list[int] = []
        start, width = 0, 1
        while start < len(edges) - 1 and len(keys) < limit:
            end = min(start + width, len(edges) - 1)
            bounds = (None if math.isinf(edge) else edge for edge in (edges[end], edges[start]))
            within = And((where, Eq("has_time", True), Between("taken_at", *bounds)))
            times = self._read_times(collection, within, MAX_HITS if width == 1 else _MAX_SORTED + 1)
            if len(times) > _MAX_SORTED and width > 1:
                width = 1
                continue
            keys += _select_newest(times, limit - len(keys))
            # over a long time without photos in ever longer steps
            start, width = end, 1 if times else 2 * width
        if len(keys) < limit:
            undated = self._read_times(collection, And((where, Eq("has_time", False))), MAX_HITS)
            keys += _select_newest(undated, limit - len(keys))
        return keys

    def _read_times(
        self, collection: CollectionInfo, where: Condition, limit: int
    ) -> list[tuple[int, float]]:
        """Return key and time of photos that pass a filter, at most so many; which ones is Milvus' choice."""
        fields = ["has_time", "taken_at"]
        if collection.index.is_exact:
            # Milvus Lite passes a filter four times as fast for a search, whatever the vector
            axis = np.eye(1, collection.dimension, dtype=np.float32)[0]
            hits = self.search(collection.ref, axis, limit, where=where, fields=fields)
            rows = [(hit.id, hit.fields) for hit in hits]
        else:
            alias, key = collection.ref.alias, collection.ref.key
            found = self._client.query(
                alias, filter=self.format_filter(where), output_fields=[key, *fields], limit=limit
            )
            rows = [(row[key], row) for row in found]
        return [(key, row["taken_at"] if row["has_time"] else -math.inf) for key, row in rows]


# --- details -----------------------------------------------------------------------------------------------


def _select_newest(times: Sequence[tuple[int, float]], limit: int) -> list[int]:
    """Return the keys of the newest photos, given keys and times."""
    return [key for key, _ in heapq.nsmallest(limit, times, lambda pair: (-pair[1], pair[0]))]
