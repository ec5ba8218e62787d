"""Vector indexes: the choice of the type and the parameters for a number of vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from imagesearch.config import IndexConfig, IndexSearchParams
from imagesearch.errors import UserError
from imagesearch.store.dialect import Dialect

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
_RESERVED_OPTIONS = frozenset(
    {"nlist", "M", "efConstruction", "nprobe", "ef", "radius", "range_filter", "metric_type", "index_type"}
)
_EXACT_TYPES = frozenset({"FLAT", "GPU_BRUTE_FORCE"})
# Candidates that DISKANN examines; the default of Milvus, 16, is too few for 100 results.
_DISKANN_CANDIDATES = 100


@dataclass(frozen=True)
class IndexSpec:
    """The type of a vector index, and the parameters for building it."""

    type: str
    build: dict[str, Any]

    @property
    def is_exact(self) -> bool:
        """Whether a search compares every vector."""
        return self.type in _EXACT_TYPES

    @property
    def has_clusters(self) -> bool:
        """Whether the index has clusters; a search of all clusters misses no row."""
        return _has_clusters(self.type)

    def make_search_params(self, params: IndexSearchParams, limit: int, exhaustive: bool) -> dict[str, Any]:
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
        if self.type.startswith("HNSW"):
            return {"ef": max(params.ef, limit, _EF_UNDER_FILTER if exhaustive else 0)}
        if self.type == "DISKANN":
            return {"search_list": max(limit, _EF_UNDER_FILTER if exhaustive else _DISKANN_CANDIDATES)}
        return {}

    def is_compatible(self, other: IndexSpec) -> bool:
        """Whether a collection with this index can be kept if the other index is requested.

        The numbers of clusters can differ by a factor of two: recall and speed hardly change in that range.
        """
        if self.type == other.type and self.has_clusters:
            ratio = self.build["nlist"] / other.build["nlist"]
            return 0.5 <= ratio <= 2 and self.build | {"nlist": 0} == other.build | {"nlist": 0}
        return self == other


def choose_index(index: IndexConfig, rows: int, dialect: Dialect) -> IndexSpec:
    """Choose the type and the parameters of an index for a number of vectors.

    Parameters
    ----------
    index
        The settings in the config.
    rows
        Number of vectors.
    dialect
        The Milvus that is connected.

    Raises
    ------
    UserError
        If this Milvus does not have the type that the config names.

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
    kind = index.type if index.type != "auto" else _choose_type(rows, dialect.is_lite)
    dialect.check_index_type(kind)
    build: dict[str, Any] = {}
    if kind.startswith("HNSW"):
        build = {"M": index.params.M, "efConstruction": index.params.efConstruction}
    elif _has_clusters(kind):
        nlist = index.params.nlist
        build = {"nlist": choose_nlist(rows) if nlist == "auto" else min(nlist, max(1, rows))}
    return IndexSpec(kind, build | index.options)


def check_options(index: IndexConfig, dialect: Dialect) -> None:
    """Raise `UserError` for options that Milvus Lite does not check, or that have a setting of their own."""
    for name, options in (("options", index.options), ("search_options", index.search_options)):
        if options and dialect.is_lite:
            raise UserError(
                f"milvus.index.{name}: {dialect.name} has no further parameters; use milvus.index.params and "
                "milvus.index.search_params"
            )
        if reserved := sorted(options.keys() & _RESERVED_OPTIONS):
            raise UserError(f"milvus.index.{name}: {', '.join(reserved)} cannot be set here; see config.yaml")


def choose_nlist(rows: int) -> int:
    """Return the number of clusters for a number of vectors; see `choose_index`."""
    return max(1, min(round(4 * math.sqrt(rows)), rows // _MIN_POINTS_PER_CLUSTER, 65_536))


def _has_clusters(kind: str) -> bool:
    return kind == "SCANN" or "IVF_" in kind


def _choose_type(rows: int, lite: bool) -> str:
    if rows <= _MAX_FLAT_ROWS["lite" if lite else "server"]:
        return "FLAT"
    return "HNSW" if lite or rows <= _MAX_HNSW_ROWS else "IVF_SQ8"
