"""Whether folders and lists of photos are the same, or one is inside the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imagesearch.photos import is_photo_list, is_walked


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths are the same folder: links, ``..`` and upper case can be written differently."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def are_same(some: Sequence[Path], others: Sequence[Path]) -> bool:
    """Whether two lists have the same folders, in any order."""
    return all(any(is_same(one, other) for other in others) for one in some) and all(
        any(is_same(one, other) for one in some) for other in others
    )


def is_inside(inner: Path, outer: Path) -> bool:
    """Whether a folder is another one or below it."""
    folder = inner.resolve()
    return any(is_same(parent, outer) for parent in (folder, *folder.parents))


def is_covered(inner: Path, outer: Path, exclude: Sequence[str] = ()) -> bool:
    """Whether the photos in a folder are found when another one is searched; those of a list never are."""
    if is_photo_list(inner) or is_photo_list(outer):
        return is_same(inner, outer)
    folder = inner.resolve()
    parent = next((parent for parent in (folder, *folder.parents) if is_same(parent, outer)), None)
    return parent is not None and is_walked(folder.relative_to(parent).parts, exclude)
