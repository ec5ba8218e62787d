"""Searches in collections, by vectors, words or date, with filters."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from imagesearch.config import IndexSearchParams, MilvusConfig
from imagesearch.errors import UserError
from imagesearch.filters import (
    MATCH_ALL,
    And,
    Condition,
    In,
    format_filter,
    list_fields,
)
from imagesearch.store.client import check_lite_file
from imagesearch.store.collections import Collections
from imagesearch.store.date_listing import DateListing, PhotoTime
from imagesearch.store.dialect import LITE, Dialect
from imagesearch.store.hybrid_search import (
    HybridQuery,
    WordRanking,
    combine_rankings,
    search_hybrid_in_milvus,
)
from imagesearch.store.schema import (
    MAX_HITS,
    WORDS_INDEX,
    CollectionInfo,
    CollectionRef,
    Hit,
    select_fields,
)
from imagesearch.store.vector_index import check_options, choose_index
from imagesearch.store.vector_search import VectorQuery, search_nearest, search_once

_BATCH_ROWS = 5_000


class Store:
    """Searches the collections of Milvus Lite or a server; a context manager.

    Parameters
    ----------
    milvus
        The settings of the connection and of searches in the config.
    create
        Create a Milvus Lite database that does not exist. A search does not create one.

    Attributes
    ----------
    collections : Collections
        Lists, opens and changes the collections.

    Raises
    ------
    UserError
        If the database does not exist and is not created; if the server does not answer, or a process has the
        file open that does not share it.
    """

    def __init__(self, milvus: MilvusConfig, *, create: bool = True) -> None:
        if milvus.is_missing:  # a wrong setting is reported before a missing database
            check_options(milvus.index, LITE)
        self.collections = Collections(milvus, create=create)
        self.uri = milvus.display_uri
        self._client = self.collections.client
        self._search_params = milvus.index.search_params
        self._search_options = milvus.index.search_options
        self._words: WordRanking | None = None
        try:
            check_options(milvus.index, self.collections.dialect)
        except UserError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. For Milvus Lite, wait for its compaction and close the file."""
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

        An approximate index can miss rows that pass a filter. If it returns fewer results than requested, or
        a graph finds so few passing rows that it can have missed the best ones, an exact search over the
        passing rows follows.

        Parameters
        ----------
        vector : (d,) float32
            Vector of unit length, so that the inner product is the cosine similarity.
        limit
            Maximum number of results.
        where
            Filter.
        min_score
            Minimum score of a result.
        fields
            Fields to return with each result.
        params
            Search parameters of the index. The default is the config.
        """
        query = VectorQuery(
            self._open(ref, where, fields),
            vector,
            min(limit, MAX_HITS),
            self.format_filter(where),
            params or self._search_params,
            # The same inner product can differ by about 1e-7 between an index search and an exact search.
            min_score=None if min_score is None else min_score - 1e-6,
            fields=tuple(fields),
            options=self._search_options,
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
        """Return the results of one search of the index alone, to measure how many rows it misses.

        Parameters
        ----------
        vector, limit, where, params
            See `search`.
        """
        query = VectorQuery(
            self._open(ref, where),
            vector,
            min(limit, MAX_HITS),
            self.format_filter(where),
            params or self._search_params,
            options=self._search_options,
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
        """Return photos by a CLIP vector and by their words (BM25), combined into one ranking.

        Parameters
        ----------
        vector : (d,) float32, optional
            Vector of unit length. Without it, only the text is used.
        text
            Normalized text for BM25.
        ranker
            ``"rrf"`` for reciprocal rank fusion, or ``"weighted"`` for the mean of both scores.

        Returns
        -------
        hits : list of Hit
            The scores are combined scores, not similarities.

        Notes
        -----
        Milvus Lite and servers from version 2.5 compute both rankings and their combination. For older
        servers, BM25 and the combination are computed here.
        """
        words = WORDS_INDEX if self.collections.dialect.has_bm25 else "words"
        collection = self._open(ref, where, (*fields, words))
        query = HybridQuery(ref, vector, text, limit, self.format_filter(where), tuple(fields), ranker)
        if self.collections.dialect.has_bm25:
            return search_hybrid_in_milvus(self._client, query)
        rankings = [self._rank_words(collection, query, where)]
        if vector is not None:
            hits = self.search(ref, vector, query.depth, where=where, fields=())
            rankings.insert(0, [(hit.id, hit.score) for hit in hits])
        scores = dict(combine_rankings(rankings, ranker)[:limit])
        return [replace(hit, score=scores[hit.id]) for hit in self.read_rows(ref, list(scores), fields)]

    def _rank_words(
        self, collection: CollectionInfo, query: HybridQuery, where: Condition
    ) -> list[tuple[int, float]]:
        """Return the best rows by BM25 that pass the filter, as key and score."""
        if self._words is None or self._words.collection is not collection:
            self._words = WordRanking(self.collections, collection)
        keys, scores = self._words.rank(query.text)
        passing: list[tuple[int, float]] = []
        for start in range(0, len(keys), _BATCH_ROWS):
            batch = keys[start : start + _BATCH_ROWS].tolist()
            score = dict(zip(batch, scores[start : start + _BATCH_ROWS].tolist(), strict=True))
            passing += [(hit.id, score[hit.id]) for hit in self.read_rows(query.ref, batch, (), where)]
            if len(passing) >= query.depth:
                break
        return passing[: query.depth]

    def list_by_date(
        self,
        ref: CollectionRef,
        limit: int,
        *,
        newest_first: bool = True,
        where: Condition = MATCH_ALL,
        fields: Sequence[str] = (),
        periods: Sequence[int] = (),
    ) -> tuple[list[Hit], int]:
        """Return the photos that pass a filter in the order of their time, without scores.

        Photos without a time come last in either order.

        Parameters
        ----------
        periods
            Times that divide the photos into periods of about 500 photos, newest first.

        Returns
        -------
        hits : list of Hit
        passing_count : int
            Number of photos that pass the filter. It is exact up to 300.
        """
        collection = self._open(ref, where, fields)
        listing = DateListing(where, limit, periods, newest_first)
        keys, passing_count = listing.collect_keys(functools.partial(self._read_times, collection))
        return self.read_rows(ref, keys, fields), passing_count

    def read_rows(
        self,
        ref: CollectionRef,
        keys: Sequence[int],
        fields: Sequence[str],
        where: Condition = MATCH_ALL,
    ) -> list[Hit]:
        """Return the rows with given keys that pass a filter, in the order of the keys, without scores."""
        self._open(ref, where, fields)
        fields_by_key: dict[int, dict[str, Any]] = {}
        for start in range(0, len(keys), _BATCH_ROWS):
            batch = In(ref.key, tuple(keys[start : start + _BATCH_ROWS]))
            expression = self.format_filter(And((batch, where)))
            rows = self._client.query(ref.alias, filter=expression, output_fields=[ref.key, *fields])
            fields_by_key |= {row[ref.key]: select_fields(row, fields) for row in rows}
        return [Hit(key, None, fields_by_key[key]) for key in keys if key in fields_by_key]

    def read_all_rows(self, ref: CollectionRef, fields: Sequence[str] = ()) -> Iterator[Hit]:
        """Yield all rows with some of their fields, in the order of Milvus, without scores."""
        self._open(ref, fields=fields)
        for row in self.collections.iterate_rows(ref.alias, [ref.key, *fields]):
            yield Hit(row[ref.key], None, select_fields(row, fields))

    def format_filter(self, where: Condition) -> str:
        """Return a condition as a filter expression for this engine; empty if every row passes."""
        return format_filter(where, lists_are_arrays=self.collections.dialect.lists_are_arrays)

    def read_vectors(self, ref: CollectionRef, keys: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of rows by key, (d,) float32 each."""
        hits = self.read_rows(ref, keys, ("embedding",))
        return {hit.id: np.asarray(hit.fields["embedding"], np.float32) for hit in hits}

    def sample_vectors(self, ref: CollectionRef, size: int) -> np.ndarray:
        """Return the vectors of up to ``size`` rows that Milvus chooses, (n, d) float32."""
        self.collections.open(ref)
        rows = self._client.query(ref.alias, limit=size, output_fields=["embedding"])
        return np.asarray([row["embedding"] for row in rows], np.float32)

    def _open(
        self, ref: CollectionRef, where: Condition = MATCH_ALL, fields: Sequence[str] = ()
    ) -> CollectionInfo:
        """Load a collection, and check that it has the fields of a condition and of the results.

        Raises
        ------
        UserError
            If there is no such collection, or if it lacks a field.
        """
        collection = self.collections.open(ref)
        missing = {*list_fields(where), *fields} - collection.field_types.keys()
        if missing:
            is_current = self.collections.is_current(collection)
            hint = "" if is_current else "; it was built by an earlier version: run 05_build_collections.py"
            raise UserError(f"{self.uri}: {ref.alias} has no field {', '.join(sorted(missing))}{hint}")
        return collection

    # --- listing by date -----------------------------------------------------------------------------------

    def _read_times(self, collection: CollectionInfo, where: Condition, limit: int) -> list[PhotoTime]:
        """Return the keys and times of up to ``limit`` photos that pass a filter; Milvus chooses which."""
        fields = ["has_time", "taken_at"]
        if collection.index.is_exact:
            # On Milvus Lite a filter is four times as fast in a search, with any vector, as in a query.
            axis = np.eye(1, collection.dimension, dtype=np.float32)[0]
            hits = self.search(collection.ref, axis, limit, where=where, fields=fields)
            rows = [(hit.id, hit.fields) for hit in hits]
        else:
            alias, key = collection.ref.alias, collection.ref.key
            result = self._client.query(
                alias, filter=self.format_filter(where), output_fields=[key, *fields], limit=limit
            )
            rows = [(row[key], row) for row in result]
        return [(key, row["taken_at"] if row["has_time"] else None) for key, row in rows]


def check_milvus(milvus: MilvusConfig) -> None:
    """Check that collections can be built in the Milvus of a config. No database is created.

    Raises
    ------
    UserError
        If it cannot be opened, or does not have the index type or the options of the config.
    """
    if milvus.is_missing:
        check_lite_file(Path(milvus.uri))
        dialect = LITE
        check_options(milvus.index, dialect)
    else:
        with Store(milvus) as store:
            dialect = store.collections.dialect
    choose_index(milvus.index, 1, dialect)


def detect_dialect(milvus: MilvusConfig) -> Dialect:
    """Return the capabilities of the Milvus that a config names. A local file is not opened."""
    if milvus.is_file:
        return LITE
    with Store(milvus) as store:
        return store.collections.dialect
