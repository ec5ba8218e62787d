"""The people page: a card for each person, with a field for the name. One card can be dragged on another."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from imagesearch.errors import UserError
from imagesearch.faces import MarkedName, PeopleEditor, Person, merge_as
from imagesearch.text import normalize
from imagesearch.text_table import format_count
from imagesearch.web.decision_bar import DecisionBar
from imagesearch.web.frame import page_frame
from imagesearch.web.naming import ask, confirm_name
from imagesearch.web.people_parts import PeopleSheet, RemedyLink
from imagesearch.web.people_view import list_names, make_card, make_marked_card, select_card
from imagesearch.web.session import PhotoSession

_CARDS = 60  # at first, and for each use of the button for more
_SECONDS_TO_LOAD = 120.0  # the faces of large datasets


def register(session: PhotoSession) -> None:
    """Register the page."""

    @ui.page("/people", response_timeout=_SECONDS_TO_LOAD)
    async def show_people(find: str = "", seen: str = "") -> None:
        with people_frame("People", heading="People"):
            page = _PeoplePage(session, find, shows_all=seen == "once")
            await page.build()


def people_frame(title: str, *, heading: str = "") -> Any:
    """Return the frame of a page about people, with its styles."""
    ui.add_head_html('<link rel="stylesheet" href="/static/people.css">', shared=False)
    return page_frame(title, "People", heading=heading)


def draw_title(text: str) -> None:
    """Draw the main heading of a page."""
    ui.label(text).classes("person-title").props('role="heading" aria-level="1" dir="auto"')


class _PeoplePage:
    """The people that one browser sees."""

    def __init__(self, session: PhotoSession, find: str, shows_all: bool) -> None:
        self._desk = session.people
        self._find, self._shows_all, self._count = find, shows_all, _CARDS

    async def build(self) -> None:
        """Draw the page."""
        with ui.element("div").classes("people-page"):
            with ui.element("div").classes("people-head"):
                self._summary = ui.label().classes("people-summary")
                self._remedy = ui.element("div")
                with ui.element("nav").classes("people-links").props('aria-label="people"'):
                    ui.link("Same person?", "/people/suggestions").classes("quiet-link")
                    ui.link("Left out", "/people/ignored").classes("quiet-link")
                    ui.link("History", "/people/history").classes("quiet-link")
            self._sheet = PeopleSheet([], [], 0)
            self._sheet._props["find"], self._sheet._props["shows-all"] = self._find, self._shows_all
        self._bar = DecisionBar(self._desk, self.refresh)
        self._sheet.on("rename", self._rename)
        self._sheet.on("merge", self._merge)
        self._sheet.on("filter", self._filter)
        self._sheet.on("more", self._show_more)
        await self.refresh()

    async def refresh(self) -> None:
        """Show the people as they are now."""
        self._remedy.clear()
        try:
            cards, names, rest, summary = await self._desk.read(self._read)
        except UserError as error:
            self._summary.text = str(error)
            with self._remedy:
                RemedyLink(str(error))
            return
        self._summary.text = " · ".join(filter(None, (summary, self._desk.failure)))
        self._sheet.show(cards, names, rest)

    def _read(self, editor: PeopleEditor) -> tuple[list[dict[str, Any]], list[str], int, str]:
        people, wanted = editor.people, normalize(self._find)
        marked = [one for one in people.list_marked_only() if one.photos]
        found: list[tuple[int, Person | MarkedName]] = [
            *((len(person.rows), person) for person in people.persons if self._is_shown(person, wanted)),
            *((len(one.photos), one) for one in marked if wanted in normalize(one.name)),
        ]
        found.sort(key=lambda pair: -pair[0])
        cards = [
            make_card(people, one) if isinstance(one, Person) else make_marked_card(one)
            for _, one in found[: self._count]
        ]
        named = sum(bool(person.name) for person in people.persons)
        summary = f"{format_count(len(people.persons), 'person', 'people')}, {named} with a name"
        if marked:
            summary += f"; {format_count(len(marked), 'name')} on photos without a face"
        return cards, list_names(editor), len(found) - len(cards), summary

    def _is_shown(self, person: Person, wanted: str) -> bool:
        if wanted:
            return wanted in normalize(person.label)
        return bool(person.name) or len(person.rows) > 1 or self._shows_all

    async def _filter(self, event: GenericEventArguments) -> None:
        self._find, self._shows_all = str(event.args["find"]), bool(event.args["all"])
        self._count = _CARDS
        await self.refresh()

    async def _show_more(self) -> None:
        self._count += _CARDS
        await self.refresh()

    async def _rename(self, event: GenericEventArguments) -> None:
        shown, typed = event.args["shown"], str(event.args["name"])
        try:
            _, replaced = await self._desk.read(lambda editor: select_card(editor.people, shown))
            name = await confirm_name(self._desk, typed, replaced)
        except UserError as error:
            self._bar.show_error(str(error))
            await self.refresh()
            return
        if name is None:
            await self.refresh()
            return

        def store(editor: PeopleEditor) -> None:
            selector, _ = select_card(editor.people, shown)
            editor.name_person(selector, name.check(editor))

        await self._bar.decide(store)

    async def _merge(self, event: GenericEventArguments) -> None:
        def find(editor: PeopleEditor) -> list[tuple[str, str]]:
            return [select_card(editor.people, shown) for shown in event.args["cards"]]

        try:
            names = sorted({name for _, name in await self._desk.read(find) if name})
        except UserError as error:
            self._bar.show_error(str(error))
            await self.refresh()
            return
        name = names[0] if names else ""
        if len(names) > 1:
            name = await ask("They have different names. Which name is right?", names) or ""
            if not name:
                return

        def store(editor: PeopleEditor) -> None:
            merge_as(editor, [selector for selector, _ in find(editor)], name)

        await self._bar.decide(store)
