"""Checks downloaded files and keeps them, or their previews, in a cache of limited size."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

from imagesearch.config import Config
from imagesearch.downloads.cache import DownloadCache
from imagesearch.photos import PhotoError, identify_photo, write_small_copy


class PhotoKeeper:
    """Checks downloaded files and keeps them, or their previews, in a cache of limited size.

    Parameters
    ----------
    config
        What is kept of a photo, the sizes of photos, previews and the cache.
    cache
        The files.
    paths
        The photos of the list. Files of other photos are removed when the cache is full.
    """

    def __init__(self, config: Config, cache: DownloadCache, paths: Collection[str]) -> None:
        self._config, self._cache, self._paths = config, cache, paths
        self._lock = threading.Lock()
        self._is_pruned = False
        self._used = cache.measure()

    def keep(self, path: str, part: Path) -> None:
        """Check an unfinished file and rename it to its place; it is removed if it is not kept.

        Raises
        ------
        PhotoError
            If it is not a photo, or does not fit into the cache.
        """
        extraction, old = self._config.extraction, self._cache.find(path)
        try:
            extension = identify_photo(part, extraction.max_megapixels)
            is_full = self._config.dataset.keep == "full"
            if not (is_full and self._reserve(part.stat().st_size)):
                preview, extension = part.with_suffix(f".small{part.suffix}"), "jpg"
                try:
                    write_small_copy(part, preview, extraction.preview_size, extraction.max_megapixels)
                    preview.replace(part)
                finally:
                    preview.unlink(missing_ok=True)
                if not self._reserve(part.stat().st_size):
                    limit = self._config.dataset.cache_gb
                    raise PhotoError(f"no room in the cache (dataset.cache_gb: {limit:g})")
            self._cache.keep(path, part, extension)
            self._reserve(-old.size if old else 0)
        finally:
            part.unlink(missing_ok=True)

    def _reserve(self, size: int) -> bool:
        """Count a file if it fits into the cache; remove files of other photos if that is necessary."""
        limit = self._config.dataset.cache_gb * 1e9
        with self._lock:
            if self._used + size > limit and not self._is_pruned:
                self._is_pruned = True
                # not measured again: a file that is being kept is counted, and not in its place yet
                self._used -= self._cache.prune(self._paths)
            if size > 0 and self._used + size > limit:
                return False
            self._used += size
            return True
