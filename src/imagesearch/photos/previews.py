"""Small upright copies of the photos that are slow to decode, kept in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.photos.decoding import DecodedPhoto, decode_photo
from imagesearch.photos.formats import get_extension
from imagesearch.photos.sources import Photo, compute_photo_id

_WORTH_CACHING_MEGAPIXELS = 2.0


class PreviewCache:
    """A folder of small upright JPEGs of the photos that are slow to decode.

    A phone's 12-megapixel HEIC costs 437 ms in full, its preview 15 ms. JPEGs scale down while they decode
    and have none. The name of a preview contains a hash of the photo's size and time, so that a changed photo
    never gets its old preview.

    Parameters
    ----------
    folder
        Where previews are kept; made when the first one is written.
    size
        Longest side of a preview, in pixels.
    max_megapixels
        See `decode_photo`.
    """

    def __init__(self, folder: Path, size: int, max_megapixels: float = 200) -> None:
        self.folder, self.size, self.max_megapixels = folder, size, max_megapixels

    def load(self, photo: Photo, min_short_side: int, min_long_side: int = 0) -> DecodedPhoto:
        """Decode a photo as `decode_photo` does, from its preview where that has enough pixels."""
        decoded = self._read_preview(photo)
        if decoded is None or not _is_large_enough(decoded, min_short_side, min_long_side):
            decoded = decode_photo(photo.file, min_short_side, min_long_side, self.max_megapixels)
            self._write_preview(photo, decoded)
        return decoded

    def load_preview(self, photo: Photo) -> DecodedPhoto:
        """Return a photo whose longer side is the size of a preview, or the photo's own if that is less."""
        decoded = self._read_preview(photo)
        if decoded is None:
            decoded = decode_photo(photo.file, min_long_side=self.size, max_megapixels=self.max_megapixels)
            self._write_preview(photo, decoded)
        decoded.image.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        return decoded

    def prune(self, photos: Sequence[Photo]) -> None:
        """Remove the previews of photos that are gone or have changed, and unfinished files."""
        names = {self._preview_file(photo).name for photo in photos}
        for file in self.folder.glob("*/*"):
            if file.name not in names and file.suffix in (".jpg", ".part"):
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

    def _write_preview(self, photo: Photo, decoded: DecodedPhoto) -> None:
        """Keep the preview of a photo that was decoded in full, and was slow to decode."""
        full_size = decoded.width, decoded.height
        large = decoded.width * decoded.height / 1e6 > _WORTH_CACHING_MEGAPIXELS
        if decoded.image.size != full_size or not large or get_extension(photo.path) in ("jpg", "jpeg"):
            return
        preview = decoded.image.copy()
        preview.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        comment = f"{decoded.width} {decoded.height}"
        with (
            suppress(OSError, UserError),  # a full disk costs time later, not the photo now
            atomic_write(self._preview_file(photo), durable=False) as unfinished,
        ):
            preview.save(unfinished, "JPEG", quality=88, comment=comment)


def _is_large_enough(preview: DecodedPhoto, min_short_side: int, min_long_side: int) -> bool:
    """Whether a preview has as many pixels as are required, or as the photo itself has."""
    short_side, long_side = sorted(preview.image.size)
    return short_side >= min(min_short_side, preview.width, preview.height) and long_side >= min(
        min_long_side, max(preview.width, preview.height)
    )
