"""Finding photos below folders, naming them by stable ids, and decoding them upright."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import math
import os
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from imagesearch.errors import UserError

if TYPE_CHECKING:
    import rawpy

EXTENSIONS = frozenset(["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif", "heic", "heif", "avif"])
RAW_EXTENSIONS = frozenset(["dng", "cr2", "cr3", "nef", "nrw", "arw", "orf", "rw2", "raf", "pef", "srw"])
# Folders in which other programs keep thumbnails and rubbish.
_OTHERS_FOLDERS = frozenset(
    {"@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "__MACOSX", "lost+found"}
)
_TRANSPOSE = {
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


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo on disk as it was when it was found.

    ``path`` is relative to its root, ``/``-separated and in Unicode NFC; with several roots it starts with
    the root's name. ``file`` is what can be opened.
    """

    photo_id: int
    path: str
    file: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels, upright and RGB, and the size in pixels of the whole upright photo."""

    image: Image.Image
    width: int
    height: int


# --- finding -----------------------------------------------------------------------------------------------


def photo_id(path: str) -> int:
    """Return the id of a relative path: the first 63 bits of its BLAKE2b digest, so it fits an INT64."""
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def find_photos(roots: Sequence[Path], exclude: Sequence[str] = ()) -> list[Photo]:
    """List the photos below some folders, in an order that stays the same.

    Left out are hidden files and folders, folders of thumbnails and rubbish that other programs keep, and
    a camera RAW whose JPEG or HEIC lies beside it. A folder reached twice, by a link or as a root inside
    another root, counts once; links are followed last, so that a photo goes by its real place.

    Parameters
    ----------
    roots
        Folders. All of them must hold photos: a drive that is not mounted is an empty folder, and must
        not look like "everything was deleted".
    exclude
        Shell patterns, matched with the relative path, and with the name of the file and each folder.

    Raises
    ------
    UserError
        If a root is missing or has no photos below it.
    """
    extensions = EXTENSIONS | RAW_EXTENSIONS if raw_is_supported() else EXTENSIONS
    patterns = tuple(_clean(pattern).rstrip("/") for pattern in exclude)
    labels = root_labels(roots)
    visited: set[tuple[int, int]] = set()
    links: list[tuple[str, str]] = []
    found: dict[str, list[Photo]] = {label: [] for label in labels}

    def walk(label: str, folder: tuple[str, str]) -> None:
        found[label] += [
            Photo(photo_id(path), path, Path(entry.path), stat.st_size, stat.st_mtime_ns)
            for path, entry, stat in _walk(folder, patterns, visited, links)
            if _extension(entry.name) in extensions
        ]

    for root, label in zip(roots, labels, strict=True):
        if not root.is_dir():
            raise UserError(f"{root}: no such folder of photos; set dataset.images or give one with -i")
        walk(label, (str(root), label))
    while links:
        folder = links.pop(0)
        walk(next(label for label in labels if folder[1].startswith(label)), folder)
    everything = [photo for photos in found.values() for photo in photos]
    for root, label in zip(roots, labels, strict=True):
        if not found[label] and not _holds_one_of(root, everything):
            raise UserError(f"{root}: no photos below it; is it the right folder, is its drive mounted?")
    return [photo for label in labels for photo in _sorted(_without_twins(found[label]))]


def _sorted(photos: Iterable[Photo]) -> list[Photo]:
    """Order by path; of names that differ on disk but not as paths (NFC, NFD), the plain one stays."""
    chosen: dict[str, Photo] = {}
    for photo in sorted(photos, key=lambda p: (p.path, not str(p.file).endswith(p.path), str(p.file))):
        chosen.setdefault(photo.path, photo)
    return list(chosen.values())


def _holds_one_of(root: Path, photos: Iterable[Photo]) -> bool:
    """Whether a root without photos of its own has some that count as another root's."""
    real = root.resolve()
    return any(photo.file.resolve().is_relative_to(real) for photo in photos)


def root_labels(roots: Sequence[Path]) -> list[str]:
    """Return what the paths below each root start with: nothing for one root, the root's name for several.

    Roots of one name are told apart by as many of their parent folders as that takes.
    """
    if len(roots) == 1:
        return [""]
    if len(set(roots)) < len(roots):
        raise UserError("dataset.images: the same folder is named twice")
    depth = 1
    while len({root.parts[-depth:] for root in roots}) < len(roots):
        depth += 1
    return [_clean("/".join(root.parts[-depth:]).lstrip("/")) + "/" for root in roots]


def locate(path: str, roots: Sequence[Path]) -> Path:
    """Return the file that a photo's path stands for, whatever Unicode form its name has on the disk.

    A path from elsewhere cannot climb out of the roots: its ``..`` and a leading slash name nothing.
    """
    labels = root_labels(roots)
    root, label = next(
        ((r, la) for r, la in zip(roots, labels, strict=True) if path.startswith(la)), ("", "")
    )
    file = Path(root)
    for part in (part for part in PurePosixPath(path[len(label) :]).parts if part not in ("..", "/")):
        direct = file / part
        with suppress(OSError, ValueError):  # too long for a name, or with a NUL: it is not there
            if not direct.exists() and file.is_dir():
                direct = next((entry for entry in file.iterdir() if _clean(entry.name) == part), direct)
        file = direct
    return file


def path_below(folder: str, roots: Sequence[Path]) -> str:
    """Return what the paths of the photos below a folder start with: the inverse of `locate`.

    Parameters
    ----------
    folder
        Absolute, or relative to a root; ``""`` and ``"."`` mean everything.

    Raises
    ------
    UserError
        If an absolute folder lies below none of the roots.
    """
    normal = os.path.normpath(_clean(folder))
    if not Path(normal).is_absolute():
        return "" if normal == "." else PurePosixPath(normal).as_posix()
    for root, label in zip(roots, root_labels(roots), strict=True):
        above = Path(os.path.normpath(_clean(str(root))))
        if Path(normal).is_relative_to(above):
            below = Path(normal).relative_to(above).as_posix()
            return (label + below).rstrip("/") if below != "." else label.rstrip("/")
    raise UserError(f"{folder}: not below the photos in {', '.join(map(str, roots))}")


def raw_is_supported() -> bool:
    """Whether the optional package for camera RAW is installed."""
    return importlib.util.find_spec("rawpy") is not None


def _clean(name: str) -> str:
    """Write a file name in NFC; bytes that are not UTF-8 become ``\\xff`` and the like."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _walk(
    start: tuple[str, str],
    exclude: tuple[str, ...],
    visited: set[tuple[int, int]],
    links: list[tuple[str, str]],
) -> Iterator[tuple[str, os.DirEntry[str], os.stat_result]]:
    """Yield relative path, entry and stat of each file that is not left out; collect links to folders."""
    folders = [start]
    while folders:
        folder, prefix = folders.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 - one call for what Path would do in two
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            continue  # unreadable or vanished meanwhile; a root is checked by its photos
        for entry in entries:
            path = prefix + _clean(entry.name)
            if entry.name.startswith(".") or _excluded(path, exclude):
                continue
            try:
                if entry.is_dir():
                    if entry.name not in _OTHERS_FOLDERS:
                        (links if entry.is_symlink() else folders).append((entry.path, path + "/"))
                elif entry.is_file():
                    yield path, entry, entry.stat()
            except OSError:
                continue  # a broken link


def _excluded(path: str, patterns: tuple[str, ...]) -> bool:
    # with a slash before it too, so that "*/drafts/*" means a folder of the root as well
    names = (path, f"/{path}", path.rpartition("/")[2])
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _without_twins(photos: list[Photo]) -> list[Photo]:
    """Drop each RAW that the camera wrote along with a picture of the same name."""
    pictures = {photo.path.rpartition(".")[0] for photo in photos if _extension(photo.path) in EXTENSIONS}
    return [
        photo
        for photo in photos
        if _extension(photo.path) in EXTENSIONS or photo.path.rpartition(".")[0] not in pictures
    ]


def content_hash(file: Path) -> bytes:
    """Return 16 bytes that stand for a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").digest()[:16]


# --- decoding ----------------------------------------------------------------------------------------------


def decode(
    file: Path, side: int | None = None, longest: int | None = None, max_megapixels: float = 200
) -> Picture:
    """Decode a photo to upright RGB.

    Rotation, from EXIF or from the container (HEIC, AVIF), is applied exactly once; of an animation the
    first frame is taken; transparency becomes white; 16-bit and CMYK become 8-bit RGB.

    Parameters
    ----------
    file
        Any format that `find_photos` lists.
    side
        What the shorter side must have at least, in pixels, unless the photo itself is smaller. A JPEG is
        then decoded at 1/8, 1/4 or 1/2, a HEIC by its embedded thumbnail, where that suffices, at a fraction
        of the cost. None decodes in full.
    longest
        The same for the longer side; with both, both are met.
    max_megapixels
        More decoded pixels than that are refused before they are decompressed.

    Raises
    ------
    PhotoError
        With the reason, whatever the reason is.
    """
    with opened(file) as image:
        if longest:
            side = max(side or 0, math.ceil(longest * min(image.size) / max(image.size)))
        return _upright(image, side, max_megapixels)


@contextmanager
def opened(file: Path) -> Iterator[Image.Image]:
    """Open a photo without decoding it; whatever goes wrong in the block is a `PhotoError` in words."""
    try:
        if file.stat().st_size == 0:
            raise PhotoError("the file is empty")
        with _open(file) as image:
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


def _open(file: Path) -> Image.Image:
    _register_formats()
    if _extension(file.name) in RAW_EXTENSIONS:
        return _open_raw(file)
    return Image.open(file, formats=_FORMATS)


def _upright(image: Image.Image, side: int | None, max_megapixels: float) -> Picture:
    original = image.size
    if side:
        image.draft(None, (side, side))  # a no-op unless the format can scale while it decodes
    drafted = image.size != original
    megapixels = image.size[0] * image.size[1] / 1e6
    if megapixels > max_megapixels:
        raise PhotoError(
            f"too large: {megapixels:.0f} megapixels (extraction.max_megapixels: {max_megapixels:g})"
        )
    image.load()
    # Read after load: a TIFF is turned, and its tag dropped, while it loads.
    orientation = _orientation(image)
    pixels = _to_rgb(image)
    if orientation != 1:
        pixels = pixels.transpose(_TRANSPOSE[orientation])
    if not drafted:
        return Picture(pixels, *pixels.size)
    width, height = original if orientation < 5 else original[::-1]
    return Picture(pixels, width, height)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
        return value if value in _TRANSPOSE else 1  # 1 too for what the standard does not know
    except Exception:  # broken EXIF must not cost the picture
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(_to_8_bit(np.asarray(image, np.float32))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale wide greyscale values to 0..255 by the smallest usual range that holds them all."""
    values = np.where(np.isnan(values), 0, values)
    top = float(values.max(initial=0, where=np.isfinite(values)))
    # floats have highlights somewhat above 1, which are clipped
    limit = 1.0 if top <= 16 else next((limit for limit in (255.0, 65535.0) if top <= limit), top)
    return np.clip(values * (255 / limit), 0, 255).astype(np.uint8)


def _open_raw(file: Path) -> Image.Image:
    """Open a camera RAW: the preview that the camera embedded, else developed at half size."""
    if not raw_is_supported():
        raise PhotoError("camera RAW wants an optional package: pip install 'imagesearch[raw]'")
    import rawpy

    try:
        with rawpy.imread(str(file)) as raw:
            preview = _raw_preview(raw)
            return Image.fromarray(raw.postprocess(half_size=True)) if preview is None else preview
    except rawpy.LibRawError as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise PhotoError(f"cannot be decoded: {reason}") from None


def _raw_preview(raw: rawpy.RawPy) -> Image.Image | None:
    """Return the embedded preview; None if there is none, it is damaged, or a mere thumbnail."""
    import rawpy

    try:
        thumb = raw.extract_thumb()
        if thumb.format is not rawpy.ThumbFormat.JPEG:
            return None
        image = Image.open(io.BytesIO(thumb.data), formats=["JPEG"])
        if max(image.size) < min(_RAW_PREVIEW_ENOUGH, max(raw.sizes.width, raw.sizes.height) // 2):
            return None
        if _orientation(image) == 1 and raw.sizes.flip in _RAW_FLIPS:
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
