"""Decides which requests are answered at all, before NiceGUI receives them.

The source of each request, and of each websocket, is checked: see `imagesearch.serving.explain_refusal`. Each
response forbids scripts, frames and connections of other origins.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from imagesearch.serving import HostNames, explain_refusal
from imagesearch.web.login import LoginPages
from imagesearch.web.password import PasswordGate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

NONCE = "csp_nonce"
"""The key of a request's scope with the nonce that its inline scripts must have."""
HAS_PASSWORD = "has_password"
"""The key of a request's scope with whether the server requires a password."""
MAX_BODY = 40 * 2**20
"""Maximum size of the body of a request: an uploaded photo, and what a form adds to it."""
_MAP_PAGE = "/map"
# A proxy sets these. Without one, a client can set them to anything, and NiceGUI writes one into its pages.
_FORWARDED = (b"forwarded", b"x-forwarded-")


class AccessGuard:
    """An ASGI application around another one, which answers only requests that are allowed.

    Parameters
    ----------
    app
        The application.
    hosts
        The values of ``Host`` that are answered.
    gate
        Checks the password; None if none is required.
    tiles
        The origin of the tiles that the map page may load as images; empty for none.
    """

    def __init__(self, app: App, hosts: HostNames, gate: PasswordGate | None = None, tiles: str = "") -> None:
        self.app = app  # NiceGUI looks for its application in this attribute
        self._hosts, self._tiles = hosts, tiles
        self._login = LoginPages(gate) if gate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a websocket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        scope["headers"] = [pair for pair in scope["headers"] if not pair[0].startswith(_FORWARDED)]
        scope[NONCE] = secrets.token_urlsafe(16)
        method = scope["method"] if scope["type"] == "http" else ""
        reason = explain_refusal(lambda name: _get_headers(scope, name.encode()), self._hosts, method)
        if reason:
            await refuse(scope, send, 403, reason)
            return
        tiles = self._tiles if scope["path"] == _MAP_PAGE else ""
        host = _get_headers(scope, b"host")[0]
        send = _add_headers(send, _make_headers(host, scope[NONCE], tiles))
        scope[HAS_PASSWORD] = self._login is not None
        if self._login:
            if await self._login.answer(scope, receive, send):
                return
            if scope["type"] == "websocket":
                receive = _end_with_session(self._login, scope, receive, send)
        if scope["type"] == "http":
            length = _get_headers(scope, b"content-length")
            if length and not (length[0].isdecimal() and int(length[0]) <= MAX_BODY):
                await refuse(scope, send, 413, f"too large: expected at most {MAX_BODY >> 20} MB")
                return
            receive = _limit_body(receive)
        await self.app(scope, receive, send)


def _add_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    """Return a function that sends an answer with some headers, in place of those of the same names."""
    names = {name for name, _ in headers}

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                pair
                for pair in message.get("headers", ())
                if pair[0].lower() not in names and not pair[0].lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": [*kept, *headers]}
        await send(message)

    return send_with_headers


def _make_headers(host: str, nonce: str, tiles: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-security-policy", _make_policy(host, nonce, tiles).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        # "no-referrer" would make a browser send "Origin: null" with the form of the password
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]


def _make_policy(host: str, nonce: str, tiles: str) -> str:
    """Return the Content-Security-Policy: the strictest that NiceGUI works with.

    Inline scripts must have the nonce of their response, which only NiceGUI's own have; see
    ``page_template.py``. "unsafe-eval" is for Vue, which compiles the templates of components in the
    browser, and for NiceGUI's event handlers, which are sent as code. "unsafe-inline" of styles is for
    Quasar and Tailwind, which write style elements and attributes. Of other origins, only the images of
    `tiles` are permitted, if there are any.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "script-src-attr 'none'",
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob: {tiles}".rstrip(),
            "font-src 'self' data:",
            f"connect-src 'self' ws://{host}",
            "media-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


async def refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    """Answer a request with an error, or refuse a websocket before it is accepted."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    headers.append((b"x-content-type-options", b"nosniff"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})


def _end_with_session(login: LoginPages, scope: Scope, receive: Receive, send: Send) -> Receive:
    """Return a function that closes a websocket at its first message after its session was closed."""

    async def receive_in_session() -> Message:
        message = await receive()
        is_closed = message["type"] == "websocket.receive" and await login.answer(scope, receive, send)
        return {"type": "websocket.disconnect", "code": 1008} if is_closed else message

    return receive_in_session


def _limit_body(receive: Receive) -> Receive:
    """Return a function that reports a client as gone once it has sent too much without announcing it."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return message if received <= MAX_BODY else {"type": "http.disconnect"}

    return receive_limited


def _get_headers(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
