"""Classify photos with the ViT model: print and show the most probable labels of each photo."""

import sys
from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    parser.add_argument(
        "photos",
        type=Path,
        nargs="+",
        metavar="PHOTO",
        help="files, folders, or photos as 06_search.py prints them",
    )
    count = cli.parse_label_count
    parser.add_argument("-k", type=count, default=5, metavar="N", help="number of labels; default: 5")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    cli.add_figure_options(parser)
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.features import Classification, classify_photos, list_photo_files
    from imagesearch.figures import show_classifications
    from imagesearch.pipeline import Dataset

    files, left_out = list_photo_files(args.photos, Dataset(config))
    results = list(
        cli.show_progress(classify_photos(config, files, args.k), len(files) if len(files) > 1 else 0)
    )
    results += [Classification(path, error=reason) for path, reason in left_out.items()]
    if args.json:
        cli.print_json({"results": [result.to_dict() for result in results]})
    else:
        cli.print_classes(results)
    good = [result for result in results if not result.error]
    if good and (args.save or not (args.json or args.no_show)):
        show_classifications(good, config.extraction.max_megapixels, args.save, window=not args.no_show)
    if not good:
        print("no photo could be read", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    cli.run_script(main)
