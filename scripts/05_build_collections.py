"""Bring the Milvus collections up to date with the results of steps 01 to 04.

Run it after each run of 01, 02 or 04, and after 03 with --no-build.
"""

import json
from pathlib import Path

from imagesearch import cli
from imagesearch.text_table import format_count

_STALE = ("photo is new or has changed", "photos are new or have changed")
_UNLOCATED = ("photo has a position and no address yet", "photos have a position and no address yet")


def parse_arguments():
    parser = cli.make_parser(__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--rebuild", action="store_true", help="build new collections, then replace the old ones"
    )
    what.add_argument("--list", action="store_true", help="list the collections of all datasets")
    what.add_argument("--trips", action="store_true", help="list the trips that the last update found")
    what.add_argument(
        "--drop", action="store_true", help="drop the dataset's collections, after confirmation"
    )
    parser.add_argument(
        "--to",
        type=cli.parse_milvus_uri,
        metavar="URI",
        help="use this Milvus in place of milvus.uri of the config: http://host:19530, or a path (*.db)",
    )
    parser.add_argument("--yes", action="store_true", help="skip the confirmation")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    vectors = parser.add_argument_group("vectors of another program, as a dataset of their own (-n NAME)")
    vectors.add_argument(
        "--from-npy",
        type=Path,
        metavar="FILE.npy",
        help="build the collection from this matrix, one row per photo",
    )
    vectors.add_argument(
        "--paths", type=Path, metavar="FILE.txt", help="the photos of its rows, one path per line"
    )
    look = parser.add_argument_group("figures, drawn after the update")
    add_figure_option(
        look,
        "--map",
        "vectors.png",
        "map of the CLIP vectors with thumbnails: similar photos are close together",
    )
    look.add_argument("--tsne", action="store_true", help="project the vectors by t-SNE instead of PCA")
    add_figure_option(look, "--timeline", "timeline.png", "photos by month and person")
    look.add_argument("--no-show", action="store_true", help="do not open a window")
    args = parser.parse_args()
    if (args.list or args.drop or args.trips) and (args.map or args.timeline):
        parser.error("--map and --timeline cannot be combined with --list, --trips and --drop")
    if args.trips and args.to is not None:
        parser.error("--to cannot be combined with --trips: trips are read from the dataset's tables")
    if args.yes and not args.drop:
        parser.error("--yes requires --drop")
    if args.tsne and not args.map:
        parser.error("--tsne requires --map")
    if args.from_npy and (args.list or args.drop or args.trips):
        parser.error("--from-npy cannot be combined with --list, --trips and --drop")
    if args.from_npy and not (args.paths and args.dataset):
        parser.error("--from-npy requires --paths FILE.txt and -n NAME")
    if args.from_npy and args.timeline:
        parser.error("--from-npy cannot be combined with --timeline: imported photos have no dates")
    if args.paths and not args.from_npy:
        parser.error("--paths requires --from-npy")
    return args


def add_figure_option(group, option, name, what):
    where = {
        "type": cli.make_figure_reader(name),
        "nargs": "?",
        "const": f"outputs/{name}",
        "metavar": "FILE",
    }
    group.add_argument(option, **where, help=f"{what}; default: outputs/{name}")


def main():
    args = parse_arguments()
    if args.to is not None:
        args.set = [*args.set, f"milvus.uri={json.dumps(args.to)}"]
    config = cli.load_config_of(args)
    from imagesearch.pipeline import Dataset
    from imagesearch.store import Store, Vocabulary, build_collections, check_before_build, list_trips

    if args.from_npy:
        return import_vectors(config, args)
    if args.trips:
        dataset = Dataset(config)
        dataset.refuse_imported()
        return cli.print_trips(list_trips(Vocabulary.read(dataset.folder)), args.json)
    if args.list or args.drop:
        # without the database, --drop can still remove the record of imported vectors
        create = args.drop and Dataset(config).imported is not None
        with Store(config.milvus, create=create) as store:
            if args.list:
                return print_collections(store, args.json)
            return drop_collections(store, config, args)
    dataset = Dataset(config)
    check_before_build(config, dataset)
    with Store(config.milvus) as store:
        cli.print_note(dataset.roots_note)
        reports = build_collections(config, dataset, store, args.rebuild, cli.show_progress)
        report_builds(config, dataset, reports, args)
        show_figures(dataset, store, args)
    return 0


def import_vectors(config, args):
    from imagesearch.pipeline import Dataset
    from imagesearch.store import Store, build_imported, read_npy_vectors

    vectors = read_npy_vectors(config, args.from_npy, args.paths, cli.show_progress)
    with Store(config.milvus) as store:
        report = build_imported(config, vectors, store, args.rebuild, cli.show_progress)
        cli.report_failures(report.skipped, args.verbose, "skipped")
        cli.report_failures(dict.fromkeys(vectors.missing, "no such file"), args.verbose, "missing")
        for note in vectors.notes:
            cli.print_note(note)
        if args.json:
            cli.print_json({"clip": report.to_dict(), **vectors.to_dict()})
        else:
            print(f"{config.dataset.name}_clip: {report}", flush=True)
        show_figures(Dataset(config), store, args)
    return 0


def report_builds(config, dataset, reports, args):
    from imagesearch.geo import count_without_address
    from imagesearch.store import STEP_SCRIPTS, read_list_columns

    cli.print_note(read_list_columns(dataset).note)
    for kind, report in reports.items():
        cli.report_failures(report.skipped, args.verbose, "skipped")
        if report.waiting:
            cli.print_note(f"{kind}: {format_count(report.waiting, *_STALE)}; run {STEP_SCRIPTS[kind]}")
        for line in report.undone:
            cli.print_note(line)
    if dataset.open_table("geo").folder.is_dir() and (waiting := dataset.count_waiting("geo")):
        cli.print_note(f"geo: {format_count(waiting, *_STALE)}; run 04_extract_geo.py")
    if unlocated := count_without_address(dataset):
        cli.print_note(f"geo: {format_count(unlocated, *_UNLOCATED)}; run 04_extract_geo.py")
    if args.json:
        cli.print_json({kind: report.to_dict() for kind, report in reports.items()})
    else:
        for kind, report in reports.items():
            print(f"{config.dataset.name}_{kind}: {report}", flush=True)


def show_figures(dataset, store, args):
    from imagesearch.figures import show_timeline, show_vector_map

    window = not args.no_show
    if args.map:
        show_vector_map(dataset, store, args.map, window, tsne=args.tsne, progress=cli.show_progress)
    if args.timeline:
        show_timeline(dataset, store, args.timeline, window)


def print_collections(store, as_json):
    collections = store.collections.list_all()
    if as_json:
        cli.print_json({"collections": [collection.to_dict() for collection in collections]})
        return
    print(f"{'dataset':<20} {'kind':<6} {'rows':>8} {'MB':>7} {'size':>5} {'index':<9} {'state':<9} model")
    for c in collections:
        print(
            f"{c.ref.dataset:<20} {c.ref.kind:<6} {c.rows:>8,} {c.megabytes:>7.1f} {c.dimension:>5} "
            f"{c.index.type:<9} {c.state:<9} {c.model.removeprefix(f'{Path.cwd()}/')}"
        )
    if not collections:
        print(f"none in {store.uri}")


def drop_collections(store, config, args):
    from imagesearch.pipeline import Dataset
    from imagesearch.store import drop_dataset, list_drop_targets

    is_imported = Dataset(config).imported is not None
    forget_import = args.to is None
    targets = found = list_drop_targets(config, store, forget_import=forget_import)
    question = f"drop {', '.join(targets)} from {store.uri}? [y/N] "
    if targets and not args.yes and cli.read_reply(question).lower() != "y":
        targets = []
    dropped = drop_dataset(config, store, forget_import=forget_import) if targets else []
    if args.json:
        cli.print_json({"dropped": dropped})
    elif targets:
        source = "05 --from-npy" if is_imported else "the tables are kept; 05"
        what = "it" if is_imported else "the collections from them"
        print(f"dropped {', '.join(targets)}; {source} can build {what} again")
    elif not found:
        others = sorted({collection.ref.dataset for collection in store.collections.list_all()})
        hint = f"; it has {', '.join(others)}" if others else ""
        print(f"nothing dropped: {store.uri} has no collection of {config.dataset.name}{hint}")
    else:
        print("nothing dropped")
    return 0


if __name__ == "__main__":
    cli.run_script(main, is_step=True)
