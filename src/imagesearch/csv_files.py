"""Reads CSV files from spreadsheets and other programs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError, describe_error

_SURPLUS = "\n"  # key of the surplus fields of a line; no column can have this name


def read_csv(file: Path) -> tuple[dict[int, dict[str, Any]], set[str]]:
    """Read a file with a header line. The delimiter is a comma, a semicolon or a tab.

    Returns
    -------
    lines : dict of dict
        The fields of each line, by its number in the file, counted from 1, and by the name of the column in
        lower case. Missing fields are None. `use_lines` reports a line with too many fields.
    columns : set of str
        The names of the columns in lower case.

    Raises
    ------
    UserError
        If the file cannot be read, two columns have one name, or a quote is not closed: all lines after it
        would be one field.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            header = stream.readline()
            delimiter = max(",;\t", key=header.count)  # some locales write 0,5 and separate with ;
            columns = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
            if twice := [name for name in dict.fromkeys(columns) if name and columns.count(name) > 1]:
                raise UserError(f"{file}: two columns are called {twice[0]}; rename one of them")
            start = stream.tell()
            reader = csv.DictReader(stream, columns, _SURPLUS, delimiter=delimiter)
            lines = {}
            for line in reader:
                lines[reader.line_num + 1] = line
            stream.seek(start)
            _check_quotes(file, csv.reader(stream, delimiter=delimiter, strict=True))
            return lines, set(columns)
    except UnicodeDecodeError:
        raise UserError(f"{file}: not encoded in UTF-8; save it as CSV UTF-8 in the spreadsheet") from None
    except (OSError, csv.Error) as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)})") from None


def _check_quotes(file: Path, reader: Iterator[list[str]]) -> None:
    """Raise `UserError` if the last quote is not closed. Other lines that are not strictly valid are used."""
    while True:
        line = reader.line_num + 2  # type: ignore[attr-defined]  # of the next row; line 1 is the header
        try:
            next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise UserError(f'{file}, line {line}: a quote (") is not closed') from None


def use_lines(lines: dict[int, dict[str, Any]], use: Callable[[dict[str, Any]], object]) -> dict[str, str]:
    """Call a function with the fields of each line of `read_csv`; return why lines cannot be used.

    A line has more fields than the header after a comma without quotes; it is not used.

    Returns
    -------
    unused : dict
        The message of the `UserError` that the function raised, by ``line N``.
    """
    unused: dict[str, str] = {}
    for number, line in lines.items():
        try:
            check_fields(line)
            use(line)
        except UserError as error:
            unused[f"line {number}"] = str(error)
    return unused


def check_fields(line: dict[str, Any]) -> None:
    """Raise `UserError` if a line of `read_csv` has more fields than the header."""
    if any(field.strip() for field in line.get(_SURPLUS, [])):
        raise UserError('more fields than columns; put text that contains a comma in quotes: "a, b"')
