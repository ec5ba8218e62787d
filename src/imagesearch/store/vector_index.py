"""Vector indexes: the choice of the type and the parameters for a number of vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imagesearch.config import IndexConfig, IndexSearchParams

# Maximum number of rows for FLAT. On Milvus Lite, a filtered FLAT search of 50,000 x 512 vectors is exact and
# takes 17-24 ms on two cores. A server usually has more rows, and less benefit from exact search.
_MAX_FLAT_ROWS = {"lite": 100_000, "server": 10_000}
# With more vectors, the float32 copies in a graph (2 kB each at 512 dimensions) need too much memory.
_MAX_HNSW_ROWS = 5_000_000
_MIN_POINTS_PER_CLUSTER = 39
# A graph search visits only the photos near the query, and a filter excludes some of them. Measured on 50,000
# clustered vectors with a filter that 1% pass: recall@10 0.50 with ef 64, 0.95 with 1,024, 1.00 with 4,096,
# in 24, 25 and 33 ms. If fewer pass, the graph search finds too few rows, and an exact search follows.
_EF_UNDER_FILTER = 4096


@dataclass(frozen=True)
class IndexSpec:
    """The type of a vector index, and the parameters for building it."""

    type: str
    build: dict[str, int]

    @property
    def is_exact(self) -> bool:
        """Whether a search compares every vector."""
        return self.type == "FLAT"

    @property
    def has_clusters(self) -> bool:
        """Whether the index has clusters; a search of all clusters misses no row."""
        return self.type.startswith("IVF")

    def make_search_params(self, params: IndexSearchParams, limit: int, exhaustive: bool) -> dict[str, int]:
        """Return the parameters of one search.

        Parameters
        ----------
        params
            The parameters in the config.
        limit
            Number of results.
        exhaustive
            Search more of the index, as a filter requires: all clusters of an IVF index, since photos that
            pass can be in any cluster, or at least 4,096 candidates of a graph.
        """
        if self.has_clusters:
            nlist = self.build["nlist"]
            nprobe = max(8, math.ceil(nlist / 16)) if params.nprobe == "auto" else params.nprobe
            return {"nprobe": nlist if exhaustive else min(nprobe, nlist)}
        if self.type == "HNSW":
            return {"ef": max(params.ef, limit, _EF_UNDER_FILTER if exhaustive else 0)}
        return {}

    def is_compatible(self, other: IndexSpec) -> bool:
        """Whether a collection with this index can be kept if the other index is requested.

        The numbers of clusters can differ by a factor of two: recall and speed hardly change in that range.
        """
        if self.type == other.type and self.has_clusters:
            return 0.5 <= self.build["nlist"] / other.build["nlist"] <= 2
        return self == other


def choose_index(index: IndexConfig, rows: int, lite: bool) -> IndexSpec:
    """Choose the type and the parameters of an index for a number of vectors.

    Parameters
    ----------
    index
        The settings in the config.
    rows
        Number of vectors.
    lite
        Whether the engine is Milvus Lite and not a server.

    Notes
    -----
    ``nlist: auto`` is ``4 * sqrt(rows)``, the lower end of the range that Faiss' guidelines give for up to
    a million vectors [1]_, and the value in Milvus' own notes on IVF [2]_. There are at least 39 vectors for
    each cluster, because Faiss' k-means warns if there are fewer. ``nprobe: auto`` is 1/16 of the clusters,
    at least 8; `benchmarks/README.md` has the recall.

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
    if rows <= _MAX_FLAT_ROWS["lite" if lite else "server"]:
        return "FLAT"
    return "HNSW" if lite or rows <= _MAX_HNSW_ROWS else "IVF_SQ8"
