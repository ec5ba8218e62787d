"""Decisions about people: each is stored and applied at once, and then written to the collections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from nicegui import background_tasks

from imagesearch.decisions import Decision
from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor, open_edit_log
from imagesearch.files import get_file_version
from imagesearch.library import PhotoLibrary
from imagesearch.pipeline import Dataset
from imagesearch.workflow import History

T = TypeVar("T")
Run = Callable[[Callable[[PhotoLibrary], Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Outcome:
    """What a decision did.

    Attributes
    ----------
    lines : tuple of str
        In plain words, one line each; also what changed nothing.
    decision : int
        The number of the decision in the history, which can be undone; 0 if nothing was stored.
    """

    lines: tuple[str, ...]
    decision: int = 0


class PeopleDesk:
    """The people of a library, as the pages read and change them.

    All work is done in the thread of the library. Decisions are stored by `PeopleEditor`, as script 03 does,
    and the names in the collections are updated after them, so that the next search finds them.

    Parameters
    ----------
    run
        Runs a function in the thread of the library; see `PhotoSession.run`.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._editor: PeopleEditor | None = None
        self._history: History | None = None
        self._versions: tuple[Any, ...] = ()
        self._is_built, self._is_building = True, False
        self.failure = ""
        """Why the collections could not be updated after the last decision; empty if they were."""

    async def read(self, view: Callable[[PeopleEditor], T]) -> T:
        """Return what a function reads of the people.

        Raises
        ------
        UserError
            If no faces are clustered yet.
        """
        return await self._run(lambda library: view(self._open(library)))

    async def decide(self, work: Callable[[PeopleEditor], object]) -> Outcome:
        """Store and apply a decision, and start to update the collections.

        Raises
        ------
        UserError
            If the decision is refused.
        """
        outcome: Outcome = await self._run(lambda library: self._apply(library, work))
        if outcome.decision:
            self._is_built = False
            if not self._is_building:
                self._is_building = True
                background_tasks.create(self._build(), name="update names")
        return outcome

    async def undo(self, number: int) -> Outcome:
        """Undo the decision with a number in the history; an undo can be undone too.

        Raises
        ------
        UserError
            If there is no such decision, or it is undone already.
        """
        return await self.decide(lambda editor: self._undo(editor, number))

    async def list_decisions(self) -> list[Decision[Any]]:
        """Return all decisions about people and trips, the oldest first."""
        return await self.read(lambda editor: self._list_decisions())

    def _open(self, library: PhotoLibrary) -> PeopleEditor:
        """Return the editor; a new one if another program has changed the people or their faces."""
        library.dataset.refuse_imported()
        versions = _read_versions(library.dataset)
        if self._editor is None or versions != self._versions:
            dataset = Dataset(library.config)  # with a list of the photos as they are now
            self._history = History(dataset)
            self._editor = PeopleEditor(library.config, dataset, self._history.locate_trip_lines)
            if self._editor.stale:
                self._editor.refresh()
                versions = _read_versions(library.dataset)
            self._versions = versions
        return self._editor

    def _apply(self, library: PhotoLibrary, work: Callable[[PeopleEditor], object]) -> Outcome:
        editor = self._open(library)
        editor.notes.clear()
        editor.stored.clear()
        count = len(self._list_decisions())
        stored = editor.stored
        try:
            work(editor)
            editor.refresh()
        except BaseException:
            self._editor = None  # what was stored before the error is read again
            raise
        self._versions = _read_versions(library.dataset)
        lines = (*editor.notes, *editor.describe_stored(stored))
        new = self._list_decisions()[count:]
        if stored:  # script 03 may have stored another decision meanwhile
            new = [decision for decision in new if decision.edits == stored[-1].edits]
        return Outcome(lines, new[-1].number if new else 0)

    def _list_decisions(self) -> list[Decision[Any]]:
        return self._history.list_decisions() if self._history else []

    def _undo(self, editor: PeopleEditor, number: int) -> None:
        if self._history and (line := self._history.undo(number, editor)):
            editor.notes.append(line)  # it was the name of a trip

    async def _build(self) -> None:
        """Update the collections until they have all decisions."""
        try:
            while not self._is_built:
                self._is_built = True
                await self._run(PhotoLibrary.update_names)
                self.failure = ""
        except UserError as error:
            self.failure = str(error)
        finally:
            self._is_building = False


def _read_versions(dataset: Dataset) -> tuple[Any, ...]:
    """Return what changes when a program edits people, clusters faces or detects new ones."""
    files = (open_edit_log(dataset).file, dataset.folder / "clusters.parquet")
    return (*map(get_file_version, files), dataset.open_table("faces").list_versions())
