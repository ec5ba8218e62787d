"""Vector indexes: which one suits how many photos, and its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imagesearch.config import IndexConfig, IndexSearchParams

# Milvus Lite: a filtered FLAT search of 50,000 x 512 takes 17-24 ms on two cores and is exact. A server has
# less to gain from exactness and more rows: it builds a graph unless there is next to nothing to build on.
_FLAT_UP_TO = {"lite": 100_000, "server": 10_000}
# Beyond this many vectors a graph's float32 copies (2 kB each at 512 dimensions) outgrow common machines.
_HNSW_UP_TO = 5_000_000
_MIN_POINTS_PER_CLUSTER = 39
# A graph meets only the photos near the query, and of these only the ones that pass a filter count. Measured
# on 50,000 clustered vectors with a filter that 1% pass: recall@10 0.50 at ef 64, 0.95 at 1,024, 1.00 at
# 4,096, for 24, 25 and 33 ms. Where fewer pass the graph meets too few, and the search is repeated exactly.
_EF_UNDER_FILTER = 4096


@dataclass(frozen=True)
class IndexSpec:
    """A vector index with every parameter of building it settled."""

    type: str
    build: dict[str, int]

    @property
    def is_exact(self) -> bool:
        """Whether a search looks at every vector."""
        return self.type == "FLAT"

    @property
    def has_clusters(self) -> bool:
        """Whether searching all its clusters is exact."""
        return self.type.startswith("IVF")

    def make_search_params(self, params: IndexSearchParams, limit: int, exhaustive: bool) -> dict[str, int]:
        """Return the parameters of one search.

        Parameters
        ----------
        params
            From the config.
        limit
            Number of hits.
        exhaustive
            Search wider, as under a filter: into every cluster of an IVF index, since the few photos that
            pass may lie in any of them, and far around in a graph.
        """
        if self.has_clusters:
            nlist = self.build["nlist"]
            nprobe = max(8, math.ceil(nlist / 16)) if params.nprobe == "auto" else params.nprobe
            return {"nprobe": nlist if exhaustive else min(nprobe, nlist)}
        if self.type == "HNSW":
            return {"ef": max(params.ef, limit, _EF_UNDER_FILTER if exhaustive else 0)}
        return {}

    def is_compatible(self, other: IndexSpec) -> bool:
        """Whether a collection with this index can be kept where the other one is asked for.

        A number of clusters may drift by a factor of two: recall and speed hardly change in that range.
        """
        if self.type == other.type and self.has_clusters:
            return 0.5 <= self.build["nlist"] / other.build["nlist"] <= 2
        return self == other


def choose_index(index: IndexConfig, rows: int, lite: bool) -> IndexSpec:
    """Settle the type and parameters of an index for a number of vectors.

    Parameters
    ----------
    index
        From the config.
    rows
        Number of vectors.
    lite
        Whether the engine is Milvus Lite, not a server.

    Notes
    -----
    ``nlist: auto`` is ``4 * sqrt(rows)``, the lower end of the range that Faiss' guidelines give for up to
    a million vectors [1]_ and the value in Milvus' own notes on IVF [2]_, with at least 39 vectors for
    each cluster, below which Faiss' k-means warns. ``nprobe: auto`` is a sixteenth of the clusters, at
    least 8; see `benchmarks/README.md` for the recall that gives.

    References
    ----------
    .. [1] Faiss wiki, "Guidelines to choose an index".
    .. [2] Milvus documentation, "IVF_FLAT" and the performance FAQ on nlist and nprobe.
    """
    kind = index.type if index.type != "auto" else _choose_type(rows, lite)
    if kind == "HNSW":
        return IndexSpec(kind, {"M": index.params.M, "efConstruction": index.params.efConstruction})
    if kind.startswith("IVF"):
        nlist = index.params.nlist
        return IndexSpec(kind, {"nlist": choose_nlist(rows) if nlist == "auto" else min(nlist, max(1, rows))})
    return IndexSpec("FLAT", {})


def choose_nlist(rows: int) -> int:
    """Return the number of clusters for a number of vectors; see `choose_index`."""
    return max(1, min(round(4 * math.sqrt(rows)), rows // _MIN_POINTS_PER_CLUSTER, 65_536))


def _choose_type(rows: int, lite: bool) -> str:
    if rows <= _FLAT_UP_TO["lite" if lite else "server"]:
        return "FLAT"
    return "HNSW" if lite or rows <= _HNSW_UP_TO else "IVF_SQ8"
