"""Search the photos: by a text, a photo, or both; filters alone list photos, newest first.

Without any of these it asks for a query again and again.
"""

import os
import sys
from pathlib import Path

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    parser.add_argument("text", nargs="?", default="", help='"maya on the beaches of goa", "a red boat"')
    parser.add_argument(
        "--strategy", choices=["filter", "hybrid", "semantic"], help="default: search.strategy"
    )
    parser.add_argument("--strict", action="store_true", help="show nothing else when no photo passes")
    parser.add_argument("--image", type=Path, metavar="FILE", help="a photo that they are like")
    parser.add_argument("--face", type=Path, metavar="FILE", help="a photo of somebody who is in them")
    parser.add_argument("--by", choices=["clip", "vit"], default="clip", help="whose vectors; default: clip")
    parser.add_argument("--plus", action="append", default=[], metavar="TEXT", help="add to the query")
    parser.add_argument("--minus", action="append", default=[], metavar="TEXT", help="take from the query")
    parser.add_argument("--weight-text", type=float, default=1.0, metavar="W", help="default: 1")
    parser.add_argument("--weight-image", type=float, default=1.0, metavar="W", help="default: 1")
    parser.add_argument("-k", type=cli.parse_result_count, metavar="N", help="results; default: search.top_k")
    parser.add_argument("--min-score", type=float, metavar="S", help="leave out what scores less")
    parser.add_argument("--min-fit", type=float, metavar="F", help="calibrated, 0 to 1, for any query alike")
    parser.add_argument("--sort", choices=["score", "date"], default="score", help="of the relevant ones")
    parser.add_argument("--collapse", action="store_true", help="one photo of a burst, with the count")
    cli.add_filter_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print one JSON object")
    output.add_argument("--paths", action="store_true", help="print one file a line")
    output.add_argument("--copy-to", type=Path, metavar="DIR", help="copy the photos found")
    cli.add_figure_options(parser)
    return parser.parse_args(cli.join_negative_values(sys.argv[1:], "--near"))


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.pipeline import Dataset
    from imagesearch.search import Searcher
    from imagesearch.store import Store

    query = make_query(args, config)
    with Store(config.milvus) as store:
        searcher = Searcher(config, Dataset(config), store)
        if query.has_vector or query.face or query.minus or query.has_filter:
            report_answer(searcher.search(query), searcher, args)
        else:
            answer_queries(query, searcher, args)


def make_query(args, config):
    from imagesearch.search import Query

    return Query(
        text=args.text,
        strategy=args.strategy or config.search.strategy,
        strict=args.strict,
        image=args.image,
        face=args.face,
        by=args.by,
        plus=tuple(args.plus),
        minus=tuple(args.minus),
        weight_text=args.weight_text,
        weight_image=args.weight_image,
        folder=args.under,
        criteria=cli.make_criteria(args),
        top_k=config.search.top_k if args.k is None else args.k,
        min_score=config.search.min_score if args.min_score is None else args.min_score,
        min_fit=config.search.min_fit if args.min_fit is None else args.min_fit,
        sort=args.sort,
        collapse=args.collapse,
    )


def answer_queries(template, searcher, args):
    """Ask for queries; "like 3" searches with the third result of the last one."""
    last = []

    def answer_query(line):
        answer = searcher.search(template.with_line(line, last))
        last[:] = answer.results
        report_answer(answer, searcher, args)

    cli.read_queries(answer_query)


def report_answer(answer, searcher, args):
    from imagesearch.figures import copy_results, show_answer

    for note in answer.notes:
        cli.print_note(note)
    if args.json:
        cli.print_json(answer.to_dict())
    elif args.paths:
        # as the bytes that the disk knows, whatever the terminal's encoding
        sys.stdout.buffer.write(b"".join(os.fsencode(result.file) + b"\n" for result in answer.results))
    else:
        cli.print_answer(answer)
    if args.copy_to:
        copy_results(answer.results, args.copy_to)
    if args.save or not (args.json or args.paths or args.no_show):
        show_answer(answer, searcher.dataset, args.save, window=not args.no_show)


if __name__ == "__main__":
    cli.run_script(main)
