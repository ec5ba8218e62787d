"""List the people that 02 found; name them, merge or split them, or remove a name.

Without options this script lists all people, those with the most faces first, and draws a row of faces for
each. PERSON is a number or a name (3, Maya). FACES is a PERSON, or single faces by their numbers in the
figure (3.1,3.4). Edits are stored permanently: they also apply to new photos, to later clusterings and to
other models.
"""

from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    edits = parser.add_argument_group("edits, applied in this order")
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
        "--trip",
        action="append",
        default=[],
        metavar="TRIP=NAME",
        help="name a trip, by its number in 05 --trips or its name; an empty NAME removes the name",
    )
    edits.add_argument("--from-csv", type=Path, metavar="FILE", help="import names; see docs/people.md")
    edits.add_argument(
        "--interactive", action="store_true", help="show each person without a name, and prompt for a name"
    )
    edits.add_argument(
        "--no-build", action="store_true", help="do not update the collections in Milvus; 05 does it later"
    )
    view = parser.add_argument_group("output")
    view.add_argument("--show", metavar="PERSON", help="draw all faces of one person")
    view.add_argument(
        "--min-faces",
        type=int,
        default=2,
        metavar="N",
        help="minimum number of faces of a person without a name; default: 2",
    )
    view.add_argument("--json", action="store_true", help="print the people as one JSON object")
    cli.add_figure_options(parser)
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.errors import UserError
    from imagesearch.faces import PeopleEditor
    from imagesearch.pipeline import Dataset
    from imagesearch.store import has_pending_edits

    dataset = Dataset(config)
    cli.print_note(dataset.roots_note)
    if args.trip and name_trips(config, dataset, args):
        return
    editor = PeopleEditor(config, dataset)
    has_edits, failure = True, None
    is_stale = editor.stale
    try:
        has_edits = apply_edits(editor, args)
    except UserError as error:
        failure = error  # the edits before it are stored, and applied below
    people = editor.refresh()
    if args.interactive and not failure:
        has_edits = ask_names(editor, dataset, args) or has_edits
        people = editor.people
    if not args.no_build and (has_edits or is_stale or has_pending_edits(dataset)):
        update_collections(config, dataset)
    if failure:
        raise failure
    report_people(people, dataset, args)


def name_trips(config, dataset, args):
    """Name trips. If nothing else is to be done, also list them, and return True."""
    from imagesearch.errors import UserError
    from imagesearch.store import Vocabulary, list_trips, name_trip

    for text in args.trip:
        trip, equals, name = text.partition("=")
        if not equals:
            raise UserError(f'--trip {text}: expected TRIP=NAME, such as 7="Ana\'s wedding"')
        old_name = name_trip(dataset, trip.strip(), name)
        cli.print_note(f"{old_name}: named {name.strip()}" if name.strip() else f"{old_name}: name removed")
    others = (args.split, args.deny, args.name, args.merge, args.forget, args.from_csv, args.show, args.save)
    if any(others) or args.interactive:
        return False
    if not args.no_build:
        update_collections(config, dataset)
        cli.print_trips(list_trips(Vocabulary.read(dataset.folder)), args.json)
    return True


def apply_edits(editor, args):
    """Apply the edits of the command line in order; return whether there are any."""
    for selector in args.split:
        cli.print_note(f"{selector}: split into {editor.split(selector)} people")
        editor.refresh()
    for text in args.deny:
        editor.deny(*parse_assignment(text, "--not"))
    for text in args.name:
        editor.name_person(*parse_assignment(text, "--name"))
    for selectors in args.merge:
        editor.merge(selectors)
    for name in args.forget:
        editor.forget(name)
    if args.from_csv:
        from imagesearch.errors import UserError
        from imagesearch.faces import import_names

        used, unused = import_names(editor, args.from_csv)
        cli.print_note(f"{args.from_csv}: {used} lines used")
        cli.report_failures(unused, args.verbose, "not used")
        if not used:
            raise UserError(f"{args.from_csv}: no line can be used")
    return any((args.split, args.deny, args.name, args.merge, args.forget, args.from_csv))


def parse_assignment(text, option):
    from imagesearch.errors import UserError

    faces, equals, name = text.partition("=")
    if not equals:
        raise UserError(f"{option} {text}: expected FACES=NAME, such as 3=Maya")
    return faces.strip(), name


def ask_names(editor, dataset, args):
    """Show each unnamed person and prompt for a name; an empty line skips, the end of input quits."""
    from imagesearch.errors import UserError
    from imagesearch.figures import show_person

    has_named = False
    for person in editor.people.list_unnamed(args.min_faces):
        show_person(editor.people, person, dataset, args.save, window=not args.no_show)
        question = f"{person.label}, {len(person.rows)} faces; who is this? [name, Enter: skip, q: quit] "
        answer = cli.read_reply(question, default="q")
        if answer.lower() == "q":
            break
        try:
            if answer:
                editor.name_person(str(person.number), answer)
                has_named = True
        except UserError as error:
            cli.print_note(str(error))
    editor.refresh()
    return has_named


def report_people(people, dataset, args):
    from imagesearch.figures import show_people, show_person

    if args.json:
        cli.print_json(people.to_dict())
    else:
        cli.print_people(people, args.min_faces)
    for note in people.list_notes():
        cli.print_note(note)
    if args.show:
        show_person(people, people.find_person(args.show), dataset, args.save, window=not args.no_show)
    elif args.save or not (args.json or args.no_show or args.interactive):
        show_people(people, dataset, args.min_faces, args.save, window=not args.no_show)


def update_collections(config, dataset):
    """Update the names in the collections, if there are any collections."""
    from imagesearch.errors import UserError
    from imagesearch.store import CollectionRef, Store, build_collections

    name = config.dataset.name
    try:
        with Store(config.milvus) as store:
            if all(store.collections.find(CollectionRef(name, kind)) is None for kind in ("faces", "clip")):
                return
            for kind, report in build_collections(config, dataset, store).items():
                cli.print_note(f"{name}_{kind}: {report}")
    except UserError as error:
        advice = "the names are stored; run 05_build_collections.py to update the collections"
        raise UserError(f"{error}; {advice}") from None


if __name__ == "__main__":
    cli.run_script(main)
