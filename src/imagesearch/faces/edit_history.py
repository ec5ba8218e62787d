"""The history of the user's edits of people: numbered decisions in plain words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from imagesearch.decisions import Decision, make_decisions
from imagesearch.faces.edit_log import Edit, list_names_in_use
from imagesearch.text import normalize
from imagesearch.text_table import format_count

_MAX_PEOPLE = 5  # named in a summary


def list_decisions(edits: Sequence[Edit], others: Sequence[int] = ()) -> list[Decision[Edit]]:
    """Return the decisions of a log, the oldest first.

    Parameters
    ----------
    edits
        All edits of the log.
    others
        For each decision that is not in this log, but numbered together with it, the number of edits before
        it, in ascending order.
    """
    groups = enumerate(_group_edits(edits), 1)
    numbered = {number + bisect_right(others, lines[0]): lines for number, lines in groups}
    return make_decisions(edits, numbered, summarize_edits, "people")


def list_first_lines(edits: Sequence[Edit]) -> list[int]:
    """Return the index of the first edit of each decision."""
    return [lines[0] for lines in _group_edits(edits)]


def summarize_edits(edits: Sequence[Edit]) -> str:
    """Return the edits of one decision in plain words."""
    return _summarize_joined(edits) if edits[0].decision else _summarize(edits)


def _summarize(edits: Sequence[Edit]) -> str:
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


def _summarize_joined(edits: Sequence[Edit]) -> str:
    """Return several edits that were stored as one decision in plain words."""
    who = describe_joined(edits)
    if edits[0].action == "restore":
        return f"{who} {get_verb(who)} brought back"
    name = next((edit.new_name or edit.name for edit in edits if edit.new_name or edit.name), "")
    return f"{who} are one person" + (f", {name}" if name else "")


def describe_joined(edits: Sequence[Edit]) -> str:
    """Return what the user selected for several edits that are one decision, each person or face once."""
    words = [edit.name if edit.action == "rename" else who for edit in edits for who in edit.who]
    if edits[0].action != "restore":  # joined under the name of one of them
        words += [edit.new_name or edit.name for edit in edits]
    return _list_words(list(dict.fromkeys(filter(None, words))))


def describe_selected(edit: Edit) -> str:
    """Return what the user selected for an edit: ``3``, ``Maya``, ``3.2,3.4``, or the number of faces."""
    if edit.who:
        return _list_words(edit.who)
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


def _list_words(labels: Sequence[str]) -> str:
    """Return labels of people and faces, the first ones of many."""
    words = [label.removeprefix("person ") for label in labels]
    hidden = len(words) - _MAX_PEOPLE
    return _join_words([*words[:_MAX_PEOPLE], f"{hidden} more"] if hidden > 0 else words)


def _join_words(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _group_edits(edits: Sequence[Edit]) -> Iterator[tuple[int, ...]]:
    """Return the indices of the edits of each decision."""
    index = 0
    while index < len(edits):
        end = index + (2 if _is_pair(edits, index) else 1)
        while edits[index].decision and end < len(edits) and edits[end].decision == edits[index].decision:
            end += 1
        yield tuple(range(index, end))
        index = end


def _is_pair(edits: Sequence[Edit], index: int) -> bool:
    """Whether an edit and the next one are one decision: a rename to a name in use joins two people."""
    rename, *rest = edits[index : index + 2]
    if rename.action != "rename" or not rest or rest[0].action != "name" or rest[0].confirmed:
        return False
    if rename.decision or rest[0].decision:
        return False  # the file says which edits are one decision
    if rename.who != rest[0].who:
        return False  # the renamed name was on photos only, or another person was named next
    given = normalize(rename.new_name)
    return normalize(rest[0].name) == given and given in list_names_in_use(edits[:index])
