"""Run steps 01, 02, 04 and 05: from a folder of photos to collections that 06_search.py can search.

Only new and changed photos are processed. Run it again after adding photos.
"""

import sys

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_photo_options(parser)
    return cli.parse_photo_options(parser)


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch import open_library

    change = cli.choose_folder_change(args, config)
    with open_library(config, images=args.images or (), change=change) as library:
        cli.print_note(library.dataset.roots_note)
        lines = []
        try:
            summary = library.update(
                retry_failed=args.retry_failed,
                refresh=args.refresh,
                progress=cli.show_progress,
                report=lines.append,
            )
        except BaseException:  # also Ctrl-C: the steps before it are done
            print(*lines, sep="\n", end="\n" * bool(lines), file=sys.stderr if args.json else sys.stdout)
            raise
    cli.report_failures(summary.failed, args.verbose)
    cli.report_failures(summary.skipped, args.verbose, "skipped")
    if args.verbose:
        remarks = {path: "; ".join(lines) for path, lines in summary.geo.remarks.items()}
        cli.report_failures(summary.damaged | remarks, True, "remark")
    for note in summary.notes:
        cli.print_note(note)
    if args.json:
        cli.print_json(summary.to_dict())
    else:
        print(summary)


if __name__ == "__main__":
    cli.run_script(main, is_step=True)
