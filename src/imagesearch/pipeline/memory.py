"""What a process that updates a dataset again and again keeps in memory from one update to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
        self,
        inputs: Iterable[tuple[int, tuple]],
        compute: Callable[[dict[int, tuple]], Mapping[int, Result]],
    ) -> dict[int, Result]:
        """Return the results by key; the same dict as before, if no input has changed. Others are not kept.

        Parameters
        ----------
        inputs
            Keys, each with all that its result depends on. Inputs that are the same objects as before are
            compared fast.
        compute
            Returns the results of the given inputs, which are new or have changed. A key without a result is
            not in what `update` returns.
        """
        before, known = self._inputs, self._results
        present, changed = [], {}
        for key, given in inputs:  # equal inputs are not kept, so that the garbage collector has no work
            present.append(key)
            if before.get(key) != given:
                changed[key] = given
        if not changed and len(present) == len(before):
            return known
        new = compute(changed)
        sources = ((key, new if key in changed else known) for key in present)
        self._results = {key: source[key] for key, source in sources if key in source}
        self._inputs = {key: changed.get(key) or before[key] for key in present}
        return self._results
