"""The description of the JSON API at ``/docs``: OpenAPI as a page without any script."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

_PAGE = Template((Path(__file__).parent / "static" / "docs.html").read_text("utf-8"))
_EXAMPLES = {
    "/api/search get": "/api/search?q=maya+on+the+beach&k=5",
    "/api/search post": "/api/search?k=5",
    "/api/people get": "/api/people",
    "/api/places get": "/api/places",
    "/api/collections get": "/api/collections",
}


def register(app: FastAPI) -> None:
    """Add the page to an application."""

    @app.get("/docs", include_in_schema=False)
    async def show_docs(request: Request) -> HTMLResponse:
        address = f"http://{request.headers['host']}"
        sections = [
            _draw_operation(path, method, operation, address)
            for path, methods in sorted(app.openapi()["paths"].items())  # /api/ before the images
            for method, operation in methods.items()
        ]
        return HTMLResponse(_PAGE.substitute(sections="\n".join(sections)))


def _draw_operation(path: str, method: str, operation: dict[str, Any], address: str) -> str:
    parts = [
        f"<h2><span class='method'>{escape(method.upper())}</span> {escape(path)}</h2>",
        f"<p>{_draw_code(operation.get('description', ''))}</p>",
    ]
    if example := _EXAMPLES.get(f"{path} {method}"):
        url = f"{address}{example}"
        body = " --data-binary @beach.jpg" if method == "post" else ""
        parts.append(f"<pre><code>curl{body} '{escape(url)}'</code></pre>")
        if method == "get":
            parts.append(f"<p><a href='{escape(example)}'>Open it</a></p>")
    if body := operation.get("requestBody"):
        parts.append(f"<p>{escape(body['description'])}</p>")
    if parameters := operation.get("parameters"):
        rows = "".join(map(_draw_parameter, parameters)) if method == "get" else ""
        note = "" if rows else "<p>Parameters: those of GET.</p>"
        table = "<table><thead><tr><th>parameter</th><th>meaning</th></tr></thead><tbody>"
        parts.append(f"{table}{rows}</tbody></table>" if rows else note)
    return f"<section>{''.join(parts)}</section>"


def _draw_parameter(parameter: dict[str, Any]) -> str:
    text = parameter.get("description", "")
    return f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(text)}</td></tr>"


def _draw_code(text: str) -> str:
    """Return a text as HTML, with what is between backticks as code."""
    parts = escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
