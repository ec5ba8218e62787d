"""Convert the borders of countries from the npm package @rapideditor/country-coder for step 04.

npm pack @rapideditor/country-coder@5.6.1
tar -xf rapideditor-country-coder-5.6.1.tgz
python scripts/data/convert_borders.py package/src/data/borders.json
"""

from imagesearch import cli


def main():
    args = cli.parse_conversion(__doc__, "borders.json of country-coder", "step 04")
    from imagesearch.geo import convert_borders

    print(convert_borders(args.source, args.output))


if __name__ == "__main__":
    cli.run_script(main)
