"""A cache of small WebP copies of photos, for the pages of the web app."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.photos.previews import PreviewCache
from imagesearch.photos.sources import Photo, compute_photo_id

# A page requests any number of pixels. With few sizes, one file serves several zoom levels of a grid.
_SIZES = (128, 256, 512, 1024)
GRID_SIZES = (256, 512)
"""Longer sides, in pixels, of the thumbnails of a grid: for usual screens, and for those of phones."""
_QUALITY = 80
_VERSION_LENGTH = 33  # of the name of a thumbnail, without its size
_METHOD = 2  # takes half the time of Pillow's default, 4; the files are 4 % larger


class ThumbnailCache:
    """A folder of small upright WebP files. A thumbnail is made when it is first loaded.

    The name of a thumbnail contains a hash of the photo's size and time, so that the thumbnail of an older
    version of the photo is never used.

    Parameters
    ----------
    folder
        The folder of the thumbnails. It is made when the first thumbnail is written.
    previews
        Decodes the photos.
    """

    def __init__(self, folder: Path, previews: PreviewCache) -> None:
        self.folder, self._previews = folder, previews

    def load(self, photo: Photo, pixels: int) -> bytes:
        """Return a WebP file with at least `pixels` pixels on the longer side, if the photo has so many.

        The largest thumbnail has 1024 pixels.

        Raises
        ------
        PhotoError
            If the photo cannot be decoded.
        """
        if data := self.read(photo, pixels):
            return data
        size = _round_up(pixels)
        data = _encode(self._decode(photo, size), size)
        with suppress(OSError, UserError):  # on a full disk it is made again next time
            _write(self._locate(photo, size), data)
        return data

    def read(self, photo: Photo, pixels: int) -> bytes:
        """Return the same if it exists already; else nothing."""
        try:
            return self._locate(photo, _round_up(pixels)).read_bytes()
        except OSError:
            return b""

    def make(self, photo: Photo, sizes: Sequence[int] = GRID_SIZES) -> None:
        """Make the thumbnails of some sizes that do not exist yet. The photo is decoded once.

        Raises
        ------
        PhotoError
            If the photo cannot be decoded.
        UserError
            If a thumbnail cannot be written.
        """
        missing = [size for size in sizes if not self._locate(photo, size).exists()]
        if not missing:
            return
        image = self._decode(photo, max(missing))
        for size in missing:
            file = self._locate(photo, size)
            try:
                _write(file, _encode(image, size))
            except OSError as error:
                raise UserError(f"{file}: cannot be written ({error.strerror})") from None

    def has(self, photo: Photo, sizes: Sequence[int] = GRID_SIZES) -> bool:
        """Whether the thumbnails of some sizes exist."""
        return all(self._locate(photo, size).exists() for size in sizes)

    def prune(self, photos: Sequence[Photo]) -> None:
        """Remove thumbnails of other photos and of older versions of these photos, and unfinished files."""
        files = list(self.folder.glob("*/*"))
        versions = {_name_version(photo) for photo in photos} if files else set()
        for file in files:
            if file.suffix in (".webp", ".part") and file.name[:_VERSION_LENGTH] not in versions:
                file.unlink(missing_ok=True)

    def _locate(self, photo: Photo, size: int) -> Path:
        return self.folder / f"{photo.photo_id % 256:02x}" / f"{_name_version(photo)}-{size}.webp"

    def _decode(self, photo: Photo, size: int) -> Image.Image:
        image = self._previews.load(photo, 0, size).image
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        return image


def _round_up(pixels: int) -> int:
    return next((size for size in _SIZES if size >= pixels), _SIZES[-1])


def _name_version(photo: Photo) -> str:
    return f"{photo.photo_id:016x}-{compute_photo_id(f'{photo.size} {photo.mtime_ns}'):016x}"


def _encode(image: Image.Image, size: int) -> bytes:
    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=_QUALITY, method=_METHOD)
    return stream.getvalue()


def _write(file: Path, data: bytes) -> None:
    with atomic_write(file, durable=False) as unfinished:
        unfinished.write_bytes(data)
