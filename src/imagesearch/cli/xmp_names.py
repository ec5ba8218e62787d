"""Names of faces from and to XMP, as notes on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagesearch.cli.console import print_note, report_failures, show_progress

if TYPE_CHECKING:
    from imagesearch.faces import People, PeopleEditor, XmpExport
    from imagesearch.pipeline import Dataset


def import_xmp(editor: PeopleEditor, dataset: Dataset, verbose: bool) -> None:
    """Import the names of faces from photos and their sidecars, and print what was used and what was not."""
    from imagesearch.faces import import_xmp_names

    result = import_xmp_names(editor, dataset, show_progress)
    named = ", ".join(f"{name} ({count})" for name, count in sorted(result.faces.items())) or "none"
    print_note(f"names from XMP: {named}; {result.known} faces had their names already")
    report_failures(result.unused, verbose, "not used")


def export_xmp(people: People, dataset: Dataset, verbose: bool) -> XmpExport:
    """Write the names of faces to sidecars, and print how many were written."""
    from imagesearch.faces import export_xmp_names

    result = export_xmp_names(people, dataset, show_progress)
    report_failures(result.failed, verbose)
    print_note(f"XMP sidecars: {result}")
    return result
