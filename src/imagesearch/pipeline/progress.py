"""The type of all `progress` parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps a stream of items and shows how many of them are done, for example as a progress bar."""

    def __call__(
        self, items: Iterable[T], total: int, unit: str = "photo", label: str | None = None
    ) -> Iterable[T]:
        """Return the same items in the same order.

        Parameters
        ----------
        items
            The items of the work. An item is done when the next one is taken.
        total
            The number of items.
        unit
            The noun for one item.
        label
            The name of the work.
        """
