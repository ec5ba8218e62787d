"""Convert the coasts of Natural Earth from the npm package world-atlas for the map of step 04.

npm pack world-atlas@2.0.2
tar -xf world-atlas-2.0.2.tgz
python scripts/data/convert_coasts.py package/land-10m.json
"""

from imagesearch import cli


def main():
    args = cli.parse_conversion(__doc__, "land-10m.json of world-atlas", "the map")
    from imagesearch.geo import convert_coasts

    print(convert_coasts(args.source, args.output))


if __name__ == "__main__":
    cli.run_script(main)
