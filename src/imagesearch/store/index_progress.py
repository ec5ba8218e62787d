"""Waiting for the vector index that a Milvus server builds in the background."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from imagesearch.errors import UserError

_POLL_SECONDS = 0.5
# Milvus 2.3 counts the rows of segments that were merged into others as pending, for an hour or longer. When
# the index has enough rows and the counts have not changed for this time, only such rows are left.
_UNCHANGED_SECONDS = 30.0


def iterate_indexed(client: Any, name: str, rows: int, uri: str) -> Iterator[int]:
    """Wait until a server's vector index has all rows, and yield a number for each row that it gains.

    On Milvus Lite the index is complete when the file is closed.

    Parameters
    ----------
    client
        The connection.
    name
        The collection, after `Collections.flush`.
    rows
        Its number of rows.
    uri
        The server, for messages.

    Raises
    ------
    UserError
        If the server cannot build the index.
    """
    done, counts, changed_at = 0, (-1, -1), time.monotonic()
    while True:
        index = client.describe_index(name, "embedding")
        if index.get("state") == "Failed":
            raise UserError(f"{uri}: the index of {name} cannot be built; see the server's log")
        indexed, pending = (int(index.get(key) or 0) for key in ("indexed_rows", "pending_index_rows"))
        if (indexed, pending) != counts:
            counts, changed_at = (indexed, pending), time.monotonic()
        is_stuck = indexed >= rows and time.monotonic() - changed_at >= _UNCHANGED_SECONDS
        is_done = pending <= 0 or is_stuck
        reached = rows if is_done else min(max(rows - pending, indexed), rows)
        yield from range(done, reached)
        done = max(done, reached)
        if is_done:
            return
        time.sleep(_POLL_SECONDS)
