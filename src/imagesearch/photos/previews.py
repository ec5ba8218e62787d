"""A cache of small upright copies of the photos that are slow to decode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD, Base

from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.photos.decoding import DecodedPhoto, decode_photo
from imagesearch.photos.formats import PhotoError, get_extension, open_photo
from imagesearch.photos.sources import Photo, compute_photo_id

_WORTH_CACHING_MEGAPIXELS = 2.0
_QUALITY = 88


def write_small_copy(file: Path, copy: Path, size: int, max_megapixels: float = 200) -> None:
    """Write a smaller upright JPEG of a photo, with its EXIF and XMP.

    Parameters
    ----------
    file, copy
        The photo, and the file to write.
    size
        Longer side of the copy in pixels; a smaller photo is not enlarged.
    max_megapixels
        See `decode_photo`.

    Raises
    ------
    PhotoError
        If the photo cannot be decoded.
    """
    image = decode_photo(file, min_long_side=size, max_megapixels=max_megapixels).image
    image.thumbnail((size, size), Image.Resampling.LANCZOS)
    metadata = {}
    with suppress(PhotoError), open_photo(file) as original:
        exif = original.getexif()
        for part in (IFD.Exif, IFD.GPSInfo):
            exif.get_ifd(part)  # loads what is written with it
        exif[Base.Orientation] = 1
        metadata["exif"] = exif.tobytes()
        if xmp := original.info.get("xmp"):
            metadata["xmp"] = xmp
    for options in (metadata, {}):
        with suppress(ValueError):  # too long for a JPEG
            image.save(copy, "JPEG", quality=_QUALITY, **options)
            return


class PreviewCache:
    """A folder of small upright JPEGs of the photos that are slow to decode.

    A phone's 12-megapixel HEIC takes 437 ms to decode in full, its preview 15 ms. JPEGs have no previews,
    because they can be scaled down during decoding. The name of a preview contains a hash of the photo's size
    and time, so that the preview of an older version of the photo is never used.

    Parameters
    ----------
    folder
        The folder of the previews. It is made when the first preview is written.
    size
        Longer side of a preview in pixels.
    max_megapixels
        See `decode_photo`.
    provide_file
        Returns a photo with a file on the disk, which stays inside a ``with`` block. By default photos are
        files.
    """

    def __init__(
        self,
        folder: Path,
        size: int,
        max_megapixels: float = 200,
        provide_file: Callable[[Photo], AbstractContextManager[Photo]] = nullcontext,
    ) -> None:
        self.folder, self.size, self.max_megapixels = folder, size, max_megapixels
        self.provide_file = provide_file

    def load(self, photo: Photo, min_short_side: int, min_long_side: int = 0) -> DecodedPhoto:
        """Decode a photo like `decode_photo`, from its preview if that has enough pixels."""
        decoded = self._read_preview(photo)
        if decoded is None or not _is_large_enough(decoded, min_short_side, min_long_side):
            with self.provide_file(photo) as opened:
                decoded = decode_photo(opened.file, min_short_side, min_long_side, self.max_megapixels)
            self._write_preview(photo, decoded)
        return decoded

    def load_preview(self, photo: Photo) -> DecodedPhoto:
        """Return a photo scaled down to the size of a preview; a smaller photo is not enlarged."""
        decoded = self._read_preview(photo)
        if decoded is None:
            with self.provide_file(photo) as opened:
                limits = {"min_long_side": self.size, "max_megapixels": self.max_megapixels}
                decoded = decode_photo(opened.file, **limits)
            self._write_preview(photo, decoded)
        decoded.image.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        return decoded

    def prune(self, photos: Sequence[Photo]) -> None:
        """Remove previews of other photos and of older versions of these photos, and unfinished files."""
        files = list(self.folder.glob("*/*"))
        names = {self._preview_file(photo).name for photo in photos} if files else set()
        for file in files:
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
            return None  # the preview is damaged: the photo is decoded and the preview is written again

    def _write_preview(self, photo: Photo, decoded: DecodedPhoto) -> None:
        """Write the preview of a photo, if the photo was decoded in full and is slow to decode."""
        full_size = decoded.width, decoded.height
        large = decoded.width * decoded.height / 1e6 > _WORTH_CACHING_MEGAPIXELS
        if decoded.image.size != full_size or not large or get_extension(photo.file.name) in ("jpg", "jpeg"):
            return
        preview = decoded.image.copy()
        preview.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        comment = f"{decoded.width} {decoded.height}"
        with (
            suppress(OSError, UserError),  # on a full disk the photo is decoded again next time
            atomic_write(self._preview_file(photo), durable=False) as unfinished,
        ):
            preview.save(unfinished, "JPEG", quality=_QUALITY, comment=comment)


def _is_large_enough(preview: DecodedPhoto, min_short_side: int, min_long_side: int) -> bool:
    """Whether a preview has as many pixels as required, or as many as the photo itself."""
    short_side, long_side = sorted(preview.image.size)
    return short_side >= min(min_short_side, preview.width, preview.height) and long_side >= min(
        min_long_side, max(preview.width, preview.height)
    )
