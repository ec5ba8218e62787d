"""Downloads the photos of a list that are missing, and counts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagesearch.config import Config
from imagesearch.downloads.cache import DownloadCache, DownloadRecord
from imagesearch.downloads.keeper import PhotoKeeper
from imagesearch.files import lock_file, make_folder

if TYPE_CHECKING:
    from imagesearch.downloads.scheduler import DownloadResult

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
        from imagesearch.downloads.scheduler import Scheduler, run_downloads  # imports httpx

        cache.remove_parts()
        counted = iter(progress(missing, len(missing), label="download") if progress else missing)
        keeper = PhotoKeeper(config, cache, addresses)

        def count(result: DownloadResult) -> None:
            next(counted, None)
            _count_result(summary, result, cache)

        try:
            run_downloads(Scheduler(config, keeper, cache, records), missing, count)
            next(counted, None)  # closes the progress bar
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


def _count_result(summary: DownloadSummary, result: DownloadResult, cache: DownloadCache) -> None:
    if result.error:
        has_file = cache.locate(result.path).is_file()
        summary.failed[result.path] = f"{KEPT}{result.error}" if has_file else result.error
    elif result.size is None:
        summary.unchanged += 1
    else:
        summary.downloaded += 1
        summary.megabytes += result.size / 1e6
