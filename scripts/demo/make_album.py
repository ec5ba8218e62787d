"""Draw an album: photos with EXIF in FOLDER, and the truth about them in FOLDER.truth.json."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new folder for the photos, or one with an earlier album")
    parser.add_argument(
        "--photos", type=int, default=240, metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="same seed, same album (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="W", help="processes that draw (default: %(default)s)"
    )
    args = parser.parse_args()

    from functools import partial

    from tqdm import tqdm

    from imagesearch.demo.album import AlbumError, make_album, truth_path

    bar = partial(tqdm, total=args.photos, desc="drawing", unit="photo", disable=None)
    try:
        make_album(args.folder, args.photos, args.seed, workers=args.workers, progress=bar)
    except (AlbumError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"{args.photos} photos in {args.folder}, the truth about them in {truth_path(args.folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
