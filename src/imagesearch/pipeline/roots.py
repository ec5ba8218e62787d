"""The folders of a dataset's photos: which ones are used, and with which label their paths begin.

The path of a photo, and with it its id, begins with the label of its folder. So that an id stays the same, a
folder keeps its label as long as it is used, however it is written and whichever folders are added. The
folders given with ``-i``, and all labels, are in the file ``images.json`` beside the tables.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from imagesearch.config import Config
from imagesearch.errors import UserError, describe_error
from imagesearch.files import atomic_write
from imagesearch.filters import And, Condition, Not, Or, PathPrefix
from imagesearch.photos import (
    check_photo_folder,
    is_walked,
    label_roots,
    make_path_prefix,
    normalize_file_name,
)

FolderChange = Literal["", "add", "replace"]
"""What to do with other folders than those used so far: refuse them, use both, or use only the new ones."""
_FILE = "images.json"


@dataclass(frozen=True)
class PhotoRoots:
    """The folders of a dataset's photos.

    Attributes
    ----------
    folders : list of Path
        The folders.
    labels : list of str
        The beginning of the paths below each folder; "" for a folder that was alone when it was first used.
    are_given : bool
        Whether they were given with ``-i``, now or in an earlier run.
    """

    folders: list[Path]
    labels: list[str]
    are_given: bool = False

    def save(self, folder: Path, configured: Sequence[Path]) -> None:
        """Write the file to the folder of a dataset's tables, unless it has the same content."""
        roots = list(map(str, self.folders))
        content = {
            "configured": list(map(str, configured)),
            "used": roots if self.are_given else [],
            "labels": dict(zip(roots, self.labels, strict=True)),
        }
        text = json.dumps(content, indent=2)
        file = folder / _FILE
        if not file.is_file() or file.read_text("utf-8") != text:
            with atomic_write(file) as unfinished:
                unfinished.write_text(text, "utf-8")

    def differ_from(self, folders: Sequence[Path]) -> bool:
        """Whether these are other folders, apart from folders inside others."""
        return not are_same(_drop_inner(self.folders), _drop_inner(folders))

    def make_folder_condition(self, folder: str) -> Condition:
        """Return the condition that a photo is below a folder.

        Parameters
        ----------
        folder
            An absolute path, or the beginning of photos' paths; ``""`` and ``"."`` mean all photos.

        Raises
        ------
        UserError
            If an absolute folder neither is below the photos nor contains them.
        """
        place = Path(folder).expanduser() if folder.startswith("~") else Path(folder)
        if not place.is_absolute():
            return PathPrefix(make_path_prefix(folder, self.folders, self.labels))
        pairs = list(zip(self.folders, self.labels, strict=True))
        within = [label for root, label in pairs if is_inside(root, place)]
        if len(within) == len(pairs):
            return PathPrefix("")
        prefixes = {label.rstrip("/") for label in within}
        if not within or any(is_inside(place, root) for root, label in pairs if label not in within):
            prefixes.add(make_path_prefix(str(place), self.folders, self.labels))
        return self._join_prefixes(prefixes, within)

    def _join_prefixes(self, prefixes: Collection[str], within: Collection[str]) -> Condition:
        """Return the condition of some beginnings, without the other roots whose labels begin like them."""
        conditions = []
        for prefix in sorted(prefixes):
            start = f"{prefix}/" if prefix else ""
            others = [o for o in self.labels if o not in within and o != start and o.startswith(start)]
            excluded = [Not(PathPrefix(other.rstrip("/"))) for other in others if other]
            conditions.append(And((PathPrefix(prefix), *excluded)) if excluded else PathPrefix(prefix))
        return conditions[0] if len(conditions) == 1 else Or(tuple(conditions))


class OtherFoldersError(UserError):
    """The folders given are not those used so far, and no `FolderChange` was given.

    Attributes
    ----------
    situation : str
        The folders used so far, and those given, without what to do.
    """

    def __init__(self, dataset: str, used: Sequence[Path], given: Sequence[Path]) -> None:
        self.situation = f"{dataset}: photos in {join_names(used)} are used so far, not {join_names(given)}"
        super().__init__(
            f"{self.situation}; repeat with --add to use both, or with --replace to use only the folders "
            "given and to remove the other photos from the collections"
        )


@dataclass(frozen=True)
class _SavedRoots:
    """The content of the file."""

    configured: list[Path] = field(default_factory=list)
    used: list[Path] = field(default_factory=list)
    labels: dict[Path, str] = field(default_factory=dict)


def load_roots(config: Config) -> PhotoRoots:
    """Return the folders that were used last: those given with ``-i``, or else those of the config.

    Folders given with ``-i`` are used until ``dataset.images`` is changed.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    saved = _read_saved(config)
    is_current = bool(saved.used) and are_same(saved.configured, config.dataset.images)
    folders = saved.used if is_current else list(config.dataset.images)
    return PhotoRoots(folders, _assign_labels(folders, saved.labels), is_current)


def choose_roots(config: Config, given: Iterable[Path], change: FolderChange = "") -> PhotoRoots:
    """Return the folders to use when some are given with ``-i``. Nothing is written.

    If the dataset has no tables, or the same folders were used before, however they are written, or all of
    these are among the folders given, then no decision is necessary. Folders inside others are left out.

    Raises
    ------
    UserError
        If a folder does not exist, cannot be read or has no photos.
    OtherFoldersError
        If the tables have photos of other folders, and `change` is empty.
    """
    folders = _drop_inner([_make_absolute(root) for root in given])
    used = load_roots(config)
    has_tables = has_photo_tables(config)
    for folder in folders:
        if not any(is_same(folder, root) for root in used.folders) or not has_tables:
            check_photo_folder(folder, config.dataset.exclude)
    if not has_tables:
        before = [root for root in used.folders if root.is_dir()] if change == "add" else []
        folders = _drop_inner([*before, *folders])
        return PhotoRoots(folders, label_roots(folders), True)
    if not used.differ_from(folders):
        return PhotoRoots(used.folders, used.labels, True)
    saved = _read_saved(config)
    if saved.used and are_same(folders, _drop_inner(saved.used)):  # the config has been changed since
        return PhotoRoots(saved.used, _assign_labels(saved.used, saved.labels), True)
    is_extended = all(any(is_inside(root, folder) for folder in folders) for root in used.folders)
    if change == "add" or (is_extended and not change):
        added = [f for f in folders if not any(_is_covered(f, root) for root in used.folders)]
        chosen = [*used.folders, *added]
    elif change == "replace":
        kept = [root for root in used.folders if any(is_same(root, folder) for folder in folders)]
        chosen = [*kept, *(f for f in folders if not any(is_same(f, root) for root in kept))]
    else:
        raise OtherFoldersError(config.dataset.name, used.folders, folders)
    for root in chosen:
        if not root.is_dir():
            raise UserError(f"{root}: no such folder of photos; mount its drive, or use --replace")
    known = dict(zip(used.folders, used.labels, strict=True))
    return PhotoRoots(chosen, _assign_labels(chosen, known), True)


def has_photo_tables(config: Config) -> bool:
    """Whether any step has written results for a dataset."""
    return any(next(config.dataset.folder.glob(f"{name}/seen-*.parquet"), None) for name in _TABLES)


_TABLES = ("clip", "vit", "faces", "geo")


def join_names(folders: Iterable[Path]) -> str:
    """Return folders as one text."""
    return ", ".join(map(str, folders))


# --- comparing folders -------------------------------------------------------------------------------------


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


def _is_covered(inner: Path, outer: Path) -> bool:
    """Whether the photos in a folder are found when another one is searched."""
    folder = inner.resolve()
    parent = next((parent for parent in (folder, *folder.parents) if is_same(parent, outer)), None)
    return parent is not None and is_walked(folder.relative_to(parent).parts)


def _drop_inner(folders: Sequence[Path]) -> list[Path]:
    """Return the folders without those that are found below another one, or that are listed twice."""
    kept: list[Path] = []
    for number, folder in enumerate(folders):
        others = [o for o in folders[number + 1 :] if not is_same(o, folder)]
        if not any(_is_covered(folder, other) for other in (*kept, *others)):
            kept.append(folder)
    return kept


def _make_absolute(root: Path) -> Path:
    root = root.expanduser()
    return root.resolve() if ".." in root.parts else root.absolute()


# --- labels and the file -----------------------------------------------------------------------------------


def _assign_labels(folders: Sequence[Path], known: Mapping[Path, str]) -> list[str]:
    """Return the label of each folder: the one it has had, or a new one that no folder of photos has."""
    labels: list[str | None] = [
        next((label for root, label in known.items() if is_same(root, folder)), None) for folder in folders
    ]
    if not any(label is not None for label in labels):
        return label_roots(folders)
    for number, folder in enumerate(folders):
        if labels[number] is None:
            labels[number] = _make_label(folder, folders, labels)
    return [label or "" for label in labels]


def _make_label(folder: Path, folders: Sequence[Path], labels: Sequence[str | None]) -> str:
    parts = [part for part in folder.parts if part != folder.anchor] or ["root"]
    candidates = ["/".join(parts[-depth:]) for depth in range(1, len(parts) + 1)]
    candidates += [f"{parts[-1]} {number}" for number in range(2, 1000)]
    used = [label for label in labels if label is not None]
    pairs = [(root, label) for root, label in zip(folders, labels, strict=True) if label is not None]
    for candidate in candidates:
        label = f"{normalize_file_name(candidate)}/"
        overlaps = any(other and (other.startswith(label) or label.startswith(other)) for other in used)
        exists = any((root / candidate[len(other) :]).exists() for root, other in pairs if not other)
        if not overlaps and not exists:
            return label
    raise UserError(f"{folder}: no name for its photos is free; rename the folder")


def _read_saved(config: Config) -> _SavedRoots:
    file = config.dataset.folder / _FILE
    try:
        saved = json.loads(file.read_text("utf-8"))
        configured, used = ([Path(root) for root in saved[key]] for key in ("configured", "used"))
        roots = used or configured
        # an earlier version wrote no labels: they followed from the folders
        labels = saved.get("labels") or dict(zip(roots, label_roots(roots), strict=True))
        return _SavedRoots(configured, used, {Path(root): str(label) for root, label in labels.items()})
    except (FileNotFoundError, NotADirectoryError):
        roots = list(config.dataset.images)
        return _SavedRoots(labels=dict(zip(roots, label_roots(roots), strict=True)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{file}: cannot be read ({describe_error(error)}); delete it and give -i again"
        ) from None
