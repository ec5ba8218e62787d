"""Which requests are answered: only those for the address served, from its own pages, with the password."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from http_requests import UPGRADE, WEBSOCKET, Reply, send
from web_fixtures import WebAlbum, WebServer

from imagesearch.serving import HostNames
from imagesearch.web.login import _check_target
from imagesearch.web.password import PasswordGate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def open_server(shared_album: WebAlbum) -> Iterator[WebServer]:
    """A server without a password."""
    with WebServer(shared_album) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(shared_album: WebAlbum) -> Iterator[WebServer]:
    """A server for other machines, which requires a password."""
    shared_album.env["IMAGESEARCH_PASSWORD"] = PASSWORD
    running = WebServer(shared_album, "--host", "0.0.0.0")
    del shared_album.env["IMAGESEARCH_PASSWORD"]
    with running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1"},
        {"Host": "192.168.1.10:{port}"},
        {"Host": "user@127.0.0.1:{port}"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
    ids=str,
)
def test_requests_of_other_sites_are_refused(open_server: WebServer, headers: dict[str, str]) -> None:
    port = open_server.address.rpartition(":")[2]
    headers = {name: value.format(port=port) for name, value in headers.items()}
    for path in (
        "/",
        "/api/people",
        "/thumbnail/0123456789abcdef",
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
    ):
        assert send(open_server.address, path, headers).status == 403, path
    assert send(open_server.address, "/api/search?q=a", headers, "POST", b"x").status == 403
    assert send(open_server.address, WEBSOCKET, UPGRADE | headers).status == 403


def test_the_own_pages_and_links_to_them_are_answered(open_server: WebServer) -> None:
    address = open_server.address
    port = address.rpartition(":")[2]
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for headers in ({}, {"Origin": address}, link, {"Host": f"LOCALHOST:{port}"}, {"Host": f"[::1]:{port}"}):
        assert send(address, "/", headers).status == 200, headers
    for headers in ({"Origin": address}, {}):
        assert send(address, WEBSOCKET, UPGRADE | headers).status == 101
    twice = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.sendall(twice.encode())
        assert b"HTTP/1.1 40" in connection.recv(100)


class _HostilePage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hostile_address() -> Iterator[str]:
    """A site of somebody else on this machine: browsers let it connect to other ports."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _HostilePage) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


def test_a_page_elsewhere_cannot_query_the_server(
    open_server: WebServer, browser: Browser, hostile_address: str
) -> None:
    page = browser.new_context().new_page()
    page.goto(hostile_address)
    code = """async ([address, socket]) => {
        const done = [];
        const say = name => () => done.push(name);
        const people = address + '/api/people';
        await fetch(people, {mode: 'no-cors'}).then(r => say('fetch ' + r.status)(), () => 0);
        await fetch(people).then(say('cors'), () => 0);
        const load = (element, name) => new Promise(resolve => {
            element.onload = () => resolve(say(name)());
            element.onerror = resolve;
            document.body.append(element);
        });
        await load(Object.assign(new Image(), {src: address + '/favicon.ico'}), 'image');
        const script = document.createElement('script');
        await load(Object.assign(script, {src: address + '/openapi.json'}), 'script');
        await new Promise(resolve => {
            const opened = new WebSocket(address.replace('http', 'ws') + socket);
            opened.onopen = () => resolve(say('websocket')());
            opened.onerror = resolve;
        });
        return done;
    }"""
    # the browser sends a request without CORS, and hides the answer, which is an error
    assert page.evaluate(code, [open_server.address, WEBSOCKET]) == ["fetch 0"]
    page.context.close()


def test_responses_forbid_foreign_scripts_and_frames(open_server: WebServer) -> None:
    policies = []
    for path in ("/", "/docs", "/api/people", "/nothing", "/thumbnail/0123456789abcdef"):
        headers = send(open_server.address, path).headers
        policy = headers["Content-Security-Policy"]
        policies.append(policy)
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-inline'" not in re.search("script-src [^;]*", policy)[0]
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Access-Control-Allow-Origin"] is None
    assert len(set(policies)) == len(policies), "a nonce is used once"


def test_only_the_scripts_of_the_template_have_the_nonce(open_server: WebServer) -> None:
    reply = send(open_server.address, "/")
    nonce = re.search("'nonce-([^']+)'", reply.headers["Content-Security-Policy"])[1]
    html = reply.body.decode()
    assert html.count("<script") == html.count(f'<script nonce="{nonce}"') > 3
    prefix = send(open_server.address, "/", {"X-Forwarded-Prefix": "/evil"}).body.decode()
    assert "/evil" not in prefix


def test_without_the_password_nothing_is_answered(guarded: WebServer) -> None:
    address = guarded.address
    for path in ("/api/people", "/thumbnail/0123456789abcdef", "/static/style.css", "/docs", "/openapi.json"):
        reply = send(address, path)
        assert (reply.status, reply.json) == (401, {"error": "password required"})
    assert send(address, WEBSOCKET, UPGRADE).status == 403
    assert send(address, WEBSOCKET, UPGRADE | {"Cookie": "imagesearch-1=x; a"}).status == 403
    reply = send(address, "/?q=a%20b", {"Accept": "text/html"})
    assert (reply.status, reply.headers["Location"]) == (303, "/login?next=/%3Fq%3Da%2520b")
    port = address.rpartition(":")[2]
    assert send(address, "/login", {"Host": f"192.168.1.10:{port}"}).status == 200
    assert send(address, "/login", {"Host": f"evil.example:{port}"}).status == 403


def log_in(address: str, password: str, target: str = "/") -> Reply:
    form = urlencode({"password": password, "next": target}).encode()
    headers = {"Origin": address, "Content-Type": "application/x-www-form-urlencoded"}
    return send(address, "/login", headers, "POST", form)


def test_the_password_opens_a_session_until_it_is_closed(guarded: WebServer) -> None:
    address = guarded.address
    reply = log_in(address, PASSWORD, "/?q=a")
    cookie = reply.headers["Set-Cookie"]
    assert (reply.status, reply.headers["Location"]) == (303, "/?q=a")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    session = {"Cookie": cookie.partition(";")[0]}
    assert send(address, "/", session).status == 200
    # cookies of other servers on this host, which no parser of cookies reads
    assert send(address, "/", {"Cookie": f'prefs={{"dark": true}}; {session["Cookie"]}'}).status == 200
    assert send(address, WEBSOCKET, UPGRADE | session).status == 101
    assert send(address, "/logout", session, "POST").status == 303
    assert send(address, "/api/people", session).status == 401
    assert send(address, "/login", {"Origin": "http://evil.example"}, "POST", b"password=x").status == 403


def test_a_page_logs_out_and_the_other_pages_of_the_session_get_no_answer(
    guarded: WebServer, browser: Browser
) -> None:
    context = browser.new_context(base_url=guarded.address)
    page, other = context.new_page(), context.new_page()
    for one in (page, other):
        one.goto("/")
        if "login" in one.url:
            one.get_by_label("Password").fill(PASSWORD)
            one.get_by_label("Password").press("Enter")
        one.locator(".tile").nth(5).wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
    box = other.get_by_label("Search", exact=True)
    with other.expect_event("websocket", timeout=20_000):  # the browser tries to connect again
        box.fill("maya in 2023")
        box.press("Enter")
    assert other.locator(".chip").count() == 0
    assert "q=maya" not in other.url
    other.goto("/people")
    other.get_by_label("Password").wait_for()
    context.close()


def test_attempts_are_limited(guarded: WebServer) -> None:
    assert log_in(guarded.address, PASSWORD).status == 303  # forgets earlier attempts
    assert [log_in(guarded.address, f"wrong {i}").status for i in range(6)] == [403] * 5 + [429]
    reply = log_in(guarded.address, PASSWORD)
    assert reply.status == 429
    assert 0 < int(reply.headers["Retry-After"]) <= 60
    assert send(guarded.address, "/login", {}, "POST", b"password=" + b"x" * 10_000).status in (403, 429)
    assert PASSWORD.encode() not in Path(f"/proc/{guarded.process.pid}/cmdline").read_bytes()


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "//[",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "",
    ],
)
def test_the_login_leads_to_own_pages_only(target: str) -> None:
    assert _check_target(target) == "/"


def test_a_gate_keeps_few_sessions_and_forgets_attempts() -> None:
    gate = PasswordGate(PASSWORD)
    assert gate.check(PASSWORD)
    assert not any(map(gate.check, ("", "correct horse ", "Correct horse", "\udcff")))
    tokens = [gate.open_session("a") for _ in range(201)]
    assert [gate.has_session(token) for token in (tokens[0], tokens[1], tokens[-1], "", "x")] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert [gate.count_attempt("b") > 0 for _ in range(6)] == [False] * 5 + [True]
    assert not gate.count_attempt("c")
    gate.open_session("b")
    assert not gate.count_attempt("b")


def test_host_names() -> None:
    own = HostNames("photos.example", 80)
    assert all(map(own.has, ("photos.example", "PHOTOS.example:80", "localhost", "[::1]:80")))
    assert not any(map(own.has, ("", ":80", "photos.example:8080", "192.168.1.1")))
    v6 = HostNames("fe80::1", 8765)
    assert v6.has("[fe80::1]:8765")
    assert not v6.has("fe80::1:8765")


def test_ctrl_c_stops_the_server_while_a_page_is_open(shared_album: WebAlbum, browser: Browser) -> None:
    server = WebServer(shared_album)
    page = browser.new_context().new_page()
    page.goto(server.address)
    page.get_by_label("Search", exact=True).first.wait_for()
    server.close()  # fails if it takes long: uvicorn alone waits for the page
    assert server.process.returncode == 130
    page.context.close()
