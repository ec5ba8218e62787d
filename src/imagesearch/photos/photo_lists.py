"""Lists of photos: CSV, TSV, JSON lines, Parquet, or a text file of paths and addresses.

Each line names one photo, by the path of a file or by an http(s) address. The other columns of a list are
facts about its photos.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imagesearch.csv_files import check_fields, read_csv
from imagesearch.errors import UserError, describe_error
from imagesearch.photos.sources import ID_PREFIX, is_address
from imagesearch.text import find_similar

# Columns that name the photo, in the order in which they are looked for; the last one is Unsplash's.
SOURCE_COLUMNS = ("path", "url", "photo_image_url")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Columns whose texts are lists, in formats that have no lists.
_LIST_COLUMNS = frozenset(["tags", "keywords"])
_MAX_SHOWN = 12  # columns in a message

Value = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    """A line of a list.

    Attributes
    ----------
    line : int
        Its number, from 1; in a Parquet file the number of the row.
    source : str
        The path of a file, or an http(s) address.
    id : str
        The value of the column with ids; empty if there is none.
    values : dict of str to str or tuple of str
        The texts of the other columns that are not empty; a list is a tuple.
    """

    line: int
    source: str
    id: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_address(self) -> bool:
        """Whether the photo is downloaded."""
        return is_address(self.source)

    @property
    def download_path(self) -> str:
        """The path of a downloaded photo: ``id:`` and its id, or its address without query and fragment.

        Raises
        ------
        ValueError
            If the address is not valid.
        """
        return f"{ID_PREFIX}{self.id}" if self.id else shorten_address(self.source)


@dataclass(frozen=True)
class PhotoList:
    """The lines of a list, and the names of its other columns in their order."""

    file: Path
    photos: list[ListedPhoto]
    columns: tuple[str, ...] = ()


def shorten_address(address: str) -> str:
    """Return an address without user, query and fragment, its scheme and host in lower case.

    Raises
    ------
    ValueError
        If the address has no host, or its port is not a number.
    """
    parts = urlsplit(address)
    host, port = parts.hostname, parts.port
    if not host:
        raise ValueError("an address without a host")
    host = f"[{host}]" if ":" in host else host
    scheme = parts.scheme.lower()
    place = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{place}{parts.path or '/'}"


def read_photo_list(file: Path, column: str = "", id_column: str = "") -> PhotoList:
    """Read a list of photos.

    Parameters
    ----------
    file
        A ``.csv``, ``.tsv``, ``.jsonl``, ``.parquet`` or ``.txt``; the latter has a path or an address in
        each line, and no columns. Names of columns are in lower case.
    column
        The column of paths or addresses; by default the first of `SOURCE_COLUMNS` that is not empty.
    id_column
        The column of ids that replace addresses in paths. By default none, and ``photo_id`` for a list with
        the columns of Unsplash.

    Raises
    ------
    UserError
        If the file cannot be read, has no such column or no photos.
    """
    suffix = file.suffix.lower()
    if suffix == ".txt":
        rows, columns = [(n, {"path": line}) for n, line in _read_lines(file)], ["path"]
    else:
        readers = {".jsonl": _read_json_rows, ".parquet": _read_parquet_rows}
        rows, columns = readers.get(suffix, _read_csv_rows)(file)
    if not rows:
        raise UserError(f"{file}: the list is empty; expected a line for each photo")
    sources = _choose_sources(file, columns, column)
    if id_column:
        _find_column(file, columns, id_column, "dataset.id_column")
    elif "photo_image_url" in sources and "photo_id" in columns:
        id_column = "photo_id"
    used = {*sources, id_column.lower()}
    photos = [_make_photo(line, row, sources, id_column.lower(), used) for line, row in rows]
    return PhotoList(file, photos, tuple(name for name in columns if name not in used))


def explain_source(photo: ListedPhoto) -> str:
    """Return why a line cannot name a photo; empty if it can."""
    if not photo.source:
        return "the line names no photo"
    if photo.is_address:
        try:
            shorten_address(photo.source)
        except ValueError:
            return "not a valid address"
        return ""
    return "expected a path or an http(s) address" if _SCHEME.match(photo.source) else ""


def _choose_sources(file: Path, columns: Sequence[str], column: str) -> list[str]:
    """Return the columns that name a photo; the first one that is not empty does."""
    if column:
        _find_column(file, columns, column, "dataset.column")
        return [column.lower()]
    found = [name for name in SOURCE_COLUMNS if name in columns]
    if not found:
        shown = ", ".join(columns[:_MAX_SHOWN]) + (", ..." if len(columns) > _MAX_SHOWN else "")
        raise UserError(
            f"{file}: no column path or url{_suggest(SOURCE_COLUMNS[:2], columns)}; it has {shown}; name the "
            "column with dataset.column"
        )
    return found


def _suggest(names: Iterable[str], columns: Sequence[str]) -> str:
    similar = [near for name in names for near in find_similar(name, columns)]
    return f" (is it {similar[0]}?)" if similar else ""


def _find_column(file: Path, columns: Sequence[str], name: str, key: str) -> None:
    if name.lower() not in columns:
        near = find_similar(name.lower(), columns)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(columns[:_MAX_SHOWN])}"
        raise UserError(f"{file}: no column {name} ({key}); {hint}")


def _make_photo(
    line: int, row: Mapping[str, Any], sources: Sequence[str], id_column: str, used: set[str]
) -> ListedPhoto:
    texts = (_format_text(row.get(name)) for name in sources)
    values = {name: _format_value(name, value) for name, value in row.items() if name not in used}
    return ListedPhoto(
        line,
        next(filter(None, texts), ""),
        _format_text(row.get(id_column)) if id_column else "",
        {name: value for name, value in values.items() if value},
    )


def _format_value(name: str, value: Any) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(filter(None, map(_format_text, value)))
    text = _format_text(value)
    if name in _LIST_COLUMNS:
        return tuple(filter(None, (part.strip() for part in re.split(r"[,;|]", text))))
    return text


def _format_text(value: Any) -> str:
    """Return a value as one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else f"{value:.12g}"
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return " ".join(text.split()) if "  " in text else text.strip()


# --- formats -----------------------------------------------------------------------------------------------


def _read_csv_rows(file: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    lines, columns = read_csv(file)
    for number, line in lines.items():
        try:
            check_fields(line)
        except UserError as error:
            raise UserError(f"{file}, line {number}: {error}") from None
    first: Iterable[str] = next(iter(lines.values()), {})
    names = [name for name in first if name in columns and name]
    return [(number, {name: line[name] for name in names}) for number, line in lines.items()], names


def _read_lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{file}: not encoded in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)})") from None
    yield from ((n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip())


def _read_json_rows(file: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    rows, names = [], {}
    for number, line in _read_lines(file):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise UserError(f'{file}, line {number}: expected a JSON object, such as {{"path": "a.jpg"}}')
        row = {name.strip().lower(): value for name, value in row.items()}
        names |= dict.fromkeys(row)
        rows.append((number, row))
    return rows, list(names)


def _read_parquet_rows(file: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
        table = table.rename_columns([name.strip().lower() for name in table.column_names])
        return list(enumerate(table.to_pylist(), 1)), table.column_names
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)})") from None
