"""The style of all figures: fonts, colours, and how long names are written."""

from __future__ import annotations

import textwrap
import zlib
from collections.abc import Sequence

STYLE = {
    "figure.facecolor": "white",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # the later ones, of Linux, macOS and Windows, are used for letters that the first does not have
    "font.family": [
        *("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Hiragino Sans", "Apple SD Gothic Neo"),
        *("Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "sans-serif"),
    ],
}
INK, QUIET, ACCENT = "#1f2933", "#7b8794", "#2f6f9f"
PALETTE = (
    *("#2f6f9f", "#b2452f", "#2e7d4f", "#7a4fa3", "#a86a12", "#0f7c80", "#a13a6c", "#56632b"),
    *("#1f3f8f", "#8c1d2f", "#6d4c2f", "#c4307a"),
)
"""Colours of one look, dark enough for white letters on them."""


def choose_person_colour(label: str, cast: Sequence[str] = ()) -> str:
    """Return the colour that a person has in every figure of a dataset.

    It comes from the name. No two of the cast have the same one, as long as there are enough: each takes the
    first that those before leave free, from their own one on; so a new name changes nobody else's colour.
    Whoever is not of the cast takes what all of it leaves free.

    Parameters
    ----------
    label
        A name, ``person 12``, or either after a number: ``3 · Maya``.
    cast
        The names of all people of the dataset who have one, in the order in which they got them.
    """
    name = label.partition(" · ")[2] or label
    count = len(PALETTE)
    indices: dict[str, int] = {}
    for member in dict.fromkeys((*cast, name)):
        number = member.removeprefix("person ")
        # people without a name are numbered one after another: so are their colours
        own = (int(number) if number.isdecimal() else zlib.crc32(member.encode())) % count
        free = set(range(count)) - set(indices.values()) or {own}
        indices[member] = min((index - own) % count for index in free) + own
    return PALETTE[indices[name] % count]


def shorten_text(text: str, length: int) -> str:
    """Cut the middle out of a long text, whose ends tell more."""
    text = escape_undecodable(text)
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def wrap_text(text: str, width: int, max_lines: int) -> str:
    """Break a text into so many lines at most, of so many letters at most."""
    return "\n".join(textwrap.wrap(escape_undecodable(text), width, max_lines=max_lines, placeholder=" …"))


def escape_undecodable(text: str) -> str:
    """Write the bytes of a file name that are not UTF-8 as ``\\udce9`` and the like, which fonts can draw."""
    return text.encode("utf-8", "backslashreplace").decode()
