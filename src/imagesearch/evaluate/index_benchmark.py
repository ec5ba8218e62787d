"""Benchmark of a vector index: recall against exact search and search time, in a temporary collection."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.config import IndexSearchParams, MilvusConfig
from imagesearch.errors import UserError, describe_error
from imagesearch.filters import MATCH_ALL, Condition, Contains
from imagesearch.pipeline import Progress
from imagesearch.store import (
    ARROW_TYPES,
    PHOTO_FIELDS,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    IndexSpec,
    Store,
    fill_collection,
)
from imagesearch.text_table import format_count

_TOO_FEW = (
    "vector is too few for an index benchmark, which requires",
    "vectors are too few for an index benchmark, which requires",
)
CUTOFF = 10
"""The k of recall@k: the number of nearest neighbours that a search returns."""
MIN_ROWS = 100
"""Minimum number of vectors for a benchmark."""
# The scalar fields of a temporary collection: enough for a filter on a list.
_FIELDS = tuple(item for item in PHOTO_FIELDS if item.name in ("path", "face_labels"))
_FILTER_SHARES = {"half": 0.5, "hundredth": 0.01, "few": 0.0002}
_MIN_PASSING = 10
_MAX_QUERIES = 200  # of each kind; one half is for tuning, the other half for validation
_HELD_OUT_SHARE = 0.05
_QUERIES_PER_BLOCK = 32
# Tolerance for rounding: the order of summation changes an inner product by about 1e-7.
_SCORE_TOLERANCE = 1e-6
# The 95% quantile of the normal distribution: a lower bound is this many standard errors below the mean.
_Z_95 = 1.645


@dataclass(frozen=True)
class BenchmarkFilter:
    """A filter, and a mask of the rows that pass it."""

    name: str
    condition: Condition
    mask: np.ndarray

    @property
    def rows(self) -> int:
        """The number of rows that pass."""
        return int(self.mask.sum())


@dataclass(frozen=True)
class BenchmarkData:
    """The vectors to index, the queries, and the ground truth from exact search.

    Attributes
    ----------
    vectors : (n, d) float32
        Unit vectors, in the order of their primary keys.
    queries : (q, d) float32
        Unit vectors; none of them is indexed.
    query_kinds : (q,) str
        The source of each query: "held out" or "texts".
    filters
        Filters by name; all rows pass the first.
    score_thresholds : dict of (q,) float32
        By filter: the score of the last of each query's exact nearest neighbours.
    """

    vectors: np.ndarray
    queries: np.ndarray
    query_kinds: np.ndarray
    filters: dict[str, BenchmarkFilter]
    score_thresholds: dict[str, np.ndarray]

    def make_rows(self) -> CollectionRows:
        """Return the rows of a temporary collection."""
        numbers = range(len(self.vectors))
        labels: list[list[str]] = [[] for _ in numbers]
        for row_filter in self.filters.values():
            if isinstance(row_filter.condition, Contains):
                for i in np.flatnonzero(row_filter.mask):
                    labels[i].append(row_filter.condition.element)
        columns = {
            "photo_id": pa.array(numbers, pa.int64()),
            "path": pa.array([f"{i}.jpg" for i in numbers]),
            "face_labels": pa.array(labels, ARROW_TYPES["LIST"]),
        }
        return CollectionRows(pa.table(columns), self.vectors)


@dataclass(frozen=True)
class TemporaryIndex:
    """A collection filled with the vectors of a benchmark, and the time it took to build."""

    store: Store
    ref: CollectionRef
    data: BenchmarkData
    build_seconds: float


@dataclass(frozen=True)
class SearchCase:
    """A combination of filter and search parameters to measure.

    Attributes
    ----------
    filter
        Name of a `BenchmarkFilter`.
    params
        The search parameters of the index.
    widen
        Whether a filtered search is widened, as `Store.search` does; otherwise the index is searched with
        ``params`` alone.
    """

    filter: str
    params: IndexSearchParams
    widen: bool = True


@dataclass(frozen=True)
class SearchMeasurement:
    """Recall and time of a search case.

    Attributes
    ----------
    recalls
        Mean recall@10 by kind of query.
    recall_lower_bound
        The smallest of the lower bounds, with 95% confidence, of the mean recall of each kind of query.
    p50, p95
        Percentiles of the search time, in milliseconds.
    """

    recalls: dict[str, float]
    recall_lower_bound: float
    p50: float
    p95: float

    @property
    def recall(self) -> float:
        """Mean recall of the kind of query with the lowest recall."""
        return min(self.recalls.values())

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints; times in milliseconds."""
        times = {"p50_ms": round(self.p50, 3), "p95_ms": round(self.p95, 3)}
        recalls = {"recall": self.recall, "recall_by_query": self.recalls, "surely": self.recall_lower_bound}
        return recalls | times


def load_vectors(file: Path) -> np.ndarray:
    """Read vectors from a .npy file and scale them to unit length.

    Returns
    -------
    vectors : (n, d) float32

    Raises
    ------
    UserError
        If the file is not a .npy file of vectors, or contains vectors that are zero or not finite.
    """
    try:
        vectors = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        # for a file of another format NumPy advises to load it as a pickle, which can run code
        reason = "another format" if "pickle" in str(error) else describe_error(error)
        raise UserError(
            f"{file}: not a .npy file of numbers ({reason}); 01 --export-npy writes one"
        ) from None
    is_matrix = isinstance(vectors, np.ndarray) and vectors.ndim == 2 and 2 <= vectors.shape[1] <= 32_768
    if not is_matrix or vectors.dtype.kind not in "fiu":
        raise UserError(f"{file}: expected a matrix of numbers with one row for each vector")
    vectors = vectors.astype(np.float32, copy=False)
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    bad = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if len(bad):
        raise UserError(
            f"{file}: {len(bad)} of {format_count(len(vectors), 'vector')} "
            f"{'is' if len(bad) == 1 else 'are'} zero or not finite, the first in row {bad[0]}"
        )
    vectors /= norms[:, np.newaxis]
    return vectors


def hold_out_queries(vectors: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Hold out random vectors as queries: 200, but at most 5% of them.

    Returns
    -------
    indexed, held_out : (n, d) and (q, d) float32

    Raises
    ------
    UserError
        If there are fewer than 100 vectors.
    """
    if len(vectors) < MIN_ROWS:
        raise UserError(
            f"{format_count(len(vectors), *_TOO_FEW)} {MIN_ROWS}; "
            "milvus.index.type: FLAT is exact and fast for small collections"
        )
    count = min(_MAX_QUERIES, int(_HELD_OUT_SHARE * len(vectors)))
    rows = np.random.default_rng(seed).permutation(len(vectors))[:count]
    return np.delete(vectors, rows, axis=0), vectors[rows]


def prepare_data(vectors: np.ndarray, queries: Mapping[str, np.ndarray], seed: int = 0) -> BenchmarkData:
    """Sample and shuffle the queries, make random filters, and search exactly.

    Parameters
    ----------
    vectors : (n, d) float32
        Unit vectors to index.
    queries : dict of (q, d) float32
        Unit vectors by kind; at most 200 of each kind are used. Kinds are measured separately, because text
        vectors lie in another region than photo vectors.
    seed
        Seed of all random choices.
    """
    rng = np.random.default_rng(seed)
    sampled = {kind: rng.permutation(of_kind)[:_MAX_QUERIES] for kind, of_kind in queries.items()}
    kinds = np.repeat(list(sampled), [len(of_kind) for of_kind in sampled.values()])
    order = rng.permutation(len(kinds))
    shuffled = np.concatenate(list(sampled.values()))[order].astype(np.float32, copy=False)
    filters = _make_filters(len(vectors), rng)
    thresholds = _find_score_thresholds(vectors, shuffled, filters)
    return BenchmarkData(vectors, shuffled, kinds[order], filters, thresholds)


def _make_filters(rows: int, rng: np.random.Generator) -> dict[str, BenchmarkFilter]:
    """Return filters that known shares of the rows pass, largest first; no two pass equally many rows."""
    filters = [BenchmarkFilter("all", MATCH_ALL, np.ones(rows, bool))]
    for label, share in _FILTER_SHARES.items():
        count = max(_MIN_PASSING, round(share * rows))
        if count < filters[-1].rows:
            mask = np.zeros(rows, bool)
            mask[rng.choice(rows, count, replace=False)] = True
            percent = 100 * (share if count > _MIN_PASSING else count / rows)
            filters.append(BenchmarkFilter(f"{percent:.2g}%", Contains("face_labels", label), mask))
    return {row_filter.name: row_filter for row_filter in filters}


def _find_score_thresholds(
    vectors: np.ndarray, queries: np.ndarray, filters: Mapping[str, BenchmarkFilter]
) -> dict[str, np.ndarray]:
    """Return, by filter, the score of the last of each query's exact nearest neighbours, (q,) float32."""
    thresholds = {name: np.empty(len(queries), np.float32) for name in filters}
    for start in range(0, len(queries), _QUERIES_PER_BLOCK):
        block = slice(start, start + _QUERIES_PER_BLOCK)
        scores = queries[block] @ vectors.T
        for name, row_filter in filters.items():
            passing = scores[:, row_filter.mask]
            k = min(CUTOFF, passing.shape[1])
            thresholds[name][block] = np.partition(passing, -k, axis=1)[:, -k]
    return thresholds


@contextmanager
def open_temporary_index(
    milvus: MilvusConfig, index: IndexSpec, data: BenchmarkData, progress: Progress | None = None
) -> Iterator[TemporaryIndex]:
    """Fill a temporary collection, which is dropped afterwards, also after an error.

    With Milvus Lite it is in a temporary file. With a server it is on that server, as a dataset with a random
    name.
    """
    name = f"scratch_{secrets.token_hex(6)}"
    ref = CollectionRef(name, "clip")
    spec = CollectionSpec(ref, "scratch", "scratch", data.vectors.shape[1], index, _FIELDS)
    with tempfile.TemporaryDirectory(prefix="imagesearch-") as folder:
        uri = str(Path(folder) / "scratch.db") if milvus.is_file else milvus.uri
        temporary_milvus = milvus.model_copy(update={"uri": uri})
        try:
            start = time.perf_counter()
            # Milvus Lite builds the index when its file is closed; until then it scans all rows
            with Store(temporary_milvus) as store:
                fill_collection(store, spec, data.make_rows(), progress)
            build_seconds = time.perf_counter() - start
            with Store(temporary_milvus) as store:
                store.collections.open(ref)
                yield TemporaryIndex(store, ref, data, build_seconds)
        finally:
            if not milvus.is_file:
                with Store(temporary_milvus) as store:
                    store.collections.drop(name)


def measure_searches(
    index: TemporaryIndex, cases: Sequence[SearchCase], selection: slice, progress: Progress | None = None
) -> dict[SearchCase, SearchMeasurement]:
    """Run some of the queries in every case.

    The cases alternate for each query, so that other work on the machine slows down all of them equally.

    Parameters
    ----------
    index
        The collection to search.
    cases
        The cases; each one runs once before any time is measured.
    selection
        The queries to run.
    progress
        Optional; wraps the queries.
    """
    queries = np.arange(len(index.data.queries))[selection].tolist()
    kinds = index.data.query_kinds[selection]
    recalls = {case: np.empty(len(queries)) for case in cases}
    times = {case: np.empty(len(queries)) for case in cases}
    for case in cases:
        _time_search(index, case, queries[0])
    numbers = range(len(queries))
    for i in progress(numbers, len(queries), "query") if progress else numbers:
        for case in cases:
            recalls[case][i], times[case][i] = _time_search(index, case, queries[i])
    return {case: _summarize_searches(recalls[case], times[case], kinds) for case in cases}


def _time_search(index: TemporaryIndex, case: SearchCase, query: int) -> tuple[float, float]:
    """Return the recall and the time, in milliseconds, of one search."""
    data = index.data
    vector, row_filter = data.queries[query], data.filters[case.filter]
    start = time.perf_counter()
    search = index.store.search if case.widen else index.store.search_index
    hits = search(index.ref, vector, CUTOFF, where=row_filter.condition, params=case.params)
    milliseconds = 1000 * (time.perf_counter() - start)
    # compared by score, as in ANN-Benchmarks: of two photos with the same score, either is correct
    found = np.unique(np.asarray([hit.id for hit in hits], np.int64))
    scores = data.vectors[found] @ vector
    is_near = scores >= data.score_thresholds[case.filter][query] - _SCORE_TOLERANCE
    correct = int((is_near & row_filter.mask[found]).sum())
    return min(1.0, correct / min(CUTOFF, row_filter.rows)), milliseconds


def _summarize_searches(recalls: np.ndarray, times: np.ndarray, kinds: np.ndarray) -> SearchMeasurement:
    by_kind = {str(kind): recalls[kinds == kind] for kind in np.unique(kinds)}
    means = {kind: float(values.mean()) for kind, values in by_kind.items()}
    errors = {kind: float(values.std() / np.sqrt(len(values))) for kind, values in by_kind.items()}
    p50, p95 = (float(value) for value in np.percentile(times, [50, 95]))
    return SearchMeasurement(means, min(means[kind] - _Z_95 * errors[kind] for kind in means), p50, p95)
