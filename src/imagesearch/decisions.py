"""What the user decided about faces: a file that only grows, and what it means for the faces of today.

A decision remembers the faces it was made on by photo and place in the photo, so that it outlives every
clustering, a re-detection, another model, and a photo that has moved. Replayed in order, the decisions give
groups of faces that belong together (some of them named) and pairs of groups that never do.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.detection import Faces
from imagesearch.errors import UserError
from imagesearch.photos import photo_id
from imagesearch.tables import make_folder
from imagesearch.words import fold

# Two detections of one face, by another model or in a photo that was cropped, overlap at least so much.
_SAME_FACE = 0.4

_KNOWN = ("name", "deny", "merge", "split", "rename", "forget")

Anchor = tuple[str, str, tuple[float, float, float, float]]
"""A face's photo, by path and content, and its box as fractions of the photo's width and height."""


@dataclass(frozen=True)
class Decision:
    """One thing the user decided.

    Attributes
    ----------
    do : str
        ``name`` (these faces are this person), ``deny`` (they are not), ``merge`` (all of them are one
        person), ``split`` (each list is another person), ``rename`` or ``forget``.
    faces : tuple of tuple of Anchor
        One list, for a split and a merge several.
    name, to : str
        Of the person; ``to`` is the new name.
    seen : bool
        Whether each face was looked at, or only the cluster they were in.
    """

    do: str
    faces: tuple[tuple[Anchor, ...], ...] = ()
    name: str = ""
    to: str = ""
    seen: bool = False
    at: str = ""

    def to_json(self) -> str:
        """Return the line that is kept."""
        values = {"at": self.at, "do": self.do, "name": self.name, "to": self.to, "seen": self.seen}
        return json.dumps({k: v for k, v in values.items() if v} | {"faces": self.faces}, ensure_ascii=False)


@dataclass
class Links:
    """What the decisions mean for some faces.

    Attributes
    ----------
    group : (n,) int64
        Faces of one group belong together; -1 is a face about which nothing was decided.
    seen : (n,) bool
        Whether the user looked at the face itself.
    names : dict
        Name by group, for those that have one.
    apart : set
        Pairs of groups that are different people.
    """

    group: np.ndarray
    seen: np.ndarray
    names: dict[int, str] = field(default_factory=dict)
    apart: set[tuple[int, int]] = field(default_factory=set)


class Journal:
    """The file of decisions.

    Parameters
    ----------
    file
        One JSON object a line; need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> list[Decision]:
        """Return all decisions, the oldest first.

        Raises
        ------
        UserError
            If a line cannot be read, other than a last one that a kill has cut short.
        """
        try:
            content = self.file.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"{self.file}: cannot be read ({error})") from None
        # decoded line by line: the unfinished one may end within a character
        *lines, _unfinished = content.split(b"\n")
        return [self._decision(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def append(self, decision: Decision) -> None:
        """Add a decision; it is on the disk when this returns."""
        make_folder(self.file.parent)
        with self.file.open("ab+") as stream:
            if stream.tell() and not self._ends_a_line(stream):
                stream.truncate(self._last_line_end(stream))
            stream.write(decision.to_json().encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    @staticmethod
    def _ends_a_line(stream: Any) -> bool:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"

    @staticmethod
    def _last_line_end(stream: Any) -> int:
        stream.seek(0)
        return stream.read().rfind(b"\n") + 1

    def _decision(self, number: int, line: bytes) -> Decision:
        try:
            values = json.loads(line)
            faces = tuple(tuple((str(p), str(c), _box(b)) for p, c, b in one) for one in values["faces"])
            rest = {key: str(values[key]) for key in ("do", "name", "to", "at") if key in values}
            decision = Decision(faces=faces, seen=bool(values.get("seen")), **rest)
            if decision.do not in _KNOWN:
                raise ValueError(f"{decision.do!r} is no decision that this version knows")
            return decision
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.file}: line {number} cannot be read ({error}); mend or remove it"
            ) from None


def _box(values: Iterable[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, values)
    return left, top, right, bottom


# --- faces, found again ------------------------------------------------------------------------------------


class Finder:
    """Finds today's faces by yesterday's anchors, and makes anchors of today's."""

    def __init__(self, faces: Faces) -> None:
        self.faces = faces
        starts = np.flatnonzero(np.diff(faces.photo_ids, prepend=-1))
        self._rows = {
            int(faces.photo_ids[start]): range(start, end)
            for start, end in itertools.pairwise([*starts.tolist(), len(faces)])
        }
        self._by_content: dict[str, int] = {}
        for photo in self._rows:
            self._by_content.setdefault(_short(faces.seen[photo].content), photo)
        sizes = [(faces.seen[photo].width, faces.seen[photo].height) for photo in faces.photo_ids.tolist()]
        self._boxes = faces.boxes / np.tile(np.asarray(sizes, np.float64).reshape(-1, 2), 2)

    def anchors(self, rows: Iterable[int]) -> tuple[Anchor, ...]:
        """Return what finds some faces again."""
        entries = ((row, self.faces.entry(row)) for row in rows)
        return tuple(
            (entry.path, _short(entry.content), tuple(np.round(self._boxes[row], 5).tolist()))
            for row, entry in entries
        )

    def rows(self, anchors: Iterable[Anchor]) -> list[int]:
        """Return the faces that are still there."""
        return [row for anchor in anchors if (row := self.row(anchor)) is not None]

    def row(self, anchor: Anchor) -> int | None:
        """Return a face, or None if it is not there: its photo is gone, or nothing is found at its place."""
        path, content, box = anchor
        photo = photo_id(path)
        if photo not in self._rows or _short(self.faces.seen[photo].content) != content:
            # moved, or else edited where it is
            photo = self._by_content.get(content, photo)
        rows = self._rows.get(photo)
        if rows is None:
            return None
        overlaps = [overlap(box, self._boxes[row].tolist()) for row in rows]
        best = int(np.argmax(overlaps))
        return rows[best] if overlaps[best] >= _SAME_FACE else None


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection of two boxes over their union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def _short(content: bytes) -> str:
    return content.hex()[:16]


# --- replay ------------------------------------------------------------------------------------------------


def replay(decisions: Iterable[Decision], faces: Faces) -> Links:
    """Return what some decisions, the oldest first, mean for the faces that are there.

    The newest decision about a face counts. Whoever names a cluster has seen some of its faces, and not each:
    when a later decision takes faces out of it, then of the others those that are nearer to what was taken
    out than to what is left are set free, to be clustered again. What was decided on single faces stays.
    """
    if not len(faces):
        return Links(np.empty(0, np.int64), np.empty(0, bool))
    return _Replay(faces).run(decisions)


class _Replay:
    def __init__(self, faces: Faces) -> None:
        self.vectors = faces.vectors
        self.find = Finder(faces)
        self.group = np.full(len(faces), -1, np.int64)
        self.seen = np.zeros(len(faces), bool)
        self.names: dict[int, str] = {}
        self.apart: set[frozenset[int]] = set()
        self.numbers = itertools.count()

    def run(self, decisions: Iterable[Decision]) -> Links:
        for decision in decisions:
            lists = [np.unique(np.asarray(self.find.rows(one), np.int64)) for one in decision.faces]
            getattr(self, f"_{decision.do}")(decision, lists)
        there = set(np.unique(self.group).tolist()) - {-1}
        named = sorted(there & set(self.names))
        pairs = {tuple(sorted(pair)) for pair in self.apart if pair <= there}
        return Links(
            self.group,
            self.seen,
            {group: self.names[group] for group in named},
            pairs | set(itertools.combinations(named, 2)),
        )

    def _name(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group = self._named(decision.name)
        if group is None:
            group = next(self.numbers)
            self.names[group] = decision.name
        for rows in lists:
            self._move(rows, group, decision.seen)

    def _deny(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group = self._named(decision.name)
        if group is None:
            return
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        taken = rows[self.group[rows] == group]
        left = np.setdiff1d(np.flatnonzero(self.group == group), taken)
        if len(taken) and len(left):
            self._release(left, taken)
        for row in rows.tolist():
            own = int(self.group[row])
            if own in self.names and own != group:
                continue  # it is somebody else already
            if own in (-1, group):
                own = next(self.numbers)
                self.group[row], self.seen[row] = own, True
            self.apart.add(frozenset((own, group)))

    def _merge(self, decision: Decision, lists: list[np.ndarray]) -> None:
        rows = np.concatenate(lists) if lists else np.empty(0, np.int64)
        groups = dict.fromkeys(self.group[rows].tolist())
        group = next((g for g in groups if g in self.names), next(self.numbers))
        for other in groups:
            if other not in (-1, group):
                self._join(other, group)
        self._move(rows, group, decision.seen)

    def _split(self, decision: Decision, lists: list[np.ndarray]) -> None:
        # the first part keeps the name, whether or not its photos are there today
        keeps = self._named(decision.name) if decision.name else None
        parts = []
        for position, rows in enumerate(lists):
            group = next(self.numbers)
            if position == 0 and keeps is not None:
                group = keeps
            else:
                self.seen[rows] = False
            self.group[rows] = group
            parts.append(group)
        self.apart |= {frozenset(pair) for pair in itertools.combinations(parts, 2)}

    def _rename(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group, other = self._named(decision.name), self._named(decision.to)
        if group is None:
            return
        if other is not None and other != group:
            self._join(group, other)
        else:
            self.names[group] = decision.to

    def _forget(self, decision: Decision, lists: list[np.ndarray]) -> None:
        group = self._named(decision.name)
        if group is None:
            return
        del self.names[group]
        if not any(group in pair for pair in self.apart):
            self.group[self.group == group] = -1
        # else whoever it is stays apart from whom it was parted

    # --- moving faces between groups -----------------------------------------------------------------------

    def _named(self, name: str) -> int | None:
        folded = fold(name)
        return next((group for group, known in self.names.items() if fold(known) == folded), None)

    def _move(self, rows: np.ndarray, group: int, seen: bool) -> None:
        for old in set(self.group[rows].tolist()) - {-1, group}:
            taken = rows[self.group[rows] == old]
            left = np.setdiff1d(np.flatnonzero(self.group == old), taken)
            if len(left) and seen:
                self._release(left, taken)
            elif not len(left) and not (seen and old in self.names):
                # not of a name that was wrong: who is not Maya may well be Noor
                self._join(old, group)
        newcomers = self.group[rows] != group
        self.seen[rows] = seen | (self.seen[rows] & ~newcomers)
        self.group[rows] = group

    def _join(self, old: int, group: int) -> None:
        """Let a group become part of another, with all that was said of it."""
        self.group[self.group == old] = group
        self.names.pop(old, None)
        moved = {frozenset(group if g == old else g for g in pair) for pair in self.apart}
        self.apart = {pair for pair in moved if len(pair) == 2}

    def _release(self, left: np.ndarray, taken: np.ndarray) -> None:
        """Set those free that are nearer to the faces taken out than to the ones that stay."""
        sure = left[self.seen[left]]
        stays = self.vectors[sure if len(sure) else left].mean(axis=0)
        goes = self.vectors[taken].mean(axis=0)
        unsure = left[~self.seen[left]]
        # cosine, not the inner product: the mean of few faces is longer than that of many
        nearer = self.vectors[unsure] @ (_unit(goes) - _unit(stays)) > 0
        self.group[unsure[nearer]] = -1


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
