"""BM25 rankings in this process. Only this module imports rank_bm25, when a ranking is made."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np


def make_name_ranking(names: Sequence[Sequence[str]]) -> Any:
    """Return a ranking of short names, given as lists of words; every word of a query adds to the score."""
    from rank_bm25 import BM25Plus  # its weights are positive in any vocabulary

    return _prepare(BM25Plus(names))


def make_text_ranking(texts: Sequence[Sequence[str]]) -> Any:
    """Return a ranking of texts, given as lists of words, with the scores of Milvus' BM25.

    Milvus uses Lucene's weights of words, which are never negative, with k1 = 1.2 and b = 0.75 [1]_.

    References
    ----------
    .. [1] Kamphuis, de Vries, Boytsov and Lin, "Which BM25 do you mean?", ECIR 2020, table 1.
    """
    from rank_bm25 import BM25Okapi

    ranking = BM25Okapi(texts, k1=1.2, b=0.75)
    counts = Counter(word for words in ranking.doc_freqs for word in words)
    ranking.idf = {
        word: math.log(1 + (len(texts) - count + 0.5) / (count + 0.5)) for word, count in counts.items()
    }
    return _prepare(ranking)


def _prepare(ranking: Any) -> Any:
    ranking.doc_len = np.array(ranking.doc_len)  # otherwise each query converts the list
    return ranking
