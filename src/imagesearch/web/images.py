"""Photos, thumbnails and faces by id, as images that a browser caches.

Only photos of the dataset are opened: an address has the id of a photo, never a path.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, TypeVar

import numpy as np
from fastapi import FastAPI, Path, Query, Request, Response
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.faces import FaceBoxReader
from imagesearch.photos import Photo, PhotoError, compute_photo_id
from imagesearch.pipeline import Dataset
from imagesearch.web.photo_ids import parse_photo_id
from imagesearch.web.session import PhotoSession

LARGE_PIXELS = 2048
"""Maximum of the longer side of a large photo."""
_FACE_PIXELS = 224
_FACE_MARGIN = 0.7  # half the side of a crop, in the longer sides of the face
_DEFAULT_THUMBNAIL = "256"
_READERS = 8  # threads that read cached files while others decode
_DECODERS = min(4, max(2, os.cpu_count() or 1))
# The address of an image does not change when its photo is edited.
_CACHE = "private, max-age=300, stale-while-revalidate=86400"

T = TypeVar("T")
PhotoId = Annotated[str, Path(description="id of a photo, as searches return it")]
Size = Annotated[str, Query(description="pixels; default: 256")]
Position = Annotated[str, Path(description="position of a face among those of the photo; 0 is the largest")]


@dataclass(frozen=True)
class _Picture:
    """What a request is for: the name of the picture of a photo, and the functions that make it."""

    name: str
    media_type: str
    make: Callable[[Dataset, Photo], bytes]
    read: Callable[[Dataset, Photo], bytes] = lambda dataset, photo: b""


class PhotoImages:
    """Makes the images in a few threads, not in the event loop and not in the thread of the library.

    Parameters
    ----------
    session
        Gives the paths of the photos. A path is read once.
    """

    def __init__(self, session: PhotoSession) -> None:
        self._session = session
        self._pool = ThreadPoolExecutor(_READERS, "images")
        self._decoders = asyncio.Semaphore(_DECODERS)
        self._faces: tuple[Dataset, FaceBoxReader] | None = None

    def close(self) -> None:
        """Cancel the images that no thread has started yet."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def get_thumbnail(self, request: Request, photo: str, size: str) -> Response:
        """Return a photo with at least `size` pixels on its longer side, as WebP; sizes are rounded up."""
        if not (size.isascii() and size.isdecimal()) or not 0 < len(size) <= 5 or int(size) == 0:
            return _make_gone()
        pixels = int(size)
        picture = _Picture(
            f"t{pixels}",
            "image/webp",
            lambda dataset, one: dataset.thumbnails.load(one, pixels),
            lambda dataset, one: dataset.thumbnails.read(one, pixels),
        )
        return await self._respond(request, photo, picture)

    async def get_photo(self, request: Request, photo: str) -> Response:
        """Return a photo with at most 2048 pixels on its longer side, as JPEG without metadata."""
        return await self._respond(request, photo, _Picture("large", "image/jpeg", _encode_large))

    async def get_face(self, request: Request, photo: str, position: str) -> Response:
        """Return a square around a face, as WebP."""
        if not (position.isascii() and position.isdecimal()) or len(position) > 5:
            return _make_gone()
        number = int(position)

        def crop(dataset: Dataset, one: Photo) -> bytes:
            box = self.get_face_boxes(dataset).find(one.photo_id, number)
            return b"" if box is None else _crop_face(dataset, one, box)

        return await self._respond(request, photo, _Picture(f"f{number}", "image/webp", crop))

    async def _respond(self, request: Request, photo_id: str, picture: _Picture) -> Response:
        number = parse_photo_id(photo_id)
        path = None if number is None else await self._session.find_path(number)
        if path is None:
            return _make_gone()
        dataset = self._session.library.dataset
        known = request.headers.get("if-none-match", "")
        # in one thread, because a change of the thread takes longer than reading a small file
        photo, version, data = await self._run(lambda: _read_picture(dataset, path, picture, known))
        if photo is None:
            return _make_gone()
        etag = _make_etag(version, picture)
        headers = {"ETag": etag, "Cache-Control": _CACHE}
        if etag in known:
            return Response(status_code=304, headers=headers)
        data = data or await self._make(request, dataset, photo, picture)
        return Response(data, headers=headers, media_type=picture.media_type) if data else _make_gone()

    async def _make(self, request: Request, dataset: Dataset, photo: Photo, picture: _Picture) -> bytes:
        async with self._decoders:
            if await request.is_disconnected():  # the photo has been scrolled away
                return b""
            try:
                return await self._run(lambda: picture.make(dataset, photo))
            except (PhotoError, UserError):  # the photo is damaged; the table is merged by another program
                return b""

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def get_face_boxes(self, dataset: Dataset) -> FaceBoxReader:
        """Return the reader of a dataset's faces, which keeps their boxes in memory."""
        if self._faces is None or self._faces[0] is not dataset:
            self._faces = dataset, FaceBoxReader(dataset)
        return self._faces[1]


def register(app: FastAPI, session: PhotoSession) -> PhotoImages:
    """Add the addresses of the images to an application."""
    images = PhotoImages(session)

    @app.get("/thumbnail/{photo}", response_class=Response, tags=["images"])
    async def get_thumbnail(request: Request, photo: PhotoId, size: Size = _DEFAULT_THUMBNAIL) -> Response:
        """Return a photo, upright, as WebP with at least `size` pixels on its longer side, up to 1024."""
        return await images.get_thumbnail(request, photo, size)

    @app.get("/photo/{photo}", response_class=Response, tags=["images"])
    async def get_photo(request: Request, photo: PhotoId) -> Response:
        """Return a photo, upright, as JPEG with at most 2048 pixels on its longer side."""
        return await images.get_photo(request, photo)

    @app.get("/face/{photo}/{position}", response_class=Response, tags=["images"])
    async def get_face(request: Request, photo: PhotoId, position: Position) -> Response:
        """Return a square around a photo's face, as WebP; 0 is the largest face."""
        return await images.get_face(request, photo, position)

    return images


def _read_picture(
    dataset: Dataset, path: str, picture: _Picture, known: str
) -> tuple[Photo | None, str, bytes]:
    """Return a photo, its version, and the picture if it exists already and the browser has another one."""
    photo = dataset.find_photo(path)
    if photo is None:
        return None, "", b""
    version = f"{compute_photo_id(f'{photo.size} {photo.mtime_ns}'):016x}"
    data = b"" if _make_etag(version, picture) in known else picture.read(dataset, photo)
    return photo, version, data


def _make_etag(version: str, picture: _Picture) -> str:
    return f'"{version}-{picture.name}"'


def _make_gone() -> Response:
    return Response("no such photo", 404, {"Cache-Control": "no-store"}, "text/plain")


def _encode_large(dataset: Dataset, photo: Photo) -> bytes:
    image = dataset.previews.load(photo, 0, LARGE_PIXELS).image
    image.thumbnail((LARGE_PIXELS, LARGE_PIXELS), Image.Resampling.LANCZOS)
    return _encode(image, "JPEG", quality=88)


def _crop_face(dataset: Dataset, photo: Photo, box: np.ndarray) -> bytes:
    """Crop a square around a face, with a margin, moved and shrunk so that all of it is in the photo."""
    wanted = 2 * _FACE_MARGIN * float(max(box[2:] - box[:2]))
    decoded = dataset.previews.load(photo, 0, dataset.previews.size)
    scale = decoded.image.width / decoded.width
    if wanted * scale < _FACE_PIXELS and scale < 1:  # a small face of a large photo
        long_side = max(decoded.width, decoded.height) * min(1.0, _FACE_PIXELS / max(wanted, 1.0))
        decoded = dataset.previews.load(photo, 0, round(long_side))
        scale = decoded.image.width / decoded.width
    width, height = decoded.image.size
    side = max(1.0, min(wanted * scale, width, height))
    left = min(max(0.0, float(box[0] + box[2]) / 2 * scale - side / 2), width - side)
    top = min(max(0.0, float(box[1] + box[3]) / 2 * scale - side / 2), height - side)
    square = (round(left), round(top), round(left + side), round(top + side))
    crop = decoded.image.crop(square).resize((_FACE_PIXELS, _FACE_PIXELS), Image.Resampling.LANCZOS)
    return _encode(crop, "WEBP", quality=82, method=2)


def _encode(image: Image.Image, form: str, **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()
