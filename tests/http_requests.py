"""Requests with any headers, as a hostile page or program sends them."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

Result = TypeVar("Result")
WEBSOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(
    address: str, path: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b""
) -> Reply:
    """Send a request to a server and return its reply; of a websocket, only the handshake."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        connection.request(method, path, body or None, headers or {})
        response = connection.getresponse()
        content = b"" if response.status == 101 else response.read()
        return Reply(response.status, response.headers, content)
    finally:
        connection.close()


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread of its own: in the main thread, the loop of Playwright is running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
