"""Connections to Milvus Lite or a Milvus server. Only this module uses pymilvus."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.store.lite_client import LiteClient
from imagesearch.store.server_client import ServerClient


def connect(milvus: MilvusConfig) -> Any:
    """Return a client of a Milvus Lite file or of a server.

    Raises
    ------
    UserError
        If the server does not answer, or another process has the file open. Each later call also raises it if
        the server rejects the call or becomes unavailable.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import pymilvus  # noqa: F401 - it configures its loggers, so they can be silenced only afterwards

    # Both packages log each error with its traceback before they raise it.
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return LiteClient(Path(milvus.uri)) if milvus.is_file else ServerClient(milvus)


def get_data_types() -> Any:
    """Return pymilvus' enumeration of field types."""
    from pymilvus import DataType

    return DataType


def make_bm25_function(text_field: str, sparse_field: str) -> Any:
    """Return the Milvus function that computes a sparse field from a text field."""
    from pymilvus import Function, FunctionType

    return Function("bm25", FunctionType.BM25, [text_field], [sparse_field])


def make_search_request(field: str, target: Any, metric: str, limit: int, expression: str) -> Any:
    """Return one of the searches that a hybrid search combines: of a field, for a vector or a text."""
    from pymilvus import AnnSearchRequest

    return AnnSearchRequest([target], field, {"metric_type": metric}, limit, expr=expression)


def make_ranker(name: str, count: int) -> Any:
    """Return a ranker that combines ``count`` searches by ranks (``"rrf"``) or by mean score."""
    from pymilvus import RRFRanker, WeightedRanker

    return RRFRanker() if name == "rrf" else WeightedRanker(*[1 / count] * count)
