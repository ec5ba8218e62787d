"""List the people that 02 found; name them, merge or split them, remove a name, or undo a decision.

Without options this script lists all people, those with the most faces first, and draws a row of faces for
each. PERSON is a number or a name (3, Maya). FACES is a PERSON, or single faces by their numbers in the
figure (3.1,3.4). Edits are stored permanently: they also apply to new photos, to later clusterings and to
other models.
"""

from pathlib import Path

from imagesearch import cli
from imagesearch.text_table import format_count


def parse_arguments():
    parser = cli.make_parser(__doc__)
    add_edit_options(parser)
    add_output_options(parser)
    cli.add_figure_options(parser)
    return parser.parse_args()


def add_edit_options(parser):
    edits = parser.add_argument_group("edits, applied in this order")
    edits.add_argument(
        "--undo",
        nargs="*",
        metavar="N",
        help="undo the last decision, or decisions by their numbers in the history",
    )
    edits.add_argument(
        "--trip",
        action="append",
        default=[],
        metavar="TRIP=NAME",
        help="name a trip, by its number in 05 --trips or its name; an empty NAME removes the name",
    )
    add_list_option(
        edits, "--bring-back", "FACES", "use an ignored person or face again; --ignored shows their numbers"
    )
    edits.add_argument(
        "--split", action="append", default=[], metavar="PERSON", help="split a person into several people"
    )
    edits.add_argument(
        "--not",
        action="append",
        default=[],
        dest="deny",
        metavar="FACES=NAME",
        help="the faces are not of the person NAME",
    )
    edits.add_argument("--name", action="append", default=[], metavar="FACES=NAME", help="FACES are NAME")
    edits.add_argument(
        "--merge",
        action="append",
        nargs="+",
        default=[],
        metavar="PERSON",
        help="merge several people into one",
    )
    edits.add_argument("--forget", action="append", default=[], metavar="NAME", help="remove a name")
    edits.add_argument(
        "--from-xmp", action="store_true", help="import the names of faces in photos and XMP sidecars"
    )
    edits.add_argument("--from-csv", type=Path, metavar="FILE", help="import names; see docs/people_edits.md")
    cli.add_marking_options(edits)
    add_list_option(
        edits, "--not-a-face", "FACES", "leave out what is not a face: single faces, or all of a person"
    )
    add_list_option(
        edits, "--ignore", "PERSON", "leave out a person, such as a statue or a stranger, in new photos too"
    )
    edits.add_argument(
        "--interactive", action="store_true", help="show each person without a name, and prompt for a name"
    )
    cli.add_suggest_option(edits)
    edits.add_argument(
        "--no-build", action="store_true", help="do not update the collections in Milvus; 05 does it later"
    )


def add_list_option(group, option, values, text):
    group.add_argument(option, action="extend", nargs="+", default=[], metavar=values, help=text)


def add_output_options(parser):
    view = parser.add_argument_group("output")
    view.add_argument(
        "--history", action="store_true", help="list all decisions, numbered, also those that are undone"
    )
    view.add_argument("--show", metavar="PERSON", help="draw all faces of one person")
    view.add_argument(
        "--ignored", action="store_true", help="show the people who are ignored, and what is not a face"
    )
    view.add_argument(
        "--min-faces",
        type=cli.parse_face_count,
        default=2,
        metavar="N",
        help="minimum number of faces of a person without a name; default: 2",
    )
    view.add_argument(
        "--to-xmp", action="store_true", help="write the names to XMP sidecars; photos are not changed"
    )
    view.add_argument("--json", action="store_true", help="print the people as one JSON object")


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.errors import UserError
    from imagesearch.faces import PeopleEditor
    from imagesearch.pipeline import Dataset
    from imagesearch.store import has_pending_edits
    from imagesearch.workflow import History

    dataset = Dataset(config)
    history = History(dataset)
    undone = parse_numbers(args.undo)
    if is_about_trips(args, undone, history):
        edit_trips(config, dataset, history, undone, args)
        return
    editor = PeopleEditor(config, dataset, history.locate_trip_lines)
    has_edits = bool(args.trip) or has_edit_options(args)
    former = editor.people
    is_outdated = editor.stale or has_pending_edits(dataset)
    try:
        undo_decisions(history, undone, editor)
        name_trips(dataset, args.trip)
        apply_edits(editor, dataset, args)
        people = editor.refresh()
        if args.show:
            people.find_person(args.show)
    except UserError:
        report_stored(editor, config, dataset, args)
        raise
    cli.print_note(dataset.roots_note)
    cli.print_outcomes(editor)
    if args.interactive:
        people = ask_names(editor, dataset, args)
    if args.suggest:
        people = cli.ask_suggestions(editor, dataset, args)
    failure = None
    if not args.no_build and (has_edits or is_outdated or editor.stored):
        failure = update_collections(config, dataset, cli.print_note)
    sidecars = cli.export_xmp(people, dataset, args.verbose) if args.to_xmp else None
    report_people(people, former, history, dataset, args, sidecars)
    failure = failure or (sidecars and sidecars.error)
    if failure:
        raise failure  # last, because the table and the figure do not need the collections


def is_about_trips(args, undone, history):
    """Whether only trips are named, or the history is listed; neither requires faces."""
    output = (args.interactive, args.suggest, args.show, args.ignored, args.to_xmp, args.save)
    if has_people_edits(args) or any(output):
        return False
    return bool(undone or args.trip or args.history) and not history.has_people_to_undo(undone)


def edit_trips(config, dataset, history, undone, args):
    """Undo and give names of trips, update the collections, and list the trips or the history."""
    from imagesearch.errors import UserError
    from imagesearch.faces import load_people
    from imagesearch.store import Vocabulary, list_trips

    try:
        undo_decisions(history, undone)
        name_trips(dataset, args.trip)
    except UserError:
        update_stored_trips(config, dataset, args)
        raise
    failure = None
    if undone or args.trip:
        cli.print_note(dataset.roots_note)
        failure = None if args.no_build else update_collections(config, dataset, cli.print_note)
    if args.history:
        report_history(load_people(config, dataset) if args.json else None, history, args)
    if failure:
        raise failure
    vocabulary = Vocabulary.read(dataset.folder)
    if not (args.history or args.no_build or vocabulary.trips is None):  # None after 05 --drop
        cli.print_trips(list_trips(vocabulary), args.json)


def update_stored_trips(config, dataset, args):
    """After a refused name or undo, update the collections with those of the call that are stored."""
    from imagesearch.store import has_pending_edits

    if has_pending_edits(dataset):
        failure = None if args.no_build else update_collections(config, dataset, print_line=lambda line: None)
        missing = "; the collections are not updated" if args.no_build or failure else ""
        cli.print_note(f"the lines above are stored{missing}")


def name_trips(dataset, assignments):
    from imagesearch.store import name_trip

    for text in assignments:
        trip, name = parse_assignment(text, "--trip", 'TRIP=NAME, such as 7="Ana\'s wedding"')
        (old_name, has_changed), new_name = name_trip(dataset, trip, name), name.strip()
        if has_changed:
            cli.print_note(f"{old_name}: named {new_name}" if new_name else f"{old_name}: name removed")
        else:
            cli.print_note(f"{old_name} has {'this name already' if new_name else 'no other name'}")


def has_edit_options(args):
    """Whether there are edits of people, or decisions to undo."""
    return args.undo is not None or has_people_edits(args)


def has_people_edits(args):
    options = (args.split, args.deny, args.name, args.merge, args.forget, args.from_csv, args.from_xmp)
    lists = (args.present, args.absent, args.bring_back, args.not_a_face, args.ignore)
    return any((*options, *lists))


def apply_edits(editor, dataset, args):
    """Apply the edits of people of the command line in order, after the undos."""
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
        editor.deny(*parse_assignment(text, "--not"))
    for text in args.name:
        name_person(editor, *parse_assignment(text, "--name"))
    for selectors in args.merge:
        editor.merge(selectors)
    for name in args.forget:
        editor.forget(name)
    if args.from_csv:
        from imagesearch.errors import UserError
        from imagesearch.faces import import_names

        used, unused = import_names(editor, dataset, args.from_csv)
        cli.print_note(f"{args.from_csv}: {format_count(used, 'line')} used")
        cli.report_failures(unused, args.verbose, "not used")
        if not used:
            raise UserError(f"{args.from_csv}: no line can be used")
    if args.from_xmp:
        cli.import_xmp(editor, dataset, args.verbose)
    cli.mark_photos(editor, dataset, args)
    for rows, selector in rejected:  # after the names: of two edits of a face, the later one is in effect
        editor.reject_faces(rows, selector)
    for selector in args.ignore:
        editor.ignore(selector)


def parse_numbers(texts):
    """Return the numbers of the decisions to undo, the newest first; None is the last decision."""
    from imagesearch.errors import UserError

    if texts is None:
        return []
    wrong = next((text for text in texts if not text.isdecimal()), None)
    if wrong is not None:
        raise UserError(f"--undo {wrong}: expected the number of a decision, see --history")
    return sorted({int(text) for text in texts}, reverse=True) or [None]


def undo_decisions(history, numbers, editor=None):
    """Undo decisions by their numbers in the history."""
    for number in numbers:
        cli.print_note(history.undo(number, editor))


def name_person(editor, faces, name):
    """Name a person or faces, after questions about a name that is probably not meant."""
    replaced = editor.find_replaced_name(faces)
    editor.name_person(faces, cli.check_typed_name(editor.check_name(name), editor, replaced))


def parse_assignment(text, option, form="FACES=NAME, such as 3=Maya"):
    from imagesearch.errors import UserError

    selector, equals, name = text.partition("=")
    if not equals:
        raise UserError(f"{option} {text}: expected {form}")
    return selector.strip(), name


def report_stored(editor, config, dataset, args):
    """After a refused edit, apply the edits before it, and print one line that names them."""
    cli.print_edit_notes(editor)
    if not editor.stored:
        if args.trip or args.undo is not None:
            update_stored_trips(config, dataset, args)
        return
    editor.refresh()
    failure = None if args.no_build else update_collections(config, dataset, print_line=lambda line: None)
    missing = "; the collections are not updated" if args.no_build or failure else ""
    cli.print_note(f"stored before the error: {'; '.join(editor.describe_stored(editor.stored))}{missing}")


def ask_names(editor, dataset, args):
    """Prompt for the names of the people without one; return the people afterwards."""
    from imagesearch.figures import show_person

    def show(person):
        show_person(editor.people, person, dataset, args.save, window=not args.no_show)

    cli.ask_names(editor, args.min_faces, show)
    return editor.people


def report_history(people, history, args):
    if args.json:
        decisions = [decision.to_dict() for decision in history.list_decisions()]
        cli.print_json(people.to_dict() | {"history": decisions})
    else:
        cli.print_decisions(history.list_decisions())


def report_people(people, former, history, dataset, args, sidecars=None):
    from imagesearch.figures import show_people, show_person

    if args.history:
        report_history(people, history, args)
    elif args.suggest:
        cli.report_suggestions(people, dataset, args)
    elif args.json:
        cli.print_json(people.to_dict() | ({"xmp": sidecars.to_dict()} if sidecars else {}))
    elif args.ignored:
        cli.print_ignored(people)
    else:
        cli.print_people(people, args.min_faces)
    for note in people.list_notes(former, args.verbose):
        cli.print_note(note)
    person = people.find_person(args.show) if args.show else None
    if args.ignored or (person and people.is_hidden(person)):
        people = people.swap_hidden()
    if person:
        show_person(people, person, dataset, args.save, window=not args.no_show)
    elif not args.suggest and (args.save or not (args.json or args.no_show or args.interactive)):
        show_people(
            people, dataset, 1 if args.ignored else args.min_faces, args.save, window=not args.no_show
        )


def update_collections(config, dataset, print_line):
    """Update the names in the collections, if there are any; return the error, if one prevents it."""
    from imagesearch.errors import UserError
    from imagesearch.workflow import update_names

    try:
        for kind, report in update_names(config, dataset).items():
            print_line(f"{config.dataset.name}_{kind}: {report}")
    except UserError as error:
        return error
    return None


if __name__ == "__main__":
    cli.run_script(main)
