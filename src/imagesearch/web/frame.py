"""What is around the content of each page: the title, the links to the other pages, dark and light."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from imagesearch.web.access import HAS_PASSWORD

PAGES = {
    "Search": "/",
    "People": "/people",
    "Map": "/map",
    "Timeline": "/timeline",
    "Collection": "/collection",
}


@contextmanager
def page_frame(title: str, section: str = "", *, heading: str = "") -> Iterator[None]:
    """Draw the header of a page; the content of the ``with`` statement follows below it.

    Parameters
    ----------
    title
        The title of the page.
    section
        The entry of `PAGES` that is marked as current; by default the title.
    heading
        A main heading that is not shown, for screen readers, where the content has none.
    """
    ui.page_title(f"{title} - Photos" if title else "Photos")
    ui.add_head_html('<link rel="stylesheet" href="/static/style.css">', shared=False)
    with (
        ui.header().classes("page-header"),
        ui.element("nav").props('aria-label="pages"').classes("page-nav"),
    ):
        for name, address in PAGES.items():
            link = ui.link(name, address).classes("page-link")
            if name == (section or title):
                link.props('aria-current="page"')
        if ui.context.client.request.scope.get(HAS_PASSWORD):
            with ui.element("form").props("method=post action=/logout").classes("page-logout"):
                TextElement(tag="button", text="Log out").classes("page-link")
    with ui.element("div").classes("page-content"):
        if heading:
            TextElement(tag="h1", text=heading).classes("visually-hidden")
        yield
