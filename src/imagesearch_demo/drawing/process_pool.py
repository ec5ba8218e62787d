"""Work in a pool of processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor


def map_in_processes(work: Callable, jobs: Iterable, workers: int, progress: Callable = iter) -> Iterator:
    """Yield `work(job)` for each job in order, from a pool of processes; 0 workers use this process."""
    jobs = list(jobs)
    if workers == 0:
        yield from progress(map(work, jobs))
        return
    # spawn, because a forked process can hang if torch has started threads
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from progress(pool.map(work, jobs))
