"""Benchmark of a vector index: a temporary collection, held-out queries, exact answers, recall and time."""

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
from imagesearch.errors import UserError
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

CUTOFF = 10
"""The k of recall@k: how many nearest neighbours a search is to find."""
MIN_ROWS = 100
"""The fewest vectors that an index can be measured on."""
# What a temporary collection knows of a row besides its vector: enough for a filter on a list.
_FIELDS = tuple(item for item in PHOTO_FIELDS if item.name in ("path", "face_labels"))
_FILTER_SHARES = {"half": 0.5, "hundredth": 0.01, "few": 0.0002}
_MIN_PASSING = 10
_MAX_QUERIES = 200  # of each kind; one half tunes, the other half validates
_HELD_OUT_SHARE = 0.05
_QUERIES_PER_BLOCK = 32
# The same inner product differs by some 1e-7 between orders of summation.
_SCORE_TOLERANCE = 1e-6
# The 95% quantile of the normal distribution: so many standard errors below a mean lies its lower bound.
_Z_95 = 1.645


@dataclass(frozen=True)
class BenchmarkFilter:
    """A filter, and which rows pass it."""

    name: str
    condition: Condition
    mask: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows pass."""
        return int(self.mask.sum())


@dataclass(frozen=True)
class BenchmarkData:
    """What is indexed, the queries, and what the right answers are.

    Attributes
    ----------
    vectors : (n, d) float32
        Of unit length, in the order of their keys.
    queries : (q, d) float32
        Of unit length; none of them is among the vectors.
    query_kinds : (q,) str
        Where each query comes from.
    filters
        By name; the first lets everything pass.
    score_thresholds : dict of (q,) float32
        By filter: the score of each query's last right answer.
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
    """A collection filled with the vectors of a benchmark, and how long that took."""

    store: Store
    ref: CollectionRef
    data: BenchmarkData
    build_seconds: float


@dataclass(frozen=True)
class SearchCase:
    """One way to search: under which filter, how, and whether as the program does or by the index alone.

    Attributes
    ----------
    filter
        Name of a `BenchmarkFilter`.
    params
        Of the search.
    widen
        Search wider under a filter, as the program does.
    """

    filter: str
    params: IndexSearchParams
    widen: bool = True


@dataclass(frozen=True)
class SearchMeasurement:
    """How well and how fast a case was answered.

    Attributes
    ----------
    recalls
        Mean recall@10 by kind of query.
    recall_lower_bound
        What the mean recall of every kind exceeds with 95% confidence, over all queries of that kind.
    p50, p95
        Percentiles of the time of a search, in milliseconds.
    """

    recalls: dict[str, float]
    recall_lower_bound: float
    p50: float
    p95: float

    @property
    def recall(self) -> float:
        """Of the kind of query that is answered worst."""
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
        If it is no such file, or there are vectors in it that have no direction.
    """
    try:
        vectors = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{file}: no .npy file of numbers ({error}); 01 --export-npy writes such") from None
    is_matrix = isinstance(vectors, np.ndarray) and vectors.ndim == 2 and 2 <= vectors.shape[1] <= 32_768
    if not is_matrix or vectors.dtype.kind not in "fiu":
        raise UserError(f"{file}: a matrix of numbers is wanted, a row for each vector")
    vectors = vectors.astype(np.float32, copy=False)
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    bad = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if len(bad):
        raise UserError(
            f"{file}: {len(bad)} of {len(vectors)} vectors are zero or not finite, the first in row {bad[0]}"
        )
    vectors /= norms[:, np.newaxis]
    return vectors


def hold_out_queries(vectors: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Take some vectors out as queries: 200, and at most 5%, chosen at random.

    Returns
    -------
    kept, held : (n, d) and (q, d) float32

    Raises
    ------
    UserError
        If there are too few vectors.
    """
    if len(vectors) < MIN_ROWS:
        raise UserError(
            f"{len(vectors)} vectors are too few to try an index on ({MIN_ROWS} are wanted); "
            "milvus.index.type: FLAT is exact, and fast enough for so few"
        )
    count = min(_MAX_QUERIES, int(_HELD_OUT_SHARE * len(vectors)))
    held = np.random.default_rng(seed).permutation(len(vectors))[:count]
    return np.delete(vectors, held, axis=0), vectors[held]


def prepare_data(vectors: np.ndarray, queries: Mapping[str, np.ndarray], seed: int = 0) -> BenchmarkData:
    """Shuffle queries, choose what filters let pass, and answer the queries exactly.

    Parameters
    ----------
    vectors : (n, d) float32
        Of unit length.
    queries : dict of (q, d) float32
        By kind; 200 of each are taken. Those of texts lie elsewhere than photos do.
    seed
        Of all choices.
    """
    rng = np.random.default_rng(seed)
    taken = {kind: rng.permutation(of_kind)[:_MAX_QUERIES] for kind, of_kind in queries.items()}
    kinds = np.repeat(list(taken), [len(of_kind) for of_kind in taken.values()])
    order = rng.permutation(len(kinds))
    shuffled = np.concatenate(list(taken.values()))[order].astype(np.float32, copy=False)
    filters = _make_filters(len(vectors), rng)
    thresholds = _find_score_thresholds(vectors, shuffled, filters)
    return BenchmarkData(vectors, shuffled, kinds[order], filters, thresholds)


def _make_filters(rows: int, rng: np.random.Generator) -> dict[str, BenchmarkFilter]:
    """Return filters of known shares, in order; none that passes as many rows as another."""
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
    """Return, by filter, the score of the last of each query's right answers, (q,) float32."""
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
    """Fill a collection that is dropped afterwards, whatever happens.

    It is in a temporary file where the config's engine is Milvus Lite; else on the same server, as a dataset
    with a random name.
    """
    name = f"scratch_{secrets.token_hex(6)}"
    ref = CollectionRef(name, "clip")
    spec = CollectionSpec(ref, "scratch", "scratch", data.vectors.shape[1], index, _FIELDS)
    with tempfile.TemporaryDirectory(prefix="imagesearch-") as folder:
        uri = str(Path(folder) / "scratch.db") if milvus.is_lite else milvus.uri
        temporary_milvus = milvus.model_copy(update={"uri": uri})
        try:
            start = time.perf_counter()
            # Milvus Lite builds the index when its file is closed, and scans all rows until then
            with Store(temporary_milvus) as store:
                fill_collection(store, spec, data.make_rows(), progress)
                store.collections.wait_for_index(ref.alias)
            build_seconds = time.perf_counter() - start
            with Store(temporary_milvus) as store:
                store.collections.open(ref)
                yield TemporaryIndex(store, ref, data, build_seconds)
        finally:
            if not milvus.is_lite:
                with Store(temporary_milvus) as store:
                    store.collections.drop(name)


def measure_searches(
    index: TemporaryIndex, cases: Sequence[SearchCase], selection: slice, progress: Progress | None = None
) -> dict[SearchCase, SearchMeasurement]:
    """Search for some of the queries in every way, in turn, so that a noisy machine hits all ways alike.

    Parameters
    ----------
    index
        What is searched.
    cases
        The ways; all of them are searched once before any time is taken.
    selection
        Which of the queries.
    progress
        Wraps the queries.
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
    """Return the recall of one search, and how many milliseconds it took."""
    data = index.data
    vector, row_filter = data.queries[query], data.filters[case.filter]
    start = time.perf_counter()
    search = index.store.search if case.widen else index.store.search_index
    hits = search(index.ref, vector, CUTOFF, where=row_filter.condition, params=case.params)
    milliseconds = 1000 * (time.perf_counter() - start)
    # by score, as ann-benchmarks does: of two equal photos either is right
    found = np.unique(np.asarray([hit.id for hit in hits], np.int64))
    scores = data.vectors[found] @ vector
    is_near = scores >= data.score_thresholds[case.filter][query] - _SCORE_TOLERANCE
    right = int((is_near & row_filter.mask[found]).sum())
    return min(1.0, right / min(CUTOFF, row_filter.rows)), milliseconds


def _summarize_searches(recalls: np.ndarray, times: np.ndarray, kinds: np.ndarray) -> SearchMeasurement:
    by_kind = {str(kind): recalls[kinds == kind] for kind in np.unique(kinds)}
    means = {kind: float(values.mean()) for kind, values in by_kind.items()}
    errors = {kind: float(values.std() / np.sqrt(len(values))) for kind, values in by_kind.items()}
    p50, p95 = (float(value) for value in np.percentile(times, [50, 95]))
    return SearchMeasurement(means, min(means[kind] - _Z_95 * errors[kind] for kind in means), p50, p95)
