"""Many downloads at the same time: limited for each host and in all, and repeated after some failures."""

from __future__ import annotations

import asyncio
import functools
import heapq
import importlib.metadata
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from imagesearch.config import Config
from imagesearch.downloads.cache import DownloadCache, DownloadRecord
from imagesearch.downloads.fetch import DownloadError, Validators, fetch_photo, get_host
from imagesearch.downloads.keeper import PhotoKeeper
from imagesearch.downloads.transport import CheckedTransport
from imagesearch.errors import UserError
from imagesearch.photos import PhotoError, is_complete

_FIRST_WAIT = 1.0  # seconds before the first repetition; doubled before each further one
_SAVE_SECONDS = 1.0  # the log is written after so many seconds, because each time takes some ms


@dataclass(frozen=True)
class DownloadResult:
    """The end of one download.

    Attributes
    ----------
    path : str
    size : int or None
        Bytes downloaded; None if the photo has not changed.
    error : str
        Why it failed; else empty.
    """

    path: str
    size: int | None = None
    error: str = ""


@dataclass(order=True)
class _Job:
    """A photo to download; jobs are ordered by the time from which they can be done."""

    ready_at: float
    number: int
    path: str = field(compare=False)
    address: str = field(compare=False)
    attempts: int = field(default=0, compare=False)


@dataclass
class _HostQueue:
    """The jobs of one host: those that can be done, and those that wait, the earliest first."""

    ready: deque[_Job] = field(default_factory=deque)
    waiting: list[_Job] = field(default_factory=list)

    def take(self) -> _Job | None:
        """Return a job that can be done now."""
        if self.waiting and self.waiting[0].ready_at <= time.monotonic():
            return heapq.heappop(self.waiting)
        return self.ready.popleft() if self.ready else None


class Scheduler:
    """Downloads photos. It is an asynchronous context manager, which closes connections and saves the log.

    Parameters
    ----------
    config
        The limits.
    keeper
        Checks and keeps the files.
    cache
        The files and the log.
    records
        What earlier runs know of the photos.
    """

    def __init__(
        self,
        config: Config,
        keeper: PhotoKeeper,
        cache: DownloadCache,
        records: Mapping[str, DownloadRecord],
    ) -> None:
        self._limits, self._keeper, self._cache, self._records = config.downloads, keeper, cache, records
        self._allow_hosts = config.dataset.allow_hosts
        self._results: asyncio.Queue[DownloadResult | BaseException] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsaved: list[DownloadRecord] = []
        self._saved_at = time.monotonic()

    async def __aenter__(self) -> Scheduler:
        self._transport = CheckedTransport(self._limits.concurrency, self._allow_hosts)
        self._slots = asyncio.Semaphore(self._limits.concurrency)
        self._checks = asyncio.Semaphore(2 * self._limits.concurrency)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._transport.aclose()
        self._save_log()

    async def run(self, addresses: Mapping[str, str]) -> AsyncIterator[DownloadResult]:
        """Yield the result of each photo, in the order in which they end.

        Parameters
        ----------
        addresses
            The http(s) URL of each photo, by its path.

        Raises
        ------
        UserError
            If a file cannot be written.
        """
        queues: dict[str, _HostQueue] = {}
        for number, (path, address) in enumerate(addresses.items()):
            queues.setdefault(get_host(address), _HostQueue()).ready.append(_Job(0, number, path, address))
        for queue in queues.values():
            for _ in range(min(self._limits.per_host, len(queue.ready))):
                self._start(self._work(queue))
        for _ in range(len(addresses)):
            result = await self._results.get()
            if isinstance(result, BaseException):
                raise result
            yield result

    async def _work(self, queue: _HostQueue) -> None:
        """Do the jobs of a host one after another, until none is left."""
        while queue.ready or queue.waiting:
            job = queue.take()
            if job is None:
                await asyncio.sleep(max(0.0, queue.waiting[0].ready_at - time.monotonic()))
                continue
            async with self._slots:
                is_over = await self._try(job)
            if not is_over:
                heapq.heappush(queue.waiting, job)

    async def _try(self, job: _Job) -> bool:
        """Download a photo; return false if it can be tried again, from the time that is set in the job."""
        try:
            part = self._cache.open_part(job.path)
            try:
                validators, size = await self._download(job, part)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        except DownloadError as error:
            job.attempts += 1
            if error.is_temporary and job.attempts <= self._limits.retries:
                backoff = _FIRST_WAIT * 2 ** (job.attempts - 1) * random.uniform(0.8, 1.2)
                wait = backoff if error.wait is None else error.wait
                job.ready_at = time.monotonic() + min(wait, self._limits.max_wait_seconds)
                return False
            self._end(job, DownloadResult(job.path, error=str(error)))
            return True
        # the next download begins while this one is checked and written to the disk
        await self._checks.acquire()
        self._start(self._keep(job, part, size, validators))
        return True

    async def _download(self, job: _Job, part: Path) -> tuple[Validators | None, int]:
        """Write a photo to a file; return its validators, None if it has not changed, and its size."""
        headers = {"User-Agent": _make_user_agent(), "Accept": "image/*, */*;q=0.1"}
        headers["Accept-Encoding"] = "identity"
        known = self._records.get(job.path)
        if known is not None and self._cache.locate(job.path).is_file():
            headers |= Validators(known.etag, known.last_modified).make_headers()
        with _report_disk_errors(part), part.open("wb") as stream:

            def write(piece: bytes) -> None:
                with _report_disk_errors(part):
                    stream.write(piece)

            fetched = await fetch_photo(self._transport, job.address, headers, self._limits, write)
            size = stream.tell()
        if fetched is None:
            return None, size
        if not fetched.has_length and not await asyncio.to_thread(is_complete, part):
            raise DownloadError("its end is missing", is_temporary=True)
        return fetched.validators, size

    async def _keep(self, job: _Job, part: Path, size: int, validators: Validators | None) -> None:
        """Keep a complete file, or remove it if the photo has not changed."""
        try:
            if validators is None:
                part.unlink(missing_ok=True)
                self._end(job, DownloadResult(job.path))
                return
            try:
                await asyncio.to_thread(self._keeper.keep, job.path, part)
            except PhotoError as error:
                self._end(job, DownloadResult(job.path, error=str(error)))
            else:
                self._end(job, DownloadResult(job.path, size), validators)
        finally:
            self._checks.release()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine at the same time as others; its error, such as a full disk, ends the run."""

        async def run() -> None:
            try:
                await coroutine
            except OSError as error:
                reason = UserError(f"{self._cache.folder}: cannot be written ({error.strerror})")
                self._results.put_nowait(reason)
            except Exception as error:
                self._results.put_nowait(error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, job: _Job, result: DownloadResult, validators: Validators | None = None) -> None:
        """Pass a result on, and add a line to the log unless the photo has not changed."""
        known = self._records.get(job.path)
        if result.error or result.size is not None or (known and known.error):
            if validators is None and known is not None:
                validators = Validators(known.etag, known.last_modified)
            found = validators or Validators()
            self._unsaved.append(DownloadRecord(job.path, result.error, found.etag, found.last_modified))
        if time.monotonic() - self._saved_at > _SAVE_SECONDS:
            self._save_log()
        self._results.put_nowait(result)

    def _save_log(self) -> None:
        lines, self._unsaved = self._unsaved, []
        if lines:
            self._cache.append_log(lines)
        self._saved_at = time.monotonic()


def run_downloads(
    scheduler: Scheduler, addresses: Mapping[str, str], report: Callable[[DownloadResult], object]
) -> None:
    """Download photos, also inside a notebook, whose event loop is running already.

    Parameters
    ----------
    scheduler, addresses
        See `Scheduler.run`.
    report
        Is called with each result.
    """

    async def run() -> None:
        async with scheduler:
            async for result in scheduler.run(addresses):
                report(result)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(run())
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


@contextmanager
def _report_disk_errors(file: Path) -> Iterator[None]:
    """Raise `UserError` if a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror})") from None


@functools.cache  # looking up the version takes more CPU time than the rest of a download
def _make_user_agent() -> str:
    return f"imagesearch/{importlib.metadata.version('imagesearch')} (a list of photos)"
