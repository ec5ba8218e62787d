"""The JSON API. Its answers are those of the scripts' ``--json``, with the ids of photos.

The parameters of a search are those in the address of the search page; see ``query_address.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from imagesearch.errors import ServerUnavailableError, UserError
from imagesearch.faces import FaceBoxReader, load_people
from imagesearch.library import PhotoLibrary
from imagesearch.photos import compute_photo_id
from imagesearch.search import Answer, PhotoDetails, Query, read_photo_details
from imagesearch.serving import MAX_UPLOAD_BYTES, add_upload, receive_upload
from imagesearch.text import find_similar
from imagesearch.web.api_parameters import PARAMETER_DOCS, make_parameters
from imagesearch.web.images import PhotoId, PhotoImages
from imagesearch.web.photo_ids import format_photo_id, parse_photo_id
from imagesearch.web.query_address import read_query
from imagesearch.web.session import PhotoSession

_MAX_TEXT = 4000  # characters of a parameter
_PHOTO_BODY = {
    "description": f"A photo to search with, at most {MAX_UPLOAD_BYTES >> 20} MB. It is not stored.",
    "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
}


class ApiError(Exception):
    """An error that is answered as ``{"error": message}``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def register(app: FastAPI, session: PhotoSession, images: PhotoImages) -> None:
    """Add the API to an application."""
    _register_errors(app)
    _register_search(app, session)
    _register_photo(app, session, images)
    _register_lists(app, session)

    @app.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)
    async def refuse(rest: str) -> Response:
        raise ApiError(404, "no such address; /docs lists them")


def _register_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def answer_api_error(request: Request, error: ApiError) -> Response:
        return make_json({"error": str(error)}, error.status)

    @app.exception_handler(ServerUnavailableError)
    async def answer_unavailable(request: Request, error: ServerUnavailableError) -> Response:
        return make_json({"error": str(error)}, 503)

    @app.exception_handler(UserError)
    async def answer_user_error(request: Request, error: UserError) -> Response:
        return make_json({"error": str(error)}, 400)

    @app.exception_handler(500)
    async def answer_bug(request: Request, error: Exception) -> Response:
        # the server's terminal has the traceback
        return make_json({"error": "internal error; the terminal of 09_web_app.py has the details"}, 500)


def _register_search(app: FastAPI, session: PhotoSession) -> None:
    @app.get("/api/search", tags=["search"], openapi_extra={"parameters": make_parameters()})
    async def search(request: Request) -> Response:
        """Find photos, as `06_search.py --json` does. Each result also has the `id` of its photo."""
        pairs = _check_parameters(request)
        query = await session.run(lambda library: _read_query(pairs, library))
        return await _answer_in_thread(await session.search(query))

    extra = {"parameters": make_parameters(), "requestBody": _PHOTO_BODY}

    @app.post("/api/search", tags=["search"], openapi_extra=extra)
    async def search_with_photo(request: Request) -> Response:
        """Find photos similar to the photo in the body of the request; the parameters are the same."""
        pairs = _check_parameters(request)
        config = session.library.config
        photo = await receive_upload(request.stream(), "photo", config)
        query = await session.run(lambda library: _read_query(pairs, library))
        with add_upload(query, photo) as completed:
            answer = await session.run(lambda library: library.search(completed))
        return await _answer_in_thread(answer)


def _register_photo(app: FastAPI, session: PhotoSession, images: PhotoImages) -> None:
    @app.get("/api/photos/{photo}", tags=["photos"])
    async def get_photo(photo: PhotoId) -> Response:
        """What is known of one photo: people, classes, place, time, camera, and the boxes of its faces."""
        photo_id = parse_photo_id(photo)
        if photo_id is None:
            raise ApiError(404, "no photo has this id: expected 16 hexadecimal digits")
        reader = images.get_face_boxes(session.library.dataset)

        def read(library: PhotoLibrary) -> dict[str, Any] | None:
            details = read_photo_details(library.searcher.resources, photo_id)
            return _describe_photo(details, reader) if details else None

        described = await session.run(read)
        if described is None:
            raise ApiError(404, "no photo has this id")
        return make_json(described)


def _register_lists(app: FastAPI, session: PhotoSession) -> None:
    @app.get("/api/people", tags=["lists"])
    async def list_people() -> Response:
        """The people, as `03_name_people.py --json` prints them."""
        return make_json(
            await session.run(lambda library: load_people(library.config, library.dataset).to_dict())
        )

    @app.get("/api/places", tags=["lists"])
    async def list_places() -> Response:
        """The places of the photos: kind, number of photos, position, and the larger places around them."""
        return make_json(await session.run(_list_places))

    @app.get("/api/collections", tags=["lists"])
    async def list_collections() -> Response:
        """The collections in Milvus, as `05_build_collections.py --list --json` prints them."""
        return make_json(await session.run(_list_collections))


async def _answer_in_thread(answer: Answer) -> Response:
    """Return an answer in JSON. With thousands of results, this takes as long as many other requests."""
    return await asyncio.to_thread(lambda: make_json(describe_answer(answer)))


def describe_answer(answer: Answer) -> dict[str, Any]:
    """Return what ``06 --json`` prints, with the id of each photo."""
    described = answer.to_dict()
    for result in described["results"]:
        result["id"] = format_photo_id(compute_photo_id(result["path"]))
    return described


def make_json(value: Any, status: int = 200) -> Response:
    """Return a response in JSON. A file name that is not valid Unicode is escaped."""
    data = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_convert).encode("utf-8", "replace")
    return Response(data, status, {"Cache-Control": "no-store"}, "application/json")


def _convert(value: Any) -> Any:
    """Return values of NumPy, and paths, as JSON has them."""
    return str(value) if isinstance(value, Path) else value.item()


def _check_parameters(request: Request) -> list[tuple[str, str]]:
    pairs = request.query_params.multi_items()
    for name, value in pairs:
        if name not in PARAMETER_DOCS:
            similar = find_similar(name, PARAMETER_DOCS, min_ratio=0.7)
            hint = f"did you mean {similar[0]}?" if similar else "/docs lists the parameters"
            raise ApiError(400, f"{name[:40]}: unknown parameter; {hint}")
        if len(value) > _MAX_TEXT:
            raise ApiError(400, f"{name}: too long; expected at most {_MAX_TEXT} characters")
    return pairs


def _read_query(pairs: Iterable[tuple[str, str]], library: PhotoLibrary) -> Query:
    """Return a query whose photos are files of the dataset, not names relative to the current folder."""
    query, locate = read_query(pairs, library), library.dataset.locate_file
    images = tuple(locate(path.as_posix()) for path in query.images)
    return replace(query, images=images, face=locate(query.face.as_posix()) if query.face else None)


def _describe_photo(details: PhotoDetails, reader: FaceBoxReader) -> dict[str, Any]:
    photo = format_photo_id(details.photo_id)
    faces = [
        {"position": position, "box": [round(value) for value in box.tolist()]}
        for position, box in reader.list_boxes(details.photo_id).items()
    ]
    values = asdict(details) | {"date": details.date, "faces": faces}
    del values["photo_id"]
    return {"id": photo, **values, "image": f"/photo/{photo}", "thumbnail": f"/thumbnail/{photo}"}


def _list_places(library: PhotoLibrary) -> dict[str, Any]:
    library.searcher.resources.refresh()
    vocabulary = library.searcher.resources.vocabulary
    places = [
        {**asdict(entry), "within": list(vocabulary.within.get(key, ()))}
        for key, entry in vocabulary.places.items()
    ]
    return {"places": sorted(places, key=lambda place: (-place["photos"], place["name"]))}


def _list_collections(library: PhotoLibrary) -> dict[str, Any]:
    return {"collections": [collection.to_dict() for collection in library.store.collections.list_all()]}
