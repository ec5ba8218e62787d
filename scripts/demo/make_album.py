"""Draw an album: photos with EXIF in FOLDER, and the truth about them in FOLDER.truth.json."""

import argparse
from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new folder for the photos, or one with an earlier album")
    parser.add_argument("--photos", type=int, default=240, metavar="N", help="how many; default: 240")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="same seed, same album; default: 1")
    parser.add_argument("--workers", type=int, default=2, metavar="W", help="processes that draw; default: 2")
    return parser.parse_args()


def main():
    args = parse_arguments()
    from imagesearch_demo.album import get_truth_path, make_album

    def show_progress(photos):
        return cli.show_progress(photos, args.photos, label="drawing")

    make_album(args.folder, args.photos, args.seed, workers=args.workers, progress=show_progress)
    print(f"{args.photos} photos in {args.folder}, the truth about them in {get_truth_path(args.folder)}")


if __name__ == "__main__":
    cli.run_script(main)
