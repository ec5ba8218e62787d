"""Hybrid search: a ranking by vector and a ranking by words (BM25), combined into one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.bm25 import make_text_ranking
from imagesearch.store.client import make_ranker, make_search_request
from imagesearch.store.collections import Collections
from imagesearch.store.schema import MAX_HITS, WORDS_INDEX, CollectionInfo, CollectionRef, Hit, make_hit

_WORD = re.compile(r"\w+")  # as the standard analyzer of Milvus divides a normalized text
_DEPTH = 200  # results in each of the two rankings
_RRF_CONSTANT = 60  # of Milvus, and of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009


@dataclass(frozen=True)
class HybridQuery:
    """A hybrid search with all parameters; without a vector, only the words are used."""

    ref: CollectionRef
    vector: np.ndarray | None
    text: str
    limit: int
    expression: str
    fields: tuple[str, ...]
    ranker: str

    @property
    def depth(self) -> int:
        """Number of results in each of the two rankings."""
        return min(max(self.limit, _DEPTH), MAX_HITS)


def search_hybrid_in_milvus(client: Any, query: HybridQuery) -> list[Hit]:
    """Return the best rows of a Milvus that has BM25, in one request."""
    requests = [make_search_request(WORDS_INDEX, query.text, "BM25", query.depth, query.expression)]
    if query.vector is not None:
        vector = np.asarray(query.vector, np.float32)
        requests.insert(0, make_search_request("embedding", vector, "IP", query.depth, query.expression))
    fusion = make_ranker(query.ranker, len(requests))
    rows = client.hybrid_search(
        query.ref.alias, requests, fusion, limit=query.limit, output_fields=list(query.fields)
    )[0]
    return [make_hit(row, query.fields) for row in rows]


class WordRanking:
    """BM25 over the words of all rows of a collection, for servers without BM25.

    Parameters
    ----------
    collections
        The connection.
    collection
        The collection. Its words are read once.
    """

    def __init__(self, collections: Collections, collection: CollectionInfo) -> None:
        self.collection, key = collection, collection.ref.key
        rows = list(collections.iterate_rows(collection.ref.alias, [key, "words"]))
        self._keys = np.array([row[key] for row in rows], np.int64)
        texts = [_WORD.findall(row["words"]) for row in rows]
        self._bm25 = make_text_ranking(texts) if any(texts) else None

    def rank(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the keys of the rows with a word of the text, best first, and their scores."""
        if self._bm25 is None:
            return self._keys[:0], np.empty(0)
        scores = np.asarray(self._bm25.get_scores(_WORD.findall(text)))
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > 0]
        return self._keys[order], scores[order]


def combine_rankings(rankings: Sequence[Sequence[tuple[int, float]]], ranker: str) -> list[tuple[int, float]]:
    """Combine rankings, each a sequence of key and score, as Milvus does: by ranks or by mean score."""
    totals: dict[int, float] = {}
    for ranking in rankings:
        for place, (key, score) in enumerate(ranking, start=1):
            share = 1 / (_RRF_CONSTANT + place) if ranker == "rrf" else score / len(rankings)
            totals[key] = totals.get(key, 0.0) + share
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))
