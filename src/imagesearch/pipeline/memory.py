"""What a process that updates a dataset again and again keeps in memory from one update to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Result = TypeVar("Result")


class ProcessMemory:
    """Keeps an object of each class that is asked for.

    The classes are those of the modules that keep something. Each checks whether what it keeps is still
    valid, because other programs write to the same files. A memory is for one config and one dataset.
    """

    def __init__(self) -> None:
        self._kept: dict[type, Any] = {}

    def recall(self, kind: type[T]) -> T:
        """Return the object of a class; it is made when it is asked for first."""
        if kind not in self._kept:
            self._kept[kind] = kind()
        return self._kept[kind]


class KnownResults(Generic[Result]):
    """The results of a computation by photo or face, each with the inputs that it was computed from."""

    def __init__(self) -> None:
        self._inputs: dict[int, tuple] = {}
        self._results: dict[int, Result] = {}

    def update(
        self, inputs: dict[int, tuple], compute: Callable[[Sequence[int]], Mapping[int, Result]]
    ) -> dict[int, Result]:
        """Return the results for these inputs by key. The others are not kept.

        Parameters
        ----------
        inputs
            All that a result depends on, by key. Equal inputs are compared fast if they are the same objects.
        compute
            Returns the results of the keys that are new, or whose inputs have changed. A key without a result
            is not in what `update` returns.
        """
        before = self._inputs
        changed = [key for key, given in inputs.items() if before.get(key) != given]
        if not changed and len(before) == len(inputs):
            return self._results
        new = compute(changed)
        computed, known = set(changed), self._results
        results = {}
        for key in inputs:
            source = new if key in computed else known
            if key in source:
                results[key] = source[key]
        self._inputs, self._results = inputs, results
        return results
