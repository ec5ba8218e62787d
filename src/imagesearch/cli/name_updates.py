"""The collections after edits of names: updated, or a note that they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from imagesearch.cli.console import print_note
from imagesearch.errors import UserError

if TYPE_CHECKING:
    from imagesearch.pipeline import Dataset


def update_collections(dataset: Dataset, print_line: Callable[[str], None] = print_note) -> UserError | None:
    """Update the names in the collections, if there are any; return the error, if one prevents it."""
    from imagesearch import workflow

    try:
        for kind, report in workflow.update_names(dataset.config, dataset).items():
            print_line(f"{dataset.config.dataset.name}_{kind}: {report}")
    except UserError as error:
        return error
    return None


def print_stored(line: str, dataset: Dataset, may_build: bool) -> None:
    """After a refused edit, update the collections with those before it, and print a line that names them.

    The line says so if the collections are not updated.
    """
    is_updated = may_build and update_collections(dataset, print_line=lambda _: None) is None
    print_note(f"{line}{'' if is_updated else '; the collections are not updated'}")
