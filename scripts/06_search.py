"""Search the photos by a sentence, a photo, a face, or filters, and show them as a grid.

06_search.py maya on the beaches of goa         person, place and picture
06_search.py snow --image beach.jpg             similar to a photo, but with snow
06_search.py --face maya.jpg                    photos of a person
06_search.py --place goa --year 2023            without a text or photo: lists photos, newest first
06_search.py @goa                               a saved query of the config (search.saved)
06_search.py --duplicates                       photos that are stored more than once
06_search.py                                    prompts for one query after another
"""

import os
import sys
from pathlib import Path

from imagesearch import cli

WEIGHT = cli.make_number_reader(0, float("inf"))
# with --duplicates, which compares all photos of the dataset
DUPLICATE_OPTIONS = {
    *("duplicates", "kind", "csv", "json", "paths", "save", "no_show"),
    *("config", "dataset", "set", "verbose"),
}
SAVED_OPTIONS = {"saved", "json", "no_show", "config", "dataset", "set", "verbose"}


def make_parser():
    parser = cli.make_parser(__doc__, usage="%(prog)s [sentence] [options]")
    parser.add_argument(
        "text",
        nargs="*",
        metavar="sentence",
        help="words: maya on the beaches of goa, or @NAME of a saved query",
    )
    query = parser.add_argument_group("query")
    query.add_argument(
        "--image",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="find photos similar to this photo: a file, a path as printed, or a file name; "
        "if repeated, to the mean of the photos",
    )
    query.add_argument("--face", type=Path, metavar="FILE", help="find photos of the person in this photo")
    query.add_argument(
        "--with-itself", action="store_true", help="also show the photos of --image and --face themselves"
    )
    query.add_argument("--plus", action="append", default=[], metavar="TEXT", help="add a text's vector")
    query.add_argument(
        "--minus", action="append", default=[], metavar="TEXT", help="subtract a text's vector"
    )
    query.add_argument(
        "--weight-text", type=WEIGHT, default=1.0, metavar="W", help="weight of the text; default: 1"
    )
    query.add_argument(
        "--weight-image", type=WEIGHT, default=1.0, metavar="W", help="weight of the photos; default: 1"
    )
    query.add_argument(
        "--by", choices=["clip", "vit"], default="clip", help="the model that compares photos; default: clip"
    )
    query.add_argument(
        "--strategy",
        choices=["filter", "union", "hybrid", "semantic"],
        help="how names and dates are used; default: search.strategy",
    )
    query.add_argument("--saved", action="store_true", help="print the saved queries of the config, and end")
    query.add_argument(
        "--strict",
        action="store_true",
        help="do not relax the filter if no photo passes it; fail if words are not understood",
    )
    cli.add_filter_options(parser)
    add_result_options(parser)
    cli.add_duplicate_options(parser)
    cli.add_figure_options(parser)
    return parser


def parse_arguments(parser, arguments):
    return cli.parse_sentence_arguments(parser, cli.join_negative_values(arguments, "--near"))


def add_result_options(parser):
    results = parser.add_argument_group("results")
    results.add_argument(
        "-k",
        type=cli.parse_result_count,
        metavar="N",
        help="maximum number of results; default: search.top_k",
    )
    score, fit = cli.make_number_reader(-1, 1), cli.make_number_reader(0, 1)
    results.add_argument("--min-score", type=score, metavar="S", help="minimum similarity, from -1 to 1")
    results.add_argument(
        "--min-fit", type=fit, metavar="F", help="minimum calibrated score, from 0 to 1 for every query"
    )
    results.add_argument(
        "--sort",
        choices=["score", "date", "oldest"],
        default="score",
        help="relevant photos, newest first (date) or oldest first (oldest)",
    )
    results.add_argument(
        "--collapse", action="store_true", help="show one photo of each burst, and one of several copies"
    )
    output = parser.add_argument_group("output")
    form = output.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--paths", action="store_true", help="print one file per line")
    output.add_argument(
        "--no-header", action="store_true", help="print only the lines of the results, for other programs"
    )
    output.add_argument("--copy-to", type=Path, metavar="DIR", help="copy the photos found to this folder")


def main():
    parser = make_parser()
    args = parse_arguments(parser, sys.argv[1:])
    config = cli.load_config_of(args)
    defaults = vars(parse_arguments(parser, []))
    given = [name for name, value in vars(args).items() if value != defaults[name]]
    if args.saved:
        refuse_unused("--saved prints the saved queries", given, SAVED_OPTIONS)
        cli.print_saved_queries(config.search.saved, args.json)
        return
    if args.duplicates or args.kind or args.csv:
        report_duplicates(config, args, given)
        return
    from imagesearch import open_library

    with open_library(config) as library:
        cli.print_note(library.dataset.undecided_note)
        query = make_query(library, args)
        if query.is_empty:
            prompt_for_queries(parser, library)
        else:
            report_answer(library.search(query), library, args)


def make_query(library, args):
    return library.make_query(
        args.text,
        strategy=args.strategy,
        strict=args.strict,
        image=args.image,
        face=args.face,
        with_itself=args.with_itself,
        by=args.by,
        plus=tuple(args.plus),
        minus=tuple(args.minus),
        weight_text=args.weight_text,
        weight_image=args.weight_image,
        folder=args.under,
        criteria=cli.make_criteria(args),
        top_k=args.k,
        min_score=args.min_score,
        min_fit=args.min_fit,
        sort=args.sort,
        collapse=args.collapse,
    )


def refuse_unused(purpose, given, used):
    """Refuse options that are given and would be ignored."""
    from imagesearch.errors import UserError

    if unused := [name for name in given if name not in used]:
        option = "-k" if unused[0] == "k" else f"--{unused[0].replace('_', '-')}"
        option = "a text" if unused[0] == "text" else option
        raise UserError(f"{purpose}; it does not use {option}")


def report_duplicates(config, args, given):
    from imagesearch.duplicates import find_duplicates
    from imagesearch.errors import UserError
    from imagesearch.figures import show_duplicates
    from imagesearch.pipeline import Dataset

    if not args.duplicates:
        raise UserError("--kind and --csv require --duplicates")
    refuse_unused("--duplicates compares all photos of the dataset", given, DUPLICATE_OPTIONS)
    dataset = Dataset(config)
    groups = find_duplicates(config, dataset, kinds=args.kind, progress=cli.show_progress)
    cli.print_duplicates(groups, args)
    if groups and (args.save or not (args.json or args.paths or args.csv or args.no_show)):
        show_duplicates(groups, dataset, args.save, window=not args.no_show)


def prompt_for_queries(parser, library):
    """Answer lines until one says to quit; "like 3 5" searches with two results of the last answer."""
    from dataclasses import replace

    from imagesearch.errors import UserError
    from imagesearch.search import parse_prompt_line
    from imagesearch.text_table import format_count

    if not library.config.milvus.is_missing:  # it can be built while the prompt is open
        library.open()  # reports an error of Milvus before the first prompt
    last, results = [], []  # the last query and its options; the results shown for it

    def answer_line(line):
        sentence, options = cli.split_options(line, parser)
        with cli.raise_errors(parser):
            args = parse_arguments(parser, [*sys.argv[1:], *options])
        if (count := cli.read_more(sentence, options)) is not None:
            show_more(count)
            return
        if ranks := cli.read_ranks_to_open(sentence, options):
            if not all(1 <= rank <= len(results) for rank in ranks):
                raise UserError(f"{line}: the last answer has {format_count(len(results), 'result')}")
            for rank in ranks:
                cli.open_file(library.fetch_photo(results[rank - 1].path))
            return
        query = parse_prompt_line(sentence, make_query(library, args), results, library.find_photo)
        answer = library.search(query)
        last[:], results[:] = [query, args], answer.results
        report_answer(answer, library, args)

    def show_more(count):
        if not last:
            raise UserError("more: there is no answer yet; type what to find, such as maya in goa")
        query, args = last
        count = count or query.top_k
        answer = library.search(replace(query, top_k=len(results) + count))
        shown = {result.path for result in results}
        others = [result for result in answer.results if result.path not in shown][:count]
        others = [replace(result, rank=len(results) + n) for n, result in enumerate(others, 1)]
        if not others:
            cli.print_note("there are no more results")
            return
        results.extend(others)
        report_answer(replace(answer, results=tuple(others), notes=()), library, args)

    cli.read_queries(answer_line)


def report_answer(answer, library, args):
    for note in answer.notes:
        cli.print_note(cli.add_typed_options(note, args))
    if args.json:
        cli.print_json(answer.to_dict())
    elif args.paths:
        # the bytes of the file system, whatever the encoding of the terminal
        results = answer.present_results
        sys.stdout.buffer.write(b"".join(os.fsencode(result.file) + b"\n" for result in results))
    else:
        cli.print_answer(answer, args.verbose, has_header=not args.no_header)
    if args.copy_to:
        from imagesearch.figures import copy_results

        copy_results(answer.results, args.copy_to, library.dataset)
        cli.print_note(library.dataset.describe_copies(args.copy_to))
    if args.save or not (args.json or args.paths or args.no_show):
        library.show(answer, args.save, window=not args.no_show)


if __name__ == "__main__":
    cli.run_script(main)
