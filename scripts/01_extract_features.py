"""Extract CLIP vectors, ViT vectors and ViT classes from all photos.

Each photo is decoded once. Only new and changed photos are processed: run it again after adding photos, or
use --watch, which runs all steps whenever photos are added, changed, moved or deleted.
"""

import sys
from pathlib import Path

from imagesearch import cli
from imagesearch.text_table import format_count


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_photo_options(parser)
    parser.add_argument("--only", choices=["clip", "vit"], help="extract only these vectors")
    parser.add_argument(
        "--export-npy",
        type=Path,
        metavar="PREFIX",
        help="also write the vectors to PREFIX_clip.npy and PREFIX_vit.npy; with --only, of this kind",
    )
    parser.add_argument(
        "--thumbnails",
        action="store_true",
        help="also make the thumbnails that 09_web_app.py shows; without it, each is made when first seen",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="run all steps, 01 to 05, now and after each change in the folders, until Ctrl-C",
    )
    args = cli.parse_photo_options(parser)
    others = ("only", "export_npy", "thumbnails", "json", "refresh")
    if args.watch and (given := [f"--{name.replace('_', '-')}" for name in others if getattr(args, name)]):
        parser.error(f"argument --watch: cannot be combined with {given[0]}")
    return args


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    if args.watch:
        watch(args, config)
        return
    from imagesearch.features import VECTOR_KINDS, check_export_prefix, export_npy, extract_features

    dataset = cli.open_dataset(config, args)
    if args.export_npy:
        check_export_prefix(args.export_npy)
    kinds = [args.only] if args.only else VECTOR_KINDS
    summary = extract_features(
        config,
        dataset,
        only=kinds,
        retry_failed=args.retry_failed,
        progress=cli.show_progress,
    )
    cli.report_photos(summary.failed, summary.damaged, args.verbose)
    if not args.json:
        print(f"{config.dataset.name}: {summary}", flush=True)
    numbers = summary.to_dict()
    if args.thumbnails:
        numbers["thumbnails"] = make_thumbnails_of(dataset, args)
    if args.json:
        cli.print_json(numbers)
    if args.export_npy:
        rows, files = export_npy(dataset, args.export_npy, kinds)
        count = format_count(rows, "row")
        print(f"{count} each: {', '.join(map(str, files))}", file=sys.stderr if args.json else sys.stdout)


def watch(args, config):
    """Run all steps now and after each change; print a line for each batch."""
    import time

    from imagesearch.workflow import watch_photos

    def report(summary):
        cli.report_failures(summary.failed, args.verbose)
        print(f"{time.strftime('%X')} {config.dataset.name}: {summary}", flush=True)

    watch_photos(
        config,
        cli.open_dataset(config, args, keep_missing_roots=True),
        retry_failed=args.retry_failed,
        progress=cli.show_progress,
        report=report,
        note=cli.print_note,
    )


def make_thumbnails_of(dataset, args):
    """Make the thumbnails and report them; return the numbers for --json."""
    from imagesearch.pipeline import make_thumbnails

    summary = make_thumbnails(dataset, cli.show_progress)
    cli.report_failures(summary.failed, args.verbose, "no thumbnail")
    if not args.json:
        print(f"{dataset.config.dataset.name}: thumbnails: {summary}")
    return summary.to_dict()


if __name__ == "__main__":
    cli.run_script(main, is_step=True)
