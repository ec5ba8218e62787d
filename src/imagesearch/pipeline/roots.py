"""The folders and lists of a dataset's photos: which ones are used, and with which label their paths begin.

The path of a photo, and with it its id, begins with the label of its folder. So that an id stays the same, a
folder keeps its label as long as it is used, however it is written and whichever folders are added. The
folders given with ``-i``, and all labels, are in the file ``images.json`` beside the tables. A folder that is
used alone has no label, and a folder that was renamed gets the label of its former name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from imagesearch.bucket_paths import is_bucket, parse_bucket
from imagesearch.config import Config
from imagesearch.downloads import BucketReader
from imagesearch.errors import UserError, describe_error
from imagesearch.files import atomic_write
from imagesearch.filters import And, Condition, Not, Or, PathPrefix
from imagesearch.photos import (
    check_photo_folder,
    describe_missing,
    is_download_path,
    is_folder,
    is_source,
    label_roots,
    list_objects,
    locate_file,
    make_path_prefix,
    normalize_file_name,
)
from imagesearch.pipeline.folder_comparison import are_same, is_covered, is_inside, is_same
from imagesearch.pipeline.known_photos import PHOTO_TABLES, Successor, find_successors
from imagesearch.text import mask_passwords
from imagesearch.text_table import format_count

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
    refused : UserError or None
        Why these folders are still used and not those that ``dataset.images`` names now. Steps that read
        photos raise it.
    note : str
        Lines about folders given that were left out or replace others.
    """

    folders: list[Path]
    labels: list[str]
    are_given: bool = False
    refused: UserError | None = None
    note: str = ""

    def save(self, folder: Path, configured: Sequence[Path]) -> None:
        """Write the file to the folder of a dataset's tables, unless it has the same content."""
        roots = list(map(str, self.folders))
        content = {
            "configured": list(map(str, configured)),
            "used": roots if self.are_given else [],
            "labels": dict(zip(roots, self.labels, strict=True)),
            "folder": str(folder),
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
        if is_download_path(folder):
            return self._make_relative_condition(folder)
        place = Path(folder).expanduser() if folder.startswith("~") else _parse_bucket(folder) or Path(folder)
        if not (place.is_absolute() or is_bucket(place)):
            return self._make_relative_condition(folder)
        pairs = list(zip(self.folders, self.labels, strict=True))
        within = [label for root, label in pairs if is_inside(root, place)]
        if len(within) == len(pairs):
            return PathPrefix("")
        prefixes = {label.rstrip("/") for label in within}
        if not within or any(is_inside(place, root) for root, label in pairs if label not in within):
            prefixes.add(make_path_prefix(str(place), self.folders, self.labels))
        return self._join_prefixes(prefixes, within)

    def _make_relative_condition(self, folder: str) -> Condition:
        """Return the condition of a beginning of paths, or of the same folder in roots that have a label."""
        prefix = make_path_prefix(folder, self.folders, self.labels)
        if not is_folder(locate_file(prefix, self.folders, self.labels)):
            pairs = zip(self.folders, self.labels, strict=True)
            labelled = [f"{label}{prefix}" for root, label in pairs if label and is_folder(root / prefix)]
            if labelled:
                return self._join_prefixes(labelled, ())
        return PathPrefix(prefix)

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
    """The folders given, or named in the config, are not those used so far, and no `FolderChange` was given.

    ``situation`` names the folders used so far, and those given, without what to do.
    """

    def __init__(
        self,
        dataset: str,
        used: Sequence[Path],
        given: Sequence[Path],
        is_config: bool = False,
        successors: Mapping[Path, Successor] | None = None,
    ) -> None:
        self.situation = f"{dataset}: photos in {join_names(used)} are used so far, not {join_names(given)}"
        self.situation += " of dataset.images" if is_config else ""
        for root, near in (successors or {}).items():
            if not near.is_complete:
                found = f"{near.found} of the {format_count(near.total, 'photo')}"
                self.situation += f" ({near.folder} has {found} of {root}, which is missing)"
        kept = "those of dataset.images" if is_config else "the folders given"
        both = "both"
        if any(not root.is_dir() for root in successors or {}):
            both = "the new folder in place of the missing one, and the other folders"
        super().__init__(
            f"{self.situation}; repeat with --add to use {both}, or with --replace to use only {kept} "
            "and to remove the other photos from the collections"
        )


@dataclass(frozen=True)
class _SavedRoots:
    """The content of the file."""

    configured: list[Path] = field(default_factory=list)
    used: list[Path] = field(default_factory=list)
    labels: dict[Path, str] = field(default_factory=dict)


def load_roots(config: Config) -> PhotoRoots:
    """Return the folders that were used last: those given with ``-i``, or else those of the config.

    Folders that ``dataset.images`` names since are used if no photo of the dataset is lost by it. Else they
    are refused: see `PhotoRoots.refused`.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    saved = _read_saved(config)
    configured = list(config.dataset.images)
    is_changed = bool(saved.configured) and not are_same(saved.configured, configured)
    if is_changed and has_photo_tables(config):
        used = _get_used(config, saved)
        try:
            return _choose(config, used, configured, "", is_config=True)
        except UserError as error:
            return replace(used, refused=error)
    are_given = bool(saved.used) and not is_changed
    folders = saved.used if are_given else configured
    return PhotoRoots(folders, _assign_labels(folders, saved.labels), are_given)


def choose_roots(config: Config, given: Iterable[Path], change: FolderChange = "") -> PhotoRoots:
    """Return the folders to use when some are given with ``-i``. Nothing is written.

    If the dataset has no tables, or the same folders were used before, however they are written, or all
    photos of these are in the folders given, then no decision is necessary. Folders inside others are left
    out. Without folders, those of the config are meant.

    Raises
    ------
    UserError
        If a folder does not exist, cannot be read or has no photos.
    OtherFoldersError
        If the tables have photos of other folders, and `change` is empty.
    """
    folders = _drop_inner([_make_absolute(root) for root in given])
    if not folders:
        return _choose(config, _get_used(config, _read_saved(config)), config.dataset.images, change, True)
    if has_photo_tables(config):
        return _choose(config, _get_used(config, _read_saved(config)), folders, change)
    for folder in folders:
        check_root(folder, config)
    before = [root for root in load_roots(config).folders if is_source(root)] if change == "add" else []
    folders = _drop_inner([*before, *folders])
    return PhotoRoots(folders, label_roots(folders), True)


def check_root(root: Path, config: Config) -> None:
    """Raise `UserError` if a folder, bucket or list that the user names cannot be read or has no photos."""
    exclude = config.dataset.exclude
    if not is_bucket(root):
        check_photo_folder(root, exclude)
    elif not BucketReader(config.downloads).check(
        root, lambda key: bool(list_objects(root, [(key, 0, 0)], exclude, "").photos)
    ):
        raise UserError(describe_empty_bucket(root))


def describe_empty_bucket(root: Path) -> str:
    """Return the message for a bucket without photos."""
    return f"{root}: no photos in this bucket; is it the right one, with the right prefix?"


def _get_used(config: Config, saved: _SavedRoots) -> PhotoRoots:
    """Return the folders of the last run, whatever the config names now."""
    folders = saved.used or saved.configured or list(config.dataset.images)
    return PhotoRoots(folders, _assign_labels(folders, saved.labels), bool(saved.used))


def _choose(
    config: Config, used: PhotoRoots, folders: Sequence[Path], change: FolderChange, is_config: bool = False
) -> PhotoRoots:
    """Return the folders to use if others are given, or if the config names others (``is_config``)."""
    new = [folder for folder in folders if not any(is_same(folder, root) for root in used.folders)]
    for folder in new:
        check_root(folder, config)
    if not used.differ_from(folders):
        return replace(used, are_given=not is_config)
    known = dict(zip(used.folders, used.labels, strict=True))
    exclude = config.dataset.exclude
    lost = [root for root in used.folders if not any(is_covered(root, folder, exclude) for folder in folders)]
    present = [folder for folder in folders if is_folder(folder)]
    successors = find_successors(config.dataset.folder, known, lost, present, exclude)
    # the new name of one of several folders, given alone, says nothing about the others
    renamed = [s.folder for root, s in successors.items() if s.is_complete and not is_folder(root)]
    is_new_name = bool(new) and all(folder in renamed for folder in folders)
    if change == "add" or (not change and not is_config and (not lost or is_new_name)):
        kept = [root for root in used.folders if is_source(root) or root not in successors]
        chosen = [*kept, *(f for f in folders if not any(is_covered(f, root) for root in kept))]
        is_config = False
    elif change == "replace" or all(root in successors and successors[root].is_complete for root in lost):
        kept = [root for root in used.folders if any(is_same(root, folder) for folder in folders)]
        chosen = [*kept, *(f for f in folders if not any(is_same(f, root) for root in kept))]
    else:
        raise OtherFoldersError(config.dataset.name, used.folders, folders, is_config, successors)
    for root in chosen:
        if not is_source(root):
            raise UserError(f"{describe_missing(root)}; mount its drive, or use --replace")
    replaced = {root: s for root, s in successors.items() if root not in chosen and s.folder in chosen}
    for root, successor in replaced.items():
        if successor.folder is not None:
            known.setdefault(successor.folder, known[root])
    labels = [""] if len(chosen) == 1 else _assign_labels(chosen, known)
    return PhotoRoots(chosen, labels, not is_config, note=_describe_choice(folders, chosen, replaced))


def _describe_choice(
    folders: Sequence[Path], chosen: Sequence[Path], replaced: Mapping[Path, Successor]
) -> str:
    """Return a line for each folder that is left out, and for each one that replaces another."""
    lines = []
    for folder in folders:
        outer = next((r for r in chosen if folder not in chosen and is_covered(folder, r)), None)
        if outer is not None and not is_same(folder, outer):
            lines.append(f"{folder}: inside {outer}, whose photos are used already; nothing to add")
    for root, successor in replaced.items():
        count = f"it has {successor.found} of its {format_count(successor.total, 'photo')}"
        missing = "" if is_folder(root) else " (missing)"
        lines.append(f"{successor.folder} is used in place of {root}{missing}: {count}")
    return "\n".join(lines)


def has_photo_tables(config: Config) -> bool:
    """Whether any step has written results for a dataset."""
    return any(next(config.dataset.folder.glob(f"{name}/seen-*.parquet"), None) for name in PHOTO_TABLES)


def join_names(folders: Iterable[Path]) -> str:
    return ", ".join(map(str, folders))


def _drop_inner(folders: Sequence[Path]) -> list[Path]:
    """Return the folders without those that are found below another one, or that are listed twice."""
    kept: list[Path] = []
    for number, folder in enumerate(folders):
        others = [o for o in folders[number + 1 :] if not is_same(o, folder)]
        if not any(is_covered(folder, other) for other in (*kept, *others)):
            kept.append(folder)
    return kept


def _make_absolute(root: Path) -> Path:
    if (bucket := _parse_bucket(root)) is not None:
        return bucket
    root = root.expanduser()
    return root.resolve() if ".." in root.parts else root.absolute()


def _parse_bucket(root: str | Path) -> Path | None:
    try:
        return parse_bucket(root)
    except ValueError as error:
        address = re.sub(":/+", "://", str(root), count=1)  # pathlib has left one slash
        raise UserError(f"{mask_passwords(address)}: {error}") from None


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


def _follow_project(root: Path, old_folder: str, config: Config) -> Path:
    """Return where a folder of the config is now, if it was moved or copied together with the tables."""
    if is_bucket(root) or not old_folder or old_folder == str(config.dataset.folder):
        return root
    moved = Path(os.path.normpath(config.dataset.folder / os.path.relpath(root, old_folder)))
    return moved if moved in config.dataset.images else root


def _read_saved(config: Config) -> _SavedRoots:
    file = config.dataset.folder / _FILE
    try:
        saved = json.loads(file.read_text("utf-8"))
        old_folder = str(saved.get("folder", ""))
        configured, used = (
            [_follow_project(parse_bucket(root) or Path(root), old_folder, config) for root in saved[key]]
            for key in ("configured", "used")
        )
        roots = used or configured
        # an earlier version wrote no labels: they followed from the folders
        labels = saved.get("labels") or dict(zip(roots, label_roots(roots), strict=True))
        known = {
            _follow_project(parse_bucket(root) or Path(root), old_folder, config): str(label)
            for root, label in labels.items()
        }
        return _SavedRoots(configured, used, known)
    except (FileNotFoundError, NotADirectoryError):
        roots = list(config.dataset.images)
        return _SavedRoots(labels=dict(zip(roots, label_roots(roots), strict=True)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{file}: cannot be read ({describe_error(error)}); delete it and give -i again"
        ) from None
