"""Read CLIP and ViT vectors and ViT classes off all photos, each decoded once.

Only what is new or has changed is looked at, so run it again whenever photos have been added.
"""

from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_photo_options(parser)
    parser.add_argument("--only", choices=["clip", "vit"], help="one kind of vectors")
    parser.add_argument("--export-npy", type=Path, metavar="PREFIX", help="also write the vectors as .npy")
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.features import VECTOR_KINDS, check_export_prefix, export_npy, extract_features
    from imagesearch.pipeline import Dataset

    dataset = Dataset(config, args.images)
    cli.print_note(dataset.roots_note)
    if args.export_npy:
        check_export_prefix(args.export_npy)
    summary = extract_features(
        config,
        dataset,
        only=[args.only] if args.only else VECTOR_KINDS,
        retry_failed=args.retry_failed,
        progress=cli.show_progress,
    )
    cli.report_failures(summary.failed, args.verbose)
    if args.json:
        cli.print_json(summary.to_dict())
    else:
        print(f"{config.dataset.name}: {summary}")
    if args.export_npy:
        rows, files = export_npy(dataset, args.export_npy)
        print(f"{rows} rows each: {', '.join(map(str, files))}")


if __name__ == "__main__":
    cli.run_script(main)
