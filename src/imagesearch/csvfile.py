"""CSV files as spreadsheets and other programs write them."""

from __future__ import annotations

import csv
from pathlib import Path

from imagesearch.errors import UserError


def read_csv(file: Path) -> tuple[list[dict[str, str]], set[str]]:
    """Read a file with a header line, in any case, and commas, semicolons or tabs.

    Returns
    -------
    lines : list of dict
        By the columns' names, in lower case. What a short line lacks is None.
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
            return list(csv.DictReader(stream, columns, delimiter=delimiter)), set(columns)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: cannot be read ({error})") from None
