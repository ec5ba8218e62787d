"""Run steps 01, 02, 04 and 05 in order: from photos to collections that 06_search.py can search.

Each step looks only at what is new or has changed, so run it again whenever photos have been added.
"""

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_photo_options(parser)
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.pipeline import Dataset
    from imagesearch.workflow import run_steps

    dataset = Dataset(config, args.images)
    cli.print_note(dataset.roots_note)
    summary = run_steps(config, dataset, retry_failed=args.retry_failed, progress=cli.show_progress)
    cli.report_failures(summary.failed, args.verbose)
    cli.report_failures(summary.skipped, args.verbose, "skipped")
    if args.verbose:
        remarks = {path: "; ".join(lines) for path, lines in summary.geo.remarks.items()}
        cli.report_failures(remarks, True, "remark")
    for note in summary.notes:
        cli.print_note(note)
    if args.json:
        cli.print_json(summary.to_dict())
    else:
        print(summary)


if __name__ == "__main__":
    cli.run_script(main)
