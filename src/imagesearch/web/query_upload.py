"""Photos that a user drops on the search page: checked, kept in a temporary file, removed with the page."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI, Request, Response

from imagesearch.config import Config
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.web.search_bar import MAX_PHOTO_BYTES
from imagesearch.web.session import PhotoSession

_MAX_WAITING = 20  # photos that were sent, and that no page has taken


class QueryPhotos:
    """The photos that were sent and not yet taken by their page, by a random token."""

    def __init__(self) -> None:
        self._waiting: dict[str, Path] = {}

    def keep(self, file: Path) -> str:
        """Keep a file until a page takes it, and return its token."""
        while len(self._waiting) >= _MAX_WAITING:
            remove_file(self._waiting.pop(next(iter(self._waiting))))
        token = secrets.token_urlsafe(16)
        self._waiting[token] = file
        return token

    def take(self, token: str) -> Path | None:
        """Return a file, which is the caller's from now on; None if there is none with this token."""
        return self._waiting.pop(token, None)

    def close(self) -> None:
        """Remove the files that no page has taken."""
        while self._waiting:
            remove_file(self._waiting.popitem()[1])


def remove_file(file: Path | None) -> None:
    """Remove a temporary file, if there is one."""
    if file is not None:
        with suppress(OSError):
            file.unlink()


def register(app: FastAPI, session: PhotoSession) -> QueryPhotos:
    """Add the address to which a page sends a photo."""
    photos = QueryPhotos()

    @app.post("/query-photo", response_class=Response, include_in_schema=False)
    async def receive_photo(request: Request) -> Response:
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > MAX_PHOTO_BYTES:
                return Response(f"the limit is {MAX_PHOTO_BYTES // 1_000_000} MB", 413)
        config = session.library.config
        try:
            file = await asyncio.to_thread(_shrink_photo, bytes(data), config)
        except PhotoError as error:
            return Response(f"this is not a photo that can be read: {error}", 415)
        return Response(photos.keep(file), media_type="text/plain")

    return photos


def _shrink_photo(data: bytes, config: Config) -> Path:
    """Decode a photo as those of the collection, and return a small copy without metadata."""
    side, limit = config.extraction.preview_size, config.extraction.max_megapixels
    with tempfile.NamedTemporaryFile(prefix="imagesearch-", suffix=".jpg") as received:
        received.write(data)
        received.flush()
        image = decode_photo(Path(received.name), min_long_side=side, max_megapixels=limit).image
    image.thumbnail((side, side))
    with tempfile.NamedTemporaryFile(prefix="imagesearch-", suffix=".png", delete=False) as shrunk:
        image.convert("RGB").save(shrunk, "PNG", compress_level=1)
    return Path(shrunk.name)
