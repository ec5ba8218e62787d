"""The search page."""

from __future__ import annotations

from nicegui import ui

from imagesearch.web.frame import page_frame
from imagesearch.web.session import PhotoSession


def register(session: PhotoSession) -> None:
    """Register the page."""

    @ui.page("/")
    async def show_search() -> None:
        with page_frame("Search"):
            box = ui.input("Search").props("autofocus").classes("search-box")
            found = ui.label()

            async def search() -> None:
                answer = await session.search(session.library.make_query(box.value))
                found.text = answer.read_as

            box.on("keydown.enter", search)
