"""Downloads of photos: those whose addresses are in a list, and those in buckets.

Start with `download_photos` (``run.py``), which downloads what is missing of lists. Nothing else in the
program opens these addresses.

- ``public_addresses.py`` decides which IP addresses may be connected to, and ``transport.py`` connects to
  exactly those that were checked. Only this package imports httpx and httpcore.
- ``fetch.py`` is one download: redirects, limits and reasons.
- `DownloadCache` has the files, and a log of what was asked.

Photos in buckets are fetched when they are opened: `ObjectCache.provide_file` (``object_cache.py``).
``buckets.py`` lists and reads objects with fsspec; only it imports fsspec.
"""

from imagesearch.downloads.buckets import BucketReader
from imagesearch.downloads.cache import DownloadCache, DownloadRecord
from imagesearch.downloads.object_cache import OUTAGE, ObjectCache, OutageGuard
from imagesearch.downloads.run import KEPT, DownloadSummary, download_photos

__all__ = [
    "KEPT",
    "OUTAGE",
    "BucketReader",
    "DownloadCache",
    "DownloadRecord",
    "DownloadSummary",
    "ObjectCache",
    "OutageGuard",
    "download_photos",
]
