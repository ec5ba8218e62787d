"""How long work reports its progress: the type of `progress` parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps a stream of items, given with their number and the noun for one; for a progress bar."""

    def __call__(self, items: Iterable[T], total: int, unit: str = "photo", /) -> Iterable[T]:
        """Return the same items in the same order."""
