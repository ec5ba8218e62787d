"""The user's decisions in append-only logs: which edits are undone, and the numbered history.

An undo is itself an edit, so nothing is removed from a log. It refers to other lines by number and digest.
An undo can be undone too; then its edits are in effect again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from imagesearch.errors import UserError, name_option

LineReference = tuple[int, str]
"""The number of an edit in the log, from 1, and its digest. The digest finds the edit if the user removed
lines above it by hand."""


class LoggedEdit(Protocol):
    """One line of a log. The ``action`` of an undo is ``undo``, and ``undoes`` has what it undoes."""

    @property
    def action(self) -> str: ...

    @property
    def at(self) -> str: ...

    @property
    def undoes(self) -> tuple[LineReference, ...]: ...

    def to_json(self) -> str: ...


EditT = TypeVar("EditT", bound=LoggedEdit)


# --- which edits are in effect ------------------------------------------------------------------------------


def refer_to_edits(edits: Sequence[LoggedEdit], indices: Iterable[int]) -> tuple[LineReference, ...]:
    """Return references to the edits at some indices."""
    return tuple((index + 1, _compute_digest(edits[index])) for index in indices)


def parse_references(values: Iterable[tuple[Any, Any]]) -> tuple[LineReference, ...]:
    """Return the references in a line of a log; `ValueError` or `TypeError` if they are none."""
    return tuple((int(line), str(digest)) for line, digest in values)


def find_undone(edits: Sequence[LoggedEdit]) -> dict[int, int]:
    """Find the edits that are not in effect.

    Parameters
    ----------
    edits
        All edits of a log, the oldest first.

    Returns
    -------
    undone : dict
        By the index of each edit that is undone, the index of the edit that undoes it.
    """
    undone: dict[int, int] = {}
    # from the newest to the oldest: an undo refers only to older edits, and by then it is known whether it
    # is undone itself
    for index in range(len(edits) - 1, -1, -1):
        if edits[index].action == "undo" and index not in undone:
            for reference in edits[index].undoes:
                target = find_edit(edits[:index], reference)
                if target is not None:
                    undone.setdefault(target, index)
    return undone


def list_effective(edits: Sequence[LoggedEdit]) -> list[int]:
    """Return the indices of the edits that are in effect, without the undos."""
    undone = find_undone(edits)
    return [index for index, edit in enumerate(edits) if index not in undone and edit.action != "undo"]


def find_edit(edits: Sequence[LoggedEdit], reference: LineReference) -> int | None:
    """Return the index of a referenced edit; None if it was removed from the file by hand."""
    number, digest = reference
    if 1 <= number <= len(edits) and _compute_digest(edits[number - 1]) == digest:
        return number - 1
    return next((i for i in range(len(edits) - 1, -1, -1) if _compute_digest(edits[i]) == digest), None)


def _compute_digest(edit: LoggedEdit) -> str:
    return hashlib.blake2b(edit.to_json().encode(), digest_size=8).hexdigest()


# --- the history --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision(Generic[EditT]):
    """One decision of the user: one edit, or two if a person was renamed to a name that was in use.

    Attributes
    ----------
    number : int
        Its number in the history, from 1. It never changes.
    lines : tuple of int
        Indices of its edits in the log.
    edits : tuple
        Its edits.
    summary : str
        The decision in plain words.
    undone_by : int
        Number of the decision that undid it; 0 if it is in effect.
    undoes : int
        Number of the decision that it undoes; 0 if it is not an undo.
    about : str
        What it is about: ``people`` or ``trip``.
    """

    number: int
    lines: tuple[int, ...]
    edits: tuple[EditT, ...]
    summary: str
    undone_by: int = 0
    undoes: int = 0
    about: str = "people"

    @property
    def at(self) -> str:
        """Time of the decision in ISO 8601."""
        return self.edits[0].at

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "number": self.number,
            "at": self.at,
            "about": self.about,
            "action": self.edits[-1].action,
            "summary": self.summary,
            "undone_by": self.undone_by or None,
        }

    def __str__(self) -> str:
        mark = f" (undone by {self.undone_by})" if self.undone_by else ""
        time = parse_time(self.at)
        shown = f"{time:%Y-%m-%d %H:%M}" if time else self.at[:16]
        return f"{self.number:>4}  {shown:<16}  {self.summary}{mark}"


def parse_time(text: str) -> datetime | None:
    """Return the time of an edit in the local time zone; None if the user changed it to something else."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def make_decisions(
    edits: Sequence[EditT],
    numbered: Mapping[int, Sequence[int]],
    summarize: Callable[[Sequence[EditT]], str],
    about: str,
) -> list[Decision[EditT]]:
    """Return the decisions of a log, the oldest first.

    Parameters
    ----------
    edits
        All edits of the log.
    numbered
        By the number of each decision, the indices of its edits, the oldest first.
    summarize
        Describes the edits of one decision in plain words.
    about
        What the log is about.
    """
    numbers = {line: number for number, lines in numbered.items() for line in lines}
    undone = find_undone(edits)
    decisions: dict[int, Decision[EditT]] = {}
    for number, lines in numbered.items():
        own, undoes = tuple(edits[line] for line in lines), 0
        if own[0].action == "undo":
            targets = [find_edit(edits[: lines[0]], reference) for reference in own[0].undoes]
            undoes = next((numbers[line] for line in targets if line is not None), 0)
        summary = _summarize_undo(decisions, undoes) if undoes else summarize(own)
        undone_by = numbers[undone[lines[0]]] if lines[0] in undone else 0
        decisions[number] = Decision(number, tuple(lines), own, summary, undone_by, undoes, about)
    return list(decisions.values())


def find_original(decisions: Sequence[Decision[EditT]], decision: Decision[EditT]) -> Decision[EditT]:
    """Return what a decision undoes or restores in the end; itself, if it is not an undo."""
    known = {one.number: one for one in decisions}
    while decision.undoes:
        decision = known[decision.undoes]
    return decision


def find_decision_to_undo(decisions: Sequence[Decision[EditT]], number: int | None = None) -> Decision[EditT]:
    """Return the decision with a number, or the last one that is in effect and not an undo.

    Raises
    ------
    UserError
        If there is none, or it is undone already.
    """
    if number is None:
        last = next((d for d in reversed(decisions) if not d.undone_by and d.edits[0].action != "undo"), None)
        if last is None:
            typed = name_option("--undo: no decision is left to undo; --history lists them", "")
            raise UserError(typed or "no decision is left to undo")
        return last
    decision = next((one for one in decisions if one.number == number), None)
    if decision is None:
        count = f"the last decision is {decisions[-1].number}" if decisions else "there are no decisions yet"
        typed = name_option(f"--undo {number}: no such decision; {count}, see --history", "")
        raise UserError(typed or f"decision {number}: there is none; {count}")
    if decision.undone_by:
        by = decision.undone_by
        typed = name_option(f"--undo {number}: already undone by {by}; --undo {by} restores it", "")
        raise UserError(typed or f"decision {number}: already undone by {by}")
    return decision


def _summarize_undo(decisions: Mapping[int, Decision[EditT]], undoes: int) -> str:
    """Return what the undo of a decision did: the undo of an undo restores a decision."""
    is_restored = False
    while decisions[undoes].undoes:
        undoes, is_restored = decisions[undoes].undoes, not is_restored
    return f"{'restored' if is_restored else 'undid'} {undoes}: {decisions[undoes].summary}"
