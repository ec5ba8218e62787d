"""Draw an album: photos with EXIF metadata in FOLDER, and their ground truth in FOLDER.truth.json."""

import argparse
from pathlib import Path

from imagesearch import cli
from imagesearch.text_table import format_count


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder",
        type=Path,
        help="folder for the photos: a new one, or one with a drawn album, which is replaced",
    )
    parser.add_argument("--photos", type=int, default=240, metavar="N", help="number of photos; default: 240")
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="S",
        help="random seed; the same seed gives the same album; default: 1",
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="W", help="number of drawing processes; default: 2"
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    from imagesearch_demo.album import get_truth_path, make_album

    def show_progress(photos):
        return cli.show_progress(photos, args.photos, label="drawing")

    make_album(args.folder, args.photos, args.seed, workers=args.workers, progress=show_progress)
    print(f"{format_count(args.photos, 'photo')}: {args.folder}; ground truth: {get_truth_path(args.folder)}")


if __name__ == "__main__":
    cli.run_script(main)
