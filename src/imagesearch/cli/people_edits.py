"""The edits of people that the options of step 03 name, in the order in which they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagesearch.cli.console import report_used_lines
from imagesearch.cli.marking import mark_photos
from imagesearch.cli.name_updates import print_stored
from imagesearch.cli.naming import ask_names, check_typed_name, print_edit_notes
from imagesearch.cli.option_values import parse_assignment
from imagesearch.cli.xmp_names import import_xmp

if TYPE_CHECKING:
    import argparse

    from imagesearch.faces import People, PeopleEditor, Person
    from imagesearch.pipeline import Dataset


def has_people_edits(args: argparse.Namespace) -> bool:
    """Whether there are edits of people, besides decisions to undo and questions to answer."""
    options = (args.split, args.deny, args.name, args.merge, args.forget, args.from_csv, args.from_xmp)
    lists = (args.present, args.absent, args.bring_back, args.not_a_face, args.ignore)
    return any((*options, *lists))


def edit_people(editor: PeopleEditor, dataset: Dataset, args: argparse.Namespace) -> None:
    """Apply the edits of people of the command line in order, after the undos.

    Raises
    ------
    UserError
        If an edit is refused; those before it are stored.
    """
    for selector in args.bring_back:
        editor.bring_back(selector)
    if args.bring_back:
        editor.refresh()
    # selected before other edits change the order of the faces
    rejected = [(editor.select_faces(selector), selector) for selector in args.not_a_face]
    for selector in args.split:
        editor.split(selector)
        editor.refresh()
    for text in args.deny:
        editor.deny(*_parse_name(text, "--not"))
    for text in args.name:
        _name_person(editor, *_parse_name(text, "--name"))
    for selectors in args.merge:
        editor.merge(selectors)
    for name in args.forget:
        editor.forget(name)
    if args.from_csv:
        from imagesearch.faces import import_names

        used, unused = import_names(editor, dataset, args.from_csv)
        report_used_lines(args.from_csv, used, unused, args.verbose)
    if args.from_xmp:
        import_xmp(editor, dataset, args.verbose)
    mark_photos(editor, dataset, args)
    for rows, selector in rejected:  # after the names: of two edits of a face, the later one is in effect
        editor.reject_faces(rows, selector)
    for selector in args.ignore:
        editor.ignore(selector)


def ask_new_names(editor: PeopleEditor, dataset: Dataset, args: argparse.Namespace) -> People:
    """Show each person without a name, and prompt for a name; return the people afterwards."""
    from imagesearch.figures import show_person

    def show(person: Person) -> None:
        show_person(editor.people, person, dataset, args.save, window=not args.no_show)

    ask_names(editor, args.min_faces, show)
    return editor.people


def report_stored_edits(editor: PeopleEditor, dataset: Dataset, may_build: bool) -> bool:
    """After a refused edit, apply the edits before it, and print one line that names them.

    Returns whether there are any.
    """
    print_edit_notes(editor)
    if editor.stored:
        editor.refresh()
        stored = "; ".join(editor.describe_stored(editor.stored))
        print_stored(f"stored before the error: {stored}", dataset, may_build)
    return bool(editor.stored)


def _name_person(editor: PeopleEditor, faces: str, name: str) -> None:
    """Name a person or faces, after questions about a name that is probably not meant."""
    replaced = editor.find_replaced_name(faces)
    editor.name_person(faces, check_typed_name(editor.check_name(name), editor, replaced))


def _parse_name(text: str, option: str) -> tuple[str, str]:
    return parse_assignment(text, option, "FACES=NAME, such as 3=Maya")
