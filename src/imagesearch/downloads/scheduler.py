"""Many downloads at the same time: limited for each host and in all, and repeated after some failures."""

from __future__ import annotations

import asyncio
import heapq
import importlib.metadata
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType

from imagesearch.config import Config
from imagesearch.downloads.cache import DownloadCache, DownloadRecord
from imagesearch.downloads.fetch import DownloadError, Validators, fetch_photo, get_host
from imagesearch.downloads.keeper import PhotoKeeper
from imagesearch.downloads.transport import CheckedTransport
from imagesearch.errors import UserError
from imagesearch.photos import PhotoError

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
        self._unsaved: list[DownloadRecord] = []
        self._saved_at = time.monotonic()

    async def __aenter__(self) -> Scheduler:
        self._transport = CheckedTransport(self._limits.concurrency, self._allow_hosts)
        self._slots = asyncio.Semaphore(self._limits.concurrency)
        self._workers: list[asyncio.Task[None]] = []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
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
        self._workers = [
            asyncio.create_task(self._work(queue))
            for queue in queues.values()
            for _ in range(min(self._limits.per_host, len(queue.ready)))
        ]
        for _ in range(len(addresses)):
            result = await self._results.get()
            if isinstance(result, BaseException):
                raise result
            yield result

    async def _work(self, queue: _HostQueue) -> None:
        """Do the jobs of a host one after another, until none is left."""
        try:
            while queue.ready or queue.waiting:
                job = queue.take()
                if job is None:
                    await asyncio.sleep(max(0.0, queue.waiting[0].ready_at - time.monotonic()))
                    continue
                async with self._slots:
                    result = await self._try(job)
                if result is None:
                    heapq.heappush(queue.waiting, job)
                else:
                    self._results.put_nowait(result)
        except Exception as error:  # such as a full disk: it ends the run
            self._results.put_nowait(error)

    async def _try(self, job: _Job) -> DownloadResult | None:
        """Download a photo; return None if it can be tried again, from the time that is set in the job."""
        try:
            validators, size = await self._download(job)
        except DownloadError as error:
            job.attempts += 1
            if error.is_temporary and job.attempts <= self._limits.retries:
                backoff = _FIRST_WAIT * 2 ** (job.attempts - 1) * random.uniform(0.8, 1.2)
                wait = backoff if error.wait is None else error.wait
                job.ready_at = time.monotonic() + min(wait, self._limits.max_wait_seconds)
                return None
            return self._end(job, DownloadResult(job.path, error=str(error)))
        except PhotoError as error:
            return self._end(job, DownloadResult(job.path, error=str(error)))
        return self._end(job, DownloadResult(job.path, size), validators)

    async def _download(self, job: _Job) -> tuple[Validators | None, int | None]:
        """Return the validators of the photo and its size; None and None if it has not changed."""
        part = self._cache.open_part(job.path)
        headers = {"User-Agent": _make_user_agent(), "Accept": "image/*, */*;q=0.1"}
        headers["Accept-Encoding"] = "identity"
        known = self._records.get(job.path)
        if known is not None and self._cache.locate(job.path).is_file():
            headers |= Validators(known.etag, known.last_modified).make_headers()
        try:
            with part.open("wb") as stream:
                validators = await fetch_photo(
                    self._transport, job.address, headers, self._limits, stream.write
                )
                size = stream.tell()
            if validators is None:
                return None, None
            await asyncio.to_thread(self._keeper.keep, job.path, part)
        except OSError as error:
            raise UserError(f"{part}: cannot be written ({error.strerror})") from None
        finally:
            part.unlink(missing_ok=True)
        return validators, size

    def _end(self, job: _Job, result: DownloadResult, validators: Validators | None = None) -> DownloadResult:
        """Add a line to the log, unless the photo has not changed."""
        known = self._records.get(job.path)
        if result.error or result.size is not None or (known and known.error):
            if validators is None and known is not None:
                validators = Validators(known.etag, known.last_modified)
            found = validators or Validators()
            self._unsaved.append(DownloadRecord(job.path, result.error, found.etag, found.last_modified))
        if time.monotonic() - self._saved_at > _SAVE_SECONDS:
            self._save_log()
        return result

    def _save_log(self) -> None:
        lines, self._unsaved = self._unsaved, []
        if lines:
            self._cache.append_log(lines)
        self._saved_at = time.monotonic()


def _make_user_agent() -> str:
    return f"imagesearch/{importlib.metadata.version('imagesearch')} (a list of photos)"
