"""File formats of photos: their extensions, opening by Pillow, pillow-heif or rawpy, orientation."""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    import rawpy

EXTENSIONS = frozenset(["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif", "heic", "heif", "avif"])
RAW_EXTENSIONS = frozenset(["dng", "cr2", "cr3", "nef", "nrw", "arw", "orf", "rw2", "raf", "pef", "srw"])
# The transposition that makes the stored pixels upright, by the EXIF tag Orientation; 1 is upright already.
TRANSPOSE_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The same by LibRaw's `flip`, for an embedded preview that has no EXIF orientation.
_TRANSPOSE_BY_RAW_FLIP = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.ROTATE_90,
    6: Image.Transpose.ROTATE_270,
}
# Minimum longer side in pixels of an embedded preview that is used instead of the photo. It is enough for the
# models and for a screen. Some cameras embed only 160 x 120.
_MIN_RAW_PREVIEW_SIDE = 1000
_ORIENTATION_TAG = 0x0112
# The format is recognized by the content, not by the name of the file. Other formats are never tried, because
# Pillow would start Ghostscript for an EPS.
_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")
# The extension of each of them; MPO is a JPEG with several pictures.
EXTENSION_BY_FORMAT = {name: name.lower() for name in _PILLOW_FORMATS}
EXTENSION_BY_FORMAT |= {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif", "HEIF": "heic"}

# Pillow checks the number of pixels before Image.draft scales a JPEG down, and so rejects phone panoramas.
# `decode_photo` checks it after the draft and before decompression.
Image.MAX_IMAGE_PIXELS = None
# Pillow warns about unusual metadata; real problems are raised as errors. The filter is set once for the
# process, because `warnings.catch_warnings` is not safe in several threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


class PhotoError(Exception):
    """One photo cannot be used; the message is the reason. The photo is skipped, and the run continues."""


class UnavailablePhotoError(PhotoError):
    """A photo cannot be fetched at present, for example without a network; it is not counted as failed."""


def is_raw_supported() -> bool:
    """Whether the optional package for camera RAW is installed."""
    return importlib.util.find_spec("rawpy") is not None


def get_extension(name: str) -> str:
    """Return the extension of a file name or path, in lower case and without the dot; "" if there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def is_photo_name(name: str) -> bool:
    """Whether a file with this name can be a photo, by its extension."""
    extension = get_extension(name)
    return extension in EXTENSIONS or (extension in RAW_EXTENSIONS and is_raw_supported())


@contextmanager
def open_photo(file: Path) -> Iterator[Image.Image]:
    """Open a photo without decoding it. Any error in the ``with`` block is raised as a `PhotoError`."""
    try:
        if file.stat().st_size == 0:
            raise PhotoError("the file is empty")
        with _open_image(file) as image:
            yield image
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError("not an image, or an image in an unsupported format") from None
    except MemoryError:
        raise PhotoError("not enough memory to decode it") from None
    except OSError as error:
        reason = error.strerror if error.errno else " ".join(str(error).split())
        raise PhotoError(f"cannot be decoded: {reason}") from None
    except Exception as error:  # decoders raise SyntaxError, struct.error and others for damaged files
        reason = " ".join(str(error).split())
        raise PhotoError(f"cannot be decoded: {type(error).__name__}: {reason}") from None


def identify_photo(file: Path, max_megapixels: float) -> str:
    """Return the extension of a photo's format, which is told by its content. Camera RAW is not recognized.

    Raises
    ------
    PhotoError
        If it is not a photo, or has more pixels.
    """
    with open_photo(file) as image:
        megapixels = image.size[0] * image.size[1] / 1e6
        if megapixels > max_megapixels:
            raise PhotoError(explain_too_large(megapixels, max_megapixels))
        return EXTENSION_BY_FORMAT[image.format or ""]


def check_photo(file: Path) -> None:
    """Raise `PhotoError` if a file is not a photo, by the beginning of its content."""
    with open_photo(file):
        pass


def explain_too_large(megapixels: float, max_megapixels: float) -> str:
    """Return why a photo with too many pixels is rejected."""
    return f"too large: {megapixels:.0f} megapixels (extraction.max_megapixels: {max_megapixels:g})"


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is missing, damaged or out of range."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
        return value if value in TRANSPOSE_BY_ORIENTATION else 1
    except Exception:  # a photo with damaged EXIF can still be used
        return 1


@contextmanager
def share_cores(photos: int) -> Iterator[None]:
    """Divide the CPU cores among several photos that are decoded at the same time, inside the ``with`` block.

    Without it, a HEIC is decoded in one thread for each core. A phone's HEIC consists of tiles that can be
    decoded in parallel: on two cores, a single one takes 0.6 to 0.9 of the time of one thread. Two at the
    same time gain nothing from more than one thread each. Other formats are decoded in one thread. It is a
    setting of the whole process.

    Parameters
    ----------
    photos
        The number of photos that are decoded at the same time.
    """
    import pillow_heif

    _register_formats()
    before = pillow_heif.options.DECODE_THREADS
    pillow_heif.options.DECODE_THREADS = max(1, (os.cpu_count() or 1) // photos)
    try:
        yield
    finally:
        pillow_heif.options.DECODE_THREADS = before


@functools.cache
def _register_formats() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(decode_threads=os.cpu_count() or 1)
    Image.init()  # registers all formats; `Image.open` with `formats` requires it


def _open_image(file: Path) -> Image.Image:
    _register_formats()
    if get_extension(file.name) in RAW_EXTENSIONS:
        return _open_raw(file)
    return Image.open(file, formats=_PILLOW_FORMATS)


def _open_raw(file: Path) -> Image.Image:
    """Open a camera RAW: return its embedded preview, or the photo developed at half size."""
    if not is_raw_supported():
        raise PhotoError('camera RAW requires one more package; run pip install -e ".[raw]"')
    import rawpy

    try:
        with rawpy.imread(str(file)) as raw:
            preview = _read_raw_preview(raw)
            return Image.fromarray(raw.postprocess(half_size=True)) if preview is None else preview
    except rawpy.LibRawError as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise PhotoError(f"cannot be decoded: {reason}") from None


def _read_raw_preview(raw: rawpy.RawPy) -> Image.Image | None:
    """Return the embedded preview; None if there is none or if it is damaged or too small."""
    import rawpy

    try:
        embedded = raw.extract_thumb()
        if embedded.format is not rawpy.ThumbFormat.JPEG:
            return None
        preview = Image.open(io.BytesIO(embedded.data), formats=["JPEG"])
        if max(preview.size) < min(_MIN_RAW_PREVIEW_SIDE, max(raw.sizes.width, raw.sizes.height) // 2):
            return None
        if read_orientation(preview) == 1 and raw.sizes.flip in _TRANSPOSE_BY_RAW_FLIP:
            return preview.transpose(_TRANSPOSE_BY_RAW_FLIP[raw.sizes.flip])
        return preview
    except (rawpy.LibRawError, OSError):
        return None
