"""The results of a search as a table, which fits the terminal; nothing is cut in a file or a pipe."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagesearch.text_table import (
    align_cells,
    escape_controls,
    fit_names,
    measure_columns,
    measure_width,
    shorten_end,
)

if TYPE_CHECKING:
    from imagesearch.search import SearchResult

_GAP = 2  # spaces between columns
_INDENT = " " * 6  # of the lines below the first line of a result
_PARTIAL_DATES = ("year", "month")


@dataclass(frozen=True)
class _Column:
    """A column: its heading, the full cell of a result, and how a cell is made to fit a width."""

    heading: str
    make_cell: Callable[[SearchResult], str]
    align: str = "<"
    fit_cell: Callable[[SearchResult, int], str] | None = None
    least_width: int = 0
    is_always_shown: bool = False


def _make_class_cell(result: SearchResult, label_width: int = sys.maxsize) -> str:
    if not result.class_label:
        return ""
    return f"{shorten_end(result.class_label, label_width)} {result.class_score:.0%}"


_FILE = _Column("file", lambda result: result.path, is_always_shown=True)
_CLASS = _Column(
    "class", _make_class_cell, "<", lambda result, width: _make_class_cell(result, width - 5), 11
)
_PARTS = _Column("fulfils", lambda result: f"[{', '.join(result.fulfils)}]" if result.fulfils else "")
_COLUMNS = (
    _Column("rank", lambda result: str(result.rank), ">", is_always_shown=True),
    _Column("score", lambda result: "" if result.score is None else f"{result.score:.4f}", ">"),
    _Column("fit", lambda result: "" if (fit := result.calibrated_score) is None else f"{fit:.2f}", ">"),
    _Column("date", lambda result: result.date),
    _FILE,
    _CLASS,
    _Column("people", lambda result: ", ".join(result.names), "<", lambda r, w: fit_names(r.names, w), 12),
    _Column(
        "place",
        lambda result: result.city or result.country,
        fit_cell=lambda result, width: shorten_end(result.city or result.country, width),
        least_width=8,
    ),
    _Column("", lambda result: f"+{result.burst_count} alike" if result.burst_count else ""),
    _Column("", lambda result: "[gone]" if result.gone else ""),
)


def get_terminal_width() -> int | None:
    """Return the width of the terminal that stdout is shown on; None for a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def format_results(
    results: Sequence[SearchResult],
    has_details: bool = False,
    has_header: bool = True,
    width: int | None = None,
) -> list[str]:
    """Return the lines of a table of results.

    Scores, dates, classes, people and places have a column only if a result has them. If the table is wider
    than `width`, people, places and classes are shortened, then classes are left out. The path of a file is
    never cut, because it can be typed in the next query. If it needs the space, each result has two lines.

    Parameters
    ----------
    has_details
        Whether results of a union have the parts of the sentence that they fulfil, and whether a line below a
        result has the description, the columns of a list of photos, the source of a time that is not from the
        camera's clock, and the trip of a photo without a position.
    has_header
        Whether the names of the columns come first.
    width
        Number of columns of the terminal; None for no limit.
    """
    columns = [*_COLUMNS, _PARTS] if has_details else _COLUMNS
    columns = [c for c in columns if c.is_always_shown or any(map(c.make_cell, results))]
    if not results:
        return []
    first, *others = (
        _align_columns(results, group, has_header, width)
        for group in _split_columns(results, columns, has_header, width)
    )
    details = [_format_details(result) if has_details else "" for result in results]
    below = [*others, ["", *details] if has_header else details]
    lines = []
    for line, *more in zip(first, *below, strict=True):
        lines += [line, *(f"{_INDENT}{part}" for part in more if part)]
    return lines


def _split_columns(
    results: Sequence[SearchResult], columns: Sequence[_Column], has_header: bool, width: int | None
) -> list[Sequence[_Column]]:
    """Return the columns of the line of a result, or of its two lines if one line is too wide."""
    for tried in (columns, [column for column in columns if column is not _CLASS]):
        widths = _measure(results, tried, has_header)
        least = [min(w, c.least_width) if c.fit_cell else w for c, w in zip(tried, widths, strict=True)]
        if width is None or _add_gaps(least) <= width:
            return [tried]
    end = columns.index(_FILE) + 1
    return [columns[:end], columns[end:]] if columns[end:] else [columns]


def _align_columns(
    results: Sequence[SearchResult], columns: Sequence[_Column], has_header: bool, width: int | None
) -> list[str]:
    """Return the header, if there is one, and the cells of each result in these columns."""
    widths = _measure(results, columns, has_header)
    limit = width and width - (0 if _FILE in columns else len(_INDENT))
    while limit is not None and _add_gaps(widths) > limit:
        surplus = [w - c.least_width if c.fit_cell else 0 for c, w in zip(columns, widths, strict=True)]
        if max(surplus) <= 0:
            break
        widths[surplus.index(max(surplus))] -= 1
    rows = [[_make_cell(c, r, w) for c, w in zip(columns, widths, strict=True)] for r in results]
    headings = [[column.heading for column in columns]] if has_header else []
    align = "".join(column.align for column in columns)
    return [align_cells(cells, widths, align) for cells in [*headings, *rows]]


def _measure(results: Sequence[SearchResult], columns: Sequence[_Column], has_header: bool) -> list[int]:
    """Return the width of each column with complete cells."""
    headings = [[column.heading for column in columns]] if has_header else []
    return measure_columns([*headings, *([_make_cell(c, result) for c in columns] for result in results)])


def _add_gaps(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _make_cell(column: _Column, result: SearchResult, width: int = sys.maxsize) -> str:
    """Return a cell, shortened if it is wider than its column and can be."""
    cell = escape_controls(column.make_cell(result)) or ("-" if column.heading else "")
    if column.fit_cell is None or measure_width(cell) <= width:
        return cell
    return escape_controls(column.fit_cell(result, width))


def _format_details(result: SearchResult) -> str:
    """Return the description, and what is unusual about the time and the trip."""
    source = {"name": "date from the file name", "gps": "time from GPS"}.get(result.time_source, "")
    known = f"only the {result.time_precision} is known" if result.time_precision in _PARTIAL_DATES else ""
    trip = f"no position; by its time, on the trip {result.trip}" if result.trip_by == "time" else ""
    marked = f"{', '.join(result.marked)}: marked, without a face" if result.marked else ""
    listed = ((name, (v,) if isinstance(v, str) else v) for name, v in result.columns.items())
    columns = (f"{name}: {', '.join(texts)}" for name, texts in listed)
    parts = (result.description, *columns, source, known, trip, marked)
    return escape_controls("; ".join(filter(None, parts)))
