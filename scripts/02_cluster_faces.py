"""Detect the faces in all photos and cluster them: each cluster is one person.

Only new and changed photos are processed. Then all faces are clustered again, following your edits in
03_name_people.py.
"""

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_photo_options(parser)
    parser.add_argument("--show", metavar="PHOTO", help="draw a photo with a box and a name on each face")
    cli.add_figure_options(parser)
    return cli.parse_photo_options(parser)


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.faces import cluster_people, detect_faces, load_people

    dataset = cli.open_dataset(config, args)
    if args.show:
        return show_photo(load_people(config, dataset), dataset, args)
    summary = detect_faces(config, dataset, retry_failed=args.retry_failed, progress=cli.show_progress)
    cli.report_photos(summary.failed, summary.damaged, args.verbose)
    people = cluster_people(config, dataset)
    if args.json:
        cli.print_json(summary.to_dict() | people.to_dict())
    else:
        print(f"{config.dataset.name}: {summary}")
        print(people)
    for note in people.list_notes(verbose=args.verbose):
        cli.print_note(note)
    return 0


def show_photo(people, dataset, args):
    from imagesearch.figures import show_photo_faces

    show_photo_faces(people, dataset, args.show, args.save, window=not args.no_show)
    return 0


if __name__ == "__main__":
    cli.run_script(main, is_step=True)
