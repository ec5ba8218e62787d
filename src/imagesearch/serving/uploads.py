"""Photos that a client sends to search with. They are limited, decoded once as a check, and never stored."""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
import threading
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from PIL import Image

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.search import Query, crop_query_faces

MAX_UPLOAD_BYTES = 32 * 2**20
"""Maximum size of a photo that is sent."""
_MAX_MEGAPIXELS = 100.0  # 300 MB of pixels; those of the album can be larger: extraction.max_megapixels
_CHECKED_PIXELS = 64  # a JPEG is decoded at an eighth of its size
_MAX_NAME_BYTES = 100
_decoding = threading.Lock()


@dataclass(frozen=True)
class UploadedPhoto:
    """A photo that a client sent and that can be decoded. Its content is kept in memory.

    Attributes
    ----------
    name : str
        Its file name, without folders and without characters that are special somewhere.
    data : bytes
        The content of the file.
    """

    name: str
    data: bytes = field(repr=False)

    @contextmanager
    def open(self) -> Iterator[Path]:
        """Write the photo to a temporary file that is removed at the end of the ``with`` block.

        Only this user can read its folder.
        """
        with tempfile.TemporaryDirectory(prefix="imagesearch-") as folder:
            file = Path(folder) / self.name
            file.write_bytes(self.data)
            yield file


def check_upload(data: bytes, name: str, config: Config) -> UploadedPhoto:
    """Return a photo that can be searched with. It takes as long as decoding; call it in a thread.

    One photo is decoded at a time: formats other than JPEG take several times the memory of their pixels.

    Parameters
    ----------
    data
        The content of the file.
    name
        The name that the client sent.
    config
        Has a limit of pixels.

    Raises
    ------
    UserError
        If it is too large, or not a photo that can be decoded.
    """
    photo = UploadedPhoto(clean_file_name(name), data)
    if len(data) > MAX_UPLOAD_BYTES:
        raise UserError(f"{photo.name}: too large; expected at most {MAX_UPLOAD_BYTES >> 20} MB")
    limit = min(_MAX_MEGAPIXELS, config.extraction.max_megapixels)
    with _decoding, photo.open() as file:
        try:
            decode_photo(file, _CHECKED_PIXELS, max_megapixels=limit)
        except PhotoError as error:
            reason = str(error).replace(" (extraction.max_megapixels: ", "; expected at most ").rstrip(")")
            raise UserError(f"{photo.name}: {reason.replace(str(file), photo.name)}") from None
    return photo


async def receive_upload(parts: AsyncIterable[bytes], name: str, config: Config) -> UploadedPhoto:
    """Read a photo from the body of a request; see `check_upload`, which runs in a thread."""
    data = bytearray()
    async for part in parts:
        data += part
        if len(data) > MAX_UPLOAD_BYTES:
            break
    return await asyncio.to_thread(check_upload, bytes(data), name, config)


@contextmanager
def add_upload(query: Query, photo: UploadedPhoto, *, as_face: bool = False) -> Iterator[Query]:
    """Return a query with an uploaded photo as a further image, or as the face to find.

    Its file exists until the end of the ``with`` block.
    """
    with photo.open() as file:
        yield replace(query, face=file) if as_face else replace(query, images=(*query.images, file))


def find_faces_in_upload(library: PhotoLibrary, photo: UploadedPhoto) -> list[UploadedPhoto]:
    """Return pictures of the faces in an uploaded photo, the largest first; in the thread of the library.

    Each of them can be searched with; see `add_upload`.
    """
    resources = library.searcher.resources
    if not resources.has_collection("faces"):
        return []
    with photo.open() as file:
        faces = crop_query_faces(file, resources)
    return [UploadedPhoto(f"face {number}.png", _encode_png(face)) for number, face in enumerate(faces, 1)]


def _encode_png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def clean_file_name(name: str) -> str:
    """Return a name that is safe as the name of a file and in a message; letters of all languages stay."""
    last = PurePosixPath(name.replace("\\", "/")).name
    cleaned = re.sub(r"[^\w .()+-]", "_", last).strip(" .-_")
    stem, dot, extension = cleaned.rpartition(".")
    if not dot or len(extension) > 5:
        stem, extension = cleaned, ""
    suffix = f".{extension}" if extension else ""
    room = _MAX_NAME_BYTES - len(suffix.encode())
    return (stem.encode()[:room].decode("utf-8", "ignore").strip() or "photo") + suffix
