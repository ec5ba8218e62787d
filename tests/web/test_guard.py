"""The guard around the application, without a server: requests that no ordinary browser or client sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from http_requests import run_async

from imagesearch.web import password as password_module
from imagesearch.web.access import MAX_BODY, AccessGuard, HostNames
from imagesearch.web.password import PasswordGate

PORT = 8765
HOST = f"127.0.0.1:{PORT}"
PASSWORD = "a long password"
Headers = Sequence[tuple[str, str]]


@dataclass
class Reply:
    """What the guard has sent, and what the application around which it is has received."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    received: list[Any] = field(default_factory=list)
    seen: dict[str, Any] | None = None

    def get(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


def ask(
    guard_options: dict[str, Any],
    headers: Headers = (),
    method: str = "GET",
    path: str = "/",
    query: str = "",
    parts: Iterable[bytes] = (b"",),
    kind: str = "http",
) -> Reply:
    """Send one request through a guard to an application that reads all of the body."""
    reply, bodies = Reply(), list(parts)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reply.seen = dict(scope)
        if kind == "websocket":
            await send({"type": "websocket.accept"})
            return
        more = True
        while more:
            message = await receive()
            reply.received.append(message)
            more = message.get("more_body", False)
        answer = [(b"content-type", b"text/plain"), (b"Access-Control-Allow-Origin", b"*")]
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        await send({"type": "http.response.body", "body": b"answered"})

    async def receive() -> Any:
        return {"type": "http.request", "body": bodies.pop(0), "more_body": bool(bodies)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = [(key.decode().lower(), value.decode()) for key, value in message["headers"]]
        elif message["type"] == "websocket.close":
            reply.status = message["code"]
        reply.body += message.get("body", b"")

    own = [] if any(name == "host" for name, _ in headers) else [("host", HOST)]
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in [*own, *headers]],
        "client": ("192.168.1.7", 1234),
        "server": ("127.0.0.1", PORT),
    }
    guard = AccessGuard(application, HostNames("127.0.0.1", PORT), **guard_options)
    run_async(guard(scope, receive, send))
    return reply


def make_form(password: str, next_page: str = "/map") -> list[bytes]:
    return [f"password={password.replace(' ', '+')}&next={next_page}".encode()]


def test_a_request_has_one_host_and_one_origin() -> None:
    own = ("origin", f"http://{HOST}")
    assert ask({}, [own]).status == 200
    for headers in (
        [own, ("origin", "http://elsewhere.example")],
        [own, own],
        [("host", HOST), ("host", "elsewhere.example")],
        [("host", HOST), ("host", HOST)],
        [("host", f"127.0.0.1:{PORT + 1}")],
        [("origin", "null")],
    ):
        reply = ask({}, headers)
        assert (reply.status, reply.seen) == (403, None), headers
    everywhere = HostNames("0.0.0.0", PORT)
    assert everywhere.has(f"192.168.1.7:{PORT}") and everywhere.has(f"[fe80::1]:{PORT}")
    assert not everywhere.has(f"[::1%x; script-src *]:{PORT}")
    assert not everywhere.has("192.168.1.7:80") and not everywhere.has(f"elsewhere.example:{PORT}")


@pytest.mark.parametrize(
    ("method", "mode", "destination", "kind", "status"),
    [
        ("GET", "navigate", "document", "http", 200),
        ("POST", "navigate", "document", "http", 403),
        ("GET", "navigate", "iframe", "http", 403),
        ("GET", "no-cors", "document", "http", 403),
        ("GET", "no-cors", "image", "http", 403),
        ("GET", "navigate", "document", "websocket", 1008),
    ],
)
def test_another_site_can_only_link_to_a_page(
    method: str, mode: str, destination: str, kind: str, status: int
) -> None:
    source = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)]
    assert ask({}, source, method, kind=kind).status == status


def test_a_body_is_limited_also_if_its_length_is_not_announced() -> None:
    part = bytes(2**20)
    for count, kind in ((MAX_BODY >> 20, "http.request"), ((MAX_BODY >> 20) + 1, "http.disconnect")):
        reply = ask({}, method="POST", parts=[part] * count)
        assert reply.received[-1]["type"] == kind
        assert sum(len(message.get("body", b"")) for message in reply.received) <= MAX_BODY
    for length in (str(MAX_BODY + 1), "-1", "x"):
        assert ask({}, [("content-length", length)], "POST").status == 413


def test_headers_of_proxies_and_permissions_for_other_sites_are_removed() -> None:
    names = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-prefix")
    reply = ask({}, [(name, "elsewhere.example") for name in names])
    assert reply.seen is not None and [name for name, _ in reply.seen["headers"]] == [b"host"]
    assert not reply.get("access-control-allow-origin")
    assert len(reply.get("content-security-policy")) == 1


def test_a_session_is_a_cookie_of_this_server_that_no_script_reads() -> None:
    options = {"gate": PasswordGate(PASSWORD)}
    assert ask(options, kind="websocket").status == 1008
    for method in ("GET", "POST"):
        reply = ask(options, method=method)
        assert (reply.status, reply.seen, reply.get("cache-control")) == (401, None, ["no-store"])
    reply = ask(options, method="POST", path="/login", parts=make_form(PASSWORD))
    assert (reply.status, reply.get("location")) == (303, ["/map"])
    (cookie,) = reply.get("set-cookie")
    name, _, token = cookie.partition(";")[0].partition("=")
    assert name == f"imagesearch-{PORT}"  # a server on another port of this machine gets it too
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    session = [("cookie", f"{name}={token}")]
    assert ask(options, session).body == b"answered"
    assert ask(options, session, kind="websocket").seen is not None
    assert ask(options, [("cookie", f"imagesearch={token}")]).status == 401
    assert ask(options, [("cookie", f"{name}={token}x")]).status == 401
    # a link or an image cannot end the session; the button does
    assert ask(options, session, path="/logout").body == b"answered"
    assert ask(options, session, "POST", "/logout").status == 303
    assert ask(options, session).status == 401


def test_the_login_page_shows_no_code_of_others_and_reads_little() -> None:
    options = {"gate": PasswordGate(PASSWORD)}
    page = ask(options, path="/login", query="next=/map%22%3E%3Cscript%3E").body.decode()
    assert "<script>" not in page and "&quot;&gt;&lt;script&gt;" in page
    assert 'value="/"' in ask(options, path="/login", query="next=//elsewhere.example").body.decode()
    padding = b"&x=" + bytes(5000)
    reply = ask(options, method="POST", path="/login", parts=[*make_form(PASSWORD), padding])
    assert (reply.status, reply.get("set-cookie")) == (403, [])


def test_attempts_are_counted_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(password_module.time, "monotonic", lambda: now)
    gate = PasswordGate(PASSWORD)
    assert [gate.count_attempt("a") for _ in range(5)] == [0] * 5
    assert gate.count_attempt("a") == 60
    now += 59
    assert gate.count_attempt("a") == 1
    assert gate.count_attempt("b") == 0  # another address has attempts of its own
    now += 2
    assert gate.count_attempt("a") == 0
    # all addresses together, such as those of one network, have a limit too
    assert [gate.count_attempt(f"c{number}") for number in range(28)] == [0] * 28
    assert gate.count_attempt("d") > 0
    now += 61
    assert gate.count_attempt("d") == 0


def test_a_gate_keeps_the_sessions_in_use_and_few_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(password_module.time, "monotonic", lambda: now)
    monkeypatch.setattr(password_module, "_MAX_ADDRESSES", 3)
    gate = PasswordGate(PASSWORD)
    first = gate.open_session("a")
    others = [gate.open_session("a") for _ in range(199)]
    assert gate.has_session(first)  # used last
    gate.open_session("a")
    assert gate.has_session(first) and not gate.has_session(others[0]) and gate.has_session(others[1])
    for _ in range(5):
        gate.count_attempt("a")
    assert gate.count_attempt("a") > 0
    for address in "bcd":
        gate.count_attempt(address)
    assert gate.count_attempt("a") == 0  # forgotten: the memory of the gate is limited
    gate.open_session("a")
    assert [gate.count_attempt("a") for _ in range(5)] == [0] * 5  # the right password ends the count
