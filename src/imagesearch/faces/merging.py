"""Merges people with different names, also names that are on photos only."""

from __future__ import annotations

from collections.abc import Sequence

from imagesearch.faces.editor import PeopleEditor
from imagesearch.text import normalize


def merge_as(editor: PeopleEditor, selectors: Sequence[str], name: str) -> None:
    """Record, as one decision, that several people are one person.

    Parameters
    ----------
    editor
        Stores the decision.
    selectors
        The people, each as its number or its name.
    name
        Which of their names is right; not used if they have at most one.

    Raises
    ------
    UserError
        If one of the people does not exist, is ignored, or all are the same. Nothing is stored then.
    """
    names = {selector: editor.find_replaced_name(selector) for selector in selectors}
    with editor.join_edits():
        rest = []
        for selector, held in names.items():
            if held and normalize(held) != normalize(name):  # a rename to a name in use joins both
                editor.name_person(selector, name)
            else:
                rest.append(selector)
        if len(rest) > 1 or len(selectors) < 2:
            editor.merge(rest)
