"""The notes on photos found whose files no longer exist."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from imagesearch.photos import get_base
from imagesearch.pipeline import Dataset
from imagesearch.search.answer import SearchResult

_MAX_NAMED = 3


def list_gone_notes(results: Sequence[SearchResult], dataset: Dataset) -> list[str]:
    """Return a note for each folder of photos that is missing or empty, and one for all other files."""
    gone = [result for result in results if result.gone]
    if not gone:
        return []
    missing_roots = [base for base in map(get_base, dataset.roots) if not _has_entries(base)]
    notes = []
    for root in missing_roots:
        count = sum(result.file.is_relative_to(root) for result in gone)
        if count:
            notes.append(f"{_count_found(count)} below {root}, which is missing; is its drive mounted?")
    others = [r for r in gone if not any(r.file.is_relative_to(root) for root in missing_roots)]
    if unreadable := [result for result in others if _is_out_of_reach(result.file)]:
        reason = "in a folder that cannot be read; check its permissions"
        notes.append(f"{_count_found(len(unreadable))} {reason}: {_name_some(unreadable)}")
    others = [result for result in others if result not in unreadable]
    if others:
        names, run = _name_some(others), "run 00_run_steps.py"
        notes.append(f"{_count_found(len(others))} gone from the disk: {names}; {run}")
    return notes


def _name_some(results: Sequence[SearchResult]) -> str:
    names = ", ".join(result.path for result in results[:_MAX_NAMED])
    return f"{names}, ..." if len(results) > _MAX_NAMED else names


def _is_out_of_reach(file: Path) -> bool:
    """Whether the folder of a file cannot be entered; it is unknown then whether the file exists."""
    try:
        file.lstat()
    except PermissionError:
        return True
    except OSError:
        pass
    return False


def _count_found(count: int) -> str:
    return f"{count} {'photo found is' if count == 1 else 'photos found are'}"


def _has_entries(folder: Path) -> bool:
    """Whether a folder exists and is not empty; an empty folder is a drive that is not mounted."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except PermissionError:
        return True  # it exists
    except OSError:
        return False
