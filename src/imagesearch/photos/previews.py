"""Small upright copies of the photos that are slow to decode, kept in a folder."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from imagesearch.photos.decoding import DecodedPhoto, decode_photo
from imagesearch.photos.sources import Photo, compute_photo_id

_WORTH_CACHING_MEGAPIXELS = 2.0


class PreviewCache:
    """A folder of small upright JPEGs of the photos that are slow to decode.

    A phone's 12-megapixel HEIC costs 437 ms in full, its preview 15 ms. JPEGs scale down while they decode
    and are left alone. A preview's name carries the photo's size and time, so that a changed photo never
    meets its old preview.

    Parameters
    ----------
    folder
        Where previews are kept; made when the first one is written.
    size
        Longest side of a preview, in pixels.
    max_megapixels
        As in `decode`.
    """

    def __init__(self, folder: Path, size: int, max_megapixels: float = 200) -> None:
        self.folder, self.size, self.max_megapixels = folder, size, max_megapixels

    def load(self, photo: Photo, side: int, longest: int = 0) -> DecodedPhoto:
        """Decode a photo as `decode` does, from its preview where there is one with pixels enough."""
        picture = self._read_preview(photo)
        if picture is None or not _is_large_enough(picture, side, longest):
            picture = decode_photo(photo.file, side, longest, self.max_megapixels)
            self._write_preview(photo, picture)
        return picture

    def load_preview(self, photo: Photo) -> DecodedPhoto:
        """Return a photo whose longer side is the size of a preview, or the photo's own if that is less."""
        picture = self._read_preview(photo)
        if picture is None:
            picture = decode_photo(photo.file, longest=self.size, max_megapixels=self.max_megapixels)
            self._write_preview(photo, picture)
        picture.image.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        return picture

    def prune(self, photos: Sequence[Photo]) -> None:
        """Remove the previews of photos that are gone or have changed, and what a kill left unfinished."""
        wanted = {self._preview_file(photo).name for photo in photos}
        for file in self.folder.glob("*/*"):
            if file.name not in wanted and file.suffix in (".jpg", ".part"):
                file.unlink(missing_ok=True)

    def _preview_file(self, photo: Photo) -> Path:
        version = compute_photo_id(f"{photo.size} {photo.mtime_ns} {self.size}")
        return self.folder / f"{photo.photo_id % 256:02x}" / f"{photo.photo_id:016x}-{version:016x}.jpg"

    def _read_preview(self, photo: Photo) -> DecodedPhoto | None:
        try:
            with Image.open(self._preview_file(photo)) as image:
                width, height = map(int, image.info["comment"].split())
                image.load()
                return DecodedPhoto(image, width, height)
        except FileNotFoundError:
            return None
        except (OSError, KeyError, ValueError):
            return None  # a damaged preview: the photo is decoded, and the preview written anew

    def _write_preview(self, photo: Photo, picture: DecodedPhoto) -> None:
        decoded_in_full = picture.image.size == (picture.width, picture.height)
        large = picture.width * picture.height / 1e6 > _WORTH_CACHING_MEGAPIXELS
        if not (decoded_in_full and large) or photo.path.lower().endswith((".jpg", ".jpeg")):
            return
        preview = picture.image.copy()
        preview.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        file = self._preview_file(photo)
        unfinished = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            preview.save(unfinished, "JPEG", quality=88, comment=f"{picture.width} {picture.height}")
            unfinished.replace(file)
        except OSError:
            with contextlib.suppress(OSError):  # a full disk costs time later, not the photo now
                unfinished.unlink()


def _is_large_enough(picture: DecodedPhoto, side: int, longest: int) -> bool:
    """Whether a preview has as many pixels as are wanted, or as the photo itself has."""
    shorter, longer = sorted(picture.image.size)
    return shorter >= min(side, picture.width, picture.height) and longer >= min(
        longest, max(picture.width, picture.height)
    )
