"""What happens on the search page: from the box, the chips and the address to a query, and to photos."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from nicegui.events import GenericEventArguments

from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.search import Answer, Query, RankedPhotos
from imagesearch.serving import UploadedPhoto, add_upload, find_faces_in_upload
from imagesearch.store import MAX_HITS
from imagesearch.text_table import format_count
from imagesearch.web.filter_data import NO_OFFERS, FilterOffers, change_query, describe_selection
from imagesearch.web.filter_panel import FilterPanel
from imagesearch.web.further_photos import FurtherPhotos, is_complete
from imagesearch.web.photo_grid import GridPhoto, PhotoGrid, is_sorted_by_date, read_grid_photos
from imagesearch.web.photo_ids import parse_photo_id
from imagesearch.web.photo_naming import PhotoNaming
from imagesearch.web.query_address import (
    ANY_PHOTO,
    change_value,
    make_page_default,
    read_page_query,
    write_query,
)
from imagesearch.web.query_filters import describe_filters, drop_filter
from imagesearch.web.query_upload import QueryPhotos
from imagesearch.web.search_bar import Chip, SearchBar, add_removals, list_notes, make_chips, make_face_button
from imagesearch.web.session import PhotoSession

T = TypeVar("T")

FIRST_PHOTOS = 60
_PORTION = 180  # minimum number of further photos that are sent to the page at once


@dataclass(frozen=True)
class _Found:
    """An answer, and what the page shows of it."""

    answer: Answer
    photos: list[GridPhoto]


class SearchView:
    """The content of one search page in one browser.

    Parameters
    ----------
    session
        The library.
    uploads
        The photos that browsers have sent.
    offers
        What the drawer of filters offers.
    """

    def __init__(self, session: PhotoSession, uploads: QueryPhotos, offers: FilterOffers) -> None:
        self._session, self._uploads, self._offers = session, uploads, offers
        self._default = make_page_default(session.library)
        self._query = self._default
        self._photo: UploadedPhoto | None = None  # a photo that was dropped on the page
        self._photo_name = ""
        self._faces: list[UploadedPhoto] = []  # in that photo
        self._face: UploadedPhoto | None = None  # the one that is searched by, in place of the photo
        self._serial = 0
        self._number = self._answered = 0  # of the query that the box has sent, and of the one to be answered
        self._further: FurtherPhotos | None = None
        self._more_lock = asyncio.Lock()
        self.bar = SearchBar()
        self.panel = FilterPanel(self._change_filters, self._toggle_panel)
        self.grid = PhotoGrid(self._show_more, self._copy_paths, lambda ids: self._naming.open(ids))
        self._naming = PhotoNaming(session, self.grid.clear_selection)
        self._connect_events()

    def _connect_events(self) -> None:
        bar = self.bar
        bar.on("search", self._number_query(self._search_text))
        bar.on("navigate", self._number_query(lambda event: self.open_address(event.args["search"])))
        bar.on("unfilter", self._remove_filter)
        bar.on("photo", self._number_query(self._search_by_photo))
        bar.on("nophoto", self._number_query(self._search_without_photo))
        bar.on("face", self._number_query(self._search_by_face))
        bar.on("refilter", self._change_filter)
        bar.on("filters", self._toggle_panel)
        bar.on("open", self._open_field)
        bar.on("complete", self._complete)
        bar.on("refused", lambda event: bar.change(error=str(event.args["reason"])[:300]))

    def _number_query(
        self, search: Callable[[GenericEventArguments], Awaitable[None]]
    ) -> Callable[[GenericEventArguments], Awaitable[None]]:
        """Return a handler that keeps the number of a query; its answer tells the box which one it is for."""

        async def handle(event: GenericEventArguments) -> None:
            self._number = int(event.args["query"])
            await search(event)

        return handle

    def close(self) -> None:
        """Forget the photo that was dropped on the page."""
        self._photo = self._face = None
        self._faces = []

    # --- from the page to a query --------------------------------------------------------------------------

    async def open_address(self, params: str) -> None:
        """Show the query of an address."""
        self.close()
        self.bar.change(faces=[])
        try:
            query, problem = await self._session.run(lambda library: read_page_query(params, library))
        except UserError as error:
            self._show_error(str(error))
            return
        if problem:  # the box and the chips have the valid parameters, which the next search uses
            self._query, self._answered = query, self._number
            self._serial += 1
            self._show_error(problem, query)
            return
        await self.show(query, visit=False)

    async def _search_text(self, event: GenericEventArguments) -> None:
        await self.show(replace(self._query, text=str(event.args["text"]).strip()))

    async def _remove_filter(self, event: GenericEventArguments) -> None:
        query = drop_filter(self._query, str(event.args["name"]), str(event.args["value"]), self._default)
        await self.show(query)

    async def _change_filter(self, event: GenericEventArguments) -> None:
        """Give a condition, which the user has edited in its chip, another value; an empty one removes it."""
        name, value, text = (str(event.args[key]) for key in ("name", "value", "text"))
        if not text:
            await self._remove_filter(event)
            return
        query = self._query
        try:
            changed = await self._session.run(
                lambda library: change_value(query, name, value, text, library, self._default)
            )
        except UserError as error:
            self.bar.change(error=str(error))
            return
        await self.show(changed)

    async def _search_by_photo(self, event: GenericEventArguments) -> None:
        photo = self._uploads.take(str(event.args["token"]))
        if photo is None:
            self.bar.change(error="the photo has been removed; drop it again")
            return
        self.close()
        self._photo, self._photo_name = photo, str(event.args["name"])[:120]
        self.bar.change(faces=[])
        await self.show(replace(self._query, text=str(event.args["text"]).strip(), images=()))
        faces = await self._session.run(lambda library: find_faces_in_upload(library, photo))
        if photo is self._photo:  # no other photo was dropped meanwhile
            self._faces = faces
            self.bar.change(faces=[make_face_button(face) for face in faces])

    async def _search_by_face(self, event: GenericEventArguments) -> None:
        number = int(event.args["number"])
        self._face = self._faces[number] if 0 <= number < len(self._faces) else None
        await self.show(replace(self._query, text=str(event.args["text"]).strip()))

    async def _search_without_photo(self, event: GenericEventArguments) -> None:
        self.close()
        await self.show(replace(self._query, text=str(event.args["text"]).strip(), images=(), by="clip"))

    async def _toggle_panel(self) -> None:
        if not self.panel.is_shown:
            await self._open_panel()
            return
        self.panel.change(shown=False)
        self.bar.change(filtersOpen=False)

    async def _open_panel(self) -> None:
        self.panel.change(shown=True, value=describe_selection(self._query))
        self.bar.change(filtersOpen=True)
        try:
            self.panel.change(offers=await self._offers.read_names())
            self.panel.change(offers=await self._offers.load())
        except UserError as error:
            self.panel.change(offers=NO_OFFERS)
            self.bar.change(error=str(error))

    async def _open_field(self, event: GenericEventArguments) -> None:
        """Open the drawer, unless it is open, at the field of a condition."""
        self.panel.focus_field(str(event.args["name"]))
        if not self.panel.is_shown:
            await self._open_panel()

    async def _change_filters(self, changes: dict[str, Any]) -> None:
        try:
            query = change_query(self._query, changes, self._default)
        except UserError as error:
            self.bar.change(error=str(error))
            return
        await self.show(query)

    async def _complete(self, event: GenericEventArguments) -> None:
        text, cursor, serial = str(event.args["text"]), int(event.args["cursor"]), int(event.args["serial"])
        try:
            completions = await self._session.complete(text, cursor)
        except UserError as error:
            self.bar.change(error=str(error))
            return
        self.bar.offer(completions, serial)

    # --- from a query to photos ----------------------------------------------------------------------------

    async def show(self, query: Query, *, visit: bool = True) -> None:
        """Answer a query, and show the photos.

        Parameters
        ----------
        query
            The query, without the photo that was dropped on the page.
        visit
            Whether the query becomes an entry of the browser's history.
        """
        self._query, self._answered = query, self._number
        self._serial += 1
        serial = self._serial
        self._further = None
        address = write_query(query, self._default)
        self.bar.change(busy=True, error="")
        self.panel.change(value=describe_selection(query))
        if visit:
            self.bar.visit(f"/?{address}" if address else "/")
        try:
            found = await self._search(query, FIRST_PHOTOS)
        except UserError as error:
            if serial == self._serial:
                self._show_error(str(error), query)
            return
        except Exception:
            if serial == self._serial:
                self._show_error("the search failed; the output of the server has the reason", query)
            raise
        if serial == self._serial:  # no later query was sent meanwhile
            self._show_found(found, address)
            chips = await self._session.run(partial(_add_removals, answer=found.answer))
        if serial == self._serial:
            self.bar.change(chips=chips)

    async def _search(self, query: Query, count: int) -> _Found:
        return await self._session.run(partial(_describe, answer=await self._find(query, count)))

    async def _find(self, query: Query, count: int) -> Answer:
        answer = await self._run_query(query, count, lambda library, query: library.search(query))
        self._session.remember(answer.results)
        return answer

    async def _rank(self, query: Query, count: int) -> RankedPhotos:
        return await self._run_query(query, count, lambda library, query: library.searcher.rank(query))

    async def _run_query(self, query: Query, count: int, work: Callable[[PhotoLibrary, Query], T]) -> T:
        """Call a function with the query, completed by the photo that was dropped on the page."""
        query = replace(query, top_k=min(count, query.top_k))
        photo, face = self._photo, self._face
        if photo is not None:
            completed = add_upload(query, face or photo, as_face=face is not None)
        else:
            completed = nullcontext(replace(query, where=ANY_PHOTO) if query.is_empty else query)
        with completed as full_query:
            return await self._session.run(lambda library: work(library, full_query))

    def _show_found(self, found: _Found, address: str) -> None:
        answer = found.answer
        query = self._query
        rank = partial(self._rank, query)
        self._further = FurtherPhotos(self._session, answer, rank, query.top_k)
        self.bar.change(
            text=answer.query.text,
            answers=self._answered,
            chips=make_chips(answer),
            filters=describe_filters(self._query, self._default),
            notes=list_notes(answer),
            status=self._describe_status(found),
            photo=self._describe_photo(),
            face=self._faces.index(self._face) if self._face else -1,
            busy=False,
        )
        self.grid.show(
            found.photos,
            done=self._further.is_finished,
            address=None if self._photo else address,  # it does not have the photo that was dropped
            empty="" if answer.notes else "No photos.",
        )

    def _describe_status(self, found: _Found) -> str:
        """Return how many photos were found, and that an address lacks the photo that was dropped."""
        status = _describe_count(found)
        if self._photo is None:
            return status
        return f"{status}; this photo is not in the address: after a reload, the search is without it"

    def _describe_photo(self) -> dict[str, str] | None:
        """Return the photo that is searched by, for the search box."""
        if self._photo is not None:
            return {"name": self._photo_name, "address": ""}
        if not self._query.images:
            return None
        photo_id = write_query(Query(images=self._query.images[:1])).removeprefix("like=")
        others = len(self._query.images) - 1
        name = self._query.images[0].name + (f" and {format_count(others, 'other')}" if others else "")
        return {"name": name, "address": f"/thumbnail/{photo_id}?size=128"}

    def _show_error(self, message: str, query: Query | None = None) -> None:
        filters = describe_filters(self._query, self._default)
        text = {} if query is None else {"text": query.text, "answers": self._answered}
        self.bar.change(
            error=message, busy=False, chips=[], notes=[], status="", filters=filters,
            photo=self._describe_photo(), **text,
        )  # fmt: skip
        self._further = None
        self.grid.show([], done=True)

    async def _show_more(self, generation: int, count: int) -> None:
        """Show further photos, and read those after them, so that the page does not wait for them."""
        size = max(_PORTION, count // 2)
        async with self._more_lock:
            further = self._further
            if generation != self.grid.generation or further is None:
                return
            await self._read_further(further, size)
            if further is self._further:  # no other query was sent meanwhile
                portion = further.take(size)
                self.grid.append(portion, done=further.is_finished)
                await self._read_further(further, size)

    async def _read_further(self, further: FurtherPhotos, size: int) -> None:
        try:
            await further.read(size)
        except UserError as error:
            if further is self._further:
                self.bar.change(error=str(error))

    async def _copy_paths(self, ids: Sequence[str]) -> None:
        numbers = [number for text in ids[:MAX_HITS] if (number := parse_photo_id(str(text))) is not None]
        paths = [path for number in numbers if (path := await self._session.find_path(number))]
        locate = self._session.library.dataset.locate_file
        self.grid.offer_text("\n".join(str(locate(path)) for path in paths))


def _describe(library: PhotoLibrary, answer: Answer) -> _Found:
    """Return what the page shows of an answer; in the thread of the library."""
    return _Found(answer, read_grid_photos(library, answer, answer.results))


def _add_removals(library: PhotoLibrary, answer: Answer) -> list[Chip]:
    """Return the clauses of a sentence with the words of each; in the thread of the library."""
    resources = library.searcher.resources
    finders = {"find_moments": resources.find_moments, "find_person": resources.find_person}
    return add_removals(answer, resources.parser, **finders)


def _describe_count(found: _Found) -> str:
    answer, photos = found.answer, format_count(found.answer.photos, "photo")
    if answer.is_ranked_by_face:
        count = sum(photo.fits for photo in found.photos)
        has_more = count == len(found.photos) and not is_complete(answer)
        verb = "has" if count == 1 and not has_more else "have"
        return f"{count}{'+' if has_more else ''} of {photos} {verb} this face"
    if answer.relaxed:
        return f"0 of {photos}; others are shown"
    if answer.query.where == ANY_PHOTO:
        return f"{photos}, the newest first"
    if not answer.filter_expression:
        return photos if is_sorted_by_date(answer) else f"{photos}, the best first"
    return f"{answer.candidate_count} of {photos}"
