"""Tuning of a vector index: recall and time over its search parameter, and a recommended setting."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.config import Config, IndexSearchParams
from imagesearch.errors import UserError
from imagesearch.evaluate.index_benchmark import (
    CUTOFF,
    BenchmarkData,
    SearchCase,
    TemporaryIndex,
    hold_out_queries,
    load_vectors,
    measure_searches,
    open_temporary_index,
    prepare_data,
)
from imagesearch.evaluate.index_report import IndexCurve, IndexReport, ParameterSetting, find_cheapest
from imagesearch.features import read_reference_texts
from imagesearch.pipeline import Dataset, Progress
from imagesearch.store import IndexSpec, choose_index, detect_dialect

_MAX_EF = 4096
_BARE_QUERIES = 40  # of the index alone: most of the searches, and they do not decide the recommendation


def evaluate_index(
    config: Config,
    *,
    types: Sequence[str] = (),
    vectors: Path | None = None,
    progress: Progress | None = None,
) -> IndexReport:
    """Measure recall and time of vector indexes over their search parameter, and recommend a setting.

    A temporary collection is filled for each index and dropped afterwards. The recall is recall@10, under
    filters that all, 50%, 1% and 0.02% of the rows pass (at least ten rows, chosen at random). Half of the
    queries are for tuning, the other half validates the picked setting. The recall of an index alone under a
    filter is estimated from 40 queries.

    Parameters
    ----------
    config
        Provides the dataset whose CLIP vectors are indexed, the Milvus connection, and the index.
    types
        Index types to measure. By default FLAT, which is exact, and the config's.
    vectors
        A .npy file of vectors to use instead of the dataset's.
    progress
        Optional; wraps the rows and queries as they are processed.

    Raises
    ------
    UserError
        If there are fewer than 100 vectors.

    References
    ----------
    Aumüller, Bernhardsson and Faithfull, "ANN-Benchmarks: a benchmarking tool for approximate nearest
    neighbor algorithms", Information Systems 87, 2020: recall is compared by score.
    """
    notes: list[str] = []
    data = _load_benchmark_data(config, vectors, notes)
    rows, dialect, index = len(data.vectors), detect_dialect(config.milvus), config.milvus.index
    configured = choose_index(index, rows, dialect).type
    specs = [
        choose_index(index.model_copy(update={"type": kind}), rows, dialect)
        for kind in dict.fromkeys(types or ("FLAT", configured))
    ]
    half = len(data.queries) // 2
    split = _QuerySplit(tuning=slice(half, None), validation=slice(half))
    if [spec.type for spec in specs] == ["FLAT"]:
        notes.append(
            "FLAT is exact and has no parameters to tune; compare other indexes with --types HNSW IVF_FLAT"
        )
    return IndexReport(
        rows=rows,
        dimension=data.vectors.shape[1],
        passing={name: row_filter.rows for name, row_filter in data.filters.items()},
        tuning_queries=_count_query_kinds(data, split.tuning),
        validation_queries=_count_query_kinds(data, split.validation),
        curves=tuple(
            _measure_curve(config, spec, spec.type == configured, data, split, progress) for spec in specs
        ),
        notes=notes,
    )


# --- measuring ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _QuerySplit:
    """The queries for tuning and the queries for validation."""

    tuning: slice
    validation: slice


def _load_benchmark_data(config: Config, file: Path | None, notes: list[str]) -> BenchmarkData:
    """Prepare the vectors of a file, or those of the dataset with its reference texts as queries."""
    dataset = Dataset(config)
    if file is None and dataset.imported is not None:
        file = Path(dataset.imported.vectors)
    if file is not None:
        indexed, held_out = hold_out_queries(load_vectors(file))
        return prepare_data(indexed, {"held out": held_out})
    _, vectors = dataset.open_table("clip").read_vectors(dataset.read_current_entries("clip").values())
    if not len(vectors):
        raise UserError(
            f"{dataset.folder}: no CLIP vectors of the photos; run 01_extract_features.py first, "
            "or give a file of vectors with --vectors"
        )
    indexed, held_out = hold_out_queries(vectors)
    texts = read_reference_texts(config, dataset)
    if texts is None or texts.shape[1] != vectors.shape[1]:
        notes.append("the dataset has no reference texts of this model: only photos are used as queries")
        return prepare_data(indexed, {"held out": held_out})
    return prepare_data(indexed, {"held out": held_out, "texts": texts})


def _measure_curve(
    config: Config,
    spec: IndexSpec,
    is_configured: bool,
    data: BenchmarkData,
    split: _QuerySplit,
    progress: Progress | None,
) -> IndexCurve:
    """Build an index, measure all settings on the tuning queries, and validate the picked one."""
    parameter = "nprobe" if spec.has_clusters else "ef" if spec.type.startswith("HNSW") else ""
    in_config = spec.make_search_params(config.milvus.index.search_params, CUTOFF, exhaustive=False)
    current_value = in_config.get(parameter) if is_configured else None
    wide_value = spec.make_search_params(IndexSearchParams(), CUTOFF, exhaustive=True).get(parameter)
    values = _list_parameter_values(spec, len(data.vectors), current_value)
    params = {value: IndexSearchParams(**({parameter: value} if parameter else {})) for value in values}
    with open_temporary_index(config.milvus, spec, data, progress) as index:
        settings = _measure_settings(index, spec, params, split.tuning, progress)
        pick = find_cheapest(settings)
        validation = {}
        if pick is not None:
            cases = {name: SearchCase(name, params[pick.value]) for name in data.filters}
            found = measure_searches(index, list(cases.values()), split.validation, progress)
            validation = {name: found[case] for name, case in cases.items()}
    return IndexCurve(spec, parameter, current_value, wide_value, index.build_seconds, settings, validation)


def _measure_settings(
    index: TemporaryIndex,
    spec: IndexSpec,
    params: dict[int | None, IndexSearchParams],
    selection: slice,
    progress: Progress | None,
) -> tuple[ParameterSetting, ...]:
    """Measure every value under every filter, with and without widening."""
    cases = _list_cases(spec, params, list(index.data.filters))
    distinct = list(dict.fromkeys(cases.values()))
    found = measure_searches(index, [case for case in distinct if case.widen], selection, progress)
    if bare := [case for case in distinct if not case.widen]:
        few = slice(selection.start, selection.start + _BARE_QUERIES)
        found |= measure_searches(index, bare, few, progress)
    everything, *narrow = index.data.filters
    return tuple(
        ParameterSetting(
            value,
            {name: found[cases[value, name, True]] for name in (everything, *narrow)},
            {name: found[cases[value, name, False]] for name in narrow},
        )
        for value in params
    )


def _list_cases(
    spec: IndexSpec, params: dict[int | None, IndexSearchParams], filters: Sequence[str]
) -> dict[tuple[int | None, str, bool], SearchCase]:
    """Return the search case of each combination of value, filter, and widening.

    Combinations with the same effective search share one case, so that it is measured once.
    """
    cases: dict[tuple[int | None, str, bool], SearchCase] = {}
    shared: dict[tuple[str, tuple[int, ...], bool], SearchCase] = {}
    for value, name, widen in itertools.product(params, filters, (True, False)):
        is_filtered = name != filters[0]
        if not widen and not is_filtered:
            continue  # without a filter, nothing is widened
        effective = tuple(
            spec.make_search_params(params[value], CUTOFF, exhaustive=widen and is_filtered).values()
        )
        # a widened search does not depend on the value; an exact search is never widened
        key = (name, effective, spec.is_exact or widen)
        cases[value, name, widen] = shared.setdefault(key, SearchCase(name, params[value], widen))
    return cases


def _list_parameter_values(spec: IndexSpec, rows: int, current_value: int | None) -> list[int | None]:
    """Return the values of the search parameter to measure, including the config's."""
    if spec.is_exact:
        return [None]
    largest = spec.build["nlist"] if spec.has_clusters else min(_MAX_EF, rows)
    powers = (2**i for i in range(0 if spec.has_clusters else 4, largest.bit_length()))
    return sorted({*powers, largest, *([] if current_value is None else [current_value])})


def _count_query_kinds(data: BenchmarkData, selection: slice) -> dict[str, int]:
    """Count some queries by kind."""
    return dict(sorted(Counter(data.query_kinds[selection].tolist()).items()))
