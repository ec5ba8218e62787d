"""The page of one photo: large, with its faces, what is known of it, its neighbours and photos like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import GenericEventArguments

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor
from imagesearch.library import PhotoLibrary
from imagesearch.photos import compute_photo_id
from imagesearch.search import PhotoDetails, SearchResult, find_neighbours, read_photo_details
from imagesearch.web.alt_texts import describe_details, describe_result
from imagesearch.web.decision_bar import DecisionBar
from imagesearch.web.frame import page_frame
from imagesearch.web.naming import confirm_name
from imagesearch.web.people_parts import PhotoViewer, RemedyLink
from imagesearch.web.people_view import (
    check_owner,
    deny_faces,
    find_rows,
    list_names,
    list_photo_faces,
    list_photo_people,
    write_selector,
)
from imagesearch.web.photo_ids import format_photo_id, parse_photo_id
from imagesearch.web.photo_panel import MapView, draw_map, draw_panel, make_map
from imagesearch.web.query_address import ANY_PHOTO, read_page_query
from imagesearch.web.session import PhotoSession

_SECONDS_TO_LOAD = 120.0
_SIMILAR = 12
_NEIGHBOURS = 40
_COUNTS = (200, 1000, 5000)  # results of a search in which the photo is looked for, until it is found


@dataclass(frozen=True)
class _Place:
    """Where a photo is in a search: addresses of the photos before and after it, and of the search."""

    previous: str = ""
    next: str = ""
    back: str = ""
    note: str = ""


def register(session: PhotoSession) -> None:
    """Register the page."""

    @ui.page("/photos/{photo}", response_timeout=_SECONDS_TO_LOAD)
    async def show_photo(photo: str) -> None:
        photo_id = parse_photo_id(photo)
        params = ui.context.client.request.query_params
        try:
            details = (
                None
                if photo_id is None
                else await session.run(
                    lambda library: read_photo_details(library.searcher.resources, photo_id)
                )
            )
            error = "" if details else "There is no photo with this address."
        except UserError as failed:
            details, error = None, str(failed)
        ui.add_head_html('<link rel="stylesheet" href="/static/people.css">', shared=False)
        ui.add_head_html('<link rel="stylesheet" href="/static/photo.css">', shared=False)
        if details is None:
            ui.context.client.status_code = 404
            with page_frame("Not found", heading="Not found"):
                ui.label(error).classes("empty-note").props('role="alert"')
                RemedyLink(error)
            return
        # the parameters of the search, in one parameter or as they are on the search page
        address = params["from"] if "from" in params else str(params) or None
        place = await _find_place(session, details, address, params.get("at", ""))
        with page_frame(details.file.name, heading=details.file.name):
            await _PhotoPage(session, details, place).build()


class _PhotoPage:
    """One photo as one browser sees it."""

    def __init__(self, session: PhotoSession, details: PhotoDetails, place: _Place) -> None:
        self._session, self._desk, self._details, self._place = session, session.people, details, place
        self._people: list[tuple[str, int]] = [(label, 0) for label in details.people]

    async def build(self) -> None:
        """Draw the page; similar photos and the map follow when the browser is connected."""
        faces, names = await self._read_faces()
        photo = {
            "src": f"/photo/{format_photo_id(self._details.photo_id)}",
            "alt": describe_details(self._details, [label for label, _ in self._people]),
            "width": self._details.width,
            "height": self._details.height,
            "previous": self._place.previous,
            "next": self._place.next,
            "back": self._place.back,
            "note": self._place.note,
        }
        with ui.element("div").classes("photo-page"):
            with ui.element("div").classes("photo-main"):
                self._viewer = PhotoViewer(photo, faces, names)
                self._similar = ui.element("section").classes("similar").props('aria-label="similar photos"')
            with ui.element("aside").classes("photo-panel").props('aria-label="about this photo"'):
                self._panel = ui.element("div")
                self._map = ui.element("div")
        self._bar = DecisionBar(self._desk, self._refresh)
        self._viewer.on("rename", self._rename)
        self._viewer.on("deny", self._deny)
        self._viewer.on("reject", self._reject)
        self._draw_panel()
        ui.timer(0.05, self._load_rest, once=True)

    def _draw_panel(self) -> None:
        self._panel.clear()
        with self._panel:
            draw_panel(self._details, self._people)

    async def _refresh(self) -> None:
        self._viewer.show(*await self._read_faces())
        self._draw_panel()

    async def _read_faces(self) -> tuple[list[dict[str, Any]], list[str]]:
        photo_id = self._details.photo_id

        def read(editor: PeopleEditor) -> tuple[list[dict[str, Any]], list[str], list[tuple[str, int]]]:
            people = editor.people
            faces = list_photo_faces(people, photo_id)
            return faces, list_names(editor), list_photo_people(people, photo_id)

        try:
            faces, names, self._people = await self._desk.read(read)
        except UserError:  # no faces are clustered; the photo has none to show
            return [], []
        return faces, names

    async def _load_rest(self) -> None:
        await self._show_similar("clip")
        view = await self._session.run(lambda library: _read_map(library, self._details))
        with self._map:
            draw_map(view)

    async def _show_similar(self, by: str) -> None:
        library = self._session.library
        query = library.make_query(images=[self._details.path], by=by, top_k=_SIMILAR, min_score=None)
        results: Sequence[SearchResult] = ()
        note = "no similar photos"
        try:
            results = (await self._session.search(query)).results
        except UserError as error:
            note = str(error)
        address = f"like={format_photo_id(self._details.photo_id)}&by={by}"
        self._similar.clear()
        with self._similar:
            with ui.element("div").classes("similar-head"):
                ui.link("More like this", f"/?{address}").classes("similar-title")
                for model, title in (("clip", "by content"), ("vit", "by class")):
                    button = ui.element("button").classes("toggle").props('type="button"')
                    button.props["aria-pressed"] = "true" if model == by else "false"
                    with button:
                        ui.label(title)
                    button.on("click", lambda model=model: self._show_similar(model))
            with ui.element("div").classes("strip"):
                for at, result in enumerate(results):
                    _draw_thumbnail(result, address, at)
                if not results:
                    ui.label(note).classes("fact-note")

    # --- decisions about faces -----------------------------------------------------------------------------

    async def _rename(self, event: GenericEventArguments) -> None:
        """Name the person of a face; if the person has a name already, only this face gets another one."""
        face, typed, shown = str(event.args["id"]), str(event.args["name"]), event.args["shown"]
        try:
            name = await confirm_name(self._desk, typed)
        except UserError as error:
            self._bar.show_error(str(error))
            return
        if name is None:
            return

        def store(editor: PeopleEditor) -> None:
            rows = find_rows(editor.people, [face])
            person = check_owner(editor.people, rows, shown)
            if person is None or person.name:
                editor.name_faces(rows, name.check(editor), write_selector(editor.people, rows))
            else:
                editor.name_person(str(person.number), name.check(editor))

        await self._bar.decide(store)

    async def _deny(self, event: GenericEventArguments) -> None:
        def store(editor: PeopleEditor) -> None:
            deny_faces(editor, find_rows(editor.people, [str(event.args["id"])]), event.args["shown"])

        await self._bar.decide(store)

    async def _reject(self, event: GenericEventArguments) -> None:
        def store(editor: PeopleEditor) -> None:
            rows = find_rows(editor.people, [str(event.args["id"])])
            editor.reject_faces(rows, write_selector(editor.people, rows))

        await self._bar.decide(store)


def _draw_thumbnail(result: SearchResult, address: str, at: int) -> None:
    photo = format_photo_id(compute_photo_id(result.path))
    target = f"/photos/{photo}?{urlencode({'from': address, 'at': at})}"
    with ui.link(target=target).classes("strip-photo"):
        image = ui.element("img").props('loading="lazy"')
        image.props["src"] = f"/thumbnail/{photo}?size=256"
        image.props["alt"] = describe_result(result)


def _read_map(library: PhotoLibrary, details: PhotoDetails) -> MapView | None:
    try:
        neighbours = find_neighbours(library.searcher.resources, details, _NEIGHBOURS)
        return make_map(details, neighbours)
    except UserError:  # without its shapes, there is no map
        return None


async def _find_place(session: PhotoSession, details: PhotoDetails, address: str | None, at: str) -> _Place:
    """Return where a photo is among the photos of a search; nothing if it was not opened from one."""
    if address is None:
        return _Place()
    back = f"/?{address.removeprefix('?').removeprefix('/?')}" if address else "/"
    rank = int(at) if at.isascii() and at.isdecimal() and len(at) < 6 else 0
    ids: list[int] = []
    try:
        query, _ = await session.run(lambda library: read_page_query(address, library))
        query = replace(query, where=ANY_PHOTO) if query.is_empty else query
        limit = query.top_k
        for count in sorted({min(count, limit) for count in _COUNTS}):
            if details.photo_id in ids or len(ids) not in (0, query.top_k):
                break
            if count > rank + 1 or count == limit:
                query = replace(query, top_k=count)
                answer = await session.search(query)
                ids = [compute_photo_id(result.path) for result in answer.results]
    except UserError:
        return _Place(back=back)
    if details.photo_id not in ids:
        return _Place(back=back)
    found = ids.index(details.photo_id)

    def link(position: int) -> str:
        if not 0 <= position < len(ids):
            return ""
        return f"/photos/{format_photo_id(ids[position])}?{urlencode({'from': address, 'at': position})}"

    count = f"{len(ids)}+" if len(ids) == query.top_k < limit else str(len(ids))
    return _Place(link(found - 1), link(found + 1), back, f"{found + 1} of {count}")
