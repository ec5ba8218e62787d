"""Look at the people that 02 found; name, merge, split and forget them.

Without options it lists everybody, those with most faces first, and draws a row of faces for each. FACES is
a PERSON's number or name (3, Maya); for --name and --not also single faces, by their numbers in the drawing
(3.1,3.4). What you decide is kept for good: new photos, another clustering and another model obey it.
"""

from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    edits = parser.add_argument_group("decisions, carried out in this order")
    edits.add_argument(
        "--split", action="append", default=[], metavar="PERSON", help="not one person: part them"
    )
    edits.add_argument(
        "--not", action="append", default=[], dest="deny", metavar="FACES=NAME", help="not them"
    )
    edits.add_argument("--name", action="append", default=[], metavar="FACES=NAME", help="this is NAME")
    edits.add_argument(
        "--merge", action="append", nargs="+", default=[], metavar="PERSON", help="all one person"
    )
    edits.add_argument("--forget", action="append", default=[], metavar="NAME", help="take a name away")
    edits.add_argument("--from-csv", type=Path, metavar="FILE", help="names by columns: see README")
    edits.add_argument("--interactive", action="store_true", help="show one after another, and ask for names")
    edits.add_argument(
        "--no-build", action="store_true", help="leave Milvus as it is; 05 brings it up to date"
    )
    look = parser.add_argument_group("looking")
    look.add_argument("--show", metavar="PERSON", help="draw all faces of one person")
    look.add_argument(
        "--min-faces", type=int, default=2, metavar="N", help="list who has so many; default: 2"
    )
    look.add_argument("--json", action="store_true", help="print the people as one JSON object")
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
    editor = PeopleEditor(config, dataset)
    has_edits, failure = True, None
    is_stale = editor.stale
    try:
        has_edits = apply_edits(editor, args)
    except UserError as error:
        failure = error  # the edits before it count
    people = editor.refresh()
    if args.interactive and not failure:
        has_edits = ask_names(editor, dataset, args) or has_edits
        people = editor.people
    if not args.no_build and (has_edits or is_stale or has_pending_edits(dataset)):
        update_collections(config, dataset)
    if failure:
        raise failure
    report_people(people, dataset, args)


def apply_edits(editor, args):
    """Apply the edits of the command line in order; return whether there are any."""
    for reference in args.split:
        cli.print_note(f"{reference}: parted into {editor.split(reference)}")
        editor.refresh()
    for text in args.deny:
        editor.deny(*parse_assignment(text, "--not"))
    for text in args.name:
        editor.name_person(*parse_assignment(text, "--name"))
    for references in args.merge:
        editor.merge(references)
    for name in args.forget:
        editor.forget(name)
    if args.from_csv:
        from imagesearch.errors import UserError
        from imagesearch.faces import import_names

        named, unused = import_names(editor, args.from_csv)
        cli.print_note(f"{args.from_csv}: {named} lines used")
        cli.report_failures(unused, args.verbose, "not used")
        if not named:
            raise UserError(f"{args.from_csv}: no line could be used")
    return any((args.split, args.deny, args.name, args.merge, args.forget, args.from_csv))


def parse_assignment(text, option):
    from imagesearch.errors import UserError

    faces, equals, name = text.partition("=")
    if not equals:
        raise UserError(f"{option} {text}: FACES=NAME is wanted, such as 3=Maya")
    return faces.strip(), name


def ask_names(editor, dataset, args):
    """Show each unnamed person and ask for a name; an empty line skips, the end of input ends."""
    from imagesearch.errors import UserError
    from imagesearch.figures import show_person

    has_named = False
    for person in editor.people.list_unnamed(args.min_faces):
        show_person(editor.people, person, dataset, args.save, window=not args.no_show)
        question = f"{person.label}, {len(person.rows)} faces; who is this? [name, Enter: skip, q: end] "
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
    """Bring the names in the collections up to date, if there are any collections."""
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
        kept = "the names are kept, and reach the collections with the next 05_build_collections.py"
        raise UserError(f"{error}; {kept}") from None


if __name__ == "__main__":
    cli.run_script(main)
