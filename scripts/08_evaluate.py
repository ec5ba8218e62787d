"""Measure how well it works: on photos in categories or with captions, on the index, on a drawn album.

Prints a table, or --json, and draws a figure. Your own collections stay as they are: what is needed besides
is built in a scratch one.
"""

from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    what = parser.add_argument_group("what to measure").add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--labelled",
        type=Path,
        nargs=2,
        metavar=("TRAIN", "VAL"),
        help="folders of photos in categories (a subfolder each, or beach_3.jpeg): each photo of VAL "
        "searches TRAIN",
    )
    what.add_argument(
        "--self",
        type=Path,
        nargs="?",
        const=True,
        metavar="DIR",
        help="each photo searches the collection it is in: of DIR, or the dataset's own",
    )
    what.add_argument("--captions", type=Path, metavar="FILE", help="a CSV with columns path and caption")
    what.add_argument("--index", action="store_true", help="the index against exact search")
    what.add_argument("--truth", type=Path, metavar="FILE", help="ALBUM.truth.json, of a drawn album")
    trial = parser.add_argument_group("with --index")
    trial.add_argument(
        "--types",
        nargs="+",
        choices=("FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"),
        default=[],
        help="indexes to try; default: FLAT, which is exact, and the config's",
    )
    trial.add_argument("--vectors", type=Path, metavar="FILE", help=".npy: vectors in place of the dataset's")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    cli.add_figure_options(parser)
    args = parser.parse_args()
    if (args.types or args.vectors) and not args.index:
        parser.error("--types and --vectors go with --index")
    return args


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    cli.check_figure_file(args.save)
    measures = {
        "labelled": measure_labelled,
        "self": measure_self,
        "captions": measure_captions,
        "index": measure_index,
        "truth": measure_truth,
    }
    name, measure = next((name, measure) for name, measure in measures.items() if getattr(args, name))
    report, draw_report = measure(args, config)
    for note in report.notes:
        cli.print_note(note)
    if args.json:
        cli.print_json(report.to_dict() | {"notes": list(report.notes)})
    else:
        print(report)
    if args.save or not (args.json or args.no_show):
        from imagesearch.figures import report_figure_path, show_figure

        report_figure_path(
            show_figure(draw_report(report), f"evaluate {name}", save=args.save, window=not args.no_show)
        )


def measure_labelled(args, config):
    from imagesearch.evaluate import evaluate_labelled
    from imagesearch.figures import draw_labelled_report

    return evaluate_labelled(config, *args.labelled, progress=cli.show_progress), draw_labelled_report


def measure_self(args, config):
    from imagesearch.evaluate import evaluate_self
    from imagesearch.figures import draw_self_report

    folder = None if args.self is True else args.self
    return evaluate_self(config, folder, progress=cli.show_progress), draw_self_report


def measure_captions(args, config):
    from imagesearch.evaluate import evaluate_captions
    from imagesearch.figures import draw_captions_report

    return evaluate_captions(config, args.captions, progress=cli.show_progress), draw_captions_report


def measure_index(args, config):
    from imagesearch.evaluate import evaluate_index
    from imagesearch.figures import draw_index_report

    report = evaluate_index(config, types=args.types, vectors=args.vectors, progress=cli.show_progress)
    return report, draw_index_report


def measure_truth(args, config):
    from imagesearch_demo.scoring import draw_truth_report, evaluate_truth

    return evaluate_truth(config, args.truth, progress=cli.show_progress), draw_truth_report


if __name__ == "__main__":
    cli.run_script(main)
