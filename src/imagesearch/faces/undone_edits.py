"""Which edits of a log are in effect: all but those that a later edit undoes.

An undo is itself an edit, so nothing is removed from the log. It refers to other lines by number and digest.
An undo can be undone too; then its edits are in effect again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagesearch.faces.edit_log import Edit

LineReference = tuple[int, str]
"""The number of an edit in the log, from 1, and its digest. The digest finds the edit if the user removed
lines above it by hand."""


def refer_to_edits(edits: Sequence[Edit], indices: Iterable[int]) -> tuple[LineReference, ...]:
    """Return references to the edits at some indices."""
    return tuple((index + 1, _compute_digest(edits[index])) for index in indices)


def find_undone(edits: Sequence[Edit]) -> dict[int, int]:
    """Find the edits that are not in effect.

    Parameters
    ----------
    edits
        All edits, the oldest first.

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


def list_effective(edits: Sequence[Edit]) -> list[int]:
    """Return the indices of the edits that are in effect, without the undos."""
    undone = find_undone(edits)
    return [index for index, edit in enumerate(edits) if index not in undone and edit.action != "undo"]


def find_edit(edits: Sequence[Edit], reference: LineReference) -> int | None:
    """Return the index of a referenced edit; None if it was removed from the file by hand."""
    number, digest = reference
    if 1 <= number <= len(edits) and _compute_digest(edits[number - 1]) == digest:
        return number - 1
    return next((i for i in range(len(edits) - 1, -1, -1) if _compute_digest(edits[i]) == digest), None)


def _compute_digest(edit: Edit) -> str:
    return hashlib.blake2b(edit.to_json().encode(), digest_size=8).hexdigest()
