"""Formats tables and counts as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(header: Sequence[str], rows: Sequence[Sequence[str | float | int | None]]) -> str:
    """Return a table as lines of text, with the first column left-aligned and the others right-aligned.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        Cells of each row. Floats have three decimals; None is shown as a dash.
    """
    cells = [[_format_cell(value) for value in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        fields = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(fields).rstrip())
    return "\n".join(lines)


def format_count(count: int, noun: str) -> str:
    """Return a number with a noun, such as "1 photo" or "2 photos"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _format_cell(value: str | float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
