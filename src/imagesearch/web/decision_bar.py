"""The bar at the bottom of a page: what a decision about people did, with a button that undoes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor
from imagesearch.web.people_desk import Outcome, PeopleDesk

_MAX_LINES = 3


class DecisionBar:
    """Stores decisions, and shows what each did.

    Parameters
    ----------
    desk
        Stores the decisions.
    on_change
        Is called after each decision, to show the people as they are now.
    """

    def __init__(self, desk: PeopleDesk, on_change: Callable[[], Awaitable[None]]) -> None:
        self._desk, self._on_change = desk, on_change
        self._decision = 0
        with ui.element("div").classes("decision-bar").props('role="status" aria-live="polite"') as self._bar:
            self._lines = ui.element("div").classes("decision-lines")
            with ui.element("div").classes("decision-buttons"):
                self._undo = ui.element("button").classes("button").props('type="button"')
                with self._undo:
                    ui.label("Undo")
                ui.link("History", "/people/history").classes("quiet-link")
                close = ui.element("button").classes("quiet-button").props('type="button" aria-label="Close"')
                with close:
                    ui.label("\N{MULTIPLICATION SIGN}")
        self._bar.set_visibility(False)
        self._undo.on("click", self._undo_shown)
        close.on("click", lambda: self._bar.set_visibility(False))

    async def decide(self, work: Callable[[PeopleEditor], object]) -> bool:
        """Store a decision and show what it did, or why it is refused; return whether it was stored."""
        return await self._wait_for(self._desk.decide(work))

    async def _wait_for(self, decided: Awaitable[Outcome]) -> bool:
        try:
            outcome = await decided
        except UserError as error:
            self.show_error(str(error))
            await self._on_change()
            return False
        self._decision = outcome.decision
        self._show(outcome.lines, is_error=False)
        await self._on_change()
        return True

    async def undo(self, number: int) -> None:
        """Undo a decision by its number in the history. An undo is a decision too, and can be undone."""
        await self._wait_for(self._desk.undo(number))

    async def _undo_shown(self) -> None:
        if self._decision:
            await self.undo(self._decision)

    def show_error(self, text: str) -> None:
        """Show one line in place of a decision."""
        self._decision = 0
        self._show((text,), is_error=True)

    def _show(self, lines: tuple[str, ...], is_error: bool) -> None:
        self._lines.clear()
        with self._lines:
            for line in lines[:_MAX_LINES] or ("nothing was changed",):
                ui.label(line).classes("decision-line").props('dir="auto"')
        self._bar.classes(add="is-error" if is_error else "", remove="" if is_error else "is-error")
        self._undo.set_visibility(bool(self._decision))
        self._bar.set_visibility(True)
