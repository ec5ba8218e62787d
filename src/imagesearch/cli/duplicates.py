"""Duplicates as lines of text, paths, JSON or CSV."""

from __future__ import annotations

import csv
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from imagesearch.cli.console import print_json
from imagesearch.errors import UserError
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from imagesearch.duplicates import DuplicateGroup

_COLUMNS = ("group", "kind", "best", "why", "path", "width", "height", "file_size", "faces", "rating")


def add_duplicate_options(parser: ArgumentParser) -> None:
    """Add the options that list duplicates."""
    group = parser.add_argument_group("duplicates, instead of a query")
    group.add_argument(
        "--duplicates", action="store_true", help="list photos that are stored more than once, and bursts"
    )
    group.add_argument(
        "--kind",
        action="append",
        choices=["pixels", "shot", "burst"],
        default=[],
        help="list only this kind: the same pixels, the same shot (resized, cropped), or a burst; repeatable",
    )
    group.add_argument("--csv", type=Path, metavar="FILE", help="write the duplicates to this CSV file")


def print_duplicates(groups: Sequence[DuplicateGroup], args: Namespace) -> None:
    """Print groups as text, JSON or paths, and write them to a CSV file if one is given.

    With ``--paths``, all photos but the best ones are printed. Photos of bursts are different photos, so
    they are printed only if ``--kind burst`` is given.
    """
    if args.csv:
        try:
            with args.csv.open("w", newline="", encoding="utf-8") as stream:
                _write_csv(groups, stream)
        except OSError as error:
            raise UserError(f"--csv {args.csv}: cannot be written ({error.strerror})") from None
        print(f"duplicates: {args.csv}", file=sys.stderr)
    if args.json:
        print_json({"groups": [group.to_dict() for group in groups]})
    elif args.paths:
        chosen = [group for group in groups if group.kind != "burst" or "burst" in args.kind]
        files = (photo.file for group in chosen for photo in group.photos[1:])
        sys.stdout.buffer.write(b"".join(os.fsencode(file) + b"\n" for file in files))
    else:
        _print_text(groups)


def _print_text(groups: Sequence[DuplicateGroup]) -> None:
    for number, group in enumerate(groups, 1):
        print(f"{number:>4}  {group.title}, {format_count(len(group.photos), 'photo')}; best: {group.reason}")
        width = max(len(f"{photo.width}x{photo.height}") for photo in group.photos)
        for place, photo in enumerate(group.photos):
            size = f"{photo.width}x{photo.height}"
            print(
                f"   {' ' if place else '*'}  {size:>{width}}  {photo.file_size / 1e6:7.2f} MB  {photo.path}"
            )
    print(_summarize(groups))


def _summarize(groups: Sequence[DuplicateGroup]) -> str:
    if not groups:
        return "no duplicates"
    kinds: dict[str, list[DuplicateGroup]] = {}
    for group in groups:
        kinds.setdefault(group.title, []).append(group)
    parts = [
        f"{title}: {format_count(len(members), 'group')}, {_format_extra(members)}"
        for title, members in kinds.items()
    ]
    return "; ".join(parts)


def _format_extra(groups: Sequence[DuplicateGroup]) -> str:
    count = sum(len(group.photos) - 1 for group in groups)
    size = sum(group.wasted_bytes for group in groups) / 1e6
    return f"{format_count(count, 'photo')} besides the best ({size:.1f} MB)"


def _write_csv(groups: Sequence[DuplicateGroup], stream: TextIO) -> None:
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for number, group in enumerate(groups, 1):
        for place, photo in enumerate(group.photos):
            is_best = "no" if place else "yes"
            size = (photo.width, photo.height, photo.file_size)
            rating = "" if photo.rating is None else photo.rating
            why = "" if place else group.reason
            writer.writerow((number, group.kind, is_best, why, photo.path, *size, photo.faces, rating))
