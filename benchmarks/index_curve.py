"""Index benchmark on clustered vectors, with a test of the recommended settings on unseen queries.

    python benchmarks/index_curve.py [--rows 100000] [--dimension 512] [--types FLAT IVF_FLAT HNSW]

Runs the same evaluation as `08_evaluate.py --index` on a file of vectors. Then it builds each index with the
recommended lines on all of these vectors, and searches with 100 queries that are not in the file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from store_speed import make_clustered_vectors

from imagesearch import cli
from imagesearch.config import load_config
from imagesearch.evaluate import evaluate_index
from imagesearch.evaluate.index_benchmark import (
    SearchCase,
    measure_searches,
    open_temporary_index,
    prepare_data,
)
from imagesearch.figures import draw_index_report, report_figure_path, show_figure
from imagesearch.store import LITE, choose_index

UNSEEN = 100  # queries


def measure_unseen_queries(
    lines: str, vectors: np.ndarray, unseen: np.ndarray, folder: Path
) -> dict[str, dict]:
    """Build an index from lines of YAML, and return its measurements on unseen queries, by filter."""
    file = folder / "recommended.yaml"
    file.write_text(lines, "utf-8")
    milvus = load_config(file).milvus
    data = prepare_data(vectors, {"unseen": unseen}, seed=1)  # other filters than those of the tuning
    with open_temporary_index(
        milvus, choose_index(milvus.index, len(vectors), LITE), data, cli.show_progress
    ) as index:
        cases = [SearchCase(name, milvus.index.search_params) for name in data.filters]
        found = measure_searches(index, cases, slice(None), cli.show_progress)
    return {case.filter: found[case].to_dict() for case in cases}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--types", nargs="+", default=["FLAT", "IVF_FLAT", "HNSW"])
    parser.add_argument("--save", type=Path, help="file for the figure")
    parser.add_argument("--json", type=Path, help="file for the report, as 08_evaluate.py --json prints it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vectors = make_clustered_vectors(args.rows + UNSEEN, args.dimension)
        unseen, vectors = vectors[:UNSEEN].copy(), vectors[UNSEEN:]
        np.save(folder / "vectors.npy", vectors)
        (folder / "config.yaml").touch()
        config = load_config(folder / "config.yaml")
        report = evaluate_index(
            config, types=args.types, vectors=folder / "vectors.npy", progress=cli.show_progress
        )
        print(report, flush=True)
        if args.json:
            args.json.write_text(json.dumps(report.to_dict(), indent=2), "utf-8")
        if args.save:
            report_figure_path(show_figure(draw_index_report(report), "index", save=args.save, window=False))
        for curve in report.curves:
            if curve.parameter and curve.pick:
                found = measure_unseen_queries(curve.format_yaml(), vectors, unseen, folder)
                print(f"\n{curve.format_yaml()}\non {UNSEEN} unseen queries:", json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
