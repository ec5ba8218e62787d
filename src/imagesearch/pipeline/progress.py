"""The type of every `progress` parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps a stream of items to show how many of them are done, for example as a progress bar."""

    def __call__(
        self, items: Iterable[T], total: int, unit: str = "photo", label: str | None = None
    ) -> Iterable[T]:
        """Return the same items in the same order.

        Parameters
        ----------
        items
            Yielded one by one as the work proceeds.
        total
            The number of items.
        unit
            The noun for one item.
        label
            The name of the work.
        """
