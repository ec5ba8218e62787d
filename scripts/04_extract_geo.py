"""Read position, time and camera from the metadata of all photos, and look up their addresses.

Only new and changed photos are read. Addresses are looked up in every run, with the config's geo.geocoder.
"""

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_photo_options(parser)
    parser.add_argument(
        "--map",
        type=cli.make_figure_reader("map.png"),
        nargs="?",
        const="outputs/map.png",
        metavar="FILE",
        help="draw a map of the photos and save it, in a file or a folder; default: outputs/map.png",
    )
    parser.add_argument("--no-show", action="store_true", help="do not open a window")
    return cli.parse_photo_options(parser)


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.geo import extract_geo

    dataset = cli.open_dataset(config, args)
    summary = extract_geo(config, dataset, retry_failed=args.retry_failed, progress=cli.show_progress)
    remarks = {path: "; ".join(lines) for path, lines in summary.remarks.items()}
    cli.report_photos(summary.photos.failed, remarks, args.verbose)
    cli.print_note(summary.note)
    if args.json:
        cli.print_json(summary.to_dict())
    else:
        print(f"{config.dataset.name}: {summary}")
    if args.map:
        from imagesearch.figures import show_geo_map
        from imagesearch.geo import read_locations

        show_geo_map(read_locations(dataset), config.dataset.name, args.map, window=not args.no_show)


if __name__ == "__main__":
    cli.run_script(main, is_step=True)
