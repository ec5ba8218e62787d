"""Connections to Milvus Lite or a Milvus server. Only this module and ``lite_*.py`` use pymilvus."""

from __future__ import annotations

import logging
import os
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.files import make_folder
from imagesearch.store.lite_client import LiteClient


def connect(milvus: MilvusConfig) -> Any:
    """Return a connection with the methods of `pymilvus.MilvusClient`, and `lock_for_writing`.

    Raises
    ------
    UserError
        If the server does not answer, or a process has the file open that does not share it. Each later call
        also raises it if the server rejects the call or becomes unavailable.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    # Both packages log each error with its traceback before they raise it.
    for name in ("pymilvus", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if milvus.is_lite:
        _check_lite_file(Path(milvus.uri))
        return LiteClient(milvus.uri)
    try:
        client = MilvusClient(milvus.uri, token=milvus.token, timeout=10)
    except MilvusException as error:
        reason = " ".join(str(error.message).split())[:160]
        raise UserError(
            f"{milvus.uri}: the Milvus server does not answer ({reason}); start it, or change milvus.uri"
        ) from None
    return _ErrorTranslator(client, milvus.uri)


def get_data_types() -> Any:
    """Return pymilvus' enumeration of field types."""
    from pymilvus import DataType

    return DataType


def supports_bm25(client: Any) -> bool:
    """Whether a server can rank texts by BM25, which requires Milvus 2.5 or later."""
    version = re.match(r"v?(\d+)\.(\d+)", str(client.get_server_version()))
    return version is None or (int(version[1]), int(version[2])) >= (2, 5)


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


class _ErrorTranslator:
    """A client of a server. It raises `UserError`, with a message of one line, for each error of Milvus."""

    def __init__(self, client: Any, uri: str) -> None:
        self._client, self._uri = client, uri

    def lock_for_writing(self) -> AbstractContextManager[None]:
        """Return a context manager that does nothing: a server coordinates the writes of its clients."""
        return nullcontext()

    def __getattr__(self, name: str) -> Any:
        from pymilvus.exceptions import MilvusException

        method = getattr(self._client, name)

        def call(*args: Any, **options: Any) -> Any:
            try:
                return method(*args, **options)
            except MilvusException as error:
                reason = " ".join(str(error.message).split())[:200]
                raise UserError(f"{self._uri}: {name} failed on the Milvus server: {reason}") from None

        return call


def _check_lite_file(path: Path) -> None:
    """Check that a path can be a database; Milvus Lite's own error is always "Open local milvus failed"."""
    make_folder(path.parent)
    if path.is_file():
        raise UserError(f"{path}: not a Milvus Lite database; move the file, or set another milvus.uri")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"{path}: no write permission; set another milvus.uri")
