"""Convert the coasts of Natural Earth from the npm package world-atlas for the map of step 04.

npm pack world-atlas@2.0.2
tar -xf world-atlas-2.0.2.tgz
python scripts/data/convert_coasts.py package/land-10m.json
"""

import argparse
from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="land-10m.json of world-atlas")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the file to write; default: the one of the map"
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    from imagesearch.geo import convert_coasts

    print(convert_coasts(args.source, args.output))


if __name__ == "__main__":
    cli.run_script(main)
