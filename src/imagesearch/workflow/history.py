"""The history of all decisions: of people, and of the names of trips, numbered together by their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagesearch.decisions import Decision, find_decision_to_undo, find_original
from imagesearch.faces import Edit, PeopleEditor, list_decisions, list_first_lines, open_edit_log
from imagesearch.pipeline import Dataset
from imagesearch.store import undo_trip_name
from imagesearch.trips import list_trip_decisions, locate_trip_lines, read_trip_lines


class History:
    """All decisions of the user in a dataset.

    Parameters
    ----------
    dataset
        The dataset.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def list_decisions(self) -> list[Decision[Any]]:
        """Return all decisions, also those that are undone, the oldest first."""
        edits, lines = open_edit_log(self._dataset).read(), read_trip_lines(self._dataset.folder)
        places = self.locate_trip_lines(edits)
        trips: list[Decision[Any]] = [*list_trip_decisions(lines, places, list_first_lines(edits))]
        return sorted([*trips, *list_decisions(edits, places)], key=lambda decision: decision.number)

    def locate_trip_lines(self, edits: Sequence[Edit]) -> list[int]:
        """Return where the names of trips are among the edits of people, for `PeopleEditor`."""
        return locate_trip_lines(read_trip_lines(self._dataset.folder), [edit.at for edit in edits])

    def has_people_to_undo(self, numbers: Sequence[int | None]) -> bool:
        """Whether a decision with one of some numbers is about people; None is the last decision."""
        if not numbers:
            return False
        decisions = self.list_decisions()
        wanted = {find_decision_to_undo(decisions).number if n is None else n for n in numbers}
        return any(one.number in wanted and one.about == "people" for one in decisions)

    def undo(self, number: int | None, editor: PeopleEditor | None = None) -> str:
        """Undo the decision with a number, or the last one. An undo can be undone too.

        Parameters
        ----------
        number
            The number of the decision in the history; None for the last one in effect.
        editor
            Undoes a decision about people, and describes it. Not required for the name of a trip.

        Returns
        -------
        outcome : str
            What the undo of a trip's name did, in one line; empty for a decision about people.

        Raises
        ------
        UserError
            If there is no such decision, or it is undone already.
        """
        decisions = self.list_decisions()
        decision = find_decision_to_undo(decisions, number)
        if decision.about != "trip":
            if editor is None:
                raise ValueError("a decision about people requires an editor")
            editor.undo(decision.number)
            return ""
        original = find_original(decisions, decision)
        name = undo_trip_name(self._dataset, decision, original.edits[0].photos)
        is_undone = any(one.undone_by for one in self.list_decisions() if one.number == original.number)
        verb = "undid" if is_undone else "restored"
        return f"{verb} {original.number}: {original.summary}" + (f"; now {name}" if name else "")
