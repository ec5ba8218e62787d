"""Connections to Milvus Lite or a Milvus server. Only this module and ``lite_*.py`` use pymilvus."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.files import make_folder
from imagesearch.store.lite_client import LiteClient
from imagesearch.store.server_client import ServerClient


def connect(milvus: MilvusConfig, *, create: bool = True) -> Any:
    """Return a connection with the methods of `pymilvus.MilvusClient`, and `lock_for_writing`.

    Parameters
    ----------
    milvus
        The settings of the connection in the config.
    create
        Create a Milvus Lite database that does not exist.

    Raises
    ------
    UserError
        If the database does not exist and is not created; if the server does not answer, or a process has the
        file open that does not share it. Each later call also raises it if the server rejects the call or
        becomes unavailable.
    """
    if milvus.is_missing and not create:
        raise UserError(f"{milvus.uri}: no such database; run 05_build_collections.py, or correct milvus.uri")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import pymilvus  # noqa: F401 - it configures its loggers, so they can be silenced only afterwards

    # Both packages log each error with its traceback before they raise it.
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if not milvus.is_file:
        return ServerClient(milvus)
    check_lite_file(Path(milvus.uri))
    return LiteClient(milvus.uri)


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


def check_lite_file(path: Path) -> None:
    """Check that a path can be a database; Milvus Lite's own error is always "Open local milvus failed"."""
    make_folder(path.parent)
    if path.is_file():
        raise UserError(f"{path}: not a Milvus Lite database; move the file, or set another milvus.uri")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"{path}: no write permission; set another milvus.uri")
