"""A local HTTP server that responds like a geocoder, with errors and delays that a test can set."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def answer_as_nominatim(query: dict[str, str]) -> Any:
    return {
        "lat": query["lat"],
        "lon": query["lon"],
        "display_name": "1, Road, Utopia",
        "address": {
            "suburb": "Old Town",
            "town": f"Town {query['lat']}",
            "state": "Sömewhere",
            "country": "Utopia",
        },
    }


def answer_as_photon(query: dict[str, str], **place: str) -> Any:
    street = {"name": "Café", "housenumber": "1", "street": "Road", "district": "Old Town", "type": "house"}
    properties = (place or street | {"city": f"Town {query['lat']}"}) | {
        "county": "Shire",
        "state": "Sömewhere",
        "country": "Utopia",
    }
    position = {"type": "Point", "coordinates": [float(query["lon"]), float(query["lat"])]}
    feature = {"type": "Feature", "properties": properties, "geometry": position}
    return {"type": "FeatureCollection", "features": [feature]}


class Server:
    """Responds in a geocoder's JSON or as a test requires; records the time and query of each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[float, str, dict[str, str]]] = []
        self.answer: Callable[[int], tuple[int, bytes] | None] = lambda _: None
        self.format: Callable[[dict[str, str]], Any] = answer_as_nominatim
        self.headers: dict[str, str] = {}
        self.drip = 0.0  # seconds between two bytes of an answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
                outer.requests.append((time.monotonic(), self.headers["User-Agent"], query))
                status, body = outer.answer(len(outer.requests)) or (
                    200,
                    json.dumps(outer.format(query)).encode(),
                )
                with suppress(BrokenPipeError, ConnectionResetError):  # the client has timed out
                    if outer.headers.get("X-Drip") == "head":
                        for _ in range(20):
                            self.wfile.write(b"H")
                            time.sleep(outer.drip)
                    self.send_response(status)
                    for name, value in outer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for i in range(len(body)) if outer.drip else ():
                        self.wfile.write(body[i : i + 1])
                        time.sleep(outer.drip)
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/nominatim/"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
