"""The notes on photos found whose files no longer exist."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from imagesearch.pipeline import Dataset
from imagesearch.search.answer import SearchResult

_MAX_NAMED = 3


def list_gone_notes(results: Sequence[SearchResult], dataset: Dataset) -> list[str]:
    """Return a note for each folder of photos that is missing or empty, and one for all other files."""
    gone = [result for result in results if result.gone]
    if not gone:
        return []
    missing_roots = [root for root in dataset.roots if not _has_entries(root)]
    notes = []
    for root in missing_roots:
        count = sum(result.file.is_relative_to(root) for result in gone)
        if count:
            notes.append(f"{_count_found(count)} below {root}, which is missing; is its drive mounted?")
    others = [r for r in gone if not any(r.file.is_relative_to(root) for root in missing_roots)]
    if others:
        names = ", ".join(result.path for result in others[:_MAX_NAMED])
        more = ", ..." if len(others) > _MAX_NAMED else ""
        run = "run 00_run_steps.py"
        notes.append(f"{_count_found(len(others))} gone from the disk: {names}{more}; {run}")
    return notes


def _count_found(count: int) -> str:
    return f"{count} {'photo found is' if count == 1 else 'photos found are'}"


def _has_entries(folder: Path) -> bool:
    """Whether a folder exists and is not empty; an empty folder is a drive that is not mounted."""
    with suppress(OSError), os.scandir(folder) as entries:
        return next(entries, None) is not None
    return False
