"""Selected photos as one zip file, which is sent while it is being made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from imagesearch.photos import PhotoError, check_photo
from imagesearch.web.photo_ids import parse_photo_id
from imagesearch.web.session import PhotoSession

MAX_PHOTOS = 5_000
_MAX_BODY = 40 * MAX_PHOTOS  # bytes; an id has 16 digits and a comma, which a form writes as three characters
_PART = 1 << 20
_MISSING = "missing photos.txt"


def register(app: FastAPI, session: PhotoSession) -> None:
    """Add the address from which selected photos are downloaded."""

    @app.post("/download", response_class=Response, include_in_schema=False)
    async def download(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _MAX_BODY:
                return _make_too_many()
        ids = dict(parse_qsl(body.decode("ascii", "replace"))).get("ids", "").split(",")
        if len(ids) > MAX_PHOTOS:  # a file without some of the selected photos would look complete
            return _make_too_many()
        files = await _find_files(session, ids)
        if not files:
            return Response("no such photo", 404)
        name = f"photos-{datetime.now():%Y-%m-%d-%H%M}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        fetch = session.library.dataset.fetch_file
        return StreamingResponse(write_zip(files, fetch), media_type="application/zip", headers=headers)


def _make_too_many() -> Response:
    return Response(f"at most {MAX_PHOTOS:,} photos can be downloaded at once", 413, media_type="text/plain")


async def _find_files(session: PhotoSession, ids: Sequence[str]) -> dict[str, Path]:
    """Return the files of photos by their names in the zip file, which are their paths in the collection."""
    files = {}
    for text in dict.fromkeys(ids):
        photo_id = parse_photo_id(text)
        path = None if photo_id is None else await session.find_path(photo_id)
        if path is not None:
            files[path] = session.library.dataset.locate_file(path)
    return files


class _Parts(io.RawIOBase):
    """Collects what a zip file writes until it is sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def write_zip(files: dict[str, Path], fetch: Callable[[Path], Path] = lambda file: file) -> Iterator[bytes]:
    """Yield a zip file of photos by their names in it, not compressed again.

    Missing files are left out, and files that are no photos any more, such as a link to another file; a text
    file names them. With ``fetch``, a file is the one that this function returns when its turn comes.
    """
    sink, missing = _Parts(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for name, place in files.items():
            try:
                file = fetch(place)
                check_photo(file)
                source = file.open("rb")
            except (OSError, PhotoError):
                missing.append(name)
                continue
            with (
                source,
                archive.open(zipfile.ZipInfo.from_file(file, name, strict_timestamps=False), "w") as target,
            ):
                while part := source.read(_PART):
                    target.write(part)
                    yield sink.take()
        if missing:  # else the zip file would look complete
            archive.writestr(_MISSING, "".join(f"{name}\n" for name in missing))
    yield sink.take()
