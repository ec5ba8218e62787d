"""Reads the values of options from the command line, and checks their ranges."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from imagesearch.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


def parse_result_count(text: str) -> int:
    """Read a number of results from a command line."""
    from imagesearch.store import MAX_HITS

    return parse_whole_number(text, 1, MAX_HITS)


def parse_label_count(text: str) -> int:
    """Read a number of labels of a photo from a command line."""
    return parse_whole_number(text, 1, 1000)


def parse_port(text: str) -> int:
    """Read a TCP port from a command line; 0 means any free port."""
    return parse_whole_number(text, 0, 65_535)


def parse_face_count(text: str) -> int:
    """Read a number of faces from a command line."""
    return parse_whole_number(text, 0, 10_000)


def parse_year(text: str) -> int:
    """Read a year from a command line."""
    if not re.fullmatch(r"[1-9]\d{3}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text} is not a year of four digits, such as 2025")
    return int(text)


def parse_whole_number(text: str, low: int, high: int) -> int:
    """Read a whole number from a command line."""
    if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}")
    return int(text)


def make_number_reader(low: float, high: float, above_low: bool = False) -> Callable[[str], float]:
    """Return a function that reads a number from a command line.

    Parameters
    ----------
    low, high
        The range. It can be infinite.
    above_low
        Whether the number must be more than ``low``.
    """

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text} is not a number") from None
        if not (low <= number <= high and math.isfinite(number)) or (above_low and number == low):
            limits = f"more than {low:g}, at most {high:g}" if above_low else f"from {low:g} to {high:g}"
            limits = limits if high < math.inf else f"of at least {low:g}"
            raise argparse.ArgumentTypeError(f"{text} is not a number {limits}")
        return number

    return read


def parse_figure_path(text: str, name: str = "") -> Path:
    """Read the file name of a figure from a command line. The default format is PNG.

    Parameters
    ----------
    name
        The name of the file in a folder that exists, if one is given. Without it, the folder is returned, and
        the figure is saved below its own name.
    """
    from pathlib import Path

    file = Path(text)
    if os.path.isdir(file):  # noqa: PTH112 - pathlib raises an error for names that are too long
        return file / name
    if text.endswith(("/", "\\")):
        raise argparse.ArgumentTypeError(f"{text}: no such folder; make it, or give a file name")
    if not file.suffix and os.path.isfile(file):  # noqa: PTH113 - see above
        raise argparse.ArgumentTypeError(f"{text}: is another file; expected a new name, such as {text}.png")
    if file.suffix.lower() not in ("", ".png", ".pdf", ".svg", ".jpg", ".webp"):
        raise argparse.ArgumentTypeError(f"{text}: expected a name ending in .png, .jpg, .webp, .pdf or .svg")
    return file if file.suffix else file.with_name(f"{file.name}.png")


def make_figure_reader(name: str) -> Callable[[str], Path]:
    """Return `parse_figure_path` with the name of a figure in a folder."""

    def read(text: str) -> Path:
        return parse_figure_path(text, name)

    return read


def parse_milvus_uri(text: str) -> str:
    """Read the URI of a Milvus server, or the path of a database, relative to the current folder."""
    from pathlib import Path

    if "://" in text or not text:  # the config checks these
        return text
    database = Path(text).expanduser().absolute()
    if not database.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: no such folder as {database.parent}")
    return str(database)


def check_figure_file(file: Path | None) -> None:
    """Make the folder of a figure and check that the file can be written. Call it before long work.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    if file is None:
        return
    if os.path.isdir(file):  # noqa: PTH112 - pathlib raises an error for names that are too long
        file /= ".imagesearch"  # the figure's own name is not known yet
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        is_new = not file.exists()
        with file.open("ab"):
            pass
        if is_new:
            file.unlink()
    except OSError as error:
        raise UserError(f"--save {file}: cannot be written ({error.strerror}); choose another file") from None


def parse_assignment(text: str, option: str, form: str) -> tuple[str, str]:
    """Return what is before and after the equals sign in the value of an option.

    Raises
    ------
    UserError
        If there is none; the message has the form that is expected.
    """
    selector, equals, name = text.partition("=")
    if not equals:
        raise UserError(f"{option} {text}: expected {form}")
    return selector.strip(), name
