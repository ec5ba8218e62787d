"""The index against exact search: recall and time over its search parameter, and which setting to take."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imagesearch.config import Config, IndexSearchParams
from imagesearch.errors import UserError
from imagesearch.evaluate.index_benchmark import (
    BenchmarkData,
    K,
    Progress,
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
from imagesearch.pipeline import Dataset
from imagesearch.store import IndexSpec, choose_index

_MOST_EF = 4096
_QUERIES_ALONE = 40  # ask the index alone: what it loses decides nothing, and is most of the searches


def evaluate_index(
    config: Config,
    *,
    types: Sequence[str] = (),
    vectors: Path | None = None,
    progress: Progress | None = None,
) -> IndexReport:
    """Measure recall and time of vector indexes over their search parameter, and recommend a setting.

    A scratch collection is filled for each index and dropped afterwards. Recall is that of the ten nearest
    rows, under filters that pass everything, 50%, 1% and 0.02% of the rows (at least ten), chosen at random.
    Half of the queries tune, the other half checks what was picked. What an index alone would find under a
    filter is told from 40 queries.

    Parameters
    ----------
    config
        Names the dataset whose CLIP vectors are indexed, the engine, and the index.
    types
        Of indexes. By default FLAT, which is exact, and the config's.
    vectors
        A .npy file of vectors to take in place of the dataset's.
    progress
        Wraps what is done one by one, with its number and its name; for a progress bar.

    Raises
    ------
    UserError
        If there are no vectors, or too few of them.

    References
    ----------
    Aumüller, Bernhardsson and Faithfull, "ANN-Benchmarks: a benchmarking tool for approximate nearest
    neighbor algorithms", Information Systems 87, 2020: recall counted by score, against queries per second.
    """
    notes: list[str] = []
    material = _prepare_data(config, vectors, notes)
    index, lite = config.milvus.index, config.milvus.is_lite
    rows = len(material.vectors)
    mine = choose_index(index, rows, lite).type
    plans = [
        choose_index(index.model_copy(update={"type": kind}), rows, lite)
        for kind in dict.fromkeys(types or ("FLAT", mine))
    ]
    half = len(material.queries) // 2
    if [plan.type for plan in plans] == ["FLAT"]:
        notes.append("FLAT is exact, there is nothing to tune: --types HNSW IVF_FLAT compares others with it")
    return IndexReport(
        rows=rows,
        dimension=material.vectors.shape[1],
        passing={name: item.rows for name, item in material.filters.items()},
        tuned=_count_kinds(material, slice(half, None)),
        checked=_count_kinds(material, slice(half)),
        curves=tuple(
            _measure_curve(config, plan, plan.type == mine, material, half, progress) for plan in plans
        ),
        notes=notes,
    )


# --- measuring ---------------------------------------------------------------------------------------------


def _prepare_data(config: Config, file: Path | None, notes: list[str]) -> BenchmarkData:
    """Prepare the vectors of a file, or those of the dataset with the texts that are known of it."""
    if file is not None:
        kept, held = hold_out_queries(load_vectors(file))
        return prepare_data(kept, {"held out": held})
    dataset = Dataset(config)
    _, vectors = dataset.table("clip").read_vectors(dataset.current_entries("clip").values())
    if not len(vectors):
        raise UserError(
            f"{dataset.folder}: no CLIP vectors of the photos there; run 01_extract_features.py first, "
            "or name a file of vectors with --vectors"
        )
    kept, held = hold_out_queries(vectors)
    texts = read_reference_texts(config, dataset)
    if texts is None or texts.shape[1] != vectors.shape[1]:
        notes.append("no texts are kept of this dataset's model: photos alone are the queries")
        return prepare_data(kept, {"held out": held})
    return prepare_data(kept, {"held out": held, "texts": texts})


def _measure_curve(
    config: Config,
    plan: IndexSpec,
    is_mine: bool,
    material: BenchmarkData,
    half: int,
    progress: Progress | None,
) -> IndexCurve:
    """Build an index, try all settings on one half of the queries, and check the pick on the other."""
    parameter = "nprobe" if plan.has_clusters else "ef" if plan.type == "HNSW" else ""
    mine = config.milvus.index.search_params
    now = plan.make_search_params(mine, K, exhaustive=False).get(parameter) if is_mine else None
    values = _list_values(plan, len(material.vectors), now)
    params = {value: IndexSearchParams(**({parameter: value} if parameter else {})) for value in values}
    with open_temporary_index(config.milvus, plan, material, progress) as place:
        settings = _measure_settings(place, plan, params, slice(half, None), progress)
        pick = find_cheapest(settings)
        fresh = {}
        if pick is not None:
            cases = {item: SearchCase(item, params[pick.value]) for item in material.filters}
            found = measure_searches(place, list(cases.values()), slice(half), progress)
            fresh = {item: found[case] for item, case in cases.items()}
    wide = plan.make_search_params(IndexSearchParams(), K, exhaustive=True).get(parameter)
    return IndexCurve(plan, parameter, now, wide, place.build_seconds, settings, fresh)


def _measure_settings(
    place: TemporaryIndex,
    plan: IndexSpec,
    params: dict[int | None, IndexSearchParams],
    which: slice,
    progress: Progress | None,
) -> tuple[ParameterSetting, ...]:
    """Measure every value under every filter, as the program searches and by the index alone."""
    filters = place.material.filters
    everything, *narrow = filters
    asked: dict[tuple[int | None, str, bool], SearchCase] = {}
    same: dict[tuple[Any, ...], SearchCase] = {}
    for value, given in params.items():
        for item, widen in itertools.product(filters, (True, False)):
            if widen or item != everything:
                wide = widen and item != everything
                effective = tuple(plan.make_search_params(given, K, exhaustive=wide).values())
                # a wide search is the same whatever the value; exact search is never widened
                key = (item, effective, plan.is_exact or widen)
                asked[value, item, widen] = same.setdefault(key, SearchCase(item, given, widen))
    found = measure_searches(place, [case for case in same.values() if case.widen], which, progress)
    few = slice(which.start, which.start + _QUERIES_ALONE)
    alone = [case for case in same.values() if not case.widen]
    found |= measure_searches(place, alone, few, progress) if alone else {}
    return tuple(
        ParameterSetting(
            value,
            {item: found[asked[value, item, True]] for item in filters},
            {item: found[asked[value, item, False]] for item in narrow},
        )
        for value in params
    )


def _list_values(plan: IndexSpec, rows: int, now: int | None) -> list[int | None]:
    """Return the values of the search parameter to try, the config's among them."""
    if plan.is_exact:
        return [None]
    most = plan.build["nlist"] if plan.has_clusters else min(_MOST_EF, rows)
    powers = (2**i for i in range(0 if plan.has_clusters else 4, most.bit_length()))
    return sorted({*powers, most, *([] if now is None else [now])})


def _count_kinds(material: BenchmarkData, which: slice) -> dict[str, int]:
    """Count some queries by kind."""
    return dict(sorted(Counter(material.kinds[which].tolist()).items()))
