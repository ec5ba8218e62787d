"""List the people that 02 found; name them, merge or split them, remove a name, or undo a decision.

Without options this script lists all people, those with the most faces first, and draws a row of faces for
each. PERSON is a number or a name (3, Maya). FACES is a PERSON, or single faces by their numbers in the
figure (3.1,3.4). Edits are stored permanently: they also apply to new photos, to later clusterings and to
other models.
"""

from pathlib import Path

from imagesearch import cli


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
    from imagesearch.faces import PeopleEditor
    from imagesearch.pipeline import Dataset
    from imagesearch.store import has_pending_edits
    from imagesearch.workflow import History

    dataset = Dataset(config)
    history = History(dataset)
    undone = cli.parse_undo_numbers(args.undo)
    if cli.is_about_trips(args, undone, history):
        cli.edit_trips(dataset, history, undone, args)
        return
    editor = PeopleEditor(config, dataset, history.locate_trip_lines)
    has_edits = bool(args.trip or undone) or cli.has_people_edits(args)
    former = editor.people
    is_outdated = editor.stale or has_pending_edits(dataset)
    people = apply_edits(editor, history, undone, dataset, args)
    cli.print_note(dataset.roots_note)
    cli.print_outcomes(editor)
    if args.interactive:
        people = cli.ask_new_names(editor, dataset, args)
    if args.suggest:
        people = cli.ask_suggestions(editor, dataset, args)
    failure = None
    if not args.no_build and (has_edits or is_outdated or editor.stored):
        failure = cli.update_collections(dataset)
    sidecars = cli.export_xmp(people, dataset, args.verbose) if args.to_xmp else None
    print_people(people, history, dataset, args, sidecars)
    for note in people.list_notes(former, args.verbose):
        cli.print_note(note)
    draw_people(people, dataset, args)
    failure = failure or (sidecars and sidecars.error)
    if failure:
        raise failure  # last, because the table and the figure do not need the collections


def apply_edits(editor, history, undone, dataset, args):
    """Apply the edits in order and return the people; of a refused one, report which are stored before it."""
    from imagesearch.errors import UserError

    try:
        cli.undo_decisions(history, undone, editor)
        cli.name_trips(dataset, args.trip)
        cli.edit_people(editor, dataset, args)
        people = editor.refresh()
        if args.show:
            people.find_person(args.show)
    except UserError:
        if not cli.report_stored_edits(editor, dataset, not args.no_build) and (args.trip or undone):
            cli.report_stored_trips(dataset, not args.no_build)
        raise
    return people


def print_people(people, history, dataset, args, sidecars):
    """Print the people, or what another option of the output selects."""
    if args.history:
        cli.print_history(history, people if args.json else None)
    elif args.suggest:
        cli.report_suggestions(people, dataset, args)
    elif args.json:
        cli.print_json(people.to_dict() | ({"xmp": sidecars.to_dict()} if sidecars else {}))
    elif args.ignored:
        cli.print_ignored(people)
    else:
        cli.print_people(people, args.min_faces)


def draw_people(people, dataset, args):
    """Draw the faces of one person, or a row of faces for each person."""
    from imagesearch.figures import show_people, show_person

    person = people.find_person(args.show) if args.show else None
    if args.ignored or (person and people.is_hidden(person)):
        people = people.swap_hidden()
    if person:
        show_person(people, person, dataset, args.save, window=not args.no_show)
    elif not args.suggest and (args.save or not (args.json or args.no_show or args.interactive)):
        show_people(
            people, dataset, 1 if args.ignored else args.min_faces, args.save, window=not args.no_show
        )


if __name__ == "__main__":
    cli.run_script(main)
