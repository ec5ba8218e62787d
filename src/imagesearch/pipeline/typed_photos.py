"""Photos as people type them: a file on the disk, a path as a search prints it, or a file name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from imagesearch.bucket_paths import BucketPath, is_bucket, parse_bucket
from imagesearch.errors import UserError
from imagesearch.photos import is_download_path, normalize_file_name
from imagesearch.text import find_similar

if TYPE_CHECKING:
    from imagesearch.pipeline.dataset import Dataset

_MAX_NAMED = 5  # photos in a message
_MIN_RATIO = 0.75  # of names in "did you mean"


def find_photo_file(
    typed: str | Path,
    dataset: Dataset,
    *,
    option: str = "",
    list_paths: Callable[[], Iterable[str]] | None = None,
) -> Path:
    """Return the file of a photo that a user has typed. No folder is searched through.

    Parameters
    ----------
    typed
        A file on the disk, which can start with ``~``; a path relative to the dataset's folder of photos, as
        searches print it; or the end of such a path, for example a file name, if only one photo has it.
    dataset
        The dataset.
    option
        The option of a script, for messages: ``--image``.
    list_paths
        Lists the relative paths of the dataset's photos; by default `Dataset.list_known_paths`.

    Raises
    ------
    UserError
        If no photo, or more than one, has this name. The message lists the photos that can be meant.
    """
    if (bucket := _parse_bucket(typed)) is not None:
        if any(map(dataset.find_photo, dataset.list_paths_of(bucket))):
            return bucket
        raise UserError(f"{option} {bucket}: not a photo of {dataset.config.dataset.name}".strip())
    # os.path, because pathlib raises an error for "~nobody" and for texts too long to be file names
    name, title = os.path.expanduser(typed), f"{option} {typed}".strip()  # noqa: PTH111 - see above
    if _is_file(name):
        return Path(name)
    if os.path.isdir(name):  # noqa: PTH112 - see above
        raise UserError(f"{title}: this is a folder; expected a photo")
    # pathlib would replace the slashes of an address
    path = str(typed) if is_download_path(str(typed)) else normalize_file_name(Path(name).as_posix())
    is_relative = not Path(name).is_absolute() and ".." not in Path(name).parts
    if is_relative and (file := _find_file(path, dataset)):
        return file
    known = list(list_paths() if list_paths else dataset.list_known_paths())
    matches = match_paths(path, known) if is_relative else []
    files = {match: file for match in matches if (file := _find_file(match, dataset))}
    if len(files) == 1:
        return next(iter(files.values()))
    if files:
        raise UserError(f"{title}: {len(files)} photos have this name; type one of: {_join(sorted(files))}")
    if matches:
        raise UserError(f"{title}: no such file; {matches[0]} is gone from the disk")
    near = _find_near(path, known)
    hint = f"; did you mean {_join(near, ' or ')}?" if near else ""
    raise UserError(f"{title}: no such file, and not a photo of {dataset.config.dataset.name}{hint}")


def match_paths(typed: str, paths: Sequence[str]) -> list[str]:
    """Return the paths that end with a file name, or with some folders and a file name.

    Upper and lower case, and then a missing extension, only make a difference if a path matches with them.
    """
    ending = f"/{typed}"
    exact = [path for path in paths if f"/{path}".endswith(ending)]
    if exact:
        return exact
    folded = ending.casefold()
    same_letters = [path for path in paths if f"/{path}".casefold().endswith(folded)]
    return same_letters or [
        path for path in paths if f"/{PurePosixPath(path).with_suffix('')}".casefold().endswith(folded)
    ]


def _parse_bucket(typed: str | Path) -> BucketPath | None:
    with suppress(ValueError):
        return parse_bucket(typed)
    return None


def _find_file(path: str, dataset: Dataset) -> Path | None:
    """Return the file or object at a relative path, if there is one."""
    file = dataset.locate_file(path)
    exists = dataset.find_photo(path) is not None if is_bucket(file) else _is_file(file)
    return file if exists else None


def _is_file(name: str | Path) -> bool:
    return os.path.isfile(name)  # noqa: PTH113 - pathlib raises an error for names that are too long


def _find_near(path: str, known: Sequence[str]) -> list[str]:
    """Return the photos with similar names, those with the most similar paths first."""
    typed = PurePosixPath(path)
    paths_by_name: dict[str, list[str]] = {}
    for one in known:
        file = PurePosixPath(one)
        paths_by_name.setdefault((file.name if typed.suffix else file.stem).casefold(), []).append(one)
    names = find_similar(typed.name.casefold(), paths_by_name, count=100, min_ratio=_MIN_RATIO)
    near = {one.casefold(): one for name in names for one in paths_by_name[name]}
    return [near[folded] for folded in find_similar(path.casefold(), near, count=3, min_ratio=0)]


def _join(paths: Sequence[str], last: str = ", ") -> str:
    """Return some paths in words, with the number of the others."""
    shown = list(paths[:_MAX_NAMED])
    if len(paths) > len(shown):
        return f"{', '.join(shown)} and {len(paths) - len(shown)} more"
    return last.join(filter(None, (", ".join(shown[:-1]), shown[-1])))
