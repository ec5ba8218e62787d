"""Trying an index out: a scratch collection, queries held out of it, exact answers, recall and time."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.config import IndexSearchParams, MilvusConfig
from imagesearch.errors import UserError
from imagesearch.filters import MATCH_ALL, Condition, Contains
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

K = 10
"""Recall is that of so many neighbours."""
FEWEST_ROWS = 100
"""That an index can be tried on."""
# What a scratch collection knows of a row besides its vector: enough for a filter on a list.
_FIELDS = tuple(item for item in PHOTO_FIELDS if item.name in ("path", "face_labels"))
_SHARES = {"half": 0.5, "hundredth": 0.01, "few": 0.0002}
_FEWEST_PASSING = 10
_MOST_QUERIES = 200  # of each kind; half of them tune, the other half checks
_SHARE_HELD_OUT = 0.05
_QUERIES_A_BLOCK = 32
# The same inner product comes out some 1e-7 apart from one sum to another
_SAME_SCORE = 1e-6
# One-sided 95% of a normal distribution: a mean this many standard errors above a bound is surely above it
_SURE = 1.645

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


@dataclass(frozen=True)
class BenchmarkFilter:
    """A filter, and which rows pass it."""

    name: str
    condition: Condition
    passes: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows pass."""
        return int(self.passes.sum())


@dataclass(frozen=True)
class BenchmarkData:
    """What is indexed, what is asked, and what the right answers are.

    Attributes
    ----------
    vectors : (n, d) float32
        Of unit length, in the order of their keys.
    queries : (q, d) float32
        Of unit length; none of them is among the vectors.
    kinds : (q,) str
        Where each query comes from.
    filters
        By name; the first lets everything pass.
    least : dict of (q,) float32
        By filter: the score of each query's last right answer.
    """

    vectors: np.ndarray
    queries: np.ndarray
    kinds: np.ndarray
    filters: dict[str, BenchmarkFilter]
    least: dict[str, np.ndarray]

    def rows(self) -> CollectionRows:
        """Return what a scratch collection is filled with."""
        numbers = range(len(self.vectors))
        labels: list[list[str]] = [[] for _ in numbers]
        for item in self.filters.values():
            if isinstance(item.condition, Contains):
                for i in np.flatnonzero(item.passes):
                    labels[i].append(item.condition.element)
        columns = {
            "photo_id": pa.array(numbers, pa.int64()),
            "path": pa.array([f"{i}.jpg" for i in numbers]),
            "face_labels": pa.array(labels, ARROW_TYPES["LIST"]),
        }
        return CollectionRows(pa.table(columns), self.vectors)


@dataclass(frozen=True)
class TemporaryIndex:
    """A collection filled with the vectors of some material, and how long that took."""

    store: Store
    ref: CollectionRef
    material: BenchmarkData
    build_seconds: float


@dataclass(frozen=True)
class SearchCase:
    """One way to search: under which filter, how, and whether as the program does or by the index alone."""

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
    surely
        What the mean recall of every kind exceeds with 95% confidence, over all queries of that kind.
    p50, p95
        Percentiles of the time of a search, in milliseconds.
    """

    recalls: dict[str, float]
    surely: float
    p50: float
    p95: float

    @property
    def recall(self) -> float:
        """Of the kind of query that is answered worst."""
        return min(self.recalls.values())

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints; times in milliseconds."""
        times = {"p50_ms": round(self.p50, 3), "p95_ms": round(self.p95, 3)}
        return {"recall": self.recall, "recall_by_query": self.recalls, "surely": self.surely, **times}


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
    if len(vectors) < FEWEST_ROWS:
        raise UserError(
            f"{len(vectors)} vectors are too few to try an index on ({FEWEST_ROWS} are wanted); "
            "milvus.index.type: FLAT is exact, and fast enough for so few"
        )
    count = min(_MOST_QUERIES, int(_SHARE_HELD_OUT * len(vectors)))
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
    taken = {kind: rng.permutation(some)[:_MOST_QUERIES] for kind, some in queries.items()}
    kinds = np.repeat(list(taken), [len(some) for some in taken.values()])
    order = rng.permutation(len(kinds))
    asked = np.concatenate(list(taken.values()))[order].astype(np.float32, copy=False)
    filters = _make_filters(len(vectors), rng)
    return BenchmarkData(
        vectors, asked, kinds[order], filters, _find_score_thresholds(vectors, asked, filters)
    )


def _make_filters(rows: int, rng: np.random.Generator) -> dict[str, BenchmarkFilter]:
    """Return filters of known shares, in order; none that passes as many rows as another."""
    found = [BenchmarkFilter("all", MATCH_ALL, np.ones(rows, bool))]
    for label, share in _SHARES.items():
        count = max(_FEWEST_PASSING, round(share * rows))
        if count < found[-1].rows:
            passes = np.zeros(rows, bool)
            passes[rng.choice(rows, count, replace=False)] = True
            percent = 100 * (share if count > _FEWEST_PASSING else count / rows)
            found.append(BenchmarkFilter(f"{percent:.2g}%", Contains("face_labels", label), passes))
    return {item.name: item for item in found}


def _find_score_thresholds(
    vectors: np.ndarray, queries: np.ndarray, filters: Mapping[str, BenchmarkFilter]
) -> dict[str, np.ndarray]:
    """Return, by filter, the score of the last of each query's right answers, (q,) float32."""
    least = {name: np.empty(len(queries), np.float32) for name in filters}
    for start in range(0, len(queries), _QUERIES_A_BLOCK):
        block = slice(start, start + _QUERIES_A_BLOCK)
        scores = queries[block] @ vectors.T
        for name, item in filters.items():
            passing = scores[:, item.passes]
            k = min(K, passing.shape[1])
            least[name][block] = np.partition(passing, -k, axis=1)[:, -k]
    return least


@contextmanager
def open_temporary_index(
    milvus: MilvusConfig, plan: IndexSpec, material: BenchmarkData, progress: Progress | None = None
) -> Iterator[TemporaryIndex]:
    """Fill a collection that is gone afterwards, whatever happens.

    It is in a temporary file where the config's engine is Milvus Lite; else on the same server, as a dataset
    of a name that nobody has.
    """
    name = f"scratch_{secrets.token_hex(6)}"
    ref = CollectionRef(name, "clip")
    spec = CollectionSpec(ref, "scratch", "scratch", material.vectors.shape[1], plan, _FIELDS)
    with tempfile.TemporaryDirectory(prefix="imagesearch-") as folder:
        uri = str(Path(folder) / "scratch.db") if milvus.is_lite else milvus.uri
        place = milvus.model_copy(update={"uri": uri})
        try:
            start = time.perf_counter()
            # Milvus Lite builds the index when its file is closed, and scans all rows until then
            with Store(place) as store:
                fill_collection(store, spec, material.rows(), progress)
                store.collections.wait_for_index(ref.alias)
            took = time.perf_counter() - start
            with Store(place) as store:
                store.collections.open(ref)
                yield TemporaryIndex(store, ref, material, took)
        finally:
            if not milvus.is_lite:
                with Store(place) as store:
                    store.collections.drop(name)


def measure_searches(
    place: TemporaryIndex, cases: Sequence[SearchCase], which: slice, progress: Progress | None = None
) -> dict[SearchCase, SearchMeasurement]:
    """Search for some of the queries in every way, in turn, so that a noisy machine hits all ways alike.

    Parameters
    ----------
    cases
        All of them are asked once before any time is taken.
    which
        Of the queries.
    """
    asked = np.arange(len(place.material.queries))[which]
    kinds = place.material.kinds[which]
    recalls = {case: np.empty(len(asked)) for case in cases}
    times = {case: np.empty(len(asked)) for case in cases}
    for case in cases:
        _time_search(place, case, int(asked[0]))
    numbers = range(len(asked))
    for i in progress(numbers, len(asked), "query") if progress else numbers:
        for case in cases:
            recalls[case][i], times[case][i] = _time_search(place, case, int(asked[i]))
    return {case: _summarize(recalls[case], times[case], kinds) for case in cases}


def _time_search(place: TemporaryIndex, case: SearchCase, query: int) -> tuple[float, float]:
    """Return the recall of one search, and how many milliseconds it took."""
    material = place.material
    vector, item = material.queries[query], material.filters[case.filter]
    start = time.perf_counter()
    search = place.store.search if case.widen else place.store.search_index
    hits = search(place.ref, vector, K, where=item.condition, params=case.params)
    took = 1000 * (time.perf_counter() - start)
    # by score, as ann-benchmarks does: of two equal photos either is right
    found = np.unique(np.asarray([hit.id for hit in hits], np.int64))
    scores = material.vectors[found] @ vector
    right = (scores >= material.least[case.filter][query] - _SAME_SCORE) & item.passes[found]
    return min(1.0, int(right.sum()) / min(K, item.rows)), took


def _summarize(recalls: np.ndarray, times: np.ndarray, kinds: np.ndarray) -> SearchMeasurement:
    by_kind = {str(kind): recalls[kinds == kind] for kind in np.unique(kinds)}
    means = {kind: float(values.mean()) for kind, values in by_kind.items()}
    errors = {kind: float(values.std() / np.sqrt(len(values))) for kind, values in by_kind.items()}
    p50, p95 = (float(value) for value in np.percentile(times, [50, 95]))
    return SearchMeasurement(means, min(means[kind] - _SURE * errors[kind] for kind in means), p50, p95)
