"""Options that the scripts share, and how their values are parsed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagesearch.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from imagesearch.config import Config
    from imagesearch.query import Criteria


def make_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every script takes."""
    parser = argparse.ArgumentParser(description=description)
    group = parser.add_argument_group("configuration")
    group.add_argument("-c", "--config", default="config.yaml", metavar="FILE", help="default: config.yaml")
    group.add_argument("-n", "--dataset", metavar="NAME", help="in place of dataset.name")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="in place of any setting; may be given several times",
    )
    group.add_argument("-v", "--verbose", action="store_true", help="say more")
    return parser


def add_photo_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the scripts that read photos."""
    from pathlib import Path

    parser.add_argument(
        "-i",
        "--images",
        type=Path,
        nargs="+",
        action="extend",
        metavar="DIR",
        help="folders of photos, in place of dataset.images; later steps use them too",
    )
    parser.add_argument("--retry-failed", action="store_true", help="look again at photos that failed")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def add_figure_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the scripts that draw a figure."""
    group = parser.add_argument_group("figure")
    group.add_argument(
        "--save", type=parse_figure_path, metavar="FILE", help="save the figure: .png, .pdf, .svg"
    )
    group.add_argument("--no-show", action="store_true", help="open no window")


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that filter a search."""
    group = parser.add_argument_group("filters, answered inside Milvus; all that are given have to hold")
    group.add_argument("--under", default="", metavar="FOLDER", help="only photos below it: 2023/goa")
    group.add_argument(
        "--person", action="append", default=[], metavar="NAME", help="is in it; several: all of them"
    )
    group.add_argument("--any-person", action="store_true", help="any of these; without --person: anybody")
    group.add_argument("--without", action="append", default=[], metavar="NAME", help="is not in it")
    group.add_argument("--faces", type=parse_face_count, metavar="N", help="so many faces or more")
    group.add_argument(
        "--place", action="append", default=[], metavar="NAME", help="city, state, country: goa"
    )
    group.add_argument("--near", default="", metavar="LAT,LON", help="degrees: 48.858,2.294")
    group.add_argument("--radius", type=float, metavar="KM", help="around --near; default: 5")
    group.add_argument("--after", default="", metavar="DATE", help="from then on: 2023, 2023-06, 2023-06-01")
    group.add_argument("--before", default="", metavar="DATE", help="up to the beginning of it")
    group.add_argument(
        "--year", type=int, action="append", default=[], metavar="N", help="several: any of them"
    )
    group.add_argument("--month", action="append", default=[], metavar="NAME", help="june, jun or 6")
    group.add_argument("--has-gps", action="store_true", help="only photos that say where they were taken")
    group.add_argument("--camera", action="append", default=[], metavar="NAME", help="make or model: iphone")
    group.add_argument("--rating", type=int, choices=range(6), metavar="STARS", help="so many or more: 4")
    group.add_argument("--keyword", action="append", default=[], metavar="WORD", help="noted in the photo")


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
        rating=args.rating,
    )


def join_negative_values(arguments: Sequence[str], option: str) -> list[str]:
    """Join an option to its value: argparse takes a value like -33.9,151.2 for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == option:
            joined[-1] = f"{option}={argument}"
        else:
            joined.append(argument)
    return joined


def parse_result_count(text: str) -> int:
    """Read a number of results from a command line."""
    from imagesearch.store import MAX_HITS

    if not text.isdecimal() or not 1 <= int(text) <= MAX_HITS:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to {MAX_HITS}")
    return int(text)


def parse_face_count(text: str) -> int:
    """Read a number of faces from a command line."""
    if not text.isdecimal() or int(text) > 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to 10000")
    return int(text)


def parse_figure_path(text: str) -> Path:
    """Read the name of a figure from a command line; without an ending it becomes a PNG."""
    from pathlib import Path

    file = Path(text)
    if file.suffix.lower() not in ("", ".png", ".pdf", ".svg", ".jpg", ".webp"):
        raise argparse.ArgumentTypeError(f"{text}: figures end in .png, .pdf, .svg, .jpg or .webp")
    return file if file.suffix else file.with_name(f"{file.name}.png")


def check_figure_file(file: Path | None) -> None:
    """Make the folder of a figure and check that the file can be written, before long work and not after.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        is_new = not file.exists()
        with file.open("ab"):
            pass
        if is_new:
            file.unlink()
    except OSError as error:
        raise UserError(f"{file}: the figure cannot be saved there ({error.strerror})") from None


def load_config_of(args: argparse.Namespace) -> Config:
    """Load the config that the options of `make_parser` name."""
    from imagesearch.config import load_config

    return load_config(args.config, args.set, args.dataset)
