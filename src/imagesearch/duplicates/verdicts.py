"""Compares pairs of photos, and stores the results, so that no pair is compared twice."""

from __future__ import annotations

import functools
import time
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from imagesearch.duplicates.same_shot import is_same_shot
from imagesearch.files import atomic_write
from imagesearch.photos import Photo, PhotoError
from imagesearch.pipeline import Dataset, Progress

PIXELS, SHOT, DIFFERENT = "pixels", "shot", "different"
# Must change whenever the comparison changes, so that all pairs are compared again.
_FINGERPRINT = "verdicts/1"
_KEY = b"imagesearch.fingerprint"
_SCHEMA = pa.schema(
    [
        ("one", pa.int64()),
        ("other", pa.int64()),
        ("version", pa.uint32()),  # of both files
        ("verdict", pa.string()),
    ],
    metadata={_KEY: _FINGERPRINT.encode()},
)
_CHUNK = 256  # pairs compared at the same time
_SECONDS_A_SAVE = 30.0  # a kill loses at most this much work
_KEPT_PICTURES = 128  # in grey; of 1280 to 2559 pixels on the longer side: 600 MB at most

PhotoPair = tuple[Photo, Photo]


class VerdictCache:
    """Compares photos; the results are kept in ``duplicate_verdicts.parquet`` beside the tables.

    Parameters
    ----------
    dataset
        The photos.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._file = dataset.folder / "duplicate_verdicts.parquet"
        self._known = _read_verdicts(self._file)
        self._load = functools.lru_cache(_KEPT_PICTURES)(self._load_picture)

    def compare(
        self, pairs: Sequence[PhotoPair], *, may_be_pixels: Iterable[bool], progress: Progress | None = None
    ) -> list[str]:
        """Return a verdict for each pair: `PIXELS`, `SHOT` or `DIFFERENT`.

        Parameters
        ----------
        pairs
            The photos to compare.
        may_be_pixels
            For each pair, whether to compare all pixels first, which requires decoding both in full.
        progress
            Wraps the pairs that were not compared before, for a progress bar.
        """
        work = [
            (pair, exact)
            for pair, exact in zip(pairs, may_be_pixels, strict=True)
            if _make_key(*pair) not in self._known
        ]
        counted = iter(progress(work, len(work), "pair") if progress and work else work)
        saved = time.monotonic()
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(work), _CHUNK):
                chunk = work[start : start + _CHUNK]
                verdicts = pool.map(lambda one: self._compare_pair(*one[0], one[1]), chunk)
                for (pair, _), verdict in zip(chunk, verdicts, strict=True):
                    next(counted, None)
                    self._known[_make_key(*pair)] = verdict
                if time.monotonic() - saved > _SECONDS_A_SAVE or start + _CHUNK >= len(work):
                    self._save()
                    saved = time.monotonic()
        next(counted, None)  # closes the progress bar
        return [self._known[_make_key(*pair)] for pair in pairs]

    def _compare_pair(self, one: Photo, other: Photo, may_be_pixels: bool) -> str:
        try:
            if may_be_pixels and self._have_same_pixels(one, other):
                return PIXELS
            is_copy = is_same_shot(lambda side: (self._load(one, side), self._load(other, side)))
            return SHOT if is_copy else DIFFERENT
        except PhotoError:  # it was replaced or removed since it was hashed
            return DIFFERENT

    def _have_same_pixels(self, one: Photo, other: Photo) -> bool:
        limit = 2**30  # more than any photo has: it is decoded in full
        images = (self._dataset.previews.load(photo, limit).image for photo in (one, other))
        first, second = (np.asarray(image) for image in images)
        return first.shape == second.shape and np.array_equal(first, second)

    def _load_picture(self, photo: Photo, side: int) -> Image.Image:
        """Return a photo with at least ``side`` pixels on its longer side, or as many as it has."""
        image = self._dataset.previews.load(photo, 0, side).image.convert("L")
        if max(image.size) >= 2 * side:  # less memory; the comparison scales it to its own size
            image = image.reduce(max(image.size) // side)
        return image

    def _save(self) -> None:
        rows = [(*key, verdict) for key, verdict in self._known.items()]
        columns = zip(*rows, strict=True) if rows else [[] for _ in _SCHEMA]
        arrays = [pa.array(c, field.type) for c, field in zip(columns, _SCHEMA, strict=True)]
        with atomic_write(self._file) as unfinished:
            pq.write_table(pa.table(arrays, schema=_SCHEMA), unfinished, compression="zstd")


def _read_verdicts(file: Path) -> dict[tuple[int, int, int], str]:
    """Return the verdicts by the ids of both photos and their version; none if they are of another method."""
    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
    except (OSError, pa.ArrowException):  # missing or damaged: the pairs are compared again
        return {}
    if (table.schema.metadata or {}).get(_KEY) != _FINGERPRINT.encode():
        return {}
    one, other, version, verdict = (table[name].to_pylist() for name in _SCHEMA.names)
    return dict(zip(zip(one, other, version, strict=True), verdict, strict=True))


def _make_key(one: Photo, other: Photo) -> tuple[int, int, int]:
    versions = f"{one.size} {one.mtime_ns} {other.size} {other.mtime_ns}"
    return one.photo_id, other.photo_id, zlib.crc32(versions.encode())
