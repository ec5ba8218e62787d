"""Options that several scripts have, and the parser of the command line."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from imagesearch.cli.console import print_note, read_reply
from imagesearch.cli.option_values import (
    make_number_reader,
    parse_face_count,
    parse_figure_path,
    parse_port,
    parse_year,
)
from imagesearch.errors import UserError

if TYPE_CHECKING:
    from imagesearch.config import Config
    from imagesearch.pipeline import Dataset, FolderChange, OtherFoldersError
    from imagesearch.query import Criteria


class _Parser(argparse.ArgumentParser):
    """A parser that reports a wrong option or value in one line on stderr, without its usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {self._explain(message)}\n")

    def _explain(self, message: str) -> str:
        """Return a message of argparse in the words of this program; similar names are suggested."""
        message = re.sub(r"\bargument (?=-)", "", message)
        if choice := re.fullmatch(r"(.+): invalid choice: '?(.*?)'? \(choose from (.+)\)", message):
            names = choice[3].replace("'", "").split(", ")
            expected = f"{', '.join(names[:-1])} or {names[-1]}"
            return f"{choice[1]} {choice[2]}: expected {expected}{suggest(choice[2], names)}"
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown is None or ";" in message:
            return message
        options = [name for name in self._option_string_actions if name.startswith("--")]
        hint = suggest(unknown[1].partition("=")[0], options) if unknown[1].startswith("--") else ""
        return f"{message}{hint or '; --help lists the options'}"


def suggest(typed: str, names: Sequence[str]) -> str:
    """Return a hint at the name that is most similar to the typed one; empty if none is."""
    from imagesearch.text import find_similar

    similar = find_similar(typed, names, min_ratio=0.75)
    return f"; did you mean {similar[0]}?" if similar else ""


def make_parser(description: str, usage: str | None = None) -> argparse.ArgumentParser:
    """Return a parser with the options that every script has."""
    parser = _Parser(
        description=description.strip(), usage=usage, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    group = parser.add_argument_group("configuration")
    group.add_argument("-c", "--config", default="config.yaml", metavar="FILE", help="default: config.yaml")
    group.add_argument("-n", "--dataset", metavar="NAME", help="replaces dataset.name")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="replaces a setting of the config; can be repeated",
    )
    group.add_argument("-v", "--verbose", action="store_true", help="print more details")
    return parser


def parse_conversion(description: str, source: str, reader: str) -> argparse.Namespace:
    """Parse the arguments of a script of ``scripts/data/`` that converts a file of another project.

    Parameters
    ----------
    description
        The script's docstring.
    source
        What is converted.
    reader
        What reads the file that is written by default.
    """
    from pathlib import Path

    parser = _Parser(description=description.strip(), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help=source)
    help_text = f"the file to write; default: the one of {reader}"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=help_text)
    return parser.parse_args()


def add_photo_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the scripts that process photos."""
    from pathlib import Path

    parser.add_argument(
        "folders",
        type=Path,
        nargs="*",
        metavar="DIR",
        help="folders or lists (photos.csv) of photos, instead of dataset.images; stored for later steps",
    )
    parser.add_argument(
        "-i",
        "--images",
        type=Path,
        nargs="+",
        action="extend",
        metavar="DIR",
        help="the same as DIR; stored for later steps",
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--add", action="store_true", help="use other folders besides those used so far")
    other.add_argument(
        "--replace",
        action="store_true",
        help="use only other folders; photos of those used so far are removed from tables and collections",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="process photos again if they failed in an earlier run"
    )
    parser.add_argument(
        "--refresh", action="store_true", help="ask for the downloaded photos of a list again, if changed"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def parse_photo_options(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the options of a script that processes photos; ``images`` has all folders given, or is None."""
    args = parser.parse_intermixed_args()
    args.images = [*args.folders, *(args.images or ())] or None
    return args


def choose_folder_change(args: argparse.Namespace, config: Config) -> FolderChange:
    """Return what to do if other folders than those used so far are given, or are named in the config.

    On a terminal, the user decides.
    """
    from imagesearch.pipeline import OtherFoldersError, choose_roots, load_roots

    refused = None if args.images else load_roots(config).refused
    if args.add or args.replace:
        if not args.images and refused is None:
            option = "--add" if args.add else "--replace"
            raise UserError(f"{option} requires a folder of photos, or a change of dataset.images")
        return "add" if args.add else "replace"
    try:
        if refused is not None:
            raise refused
        if args.images:
            choose_roots(config, args.images)
    except OtherFoldersError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        return _ask_about_folders(error)
    return ""


def open_dataset(config: Config, args: argparse.Namespace, *, keep_missing_roots: bool = False) -> Dataset:
    """Return the dataset with the photos of the options of `add_photo_options`, and print a note on them.

    See `Dataset` for `keep_missing_roots`.
    """
    from imagesearch.pipeline import Dataset

    change = choose_folder_change(args, config)
    dataset = Dataset(
        config, args.images, change=change, refresh=args.refresh, keep_missing_roots=keep_missing_roots
    )
    print_note(dataset.roots_note)
    return dataset


def _ask_about_folders(error: OtherFoldersError) -> FolderChange:
    print(error.situation, file=sys.stderr)
    while True:
        reply = read_reply("[r]eplace them, [a]dd the new folders, or [s]top? ", "s").lower()
        if reply in ("r", "replace"):
            return "replace"
        if reply in ("a", "add"):
            return "add"
        if reply in ("s", "stop", "q", "quit", "n", "no", ""):
            raise UserError("stopped; nothing has been changed")


def add_server_options(
    parser: argparse.ArgumentParser, host_help: str, *, port: int
) -> argparse._ArgumentGroup:
    """Add the address of a server, on loopback by default; return the group of its options."""
    group = parser.add_argument_group("server")
    group.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help=host_help)
    group.add_argument(
        "--port", type=parse_port, default=port, metavar="N", help=f"default: {port}; 0: any free port"
    )
    return group


def add_figure_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the scripts that draw a figure."""
    group = parser.add_argument_group("figure")
    group.add_argument(
        "--save",
        type=parse_figure_path,
        metavar="FILE",
        help="save the figure in this file, or in this folder: .png, .jpg, .webp, .pdf, .svg",
    )
    group.add_argument("--no-show", action="store_true", help="do not open a window")


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that filter a search."""
    add = parser.add_argument_group(
        "filters, applied inside Milvus; a photo must pass all of them"
    ).add_argument
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add("--under", default="", metavar="FOLDER", help="only photos below this folder: 2023/goa")
    add("--person", **repeated, metavar="NAME", help="a person in the photo; if repeated, all of them")
    add("--any-person", action="store_true", help="any one of the --person names; without --person, any face")
    add("--without", **repeated, metavar="NAME", help="a person who is not in the photo")
    add("--faces", type=parse_face_count, metavar="N", help="minimum number of people, marked ones too")
    add("--place", **repeated, metavar="NAME", help="suburb, city, county, state or country: goa")
    add(
        "--trip", **repeated, metavar="NAME", help="name, place or number of a trip; if repeated, any of them"
    )
    add("--near", default="", metavar="LAT,LON", help="position in degrees, or a place: 48.858,2.294, paris")
    radius = make_number_reader(0, 20_038, above_low=True)
    add("--radius", type=radius, metavar="KM", help="distance from --near; default: 5, from a place 25")
    add("--after", default="", metavar="DATE", help='taken on or after: 2023-06, 2023-06-01, "last summer"')
    add("--before", default="", metavar="DATE", help="taken before the start of: 2023-06, 01.06.2023, june")
    add("--year", type=parse_year, **repeated, metavar="N", help="year of the photo; repeated: any of them")
    add("--month", **repeated, metavar="NAME", help="june, jun or 6; if repeated, any of them")
    add("--has-gps", action="store_true", help="only photos with a GPS position")
    add("--no-gps", action="store_true", help="only photos without a GPS position")
    add("--no-time", action="store_true", help="only photos whose time is unknown")
    add("--untagged", action="store_true", help="only photos without keywords")
    add("--camera", **repeated, metavar="NAME", help="make or model, such as iphone")
    add("--rating", type=int, choices=range(6), metavar="STARS", help="minimum rating in stars")
    add(
        "--max-rating",
        type=int,
        choices=range(6),
        metavar="STARS",
        help="maximum rating in stars; 0: photos that are not rated",
    )
    add("--keyword", **repeated, metavar="WORD", help="a keyword stored in the photo")
    add(
        "--shape",
        default="",
        choices=["portrait", "landscape", "square", "panorama"],
        help="a panorama is at least twice as wide as high, or very narrow",
    )
    add("--screenshots", action=argparse.BooleanOptionalAction, help="only, or no, screenshots, by file name")
    add(
        "--name",
        **repeated,
        metavar="TEXT",
        help="file name, IMG_0042.jpg, or words of it, IMG_0042; if repeated, any of them",
    )
    add("--where", **repeated, metavar="COLUMN=VALUE", help="a column of a list of photos: author=Ana")
    add("--unnamed", action="store_true", help="only photos with a face that has no name")
    add("--added-after", default="", metavar="DATE", help="first indexed on or after: 2023-06-01")
    add("--added-before", default="", metavar="DATE", help="first indexed before the start of: 2023-06-01")


def make_criteria(args: argparse.Namespace) -> Criteria:
    """Return the criteria of the options of `add_filter_options`, except for the folder."""
    from imagesearch.query import Criteria

    return Criteria(
        people=tuple(args.person),
        without=tuple(args.without),
        any_person=args.any_person,
        faces=args.faces,
        places=tuple(args.place),
        cameras=tuple(args.camera),
        keywords=tuple(args.keyword),
        near=args.near,
        radius=args.radius,
        after=args.after,
        before=args.before,
        years=tuple(args.year),
        months=tuple(args.month),
        has_gps=args.has_gps,
        no_gps=args.no_gps,
        no_time=args.no_time,
        untagged=args.untagged,
        rating=args.rating,
        max_rating=args.max_rating,
        shape=args.shape,
        screenshots=args.screenshots,
        names=tuple(args.name),
        unnamed=args.unnamed,
        added_after=args.added_after,
        added_before=args.added_before,
        trips=tuple(args.trip),
        columns=tuple(args.where),
    )


def join_negative_values(arguments: Sequence[str], option: str) -> list[str]:
    """Join an option to its value, because argparse takes a value such as -33.9,151.2 for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == option:
            joined[-1] = f"{option}={argument}"
        else:
            joined.append(argument)
    return joined


def parse_sentence_arguments(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse arguments in which the words of a sentence need no quotes, and options can be between them.

    The parser's argument ``text`` is a list of words; it becomes one text.
    """
    # "-k20" is an option; "-kim" is meant for the sentence, as all unknown words with a hyphen.
    excluded = [word for word in arguments if re.fullmatch(r"-k[^\W\d]\w*", word)]
    args, unknown = (None, excluded) if excluded else parser.parse_known_intermixed_args(arguments)
    if args is None or unknown:
        words = [word for word in unknown if re.fullmatch(r"-[^\W\d]\w+", word)]
        hint = f'; put the whole sentence in quotes: "... {words[0]}"' if words else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    args.text = " ".join(args.text)
    return args


def add_typed_options(note: str, args: argparse.Namespace) -> str:
    """Add -c and -n, as the user typed them, to the command at the end of a note."""
    typed = [("-c", args.config)] if args.config != "config.yaml" else []
    typed += [("-n", args.dataset)] if args.dataset is not None else []
    options = "".join(f" {option} {shlex.quote(value)}" for option, value in typed)
    return f"{note}{options}" if re.search(r"; run \d\d_\w+\.py$", note) else note


def load_config_of(args: argparse.Namespace) -> Config:
    """Load the config that the options of `make_parser` name."""
    from imagesearch.config import load_config

    return load_config(args.config, args.set, args.dataset)
