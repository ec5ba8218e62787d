"""The style of all figures: fonts, colours, and the shortening of long texts."""

from __future__ import annotations

import contextlib
import functools
import re
import textwrap
import unicodedata
import zlib
from collections.abc import Collection, Sequence

from imagesearch.text_table import measure_width, shorten_middle

_FILLER = "\ue000"  # a character for private use
_SYMBOLS = ("So", "Sk", "Cn")  # the newest emoji are not in Python's table of characters
_EMOJI_MODIFIERS = "\u200d\ufe0f"
STYLE = {
    "figure.facecolor": "white",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # the later fonts (Linux, macOS, Windows) draw the characters that the first one lacks
    "font.family": [
        *("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Hiragino Sans", "Apple SD Gothic Neo"),
        *("Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "sans-serif"),
    ],
}
INK, QUIET, ACCENT = "#1f2933", "#7b8794", "#2f6f9f"
PALETTE = (
    *("#2f6f9f", "#b2452f", "#2e7d4f", "#7a4fa3", "#a86a12", "#0f7c80", "#a13a6c", "#56632b"),
    *("#1f3f8f", "#8c1d2f", "#6d4c2f", "#cc24c0"),
)
"""Distinguishable colours (CIEDE2000 of at least 15), dark enough for white letters on them."""


def choose_person_colour(label: str, cast: Sequence[str] = ()) -> str:
    """Return the colour of a person, the same in every figure of a dataset.

    The first ``len(PALETTE)`` named people have different colours. Each person gets the first free colour,
    starting at an index that is computed from the name. So naming one more person changes no other named
    person's colour. People outside `cast` share the free colours; people with consecutive numbers get
    different ones.

    Parameters
    ----------
    label
        A name, ``person 12``, or either after a number: ``3 · Maya``.
    cast
        The names of all named people of the dataset, in the order in which they were named.
    """
    name = label.partition(" · ")[2] or label
    taken: dict[str, int] = {}
    for member in dict.fromkeys(cast):
        start = zlib.crc32(member.encode()) % len(PALETTE)
        free = _list_free_indices(taken.values()) or [start]
        taken[member] = min(free, key=lambda index: (index - start) % len(PALETTE))
    if name in taken:
        return PALETTE[taken[name]]
    free = _list_free_indices(taken.values()) or range(len(PALETTE))
    number = name.removeprefix("person ")
    position = int(number) if number.isdecimal() else zlib.crc32(name.encode())
    return PALETTE[free[position % len(free)]]


def _list_free_indices(taken: Collection[int]) -> list[int]:
    return [index for index in range(len(PALETTE)) if index not in taken]


def shorten_text(text: str, length: int) -> str:
    """Shorten a long text by removing its middle; its beginning and end are the most informative.

    A character of Chinese, Japanese or Korean, or an emoji, is as wide as two letters.
    """
    return shorten_middle(make_drawable(text), length)


def wrap_text(text: str, width: int, max_lines: int) -> str:
    """Wrap a text into at most `max_lines` lines of at most `width` letters."""
    # textwrap counts characters, so each wide one is followed by a filler while the text is wrapped
    filled = "".join(c + _FILLER * (measure_width(c) - 1) for c in make_drawable(text))
    wrapped = textwrap.wrap(filled, max(width, 2), max_lines=max_lines, placeholder=" …")
    return "\n".join(wrapped).replace(_FILLER, "")


def wrap_path(path: str, width: int, max_lines: int) -> str:
    """Wrap the path of a file like `wrap_text`. If it is too long, its middle is left out, not its end."""
    for length in range(min(measure_width(path), width * max_lines), 1, -1):
        lines = wrap_text(shorten_text(path, length), width, max_lines + 1)
        if lines.count("\n") < max_lines:
            return lines
    return shorten_text(path, width)


def make_drawable(text: str) -> str:
    """Return a text that can be drawn.

    Bytes of a file name that are not UTF-8 become escapes such as ``\\udce9``. Emoji and other symbols that
    no font has are left out; they would be empty boxes.
    """
    text = text.encode("utf-8", "backslashreplace").decode()
    if text.isascii() or not (missing := [c for c in set(text) if not _can_be_drawn(c)]):
        return text
    # without the characters that join the parts of an emoji, or change its style
    without = text.translate(dict.fromkeys(map(ord, (*missing, *_EMOJI_MODIFIERS))))
    return re.sub(r" {2,}", " ", without).strip(" ")


@functools.cache
def _can_be_drawn(character: str) -> bool:
    """Whether a character is no symbol, or a font has it. Letters without a font are drawn as boxes."""
    if character.isascii() or unicodedata.category(character) not in _SYMBOLS:
        return True
    from matplotlib.font_manager import findfont, get_font

    for family in STYLE["font.family"]:
        with contextlib.suppress(ValueError):  # a font that this machine does not have
            if get_font(findfont(family, fallback_to_default=False)).get_char_index(ord(character)):
                return True
    return False
