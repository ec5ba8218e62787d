"""CSV files as spreadsheets and other programs write them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError

_SURPLUS = "\n"  # the name of what a line has beyond the columns; no column is called that


def read_csv(file: Path) -> tuple[dict[int, dict[str, Any]], set[str]]:
    """Read a file with a header line, in any case, and commas, semicolons or tabs.

    Returns
    -------
    lines : dict of dict
        By their numbers in the file, counted from 1, and by the columns' names, in lower case. What a short
        line lacks is None; see `check_fields` for one that is too long.
    columns : set of str

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            header = stream.readline()
            delimiter = max(",;\t", key=header.count)  # spreadsheets write semicolons where 0,5 is a half
            columns = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
            reader = csv.DictReader(stream, columns, _SURPLUS, delimiter=delimiter)
            lines = {}
            for line in reader:
                lines[reader.line_num + 1] = line
            return lines, set(columns)
    except UnicodeDecodeError:
        raise UserError(f"{file}: not in UTF-8; in the spreadsheet, save it as CSV UTF-8") from None
    except (OSError, csv.Error) as error:
        raise UserError(f"{file}: cannot be read ({error})") from None


def check_fields(line: dict[str, Any]) -> None:
    """Refuse a line with more fields than the header has: a comma in one of them would cut it.

    Raises
    ------
    UserError
        If there is more than empty fields at its end.
    """
    if any(field.strip() for field in line.get(_SURPLUS, [])):
        raise UserError('more fields than columns; write a text with a comma in quotes: "a, b"')
