"""Time and memory of clustering faces, compared with the bare matrix product and with scikit-learn.

    python benchmarks/cluster_speed.py [--faces 10000 30000 100000] [--largest 0 20000] [--dimension 512]

Each measurement runs in a separate process, so that its peak memory contains nothing but Python, NumPy, the
vectors and the clustering. The program prints one line for each number of faces and each size of the largest
person. A line has the ratio to the bare matrix product of all pairs and, up to 10,000 faces, to scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from imagesearch.faces.linkage import cluster_vectors
from imagesearch_demo.scoring import make_face_vectors

REFERENCE_UP_TO = 10_000  # scikit-learn's matrix of all pairs takes 0.4 GB there, and 40 GB at 100,000


def measure_bare_product(vectors: np.ndarray) -> float:
    """Return the seconds for the cosines of all pairs alone, estimated from a sample."""
    start = time.perf_counter()
    for first in range(0, 1024, 128):
        vectors[first : first + 128] @ vectors.T
    return (time.perf_counter() - start) * len(vectors) / 1024


def measure_clustering(faces: int, largest: int, dimension: int, distance: float) -> dict:
    """Cluster the faces and, if there are at most 10,000, also cluster them with scikit-learn."""
    vectors, _ = make_face_vectors(faces, dimension, largest)
    result: dict = {"faces": faces, "largest": largest}
    bare_seconds = measure_bare_product(vectors)
    start, cpu = time.perf_counter(), time.process_time()
    labels = cluster_vectors(vectors, distance)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    bare_seconds = (bare_seconds + measure_bare_product(vectors)) / 2
    result["clusters"] = int(labels.max()) + 1
    result |= {"seconds": round(seconds, 1), "CPU seconds": round(cpu, 1)}
    result["this / bare product"] = round(seconds / bare_seconds, 2)
    result["peak GB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)
    if faces <= REFERENCE_UP_TO:
        from sklearn.cluster import AgglomerativeClustering

        model = AgglomerativeClustering(None, metric="cosine", linkage="average", distance_threshold=distance)
        start = time.perf_counter()
        expected = model.fit_predict(vectors)
        result["scikit-learn / this"] = round((time.perf_counter() - start) / seconds, 2)
        result["scikit-learn peak GB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)
        pairs = len(np.unique(np.stack([labels, expected]), axis=1).T)
        result["equal"] = bool(pairs == labels.max() + 1 == expected.max() + 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--largest", type=int, nargs="+", default=[0, 20_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--distance", type=float, default=0.6)
    parser.add_argument(
        "--here",
        action="store_true",
        help="measure the first values of --faces and --largest in this process",
    )
    args = parser.parse_args()
    if args.here:
        print(
            json.dumps(measure_clustering(args.faces[0], args.largest[0], args.dimension, args.distance)),
            flush=True,
        )
        return
    options = ["--here", "--dimension", str(args.dimension), "--distance", str(args.distance)]
    for faces in args.faces:
        for largest in (size for size in args.largest if size < faces):
            one = ["--faces", str(faces), "--largest", str(largest)]
            subprocess.run([sys.executable, __file__, *one, *options], check=True)


if __name__ == "__main__":
    main()
