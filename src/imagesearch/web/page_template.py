"""Gives the inline scripts of NiceGUI's pages the nonce that the Content-Security-Policy requires.

The nonce is written into the template, not into the finished page: a script that a name could bring into a
page gets none.
"""

from __future__ import annotations

from typing import Any

from nicegui.client import templates

from imagesearch.web.access import NONCE

_SCRIPT = "<script"
_WITH_NONCE = f"<script nonce=\"{{{{ request.scope.get('{NONCE}', '') }}}}\""


def add_nonces() -> None:
    """Change the template of all pages. Calling it again has no effect."""
    loader: Any = templates.env.loader
    get_source = loader.get_source
    if getattr(get_source, "adds_nonces", False):
        return

    def get_source_with_nonces(environment: Any, template: str) -> tuple[str, str | None, Any]:
        source, file, is_current = get_source(environment, template)
        return source.replace(_SCRIPT, _WITH_NONCE), file, is_current

    get_source_with_nonces.adds_nonces = True  # type: ignore[attr-defined]
    loader.get_source = get_source_with_nonces
