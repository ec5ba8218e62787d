"""Work ahead: calls run in threads, a limited number in advance of the one whose result is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from imagesearch.photos import share_cores

T = TypeVar("T")
R = TypeVar("R")


def map_ahead(
    work: Callable[[T], R], items: Iterable[T], threads: int, window: int, name: str, cores: int = 0
) -> Generator[R, None, None]:
    """Yield the results of a function that decodes photos, in the order of the items.

    Closing the generator cancels the calls that no thread has started yet.

    Parameters
    ----------
    work
        The function.
    items
        Its arguments; an item is taken when its call is submitted.
    threads
        Number of threads.
    window
        Maximum number of calls that are finished or in progress, and whose results are not yielded yet.
    name
        How the names of the threads begin.
    cores
        Number of threads that share the CPU cores at the same time, if not all; see `share_cores`.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    futures = (pool.submit(work, item) for item in items)  # a generator: submits when a future is taken
    with share_cores(cores or threads):
        try:
            waiting = deque(islice(futures, window))
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(islice(futures, 1))
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
