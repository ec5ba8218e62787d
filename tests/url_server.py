"""A local HTTP server of photos, some of whose addresses misbehave as a test requires."""

from __future__ import annotations

import gzip
import io
import ssl
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from conftest import draw

KINDS = (
    *("missing", "busy", "busy_long", "slow", "drip", "endless", "page", "not_a_photo", "loop"),
    *("to_loopback", "to_metadata", "huge", "truncated", "cut", "compressed", "broken"),
)
"""The ways in which ``/KIND/...`` misbehaves; ``/good/N.jpg`` is a photo."""
METADATA = "http://169.254.169.254/latest/photo.jpg"


def make_jpeg(seed: int, size: tuple[int, int] = (96, 64), form: str = "JPEG", **options: object) -> bytes:
    stream = io.BytesIO()
    draw(seed, size).save(stream, form, **options)
    return stream.getvalue()


class UrlServer:
    """Serves photos on loopback, by HTTPS if an SSL context is given.

    Attributes
    ----------
    delay
        Seconds before each response.
    requests
        Number of requests by path.
    headers
        The headers of the newest request, by path.
    files
        Content by path, in place of a drawn photo.
    stall
        Seconds that slow and endless responses last.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.delay, self.stall = 0.0, 60.0
        self.requests: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}
        self.files: dict[str, bytes] = {}
        self.is_open = True
        self.active, self.most_active = 0, 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                with outer._lock:
                    outer.requests[path] += 1
                    outer.headers[path] = dict(self.headers.items())
                    outer.active += 1
                    outer.most_active = max(outer.most_active, outer.active)
                try:
                    time.sleep(outer.delay)
                    with suppress(BrokenPipeError, ConnectionResetError):
                        outer.respond(self, path)
                finally:
                    with outer._lock:
                        outer.active -= 1

            def log_message(self, *_: object) -> None:
                pass

        class QuietServer(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                pass  # clients that stop reading

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{'https' if context else 'http'}://{self.host}"

    def close(self) -> None:
        self.is_open = False
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def respond(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        kind, _, name = path.strip("/").partition("/")
        if kind in KINDS:
            getattr(self, f"_respond_{kind}")(handler)
            return
        content = self.files.get(path)
        if content is None:
            content = make_jpeg(int("".join(c for c in name if c.isdigit()) or 0))
        etag = f'"{hash(content)}"'
        if handler.headers.get("If-None-Match") == etag:
            _send(handler, 304, b"")
        else:
            _send(handler, 200, content, {"Content-Type": "image/jpeg", "ETag": etag})

    def _respond_missing(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 404, b"no such photo")

    def _respond_busy(self, handler: BaseHTTPRequestHandler) -> None:
        """Refuse the first request, and ask to repeat it at once."""
        if self.requests[urlsplit(handler.path).path] > 1:
            _send(handler, 200, make_jpeg(1))
        else:
            _send(handler, 429, b"", {"Retry-After": "0"})

    def _respond_busy_long(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 429, b"", {"Retry-After": "7200"})

    def _respond_slow(self, handler: BaseHTTPRequestHandler) -> None:
        self._stall()

    def _respond_drip(self, handler: BaseHTTPRequestHandler) -> None:
        content = make_jpeg(2)
        _start(handler, 200, {"Content-Length": str(len(content))})
        for i in range(len(content)):
            handler.wfile.write(content[i : i + 1])
            time.sleep(0.1 if self.is_open else 0)

    def _respond_endless(self, handler: BaseHTTPRequestHandler) -> None:
        _start(handler, 200, {"Content-Type": "image/jpeg", "Connection": "close"})
        while self.is_open:
            handler.wfile.write(bytes(65_536))

    def _respond_page(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, b"<html>no photo</html>", {"Content-Type": "text/html; charset=utf-8"})

    def _respond_not_a_photo(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, b"%PDF-1.4 no photo", {"Content-Type": "image/jpeg"})

    def _respond_loop(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 302, b"", {"Location": handler.path})

    def _respond_to_loopback(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 302, b"", {"Location": "http://127.0.0.1:9/a.jpg"})

    def _respond_to_metadata(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 302, b"", {"Location": METADATA})

    def _respond_huge(self, handler: BaseHTTPRequestHandler) -> None:
        _start(handler, 200, {"Content-Length": str(10**12), "Connection": "close"})

    def _respond_truncated(self, handler: BaseHTTPRequestHandler) -> None:
        content = make_jpeg(3)
        _start(handler, 200, {"Content-Length": str(len(content)), "Connection": "close"})
        handler.wfile.write(content[: len(content) // 2])

    def _respond_cut(self, handler: BaseHTTPRequestHandler) -> None:
        """Send half a photo without its length: the end of the connection looks like its end."""
        _start(handler, 200, {"Content-Type": "image/jpeg", "Connection": "close"})
        handler.wfile.write(make_jpeg(3)[: len(make_jpeg(3)) // 2])
        handler.close_connection = True

    def _respond_compressed(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, gzip.compress(make_jpeg(4)), {"Content-Encoding": "gzip"})

    def _respond_broken(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 500, b"broken")

    def _stall(self) -> None:
        end = time.monotonic() + self.stall
        while self.is_open and time.monotonic() < end:
            time.sleep(0.05)


def _start(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if headers.get("Connection") == "close":
        handler.close_connection = True


def _send(
    handler: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str] | None = None
) -> None:
    _start(handler, status, {"Content-Length": str(len(content)), **(headers or {})})
    handler.wfile.write(content)


def list_addresses(url: str, count: int) -> list[str]:
    """Return addresses of photos, of which every tenth misbehaves, each in another way."""
    kinds = [kind for kind in KINDS if kind != "busy"]  # succeeds in the end
    return [
        f"{url}/good/{n}.jpg" if n % 10 else f"{url}/{kinds[n // 10 % len(kinds)]}/{n}.jpg"
        for n in range(count)
    ]
