"""Joins pairs of photos to groups, and decides which photo of a group is the best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

DUPLICATE_KINDS = ("pixels", "shot", "burst")
"""From the strictest to the loosest: the same pixels, the same shot, and frames of one burst."""
KIND_TITLES = {"pixels": "same pixels", "shot": "same shot", "burst": "burst"}
_COPY_WORD = re.compile(
    r"(?<![^\W\d_])(copy|copies|duplicates?|kopien?|copie|copia)(?![^\W\d_])", re.IGNORECASE
)
_SHARPER = 1.15  # a smaller ratio of two values of sharpness says nothing


@dataclass(frozen=True)
class GroupedPhoto:
    """A photo of a group.

    Attributes
    ----------
    path : str
        Relative to the dataset's folder of photos.
    file : Path
        The file on disk.
    width, height : int
        Size in pixels.
    file_size : int
        Size of the file in bytes.
    sharpness : float
        Variance of the Laplacian; comparable between photos of the same shot.
    mtime_ns : int
        Modification time of the file in nanoseconds.
    faces : int
        Number of faces; 0 if step 02 was not run.
    rating : int or None
        The rating in the metadata.
    taken_at : datetime or None
        Local time.
    has_position : bool
        Whether the position is known.
    """

    path: str
    file: Path
    width: int
    height: int
    file_size: int
    sharpness: float
    mtime_ns: int = 0
    faces: int = 0
    rating: int | None = None
    taken_at: datetime | None = None
    has_position: bool = False

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def is_named_copy(self) -> bool:
        """Whether the name of the file or of a folder says that this is a copy: ``copies/IMG_1.jpg``."""
        return _COPY_WORD.search(self.path) is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the values that ``--json`` prints."""
        values = asdict(self) | {"file": str(self.file), "sharpness": round(self.sharpness, 1)}
        del values["mtime_ns"]
        return values | {"taken_at": self.taken_at.isoformat() if self.taken_at else ""}


@dataclass(frozen=True)
class DuplicateGroup:
    """Photos that are duplicates of each other, the best one first.

    Attributes
    ----------
    kind : str
        One of `DUPLICATE_KINDS`.
    photos : tuple of GroupedPhoto
        At least two.
    reason : str
        Why the first photo is the best: ``"largest"``, ``"sharpest, highest rating"``.
    """

    kind: str
    photos: tuple[GroupedPhoto, ...]
    reason: str

    @property
    def title(self) -> str:
        return KIND_TITLES[self.kind]

    @property
    def wasted_bytes(self) -> int:
        """Size of all files but the best one's."""
        return sum(photo.file_size for photo in self.photos[1:])

    def to_dict(self) -> dict[str, Any]:
        """Return the values that ``--json`` prints."""
        photos = [photo.to_dict() for photo in self.photos]
        return {"kind": self.kind, "best": self.photos[0].path, "why": self.reason, "photos": photos}


class DisjointSets:
    """Rows joined to sets."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def find(self, row: int) -> int:
        """Return the row that represents a row's set."""
        while self._parents[row] != row:
            self._parents[row] = self._parents[self._parents[row]]
            row = self._parents[row]
        return row

    def join(self, one: int, other: int) -> None:
        self._parents[self.find(other)] = self.find(one)

    def list_sets(self) -> list[list[int]]:
        """Return the sets of at least two rows."""
        members: dict[int, list[int]] = {}
        for row in range(len(self._parents)):
            members.setdefault(self.find(row), []).append(row)
        return [rows for rows in members.values() if len(rows) > 1]


def make_groups(
    photos: Sequence[GroupedPhoto], pairs_by_kind: dict[str, Iterable[tuple[int, int]]]
) -> list[DuplicateGroup]:
    """Join pairs to groups. A group of a looser kind has only the best photo of each stricter group in it.

    Parameters
    ----------
    photos
        All photos that occur in the pairs.
    pairs_by_kind
        Pairs of rows of `photos`, by kind.
    """
    groups: list[DuplicateGroup] = []
    sets = DisjointSets(len(photos))
    best = list(range(len(photos)))  # of the set that a row belongs to
    for kind in DUPLICATE_KINDS:
        pairs = [(best[sets.find(i)], best[sets.find(j)]) for i, j in pairs_by_kind.get(kind, ())]
        of_kind = DisjointSets(len(photos))
        for one, other in pairs:
            of_kind.join(one, other)
            sets.join(one, other)
        for rows in of_kind.list_sets():
            group = [photos[row] for row in rows]
            ordered = sorted(rows, key=lambda row: _rank_photo(photos[row], group, kind))
            best[sets.find(ordered[0])] = ordered[0]
            members = tuple(photos[row] for row in ordered)
            groups.append(DuplicateGroup(kind, members, _explain_best(members, kind)))
    order = {kind: number for number, kind in enumerate(DUPLICATE_KINDS)}
    return sorted(groups, key=lambda group: (order[group.kind], group.photos[0].path))


def _rank_photo(photo: GroupedPhoto, group: Sequence[GroupedPhoto], kind: str) -> tuple:
    """Return a key that sorts the best photo of a group first: size, sharpness, faces, rating.

    The same pixels have the same faces: another number is from an edit of one of the photos.
    """
    top = max(other.sharpness for other in group)
    return (
        -photo.pixels,
        photo.sharpness * _SHARPER < top,
        0 if kind == "pixels" else -photo.faces,
        -(photo.rating or 0),
        photo.taken_at is None,
        not photo.has_position,
        -photo.file_size,
        photo.is_named_copy,
        photo.mtime_ns,  # a copy is newer
        len(photo.path),  # "IMG_1.jpg" before "IMG_1 (copy).jpg"
        photo.path,
    )


def _explain_best(group: Sequence[GroupedPhoto], kind: str) -> str:
    """Return in which respects the first photo is better than all others."""
    best, others = group[0], group[1:]
    respects = {
        "largest": all(best.pixels > other.pixels for other in others),
        "sharpest": all(best.sharpness > other.sharpness * _SHARPER for other in others),
        "most faces": kind != "pixels" and all(best.faces > other.faces for other in others),
        "highest rating": all((best.rating or 0) > (other.rating or 0) for other in others),
        "has a time": best.taken_at is not None and not any(other.taken_at for other in others),
        "has a position": best.has_position and not any(other.has_position for other in others),
    }
    reasons = [reason for reason, is_true in respects.items() if is_true]
    if not reasons and all(best.file_size > other.file_size for other in others):
        reasons = ["largest file"]
    return ", ".join(reasons) or f"all are equal; {_explain_first(best, others)}"


def _explain_first(best: GroupedPhoto, others: Sequence[GroupedPhoto]) -> str:
    """Return why a photo is before photos that are as good as it."""
    if not best.is_named_copy and all(other.is_named_copy for other in others):
        return "the others are named as copies"
    rest = [other for other in others if other.is_named_copy == best.is_named_copy]
    if all(best.mtime_ns < other.mtime_ns for other in rest):
        return "the oldest file is first"
    same_age = [other for other in rest if other.mtime_ns == best.mtime_ns]
    if all(len(best.path) < len(other.path) for other in same_age):
        return "the shortest path is first"
    return "in the order of the paths"
