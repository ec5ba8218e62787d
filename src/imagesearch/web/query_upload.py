"""Receives the photo that a user drops on the search page, which keeps it in memory until it is closed."""

from __future__ import annotations

import secrets

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from imagesearch.errors import UserError
from imagesearch.serving import UploadedPhoto, receive_upload
from imagesearch.web.session import PhotoSession

_MAX_WAITING = 4  # photos that were sent, and that no page has taken


class QueryPhotos:
    """The photos that were sent and not yet taken by their page, by a random token."""

    def __init__(self) -> None:
        self._waiting: dict[str, UploadedPhoto] = {}

    def keep(self, photo: UploadedPhoto) -> str:
        """Keep a photo until a page takes it, and return its token."""
        while len(self._waiting) >= _MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        token = secrets.token_urlsafe(16)
        self._waiting[token] = photo
        return token

    def take(self, token: str) -> UploadedPhoto | None:
        """Return a photo, which is no longer kept here; None if there is none with this token."""
        return self._waiting.pop(token, None)


def register(app: FastAPI, session: PhotoSession) -> QueryPhotos:
    """Add the address to which a page sends a photo."""
    photos = QueryPhotos()

    @app.post("/query-photo", response_class=Response, include_in_schema=False)
    async def receive_photo(request: Request) -> Response:
        name = request.query_params.get("name", "photo")
        try:
            photo = await receive_upload(request.stream(), name, session.library.config)
        except UserError as error:
            return JSONResponse({"error": str(error)})
        return JSONResponse({"token": photos.keep(photo)})

    return photos
