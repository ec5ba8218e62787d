"""Lines for the user about the folders of a dataset's photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imagesearch.pipeline.folder_comparison import is_covered
from imagesearch.pipeline.roots import OtherFoldersError, PhotoRoots, join_names


def describe_roots(roots: PhotoRoots, configured: Sequence[Path]) -> str:
    """Return lines about folders that are not those of the config or have changed; empty for the others."""
    if isinstance(roots.refused, OtherFoldersError):
        return describe_undecided(roots)
    lines = [roots.note, describe_undecided(roots)]
    if roots.are_given and roots.differ_from(configured):
        lines.append(
            f"photos in {join_names(roots.folders)} (as given before, not dataset.images; other folders "
            "with --add or --replace change this)"
        )
    return "\n".join(filter(None, lines))


def describe_undecided(roots: PhotoRoots) -> str:
    """Return why the folders in the config are not used yet; empty if they are."""
    if isinstance(roots.refused, OtherFoldersError):
        return f"{roots.refused.situation}; run 00_run_steps.py with --add or --replace"
    if roots.refused is None:
        return ""
    return f"{roots.refused}; until then, photos in {join_names(roots.folders)} are used"


def describe_copies(folder: Path, roots: PhotoRoots, exclude: Sequence[str]) -> str:
    """Return a note if copies in a folder become photos of the dataset; else an empty string."""
    root = next((root for root in roots.folders if is_covered(folder, root, exclude)), None)
    if root is None:
        return ""
    return f"{folder} is inside {root}: the next run of 00_run_steps.py adds the copies to the photos"
