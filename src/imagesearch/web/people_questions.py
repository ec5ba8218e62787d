"""Pages below the people page: pairs that may be one person, the history, and who is left out."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from imagesearch.decisions import Decision
from imagesearch.errors import UserError
from imagesearch.faces import People, PeopleEditor, Side, Suggester, Suggestion, store_no, store_yes
from imagesearch.text_table import format_count
from imagesearch.web.decision_bar import DecisionBar
from imagesearch.web.people_page import draw_title, people_frame
from imagesearch.web.people_parts import RemedyLink
from imagesearch.web.people_view import get_face_address
from imagesearch.web.session import PhotoSession

_SECONDS_TO_LOAD = 120.0
_MAX_DECISIONS = 200
_MAX_SKIPPED = 500


def register(session: PhotoSession) -> None:
    """Register the pages."""

    @ui.page("/people/suggestions", response_timeout=_SECONDS_TO_LOAD)
    async def show_suggestions() -> None:
        with people_frame("Same person?"):
            await _SuggestionPage(session).build()

    @ui.page("/people/history", response_timeout=_SECONDS_TO_LOAD)
    async def show_history() -> None:
        with people_frame("History"):
            await _HistoryPage(session).build()

    @ui.page("/people/ignored", response_timeout=_SECONDS_TO_LOAD)
    async def show_ignored() -> None:
        with people_frame("Left out"):
            await _draw_ignored(session)


# --- the same person? --------------------------------------------------------------------------------------


class _SuggestionPage:
    """Questions whether two people are the same, one after the other."""

    def __init__(self, session: PhotoSession) -> None:
        self._desk, self._limit = session.people, session.library.config.faces.cluster_distance
        self._skipped: set[frozenset[int]] = set()
        self._shown: tuple[People, Suggestion] | None = None
        self._error = ""

    async def build(self) -> None:
        """Draw the page."""
        self._content = ui.element("div").classes("question-page")
        self._bar = DecisionBar(self._desk, self._refresh)
        ui.keyboard(self._press, ignore=["input", "textarea", "select"])
        await self._refresh()

    async def _refresh(self) -> None:
        try:
            self._shown, self._error = await self._desk.read(self._find), ""
        except UserError as error:
            self._shown, self._error = None, str(error)
        self._draw()

    def _find(self, editor: PeopleEditor) -> tuple[People, Suggestion] | None:
        """Return the first question that was not skipped, and the people that it is about."""
        suggester = Suggester(editor.people, self._limit)
        found = suggester.list_suggestions(len(self._skipped) + 1)
        suggestion = next((one for one in found if _get_key(one) not in self._skipped), None)
        return (editor.people, suggestion) if suggestion else None

    def _draw(self) -> None:
        self._content.clear()
        with self._content:
            ui.link("← People", "/people").classes("quiet-link")
            draw_title("The same person?")
            if self._shown is None:
                text = self._error or "No pair of people is uncertain."
                ui.label(text).classes("empty-note").props('role="status"')
                RemedyLink(text)
                return
            people, suggestion = self._shown
            ui.label(suggestion.reason).classes("person-counts")
            with ui.element("div").classes("sides"):
                _draw_side(people, suggestion.other)
                _draw_side(people, suggestion.one, is_rest=suggestion.is_joined)
            with ui.element("div").classes("answer-buttons"):
                for text, key, answer in (("Yes", "Y", "yes"), ("No", "N", "no"), ("Skip", "S", "skip")):
                    button = ui.element("button").props('type="button"').classes("button is-large")
                    with button:
                        ui.label(text)
                        ui.label(key).classes("key").props("aria-hidden=true")
                    button.on("click", lambda answer=answer: self._answer(answer))

    async def _press(self, event: Any) -> None:
        answer = {"y": "yes", "n": "no", "s": "skip"}.get(str(event.key).lower())
        modifiers = event.modifiers
        is_shortcut = modifiers.ctrl or modifiers.alt or modifiers.meta  # of the browser or the system
        if answer and event.action.keydown and not event.action.repeat and not is_shortcut:
            await self._answer(answer)

    async def _answer(self, answer: str) -> None:
        if self._shown is None:
            return
        people, suggestion = self._shown
        self._shown = None  # a second key press must not answer the next question
        if answer == "skip":
            self._skipped.add(_get_key(suggestion))
            await self._refresh()
            return

        def store(editor: PeopleEditor) -> None:
            if editor.people is not people:
                raise UserError("the people were changed by another program or page; look again")
            (store_yes if answer == "yes" else store_no)(editor, suggestion)

        await self._bar.decide(store)


def _get_key(suggestion: Suggestion) -> frozenset[int]:
    """Return what a skipped question is recognized by: the best face of each side."""
    return frozenset((int(suggestion.one.rows[0]), int(suggestion.other.rows[0])))


def _draw_side(people: People, side: Side, is_rest: bool = False) -> None:
    rows = side.rows[:8].tolist()
    title = f"the other faces of {side.label}" if is_rest else side.label
    with ui.element("section").classes("side"):
        ui.label(title).classes("side-title").props('dir="auto"')
        ui.label(format_count(len(side.rows), "face")).classes("person-counts")
        with ui.element("div").classes("side-faces"):
            for row in rows:
                image = ui.element("img").classes("side-face")
                image.props["src"] = get_face_address(people, row)
                image.props["alt"] = f"a face of {side.label}"


# --- the history -------------------------------------------------------------------------------------------


class _HistoryPage:
    """All decisions, the newest first, each with a button that undoes or restores it."""

    def __init__(self, session: PhotoSession) -> None:
        self._desk = session.people

    async def build(self) -> None:
        """Draw the page."""
        self._content = ui.element("div").classes("history-page")
        self._bar = DecisionBar(self._desk, self._refresh)
        await self._refresh()

    async def _refresh(self) -> None:
        error, decisions = "No decisions yet.", []
        try:
            decisions = await self._desk.list_decisions()
        except UserError as failed:
            error = str(failed)
        self._content.clear()
        with self._content:
            ui.link("← People", "/people").classes("quiet-link")
            draw_title("History")
            if not decisions:
                ui.label(error).classes("empty-note")
                RemedyLink(error)
            with ui.element("ol").classes("history").props("reversed"):
                for decision in reversed(decisions[-_MAX_DECISIONS:]):
                    self._draw_decision(decision)

    def _draw_decision(self, decision: Decision[Any]) -> None:
        with ui.element("li").classes("history-row" + " is-undone" * bool(decision.undone_by)):
            ui.label(str(decision.number)).classes("history-number")
            ui.label(decision.at[:16].replace("T", " ")).classes("history-time")
            ui.label(decision.summary).classes("history-text").props('dir="auto"')
            if decision.undone_by:
                ui.label(f"undone by {decision.undone_by}").classes("history-time")
                self._add_button("Restore", decision.number, decision.undone_by)
            elif not decision.undoes:
                self._add_button("Undo", decision.number, decision.number)

    def _add_button(self, text: str, number: int, undone: int) -> None:
        """Add a button that undoes a decision, or its undo."""
        button = ui.element("button").props('type="button"').classes("quiet-button")
        button.props["aria-label"] = f"{text} decision {number}"
        with button:
            ui.label(text)
        button.on("click", lambda: self._bar.undo(undone))


# --- who is left out ---------------------------------------------------------------------------------------


async def _draw_ignored(session: PhotoSession) -> None:
    """List the ignored people, and what is not a face."""

    def read(editor: PeopleEditor) -> list[tuple[str, str, int, str]]:
        people = editor.people
        return [
            (f"/people/{one.number}", one.label, len(one.rows), get_face_address(people, int(one.rows[0])))
            for one in people.list_hidden()
        ]

    text, hidden = "Nobody is ignored, and each detection is a face.", []
    try:
        hidden = await session.people.read(read)
    except UserError as error:
        text = str(error)
    with ui.element("div").classes("history-page"):
        ui.link("← People", "/people").classes("quiet-link")
        draw_title("Left out")
        if not hidden:
            ui.label(text).classes("empty-note")
            RemedyLink(text)
        with ui.element("div").classes("ignored"):
            for href, label, count, face in hidden:
                with ui.link(target=href).classes("ignored-card"):
                    image = ui.element("img").classes("side-face").props("alt=''")
                    image.props["src"] = face
                    ui.label(label).props('dir="auto"')
                    ui.label(format_count(count, "face")).classes("person-counts")
