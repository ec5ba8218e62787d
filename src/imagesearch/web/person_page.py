"""The page of one person: all faces, to take away, rename or reject; split, forget and ignore the person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import GenericEventArguments

from imagesearch.errors import UserError
from imagesearch.faces import People, PeopleEditor, Person
from imagesearch.text_table import format_count
from imagesearch.web.decision_bar import DecisionBar
from imagesearch.web.naming import confirm_name
from imagesearch.web.people_page import draw_title, people_frame
from imagesearch.web.people_parts import FaceSheet, RemedyLink
from imagesearch.web.people_view import (
    check_person,
    deny_faces,
    describe_face_id,
    find_rows,
    get_face_address,
    identify_person,
    list_everybody,
    list_names,
    write_selector,
)
from imagesearch.web.session import PhotoSession

_SECONDS_TO_LOAD = 120.0
_MAX_FACES = 1000


def register(session: PhotoSession) -> None:
    """Register the page."""

    @ui.page("/people/{number:int}", response_timeout=_SECONDS_TO_LOAD)
    async def show_person(number: int) -> None:
        page = _PersonPage(session, number)
        person = await page.load()
        if person is None:
            ui.context.client.status_code = 404
        with people_frame(person["label"] if person else "Not found"):
            page.build()


class _PersonPage:
    """One person as one browser sees it."""

    def __init__(self, session: PhotoSession, number: int) -> None:
        self._desk, self._number = session.people, number
        self._error = ""
        self._person: dict[str, Any] | None = None

    async def load(self) -> dict[str, Any] | None:
        """Read the person; None if nobody has this number."""
        try:
            self._person = await self._desk.read(self._read)
            self._error = "" if self._person else f"Nobody has the number {self._number} any more."
        except UserError as error:
            self._person, self._error = None, str(error)
        return self._person

    def build(self) -> None:
        """Draw the page."""
        self._content = ui.element("div").classes("person-page")
        self._bar = DecisionBar(self._desk, self._refresh)
        self._draw()

    async def _refresh(self) -> None:
        await self.load()
        self._draw()

    def _draw(self) -> None:
        self._content.clear()
        with self._content:
            ui.link("← People", "/people").classes("quiet-link")
            if self._person is None:
                draw_title("Not found")
                ui.label(self._error).classes("empty-note").props('role="status"')
                RemedyLink(self._error)
                return
            self._draw_head(self._person)
            sheet = FaceSheet(
                self._person["faces"],
                self._person["names"],
                self._person["shown"],
                self._person["is_hidden"],
            )
        sheet.on("deny", self._deny)
        sheet.on("rename", self._rename_faces)
        sheet.on("reject", self._reject)
        sheet.on("restore", self._restore)

    def _draw_head(self, person: dict[str, Any]) -> None:
        with ui.element("div").classes("person-head"):
            ui.element("img").classes("person-portrait").props("alt=''").props["src"] = person["cover"]
            with ui.element("div"):
                draw_title(person["label"])
                ui.label(person["counts"]).classes("person-counts")
            with ui.element("div").classes("person-buttons"):
                if person["is_hidden"]:
                    if person["number"]:
                        self._add_button("Bring back", lambda editor: editor.bring_back(str(self._number)))
                    return
                query = {"person": person["name"]} if person["name"] else {"q": person["label"]}
                ui.link("Photos", f"/?{urlencode(query)}").classes("button")
                self._add_button("Split", lambda editor: editor.split(str(self._number)))
                if person["name"]:
                    self._add_button("Forget the name", lambda editor: editor.forget(str(self._number)))
                self._add_button("Ignore", lambda editor: editor.ignore(str(self._number)))

    def _add_button(self, text: str, work: Callable[[PeopleEditor], object]) -> None:
        shown = self._person
        button = ui.element("button").classes("button").props('type="button"')
        with button:
            ui.label(text)

        def store(editor: PeopleEditor) -> None:
            if shown:  # the number may be another person's since
                check_person(editor.people, shown["shown"])
            work(editor)

        async def decide() -> None:
            await self._bar.decide(store)

        button.on("click", decide)

    def _read(self, editor: PeopleEditor) -> dict[str, Any] | None:
        people = editor.people
        person = next((one for one in list_everybody(people) if one.number == self._number), None)
        return None if person is None else _describe_person(people, person) | {"names": list_names(editor)}

    async def _deny(self, event: GenericEventArguments) -> None:
        shown = event.args["shown"]

        def deny(editor: PeopleEditor, rows: list[int], who: str) -> None:
            deny_faces(editor, rows, shown)

        await self._decide_faces(event.args["faces"], deny)

    async def _reject(self, event: GenericEventArguments) -> None:
        await self._decide_faces(
            event.args["faces"], lambda editor, rows, who: editor.reject_faces(rows, who)
        )

    async def _restore(self, event: GenericEventArguments) -> None:
        await self._decide_faces(event.args["faces"], lambda editor, rows, who: editor.bring_back(who))

    async def _rename_faces(self, event: GenericEventArguments) -> None:
        try:
            name = await confirm_name(self._desk, str(event.args["name"]))
        except UserError as error:
            self._bar.show_error(str(error))
            return
        if name is not None:
            await self._decide_faces(
                event.args["faces"],
                lambda editor, rows, who: editor.name_faces(rows, name.check(editor), who),
            )

    async def _decide_faces(
        self, faces: list[str], work: Callable[[PeopleEditor, list[int], str], object]
    ) -> None:
        def store(editor: PeopleEditor) -> None:
            rows = find_rows(editor.people, faces)
            work(editor, rows, write_selector(editor.people, rows))

        await self._bar.decide(store)


def _describe_person(people: People, person: Person) -> dict[str, Any]:
    rows = person.rows[:_MAX_FACES].tolist()
    faces = []
    for row in rows:
        face = describe_face_id(people, row)
        path = people.faces.get_photo(row).path
        photo = f"/photos/{face.partition('/')[0]}"
        faces.append({"id": face, "src": get_face_address(people, row), "href": photo, "path": path})
    counts = [format_count(len(person.rows), "face"), format_count(people.count_photos(person), "photo")]
    number = [f"number {person.number}"] if person.name else []
    number += [f"the best {_MAX_FACES:,} faces are shown"] if len(person.rows) > _MAX_FACES else []
    return {
        "shown": identify_person(people, person),
        "number": person.number,
        "name": person.name,
        "label": person.label,
        "counts": " · ".join([*counts, *number]),
        "cover": get_face_address(people, rows[0]),
        "faces": faces,
        "is_hidden": people.is_hidden(person),
    }
