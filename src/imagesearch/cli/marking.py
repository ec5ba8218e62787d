"""Names on photos without a face: the options ``--present`` and ``--absent`` of step 03."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagesearch.cli.console import report_used_lines
from imagesearch.cli.naming import check_typed_name
from imagesearch.errors import UserError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from imagesearch.faces import PeopleEditor
    from imagesearch.pipeline import Dataset


def add_marking_options(group: argparse._ArgumentGroup) -> None:
    """Add ``--present`` and ``--absent``."""
    group.add_argument(
        "--present",
        action="append",
        default=[],
        metavar="PHOTO=NAME",
        help="NAME is on a photo where the face is not found; or a CSV file with the columns photo and name",
    )
    group.add_argument(
        "--absent", action="append", default=[], metavar="PHOTO=NAME", help="take such a name off a photo"
    )


def mark_photos(editor: PeopleEditor, dataset: Dataset, args: argparse.Namespace) -> None:
    """Take the names of ``--absent`` off photos, and put those of ``--present`` on photos."""
    from pathlib import Path

    from imagesearch.faces import make_photo_finder, mark_absent, mark_present

    if not (args.present or args.absent):
        return
    if editor.stored:
        editor.refresh()  # so that it is known who is on the photos by a face
    for text in args.absent:
        photo, name = _parse_mark(text, "--absent")
        mark_absent(editor, name, make_photo_finder(editor.people, dataset, "--absent")(photo))
    for text in args.present:
        if text.lower().endswith(".csv") and ("=" not in text or Path(text).is_file()):
            _import_file(editor, dataset, Path(text), args.verbose)
            continue
        photo, name = _parse_mark(text, "--present")
        found = make_photo_finder(editor.people, dataset, "--present")(photo)
        mark_present(editor, _check_name(editor, name), [found])


def _parse_mark(text: str, option: str) -> tuple[str, str]:
    photo, _, name = text.rpartition("=")  # a file name can have an equals sign
    if not photo.strip() or not name.strip():
        file = ", or a CSV file" if option == "--present" else ""
        raise UserError(f"{option} {text}: expected PHOTO=NAME, such as IMG_0042.jpg=Maya{file}")
    return photo.strip(), name.strip()


def _check_name(editor: PeopleEditor, name: str) -> str:
    from imagesearch.faces import check_marked_name

    return check_typed_name(check_marked_name(editor, name), editor)


def _import_file(editor: PeopleEditor, dataset: Dataset, file: Path, verbose: bool) -> None:
    from imagesearch.faces import import_marks, make_photo_finder

    used, unused = import_marks(editor, file, make_photo_finder(editor.people, dataset))
    report_used_lines(file, sum(used.values()), unused, verbose)
