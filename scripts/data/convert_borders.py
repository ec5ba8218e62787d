"""Convert the borders of countries from the npm package @rapideditor/country-coder for step 04.

npm pack @rapideditor/country-coder@5.6.1
tar -xf rapideditor-country-coder-5.6.1.tgz
python scripts/data/convert_borders.py package/src/data/borders.json
"""

import argparse
from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="borders.json of country-coder")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the file to write; default: the one of step 04"
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    from imagesearch.geo import convert_borders

    print(convert_borders(args.source, args.output))


if __name__ == "__main__":
    cli.run_script(main)
