"""Downloads of photos whose addresses are in a list.

Start with `download_photos` (``run.py``), which downloads what is missing. Nothing else in the program opens
these addresses.

- ``public_addresses.py`` decides which IP addresses may be connected to, and ``transport.py`` connects to
  exactly those that were checked. Only this package imports httpx and httpcore.
- ``fetch.py`` is one download: redirects, limits and reasons.
- `DownloadCache` has the files, and a log of what was asked.
"""

from imagesearch.downloads.cache import DownloadCache, DownloadRecord
from imagesearch.downloads.run import KEPT, DownloadSummary, download_photos

__all__ = ["KEPT", "DownloadCache", "DownloadRecord", "DownloadSummary", "download_photos"]
