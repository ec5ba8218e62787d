"""Formats tables, counts and lists of names as plain text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import accumulate

from imagesearch.text import is_numbered_label

_ZERO_WIDTH_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_JOINING_JAMO = range(0x1160, 0x1200)  # drawn in the syllable that the letter before them starts


def format_table(
    header: Sequence[str], rows: Sequence[Sequence[str | float | int | None]], align: str = ""
) -> str:
    """Return a table as lines of text.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        Cells of each row. Floats have three decimals; None is shown as a dash.
    align
        ``<`` or ``>`` for each column. Default: only the first column is left-aligned.
    """
    cells = [[_format_cell(value) for value in row] for row in (header, *rows)]
    widths = measure_columns(cells)
    align = align or "<" + ">" * (len(header) - 1)
    return "\n".join(align_cells(row, widths, align) for row in cells)


def measure_columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column."""
    return [max(map(measure_width, column)) for column in zip(*rows, strict=True)]


def align_cells(cells: Sequence[str], widths: Sequence[int], align: str) -> str:
    """Return the line of a row. A cell that is wider than its column moves the cells after it."""
    padded = []
    for cell, width, side in zip(cells, widths, align, strict=True):
        space = " " * (width - measure_width(cell))
        padded.append(f"{cell}{space}" if side == "<" else f"{space}{cell}")
    return "  ".join(padded).rstrip()


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Return a number with a noun, such as "1 photo" or "2 photos"; `plural` is for "people" and the like."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def measure_width(text: str) -> int:
    """Return the number of columns that a text takes on a terminal.

    Characters of Chinese, Japanese and Korean, and emoji, take two columns. Combining marks and the later
    parts of a joined emoji take none.
    """
    if text.isascii():
        return len(text)
    return sum(_list_widths(text))


def shorten_end(text: str, width: int) -> str:
    """Return a text, or as much of its beginning as fits the width, before an ellipsis."""
    if measure_width(text) <= width:
        return text
    ends = [end for end, total in enumerate(accumulate(_list_widths(text)), 1) if total <= width - 1]
    return f"{text[: max(ends, default=0)].rstrip()}…"


def shorten_middle(text: str, width: int) -> str:
    """Return a text, or its beginning and its end around an ellipsis, so that it fits the width."""
    if measure_width(text) <= width:
        return text
    widths = _list_widths(text)
    head = sum(total <= (width - 1) // 2 for total in accumulate(widths))
    left = width - 1 - sum(widths[:head])
    tail = sum(total <= left for total in accumulate(reversed(widths)))
    while tail and not widths[len(text) - tail]:
        tail -= 1  # a combining mark belongs to the character before it
    return f"{text[:head]}…{text[len(text) - tail :]}"


def fit_names(names: Sequence[str], width: int) -> str:
    """Return as many whole names as fit the width, and the number of the others: ``Maya, Kim +2``.

    Names that are too long are counted only. If all are, the first one ends after one of its words.
    """
    shown: list[str] = []
    text = ", ".join(names)
    if measure_width(text) <= width:
        return text
    for number, name in enumerate(names):
        if len(shown) < number and is_numbered_label(name):
            break  # a label is not shown in the place of a name
        longer = f"{', '.join([*shown, name])} +{len(names) - len(shown) - 1}"
        if measure_width(longer) <= width:
            shown, text = [*shown, name], longer
    if shown:
        return text
    words = names[0].split(" ")
    rest = f" +{len(names) - 1}" if len(names) > 1 else ""
    for count in range(len(words) - 1, 0, -1):
        text = f"{' '.join(words[:count])} …{rest}"
        if measure_width(text) <= width:
            return text
    return shorten_end(names[0], max(2, width - len(rest))) + rest


def escape_controls(text: str) -> str:
    """Replace control characters, and bytes of a file name that are not UTF-8, by escapes such as ``\\n``."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c
        for c in text
    )


def _list_widths(text: str) -> list[int]:
    """Return the width of each character of a text."""
    widths: list[int] = []
    before = ""
    for character in text:
        widths.append(_get_width(character, before))
        before = character
    return widths


def _get_width(character: str, before: str) -> int:
    code, category = ord(character), unicodedata.category(character)
    if character == _EMOJI_STYLE:  # draws a narrow symbol, such as a heart, as an emoji
        return int(unicodedata.category(before or " ") == "So" and _get_width(before, "") == 1)
    is_joined = before == _ZERO_WIDTH_JOINER and category in ("So", "Sk")
    if is_joined or (code in _SKIN_TONES and before) or code in _JOINING_JAMO:
        return 0
    if category in ("Mn", "Me") or (category == "Cf" and character != "\N{SOFT HYPHEN}"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _format_cell(value: str | float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
