"""The digests of the rows that this process has written, so that its next build need not read them again."""

from __future__ import annotations

import secrets


class KnownDigests:
    """The digests of rows by collection, each with the token of the build that has written them.

    The token is in the properties of the collection, and each build of any program writes another one.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, tuple[str, dict[int, str]]] = {}

    def take(self, name: str, token: str) -> dict[int, str] | None:
        """Return the digests of a collection by key, and forget them; None if another build has written it.

        They are forgotten because the rows are changed now: an interrupted build leaves other rows.
        """
        known, digests = self._by_name.pop(name, ("", {}))
        return digests if known and known == token else None

    def keep(self, name: str, token: str, digests: dict[int, str]) -> None:
        """Keep the digests of all rows of a collection."""
        self._by_name[name] = (token, digests)


def make_build_token() -> str:
    """Return a token that no other build has."""
    return secrets.token_hex(8)
