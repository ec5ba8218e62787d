"""File formats: which there are, opening them with Pillow, pillow-heif or rawpy, and errors in words."""

from __future__ import annotations

import functools
import importlib.util
import io
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
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow counts pixels before Image.draft scales a JPEG down, and so refuses phone panoramas; `decode`
# counts them itself, after the draft and before anything is decompressed.
Image.MAX_IMAGE_PIXELS = None
# About odd metadata; what matters is raised. Once for the process: `warnings.catch_warnings` in many threads
# at once leaves the filters of one thread to the others.
warnings.filterwarnings("ignore", module=r"PIL\.")
# By content, whatever the name says; and no others, since Pillow would start Ghostscript for an EPS.
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")


class PhotoError(Exception):
    """Why one photo cannot be used, in words. It is skipped; the others go on."""


def is_raw_supported() -> bool:
    """Whether the optional package for camera RAW is installed."""
    return importlib.util.find_spec("rawpy") is not None


def get_extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


@contextmanager
def open_photo(file: Path) -> Iterator[Image.Image]:
    """Open a photo without decoding it; whatever goes wrong in the block is a `PhotoError` in words."""
    try:
        if file.stat().st_size == 0:
            raise PhotoError("the file is empty")
        with _open_image(file) as image:
            yield image
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError("not an image, or one in a format that its name does not say") from None
    except MemoryError:
        raise PhotoError("not enough memory to decode it") from None
    except OSError as error:
        reason = error.strerror if error.errno else " ".join(str(error).split())
        raise PhotoError(f"cannot be decoded: {reason}") from None
    except Exception as error:  # decoders raise all sorts on damaged files: SyntaxError, struct.error, ...
        reason = " ".join(str(error).split())
        raise PhotoError(f"cannot be decoded: {type(error).__name__}: {reason}") from None


@functools.cache
def _register_formats() -> None:
    import pillow_heif

    # One thread a photo: photos are decoded in parallel already.
    pillow_heif.register_heif_opener(decode_threads=1)
    Image.init()  # `Image.open` does not know the formats it is limited to before


def _open_image(file: Path) -> Image.Image:
    _register_formats()
    if get_extension(file.name) in RAW_EXTENSIONS:
        return _open_raw(file)
    return Image.open(file, formats=_FORMATS)


def read_orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
        return value if value in TRANSPOSE else 1  # 1 too for what the standard does not know
    except Exception:  # broken EXIF must not cost the picture
        return 1


def _open_raw(file: Path) -> Image.Image:
    """Open a camera RAW: the preview that the camera embedded, else developed at half size."""
    if not is_raw_supported():
        raise PhotoError("camera RAW wants an optional package: pip install 'imagesearch[raw]'")
    import rawpy

    try:
        with rawpy.imread(str(file)) as raw:
            preview = _read_raw_preview(raw)
            return Image.fromarray(raw.postprocess(half_size=True)) if preview is None else preview
    except rawpy.LibRawError as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise PhotoError(f"cannot be decoded: {reason}") from None


def _read_raw_preview(raw: rawpy.RawPy) -> Image.Image | None:
    """Return the embedded preview; None if there is none, it is damaged, or a mere thumbnail."""
    import rawpy

    try:
        thumb = raw.extract_thumb()
        if thumb.format is not rawpy.ThumbFormat.JPEG:
            return None
        image = Image.open(io.BytesIO(thumb.data), formats=["JPEG"])
        if max(image.size) < min(_RAW_PREVIEW_ENOUGH, max(raw.sizes.width, raw.sizes.height) // 2):
            return None
        if read_orientation(image) == 1 and raw.sizes.flip in _RAW_FLIPS:
            return image.transpose(_RAW_FLIPS[raw.sizes.flip])
        return image
    except (rawpy.LibRawError, OSError):
        return None


# Longest side in pixels from which a preview is as good as the photo for the models and for a screen; some
# cameras embed only 160 x 120.
_RAW_PREVIEW_ENOUGH = 1000


# LibRaw's `flip` of a picture whose own EXIF does not say how it was held.
_RAW_FLIPS = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.ROTATE_90,
    6: Image.Transpose.ROTATE_270,
}
