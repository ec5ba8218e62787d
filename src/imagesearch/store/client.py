"""A connection to Milvus Lite or a Milvus server; the only module that knows pymilvus."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.files import make_folder


def connect(milvus: MilvusConfig) -> Any:
    """Return a `pymilvus.MilvusClient`.

    Raises
    ------
    UserError
        If the server does not answer, or another process has the file open; and later, at any call, if a
        server refuses it or has gone away.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    # Both log each error with its traceback before they raise it.
    for name in ("pymilvus", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if milvus.is_lite:
        _check_lite_file(Path(milvus.uri))
    try:
        client = MilvusClient(milvus.uri, token=milvus.token, timeout=10)
    except MilvusException as error:
        if milvus.is_lite:
            raise UserError(
                f"{milvus.uri}: cannot be opened; another process has it open (a search waiting for a query? "
                "a notebook?): end that one, or use a Milvus server (milvus.uri: http://...)"
            ) from None
        reason = " ".join(str(error.message).split())[:160]
        raise UserError(f"{milvus.uri}: the Milvus server does not answer: {reason}") from None
    return client if milvus.is_lite else _ErrorTranslator(client, milvus.uri)


def disconnect(client: Any, uri: str, lite: bool) -> None:
    """Close a connection; of Milvus Lite the file too, when its compaction has ended."""
    client.close()
    if lite:
        from milvus_lite.server_manager import server_manager_instance

        server_manager_instance.release_server(uri)


def get_data_types() -> Any:
    """Return pymilvus' enumeration of field types."""
    from pymilvus import DataType

    return DataType


def supports_bm25(client: Any) -> bool:
    """Whether a server can rank texts by BM25 itself: from Milvus 2.5 on."""
    version = re.match(r"v?(\d+)\.(\d+)", str(client.get_server_version()))
    return version is None or (int(version[1]), int(version[2])) >= (2, 5)


def make_bm25_function(text_field: str, sparse_field: str) -> Any:
    """Return the function with which Milvus fills a sparse field from a text."""
    from pymilvus import Function, FunctionType

    return Function("bm25", FunctionType.BM25, [text_field], [sparse_field])


def make_search_request(field: str, target: Any, metric: str, limit: int, expression: str) -> Any:
    """Return one of the searches that a hybrid search fuses: a field, and what it is compared to."""
    from pymilvus import AnnSearchRequest

    return AnnSearchRequest([target], field, {"metric_type": metric}, limit, expr=expression)


def make_ranker(name: str, count: int) -> Any:
    """Return what fuses the rankings of so many searches: by their ranks (``rrf``) or their mean score."""
    from pymilvus import RRFRanker, WeightedRanker

    return RRFRanker() if name == "rrf" else WeightedRanker(*[1 / count] * count)


class _ErrorTranslator:
    """A client whose server may go away, or refuse, at any moment: that becomes an error of one line."""

    def __init__(self, client: Any, uri: str) -> None:
        self._client, self._uri = client, uri

    def __getattr__(self, name: str) -> Any:
        from pymilvus.exceptions import MilvusException

        method = getattr(self._client, name)

        def call(*args: Any, **options: Any) -> Any:
            try:
                return method(*args, **options)
            except MilvusException as error:
                reason = " ".join(str(error.message).split())[:200]
                raise UserError(f"{self._uri}: the Milvus server refuses {name}: {reason}") from None

        return call


def _check_lite_file(path: Path) -> None:
    """Refuse a path that cannot hold a database; Milvus Lite's error is always "Open local milvus failed"."""
    make_folder(path.parent)
    if path.is_file():
        raise UserError(f"{path}: not a Milvus Lite database; move it away, or set another milvus.uri")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"{path}: no permission to write there; choose another milvus.uri")
