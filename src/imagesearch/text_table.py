"""Tables on a terminal: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(header: Sequence[str], rows: Sequence[Sequence[str | float | int | None]]) -> str:
    """Write a table as lines of text: the first column flush left, the others flush right.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        Fractions are written with three decimals, None as a dash.
    """
    cells = [[_format_cell(value) for value in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        fields = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(fields).rstrip())
    return "\n".join(lines)


def format_count(count: int, what: str) -> str:
    """Write a number of things: 1 photo, 2 photos."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _format_cell(value: str | float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
