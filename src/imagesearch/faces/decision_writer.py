"""Appends the edits of one decision to the edit log, in one write."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from imagesearch.decisions import Decision
from imagesearch.faces.edit_log import Edit, EditLog
from imagesearch.faces.outcomes import StoredEdit
from imagesearch.faces.references import FaceReference


class DecisionWriter:
    """Appends decisions to an edit log.

    Parameters
    ----------
    log
        The edit log.
    """

    def __init__(self, log: EditLog) -> None:
        self._log = log
        self._waiting: list[StoredEdit] | None = None  # inside `join`
        self.stored: list[StoredEdit] = []
        """What was stored, the oldest first."""

    def store(
        self, *edits: Edit, faces: Iterable[FaceReference], undone: Decision[Edit] | None = None
    ) -> None:
        """Append the edits of one decision, which is about some faces; inside `join`, at its end."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        decision = StoredEdit(tuple(replace(edit, at=now) for edit in edits), tuple(faces), undone)
        if self._waiting is not None:
            self._waiting.append(decision)
            return
        self._log.append(*decision.edits)
        self.stored.append(decision)

    def read_edits(self) -> list[Edit]:
        """Return the edits of the log, and those that are not appended yet."""
        waiting = (edit for decision in self._waiting or () for edit in decision.edits)
        return [*self._log.read(), *waiting]

    @contextmanager
    def join(self) -> Iterator[None]:
        """Append all that is stored inside the block as one decision; after an error, append nothing."""
        if self._waiting is not None:  # a block inside another one is part of it
            yield
            return
        self._waiting = []
        try:
            yield
            joined = self._waiting
        finally:
            self._waiting = None
        if joined:
            edits, faces = [edit for one in joined for edit in one.edits], [one.faces for one in joined]
            token = secrets.token_hex(4) if len(joined) > 1 else ""
            self.store(
                *(replace(edit, decision=token) for edit in edits),
                faces=dict.fromkeys(face for references in faces for face in references),
            )
