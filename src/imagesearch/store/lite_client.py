"""A connection to a Milvus Lite file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError
from imagesearch.files import make_folder

_open_connections: Counter[Path] = Counter()


class LiteClient:
    def __init__(self, path: Path) -> None:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        make_folder(path.parent)
        if path.is_file():
            raise UserError(f"{path}: not a Milvus Lite database; move the file, or set another milvus.uri")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UserError(f"{path}: no write permission; set another milvus.uri")
        self._path = path
        try:
            self._client = MilvusClient(str(path), timeout=10)
        except MilvusException:
            raise UserError(f"{path}: cannot be opened: another process has it open") from None
        _open_connections[path] += 1

    def close(self) -> None:
        self._client.close()
        _open_connections[self._path] -= 1
        if not _open_connections[self._path]:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(str(self._path))

    @contextmanager
    def lock_for_writing(self) -> Iterator[None]:
        yield

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
