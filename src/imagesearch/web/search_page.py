"""The search page: one box, how its sentence was read, and the photos found."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request
from nicegui import Client, background_tasks, ui

from imagesearch.web import downloads, query_upload
from imagesearch.web.filter_data import FilterOffers
from imagesearch.web.frame import page_frame
from imagesearch.web.search_view import SearchView
from imagesearch.web.session import PhotoSession

_SECONDS_TO_WAIT = 1.0  # for the first answer; after that, the page is sent without it


def register(session: PhotoSession, app: FastAPI) -> None:
    """Register the page, and the addresses that it uses."""
    uploads = query_upload.register(app, session)
    offers = FilterOffers(session)
    downloads.register(app, session)

    @ui.page("/")
    async def show_search(request: Request, client: Client) -> None:
        with page_frame("Search", heading="Search"):
            for styles in ("people", "search"):
                ui.add_head_html(f'<link rel="stylesheet" href="/static/{styles}.css">', shared=False)
            view = SearchView(session, uploads, offers)
        client.on_delete(view.close)
        first = background_tasks.create(view.open_address(request.url.query))
        await asyncio.wait([first], timeout=_SECONDS_TO_WAIT)
        offers.read_ahead()
