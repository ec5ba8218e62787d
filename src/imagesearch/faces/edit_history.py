"""The history of the user's edits: numbered decisions in plain words, and which of them are undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from imagesearch.errors import UserError
from imagesearch.faces.edit_log import Edit, list_names_in_use
from imagesearch.faces.undone_edits import find_edit, find_undone
from imagesearch.text import normalize
from imagesearch.text_table import format_count

_MAX_PEOPLE = 5  # named in a summary


@dataclass(frozen=True)
class Decision:
    """One decision of the user: one edit, or two if a person was renamed to a name that was in use.

    Attributes
    ----------
    number : int
        Its number in the history, from 1. It never changes.
    lines : tuple of int
        Indices of its edits in the log.
    edits : tuple of Edit
        Its edits.
    summary : str
        The decision in plain words.
    undone_by : int
        Number of the decision that undid it; 0 if it is in effect.
    undoes : int
        Number of the decision that it undoes; 0 if it is not an undo.
    """

    number: int
    lines: tuple[int, ...]
    edits: tuple[Edit, ...]
    summary: str
    undone_by: int = 0
    undoes: int = 0

    @property
    def at(self) -> str:
        """Time of the decision in ISO 8601."""
        return self.edits[0].at

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "number": self.number,
            "at": self.at,
            "action": self.edits[-1].action,
            "summary": self.summary,
            "undone_by": self.undone_by or None,
        }

    def __str__(self) -> str:
        mark = f" (undone by {self.undone_by})" if self.undone_by else ""
        return f"{self.number:>4}  {self.at[:16].replace('T', ' '):<16}  {self.summary}{mark}"


def list_decisions(edits: Sequence[Edit]) -> list[Decision]:
    """Return the decisions of a log, the oldest first."""
    groups = list(_group_edits(edits))
    numbers = {line: number for number, lines in enumerate(groups, 1) for line in lines}
    undone = find_undone(edits)
    decisions: list[Decision] = []
    for number, lines in enumerate(groups, 1):
        own, undoes = tuple(edits[line] for line in lines), 0
        if own[0].action == "undo":
            targets = [find_edit(edits[: lines[0]], reference) for reference in own[0].undoes]
            undoes = next((numbers[line] for line in targets if line is not None), 0)
        summary = _summarize_undo(decisions, undoes) if undoes else summarize_edits(own)
        undone_by = numbers[undone[lines[0]]] if lines[0] in undone else 0
        decisions.append(Decision(number, lines, own, summary, undone_by, undoes))
    return decisions


def find_decision_to_undo(decisions: Sequence[Decision], number: int | None = None) -> Decision:
    """Return the decision with a number, or the last one that is in effect and not an undo.

    Raises
    ------
    UserError
        If there is none, or it is undone already.
    """
    if number is None:
        last = next((d for d in reversed(decisions) if not d.undone_by and d.edits[0].action != "undo"), None)
        if last is None:
            raise UserError("--undo: no decision is left to undo; --history lists them")
        return last
    if not 1 <= number <= len(decisions):
        count = f"the last decision is {len(decisions)}" if decisions else "there are no decisions yet"
        raise UserError(f"--undo {number}: no such decision; {count}, see --history")
    decision = decisions[number - 1]
    if decision.undone_by:
        by = decision.undone_by
        raise UserError(f"--undo {number}: already undone by {by}; --undo {by} restores it")
    return decision


def summarize_edits(edits: Sequence[Edit]) -> str:
    """Return the edits of one decision in plain words."""
    first, count = edits[0], sum(map(len, edits[0].faces))
    who = describe_selected(first)
    faces = f" ({format_count(count, 'face')})" if count and first.who else ""
    verb = get_verb(who)
    match first.action:
        case "name":
            return f"{who} {verb} {first.name}{faces}"
        case "deny":
            return f"{who} {verb} not {first.name}{faces}"
        case "merge":
            return f"{who} {verb} one person{faces}"
        case "differ":
            return f"{who} are not the same person{faces}"
        case "split":
            sizes = _join_words([str(len(part)) for part in first.faces])
            return f"{first.name or who} split into {len(first.faces)} people ({sizes} faces)"
        case "rename" if len(edits) > 1:
            return f"{first.name} and {first.new_name} are one person, {first.new_name}"
        case "rename":
            return f"{first.name} renamed to {first.new_name}"
        case "forget":
            return f"name {first.name} removed"
        case "reject":
            return f"{who} {verb} not {'a face' if verb == 'is' else 'faces'}"
        case "ignore":
            return f"{who} ignored{faces}"
        case "restore":
            return f"{who} brought back{faces}"
        case "present":
            return f"{first.name} is on {describe_photos(first)}, without a face"
        case "absent":
            return f"{first.name} is not on {describe_photos(first)}"
        case "undo":
            return "undid an edit that is no longer in the file"
        case _:
            return " ".join(filter(None, (first.action, who, first.name)))


def _summarize_undo(decisions: Sequence[Decision], undoes: int) -> str:
    """Return what the undo of a decision did: the undo of an undo restores a decision."""
    is_restored = False
    while decisions[undoes - 1].undoes:
        undoes, is_restored = decisions[undoes - 1].undoes, not is_restored
    return f"{'restored' if is_restored else 'undid'} {undoes}: {decisions[undoes - 1].summary}"


def describe_selected(edit: Edit) -> str:
    """Return what the user selected for an edit: ``3``, ``Maya``, ``3.2,3.4``, or the number of faces."""
    if edit.who:
        labels = [label.removeprefix("person ") for label in edit.who]
        hidden = len(labels) - _MAX_PEOPLE
        if hidden > 0:
            labels = [*labels[:_MAX_PEOPLE], f"{hidden} more"]
        return _join_words(labels)
    references = [reference for faces in edit.faces for reference in faces]
    if len(references) == 1:
        return f"the face in {references[0][0]}"
    if len(edit.faces) > 1:
        sizes = _join_words([str(len(faces)) for faces in edit.faces])
        return f"{len(edit.faces)} people ({sizes} faces)" if edit.action != "split" else "a person"
    return format_count(len(references), "face") if references else edit.name


def describe_photos(edit: Edit) -> str:
    """Return the photos that an edit marks: a path, or their number."""
    if edit.who:  # the photo may have been moved since it was marked
        return edit.who[0]
    return edit.photos[0][0] if len(edit.photos) == 1 else format_count(len(edit.photos), "photo")


def get_verb(subject: str) -> str:
    """Return ``are`` if a subject of a sentence is several people or faces, else ``is``."""
    return (
        "are"
        if "," in subject or " and " in subject or subject.endswith((" faces", " people", "faces)"))
        else "is"
    )


def _join_words(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _group_edits(edits: Sequence[Edit]) -> Iterator[tuple[int, ...]]:
    """Return the indices of the edits of each decision."""
    index = 0
    while index < len(edits):
        size = 2 if _is_pair(edits, index) else 1
        yield tuple(range(index, index + size))
        index += size


def _is_pair(edits: Sequence[Edit], index: int) -> bool:
    """Whether an edit and the next one are one decision: a rename to a name in use joins two people."""
    rename, *rest = edits[index : index + 2]
    if rename.action != "rename" or not rest or rest[0].action != "name" or rest[0].confirmed:
        return False
    if rename.who != rest[0].who:
        return False  # the renamed name was on photos only, or another person was named next
    given = normalize(rename.new_name)
    return normalize(rest[0].name) == given and given in list_names_in_use(edits[:index])
