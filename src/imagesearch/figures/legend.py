"""Legends for groups of photos: groups with their own colour, and the greys of all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from imagesearch.figures.style import INK, make_drawable
from imagesearch.text_table import shorten_end

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_GROUPS = 8
"""Maximum number of classes or people with their own colour. All others share one grey."""
OTHERS, NOBODY = " others", " nobody known"
"""The groups of all others, and of photos without a known person. No name begins with a space."""
GREYS = {OTHERS: "#9fb3c8", NOBODY: "#d5dae0"}


def draw_legend(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Draw a legend on the right. Names can contain any characters."""
    legend = figure.legend(handles, [""] * len(names), loc="outside right upper", frameon=False)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=shorten_end(make_drawable(name.strip()), 28), parse_math=False, color=INK)
