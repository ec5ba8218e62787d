"""Measure the quality of the search: on labelled photos, captions, the index, or a drawn album.

Print a table, or JSON with --json, and draws a figure. Your own collections are not changed: other photos
are indexed in temporary collections.
"""

from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    evaluations = parser.add_argument_group("evaluation").add_mutually_exclusive_group(required=True)
    evaluations.add_argument(
        "--labelled",
        type=Path,
        nargs=2,
        metavar=("TRAIN", "VAL"),
        help="each photo of VAL searches TRAIN; both are folders of photos in categories, given by subfolder "
        "or file name (beach_3.jpeg)",
    )
    evaluations.add_argument(
        "--self",
        type=Path,
        nargs="?",
        const=True,
        metavar="DIR",
        help="each photo searches for itself: in the dataset's collections, or in a temporary one of DIR",
    )
    evaluations.add_argument(
        "--captions",
        type=Path,
        metavar="FILE",
        help="captions search photos, and photos captions; FILE is a CSV with the columns path and caption",
    )
    evaluations.add_argument("--index", action="store_true", help="compare the index with exact search")
    evaluations.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="compare a drawn album with its ground truth, ALBUM.truth.json",
    )
    index_options = parser.add_argument_group("options of --index")
    index_options.add_argument(
        "--types",
        nargs="+",
        choices=("FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"),
        default=[],
        help="index types to measure; default: FLAT, which is exact, and the config's",
    )
    index_options.add_argument(
        "--vectors", type=Path, metavar="FILE", help="a .npy file of vectors to use instead of the dataset's"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    cli.add_figure_options(parser)
    args = parser.parse_args()
    if (args.types or args.vectors) and not args.index:
        parser.error("--types and --vectors require --index")
    return args


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    cli.check_figure_file(args.save)
    evaluations = {
        "labelled": measure_labelled,
        "self": measure_self,
        "captions": measure_captions,
        "index": measure_index,
        "truth": measure_truth,
    }
    name, measure = next((name, measure) for name, measure in evaluations.items() if getattr(args, name))
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
