"""Downloads the photos of a list that are missing, and counts them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from imagesearch.config import Config
from imagesearch.downloads.cache import DownloadCache, DownloadRecord
from imagesearch.downloads.keeper import PhotoKeeper
from imagesearch.files import lock_file, make_folder

KEPT = "kept as it was: "
"""How the reason begins if a photo could not be asked for again; it was downloaded before."""


@dataclass
class DownloadSummary:
    """The result of a run.

    Attributes
    ----------
    downloaded, unchanged : int
        Photos downloaded in this run; photos that were asked again and have not changed.
    megabytes : float
        Size of the files downloaded.
    failed : dict of str to str
        Reason by path, from this run and, for photos that were not asked again, from earlier ones.
    """

    downloaded: int = 0
    unchanged: int = 0
    megabytes: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)


def download_photos(
    config: Config,
    cache: DownloadCache,
    addresses: Mapping[str, str],
    *,
    retry_failed: bool = False,
    refresh: bool = False,
    progress: Callable[..., Iterable[str]] | None = None,
) -> DownloadSummary:
    """Download the photos that are not in a cache. An interrupted run keeps what was finished.

    Parameters
    ----------
    config
        The limits of downloads and of the cache, and the private hosts that are allowed.
    cache
        The files and the log.
    addresses
        The http(s) URL of each photo, by its path.
    retry_failed
        Also ask for photos that failed before.
    refresh
        Ask for all photos again. One that has not changed is not sent again if its server supports that, and
        one that fails stays as it was.
    progress
        Wraps the photos, for a progress bar; see `imagesearch.pipeline.Progress`.

    Raises
    ------
    UserError
        If another run is downloading, or the cache cannot be written.
    """
    records = cache.read_log()
    missing, summary = _select(cache, records, addresses, retry_failed, refresh)
    if not missing:
        return summary
    make_folder(cache.folder)
    busy = f"{cache.folder}: another run is downloading; wait until it has ended"
    with lock_file(cache.folder / ".lock", busy):
        cache.remove_parts()
        counted = iter(progress(missing, len(missing), label="download") if progress else missing)
        keeper = PhotoKeeper(config, cache, addresses)
        try:
            _run_coroutine(_download_all(config, keeper, cache, missing, records, summary, counted))
        finally:
            cache.compact_log()
    return summary


def _select(
    cache: DownloadCache,
    records: Mapping[str, DownloadRecord],
    addresses: Mapping[str, str],
    retry_failed: bool,
    refresh: bool,
) -> tuple[dict[str, str], DownloadSummary]:
    """Return the photos to ask for, and a summary with the failures of the others."""
    missing, summary = {}, DownloadSummary()
    for path, address in addresses.items():
        error = records[path].error if path in records else ""
        if refresh or (not (has_file := cache.locate(path).is_file()) and (retry_failed or not error)):
            missing[path] = address
        elif error and not has_file:
            summary.failed[path] = error
    return missing, summary


async def _download_all(
    config: Config,
    keeper: PhotoKeeper,
    cache: DownloadCache,
    missing: Mapping[str, str],
    records: Mapping[str, DownloadRecord],
    summary: DownloadSummary,
    counted: Iterator[str],
) -> None:
    from imagesearch.downloads.scheduler import Scheduler

    async with Scheduler(config, keeper, cache, records) as scheduler:
        async for result in scheduler.run(missing):
            next(counted, None)
            if result.error:
                has_file = cache.locate(result.path).is_file()
                summary.failed[result.path] = f"{KEPT}{result.error}" if has_file else result.error
            elif result.size is None:
                summary.unchanged += 1
            else:
                summary.downloaded += 1
                summary.megabytes += result.size / 1e6
    next(counted, None)  # closes the progress bar


def _run_coroutine(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, also inside a notebook, whose event loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()
