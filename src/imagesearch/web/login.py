"""The page that asks for the password, and the cookie of those who have entered it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from imagesearch.web.password import PasswordGate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_MAX_BODY = 4096
_MAX_AGE = 30 * 24 * 3600
_PAGE = Template((Path(__file__).parent / "static" / "login.html").read_text("utf-8"))


class LoginPages:
    """Answers requests without a session: with the page that asks for the password, or with an error.

    Parameters
    ----------
    gate
        Checks the password and the sessions.
    """

    def __init__(self, gate: PasswordGate) -> None:
        self._gate = gate
        self._is_checking = asyncio.Lock()  # one at a time: each takes 16 MB and a core

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer a request if it has no session, or is for the login page; return whether it is answered."""
        token = _read_token(scope)
        has_session = bool(token) and self._gate.has_session(token)
        if scope["type"] == "websocket":
            if not has_session:
                await send({"type": "websocket.close", "code": 1008, "reason": "password required"})
            return not has_session
        path, method = scope["path"], scope["method"]
        if path == "/login" and method in ("GET", "HEAD"):
            target = parse_qs(scope["query_string"].decode("latin-1")).get("next", ["/"])[0]
            if has_session:
                await _redirect(send, _check_target(target))
            else:
                await _send_page(send, 200, target)
        elif path == "/login" and method == "POST":
            await self._log_in(scope, receive, send)
        elif path == "/logout" and method == "POST":
            self._gate.close_session(token)
            await _redirect(send, "/login", _make_cookie(scope, "", 0))
        elif not has_session:
            await _ask_for_password(scope, send)
        else:
            return False
        return True

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        form = parse_qs(await _read_body(receive), keep_blank_values=True, errors="surrogateescape")
        target = form.get("next", ["/"])[0]
        address = (scope.get("client") or ("",))[0]
        wait = self._gate.count_attempt(address)
        if wait:
            message = f"Too many attempts. Try again in {math.ceil(wait)} s."
            await _send_page(send, 429, target, message, [(b"retry-after", str(math.ceil(wait)).encode())])
            return
        async with self._is_checking:
            is_right = await asyncio.to_thread(self._gate.check, form.get("password", [""])[0])
        if is_right:
            token = self._gate.open_session(address)
            await _redirect(send, _check_target(target), _make_cookie(scope, token, _MAX_AGE))
        else:
            await _send_page(send, 403, target, "This is not the password.")


def _check_target(target: str) -> str:
    """Return the address of a page of this server; the first page if it is another site's, or not valid."""
    try:
        parts = urlsplit(target) if target.isascii() and target.isprintable() else None
    except ValueError:
        return "/"
    is_own = parts is not None and not parts.scheme and not parts.netloc and target.startswith("/")
    return target if is_own and not target.startswith(("//", "/\\")) and " " not in target else "/"


async def _ask_for_password(scope: Scope, send: Send) -> None:
    accept = b"".join(value for name, value in scope["headers"] if name == b"accept")
    if scope["method"] in ("GET", "HEAD") and b"text/html" in accept:
        query = scope["query_string"].decode("latin-1")
        page = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        target = f"{page}?{query}" if query else page
        await _redirect(send, f"/login?next={quote(target, safe='/')}")
    else:
        body, headers = b'{"error": "password required"}\n', [(b"content-type", b"application/json")]
        await _send(send, 401, [*headers, (b"www-authenticate", b"Cookie")], body)


async def _send_page(
    send: Send,
    status: int,
    target: str,
    message: str = "",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    line = f'<p role="alert">{escape(message)}</p>' if message else ""
    page = _PAGE.substitute(next=escape(_check_target(target), quote=True), message=line)
    content_type = (b"content-type", b"text/html; charset=utf-8")
    await _send(send, status, [content_type, *(headers or ())], page.encode())


async def _redirect(send: Send, target: str, cookie: str = "") -> None:
    headers = [(b"location", target.encode("latin-1"))]
    await _send(send, 303, [*headers, (b"set-cookie", cookie.encode())] if cookie else headers, b"")


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive) -> str:
    """Return a body; nothing if it is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_BODY or message["type"] == "http.disconnect":
            return ""
        if not message.get("more_body"):
            return body.decode("latin-1")


def _name_cookie(scope: Scope) -> str:
    """Return the name of the cookie. Servers on other ports of the same host receive the same cookies."""
    return f"imagesearch-{(scope.get('server') or ('', 0))[1]}"


def _make_cookie(scope: Scope, token: str, max_age: int) -> str:
    return f"{_name_cookie(scope)}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age}"


def _read_token(scope: Scope) -> str:
    """Return the value of our cookie. Those of other servers on this host can have any text."""
    own = f"{_name_cookie(scope)}="
    for name, value in scope["headers"]:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                if pair.strip().startswith(own):
                    return pair.strip().removeprefix(own)
    return ""
