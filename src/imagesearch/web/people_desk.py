"""Decisions about people: each is stored and applied at once, and then written to the collections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from nicegui import background_tasks

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor, open_edit_log
from imagesearch.files import get_file_version
from imagesearch.library import PhotoLibrary
from imagesearch.pipeline import Dataset

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

    def _open(self, library: PhotoLibrary) -> PeopleEditor:
        """Return the editor; a new one if another program has changed the people or their faces."""
        library.dataset.refuse_imported()
        versions = _read_versions(library.dataset)
        if self._editor is None or versions != self._versions:
            # with a list of the photos as they are now
            self._editor = PeopleEditor(library.config, Dataset(library.config))
            if self._editor.stale:
                self._editor.refresh()
                versions = _read_versions(library.dataset)
            self._versions = versions
        return self._editor

    def _apply(self, library: PhotoLibrary, work: Callable[[PeopleEditor], object]) -> Outcome:
        editor = self._open(library)
        editor.notes.clear()
        editor.stored.clear()
        try:
            work(editor)
            editor.refresh()
        except BaseException:
            self._editor = None  # what was stored before the error is read again
            raise
        self._versions = _read_versions(library.dataset)
        lines = (*editor.notes, *editor.describe_stored(editor.stored))
        return Outcome(lines, editor.list_decisions()[-1].number if editor.stored else 0)

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
