"""The history of decisions about people and trips: ``--history`` and ``--undo`` of step 03."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagesearch.cli.console import print_json, print_note
from imagesearch.errors import UserError

if TYPE_CHECKING:
    from imagesearch.faces import People, PeopleEditor
    from imagesearch.workflow import History


def parse_undo_numbers(texts: Sequence[str] | None) -> list[int | None]:
    """Return the numbers of the decisions to undo, the newest first; None is the last decision."""
    if texts is None:
        return []
    wrong = next((text for text in texts if not text.isdecimal()), None)
    if wrong is not None:
        raise UserError(f"--undo {wrong}: expected the number of a decision, see --history")
    return [*sorted({int(text) for text in texts}, reverse=True)] or [None]


def undo_decisions(
    history: History, numbers: Sequence[int | None], editor: PeopleEditor | None = None
) -> None:
    """Undo decisions by their numbers in the history, and print what that did."""
    for number in numbers:
        print_note(history.undo(number, editor))


def print_history(history: History, people: People | None = None) -> None:
    """Print all decisions, the oldest first; with people, one JSON object of both."""
    decisions = history.list_decisions()
    if people is not None:
        print_json(people.to_dict() | {"history": [decision.to_dict() for decision in decisions]})
        return
    for decision in decisions:
        print(decision)
    if not decisions:
        print("no decisions yet")
