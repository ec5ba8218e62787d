"""Stores the answer to a suggestion, yes or no, as a decision of the user that can be undone."""

from __future__ import annotations

from imagesearch.faces.editor import PeopleEditor
from imagesearch.faces.suggestions import Suggestion
from imagesearch.text_table import format_count

SHOWN_FACES = 8
"""Maximum number of faces of each side in the figure. The user has looked at each face of a smaller side."""


def store_yes(editor: PeopleEditor, suggestion: Suggestion) -> None:
    """Record that both sides are one person: a name for a few faces of a person with a name, else a merge."""
    one, other = suggestion.one, suggestion.other
    if one.name and len(other.rows) <= SHOWN_FACES:
        editor.name_faces(other.rows, one.name, who=other.label)
    else:
        editor.record("merge", (one.rows, other.rows), who=_name_sides(suggestion))


def store_no(editor: PeopleEditor, suggestion: Suggestion) -> None:
    """Record that both sides are not the same person, permanently."""
    one, other = suggestion.one, suggestion.other
    confirmed = suggestion.is_joined and len(other.rows) <= SHOWN_FACES
    if one.name:
        editor.record("deny", (other.rows,), name=one.name, confirmed=confirmed, who=(other.label,))
    else:
        editor.record("differ", (one.rows, other.rows), confirmed=confirmed, who=_name_sides(suggestion))


def _name_sides(suggestion: Suggestion) -> tuple[str, str]:
    """Return what the history calls both sides."""
    one, other = suggestion.one, suggestion.other
    if not suggestion.is_joined:
        return one.label, other.label
    return other.label, f"the other {format_count(len(one.rows), 'face')}"
